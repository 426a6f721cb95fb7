import { ByteReader } from '../../bytes/byte-reader.ts';
import { ConfigError } from '../../errors.ts';
import type { Log } from '../../telemetry/log.ts';
import { type Checkpoint, checkpointSegment, checkpointSerials, type Loaded, loadCheckpoint } from './checkpoint.ts';
import type { RetainedEntry } from './entries.ts';
import { FIRST_SESSION_ID } from './entries.ts';
import type { StoreFile, StoreFiles } from './files.ts';
import type { Messages } from './messages.ts';
import { BATCH, nextSoundRecord, RECORD_HEADER_BYTES, recordEnd } from './record.ts';
import { Replay } from './replay.ts';
import { isRenewedName, readSegmentHeader, SEGMENT_HEADER_BYTES, Segment, segmentNumber, startBehind } from './segment.ts';
import type { SessionContent } from './session.ts';

/** What is in a store's folder. */
export interface Recovered {
  readonly checkpoint: Checkpoint;
  readonly sessions: Map<number, SessionContent>;
  readonly retained: Map<string, RetainedEntry>;
  readonly nextSessionId: number;
  /** Where the journal goes on. */
  readonly segment: Segment;
  /** Records that are damaged, with what was lost of them: nothing, in a folder that nobody has tampered with. */
  readonly damaged: readonly Damage[];
}

export interface Damage {
  readonly file: string;
  /** Where the damage begins, and where the next sound record does. */
  readonly from: number;
  readonly to: number;
}

/**
 * Reads the newest checkpoint and what the journal has behind it.
 *
 * Where a record is not sound, either a power failure has cut the journal there (then what follows was never promised to anybody, and
 * goes), or something has damaged it later (then the record is named, and what follows is read). A later batch tells: it says up to where
 * all was durable when it was written.
 *
 * @param isSynced whether writing goes on with files that sync each write
 * @throws ConfigError STORE_FORMAT; Node's errors where files cannot be read
 */
export async function recover(files: StoreFiles, isSynced: boolean, log: Log, messages: Messages): Promise<Recovered> {
  await requireFormat(files);
  const loaded = await loadNewest(files, log, messages);
  const segments = await openSegments(files, isSynced, messages, loaded);
  const replay = new Replay(messages, loaded.sessions, loaded.retained, loaded.nextSessionId);
  const damaged: Damage[] = [];
  let last: Segment | null = null;
  let cutAt = -1;
  for (const segment of segments) {
    if (segment.number < loaded.checkpoint.segmentNumber) continue;
    if (cutAt >= 0) {
      await removeSegment(files, messages, segment);
      continue;
    }
    const isFirst = segment.number === loaded.checkpoint.segmentNumber;
    const expected = last === null ? loaded.checkpoint.segmentNumber + (isFirst ? 0 : 1) : last.number + 1;
    if (segment.number > expected)
      log.error('journal files are missing: what they said is lost', {
        first: new Segment(expected, 0).name,
        files: segment.number - expected,
      });
    last = segment;
    const from = isFirst ? loaded.position - segment.start : SEGMENT_HEADER_BYTES;
    if (segment.size < from) {
      log.error('the journal is shorter than its checkpoint says: what stood there is lost', {
        file: segment.name,
        from: segment.size,
        to: from,
      });
      await segment.file!.truncate(from);
      segment.size = from;
    }
    cutAt = replaySegment(segment, from, segments, replay, damaged);
    if (cutAt < 0) continue;
    const facts = { file: segment.name, place: cutAt };
    if (segment.formerNumber === 0) log.warn('the journal ends within a record, as after a power failure: it goes on there', facts);
    else log.info('the journal was not closed: it goes on behind its last record', facts);
    await segment.file!.truncate(cutAt);
    segment.size = cutAt;
  }
  await makeSafe(files, messages, loaded.checkpoint);
  for (const { file, from, to } of damaged)
    log.error('a record of the journal is damaged: what it said is lost, the rest is there', { file, from, to });
  countReferences(messages, loaded);
  dropGone(messages, log);
  if (last === null) {
    last = new Segment(loaded.checkpoint.segmentNumber + 1, loaded.position);
    messages.append(last);
  }
  for (const segment of messages.segments) segment.written = segment.size;
  const { checkpoint, sessions, retained } = loaded;
  return { checkpoint, sessions, retained, nextSessionId: replay.nextSessionId, segment: last, damaged };
}

/**
 * What was read counts as durable from here on. A process that was killed leaves bytes and names that only the kernel has: a power failure
 * would take them back after they have been promised.
 */
async function makeSafe(files: StoreFiles, messages: Messages, checkpoint: Checkpoint): Promise<void> {
  for (const { file, number } of messages.segments) if (file !== null && number >= checkpoint.segmentNumber) await file.sync();
  await files.syncFolder();
}

function countReferences(messages: Messages, { sessions, retained }: Loaded): void {
  const refer = (number: number): void => messages.refer(number);
  for (const { ring } of sessions.values()) ring.eachRef(refer);
  for (const { number } of retained.values()) if (number !== 0) messages.refer(number);
  messages.forgetUnneeded();
}

async function loadNewest(files: StoreFiles, log: Log, messages: Messages): Promise<Loaded> {
  const serials = checkpointSerials(files);
  for (const [at, serial] of serials.entries()) {
    const loaded = await loadCheckpoint(files, serial, messages);
    if (loaded !== null) {
      const older = serials[at + 1];
      const previousSegment = older === undefined ? 0 : await checkpointSegment(files, older);
      return { ...loaded, checkpoint: { ...loaded.checkpoint, previousSegment } };
    }
    log.warn('a checkpoint of the store is not whole; the one before and more of the journal are read', { serial });
  }
  return {
    checkpoint: { serial: 0, bytes: 0, segmentNumber: 0, previousSegment: 0 },
    position: 0,
    nextSessionId: FIRST_SESSION_ID,
    sessions: new Map(),
    retained: new Map(),
  };
}

