import type { Broker } from '../../core/broker.ts';
import type { DropReason } from '../../core/counters.ts';
import { Fifo } from '../../core/fifo.ts';
import type { Stamp } from '../../core/hybrid-clock.ts';
import { FrameCursor, type Message, type QoS } from '../../core/message.ts';
import type { Session } from '../../core/ports.ts';
import type { SharedGroup } from '../../core/shared-group.ts';
import {
  AWAY,
  BEHIND,
  FULL,
  type Publisher,
  READY,
  type Readiness,
  type Route,
  type Subscriber,
  type Subscription,
} from '../../core/subscription.ts';
import { parseShared } from '../../core/topic-filter.ts';
import { TimerEntry, type TimerWheel } from '../../timing/timer-wheel.ts';
import type { Connection } from '../../transport/connection.ts';
import { Inflight, type Kept, QOS_1, QOS_2, RELEASED, SENT } from './inflight.ts';
import { type Will, willMessage } from './will.ts';
import { MQTT_5, type ProtocolLevel } from './wire/control-packet.ts';
import { PACKET_IDENTIFIER_NOT_FOUND, protocolError } from './wire/reason-code.ts';
import { locateFrame } from './wire-forms.ts';

/**
 * A frame from this size on, in bytes, that has more than one receiver is sent as a patched head and a reference to the payload that they
 * share. The first receiver gets a copy all the same: often it is the only one, and copying to where it leaves from is the least to do.
 */
const SHARED_PAYLOAD_SIZE_MIN = 4_096;

/** Where the frame of the message that is being sent is; read and used at once. */
const frame = new FrameCursor();

/** Bytes on a connection beyond which queued messages wait for it to drain: enough to keep a fast reader busy, little for a slow one. */
const SEND_AHEAD_BYTES = 1024 * 1024;

/** Session Expiry Interval that means "never". MQTT 5.0 section 3.1.2.11.2. */
export const NEVER_EXPIRES = 0xffff_ffff;

/** The connection that a session has at present. */
export interface SessionLink {
  readonly broker: Broker;
  readonly connection: Connection;
  readonly level: ProtocolLevel;
  /** Largest packet that the client accepts, in bytes. */
  readonly maximumPacketSize: number;
  /** Unacknowledged QoS 1 and 2 messages that the client accepts. */
  readonly inflightMax: number;
  /** The client id has a newer connection: tell the client and close. */
  takenOver(): void;
}

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
    this.identifiers = subscription.identifier === 0 ? [] : [subscription.identifier];
    this.next = 0;
  }
}

/**
 * One client's state: subscriptions, messages in flight and waiting, QoS 2 identifiers. It may outlive its connections.
 *
 *     PUBLISH ──► (PUBACK) ── done                                             QoS 1
 *     PUBLISH ──► (PUBREC) ── released: PUBREL ──► (PUBCOMP) ── done           QoS 2
 */
export class MqttSession implements Session, Subscriber {
  static readonly #willIsDue = (session: MqttSession): void => session.#publishWill();
  static readonly #hasExpired = (session: MqttSession): void => session.#expire();
  readonly kind = 'client';
  readonly clientId: string;
  readonly publisher: Publisher;
  claimedAt: Stamp;
  /** Seconds that the session lives without a connection; NEVER_EXPIRES. */
  expiryInterval = 0;
  readonly subscriptions = new Map<string, Subscription>();
  /** Packet Identifiers of QoS 2 messages received and not yet released. */
  readonly received = new Set<number>();
  readonly #broker: Broker;
  readonly #timers: TimerWheel;
  #link: SessionLink | null = null;
  readonly #inflight = new Inflight();
  /** How many of them count against the client's Receive Maximum. */
  #window = 0;
  /** Packet Identifiers in flight that the present connection has still to be sent again. They go before the queue. */
  readonly #resends = new Fifo<number>();
  readonly #queue = new Fifo<Kept | Replay>();
  /** Those in the queue, by topic filter. */
  readonly #replays = new Map<string, Replay>();
  /** Messages kept in flight and in the queue, in bytes. */
  #heldBytes = 0;
  #dropping = false;
  #pendingWill: Will | null = null;
  readonly #willTimer = new TimerEntry<MqttSession>(this, MqttSession.#willIsDue);
  readonly #expiryTimer = new TimerEntry<MqttSession>(this, MqttSession.#hasExpired);

