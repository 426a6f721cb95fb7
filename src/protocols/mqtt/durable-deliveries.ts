import type { Broker } from '../../core/broker.ts';
import type { Message, QoS } from '../../core/message.ts';
import type { SharedGroup } from '../../core/shared-group.ts';
import { DONE, type DurabilityListener, RELEASED, type Stored, type StoredSession, WAITING } from '../../core/store.ts';
import type { Route, Subscription } from '../../core/subscription.ts';
import { type Deliveries, type DeliveriesOwner, isExpired, type Undelivered } from './deliveries.ts';
import { type SessionLink, sendPublish, UNKNOWN_POSITION } from './session-link.ts';
import { PACKET_IDENTIFIER_NOT_FOUND, protocolError } from './wire/reason-code.ts';

/** Packet Identifiers there are; 0 is none. */
const PACKET_IDENTIFIERS = 65_535;

/**
 * What a session that outlives its connections owes its client. The store has it; here is how far the present connection is:
 *
 *     first                 sendNext          safe            next
 *       │ sent, not done with   │ may be sent   │ not durable   │
 *
 * A message's Packet Identifier follows from its sequence, so that it is the same after a restart [MQTT-4.4.0-1]. A message of
 * QoS 1 need not be durable yet when it is sent; one that waits until it is lets nobody overtake.
 */
export class DurableDeliveries implements Deliveries, DurabilityListener {
  readonly #broker: Broker;
  readonly #owner: DeliveriesOwner;
  readonly #stored: StoredSession;
  #link: SessionLink | null = null;
  #sendNext: number;
  /** Below, an earlier connection may have been sent the message: it is sent with DUP. */
  #sentBefore: number;
  #safe: number;
  /** What `#safe` becomes with the batch that is on its way. */
  #written: number;
  /** What `#safe` becomes with the batch behind that; 0: there is none yet. */
  #writtenNext = 0;
  /** For the message at `sendNext`, or one before it, to become durable. */
  #isWaiting = false;
  /** Messages that count against the client's Receive Maximum. */
  #window = 0;
  /** Released without having been sent on this connection, and so not counted on it. */
  readonly #uncounted = new Set<number>();
  /** Of messages that came by a shared subscription. Lost with the process: they are then its session's alone. */
  readonly #groups = new Map<number, SharedGroup>();
  /** When messages expire, by sequence. Lost with the process: they are then found when it is their turn to be sent. */
  readonly #expiring = new Map<number, number>();
  /** Before this time none of them does. */
  #expiresAtMs = Number.POSITIVE_INFINITY;

  /** @param sentBefore sequence below which messages may have been sent, where that is known */
  constructor(broker: Broker, owner: DeliveriesOwner, stored: StoredSession, sentBefore: number | null) {
    this.#broker = broker;
    this.#owner = owner;
    this.#stored = stored;
    this.#sendNext = stored.first;
    this.#sentBefore = Math.min(sentBefore ?? this.#underWayAtMost(), stored.next);
    this.#safe = stored.next;
    this.#written = stored.next;
  }

