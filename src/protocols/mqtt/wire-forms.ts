import type { Frame, Message, QoS, WireForm } from '../../core/message.ts';
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
    return encode(message, this.#qos, this.#level5 ? writePublishProperties(message.properties, null, []) : null);
  }
}

export const V3_QOS_0: WireForm = new PublishForm(0, false, 0);
export const V3_ACKNOWLEDGED: WireForm = new PublishForm(1, false, 1);
export const V5_QOS_0: WireForm = new PublishForm(2, true, 0);
export const V5_ACKNOWLEDGED: WireForm = new PublishForm(3, true, 1);

/** Largest Message Expiry Interval, in seconds. A clock that steps back can make a remaining time longer than it was. */
const EXPIRY_MAX_S = 0xffff_ffff;

/** The frame that `level` receives `message` in at `qos`; its flags and Packet Identifier are still to be patched. */
export function publishFrame(message: Message, level: ProtocolLevel, qos: QoS, identifiers: readonly number[], wallMs: number): Frame {
  if (level !== MQTT_5) return message.frame(qos === 0 ? V3_QOS_0 : V3_ACKNOWLEDGED);
  if (identifiers.length === 0 && message.expiresAtMs === 0) return message.frame(qos === 0 ? V5_QOS_0 : V5_ACKNOWLEDGED);
  const expiry = message.expiresAtMs === 0 ? null : Math.min(Math.max(0, Math.ceil((message.expiresAtMs - wallMs) / 1000)), EXPIRY_MAX_S); // [MQTT-3.3.2-6]
  return encode(message, qos, writePublishProperties(message.properties, expiry, identifiers));
}

function encode(message: Message, qos: QoS, properties: Buffer | null): Frame {
  const { packet, packetIdentifierAt, payloadAt } = writePublish(message.topic, qos, false, properties, message.payloadLength);
  message.copyPayload(packet, payloadAt);
  return { buffer: packet, start: 0, end: packet.length, packetIdentifierAt };
}
