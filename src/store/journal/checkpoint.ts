import { ByteReader } from '../../bytes/byte-reader.ts';
import { ByteWriter } from '../../bytes/byte-writer.ts';
import type { SequenceRing } from '../../core/sequence-ring.ts';
import { DONE } from '../../core/store.ts';
import { DeliveryReading, type RetainedEntry, readStamp, writeDelivery, writeStamp } from './entries.ts';
import type { StoreFiles } from './files.ts';
import { readText, writeText } from './message-codec.ts';
import type { Messages } from './messages.ts';
import {
  CHECKPOINT,
  END,
  MOVED,
  NO_JOURNAL_FILE,
  PLACES,
  RECORD_HEADER_BYTES,
  RETAINED,
  recordEnd,
  SEGMENT,
  SESSION_ENTRIES,
  SESSION_STATE,
  sealRecord,
} from './record.ts';
import { Segment } from './segment.ts';
import { SessionContent } from './session.ts';

/** The newest, and one to fall back on when it cannot be read. */
export const CHECKPOINTS_KEPT = 2;

const NAME = /^checkpoint-(\d{8})\.bin$/;

/** What is to be known of a checkpoint that was written or read. */
export interface Checkpoint {
  /** 0: there is none. */
  readonly serial: number;
  /** Size in bytes. */
  readonly bytes: number;
  /** The journal file that it was written in the course of: reading goes on there. */
  readonly segmentNumber: number;
  /** The same of the checkpoint before: journal files from there on are kept. */
  readonly previousSegment: number;
}

/** What a checkpoint is about. Numbers are of the moment at which it was begun; what they are about goes on changing while it is written. */
export interface CheckpointState {
  readonly serial: number;
  readonly position: number;
  readonly segmentNumber: number;
  readonly nextMessage: number;
  readonly nextSessionId: number;
  /** Journal files, and how many messages each had. */
  readonly segments: readonly (readonly [segment: Segment, count: number])[];
  readonly messages: Messages;
  readonly sessions: ReadonlyMap<number, Pick<SessionContent, 'name' | 'ring' | 'received' | 'attributes'>>;
  readonly retained: ReadonlyMap<string, RetainedEntry>;
  /** Appends what is still to be appended of the state: it refers to nothing that the journal does not have then. */
  settle(): void;
  /** Resolves when all that has been appended is safe. */
  durable(): Promise<void>;
}

/** Far above the first record of a checkpoint, which is five numbers. */
const FIRST_RECORD_BYTES_MAX = 128;

/** Messages of a journal file, and entries of a session, that are in one record at most: it is encoded at once. */
const RECORD_ENTRIES_MAX = 8_192;

/**
 * Writes the state down, piece by piece, while it goes on changing. So each part is as it was at some moment since the beginning, and all
 * that happened since then is read from the journal after it: done again, it comes to the same. Messages are written before what refers to
 * them, and the whole counts only when the journal is safe up to its end.
 *
 * @param pieceBytes that are encoded at once; while they are written everybody else has a turn
 */
export async function writeCheckpoint(files: StoreFiles, pieceBytes: number, state: CheckpointState): Promise<Checkpoint> {
  const name = nameOf(state.serial);
  const temporary = `${name}.tmp`;
  const file = await files.open(temporary);
  let bytes = 0;
  try {
    await file.truncate(0);
    state.settle();
    for (const writer of encode(state, pieceBytes)) {
      await file.write(writer.buffer.subarray(0, writer.length), bytes);
      bytes += writer.length;
      writer.reset();
      state.settle();
    }
    await state.durable();
    await file.sync();
  } catch (error) {
    await files.remove(temporary); // where there is no space, it shall not have what there is
    throw error;
  } finally {
    await file.close();
  }
  await files.rename(temporary, name);
  await files.syncFolder();
  return { serial: state.serial, bytes, segmentNumber: state.segmentNumber, previousSegment: 0 };
}

function nameOf(serial: number): string {
  return `checkpoint-${String(serial).padStart(8, '0')}.bin`;
}

/** Serials of the checkpoints there are, the newest first. */
export function checkpointSerials(files: StoreFiles): number[] {
  const serials = files.list().flatMap((name) => {
    const matched = NAME.exec(name);
    return matched === null ? [] : [Number(matched[1])];
  });
  return serials.sort((a, b) => b - a);
}

export async function removeOldCheckpoints(files: StoreFiles, newest: number, kept: number): Promise<void> {
  for (const serial of checkpointSerials(files)) {
    if (serial <= newest - kept) await files.remove(nameOf(serial));
  }
}