  /** Messages with sequences below may have been sent. */
  get sentBefore(): number {
    return Math.max(this.#sendNext, this.#sentBefore);
  }

  get queued(): number {
    return this.#stored.size - this.inflight;
  }

  get inflight(): number {
    return this.#window + this.#uncounted.size;
  }

  get heldBytes(): number {
    return this.#stored.bytes;
  }

  get spaceNeeded(): number {
    return this.#broker.store.spaceNeeded;
  }

  get isReady(): boolean {
    const link = this.#link;
    return link !== null && this.#sendNext >= this.#safe && this.#roomFor(link);
  }

  get isFull(): boolean {
    const { sessionQueueMessages, sessionQueueBytes } = this.#broker.limits;
    return this.#stored.size >= sessionQueueMessages || this.#stored.bytes >= sessionQueueBytes;
  }

  resume(link: SessionLink): void {
    this.#link = link;
    this.#sentBefore = Math.max(this.#sentBefore, this.#sendNext);
    this.#sendNext = this.#stored.first;
    this.#window = 0; // a window is a connection's: section 4.9
    this.#uncounted.clear();
    // [MQTT-4.6.0-4]
    for (const sequence of this.#stored.released()) {
      this.#uncounted.add(sequence);
      link.promise(UNKNOWN_POSITION, 0x62, identifierOf(sequence), 0);
    }
    this.#pump();
  }

  detach(): void {
    this.#link = null;
  }

  offer(message: Message, qos: QoS, retain: boolean, route: Route): void {
    const { sessionQueueMessages, sessionQueueBytes } = this.#broker.limits;
    if (this.#stored.size >= sessionQueueMessages) {
      this.#owner.drop('sessionQueueMessages', route, message);
      return;
    }
    if (this.#stored.bytes + message.size > sessionQueueBytes) {
      this.#owner.drop('sessionQueueBytes', route, message);
      return;
    }
    const sequence = this.#stored.push(message, { qos, retain, identifiers: route.identifiers });
    const group = route.sharedGroup;
    if (group !== null) this.#groups.set(sequence, group);
    if (message.expiresAtMs !== 0) {
      this.#expiring.set(sequence, message.expiresAtMs);
      this.#expiresAtMs = Math.min(this.#expiresAtMs, message.expiresAtMs);
    }
    this.#pump();
  }

  replay(subscription: Subscription, retained: (subscription: Subscription) => readonly Message[]): void {
    for (const message of retained(subscription)) {
      const qos = message.qos < subscription.qos ? message.qos : subscription.qos;
      if (qos !== 0) this.offer(message, qos, true, subscription);
      else this.#owner.sendAtMostOnce(message, true, subscription, null);
    }
  }

  unacknowledged(packetIdentifier: number): Message | null {
    const sequence = this.#sequenceOf(packetIdentifier);
    return sequence === 0 ? null : (this.#stored.get(sequence)?.message ?? null);
  }

  acknowledged(packetIdentifier: number): void {
    const sequence = this.#sequenceOf(packetIdentifier);
    if (sequence === 0) return;
    if (this.#stored.qosOf(sequence) !== 1) throw protocolError(`PUBACK for a message of QoS 2, Packet Identifier ${packetIdentifier}`);
    this.#done(sequence);
  }

  receivedByClient(packetIdentifier: number, reasonCode: number): void {
    const link = this.#link!;
    const { store } = this.#broker;
    const before = store.position;
    const sequence = this.#sequenceOf(packetIdentifier);
    if (sequence === 0) {
      link.promise(before, 0x62, packetIdentifier, PACKET_IDENTIFIER_NOT_FOUND);
      return;
    }
    if (this.#stored.qosOf(sequence) !== 2) throw protocolError(`PUBREC for a message of QoS 1, Packet Identifier ${packetIdentifier}`);
    if (reasonCode >= 0x80) {
      this.#done(sequence); // [MQTT-4.4.0-2]
      return;
    }
    const isRepeated = this.#stored.stateOf(sequence) === RELEASED;
    // Released, not sent again [MQTT-4.3.3-3] [MQTT-4.3.3-6]. After a reconnect PUBREL packets leave in this order again [MQTT-4.6.0-4].
    if (sequence >= this.#sendNext) this.#uncounted.add(sequence);
    this.#stored.release(sequence);
    this.#groups.delete(sequence);
    link.promise(isRepeated ? UNKNOWN_POSITION : before, 0x62, packetIdentifier, 0); // [MQTT-4.3.3-4]
  }

  completed(packetIdentifier: number): void {
    const sequence = this.#sequenceOf(packetIdentifier);
    if (sequence === 0) return;
    if (this.#stored.stateOf(sequence) !== RELEASED) throw protocolError(`PUBCOMP before PUBREC, Packet Identifier ${packetIdentifier}`);
    this.#done(sequence);
  }

  onDrain(): void {
    this.#pump();
  }

  removeExpired(): void {
    const now = this.#broker.wallNow();
    if (now < this.#expiresAtMs) return;
    this.#expiresAtMs = Number.POSITIVE_INFINITY;
    for (const [sequence, expiresAtMs] of this.#expiring) {
      if (sequence < Math.max(this.#sendNext, this.#sentBefore)) {
        this.#expiring.delete(sequence);
      } else if (expiresAtMs > now) {
        this.#expiresAtMs = Math.min(this.#expiresAtMs, expiresAtMs);
      } else {
        const message = this.#stored.get(sequence)?.message;
        if (message !== undefined) this.#owner.expired(message);
        this.#remove(sequence);
      }
    }
  }

  handOver(): Undelivered[] {
    const found: Undelivered[] = [];
    for (const [sequence, group] of this.#groups) {
      if (sequence < this.#sendNext || !this.#broker.hasMembers(group)) continue;
      const message = this.#stored.get(sequence)?.message;
      this.#remove(sequence);
      if (message !== undefined) found.push({ message, group });
    }
    return found;
  }

  end(): Undelivered[] {
    const found: Undelivered[] = [];
    for (const [sequence, group] of this.#groups) {
      // A message of QoS 2 that has been sent is this client's or nobody's [MQTT-4.8.2-5].
      if (sequence < this.sentBefore && this.#stored.qosOf(sequence) === 2) continue;
      const message = this.#stored.get(sequence)?.message;
      if (message !== undefined) found.push({ message, group });
    }
    this.#groups.clear();
    this.#expiring.clear();
    this.#stored.drop();
    return found;
  }

  /** A batch was taken: what has been pushed so far is in it or in one before. */
  onBatch(): void {
    this.#written = this.#stored.next;
  }

  onNextBatch(): void {
    this.#writtenNext = this.#stored.next;
  }

  onDurable(): void {
    this.#safe = this.#written;
    if (this.#writtenNext === 0) {
      this.#isWaiting = false;
    } else {
      this.#written = this.#writtenNext;
      this.#writtenNext = 0;
    }
    this.#pump();
  }

  /**
   * Whether a message may be sent before it is durable. One of QoS 2 may not: it is this broker's when it is on disk, and one that came back
   * with another one's identifier would be taken for a repetition of it.
   */
  #mayPrecede(entry: Stored | null): boolean {
    return entry !== null && entry.message.qos === 1 && this.#broker.store.dispatchesWhileStoring;
  }

  /** Sends on when what has been pushed so far is durable. */
  #makeSafe(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    if (!this.#broker.store.whenBatchDurable(this)) return;
    this.#isWaiting = false;
    this.#safe = this.#stored.next;
    this.#pump();
  }

  #pump(): void {
    const link = this.#link;
    if (link === null || (this.#isWaiting && this.#sendNext >= this.#safe)) return;
    const stored = this.#stored;
    if (this.#sendNext < stored.first) this.#sendNext = stored.first;
    while (this.#sendNext < stored.next && this.#roomFor(link)) {
      const sequence = this.#sendNext;
      if (stored.stateOf(sequence) !== WAITING) {
        this.#sendNext++;
        continue;
      }
      const entry = stored.get(sequence);
      if (sequence >= this.#safe && !this.#mayPrecede(entry)) {
        this.#makeSafe();
        return;
      }
      this.#sendNext++;
      const mayHaveBeenSent = sequence < this.#sentBefore;
      // What has been sent once does not expire any more [MQTT-4.3.3-7].
      if (entry === null || (!mayHaveBeenSent && isExpired(entry.message, this.#broker))) {
        if (entry !== null) this.#owner.expired(entry.message);
        this.#remove(sequence);
        continue;
      }
      const { message, qos, retain, identifiers } = entry;
      // [MQTT-3.3.1-1] [MQTT-3.3.1-3] [MQTT-4.3.2-1] [MQTT-4.3.3-1]
      if (sendPublish(link, this.#owner, message, qos, retain, identifiers, identifierOf(sequence), mayHaveBeenSent)) this.#window++;
      else this.#remove(sequence);
    }
  }

  /** The client's window [MQTT-4.9.0-1] [MQTT-4.9.0-2], and identifiers that are not in use [MQTT-2.2.1-4]. */
  #roomFor(link: SessionLink): boolean {
    return (
      this.#window < link.inflightMax &&
      this.#sendNext - this.#stored.first < this.#broker.limits.packetIdentifiers &&
      link.connection.queuedBytes < link.aheadBytes
    );
  }

  /** Where what may have been under way ends, when the broker died with the client connected: what was sent is not written down. */
  #underWayAtMost(): number {
    const { first, next } = this.#stored;
    let sequence = first;
    for (let left = this.#broker.limits.inflightMessages; left > 0 && sequence < next; sequence++) {
      if (this.#stored.stateOf(sequence) !== DONE) left--;
    }
    return sequence;
  }

  /** 0 when no message with this identifier is under way. */
  #sequenceOf(packetIdentifier: number): number {
    const { first } = this.#stored;
    const sequence = first + ((packetIdentifier - identifierOf(first) + PACKET_IDENTIFIERS) % PACKET_IDENTIFIERS);
    if (this.#stored.stateOf(sequence) === DONE) return 0;
    return sequence < this.sentBefore ? sequence : 0;
  }

  #done(sequence: number): void {
    // The client may have had it on an earlier connection, and not yet again on this one.
    if ((this.#uncounted.size === 0 || !this.#uncounted.delete(sequence)) && sequence < this.#sendNext) this.#window--;
    this.#remove(sequence);
    this.#pump();
  }

  #remove(sequence: number): void {
    this.#stored.remove(sequence);
    // Asking an empty map costs as much as asking a full one, and this is done for each message.
    if (this.#groups.size > 0) this.#groups.delete(sequence);
    if (this.#expiring.size > 0) this.#expiring.delete(sequence);
  }
}

function identifierOf(sequence: number): number {
  return ((sequence - 1) % PACKET_IDENTIFIERS) + 1;
}
