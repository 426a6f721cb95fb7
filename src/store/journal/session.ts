import type { Message, QoS } from '../../core/message.ts';
import { SequenceRing } from '../../core/sequence-ring.ts';
import type { Delivery, Stored, StoredSession, StoredState } from '../../core/store.ts';

/** What a session asks of its store. Each call appends what has to be read again after a restart. */
export interface SessionStore {
  /** @returns the message's number */
  appendDelivery(session: JournalSession, sequence: number, message: Message, delivery: Delivery): number;
  appendRemoved(session: JournalSession, sequence: number, number: number | null): void;
  appendReleased(session: JournalSession, sequence: number, number: number): void;
  appendReceived(session: JournalSession, packetIdentifier: number, added: boolean): void;
  appendAttribute(session: JournalSession, name: string, value: Buffer | null): void;
  appendDropped(session: JournalSession): void;
  read(number: number): Message | null;
}

/** What a session is, as a journal or a checkpoint has it. */
export class SessionContent {
  readonly clientId: string;
  readonly ring = new SequenceRing<number>();
  readonly received = new Set<number>();
  readonly attributes = new Map<string, Buffer>();

  constructor(clientId: string) {
    this.clientId = clientId;
  }
}

/** A session of a journal: in memory it is numbers, and the messages themselves are where the store has them. */
export class JournalSession implements StoredSession {
  /** Unique in the store, also over restarts. */
  readonly id: number;
  readonly clientId: string;
  readonly received: Set<number>;
  readonly attributes: Map<string, Buffer>;
  /** Message numbers. */
  readonly ring: SequenceRing<number>;
  readonly #store: SessionStore;

  constructor(id: number, store: SessionStore, content: SessionContent) {
    this.id = id;
    this.#store = store;
    this.clientId = content.clientId;
    this.ring = content.ring;
    this.received = content.received;
    this.attributes = content.attributes;
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
    const { qos, retain, identifiers } = this.ring.deliveryAt(sequence);
    return { message, qos, retain, identifiers };
  }

  release(sequence: number): void {
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

  setAttribute(name: string, value: Buffer | null): void {
    if (value === null) {
      if (!this.attributes.delete(name)) return;
    } else {
      if (this.attributes.get(name)?.equals(value)) return;
      this.attributes.set(name, value);
    }
    this.#store.appendAttribute(this, name, value);
  }

  drop(): void {
    this.#store.appendDropped(this);
  }
}
