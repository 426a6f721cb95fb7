import type { ByteWriter } from '../../bytes/byte-writer.ts';
import { crc32 } from '../../bytes/crc32.ts';

/**
 * One record of a journal or checkpoint file:
 *
 *     0          4          8     9
 *     checksum   length     kind  body ...          length: of the body, in bytes
 *
 * Integers are big-endian. The checksum is CRC-32 (as in zlib) of all that follows it in the record, so that neither a length nor a kind
 * is believed that was not written. It begins with the seed of the file where another one would begin with 0: what stands in a file
 * from a time when it was another one is no sound record of it.
 */
export const RECORD_HEADER_BYTES = 9;

/** Largest body, in bytes: a PUBLISH of 256 MB and all that goes with it. */
export const RECORD_BODY_BYTES_MAX = 300 * 1024 * 1024;

/** Begins each batch: the log's position up to which all was durable when the batch was written. */
export const BATCH = 1;
/** Size of such a record, header included. */
const BATCH_BYTES = RECORD_HEADER_BYTES + 8;
/** A message, and the sessions that get it. */
export const MESSAGE = 2;
/** Sessions that get a message which is stored already. */
export const DELIVERIES = 3;
/** A message at a new place. */
export const MOVED = 4;
export const REMOVED = 5;
export const RELEASED = 6;
export const RECEIVED = 7;
export const RECEIVED_DELETED = 8;
export const SESSION = 9;
export const SESSION_DROPPED = 10;
export const ATTRIBUTE = 11;
export const RETAINED = 12;
/** How far the count of a linked broker has come. */
export const NOTED = 13;
/** A message of an origin was here. */
export const SEEN = 14;
/** Of a checkpoint: where it belongs in the log. */
export const CHECKPOINT = 20;
/** Of a checkpoint: one journal file. */
export const SEGMENT = 21;
/** Of a checkpoint: one session, without its messages. */
export const SESSION_STATE = 22;
/** Of a checkpoint: nothing follows, so that nothing is missing. */
export const END = 23;
/** Of a checkpoint: which messages of a journal file live, and where they stand. */
export const PLACES = 24;
/** Of a checkpoint: messages of the session before. */
export const SESSION_ENTRIES = 25;

const KIND_MAX = 25;

/** In the place of a journal file's seed, in checkpoints: those are never written over. */
export const NO_JOURNAL_FILE = 0;

/** Fills in the header of the record at `start`, whose body ends at `end`. @param seed of the file */
export function sealRecord(writer: ByteWriter, start: number, end: number, kind: number, seed: number): void {
  const { buffer } = writer;
  writer.setU32(start + 4, end - start - RECORD_HEADER_BYTES);
  buffer[start + 8] = kind;
  writer.setU32(start, crc32(buffer, start + 4, end, seed));
}

/** Where the record at `start` ends in `buffer[0, end)`; -1 when there is no whole and sound one of this file. */
export function recordEnd(buffer: Buffer, start: number, end: number, seed: number): number {
  const claimed = claimedEnd(buffer, start, end);
  return claimed >= 0 && crc32(buffer, start + 4, claimed, seed) === buffer.readUInt32BE(start) ? claimed : -1;
}

/**
 * Bytes that are checksummed for each byte that is searched, on the average. What is searched may be a client's payload, every byte of which
 * looks like the beginning of a record of megabytes: the search would take days.
 */
const SEARCH_FACTOR = 16;

/**
 * Where the next whole and sound record begins in a damaged file, from `from` on; -1: there is none. Where very much looks like a record
 * and is none, only the beginning of a batch is looked for.
 */
export function nextSoundRecord(bytes: Buffer, from: number, seed: number): number {
  const end = bytes.length;
  let left = (end - from) * SEARCH_FACTOR;
  for (let at = from; at + RECORD_HEADER_BYTES <= end; at++) {
    const claimed = claimedEnd(bytes, at, end);
    if (claimed < 0 || (left < 0 && (bytes[at + 8] !== BATCH || claimed - at !== BATCH_BYTES))) continue;
    if (recordEnd(bytes, at, end, seed) >= 0) return at;
    left -= claimed - at;
  }
  return -1;
}

/** Where the record at `start` would end by its header; -1 when it cannot be one. */
function claimedEnd(buffer: Buffer, start: number, end: number): number {
  if (start + RECORD_HEADER_BYTES > end) return -1;
  const kind = buffer[start + 8]!;
  const length = buffer.readUInt32BE(start + 4);
  const claimed = start + RECORD_HEADER_BYTES + length;
  return kind === 0 || kind > KIND_MAX || length > RECORD_BODY_BYTES_MAX || claimed > end ? -1 : claimed;
}
