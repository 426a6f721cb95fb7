import type { Broker } from '../../core/broker.ts';
import type { DestinationPolicy } from '../../core/destination-policies.ts';
import { Fifo } from '../../core/fifo.ts';
import { Message, type QoS } from '../../core/message.ts';
import type { SharedGroup } from '../../core/shared-group.ts';
import type { Route, Subscription } from '../../core/subscription.ts';
import { MEMORY, type Spilled } from '../../core/usage.ts';
import { type Deliveries, type DeliveriesOwner, isExpired, type Undelivered } from './deliveries.ts';
import { Inflight, QOS_1, QOS_2, RELEASED, SENT } from './inflight.ts';
import { type SessionLink, sendPublish, writeAcknowledgement } from './session-link.ts';
import { PACKET_IDENTIFIER_NOT_FOUND, protocolError } from './wire/reason-code.ts';

/** Retained messages on their way to a new subscription, sent as fast as the client reads. */
class Replay {
  readonly filter: string;
  messages!: readonly Message[];
  qos!: QoS;
  identifiers!: readonly number[];
  next = 0;

  constructor(messages: readonly Message[], subscription: Subscription) {
    this.filter = subscription.filter;
    this.begin(messages, subscription);
  }

  begin(messages: readonly Message[], subscription: Subscription): void {
    this.messages = messages;
    this.qos = subscription.qos;
    this.identifiers = subscription.identifiers;
    this.next = 0;
  }
}

/** A message that waits to be sent: in memory, or in a temporary file while memory is short. */
interface Waiting {
  readonly held: Message | Spilled;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly route: Route;
}

/**
 * What a session that ends with its connection owes its client: nothing is sent a second time, and so nothing is kept that has been sent
 * but what another member of a group would get then.
 */
export class VolatileDeliveries implements Deliveries {
  readonly #broker: Broker;
  readonly #owner: DeliveriesOwner;
  #link: SessionLink | null = null;
  readonly #inflight = new Inflight();
  readonly #queue = new Fifo<Waiting | Replay>();
  /** Those in the queue, by topic filter. */
  readonly #replays = new Map<string, Replay>();
  /** Messages kept in flight and in the queue, in bytes. */
  #heldBytes = 0;
  /** Before this time no message in the queue expires. */
  #expiresAtMs = Number.POSITIVE_INFINITY;

  constructor(broker: Broker, owner: DeliveriesOwner) {
    this.#broker = broker;
    this.#owner = owner;
  }

  get queued(): number {
    return this.#queue.length;
  }

  get inflight(): number {
    return this.#inflight.size;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  get spaceNeeded(): number {
    return this.isReady ? 0 : MEMORY;
  }

  get isReady(): boolean {
    const link = this.#link;
    return link !== null && this.#queue.length === 0 && this.#roomFor(link);
  }

  get isFull(): boolean {
    const { sessionQueueMessages, sessionQueueBytes } = this.#broker.limits;
    return this.#queue.length >= sessionQueueMessages || this.#heldBytes >= sessionQueueBytes;
  }

  resume(link: SessionLink): void {
    this.#link = link;
  }

  detach(): void {
    this.#link = null;
  }

  /**
   * Sends a subscription's retained messages, RETAIN set (section 3.3.1.3) [MQTT3-3.3.1-8]. They take their place among the messages that wait, so that
   * a client sees older ones before and newer ones after them [MQTT-4.6.0-5].
   */
  replay(subscription: Subscription, retained: (subscription: Subscription) => readonly Message[]): void {
    const { filter } = subscription;
    const waiting = this.#replays.get(filter);
    if (waiting !== undefined) {
      // Subscribed again before the client has read what it asked for: it begins anew, and is not there twice.
      waiting.begin(waiting.next === 0 ? waiting.messages : retained(subscription), subscription);
      return;
    }
    const messages = retained(subscription);
    if (messages.length === 0) return;
    const replay = new Replay(messages, subscription);
    this.#replays.set(filter, replay);
    this.#queue.push(replay);
    this.#pump();
  }

