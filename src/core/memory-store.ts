import type { Stamp } from './hybrid-clock.ts';
import type { Message, QoS } from './message.ts';
import { SequenceRing } from './sequence-ring.ts';
import { SequenceWindow } from './sequence-window.ts';
import {
  type Delivery,
  type DurabilityListener,
  type Lane,
  type Store,
  type Stored,
  type StoredOrigin,
  type StoredSession,
  type StoredState,
  WAITING,
} from './store.ts';
import { MEMORY, type Usage } from './usage.ts';

/** Keeps everything for as long as the process lives, and promises no more: what is appended is as durable as it gets. */
export class MemoryStore implements Store {
  readonly position = 0;
  readonly durable = 0;
  readonly outlivesProcess = false;
  readonly dispatchesWhileStoring = true;
  readonly failure = null;
  readonly isBehind = false;
  readonly spaceNeeded = MEMORY;
  readonly #usage: Usage;
  readonly #sessions = new Set<StoredSession>();
  readonly #peers = new Set<StoredSession>();

  constructor(usage: Usage) {
    this.#usage = usage;
  }

  whenDurable(_position: number, listener: DurabilityListener): void {
    listener.onDurable();
  }

  whenBatchDurable(): boolean {
    return true;
  }

  sessions(): IterableIterator<StoredSession> {
    return this.#sessions.values();
  }

  createSession(clientId: string): StoredSession {
    const session = new MemorySession(clientId, this.#sessions, this.#usage);
    this.#sessions.add(session);
    return session;
  }

  brokerId(): null {
    return null;
  }

  peers(): IterableIterator<StoredSession> {
    return this.#peers.values();
  }

  createPeer(brokerId: string): StoredSession {
    const peer = new MemorySession(brokerId, this.#peers, this.#usage);
    this.#peers.add(peer);
    return peer;
  }

  /** Nothing: who asks for one keeps it. */
  origins(): IterableIterator<never> {
    return ([] as never[]).values();
  }

  createOrigin(name: string): StoredOrigin {
    return { name, window: new SequenceWindow(), store() {}, drop() {} };
  }

  /** Nothing: the broker's own table is all there is. */
  retained(): IterableIterator<never> {
    return ([] as never[]).values();
  }

  retain(_topic: string, _message: Message | null, _stamp: Stamp): void {}

  forgetRemoval(_topic: string): void {}

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const NO_ATTRIBUTES: ReadonlyMap<string, Buffer> = new Map();

class MemorySession implements StoredSession {
  readonly clientId: string;
  readonly received = new Set<number>();
  /** Nobody is to read them after a restart. */
  readonly attributes = NO_ATTRIBUTES;
  readonly #siblings: Set<StoredSession>;
  readonly #noted = [0, 0];
  readonly #usage: Usage;
  readonly #ring = new SequenceRing<Message>();

  constructor(clientId: string, siblings: Set<StoredSession>, usage: Usage) {
    this.clientId = clientId;
    this.#siblings = siblings;
    this.#usage = usage;
  }

  get first(): number {
    return this.#ring.first;
  }

  get next(): number {
    return this.#ring.next;
  }

  get size(): number {
    return this.#ring.size;
  }

  get bytes(): number {
    return this.#ring.bytes;
  }

  push(message: Message, delivery: Delivery): number {
    this.#usage.holdWaiting(message);
    return this.#ring.push(message.keep(), message.size, delivery);
  }

  stateOf(sequence: number): StoredState {
    return this.#ring.stateOf(sequence);
  }

  qosOf(sequence: number): QoS {
    return this.#ring.qosAt(sequence);
  }

  get(sequence: number): Stored | null {
    const ring = this.#ring;
    const message = ring.refAt(sequence);
    if (message === null) return null;
    return { message, qos: ring.qosAt(sequence), retain: ring.retainAt(sequence), identifiers: ring.identifiersAt(sequence) };
  }

  release(sequence: number): void {
    this.#letGo(this.#ring.release(sequence));
  }

  released(): number[] {
    return this.#ring.released();
  }

  remove(sequence: number): void {
    this.#letGo(this.#ring.remove(sequence));
  }

  addReceived(packetIdentifier: number): void {
    this.received.add(packetIdentifier);
  }

  deleteReceived(packetIdentifier: number): void {
    this.received.delete(packetIdentifier);
  }

  noted(lane: Lane): number {
    return this.#noted[lane]!;
  }

  note(lane: Lane, count: number): void {
    this.#noted[lane] = count;
  }

  setAttribute(): void {}

  drop(): void {
    this.#siblings.delete(this);
    for (let { first: sequence, next } = this; sequence < next; sequence++)
      if (this.stateOf(sequence) === WAITING) this.#letGo(this.#ring.refAt(sequence));
  }

  #letGo(message: Message | null): void {
    if (message !== null) this.#usage.releaseWaiting(message);
  }
}
