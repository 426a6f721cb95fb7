import type { Broker } from '../../core/broker.ts';
import { Message, type MessageProperties } from '../../core/message.ts';
import { topicNameFault } from '../../core/topic-filter.ts';
import type { Gauge } from '../../core/usage.ts';
import type { Facts } from '../../telemetry/log.ts';
import type { TimerWheel } from '../../timing/timer-wheel.ts';
import type { ConnectorOptions } from '../protocol.ts';
import { LimitError, topicNameError } from './limit-error.ts';
import { isReserved, MQTT_5_PROPERTIES, messageProperties } from './message-properties.ts';
import { ParkedPublishes } from './parked-publishes.ts';
import { NO_ROOM, type PauseReason, type Reading } from './reading.ts';
import type { MqttSession } from './session.ts';
import { UNKNOWN_POSITION } from './session-link.ts';
import { InboundAliases } from './topic-alias.ts';
import { writeRefusal } from './wire/acknowledgement.ts';
import { MQTT_5, type ProtocolLevel, variableByteLength } from './wire/control-packet.ts';
import { PublishView } from './wire/publish.ts';
import {
  NO_MATCHING_SUBSCRIBERS,
  NOT_AUTHORIZED,
  PACKET_IDENTIFIER_NOT_FOUND,
  protocolError,
  QUOTA_EXCEEDED,
  RECEIVE_MAXIMUM_EXCEEDED,
  SUCCESS,
} from './wire/reason-code.ts';
import { arrivedForm } from './wire-forms.ts';

/** Reason Strings of publications that are refused. */
const RESERVED_TOPIC = 'this topic is not for clients to publish to';
const RETAINED_FULL = 'delivered, but not kept: there is no room for more retained messages';
const NO_SPACE = 'not published: a limit of what this broker keeps is reached';

/** The connection that a client publishes on. */
export interface PublishingLink {
  readonly broker: Broker;
  readonly options: ConnectorOptions;
  readonly level: ProtocolLevel;
  /** Whether the session is older than this connection: both sides may then repeat what the other has already done with. */
  readonly resumed: boolean;
  readonly closed: boolean;
  readonly reading: Reading;
  readonly protocol: { readonly timers: TimerWheel };
  /** What the log says of it. */
  facts(): Facts;
  /** Does for the client what happens outside its input. */
  guard(action: () => void): void;
  resumeReading(reason: PauseReason): void;
  disconnect(reasonCode: number, reasonString: string | null): void;
  /** See `SessionLink.promise`. */
  promise(before: number, header: number, packetIdentifier: number, reasonCode: number): void;
  replyDurable(before: number, packet: Buffer): void;
  withReason(reason: string | null, write: (reasonString: string | null) => Buffer): Buffer;
}

/**
 * What one client publishes on one connection: from the bytes of a PUBLISH to the broker, and back with PUBACK, PUBREC and PUBCOMP.
 */
export class Publishing {
  readonly #link: PublishingLink;
  readonly #view = new PublishView();
  /** [MQTT-3.3.2-7] */
  #aliases: InboundAliases | null = null;
  /** The topic that was last found valid: a client mostly publishes to one. */
  #lastTopic: string | null = null;
  #lastReserved = false;
  /** PUBLISH packets that there is no room for; null: none wait. */
  #parked: ParkedPublishes | null = null;
  /** QoS 2 messages that came on this connection and are not released. */
  #unreleased = 0;

  constructor(link: PublishingLink) {
    this.#link = link;
  }

  /** PUBLISH. @throws ProtocolError */
  onPublish(session: MqttSession, buffer: Buffer, packetStart: number, start: number, end: number): void {
    if (this.#parked !== null) {
      this.#parked.add(buffer, packetStart, start, end); // in order [MQTT-4.6.0-2]
      return;
    }
    const lacking = this.#publish(session, buffer, packetStart, start, end);
    if (lacking !== null) this.#holdBack(session, lacking, buffer, packetStart, start, end);
  }

  /** The topic that was published to last. */
  get topic(): string {
    return this.#lastTopic ?? '';
  }

  /**
   * Publishes a packet that was parked, if there is room.
   * @param start where its Remaining Length ends
   * @returns the limit that is in the way still; null: it is done with
   * @throws ProtocolError
   */
  publishParked(session: MqttSession, packet: Buffer, start: number): Gauge | null {
    return this.#publish(session, packet, 0, start, packet.length);
  }

  /** Refuses a packet that was parked. @throws ProtocolError */
  refuseParked(session: MqttSession, packet: Buffer, start: number): void {
    const lacking = this.publishParked(session, packet, start);
    if (lacking !== null) this.#refuse(lacking);
  }

