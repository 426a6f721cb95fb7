import type { Message, QoS } from '../../core/message.ts';
import { SequenceRing } from '../../core/sequence-ring.ts';
import { SequenceWindow } from '../../core/sequence-window.ts';
import {
  type Delivery,
  type Lane,
  STORED,
  type Stored,
  type StoredOrigin,
  type StoredSession,
  type StoredState,
  VOLATILE,
} from '../../core/store.ts';

/** What a session asks of its store. Each call appends what has to be read again after a restart. */
export interface SessionStore {
  /** @returns the message's number; a negative one until it is written */
  appendDelivery(session: JournalSession, sequence: number, message: Message, delivery: Delivery): number;
  appendRemoved(session: JournalSession, sequence: number, number: number | null): void;
  appendReleased(session: JournalSession, sequence: number, number: number): void;
  appendReceived(session: JournalSession, packetIdentifier: number, added: boolean): void;
  appendNoted(session: JournalSession, lane: Lane, count: number, position: number): void;
  appendSeen(session: JournalSession, sequence: number, position: number): void;
  appendAttribute(session: JournalSession, name: string, value: Buffer | null, withMessage: boolean): void;
  appendDropped(session: JournalSession): void;
  read(number: number): Message | null;
  /** Writes what has been kept back: see `UnwrittenMessages`. */
  writeUnwritten(): void;
}

/** What stands in front of a client id where the session is a linked broker's, and of the broker's own id; a client id has no such character. */
export const PEER = '\0peer/';
export const SELF = '\0self/';
/** The same for who published what came over links. */
export const ORIGIN = '\0origin/';

/** What a session is, as a journal or a checkpoint has it. */
export class SessionContent {
  /** The client id, or what begins with PEER, SELF or ORIGIN. */
  readonly name: string;
  readonly ring = new SequenceRing<number>();
  readonly received = new Set<number>();
  /** Also what was noted, in eight bytes each: see `notedIn`. */
  readonly attributes = new Map<string, Buffer>();

  constructor(name: string) {
    this.name = name;
  }
}

/** With the lane behind it. */
const NOTED = 'noted/';

/** A number noted stands among the attributes, where it is changed in place. */
export function notedIn(attributes: Map<string, Buffer>, lane: number): Buffer {
  const name = NOTED + lane;
  let value = attributes.get(name);
  if (value === undefined) {
    value = Buffer.alloc(8);
    attributes.set(name, value);
  }
  return value;
}

const WINDOW = 'window';

/** Which messages of an origin were here stands among its attributes, too. */
export function windowIn(attributes: Map<string, Buffer>): SequenceWindow {
  const window = new SequenceWindow(attributes.get(WINDOW));
  attributes.set(WINDOW, window.bytes);
  return window;
}

/** A session of a journal that stands for who published what came over links. */
export class JournalOrigin implements StoredOrigin {
  readonly name: string;
  readonly window: SequenceWindow;
  readonly #session: JournalSession;
  readonly #store: SessionStore;

  constructor(session: JournalSession, store: SessionStore) {
    this.#session = session;
    this.#store = store;
    this.name = session.name.slice(ORIGIN.length);
    this.window = windowIn(session.attributes);
  }

  store(sequence: number, position: number): void {
    this.#store.appendSeen(this.#session, sequence, position);
  }

  drop(): void {
    this.#session.drop();
  }
}

/** A session of a journal: in memory it is numbers, and the messages themselves are where the store has them. */
export class JournalSession implements StoredSession {
  /** Unique in the store, also over restarts. */
  readonly id: number;
  /** See `SessionContent.name`. */
  readonly name: string;
  readonly clientId: string;
  readonly received: Set<number>;
  readonly attributes: Map<string, Buffer>;
  /** Message numbers. */
  readonly ring: SequenceRing<number>;
  readonly #store: SessionStore;
  readonly #noted: [number, number];
  readonly #notedBytes: Buffer[] = [];

  constructor(id: number, store: SessionStore, content: SessionContent) {
    this.id = id;
    this.#store = store;
    this.name = content.name;
    this.clientId = content.name.startsWith(PEER) ? content.name.slice(PEER.length) : content.name;
    this.ring = content.ring;
    this.received = content.received;
    this.attributes = content.attributes;
    const noted = (lane: Lane): number => content.attributes.get(NOTED + lane)?.readDoubleBE() ?? 0;
    this.#noted = [noted(VOLATILE), noted(STORED)];
  }

  get first(): number {
    return this.ring.first;
  }

  get next(): number {
    return this.ring.next;
  }

  get size(): number {
    return this.ring.size;
  }

  get bytes(): number {
    return this.ring.bytes;
  }

  push(message: Message, delivery: Delivery): number {
    const number = this.#store.appendDelivery(this, this.ring.next, message, delivery);
    return this.ring.push(number, message.size, delivery);
  }

  stateOf(sequence: number): StoredState {
    return this.ring.stateOf(sequence);
  }

  qosOf(sequence: number): QoS {
    return this.ring.qosAt(sequence);
  }

  get(sequence: number): Stored | null {
    const number = this.ring.refAt(sequence);
    if (number === null) return null;
    const message = this.#store.read(number);
    if (message === null) return null;
    const { ring } = this;
    return { message, qos: ring.qosAt(sequence), retain: ring.retainAt(sequence), identifiers: ring.identifiersAt(sequence) };
  }

  release(sequence: number): void {
    const ref = this.ring.refAt(sequence);
    if (ref !== null && ref < 0) this.#store.writeUnwritten();
    const number = this.ring.release(sequence);
    if (number !== null) this.#store.appendReleased(this, sequence, number);
  }

  released(): number[] {
    return this.ring.released();
  }

  remove(sequence: number): void {
    const before = this.ring.size;
    const number = this.ring.remove(sequence);
    if (this.ring.size < before) this.#store.appendRemoved(this, sequence, number);
  }

  addReceived(packetIdentifier: number): void {
    this.received.add(packetIdentifier);
    this.#store.appendReceived(this, packetIdentifier, true);
  }

  deleteReceived(packetIdentifier: number): void {
    if (this.received.delete(packetIdentifier)) this.#store.appendReceived(this, packetIdentifier, false);
  }

  noted(lane: Lane): number {
    return this.#noted[lane];
  }

  note(lane: Lane, count: number, position: number): void {
    this.#noted[lane] = count;
    (this.#notedBytes[lane] ??= notedIn(this.attributes, lane)).writeDoubleBE(count);
    this.#store.appendNoted(this, lane, count, position);
  }

  setAttribute(name: string, value: Buffer | null, withMessage = false): void {
    if (value === null) {
      if (!this.attributes.delete(name)) return;
    } else {
      if (this.attributes.get(name)?.equals(value)) return;
      this.attributes.set(name, value);
    }
    this.#store.appendAttribute(this, name, value, withMessage);
  }

  drop(): void {
    this.#store.appendDropped(this);
  }
}
