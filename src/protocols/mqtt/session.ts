import type { Broker } from '../../core/broker.ts';
import { Fifo } from '../../core/fifo.ts';
import type { Stamp } from '../../core/hybrid-clock.ts';
import type { Message, QoS } from '../../core/message.ts';
import type { Session } from '../../core/ports.ts';
import type { Route, Subscriber, Subscription } from '../../core/subscription.ts';
import { parseShared } from '../../core/topic-filter.ts';
import { TimerEntry, type TimerWheel } from '../../timing/timer-wheel.ts';
import type { Connection } from '../../transport/connection.ts';
import { MQTT_5, type ProtocolLevel } from './wire/control-packet.ts';
import { PACKET_IDENTIFIER_NOT_FOUND } from './wire/reason-code.ts';
import { publishFrame } from './wire-forms.ts';

/** A frame from this size on, in bytes, is sent as a patched head and a reference to the payload that all receivers share. */
const SHARED_PAYLOAD_SIZE_MIN = 4_096;

/** Bytes on a connection beyond which queued messages wait for it to drain: enough to keep a fast reader busy, little for a slow one. */
const SEND_AHEAD_BYTES = 1024 * 1024;

/** Session Expiry Interval that means "never". MQTT 5.0 section 3.1.2.11.2. */
export const NEVER_EXPIRES = 0xffff_ffff;

/** The connection that a session has at present. */
export interface SessionLink {
  readonly connection: Connection;
  readonly level: ProtocolLevel;
  /** Largest packet that the client accepts, in bytes. */
  readonly maximumPacketSize: number;
  /** Unacknowledged QoS 1 and 2 messages that the client accepts. */
  readonly inflightMax: number;
  /** The client id has a newer connection: tell the client and close. */
  takenOver(): void;
}

/** A message on its way to the client, until it is acknowledged. */
interface Inflight {
  readonly message: Message;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly identifiers: readonly number[];
  /** QoS 2: PUBREC came, PUBREL was sent. */
  released: boolean;
}

interface Queued {
  readonly message: Message;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly identifiers: readonly number[];
}

/** Retained messages on their way to a new subscription, sent as fast as the client reads. */
interface Replay {
  readonly messages: readonly Message[];
  readonly qos: QoS;
  readonly identifiers: readonly number[];
  next: number;
}

/**
 * One client's state: subscriptions, messages in flight and waiting, QoS 2 identifiers. It may outlive its connections.
 *
 * Outgoing QoS 2:   PUBLISH ──► (PUBREC) ── released: PUBREL ──► (PUBCOMP) ── done
 */
export class MqttSession implements Session, Subscriber {
  readonly kind = 'client';
  readonly clientId: string;
  claimedAt: Stamp;
  /** Seconds that the session lives without a connection; NEVER_EXPIRES. */
  expiryInterval = 0;
  readonly subscriptions = new Map<string, Subscription>();
  /** Packet Identifiers of QoS 2 messages received and not yet released. */
  readonly received = new Set<number>();
  readonly #broker: Broker;
  readonly #timers: TimerWheel;
  #link: SessionLink | null = null;
  #inflight = new Map<number, Inflight>();
  #lastPacketIdentifier = 0;
  readonly #queue = new Fifo<Queued>();
  #queueBytes = 0;
  #dropping = false;
  #replays: Replay[] = [];
  #pendingWill: Message | null = null;
  readonly #willTimer = new TimerEntry<MqttSession>(this, (session) => session.#publishWill());
  readonly #expiryTimer = new TimerEntry<MqttSession>(this, (session) => session.discard());

