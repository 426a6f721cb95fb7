import { ByteReader } from '../../bytes/byte-reader.ts';
import { ByteWriter } from '../../bytes/byte-writer.ts';
import { type RetainedEntry, readDelivery, readStamp, writeDelivery, writeStamp } from './entries.ts';
import type { StoreFiles } from './files.ts';
import { readText, writeText } from './message-codec.ts';
import type { Messages } from './messages.ts';
import { CHECKPOINT, END, MOVED, RECORD_HEADER_BYTES, RETAINED, recordEnd, SEGMENT, SESSION_STATE, sealRecord } from './record.ts';
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

export interface CheckpointState {
  readonly serial: number;
  readonly position: number;
  readonly segment: Segment;
  readonly messages: Messages;
  readonly sessions: ReadonlyMap<number, Pick<SessionContent, 'clientId' | 'ring' | 'received' | 'attributes'>>;
  readonly nextSessionId: number;
  readonly retained: ReadonlyMap<string, RetainedEntry>;
  /** Resolves when the journal is durable as far as the checkpoint is about it. */
  durable(): Promise<void>;
}

/** Takes the state down at once, and writes it when the journal has it, too. */
export async function writeCheckpoint(files: StoreFiles, state: CheckpointState): Promise<Checkpoint> {
  const writer = encode(state);
  await state.durable();
  const name = `checkpoint-${String(state.serial).padStart(8, '0')}.bin`;
  const temporary = `${name}.tmp`;
  const file = await files.open(temporary);
  try {
    await file.truncate(0);
    await file.write(writer.buffer.subarray(0, writer.length), 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await files.rename(temporary, name);
  await files.syncFolder();
  return { serial: state.serial, bytes: writer.length, segmentNumber: state.segment.number, previousSegment: 0 };
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
    if (serial <= newest - kept) await files.remove(`checkpoint-${String(serial).padStart(8, '0')}.bin`);
  }
}

function encode(state: CheckpointState): ByteWriter {
  const writer = new ByteWriter();
  const record = (kind: number, write: () => void): void => {
    const start = writer.length;
    writer.skip(RECORD_HEADER_BYTES);
    write();
    sealRecord(writer.buffer, start, writer.length, kind);
  };
  record(CHECKPOINT, () => {
    writer.varint(state.serial);
    writer.f64(state.position);
    writer.varint(state.segment.number);
    writer.varint(state.messages.next);
    writer.varint(state.nextSessionId);
  });
  for (const segment of state.messages.segments) record(SEGMENT, () => writeSegment(writer, segment));
  for (const [number, { segment, place, references }] of state.messages.movedEntries) {
    record(MOVED, () => {
      for (const value of [number, segment.number, place, references]) writer.varint(value);
    });
  }
  for (const [id, session] of state.sessions) record(SESSION_STATE, () => writeSession(writer, id, session));
  for (const [topic, { number, stamp }] of state.retained) {
    record(RETAINED, () => {
      writeText(writer, topic);
      writer.varint(number);
      writeStamp(writer, stamp);
    });
  }
  record(END, () => {});
  return writer;
}

function writeSegment(writer: ByteWriter, segment: Segment): void {
  const { number, start, size, firstMessage, count, places, references } = segment;
  writer.varint(number);
  writer.f64(start);
  writer.varint(size);
  writer.varint(firstMessage);
  writer.varint(segment.live === 0 ? 0 : count);
  if (segment.live === 0) return;
  let last = 0;
  for (let i = 0; i < count; i++) {
    writer.varint(references[i]!);
    if (references[i] === 0) continue;
    writer.varint(places[i]! - last);
    last = places[i]!;
  }
}

function writeSession(
  writer: ByteWriter,
  id: number,
  session: Pick<SessionContent, 'clientId' | 'ring' | 'received' | 'attributes'>,
): void {
  const { clientId, ring, received, attributes } = session;
  writer.varint(id);
  writeText(writer, clientId);
  writer.varint(ring.next);
  writer.varint(received.size);
  for (const packetIdentifier of received) writer.varint(packetIdentifier);
  writer.varint(attributes.size);
  for (const [name, value] of attributes) {
    writeText(writer, name);
    writer.varint(value.length);
    writer.bytes(value);
  }
  const released = ring.released();
  writer.varint(released.length);
  for (const sequence of released) writer.varint(sequence);
  for (const { sequence, ref, size, delivery } of ring.entries()) {
    if (ref === null) continue;
    writer.varint(ref);
    writeDelivery(writer, 0, sequence, size, delivery);
  }
}

/** A checkpoint as read. */
export interface Loaded {
  readonly checkpoint: Checkpoint;
  readonly position: number;
  readonly nextSessionId: number;
  readonly sessions: Map<number, SessionContent>;
  readonly retained: Map<string, RetainedEntry>;
}

/** Reads a checkpoint into `messages`; null when it is not whole and sound, and then nothing has been changed. */
export async function loadCheckpoint(files: StoreFiles, serial: number, messages: Messages): Promise<Loaded | null> {
  const name = `checkpoint-${String(serial).padStart(8, '0')}.bin`;
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
    const end = recordEnd(bytes, at, bytes.length);
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
  for (let at = 0; at < bytes.length; ) {
    const end = at + RECORD_HEADER_BYTES + bytes.readUInt32BE(at + 4);
    reader.open(bytes, at + RECORD_HEADER_BYTES, end);
    switch (bytes[at + 8]) {
      case CHECKPOINT:
        serial = reader.varint();
        position = reader.f64();
        segmentNumber = reader.varint();
        messages.next = reader.varint();
        nextSessionId = reader.varint();
        break;
      case SEGMENT: {
        const segment = readSegment(reader);
        segments.set(segment.number, segment);
        messages.append(segment);
        break;
      }
      case MOVED: {
        const [number, segment, place, references] = [reader.varint(), reader.varint(), reader.varint(), reader.varint()];
        messages.move(number, segments.get(segment)!, place, references);
        break;
      }
      case SESSION_STATE:
        readSession(reader, sessions);
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
  const checkpoint = { serial, bytes: bytes.length, segmentNumber, previousSegment: 0 };
  return { checkpoint, position, nextSessionId, sessions, retained };
}

function readSegment(reader: ByteReader): Segment {
  const segment = new Segment(reader.varint(), reader.f64());
  segment.size = reader.varint();
  segment.firstMessage = reader.varint();
  segment.count = reader.varint();
  segment.places = new Uint32Array(segment.count);
  segment.references = new Uint32Array(segment.count);
  let place = 0;
  for (let i = 0; i < segment.count; i++) {
    const references = reader.varint();
    if (references === 0) continue;
    place += reader.varint();
    segment.references[i] = references;
    segment.places[i] = place;
    segment.live++;
  }
  return segment;
}

function readSession(reader: ByteReader, sessions: Map<number, SessionContent>): void {
  const id = reader.varint();
  const content = new SessionContent(readText(reader));
  const next = reader.varint();
  for (let left = reader.varint(); left > 0; left--) content.received.add(reader.varint());
  for (let left = reader.varint(); left > 0; left--) {
    const name = readText(reader);
    content.attributes.set(name, reader.copy(reader.varint()));
  }
  const released: number[] = [];
  for (let left = reader.varint(); left > 0; left--) released.push(reader.varint());
  const { ring } = content;
  const inOrder = [...released].sort((a, b) => a - b);
  let at = 0;
  const addReleasedBefore = (sequence: number): void => {
    for (; at < inOrder.length && inOrder[at]! < sequence; at++) {
      ring.skipTo(inOrder[at]!);
      ring.push(0, 0, { qos: 2, retain: false, identifiers: [] });
    }
  };
  while (reader.remaining > 0) {
    const ref = reader.varint();
    reader.varint(); // in the place of a session's id
    const { sequence, size, delivery } = readDelivery(reader);
    addReleasedBefore(sequence);
    ring.skipTo(sequence);
    ring.push(ref, size, delivery);
  }
  addReleasedBefore(next);
  for (const sequence of released) ring.release(sequence);
  ring.skipTo(next);
  sessions.set(id, content);
}
