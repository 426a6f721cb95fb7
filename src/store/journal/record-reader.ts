import { RECORD_BODY_BYTES_MAX, RECORD_HEADER_BYTES, recordEnd } from './record.ts';
import type { Segment } from './segment.ts';

/** Bytes read at once, for messages that are not in memory: a session that returns is sent them in order, which is how they lie. */
const READ_BYTES = 262_144;

/** Reads single records of journal files, from a block that is read ahead. */
export class RecordReader {
  #block = Buffer.alloc(0);
  #segment: Segment | null = null;
  #blockAt = 0;
  #blockLength = 0;

  /** The whole record at `place`, valid until the next one is read; what is the matter, where there is none. */
  at(segment: Segment, place: number): Buffer | string {
    try {
      return this.#soundRecordAt(segment, place) ?? 'its checksum is not that of its bytes';
    } catch (error) {
      this.#segment = null;
      return (error as Error).message;
    }
  }

  /** null when it is damaged. @throws Node's errors where the disk cannot be read */
  #soundRecordAt(segment: Segment, place: number): Buffer | null {
    const header = place + RECORD_HEADER_BYTES;
    if (!this.#inBlock(segment, place, header)) this.#readBlock(segment, place, READ_BYTES);
    if (!this.#inBlock(segment, place, header)) return null;
    const length = this.#block.readUInt32BE(place - this.#blockAt + 4);
    if (length <= RECORD_BODY_BYTES_MAX && !this.#inBlock(segment, place, header + length))
      this.#readBlock(segment, place, Math.max(READ_BYTES, RECORD_HEADER_BYTES + length));
    const at = place - this.#blockAt;
    const end = recordEnd(this.#block, at, this.#blockLength, segment.seed);
    return end < 0 ? null : this.#block.subarray(at, end);
  }

  #inBlock(segment: Segment, start: number, end: number): boolean {
    return segment === this.#segment && start >= this.#blockAt && end <= this.#blockAt + this.#blockLength;
  }

  #readBlock(segment: Segment, at: number, size: number): void {
    if (this.#block.length < size || this.#block.length > READ_BYTES * 4) this.#block = Buffer.allocUnsafeSlow(size);
    this.#segment = segment;
    this.#blockAt = at;
    // What the file has behind its own records will be written over, and the block would not show it.
    this.#blockLength = segment.file!.read(this.#block.subarray(0, Math.max(0, Math.min(size, segment.written - at))), at);
  }
}