/** A checkpoint does not say which format it is in: the journal beside it does. */
async function requireFormat(files: StoreFiles): Promise<void> {
  for (const name of files.list()) {
    const number = segmentNumber(name);
    if (number === null) continue;
    const file = await files.open(name);
    const found = readHeader(file, number);
    await file.close();
    if (found === 'another version')
      throw new ConfigError('STORE_FORMAT', `${name}: written by another version of this program: its format is not known`);
  }
}

/** See `readSegmentHeader`. */
function readHeader(file: StoreFile, number: number): ReturnType<typeof readSegmentHeader> {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  return readSegmentHeader(header.subarray(0, file.read(header, 0)), number);
}

/** Opens all journal files, in order. Those that the checkpoint knows have their messages already. */
async function openSegments(files: StoreFiles, isSynced: boolean, messages: Messages, loaded: Loaded): Promise<Segment[]> {
  const known = new Map(messages.segments.map((segment) => [segment.number, segment]));
  for (const name of files.list()) if (isRenewedName(name)) await files.remove(name);
  const numbers = files.list().flatMap((name) => segmentNumber(name) ?? []);
  const segments: Segment[] = [];
  for (const number of numbers.sort((a, b) => a - b)) {
    const name = new Segment(number, 0).name;
    const file = await files.open(name, isSynced);
    const found = readHeader(file, number);
    if (found === null || found === 'another version') {
      // A file that was made and not written to, when the power failed.
      await file.close();
      if (number >= loaded.checkpoint.segmentNumber) await files.remove(name);
      continue;
    }
    if (number < loaded.checkpoint.segmentNumber && !known.has(number)) {
      // It was removed before the checkpoint, and the power failed before its name was gone for good.
      await file.close();
      await files.remove(name);
      continue;
    }
    const segment = known.get(number) ?? found;
    segment.formerNumber = found.formerNumber;
    segment.seed = found.seed;
    segment.file = file;
    segment.size = files.size(name);
    segments.push(segment);
  }
  // Files that have gone since the checkpoint: the journal says behind it what has become of their messages.
  const gone = messages.segments.filter(({ file }) => file === null);
  messages.adopt([...gone, ...segments].sort((a, b) => a.number - b.number));
  return segments;
}

/** Lets go of files that are not there, when it is known where their messages were moved to. */
function dropGone(messages: Messages, log: Log): void {
  for (const segment of messages.segments.filter(({ file }) => file === null)) {
    if (segment.live > 0)
      log.error('a journal file is missing: the messages in it are lost', { file: segment.name, messages: segment.live });
    messages.drop(segment);
  }
}

async function removeSegment(files: StoreFiles, messages: Messages, segment: Segment): Promise<void> {
  messages.drop(segment);
  await segment.file!.close();
  await files.remove(segment.name);
}

/** @returns where the segment is to be cut; -1 when it is sound to its end */
function replaySegment(segment: Segment, from: number, segments: readonly Segment[], replay: Replay, damaged: Damage[]): number {
  const following = segments[segments.indexOf(segment) + 1];
  const bytes = readWhole(segment);
  const reader = new ByteReader();
  let at = from;
  while (at < bytes.length) {
    const end = recordEnd(bytes, at, bytes.length, segment.seed);
    if (end >= 0) {
      reader.open(bytes, at + RECORD_HEADER_BYTES, end);
      replay.apply(bytes[at + 8]!, reader, segment, at);
      at = end;
      continue;
    }
    if (following !== undefined && following.start === startBehind(segment, at)) {
      segment.size = at; // what stands here is of an earlier time
      return -1;
    }
    const next = nextSoundRecord(bytes, at + 1, segment.seed);
    if (!wasDurable(segment.start + at, bytes, next, segment, segments)) return at;
    damaged.push({ file: segment.name, from: at, to: next < 0 ? bytes.length : next });
    if (next < 0) return -1;
    at = next;
  }
  return -1;
}

function readWhole(segment: Segment): Buffer {
  const bytes = Buffer.allocUnsafeSlow(segment.size);
  return bytes.subarray(0, segment.file!.read(bytes, 0));
}

/** Whether a batch behind the damage says that all was durable up to beyond `position`. */
function wasDurable(position: number, bytes: Buffer, next: number, segment: Segment, segments: readonly Segment[]): boolean {
  if (next >= 0 && hasLaterBatch(position, bytes, next, segment)) return true;
  for (const later of segments) {
    if (later.number > segment.number && hasLaterBatch(position, readWhole(later), SEGMENT_HEADER_BYTES, later)) return true;
  }
  return false;
}

function hasLaterBatch(position: number, bytes: Buffer, from: number, { seed, start }: Segment): boolean {
  let at = from;
  while (at >= 0 && at < bytes.length) {
    const end = recordEnd(bytes, at, bytes.length, seed);
    if (end < 0) {
      at = nextSoundRecord(bytes, at + 1, seed);
      continue;
    }
    const durable = bytes[at + 8] === BATCH ? bytes.readDoubleBE(at + RECORD_HEADER_BYTES) : 0;
    if (durable > position && durable <= start + at) return true;
    at = end;
  }
  return false;
}
