import type { Frame, FrameCursor, Message, QoS, WireForm } from '../../core/message.ts';
import { MQTT_5_PROPERTIES } from './message-properties.ts';
import { MQTT_5, type ProtocolLevel } from './wire/control-packet.ts';
import { writePublish, writePublishProperties } from './wire/publish.ts';

/**
 * The common shapes of one Message on the wire, each encoded at most once however many receive it: MQTT 3 and MQTT 5, without and
 * with a Packet Identifier. RETAIN, DUP, QoS and the identifier are patched into each receiver's copy.
 * What depends on the receiver or the moment (subscription identifiers, remaining expiry) is composed for it alone.
 */
class PublishForm implements WireForm {
  readonly slot: number;
  readonly #level5: boolean;
  readonly #qos: QoS;

  constructor(slot: number, level5: boolean, qos: QoS) {
    this.slot = slot;
    this.#level5 = level5;
    this.#qos = qos;
  }

  encode(message: Message): Frame {
    if (!this.#level5) return encode(message, this.#qos, null);
    const bodyLength = message.bodyLength(MQTT_5_PROPERTIES);
    if (bodyLength < 0) return encode(message, this.#qos, writePublishProperties(message.properties, null, []));
    const { packet, packetIdentifierAt, payloadAt } = writePublish(message.topic, this.#qos, false, null, bodyLength);
    message.copyBody(packet, payloadAt);
    return { buffer: packet, start: 0, end: packet.length, packetIdentifierAt };
  }
}

export const V3_QOS_0: WireForm = new PublishForm(0, false, 0);
export const V3_ACKNOWLEDGED: WireForm = new PublishForm(1, false, 1);
export const V5_QOS_0: WireForm = new PublishForm(2, true, 0);
export const V5_ACKNOWLEDGED: WireForm = new PublishForm(3, true, 1);

/** Largest Message Expiry Interval, in seconds. A clock that steps back can make a remaining time longer than it was. */
const EXPIRY_MAX_S = 0xffff_ffff;

/**
 * The frame that `level` receives `message` in at `qos`; its flags and Packet Identifier are still to be patched.
 * @param wallMs needed for a message that expires; else any number
 */
export function locateFrame(
  message: Message,
  level: ProtocolLevel,
  qos: QoS,
  identifiers: readonly number[],
  wallMs: number,
  cursor: FrameCursor,
): void {
  if (level !== MQTT_5) {
    message.locate(qos === 0 ? V3_QOS_0 : V3_ACKNOWLEDGED, cursor);
  } else if (identifiers.length === 0 && message.expiresAtMs === 0) {
    message.locate(qos === 0 ? V5_QOS_0 : V5_ACKNOWLEDGED, cursor);
  } else {
    const { buffer, start, end, packetIdentifierAt } = encode(
      message,
      qos,
      writePublishProperties(message.properties, remainingExpiry(message, wallMs), identifiers),
    );
    cursor.set(buffer, start, end, packetIdentifierAt);
  }
}

/**
 * The same, of MQTT 5, for a client that knows the topic by an alias, or is to.
 * @param alias its number
 * @param isKnown the topic itself is left out then
 */
export function locateAliasedFrame(
  message: Message,
  qos: QoS,
  identifiers: readonly number[],
  wallMs: number,
  alias: number,
  isKnown: boolean,
  cursor: FrameCursor,
): void {
  const properties = writePublishProperties(message.properties, remainingExpiry(message, wallMs), identifiers, alias);
  const { buffer, start, end, packetIdentifierAt } = encode(message, qos, properties, isKnown ? '' : message.topic);
  cursor.set(buffer, start, end, packetIdentifierAt);
}

/** In seconds; null: it does not expire. */
function remainingExpiry({ expiresAtMs }: Message, wallMs: number): number | null {
  if (expiresAtMs === 0) return null;
  return Math.min(Math.max(0, Math.ceil((expiresAtMs - wallMs) / 1000)), EXPIRY_MAX_S); // [MQTT-3.3.2-6]
}

/** The form that a PUBLISH of this level and QoS is in, if a message can leave as it came. */
export function arrivedForm(level: ProtocolLevel, qos: QoS): WireForm {
  if (level === MQTT_5) return qos === 0 ? V5_QOS_0 : V5_ACKNOWLEDGED;
  return qos === 0 ? V3_QOS_0 : V3_ACKNOWLEDGED;
}

function encode(message: Message, qos: QoS, properties: Buffer | null, topic = message.topic): Frame {
  const { packet, packetIdentifierAt, payloadAt } = writePublish(topic, qos, false, properties, message.payloadLength);
  message.copyPayload(packet, payloadAt);
  return { buffer: packet, start: 0, end: packet.length, packetIdentifierAt };
}
