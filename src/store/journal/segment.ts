import { randomBytes } from 'node:crypto';
import type { StoreFile } from './files.ts';
import { MessageTable } from './message-table.ts';

/** `RHJRNL`, and the version of the format in two digits. A change that an older program would misread gets a new one. */
const MAGIC = Buffer.from('RHJRNL04');

/**
 * Magic, the file's number (4 bytes), the number it had before (4 bytes; 0: it is new), the log's position of the file's first byte
 * (8 bytes, a float), and the seed of its checksums (4 bytes).
 */
export const SEGMENT_HEADER_BYTES = 28;

const NAME = /^journal-(\d{8})\.log$/;

const SPARE_NAME = /^journal-(\d{8})\.spare$/;

const RENEWED_SUFFIX = '.tmp';

/** One file of the journal, and which of its messages live. */
export class Segment {
  readonly number: number;
  /** The log's position of the file's first byte, were it not a header: position = start + place in the file. */
  readonly start: number;
  /** The number that its file had before, whose records may still stand behind its own; 0: the file is new. */
  formerNumber = 0;
  /**
   * What the checksums of its records begin with: drawn when the file is begun, so that nothing that stands behind its records from an earlier
   * time is taken for one, not even what a client has published to be. 0: it is not begun.
   */
  seed = 0;
  /** Bytes, header included, appended; written or not. */
  size = 0;
  /** Bytes that its file has of it, and that are durable where every batch is synced. */
  written = 0;
  /** null until it is written to or read. */
  file: StoreFile | null = null;
  /** Number of its first message. Its messages are numbered in order, without gaps. */
  firstMessage = 0;
  /** Where each of its messages stands in the file, and how many references there are to it. */
  readonly table = new MessageTable();
  /** Those with a reference. */
  live = 0;
  /** Messages that were moved here from older files. */
  moved = 0;

  constructor(number: number, start: number) {
    this.number = number;
    this.start = start;
  }

  /** Draws the seed. @returns the file's header */
  begin(): Buffer {
    this.seed = randomBytes(4).readUInt32BE() || 1;
    return segmentHeader(this);
  }

  /** Under which it is written when it is to be written anew. */
  get renewedName(): string {
    return this.name + RENEWED_SUFFIX;
  }

  get name(): string {
    return `${stem(this.number)}.log`;
  }

  /** Whether some message is only to be found here. */
  get isPinned(): boolean {
    return this.live > 0 || this.moved > 0;
  }

  /** The share of its messages that is needed. */
  get liveShare(): number {
    return (this.live + this.moved) / Math.max(1, this.count + this.moved);
  }

  /** Messages that were first written to it, living or not. */
  get count(): number {
    return this.table.count;
  }

  addMessage(number: number, place: number): void {
    if (this.count === 0) this.firstMessage = number;
    // Numbers that were lost with a damaged record have no place. One that a checkpoint has already may be read again.
    this.table.setPlace(number - this.firstMessage, place);
  }
}

/** Where the file behind this one begins in the log when this one has `size` bytes. */
export function startBehind(segment: Segment, size: number): number {
  return segment.start + size - SEGMENT_HEADER_BYTES;
}

/** Whether a crash has left it while a journal file was written anew. */
export function isRenewedName(name: string): boolean {
  return name.endsWith(RENEWED_SUFFIX) && NAME.test(name.slice(0, -RENEWED_SUFFIX.length));
}

/** null for a file that is none. */
export function segmentNumber(name: string): number | null {
  const matched = NAME.exec(name);
  return matched === null ? null : Number(matched[1]);
}

/** Which journal file a spare file was; null for a file that is none. */
export function spareNumber(name: string): number | null {
  const matched = SPARE_NAME.exec(name);
  return matched === null ? null : Number(matched[1]);
}

/** What journal file `number` is called when it is not needed, and kept to be written over. */
export function spareName(number: number): string {
  return `${stem(number)}.spare`;
}

function stem(number: number): string {
  return `journal-${String(number).padStart(8, '0')}`;
}

function segmentHeader(segment: Segment): Buffer {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt32BE(segment.number, 8);
  header.writeUInt32BE(segment.formerNumber, 12);
  header.writeDoubleBE(segment.start, 16);
  header.writeUInt32BE(segment.seed, 24);
  return header;
}

/** @returns a file of the journal; null when this is no header of it, and 'another version' for that of another format */
export function readSegmentHeader(header: Buffer, number: number): Segment | 'another version' | null {
  if (header.length < SEGMENT_HEADER_BYTES || header.compare(MAGIC, 0, 6, 0, 6) !== 0) return null;
  if (header.compare(MAGIC, 6, 8, 6, 8) !== 0) return 'another version';
  if (header.readUInt32BE(8) !== number) return null;
  const segment = new Segment(number, header.readDoubleBE(16));
  segment.formerNumber = header.readUInt32BE(12);
  segment.seed = header.readUInt32BE(24);
  return segment;
}