  unacknowledged(packetIdentifier: number): Message | null {
    if (this.#inflight.stateOf(packetIdentifier) === 0) return null;
    return this.#inflight.keptOf(packetIdentifier)?.message ?? null;
  }

  /**
   * PUBACK: a QoS 1 message is done, and not before [MQTT-4.3.2-3]. An identifier that is not known is ignored.
   * @throws ProtocolError MQTT_PROTOCOL_ERROR
   */
  acknowledged(packetIdentifier: number): void {
    const state = this.#inflight.stateOf(packetIdentifier);
    if (state === 0) return;
    if ((state & QOS_1) === 0) throw protocolError(`PUBACK for a message of QoS 2, Packet Identifier ${packetIdentifier}`);
    this.#done(packetIdentifier);
  }

  /**
   * PUBREC: a QoS 2 message has arrived, or is refused.
   * @throws ProtocolError MQTT_PROTOCOL_ERROR
   */
  receivedByClient(packetIdentifier: number, reasonCode: number): void {
    const link = this.#link!;
    const state = this.#inflight.stateOf(packetIdentifier);
    if (state === 0) {
      writeAcknowledgement(link, 0x62, packetIdentifier, PACKET_IDENTIFIER_NOT_FOUND);
      return;
    }
    if ((state & QOS_2) === 0) throw protocolError(`PUBREC for a message of QoS 1, Packet Identifier ${packetIdentifier}`);
    if (reasonCode >= 0x80) {
      this.#done(packetIdentifier); // [MQTT-4.4.0-2]
      return;
    }
    if ((state & RELEASED) === 0) {
      // Released, not sent again [MQTT-4.3.3-3] [MQTT-4.3.3-6].
      this.#letGo(packetIdentifier);
      this.#inflight.release(packetIdentifier, state);
    }
    writeAcknowledgement(link, 0x62, packetIdentifier, 0); // [MQTT-4.3.3-4]
  }

  /**
   * PUBCOMP: a QoS 2 message is done, and not before [MQTT-4.3.3-5]. An identifier that is not known is ignored.
   * @throws ProtocolError MQTT_PROTOCOL_ERROR
   */
  completed(packetIdentifier: number): void {
    const state = this.#inflight.stateOf(packetIdentifier);
    if (state === 0) return;
    if ((state & RELEASED) === 0) throw protocolError(`PUBCOMP before PUBREC, Packet Identifier ${packetIdentifier}`);
    this.#done(packetIdentifier);
  }

  onDrain(): void {
    if (this.#queue.length > 0) this.#pump();
  }

  /**
   * What other members of its groups get when the session ends: of QoS 1 what has not been acknowledged, and what has not been sent. A
   * message of QoS 2 that has been sent is this client's or nobody's [MQTT-4.8.2-5].
   */
  end(): Undelivered[] {
    const found: Undelivered[] = [];
    for (const packetIdentifier of this.#inflight.inOrder()) {
      const kept = this.#inflight.keptOf(packetIdentifier);
      if (kept === null) continue;
      this.#broker.usage.release(kept.message);
      if (kept.group !== null && kept.qos === 1) found.push({ message: kept.message, group: kept.group });
    }
    for (let entry = this.#queue.shift(); entry !== undefined; entry = this.#queue.shift()) {
      if (entry instanceof Replay) continue;
      const message = entry.route.sharedGroup === null ? null : this.#read(entry);
      this.#release(entry);
      if (message !== null) found.push({ message, group: entry.route.sharedGroup });
    }
    this.#inflight.clear();
    this.#replays.clear();
    this.#heldBytes = 0;
    return found;
  }

  removeExpired(): void {
    if (this.#broker.wallNow() < this.#expiresAtMs) return;
    this.#expiresAtMs = Number.POSITIVE_INFINITY;
    for (let waiting = this.#queue.length; waiting > 0; waiting--) {
      const entry = this.#queue.shift()!;
      if (entry instanceof Replay || !isExpired(entry.held, this.#broker)) {
        this.#queue.push(entry);
        if (!(entry instanceof Replay)) this.#noteExpiry(entry.held);
      } else {
        const message = this.#read(entry);
        this.#heldBytes -= entry.held.size;
        this.#release(entry);
        if (message !== null) this.#owner.expired(message);
      }
    }
  }

  handOver(): Undelivered[] {
    const found: Undelivered[] = [];
    for (let waiting = this.#queue.length; waiting > 0; waiting--) {
      const entry = this.#queue.shift()!;
      if (entry instanceof Replay || entry.route.sharedGroup === null || !this.#broker.hasMembers(entry.route.sharedGroup)) {
        this.#queue.push(entry);
      } else {
        const message = this.#read(entry);
        this.#heldBytes -= entry.held.size;
        this.#release(entry);
        if (message !== null) found.push({ message, group: entry.route.sharedGroup });
      }
    }
    return found;
  }

  #done(packetIdentifier: number): void {
    this.#letGo(packetIdentifier);
    this.#inflight.delete(packetIdentifier);
    if (this.#queue.length > 0) this.#pump();
  }

  /** The message with this identifier, if it is kept, is held no longer. */
  #letGo(packetIdentifier: number): void {
    const kept = this.#inflight.keptOf(packetIdentifier);
    if (kept === null) return;
    this.#heldBytes -= kept.message.size;
    this.#broker.usage.release(kept.message);
  }

  /** A QoS 1 or 2 message: sent now, or queued behind those that wait [MQTT-4.5.0-1] [MQTT-4.6.0-5] [MQTT-4.6.0-6]. */
  offer(message: Message, qos: QoS, retain: boolean, route: Route, policy: DestinationPolicy | null): void {
    const link = this.#link;
    if (link !== null && this.#queue.length === 0 && this.#roomFor(link)) {
      const group = route.sharedGroup;
      if (this.#keepsInflight(qos, group)) {
        if (!this.#count(message, route)) return;
        this.#broker.usage.hold(message);
      }
      this.#transmit(link, message, qos, retain, route.identifiers, group);
      return;
    }
    if (policy !== null && this.#queue.length + this.#inflight.size >= policy.owedMessageLimit && !this.#makeRoom(policy)) {
      this.#owner.discarded(message, route, 'pendingMessageLimit', policy);
      return;
    }
    if (this.#queue.length >= this.#broker.limits.sessionQueueMessages) {
      this.#owner.drop('sessionQueueMessages', route, message);
      return;
    }
    if (!this.#count(message, route)) return;
    this.#queue.push({ held: this.#hold(message), qos, retain, route });
    this.#noteExpiry(message);
  }

  #noteExpiry({ expiresAtMs }: Message | Spilled): void {
    if (expiresAtMs !== 0 && expiresAtMs < this.#expiresAtMs) this.#expiresAtMs = expiresAtMs;
  }

  /** Keeps a message until it is sent: on disk while memory is to be saved. */
  #hold(message: Message): Message | Spilled {
    const { usage } = this.#broker;
    const spilled = usage.isPaging && usage.spill !== null ? usage.spill.take(message) : null;
    if (spilled !== null) return spilled;
    usage.holdWaiting(message);
    return message.keep();
  }

  /** null when it was on disk and cannot be read: it is lost, which is counted. */
  #read({ held, route }: Waiting): Message | null {
    if (held instanceof Message) return held;
    const message = this.#broker.usage.spill!.read(held);
    if (message === null) this.#owner.drop('temporaryFile', route);
    return message;
  }

  /** A message that waited is kept there no longer. */
  #release({ held }: Waiting): void {
    if (held instanceof Message) this.#broker.usage.releaseWaiting(held);
    else this.#broker.usage.spill!.release(held);
  }

  /**
   * ![MQTT-4.5.0-1]: discards the message that waits longest.
   * @returns false when none does, or retained messages on their way to a subscription are before it
   */
  #makeRoom(policy: DestinationPolicy): boolean {
    const oldest = this.#queue.peek();
    if (oldest === undefined || oldest instanceof Replay) return false;
    this.#queue.shift();
    const { held, route } = oldest;
    this.#heldBytes -= held.size;
    // What is on disk is read only for who wants it.
    const isWanted = policy.deadLetters !== null || policy.advisories?.forDiscardingMessages === true;
    const message = held instanceof Message ? held : isWanted ? this.#broker.usage.spill!.read(held) : null;
    this.#owner.discarded(message, route, 'pendingMessageLimit', policy);
    this.#release(oldest);
    return true;
  }

  /** Counts a message as held. @returns false when there is no room for it: it is dropped */
  #count(message: Message, route: Route): boolean {
    const size = message.size;
    if (this.#heldBytes + size > this.#broker.limits.sessionQueueBytes) {
      this.#owner.drop('sessionQueueBytes', route, message);
      return false;
    }
    this.#heldBytes += size;
    return true;
  }

