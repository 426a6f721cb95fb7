import { ByteReader } from '../../bytes/byte-reader.ts';
import { PEER_NAME } from '../../core/store.ts';
import { isSoundCheckpoint } from './checkpoint.ts';
import type { StoreFile, StoreFiles } from './files.ts';
import { skipMessage } from './message-codec.ts';
import {
  ATTRIBUTE,
  BATCH,
  DELIVERIES,
  MESSAGE,
  MOVED,
  NOTED,
  nextSoundRecord,
  RECEIVED,
  RECEIVED_DELETED,
  RECORD_HEADER_BYTES,
  RELEASED,
  REMOVED,
  RETAINED,
  recordEnd,
  SEEN,
  SESSION,
  SESSION_DROPPED,
} from './record.ts';
import { readSegmentHeader, SEGMENT_HEADER_BYTES, segmentNumber } from './segment.ts';
import { type JournalSession, PEER } from './session.ts';
import type { JournalStore } from './store.ts';

const NAMES: Readonly<Record<number, string>> = {
  [BATCH]: 'batch',
  [MESSAGE]: 'message',
  [DELIVERIES]: 'deliveries',
  [MOVED]: 'moved message',
  [REMOVED]: 'removed',
  [RELEASED]: 'released',
  [RECEIVED]: 'received',
  [RECEIVED_DELETED]: 'received deleted',
  [SESSION]: 'session',
  [SESSION_DROPPED]: 'session dropped',
  [ATTRIBUTE]: 'attribute',
  [RETAINED]: 'retained removed',
  [NOTED]: 'noted',
  [SEEN]: 'seen',
};

/** One record, or bytes that are none. */
export interface Finding {
  readonly file: string;
  readonly place: number;
  readonly end: number;
  /** null: not sound. */
  readonly kind: string | null;
  /** A message's topic and its size in bytes; empty for other records. */
  readonly detail: string;
}

/** Looks at every record of every journal file, in order, without making anything of them. */
export async function* inspectJournal(files: StoreFiles): AsyncGenerator<Finding> {
  const numbers = files.list().flatMap((name) => segmentNumber(name) ?? []);
  for (const number of numbers.sort((a, b) => a - b)) {
    const file = `journal-${String(number).padStart(8, '0')}.log`;
    const bytes = await readFile(files, file);
    const segment = readSegmentHeader(bytes, number);
    if (segment === null || segment === 'another version') {
      yield { file, place: 0, end: bytes.length, kind: null, detail: 'no header of this format' };
      continue;
    }
    for (let at = SEGMENT_HEADER_BYTES; at < bytes.length; ) {
      const end = recordEnd(bytes, at, bytes.length, segment.seed);
      if (end >= 0) {
        yield { file, place: at, end, kind: NAMES[bytes[at + 8]!] ?? `kind ${bytes[at + 8]}`, detail: detailOf(bytes, at, end) };
        at = end;
        continue;
      }
      const next = nextSoundRecord(bytes, at + 1, segment.seed);
      if (next < 0 && segment.formerNumber !== 0) break; // what stands here is of an earlier time
      yield { file, place: at, end: next < 0 ? bytes.length : next, kind: null, detail: '' };
      if (next < 0) break;
      at = next;
    }
  }
}

/** Names of the checkpoints that are not whole and sound. */
export async function inspectCheckpoints(files: StoreFiles): Promise<{ readonly name: string; readonly isSound: boolean }[]> {
  const found: { name: string; isSound: boolean }[] = [];
  for (const name of files.list().filter((each) => /^checkpoint-\d{8}\.bin$/.test(each)))
    found.push({ name, isSound: isSoundCheckpoint(await readFile(files, name)) });
  return found;
}

/** Why one journal file is still there. */
export interface Pinning {
  readonly file: string;
  readonly bytes: number;
  /** Messages in it, and how many of them somebody needs. */
  readonly messages: number;
  readonly live: number;
  /** Sessions that wait for messages in it, and how many each; the most first. */
  readonly sessions: readonly (readonly [session: string, messages: number])[];
  /** Retained messages in it. */
  readonly retained: number;
  /** Whether it is being written to, or needed for reading on from a checkpoint. */
  readonly isRecent: boolean;
}