  constructor(clientId: string, broker: Broker, timers: TimerWheel, claimedAt: Stamp) {
    this.clientId = clientId;
    this.publisher = { id: clientId, kind: 'client' };
    this.#broker = broker;
    this.#timers = timers;
    this.claimedAt = claimedAt;
  }

  get id(): string {
    return this.clientId;
  }

  get connected(): boolean {
    return this.#link !== null;
  }

  /** null while the client is away. */
  get connection(): Connection | null {
    return this.#link?.connection ?? null;
  }

  get readiness(): Readiness {
    const link = this.#link;
    if (link !== null && !this.#waiting && this.#roomForNew(link)) return READY;
    const { sessionQueueMessages, sessionQueueBytes } = this.#broker.limits;
    if (this.#queue.length >= sessionQueueMessages || this.#heldBytes >= sessionQueueBytes) return FULL;
    return link === null ? AWAY : BEHIND;
  }

  /** Retained messages on their way to a new subscription count as one. */
  get queued(): number {
    return this.#queue.length;
  }

  get inflight(): number {
    return this.#inflight.size;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Gives the session a new connection. Call `resume` after CONNACK. */
  attach(link: SessionLink, claimedAt: Stamp): void {
    this.#link = link;
    this.#broker.counters.clientConnected();
    this.claimedAt = claimedAt;
    this.#dropping = false;
    this.#timers.cancel(this.#expiryTimer);
    this.#timers.cancel(this.#willTimer);
    this.#tellGroups();
    this.#pendingWill = null; // [MQTT-3.1.3-9] a new connection before the delay has passed: the will is not sent
  }

  /**
   * Sends again what the last connection left unacknowledged, in order and as far as the client's window allows [MQTT-4.4.0-1]
   * [MQTT-3.3.4-9], then what waited.
   */
  resume(): void {
    const link = this.#link!;
    // [MQTT-4.6.0-1]
    for (const packetIdentifier of this.#inflight.inOrder()) {
      if ((this.#inflight.stateOf(packetIdentifier) & RELEASED) !== 0) this.#sendAcknowledgement(link, 0x62, packetIdentifier, 0);
      else this.#resends.push(packetIdentifier);
    }
    this.#pump();
  }

  /**
   * The connection has gone.
   * @param will to be published after its delay or when the session ends, whichever is first [MQTT-3.1.2-8]; null: none
   */
  detach(link: SessionLink, will: Will | null): void {
    if (this.#link !== link) return;
    this.#link = null;
    this.#broker.counters.clientsConnected--;
    this.#resends.clear();
    this.#window = 0; // a window is a connection's: section 4.9
    this.#inflight.clearSent();
    this.#pendingWill = will;
    if (this.expiryInterval === 0) {
      this.discard(); // [MQTT-4.1.0-2]
      return;
    }
    // The session stays, with what comes for it [MQTT-3.1.2-23].
    this.#tellGroups();
    if (will !== null) {
      if (will.delayInterval === 0) this.#publishWill();
      else this.#timers.schedule(this.#willTimer, will.delayInterval * 1000);
    }
    if (this.expiryInterval !== NEVER_EXPIRES) this.#timers.schedule(this.#expiryTimer, this.expiryInterval * 1000);
  }

  takeOver(): void {
    this.#link?.takenOver();
  }

  /** Ends the session; a connection that it has ends first [MQTT-4.1.0-1]. */
  discard(): void {
    this.#link?.takenOver();
    this.#timers.cancel(this.#expiryTimer);
    this.#timers.cancel(this.#willTimer);
    const undelivered = this.#undelivered();
    for (const subscription of this.subscriptions.values()) this.#broker.router.unsubscribe(subscription.filter, subscription.group, this);
    this.subscriptions.clear();
    this.received.clear();
    this.#inflight.clear();
    this.#queue.clear();
    this.#replays.clear();
    this.#heldBytes = 0;
    this.#broker.sessions.delete(this);
    for (const { message, group } of undelivered) this.#broker.reassign(message, group!);
    this.#publishWill(); // the session ends: its will is due [MQTT-3.1.2-8]
  }

  #expire(): void {
    this.#broker.counters.sessionsExpired++;
    this.discard();
  }

  /** The broker stops: this client is no member of a group any more. */
  leaveGroups(): void {
    for (const { filter, group } of this.subscriptions.values()) if (group !== null) this.#broker.router.unsubscribe(filter, group, this);
  }

  /** After that: what waits for it by groups that have members at other brokers goes there. */
  handOverGroups(): void {
    for (let waiting = this.#queue.length; waiting > 0; waiting--) {
      const entry = this.#queue.shift()!;
      if (entry instanceof Replay || entry.group === null || !this.#broker.hasMembers(entry.group)) {
        this.#queue.push(entry);
      } else {
        this.#heldBytes -= entry.message.size;
        this.#broker.reassign(entry.message, entry.group);
      }
    }
  }

  /** @param filter as sent, `$share/...` included; valid. @returns whether the subscription is new */
  subscribe(filter: string, qos: QoS, noLocal: boolean, retainAsPublished: boolean, identifier: number): boolean {
    const shared = parseShared(filter);
    const subscription: Subscription = {
      filter: shared.filter,
      group: shared.group,
      subscriber: this,
      qos,
      noLocal,
      retainAsPublished,
      identifier,
    };
    this.subscriptions.set(filter, subscription);
    return this.#broker.subscribe(subscription) === null;
  }

  /**
   * What is in flight or waits by the subscription goes on to the client [MQTT-3.10.4-3].
   * @returns whether there was such a subscription
   */
  unsubscribe(filter: string): boolean {
    const subscription = this.subscriptions.get(filter);
    if (!subscription) return false;
    this.subscriptions.delete(filter);
    this.#broker.router.unsubscribe(subscription.filter, subscription.group, this); // [MQTT-3.10.4-2]
    return true;
  }

  deliver(message: Message, route: Route): void {
    const qos = message.qos < route.qos ? message.qos : route.qos; // [MQTT-3.8.4-8]
    const retain = route.retainAsPublished && message.retain; // [MQTT-3.3.1-12] [MQTT-3.3.1-13]
    const link = this.#link;
    if (qos !== 0) {
      this.#offer(message, qos, retain, route.identifiers, route.group);
    } else if (link !== null) {
      if (link.connection.queuedBytes > this.#broker.limits.connectionQueueBytes) this.#drop('connectionQueueBytes');
      else this.#send(link, message, 0, retain, route.identifiers, 0, false);
    }
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

  /**
   * PUBACK: a QoS 1 message is done, and not before [MQTT-4.3.2-3]. An identifier that is not known is ignored.
   * @throws ProtocolError MQTT_PROTOCOL_ERROR
   */
  acknowledged(packetIdentifier: number): void {
    const state = this.#inflight.stateOf(packetIdentifier);
    if (state === 0) return;
    if ((state & QOS_1) === 0) throw protocolError(`PUBACK for a message of QoS 2, Packet Identifier ${packetIdentifier}`);
    this.#done(packetIdentifier, state);
  }

  /**
   * PUBREC: a QoS 2 message has arrived, or is refused.
   * @throws ProtocolError MQTT_PROTOCOL_ERROR
   */
  receivedByClient(packetIdentifier: number, reasonCode: number): void {
    const link = this.#link!;
    const state = this.#inflight.stateOf(packetIdentifier);
    if (state === 0) {
      this.#sendAcknowledgement(link, 0x62, packetIdentifier, PACKET_IDENTIFIER_NOT_FOUND);
      return;
    }
    if ((state & QOS_2) === 0) throw protocolError(`PUBREC for a message of QoS 1, Packet Identifier ${packetIdentifier}`);
    if (reasonCode >= 0x80) {
      this.#done(packetIdentifier, state); // [MQTT-4.4.0-2]
      return;
    }
    if ((state & RELEASED) === 0) {
      // Released, not sent again [MQTT-4.3.3-3] [MQTT-4.3.3-6]. After a reconnect PUBREL packets leave in the order of these calls again [MQTT-4.6.0-4].
      this.#letGo(packetIdentifier);
      this.#inflight.release(packetIdentifier, state);
    }
    this.#sendAcknowledgement(link, 0x62, packetIdentifier, 0); // [MQTT-4.3.3-4]
  }

  /**
   * PUBCOMP: a QoS 2 message is done, and not before [MQTT-4.3.3-5]. An identifier that is not known is ignored.
   * @throws ProtocolError MQTT_PROTOCOL_ERROR
   */
  completed(packetIdentifier: number): void {
    const state = this.#inflight.stateOf(packetIdentifier);
    if (state === 0) return;
    if ((state & RELEASED) === 0) throw protocolError(`PUBCOMP before PUBREC, Packet Identifier ${packetIdentifier}`);
    this.#done(packetIdentifier, state);
  }

  /** The connection has drained. */
  onDrain(): void {
    this.#dropping = false;
    if (this.#waiting) this.#pump();
  }

  /** The groups that it is a member of pass it over while it is away. */
  #tellGroups(): void {
    for (const { filter, group } of this.subscriptions.values()) if (group !== null) this.#broker.router.group(filter, group)?.moved(this);
  }

  /**
   * What other members of its groups get when the session ends: of QoS 1 what has not been acknowledged, and what has not been sent. A
   * message of QoS 2 that has been sent is this client's or nobody's [MQTT-4.8.2-5].
   */
  #undelivered(): Kept[] {
    const found: Kept[] = [];
    for (const packetIdentifier of this.#inflight.inOrder()) {
      const kept = this.#inflight.keptOf(packetIdentifier);
      if (kept !== null && kept.group !== null && kept.qos === 1) found.push(kept);
    }
    for (let entry = this.#queue.shift(); entry !== undefined; entry = this.#queue.shift())
      if (!(entry instanceof Replay) && entry.group !== null) found.push(entry);
    return found;
  }

  get #waiting(): boolean {
    return this.#queue.length > 0 || this.#resends.length > 0;
  }

  #done(packetIdentifier: number, state: number): void {
    this.#letGo(packetIdentifier);
    this.#inflight.delete(packetIdentifier);
    if ((state & SENT) !== 0) this.#window--;
    if (this.#waiting) this.#pump();
  }

  /** The message with this identifier, if it is kept, is held no longer. */
  #letGo(packetIdentifier: number): void {
    const kept = this.#inflight.keptOf(packetIdentifier);
    if (kept !== null) this.#heldBytes -= kept.message.size;
  }

  /** A QoS 1 or 2 message: sent now, or queued behind those that wait [MQTT-4.5.0-1] [MQTT-4.6.0-5] [MQTT-4.6.0-6]. */
  #offer(message: Message, qos: QoS, retain: boolean, identifiers: readonly number[], group: SharedGroup | null): void {
    const link = this.#link;
    if (link !== null && !this.#waiting && this.#roomForNew(link)) {
      if (this.#keepsInflight(qos, group) && !this.#hold(message)) return;
      this.#transmit(link, message, qos, retain, identifiers, group);
      return;
    }
    if (this.#queue.length >= this.#broker.limits.sessionQueueMessages) {
      this.#drop('sessionQueueMessages');
      return;
    }
    if (this.#hold(message)) this.#queue.push({ message: message.keep(), qos, retain, identifiers, group });
  }

  /** Counts a message as held. @returns false when there is no room for it: it is dropped */
  #hold(message: Message): boolean {
    const size = message.size;
    if (this.#heldBytes + size > this.#broker.limits.sessionQueueBytes) {
      this.#drop('sessionQueueBytes');
      return false;
    }
    this.#heldBytes += size;
    return true;
  }

  /**
   * A session that ends with its connection sends nothing a second time, and keeps nothing that it would send again; but what another
   * member of a group would get then.
   */
  #keepsInflight(qos: QoS, group: SharedGroup | null): boolean {
    return this.expiryInterval !== 0 || (group !== null && qos === 1);
  }

  /** The client's window [MQTT-4.9.0-1] [MQTT-4.9.0-2]: nothing but QoS 1 and 2 messages waits for it [MQTT-3.3.4-10] [MQTT-4.9.0-3]. */
  #roomFor(link: SessionLink): boolean {
    return this.#window < link.inflightMax && link.connection.queuedBytes < SEND_AHEAD_BYTES;
  }

  /** Room for a message that needs a Packet Identifier of its own; what is sent again has one. */
  #roomForNew(link: SessionLink): boolean {
    return this.#inflight.size < this.#broker.limits.packetIdentifiers && this.#roomFor(link);
  }

  /**
   * Sends what waits, as far as the client's window and its connection allow. What has been sent once does not expire any more
   * [MQTT-4.3.3-7].
   */
  #pump(): void {
    const link = this.#link;
    if (link === null) return;
    while (this.#resends.length > 0 && this.#roomFor(link)) this.#resend(link, this.#resends.shift()!);
    if (this.#resends.length > 0) return;
    while (this.#queue.length > 0 && this.#roomForNew(link)) {
      const first = this.#queue.peek()!;
      if (first instanceof Replay) {
        if (first.next < first.messages.length) this.#replayNext(link, first);
        if (first.next >= first.messages.length) {
          this.#queue.shift();
          this.#replays.delete(first.filter);
        }
      } else {
        this.#queue.shift();
        const { message, qos, retain, identifiers, group } = first;
        const expired = message.expiresAtMs !== 0 && message.expiresAtMs <= this.#broker.wallNow(); // [MQTT-3.3.2-5]
        if (expired || !this.#keepsInflight(qos, group)) this.#heldBytes -= message.size;
        if (!expired) this.#transmit(link, message, qos, retain, identifiers, group);
      }
    }
  }

  /** What has meanwhile been replaced, removed or has expired is left out: its successor reaches the subscription by itself. */
  #replayNext(link: SessionLink, replay: Replay): void {
    const message = replay.messages[replay.next++]!;
    if (this.#broker.retained.get(message.topic) !== message) return;
    const qos = message.qos < replay.qos ? message.qos : replay.qos;
    if (qos === 0) {
      this.#send(link, message, 0, true, replay.identifiers, 0, false);
    } else {
      if (this.#keepsInflight(qos, null)) this.#heldBytes += message.size;
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
    if (this.#send(link, message, qos, retain, identifiers, packetIdentifier, false)) {
      this.#window++;
    } else {
      if (keeps) this.#heldBytes -= message.size;
      this.#inflight.delete(packetIdentifier);
    }
  }

  /** DUP says that it is sent again, and says nothing else [MQTT-3.3.1-1] [MQTT-3.3.1-3]. */
  #resend(link: SessionLink, packetIdentifier: number): void {
    const state = this.#inflight.stateOf(packetIdentifier);
    if (state === 0 || (state & RELEASED) !== 0) return; // the client has said meanwhile that it has it
    const { message, qos, retain, identifiers } = this.#inflight.keptOf(packetIdentifier)!;
    if (this.#send(link, message, qos, retain, identifiers, packetIdentifier, true)) {
      this.#inflight.setState(packetIdentifier, state | SENT);
      this.#window++;
    } else {
      this.#letGo(packetIdentifier);
      this.#inflight.delete(packetIdentifier);
    }
  }

  /** @returns false when the packet is larger than the client accepts: it is then as if it had been sent [MQTT-3.1.2-25] */
  #send(
    link: SessionLink,
    message: Message,
    qos: QoS,
    retain: boolean,
    identifiers: readonly number[],
    packetIdentifier: number,
    dup: boolean,
  ): boolean {
    const connection = link.connection;
    const wallMs = message.expiresAtMs === 0 ? 0 : this.#broker.wallNow();
    locateFrame(message, link.level, qos, identifiers, wallMs, frame);
    const size = frame.end - frame.start;
    if (size > link.maximumPacketSize) {
      this.#drop('maximumPacketSize');
      return false;
    }
    let copied = size;
    if (size >= SHARED_PAYLOAD_SIZE_MIN && message.sends++ > 0) {
      if (message.borrowed) {
        message.keep();
        locateFrame(message, link.level, qos, identifiers, wallMs, frame);
      }
      copied = size - message.payloadLength;
    }
    const { counters } = this.#broker;
    counters.publishSent[qos]++;
    counters.publishBytesSent += message.payloadLength;
    const at = connection.reserve(copied);
    const output = connection.output;
    frame.buffer.copy(output, at, frame.start, frame.start + copied);
    // [MQTT-4.3.1-1] [MQTT-4.3.2-2] [MQTT-4.3.3-2]
    output[at] = 0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0);
    if (qos !== 0) {
      output[at + frame.packetIdentifierAt] = packetIdentifier >> 8;
      output[at + frame.packetIdentifierAt + 1] = packetIdentifier & 255;
    }
    if (copied < size) connection.write(frame.buffer.subarray(frame.start + copied, frame.end));
    return true;
  }

  /** PUBREL and its kin: four bytes, five with a reason (MQTT 5 only). */
  #sendAcknowledgement(link: SessionLink, header: number, packetIdentifier: number, reasonCode: number): void {
    writeAcknowledgement(link, header, packetIdentifier, reasonCode);
  }

  #publishWill(): void {
    const will = this.#pendingWill;
    if (will === null) return;
    this.#pendingWill = null; // [MQTT-3.1.2-10]; a client without a will has none here [MQTT3-3.1.2-12]
    this.#timers.cancel(this.#willTimer);
    this.#broker.publish(willMessage(will, this.publisher, this.#broker.wallNow()));
  }

  /**
   * Counts a message that this client does not get; the log has one line until messages flow again. ![MQTT-4.5.0-1]: beyond the bounds on
   * what waits for one client (`Limits.sessionQueueMessages`, `sessionQueueBytes`) the newest messages are dropped.
   */
  #drop(limit: DropReason): void {
    this.#broker.counters.drop(limit);
    if (this.#dropping) return;
    this.#dropping = true;
    this.#broker.log.warn('messages for a client are dropped', { clientId: this.clientId, limit });
  }
}

/**
 * Writes PUBACK, PUBREC, PUBREL or PUBCOMP with the identifier of its message [MQTT-2.2.1-5]. A reason of 0 is left out (MQTT 5.0 section
 * 3.4.2.1), versions before 5 have none. There is never a Reason String or a user property: [MQTT-3.4.2-2] [MQTT-3.4.2-3] [MQTT-3.5.2-2]
 * [MQTT-3.5.2-3] [MQTT-3.6.2-2] [MQTT-3.6.2-3] [MQTT-3.7.2-2] [MQTT-3.7.2-3] [MQTT-3.1.2-29].
 */
export function writeAcknowledgement(link: SessionLink, header: number, packetIdentifier: number, reasonCode: number): void {
  const { connection } = link;
  const reason = reasonCode !== 0 && link.level === MQTT_5;
  link.broker.counters.answersSent++;
  const at = connection.reserve(reason ? 5 : 4);
  const output = connection.output;
  output[at] = header;
  output[at + 1] = reason ? 3 : 2;
  output[at + 2] = packetIdentifier >> 8;
  output[at + 3] = packetIdentifier & 255;
  if (reason) output[at + 4] = reasonCode;
}