  /** The client's window [MQTT-4.9.0-1] [MQTT-4.9.0-2]: nothing but QoS 1 and 2 messages waits for it [MQTT-3.3.4-10] [MQTT-4.9.0-3]. */
  #roomFor(link: SessionLink): boolean {
    const { size } = this.#inflight;
    return size < link.inflightMax && size < this.#broker.limits.packetIdentifiers && link.connection.queuedBytes < link.aheadBytes;
  }

  /** Sends what waits, as far as the client's window and its connection allow. */
  #pump(): void {
    const link = this.#link;
    if (link === null) return;
    while (this.#queue.length > 0 && this.#roomFor(link)) {
      const first = this.#queue.peek()!;
      if (first instanceof Replay) {
        if (this.#owner.isBehind) return;
        if (first.next < first.messages.length) this.#replayNext(link, first);
        if (first.next >= first.messages.length) {
          this.#queue.shift();
          this.#replays.delete(first.filter);
        }
      } else {
        this.#queue.shift();
        const { held, qos, retain, route } = first;
        const group = route.sharedGroup;
        const message = this.#read(first);
        this.#heldBytes -= held.size;
        const expired = message !== null && isExpired(message, this.#broker); // [MQTT-3.3.2-5]
        const keeps = message !== null && !expired && this.#keepsInflight(qos, group);
        if (keeps) {
          this.#heldBytes += message.size; // what was read from disk may count a little differently
          this.#broker.usage.hold(message);
        }
        this.#release(first);
        if (message === null) continue;
        if (expired) this.#owner.expired(message);
        else this.#transmit(link, message, qos, retain, route.identifiers, group);
      }
    }
  }

  /** What has meanwhile been replaced, removed or has expired is left out: its successor reaches the subscription by itself. */
  #replayNext(link: SessionLink, replay: Replay): void {
    const message = replay.messages[replay.next++]!;
    if (this.#broker.retained.get(message.topic) !== message) return;
    const qos = message.qos < replay.qos ? message.qos : replay.qos;
    if (qos === 0) {
      sendPublish(link, this.#owner, message, 0, true, replay.identifiers, 0, false);
    } else {
      if (this.#keepsInflight(qos, null)) {
        this.#heldBytes += message.size;
        this.#broker.usage.hold(message);
      }
      this.#transmit(link, message, qos, true, replay.identifiers, null);
    }
  }

  /** Sends a message; one that is to be kept until it is acknowledged is counted as held already. */
  #transmit(
    link: SessionLink,
    message: Message,
    qos: QoS,
    retain: boolean,
    identifiers: readonly number[],
    group: SharedGroup | null,
  ): void {
    const keeps = this.#keepsInflight(qos, group);
    const state = (qos === 1 ? QOS_1 : QOS_2) | SENT;
    // [MQTT-4.3.2-1] [MQTT-4.3.3-1]
    const packetIdentifier = this.#inflight.add(state, keeps ? { message: message.keep(), qos, retain, identifiers, group } : null);
    if (sendPublish(link, this.#owner, message, qos, retain, identifiers, packetIdentifier, false)) return;
    if (keeps) this.#letGo(packetIdentifier);
    this.#inflight.delete(packetIdentifier);
  }

  /** Whether another member of the group would get it if the session ended, or somebody may want to know when it is acknowledged. */
  #keepsInflight(qos: QoS, group: SharedGroup | null): boolean {
    return (group !== null && qos === 1) || this.#broker.policies.adviseOfConsumed;
  }
}
