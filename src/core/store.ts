import type { Stamp } from './hybrid-clock.ts';
import type { Message, QoS } from './message.ts';
import type { SequenceWindow } from './sequence-window.ts';

/**
 * What must outlive the process. Implemented by `store/`.
 *
 * Everything is appended synchronously, in order, and is then *somewhere* in a log. `position` is the end of that log; `durable` says how
 * much of it would survive a power failure. Whoever promises something (PUBACK, PUBREC, SUBACK, ...) notes `position` when all that the
 * promise is about has been appended, and keeps the promise back until `durable` has come that far:
 *
 *     append ─► append ─► append          position
 *     ═══════════════════╪═══════════════╪────────►
 *                     durable
 *
 * A promise for which nothing was appended has nothing to wait for.
 */
export interface Store {
  /** Bytes appended so far, in a measure of the store's own; only grows. */
  readonly position: number;
  /** All appended before here is safe. Only grows, and stays where it is when the store cannot write. */
  readonly durable: number;
  /** Whether what it has is there again after a restart. */
  readonly outlivesProcess: boolean;
  /**
   * Whether a message of QoS 1 may be sent before it is durable. One that all who get it have acknowledged by the next write is not written
   * at all.
   */
  readonly dispatchesWhileStoring: boolean;
  /** null while the store works; what is the matter when it cannot write. Nothing appended since is promised to anybody. */
  readonly failure: Error | null;
  /** More has been appended and is not durable than may wait in memory: whoever makes it grow is to be listened to when it is. */
  readonly isBehind: boolean;
  /** Calls `listener.onDurable` once, when `durable` has reached `position`. Listeners are called in the order of their positions. */
  whenDurable(position: number, listener: DurabilityListener): void;
  /**
   * Calls `listener.onDurable` once, when all appended so far and what is appended until the next write is durable; just before that write
   * its `onBatch`.
   * @returns true when all is durable now: then nothing is called
   */
  whenBatchDurable(listener: DurabilityListener): boolean;

  /** What keeping a message here takes: MEMORY, STORE, or both as bits. */
  readonly spaceNeeded: number;

  /** The sessions that were there when the store was opened; and those made since. */
  sessions(): IterableIterator<StoredSession>;
  createSession(clientId: string): StoredSession;

  /**
   * The broker's id, the same at every start. null where nothing outlives the process: then it has a new one each time.
   * @param proposed what it is from the first start on
   */
  brokerId(proposed: string): string | null;
  /** What was kept for and of linked brokers when the store was opened; and since. `clientId` is the broker's id. */
  peers(): IterableIterator<StoredSession>;
  createPeer(brokerId: string): StoredSession;
  /** Who published what came over links, when the store was opened; and since. */
  origins(): IterableIterator<StoredOrigin>;
  createOrigin(name: string): StoredOrigin;

  /** The retained messages and removals that were there when the store was opened. Read once, at the start. */
  retained(): IterableIterator<{ readonly topic: string; readonly message: Message | null; readonly stamp: Stamp }>;
  /** Keeps `message` (null: its removal) as the retained message of `topic`, in the place of the one before. */
  retain(topic: string, message: Message | null, stamp: Stamp): void;
  /** The removal of a topic's retained message need not be remembered any longer. A later message on the topic stays. */
  forgetRemoval(topic: string): void;

  /** Makes all durable and gives the files up. */
  close(): Promise<void>;
}

export interface DurabilityListener {
  onBatch?(): void;
  /**
   * The next write begins before the one that `onBatch` was called for is done: for that one, too, `onDurable` will be called, after it.
   * Not called again before that. Who has no such method is called once.
   */
  onNextBatch?(): void;
  onDurable(): void;
}

/** Attribute of a linked broker's session: its name. */
export const PEER_NAME = 'name';

/**
 * A session that outlives its connections: the messages that it is still owed, in order, and whatever its protocol has to remember.
 *
 * A message is stored once, however many sessions get it in the same `Broker.publish`.
 */
export interface StoredSession {
  readonly clientId: string;
  /** Sequence of the oldest message that is not done with; `next` when there is none. */
  readonly first: number;
  /**
   * Sequence of the next message. Sequences begin at 1, are given in order and never twice. After a restart that was no stop in good order
   * those are given again that were not durable.
   */
  readonly next: number;
  /** Messages not done with. */
  readonly size: number;
  /** The same in bytes, by `Message.size`. */
  readonly bytes: number;

  /** Adds a message at `next`; returns its sequence. */
  push(message: Message, delivery: Delivery): number;
  /** WAITING, RELEASED or DONE; DONE for every sequence that is not between `first` and `next`. */
  stateOf(sequence: number): StoredState;
  /** The QoS that a message which is not done with is delivered at. */
  qosOf(sequence: number): QoS;
  /**
   * What waits at `sequence`, read from disk where it is not in memory; null unless its state is WAITING, or when the disk has damaged it.
   */
  get(sequence: number): Stored | null;
  /** The message has arrived (QoS 2: PUBREC) and is not needed any more; its sequence still is. */
  release(sequence: number): void;
  /** Sequences with state RELEASED, in the order in which they were released. */
  released(): number[];
  /** The message is done with. */
  remove(sequence: number): void;

  /** Packet Identifiers of QoS 2 messages received and not released. */
  readonly received: ReadonlySet<number>;
  /** Notes a Packet Identifier; together with the messages pushed since the last call of `Store`'s or this one's, or not at all. */
  addReceived(packetIdentifier: number): void;
  deleteReceived(packetIdentifier: number): void;

  /** What was noted last in this lane; 0 when nothing was. */
  noted(lane: Lane): number;
  /**
   * Notes how far its sender's count has come; together with what was appended since `position` for one message, or not at all. Where
   * nothing was, there is nothing that a repetition would be kept from doing twice, and nothing is appended.
   */
  note(lane: Lane, count: number, position: number): void;

  /** What the protocol remembers, by names of its choice. */
  readonly attributes: ReadonlyMap<string, Buffer>;
  /**
   * null removes it.
   * @param withMessage whether it is to be stored together with what is stored of the message at hand, if that has been begun
   */
  setAttribute(name: string, value: Buffer | null, withMessage?: boolean): void;

  /** Ends the session: nothing of it stays. */
  drop(): void;
}

/** Which messages of one publisher were here. */
export interface StoredOrigin {
  readonly name: string;
  readonly window: SequenceWindow;
  /** Stores a number that `window` has noted, as `StoredSession.note` stores a count. */
  store(sequence: number, position: number): void;
  /** Nothing of it stays. */
  drop(): void;
}

/** A linked broker counts what it sends us twice: what it would forget with its process, and what its store has. */
export const VOLATILE = 0;
export const STORED = 1;
export type Lane = typeof VOLATILE | typeof STORED;

export const WAITING = 0;
export const RELEASED = 1;
export const DONE = 2;
export type StoredState = typeof WAITING | typeof RELEASED | typeof DONE;

/** How one session gets one message. */
export interface Delivery {
  readonly qos: QoS;
  readonly retain: boolean;
  /** MQTT 5 Subscription Identifiers. */
  readonly identifiers: readonly number[];
}

export interface Stored extends Delivery {
  readonly message: Message;
}
