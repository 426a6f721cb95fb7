import { malformed } from './wire-errors.ts';

/** The size field in front of each frame. OpenWire specification section 1. */
const SIZE_BYTES = 4;

/**
 * Room a frame that comes in pieces starts with. It grows with the bytes that really arrive, by doubling: a peer that only announces
 * a large frame costs us this much.
 */
const ASSEMBLY_BYTES = 64 * 1024;

/** A frame without its size field: `buffer[start, end)`, valid during the call only. */
export type FrameHandler = (buffer: Buffer, start: number, end: number) => void;

/**
 * Cuts a stream of bytes into frames.
 *
 *     chunk 1  [size|type body][size|ty       a whole frame is handed on where it lies;
 *     chunk 2  pe bo                          the pieces of one that crosses chunks are gathered,
 *     chunk 3  dy][size|type body]            each byte copied once (and once more for each doubling of the room)
 */
export class FrameSplitter {
  /** Largest frame accepted, in bytes, without the size field. May be changed between frames, as the negotiation does. */
  maxFrameSizeBytes: number;
  readonly #onFrame: FrameHandler;
  #assembly: Buffer | null = null;
  /** Bytes of the unfinished frame that are here, size field included. */
  #gathered = 0;
  /** Bytes the unfinished frame has in all, size field included; 0 until the size field is whole. */
  #needed = 0;
  #sizeField = Buffer.alloc(SIZE_BYTES);
  #stopped = false;

  constructor(maxFrameSizeBytes: number, onFrame: FrameHandler) {
    this.maxFrameSizeBytes = maxFrameSizeBytes;
    this.#onFrame = onFrame;
  }

  /** Bytes held of a frame that is not complete. */
  get heldBytes(): number {
    return this.#gathered;
  }

  /**
   * Takes `chunk[start, end)`, which need to be valid during the call only, and hands on every frame that is complete with it.
   *
   * @throws ProtocolError OPENWIRE_MALFORMED when a frame announces a size that is none or above the limit: the stream cannot be
   *         followed any more
   * @throws whatever the frame handler throws; the rest of the chunk is then lost
   */
  push(chunk: Buffer, start: number, end: number): void {
    let at = start;
    if (this.#gathered > 0) at = this.#continueFrame(chunk, at, end);
    while (!this.#stopped && end - at >= SIZE_BYTES) {
      const frame = at + SIZE_BYTES;
      const frameEnd = frame + this.#checkedSize(chunk.readInt32BE(at));
      if (frameEnd > end) break;
      at = frameEnd;
      this.#onFrame(chunk, frame, frameEnd);
    }
    if (!this.#stopped && at < end) this.#continueFrame(chunk, at, end);
  }

  /** Hands on nothing more, not even what is left of the chunk at hand: for a connection that is being closed. */
  stop(): void {
    this.#stopped = true;
    this.#assembly = null;
  }

  /** Adds bytes to the unfinished frame and hands it on when that completes it. Returns where the bytes after it begin. */
  #continueFrame(chunk: Buffer, start: number, end: number): number {
    if (this.#stopped) return end;
    let at = start;
    if (this.#needed === 0) {
      at = this.#continueSize(chunk, at, end);
      if (this.#needed === 0) return at;
    }
    const taken = Math.min(end - at, this.#needed - this.#gathered);
    this.#makeRoom(this.#gathered + taken);
    chunk.copy(this.#assembly!, this.#gathered, at, at + taken);
    this.#gathered += taken;
    if (this.#gathered === this.#needed) this.#finishFrame();
    return at + taken;
  }

  #continueSize(chunk: Buffer, start: number, end: number): number {
    const taken = Math.min(end - start, SIZE_BYTES - this.#gathered);
    chunk.copy(this.#sizeField, this.#gathered, start, start + taken);
    this.#gathered += taken;
    if (this.#gathered === SIZE_BYTES) this.#needed = SIZE_BYTES + this.#checkedSize(this.#sizeField.readInt32BE(0));
    return start + taken;
  }

  #makeRoom(size: number): void {
    const room = this.#assembly?.length ?? 0;
    if (size <= room) return;
    const larger = Buffer.allocUnsafeSlow(Math.min(this.#needed, Math.max(size, room * 2, ASSEMBLY_BYTES)));
    this.#assembly?.copy(larger, 0, 0, this.#gathered);
    this.#assembly = larger;
  }

  #finishFrame(): void {
    const frame = this.#assembly!;
    const end = this.#needed;
    this.#gathered = 0;
    this.#needed = 0;
    this.#assembly = null;
    this.#onFrame(frame, SIZE_BYTES, end);
  }

  #checkedSize(size: number): number {
    if (size >= 1 && size <= this.maxFrameSizeBytes) return size;
    throw malformed(`OpenWire frame: a size from 1 to ${this.maxFrameSizeBytes} bytes was expected, ${size} came`);
  }
}