/** Yields whenever there is enough to be written; the writer is then to be emptied. */
function* encode(state: CheckpointState, pieceBytes: number): Generator<ByteWriter> {
  const writer = new ByteWriter();
  let start = 0;
  const begin = (): void => {
    start = writer.length;
    writer.skip(RECORD_HEADER_BYTES);
  };
  /** @returns whether there is enough */
  const end = (kind: number): boolean => {
    sealRecord(writer, start, writer.length, kind, NO_JOURNAL_FILE);
    return writer.length >= pieceBytes;
  };
  begin();
  writer.varint(state.serial);
  writer.f64(state.position);
  writer.varint(state.segmentNumber);
  writer.varint(state.nextMessage);
  writer.varint(state.nextSessionId);
  end(CHECKPOINT);
  for (const [segment, count] of state.segments) {
    begin();
    const { number, start: from, firstMessage } = segment;
    writer.varint(number);
    writer.f64(from);
    writer.varint(firstMessage);
    if (end(SEGMENT)) yield writer;
    if (segment.live === 0) continue;
    for (let index = 0; index < count; index += RECORD_ENTRIES_MAX) {
      begin();
      writePlaces(writer, segment, index, Math.min(count, index + RECORD_ENTRIES_MAX));
      if (end(PLACES)) yield writer;
    }
  }
  for (const [number, { segment, place }] of state.messages.movedEntries) {
    begin();
    for (const value of [number, segment.number, place]) writer.varint(value);
    if (end(MOVED)) yield writer;
  }
  for (const [id, session] of state.sessions) {
    const { next } = session.ring;
    begin();
    writeSession(writer, id, session);
    if (end(SESSION_STATE)) yield writer;
    for (let sequence = session.ring.first; sequence < next; ) {
      begin();
      sequence = writeEntries(writer, session.ring, sequence, Math.min(next, sequence + RECORD_ENTRIES_MAX));
      if (end(SESSION_ENTRIES)) yield writer;
    }
  }
  for (const [topic, { number, stamp }] of state.retained) {
    begin();
    writeText(writer, topic);
    writer.varint(number);
    writeStamp(writer, stamp);
    if (end(RETAINED)) yield writer;
  }
  begin();
  end(END);
  yield writer;
}

/** Where messages `from` to `to` of a file stand, each as the distance to the one before; 0 for one that nobody needs. */
function writePlaces(writer: ByteWriter, { number, table }: Segment, from: number, to: number): void {
  writer.varint(number);
  writer.varint(from);
  let last = 0;
  for (let i = from; i < to; i++) {
    const place = table.referencesAt(i) === 0 ? 0 : table.placeAt(i);
    writer.varint(place === 0 ? 0 : place - last);
    if (place !== 0) last = place;
  }
}

function writeSession(
  writer: ByteWriter,
  id: number,
  { name, ring, received, attributes }: Pick<SessionContent, 'name' | 'ring' | 'received' | 'attributes'>,
): void {
  writer.varint(id);
  writeText(writer, name);
  writer.varint(ring.next);
  writer.varint(received.size);
  for (const packetIdentifier of received) writer.varint(packetIdentifier);
  writer.varint(attributes.size);
  for (const [name, value] of attributes) {
    writeText(writer, name);
    writer.varint(value.length);
    writer.bytes(value);
  }
  for (const sequence of ring.released()) writer.varint(sequence);
}

/**
 * Messages of the session whose record stands before. One that has been released has 0 in the place of its number.
 * @returns where to go on
 */
function writeEntries(writer: ByteWriter, ring: SequenceRing<number>, from: number, to: number): number {
  let sequence = Math.max(from, ring.first);
  for (; sequence < to; sequence++) {
    if (ring.stateOf(sequence) === DONE) continue;
    writeDelivery(writer, ring.refAt(sequence) ?? 0, sequence, ring.sizeAt(sequence), ring.deliveryAt(sequence));
  }
  return sequence;
}

/** A checkpoint as read. */
export interface Loaded {
  readonly checkpoint: Checkpoint;
  readonly position: number;
  readonly nextSessionId: number;
  readonly sessions: Map<number, SessionContent>;
  readonly retained: Map<string, RetainedEntry>;
}

/** The journal file that a checkpoint was written in the course of, by its first record; 0 when that is not sound. */
export async function checkpointSegment(files: StoreFiles, serial: number): Promise<number> {
  const file = await files.open(nameOf(serial));
  const bytes = Buffer.alloc(FIRST_RECORD_BYTES_MAX);
  const have = file.read(bytes, 0);
  await file.close();
  const end = recordEnd(bytes, 0, have, NO_JOURNAL_FILE);
  if (end < 0 || bytes[8] !== CHECKPOINT) return 0;
  const reader = new ByteReader();
  reader.open(bytes, RECORD_HEADER_BYTES, end);
  reader.varint();
  reader.f64();
  return reader.varint();
}