/** What pins each journal file of a store, the oldest first. */
export function explainPinning(store: JournalStore): Pinning[] {
  const bySegment = new Map<string, { sessions: Map<string, number>; retained: number }>();
  const entryOf = (number: number): { sessions: Map<string, number>; retained: number } | null => {
    const name = store.messages.placeOf(number)?.segment.name;
    if (name === undefined) return null;
    let entry = bySegment.get(name);
    if (entry === undefined) {
      entry = { sessions: new Map(), retained: 0 };
      bySegment.set(name, entry);
    }
    return entry;
  };
  for (const session of store.sessionsById.values()) {
    const who = nameOf(session);
    session.ring.eachRef((number) => {
      const sessions = entryOf(number)?.sessions;
      sessions?.set(who, (sessions.get(who) ?? 0) + 1);
    });
  }
  for (const { number } of store.retainedByTopic.values()) {
    const entry = number === 0 ? null : entryOf(number);
    if (entry !== null) entry.retained++;
  }
  return store.messages.segments.map((segment) => {
    const entry = bySegment.get(segment.name);
    return {
      file: segment.name,
      bytes: segment.size,
      messages: segment.count + segment.moved,
      live: segment.live + segment.moved,
      sessions: [...(entry?.sessions ?? [])].sort((a, b) => b[1] - a[1]),
      retained: entry?.retained ?? 0,
      isRecent: segment.number >= store.checkpoint.segmentNumber,
    };
  });
}

/** Whose session it is, for people. */
function nameOf({ name, clientId, attributes }: JournalSession): string {
  if (!name.startsWith(PEER)) return clientId;
  const brokerName = attributes.get(PEER_NAME)?.toString();
  return brokerName === undefined ? `of the linked broker ${clientId}` : `of the linked broker ${brokerName} (${clientId})`;
}

/** A store's files to be looked at: whatever would change them is not done. */
export class ReadOnlyFiles implements StoreFiles {
  readonly #files: StoreFiles;

  constructor(files: StoreFiles) {
    this.#files = files;
  }

  list(): string[] {
    return this.#files.list();
  }

  size(name: string): number {
    return this.#files.size(name);
  }

  async open(name: string): Promise<StoreFile> {
    const file = await this.#files.open(name);
    const nothing = (): Promise<void> => Promise.resolve();
    return { write: nothing, sync: nothing, truncate: nothing, read: (target, at) => file.read(target, at), close: () => file.close() };
  }

  rename(): Promise<void> {
    return Promise.resolve();
  }

  remove(): Promise<void> {
    return Promise.resolve();
  }

  syncFolder(): Promise<void> {
    return Promise.resolve();
  }
}

/** A store's files, whose reading is told: which file, and up to where. */
export class ObservedFiles implements StoreFiles {
  readonly #files: StoreFiles;
  readonly #onRead: (name: string, end: number) => void;

  constructor(files: StoreFiles, onRead: (name: string, end: number) => void) {
    this.#files = files;
    this.#onRead = onRead;
  }

  list(): string[] {
    return this.#files.list();
  }

  size(name: string): number {
    return this.#files.size(name);
  }

  async open(name: string, isSynced = false): Promise<StoreFile> {
    const file = await this.#files.open(name, isSynced);
    return {
      write: (bytes, at) => file.write(bytes, at),
      sync: () => file.sync(),
      truncate: (size) => file.truncate(size),
      read: (target, at) => {
        const have = file.read(target, at);
        this.#onRead(name, at + have);
        return have;
      },
      close: () => file.close(),
    };
  }

  rename(from: string, to: string): Promise<void> {
    return this.#files.rename(from, to);
  }

  remove(name: string): Promise<void> {
    return this.#files.remove(name);
  }

  syncFolder(): Promise<void> {
    return this.#files.syncFolder();
  }
}

async function readFile(files: StoreFiles, name: string): Promise<Buffer> {
  const file = await files.open(name);
  const bytes = Buffer.allocUnsafeSlow(files.size(name));
  const have = file.read(bytes, 0);
  await file.close();
  return bytes.subarray(0, have);
}

function detailOf(bytes: Buffer, at: number, end: number): string {
  const kind = bytes[at + 8];
  if (kind !== MESSAGE && kind !== MOVED) return '';
  const reader = new ByteReader();
  reader.open(bytes, at + RECORD_HEADER_BYTES, end);
  const number = reader.varint();
  return `number ${number}, topic ${skipMessage(reader)}`;
}
