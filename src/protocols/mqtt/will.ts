import { Message, type MessageProperties } from '../../core/message.ts';
import type { Publisher } from '../../core/subscription.ts';
import { type TopicBounds, topicNameFault } from '../../core/topic-filter.ts';
import { ProtocolError } from '../../errors.ts';
import { topicNameError } from './limit-error.ts';
import { isReserved, messageProperties } from './message-properties.ts';
import type { WillPacket } from './wire/connect.ts';
import { TOPIC_NAME_INVALID } from './wire/reason-code.ts';

/** What is published for a client that leaves without saying goodbye. MQTT 5.0 section 3.1.2.5. */
export interface Will {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly properties: MessageProperties | null;
  /** Seconds from the will's publication; null: for ever. */
  readonly messageExpiryInterval: number | null;
  /** Seconds from the end of the connection to the will's publication. */
  readonly delayInterval: number;
}

/**
 * The will in a CONNECT.
 * @throws ProtocolError MQTT_TOPIC_NAME_INVALID or MQTT_PROTOCOL_ERROR; LimitError
 */
export function readWill(packet: WillPacket, bounds: TopicBounds, publishDollarTopics: boolean): Will {
  if (isReserved(packet.topic, publishDollarTopics))
    throw new ProtocolError('MQTT_TOPIC_NAME_INVALID', `Will Topic: ${packet.topic} is not for clients to publish to`, TOPIC_NAME_INVALID);
  const fault = topicNameFault(packet.topic, bounds);
  if (fault !== null) throw topicNameError('Will Topic', fault);
  return {
    topic: packet.topic,
    payload: packet.payload,
    qos: packet.qos,
    retain: packet.retain,
    properties: messageProperties(packet.properties),
    messageExpiryInterval: packet.properties.messageExpiryInterval,
    delayInterval: packet.properties.willDelayInterval ?? 0,
  };
}

/**
 * The message that a will is published as now: retained or not as the client asked [MQTT-3.1.2-14] [MQTT-3.1.2-15], its user properties in
 * their order [MQTT-3.1.3-10]. Its lifetime begins with its publication (section 3.1.3.2.4).
 */
export function willMessage(will: Will, publisher: Publisher, wallMs: number): Message {
  const { topic, payload, qos, retain, properties } = will;
  const expiresAtMs = will.messageExpiryInterval === null ? 0 : wallMs + will.messageExpiryInterval * 1000;
  return new Message(topic, qos, retain, payload, 0, payload.length, false, properties, expiresAtMs, publisher, null);
}
