import { inflateSync } from 'node:zlib';
import { Message } from '../../core/message.ts';
import type { Publisher } from '../../core/subscription.ts';
import { isTopicName, swapName } from './destination.ts';
import { createBrokerPath, createOrigin, LinkTransit } from './message-origin.ts';
import { LONG_NAME } from './publication-form.ts';
import { expiryOf, fromPropertyMap } from './publication-properties.ts';
import { longToNumber, type Message as OpenWireMessage } from './wire/commands.ts';
import { decodePrimitiveMap, type Primitive, type PrimitiveMap } from './wire/primitive-map.ts';
import { BYTES_MESSAGE, MAP_MESSAGE, TEXT_MESSAGE, TOPIC } from './wire/structures.ts';
import { malformed } from './wire/wire-errors.ts';

/** Largest payload after inflation, in bytes: MQTT's own limit (MQTT 5.0 section 1.5.5). */
const INFLATED_BYTES_MAX = 268_435_455;

/** Bytes of the length in front of a compressed bytes message's stream, and of a text message's text. */
const LENGTH_BYTES = 4;

const NOTHING = Buffer.alloc(0);
const NO_PROPERTIES: PrimitiveMap = new Map();

/**
 * Any JMS message as an MQTT one (OpenWire specification section 17.3).
 *
 * ![OpenWire specification section 17.3] A persistent message that names no QoS becomes QoS 1 and another one QoS 0; ActiveMQ has it the
 * other way round.
 *
 * @returns null when it is not for a topic that can be published to in MQTT
 * @throws ProtocolError OPENWIRE_MALFORMED when its body or properties cannot be read
 */
export function toMqttMessage(from: OpenWireMessage, publisher: Publisher | null, levelsMax: number): Message | null {
  const { destination, marshalledProperties } = from;
  if (destination?.kind !== TOPIC || destination.physicalName === null) return null;
  const map = (marshalledProperties === null ? null : decodePrimitiveMap(marshalledProperties)) ?? NO_PROPERTIES;
  const { qos, retain, topic: longTopic, properties } = fromPropertyMap(map);
  const topic = destination.physicalName === LONG_NAME && longTopic !== null ? longTopic : swapName(destination.physicalName);
  if (!isTopicName(topic, levelsMax)) return null;
  const payload = payloadOf(from);
  const expiresAtMs = expiryOf(from.expiration);
  const effectiveQos = qos ?? (from.persistent ? 1 : 0);
  return new Message(topic, effectiveQos, retain, payload, 0, payload.length, false, properties, expiresAtMs, publisher, transitOf(from));
}

function transitOf({ messageId, brokerPath }: OpenWireMessage): LinkTransit {
  const ids: string[] = [];
  for (const id of brokerPath ?? []) if (id?.value != null) ids.push(id.value);
  const path = createBrokerPath(ids);
  const sequence = messageId === null ? 0 : longToNumber(messageId.producerSequenceId);
  const textView = messageId?.textView ?? null;
  if (textView !== null) return new LinkTransit(createOrigin(textView, 0, 0), sequence, path, false); // another protocol's id, as it stands
  const producer = messageId?.producerId ?? null;
  if (producer === null) return new LinkTransit(createOrigin('', 0, 0), sequence, path, false);
  const { connectionId, sessionId, value } = producer;
  return new LinkTransit(createOrigin(connectionId ?? '', longToNumber(sessionId), longToNumber(value)), sequence, path, false);
}

function payloadOf(message: OpenWireMessage): Buffer {
  const content = message.compressed && message.content !== null ? inflate(message) : (message.content ?? NOTHING);
  switch (message.kind) {
    case TEXT_MESSAGE:
      return textOf(content);
    case MAP_MESSAGE:
      return Buffer.from(formatMap(content.length === 0 ? null : decodePrimitiveMap(content)));
    default:
      return content;
  }
}

/** OpenWire specification section 5.2: a bytes message says its length first, and its stream may inflate to more than that. */
function inflate({ kind, content }: OpenWireMessage): Buffer {
  const isBytes = kind === BYTES_MESSAGE;
  try {
    const inflated = inflateSync(content!.subarray(isBytes ? LENGTH_BYTES : 0), { maxOutputLength: INFLATED_BYTES_MAX });
    return isBytes ? inflated.subarray(0, content!.readUInt32BE(0)) : inflated;
  } catch (error) {
    throw malformed(`compressed message body: ${(error as Error).message}`);
  }
}

/** i32 length and modified UTF-8, which differs from UTF-8 only in U+0000 and in characters beyond U+FFFF. */
function textOf(content: Buffer): Buffer {
  if (content.length < LENGTH_BYTES) return NOTHING;
  const text = content.subarray(LENGTH_BYTES, LENGTH_BYTES + Math.max(0, content.readInt32BE(0)));
  if (!text.includes(0xed) && !text.includes(0xc0)) return text;
  const units: number[] = [];
  for (let at = 0; at < text.length; ) {
    const first = text[at]!;
    const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : 3;
    let unit = length === 1 ? first : first & (length === 2 ? 0x1f : 0x0f);
    for (let i = 1; i < length; i++) unit = (unit << 6) | ((text[at + i] ?? 0) & 0x3f);
    units.push(unit);
    at += length;
  }
  const utf16 = Buffer.allocUnsafe(units.length * 2);
  units.forEach((unit, i) => {
    utf16.writeUInt16LE(unit, i * 2);
  });
  return Buffer.from(utf16.toString('utf16le'));
}

/** As Java prints a map: `{x=1, y=z}`. */
function formatMap(map: PrimitiveMap | null): string {
  return `{${[...(map ?? NO_PROPERTIES)].map(([name, value]) => `${name}=${formatValue(value)}`).join(', ')}}`;
}

function formatValue({ value }: Primitive): string {
  if (value instanceof Map) return formatMap(value);
  if (Array.isArray(value)) return `[${(value as readonly Primitive[]).map(formatValue).join(', ')}]`;
  return Buffer.isBuffer(value) ? value.toString('base64') : String(value);
}