  constructor(clientId: string, broker: Broker, timers: TimerWheel, claimedAt: Stamp) {
    this.clientId = clientId;
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

  /** QoS 1 and 2 messages waiting or unacknowledged. */
  get pending(): number {
    return this.#queue.length + this.#inflight.size;
  }

  /** Gives the session a new connection. Call `resume` after CONNACK. */
  attach(link: SessionLink, claimedAt: Stamp): void {
    this.#link = link;
    this.claimedAt = claimedAt;
    this.#timers.cancel(this.#expiryTimer);
    this.#timers.cancel(this.#willTimer);
    this.#pendingWill = null; // [MQTT-3.1.3-9] a new connection before the delay has passed: the will is not sent
  }

  /** Sends again what the last connection left unacknowledged, in order [MQTT-4.4.0-1] [MQTT-4.6.0-1], then what waited. */
  resume(): void {
    const link = this.#link!;
    for (const [packetIdentifier, entry] of this.#inflight) {
      if (entry.released) this.#sendAcknowledgement(link, 0x62, packetIdentifier, 0);
      else if (!this.#send(link, entry.message, entry.qos, entry.retain, entry.identifiers, packetIdentifier, true))
        this.#inflight.delete(packetIdentifier);
    }
    this.#pump();
  }

  /**
   * The connection has gone.
   * @param will to be published, after `willDelayS` seconds or when the session ends, whichever is first [MQTT-3.1.2-8]; null: none
   */
  detach(link: SessionLink, will: Message | null, willDelayS: number): void {
    if (this.#link !== link) return;
    this.#link = null;
    this.#replays = [];
    this.#pendingWill = will;
    if (this.expiryInterval === 0) {
      this.discard();
      return;
    }
    if (will !== null) {
      if (willDelayS === 0) this.#publishWill();
      else this.#timers.schedule(this.#willTimer, willDelayS * 1000);
    }
    if (this.expiryInterval !== NEVER_EXPIRES) this.#timers.schedule(this.#expiryTimer, this.expiryInterval * 1000);
  }

  takeOver(): void {
    this.#link?.takenOver();
  }

  discard(): void {
    this.#link?.takenOver();
    this.#timers.cancel(this.#expiryTimer);
    this.#timers.cancel(this.#willTimer);
    for (const subscription of this.subscriptions.values()) this.#broker.router.unsubscribe(subscription.filter, subscription.group, this);
    this.subscriptions.clear();
    this.received.clear();
    this.#inflight.clear();
    this.#queue.clear();
    this.#queueBytes = 0;
    this.#replays = [];
    this.#broker.sessions.delete(this);
    this.#publishWill(); // the session ends: its will is due [MQTT-3.1.2-8]
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

  /** @returns whether there was such a subscription */
  unsubscribe(filter: string): boolean {
    const subscription = this.subscriptions.get(filter);
    if (!subscription) return false;
    this.subscriptions.delete(filter);
    this.#broker.router.unsubscribe(subscription.filter, subscription.group, this);
    return true;
  }

  deliver(message: Message, route: Route): void {
    const qos = message.qos < route.qos ? message.qos : route.qos; // [MQTT-3.8.4-8]
    const retain = route.retainAsPublished && message.retain; // [MQTT-3.3.1-12] [MQTT-3.3.1-13]
    const link = this.#link;
    if (qos !== 0) {
      this.#offer(message, qos, retain, route.identifiers);
    } else if (link !== null) {
      if (link.connection.queuedBytes > this.#broker.limits.connectionQueueBytes) this.#drop('connectionQueueBytes');
      else this.#send(link, message, 0, retain, route.identifiers, 0, false);
    }
  }

  /** Sends a subscription's retained messages, RETAIN set [MQTT-3.3.1-8]. */
  replay(messages: readonly Message[], subscription: Subscription): void {
    if (messages.length === 0) return;
    const identifiers = subscription.identifier === 0 ? [] : [subscription.identifier];
    this.#replays.push({ messages, qos: subscription.qos, identifiers, next: 0 });
    this.#pump();
  }

  /** PUBACK, or PUBCOMP: the message is done. An identifier that is not known is ignored. */
  acknowledge(packetIdentifier: number): void {
    if (this.#inflight.delete(packetIdentifier) && (this.#queue.length > 0 || this.#replays.length > 0)) this.#pump();
  }

  /** PUBREC. */
  receivedByClient(packetIdentifier: number, reasonCode: number): void {
    const link = this.#link!;
    const entry = this.#inflight.get(packetIdentifier);
    if (entry === undefined) {
      this.#sendAcknowledgement(link, 0x62, packetIdentifier, PACKET_IDENTIFIER_NOT_FOUND);
    } else if (reasonCode >= 0x80) {
      this.acknowledge(packetIdentifier); // [MQTT-4.3.3-4] refused: done
    } else {
      entry.released = true;
      this.#sendAcknowledgement(link, 0x62, packetIdentifier, 0);
    }
  }

  /** The connection has drained. */
  onDrain(): void {
    this.#dropping = false;
    if (this.#queue.length > 0 || this.#replays.length > 0) this.#pump();
  }

  /** A QoS 1 or 2 message: sent now, or queued behind those that wait. */
  #offer(message: Message, qos: QoS, retain: boolean, identifiers: readonly number[]): void {
    const link = this.#link;
    if (link !== null && this.#queue.length === 0 && this.#roomFor(link)) {
      this.#transmit(link, message, qos, retain, identifiers);
      return;
    }
    const limits = this.#broker.limits;
    const size = message.payloadLength;
    if (this.#queue.length >= limits.sessionQueueMessages) {
      this.#drop('sessionQueueMessages');
      return;
    }
    if (this.#queueBytes + size > limits.sessionQueueBytes) {
      this.#drop('sessionQueueBytes');
      return;
    }
    this.#queue.push({ message: message.keep(), qos, retain, identifiers });
    this.#queueBytes += size;
  }

  #roomFor(link: SessionLink): boolean {
    return this.#inflight.size < link.inflightMax && link.connection.queuedBytes < SEND_AHEAD_BYTES;
  }

  /** Sends what waits, as far as the client's window and its connection allow. */
  #pump(): void {
    const link = this.#link;
    if (link === null) return;
    while (this.#queue.length > 0 && this.#roomFor(link)) {
      const { message, qos, retain, identifiers } = this.#queue.shift()!;
      this.#queueBytes -= message.payloadLength;
      if (message.expiresAtMs !== 0 && message.expiresAtMs <= this.#broker.wallNow()) continue; // [MQTT-3.3.2-5]
      this.#transmit(link, message, qos, retain, identifiers);
    }
    while (this.#replays.length > 0 && link.connection.queuedBytes < SEND_AHEAD_BYTES && this.#inflight.size < link.inflightMax) {
      const replay = this.#replays[0]!;
      const message = replay.messages[replay.next++]!;
      if (replay.next === replay.messages.length) this.#replays.shift();
      const qos = message.qos < replay.qos ? message.qos : replay.qos;
      if (qos === 0) this.#send(link, message, 0, true, replay.identifiers, 0, false);
      else this.#transmit(link, message, qos, true, replay.identifiers);
    }
  }

  #transmit(link: SessionLink, message: Message, qos: QoS, retain: boolean, identifiers: readonly number[]): void {
    const packetIdentifier = this.#nextPacketIdentifier();
    if (this.#send(link, message, qos, retain, identifiers, packetIdentifier, false))
      this.#inflight.set(packetIdentifier, { message: message.keep(), qos, retain, identifiers, released: false });
  }

  /** The next identifier not in use [MQTT-2.2.1-4]. There is always one: the window is smaller than 65,535. */
  #nextPacketIdentifier(): number {
    do {
      this.#lastPacketIdentifier = this.#lastPacketIdentifier === 65_535 ? 1 : this.#lastPacketIdentifier + 1;
    } while (this.#inflight.has(this.#lastPacketIdentifier));
    return this.#lastPacketIdentifier;
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
    let frame = publishFrame(message, link.level, qos, identifiers, wallMs);
    const size = frame.end - frame.start;
    if (size > link.maximumPacketSize) {
      this.#drop('maximumPacketSize');
      return false;
    }
    let copied = size;
    if (size >= SHARED_PAYLOAD_SIZE_MIN) {
      if (message.borrowed) {
        message.keep();
        frame = publishFrame(message, link.level, qos, identifiers, wallMs);
      }
      copied = size - message.payloadLength;
    }
    const at = connection.reserve(copied);
    const output = connection.output;
    frame.buffer.copy(output, at, frame.start, frame.start + copied);
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
    writeAcknowledgement(link.connection, link.level, header, packetIdentifier, reasonCode);
  }

  #publishWill(): void {
    const will = this.#pendingWill;
    if (will === null) return;
    this.#pendingWill = null;
    this.#timers.cancel(this.#willTimer);
    this.#broker.publish(will);
  }

  /** Counts a message that this client does not get; the log has one line until messages flow again. */
  #drop(limit: string): void {
    this.#broker.counters.dropped++;
    if (this.#dropping) return;
    this.#dropping = true;
    this.#broker.log.warn('messages for a client are dropped', { clientId: this.clientId, limit });
  }
}

/** Writes PUBACK, PUBREC, PUBREL or PUBCOMP. A reason of 0 is left out [MQTT 5.0 section 3.4.2.1]; versions before 5 have none. */
export function writeAcknowledgement(
  connection: Connection,
  level: ProtocolLevel,
  header: number,
  packetIdentifier: number,
  reasonCode: number,
): void {
  const reason = reasonCode !== 0 && level === MQTT_5;
  const at = connection.reserve(reason ? 5 : 4);
  const output = connection.output;
  output[at] = header;
  output[at + 1] = reason ? 3 : 2;
  output[at + 2] = packetIdentifier >> 8;
  output[at + 3] = packetIdentifier & 255;
  if (reason) output[at + 4] = reasonCode;
}