/** Reads a checkpoint into `messages`; null when it is not whole and sound, and then nothing has been changed. */
export async function loadCheckpoint(files: StoreFiles, serial: number, messages: Messages): Promise<Loaded | null> {
  const name = nameOf(serial);
  const file = await files.open(name);
  const bytes = Buffer.allocUnsafeSlow(files.size(name));
  const have = file.read(bytes, 0);
  await file.close();
  if (have < bytes.length || !isSoundCheckpoint(bytes)) return null;
  return decode(bytes, messages);
}

export function isSoundCheckpoint(bytes: Buffer): boolean {
  let kind = 0;
  for (let at = 0; at < bytes.length; ) {
    const end = recordEnd(bytes, at, bytes.length, NO_JOURNAL_FILE);
    if (end < 0 || (at === 0 && bytes[8] !== CHECKPOINT)) return false;
    kind = bytes[at + 8]!;
    at = end;
  }
  return kind === END;
}

function decode(bytes: Buffer, messages: Messages): Loaded {
  const reader = new ByteReader();
  const sessions = new Map<number, SessionContent>();
  const retained = new Map<string, RetainedEntry>();
  const segments = new Map<number, Segment>();
  let serial = 0;
  let position = 0;
  let segmentNumber = 0;
  let nextSessionId = 0;
  let session: SessionReading | null = null;
  const delivery = new DeliveryReading();
  for (let at = 0; at < bytes.length; ) {
    const end = at + RECORD_HEADER_BYTES + bytes.readUInt32BE(at + 4);
    reader.open(bytes, at + RECORD_HEADER_BYTES, end);
    const kind = bytes[at + 8];
    if (kind !== SESSION_ENTRIES && session !== null) {
      finishSession(session);
      session = null;
    }
    switch (kind) {
      case CHECKPOINT:
        serial = reader.varint();
        position = reader.f64();
        segmentNumber = reader.varint();
        messages.next = reader.varint();
        nextSessionId = reader.varint();
        break;
      case SEGMENT: {
        const segment = new Segment(reader.varint(), reader.f64());
        segment.firstMessage = reader.varint();
        segments.set(segment.number, segment);
        break;
      }
      case PLACES:
        readPlaces(reader, segments.get(reader.varint())!);
        break;
      case MOVED:
        messages.move(reader.varint(), segments.get(reader.varint())!, reader.varint());
        break;
      case SESSION_STATE:
        session = readSession(reader, sessions);
        break;
      case SESSION_ENTRIES:
        readEntries(reader, session!, delivery);
        break;
      case RETAINED: {
        const topic = readText(reader);
        const number = reader.varint();
        retained.set(topic, { number, stamp: readStamp(reader) });
        break;
      }
    }
    at = end;
  }
  messages.adopt([...segments.values()]);
  const checkpoint = { serial, bytes: bytes.length, segmentNumber, previousSegment: 0 };
  return { checkpoint, position, nextSessionId, sessions, retained };
}

function readPlaces(reader: ByteReader, segment: Segment): void {
  let place = 0;
  for (let index = reader.varint(); reader.remaining > 0; index++) {
    const distance = reader.varint();
    if (distance === 0) continue;
    place += distance;
    segment.table.setPlace(index, place);
  }
}

/** A session whose messages are still to come. */
interface SessionReading {
  readonly ring: SequenceRing<number>;
  readonly next: number;
  readonly released: readonly number[];
}

function readSession(reader: ByteReader, sessions: Map<number, SessionContent>): SessionReading {
  const id = reader.varint();
  const content = new SessionContent(readText(reader));
  sessions.set(id, content);
  const next = reader.varint();
  for (let left = reader.varint(); left > 0; left--) content.received.add(reader.varint());
  for (let left = reader.varint(); left > 0; left--) {
    const name = readText(reader);
    content.attributes.set(name, reader.copy(reader.varint()));
  }
  const released: number[] = [];
  while (reader.remaining > 0) released.push(reader.varint());
  return { ring: content.ring, next, released };
}

function readEntries(reader: ByteReader, { ring, next }: SessionReading, delivery: DeliveryReading): void {
  while (reader.remaining > 0) {
    const number = reader.varint();
    delivery.read(reader);
    const { sequence } = delivery;
    ring.skipTo(sequence);
    ring.reserve(next - sequence);
    ring.push(number, delivery.size, delivery);
  }
}

function finishSession({ ring, next, released }: SessionReading): void {
  for (const sequence of released) ring.release(sequence);
  ring.skipTo(next);
}