  /** All that was parked is published. */
  nothingParked(): void {
    this.#parked = null;
    this.#link.resumeReading(NO_ROOM);
  }

  /** The client has waited for too long with what it wants to publish. */
  letGo(): void {
    this.#link.disconnect(QUOTA_EXCEEDED, NO_SPACE);
  }

  /** The connection has gone. */
  stop(): void {
    this.#parked?.drop();
    this.#parked = null;
  }

  /** @returns the limit that leaves no room for the packet, which is read and no more then; null: it is published, or done with */
  #publish(session: MqttSession, buffer: Buffer, packetStart: number, start: number, end: number): Gauge | null {
    const link = this.#link;
    const { broker, level } = link;
    const view = this.#view;
    view.read(buffer, buffer[packetStart]!, start, end, level);
    const p = view.properties;
    const topic = p === null || p.topicAlias === null ? view.topic : this.#resolveAlias(view.topic, p.topicAlias);
    if (topic !== this.#lastTopic) this.#checkTopic(topic);
    if (broker.usage.isShort) {
      const lacking = this.#lacking(session, end);
      if (lacking !== null) return lacking;
    }
    let properties: MessageProperties | null = null;
    let expiresAtMs = 0;
    if (p !== null) {
      if (p.subscriptionIdentifiers !== null) throw protocolError('a client may not send a Subscription Identifier [MQTT-3.3.4-6]');
      properties = messageProperties(p);
      if (p.messageExpiryInterval !== null) expiresAtMs = broker.wallNow() + p.messageExpiryInterval * 1000;
    }
    const qos = view.qos;
    const { counters } = broker;
    counters.publishReceived[qos]++;
    counters.publishBytesReceived += end - view.payloadStart;
    if (qos === 2 && !this.#admitQoS2(session, view.packetIdentifier)) return null;
    if (this.#lastReserved) {
      // What is not for clients to publish to: refused in MQTT 5, acknowledged before, and it goes nowhere.
      if (qos === 0) return null;
      const before = broker.store.position;
      if (qos === 2) session.addReceived(view.packetIdentifier);
      this.#acknowledge(session, qos, view.packetIdentifier, NOT_AUTHORIZED, before);
      return null;
    }
    const message = new Message(
      topic,
      qos,
      view.retain,
      buffer,
      view.payloadStart,
      end,
      true,
      properties,
      expiresAtMs,
      session.publisher,
      null,
    );
    if (view.forwardsProperties) message.setEncodedProperties(MQTT_5_PROPERTIES, view.propertiesStart);
    // What receivers may see as it came is encoded already. A Remaining Length with a byte too many is not passed on.
    if ((p === null || view.forwardsProperties) && start - packetStart === 1 + variableByteLength(end - start))
      message.setFrame(arrivedForm(level, qos), packetStart, qos === 0 ? 0 : view.propertiesStart - 2 - packetStart);
    // An identifier of QoS 1 is not remembered: it may come again with another message [MQTT-4.3.2-5].
    if (qos === 0) {
      broker.publish(message);
      return null;
    }
    const before = broker.store.position;
    const receivers = broker.publish(message);
    if (qos === 2) session.addReceived(view.packetIdentifier);
    // Where there is no room for it the message is delivered and not kept, and its publisher is told as far as its version can be.
    const isKept = !message.retain || message.payloadLength === 0 || message.retainedAt !== null;
    const reason = isKept ? (receivers === 0 ? NO_MATCHING_SUBSCRIBERS : SUCCESS) : QUOTA_EXCEEDED;
    this.#acknowledge(session, qos, view.packetIdentifier, reason, before);
    return null;
  }

  /** PUBREL. */
  onPubrel(session: MqttSession, packetIdentifier: number): void {
    const link = this.#link;
    const before = link.broker.store.position;
    const known = this.#release(session, packetIdentifier);
    // "Not an error during recovery" (section 3.7.2.1), and clients take a reason like this for one: it is kept for a real mismatch.
    const reason = known || link.resumed ? SUCCESS : PACKET_IDENTIFIER_NOT_FOUND;
    link.promise(before, 0x70, packetIdentifier, reason); // [MQTT-4.3.3-11]
  }

  /** The limit that leaves no room for what was read; null: there is room, or it goes nowhere. */
  #lacking(session: MqttSession, end: number): Gauge | null {
    const { qos, retain, payloadStart, packetIdentifier } = this.#view;
    if (this.#lastReserved || (qos === 2 && session.hasReceived(packetIdentifier))) return null;
    return this.#link.broker.shortage(this.#lastTopic!, qos, retain && end > payloadStart);
  }

  /** There is no room for what was read: it is refused, or waits. */
  #holdBack(session: MqttSession, lacking: Gauge, buffer: Buffer, packetStart: number, start: number, end: number): void {
    const link = this.#link;
    link.broker.advisories.full(this.#lastTopic!, lacking, session.clientId);
    if (link.level === MQTT_5 && link.broker.refusesAtOnce(this.#lastTopic!)) {
      this.#refuse(lacking);
      return;
    }
    this.#parked = new ParkedPublishes(link, this, session, lacking);
    this.#parked.add(buffer, packetStart, start, end);
  }

  /** Refuses what was read: PUBACK or PUBREC 0x97 [MQTT-4.3.3-9]; of QoS 0 nobody is told. */
  #refuse(lacking: Gauge): void {
    const { broker } = this.#link;
    const { qos, packetIdentifier } = this.#view;
    broker.refused(lacking.name, { ...this.#link.facts(), topic: this.topic });
    broker.counters.publishReceived[qos]++;
    if (qos === 0) {
      broker.counters.drop('noSpace');
      return;
    }
    const header = qos === 1 ? 0x40 : 0x50;
    const packet = this.#link.withReason(NO_SPACE, (text) => writeRefusal(header, packetIdentifier, QUOTA_EXCEEDED, text));
    this.#link.replyDurable(broker.store.position, packet);
  }

  #resolveAlias(topic: string, alias: number): string {
    return (this.#aliases ??= new InboundAliases()).resolve(topic, alias, this.#link.broker.limits);
  }

  #checkTopic(topic: string): void {
    const { level, broker, options } = this.#link;
    if (topic === '' && level === MQTT_5) throw protocolError('PUBLISH without a topic and without a Topic Alias'); // section 3.3.2.1
    const fault = topicNameFault(topic, broker.limits);
    if (fault !== null) throw topicNameError('PUBLISH', fault);
    this.#lastTopic = topic;
    this.#lastReserved = isReserved(topic, options.publishDollarTopics);
  }

  /** @returns false when this identifier was received before and is not released: the message is not delivered again [MQTT-4.3.3-10] */
  #admitQoS2(session: MqttSession, packetIdentifier: number): boolean {
    const { level, broker } = this.#link;
    if (session.hasReceived(packetIdentifier)) {
      this.#link.promise(UNKNOWN_POSITION, 0x50, packetIdentifier, SUCCESS);
      return false;
    }
    // Earlier versions have no such limit; there are no more than 65,535 Packet Identifiers. What an earlier connection left does not count.
    if (level === MQTT_5 && this.#unreleased >= broker.limits.receiveMaximum)
      throw new LimitError(
        'MQTT_RECEIVE_MAXIMUM_EXCEEDED',
        `more than ${broker.limits.receiveMaximum} QoS 2 messages not released [MQTT-3.3.4-7]`,
        RECEIVE_MAXIMUM_EXCEEDED,
        'receiveMaximum',
      );
    this.#unreleased++;
    return true;
  }

  /**
   * PUBACK or PUBREC with the identifier of the message [MQTT-3.3.4-1] [MQTT-4.3.2-4] [MQTT-4.3.3-8], when it is durable where it has to
   * be, in the order of messages [MQTT-4.6.0-2] [MQTT-4.6.0-3], also when it has expired [MQTT-4.3.3-13]. Who may not publish is answered [MQTT3-3.3.5-2].
   */
  #acknowledge(session: MqttSession, qos: 1 | 2, packetIdentifier: number, reasonCode: number, before: number): void {
    const link = this.#link;
    const header = qos === 1 ? 0x40 : 0x50;
    // Before MQTT 5 no reason can be given: the exchange goes on as if there were none.
    if (reasonCode < 0x80 || link.level !== MQTT_5) {
      link.promise(before, header, packetIdentifier, reasonCode);
      return;
    }
    if (qos === 2) this.#release(session, packetIdentifier); // [MQTT-4.3.3-9]
    const reason = reasonCode === NOT_AUTHORIZED ? RESERVED_TOPIC : RETAINED_FULL;
    // [MQTT-3.4.2-2] [MQTT-3.5.2-2]
    const packet = link.withReason(reason, (text) => writeRefusal(header, packetIdentifier, reasonCode, text));
    link.replyDurable(before, packet);
  }

  /** @returns whether the identifier was in use; from here on it comes with a new message [MQTT-4.3.3-12] */
  #release(session: MqttSession, packetIdentifier: number): boolean {
    if (!session.deleteReceived(packetIdentifier)) return false;
    if (this.#unreleased > 0) this.#unreleased--; // one that an earlier connection left was not counted
    return true;
  }
}
