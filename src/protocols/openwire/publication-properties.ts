import type { Message, MessageProperties, QoS } from '../../core/message.ts';
import { ANY_TOPIC, topicNameFault } from '../../core/topic-filter.ts';
import { GroupAddress } from './group-address.ts';
import { longToNumber } from './wire/commands.ts';
import {
  BOOLEAN_VALUE,
  BYTE_VALUE,
  BYTES_VALUE,
  booleanValue,
  bytesValue,
  decodePrimitiveMap,
  encodePrimitiveMap,
  INT_VALUE,
  intValue,
  LIST_VALUE,
  type Primitive,
  type PrimitiveMap,
  STRING_VALUE,
  stringValue,
} from './wire/primitive-map.ts';
import type { Long } from './wire/structures.ts';

/** Largest text or binary that MQTT can carry, in bytes: its length field has 16 bits (MQTT 5.0 sections 1.5.4 and 1.5.6). */
const MQTT_FIELD_BYTES_MAX = 65_535;

/*
 * What an MQTT message has besides topic and payload, as JMS properties. The first two are ActiveMQ's own (OpenWire specification section
 * 17.2); the others carry what MQTT 5 has and ActiveMQ does not know, under names of their own, and are passed on untouched by it.
 */
const QOS = 'ActiveMQ.MQTT.QoS';
const RETAIN = 'ActiveMQ.Retain';
const PAYLOAD_FORMAT_INDICATOR = 'MQTT.PayloadFormatIndicator';
const CONTENT_TYPE = 'MQTT.ContentType';
const RESPONSE_TOPIC = 'MQTT.ResponseTopic';
const CORRELATION_DATA = 'MQTT.CorrelationData';
/** Names and values in turn, in the order they came: a name may come more than once. */
const USER_PROPERTIES = 'MQTT.UserProperties';
/** A topic name too long for a destination, in MQTT's spelling. */
const TOPIC_NAME = 'Roundhouse.Topic';
/** The shared subscription that a message is for, the broker whose members get it, and those that had it before, if any. */
const GROUP_NAME = 'Roundhouse.Group';
const GROUP_FILTER = 'Roundhouse.GroupFilter';
const GROUP_BROKER = 'Roundhouse.GroupBroker';
const GROUP_VISITED = 'Roundhouse.GroupVisited';

/** What nearly every message has: its QoS and nothing else. */
const PLAIN: readonly Buffer[] = [0, 1, 2].map((qos) => encodePrimitiveMap(new Map([[QOS, intValue(qos)]])));
const PLAIN_RETAINED: readonly Buffer[] = [0, 1, 2].map((qos) =>
  encodePrimitiveMap(
    new Map<string, Primitive>([
      [QOS, intValue(qos)],
      [RETAIN, booleanValue(true)],
    ]),
  ),
);

/** Bytes of the properties that nearly every message has. */
export const PLAIN_PROPERTIES_LENGTH = PLAIN[0]!.length;

/** The message's properties as `marshalledProperties` has them. `withTopic`: the topic name among them. */
export function encodeProperties(message: Message, withTopic: boolean): Buffer {
  if (message.properties === null && !withTopic) return (message.retain ? PLAIN_RETAINED : PLAIN)[message.qos]!;
  return encodePrimitiveMap(toPropertyMap(message, withTopic));
}

/** The same for a message that is for one shared subscription alone. */
export function encodeAddressed(message: Message, withTopic: boolean, address: GroupAddress): Buffer {
  if (message.properties !== null || withTopic) return encodePrimitiveMap(toAddressedMap(message, withTopic, address));
  const form = message.retain ? 3 + message.qos : message.qos;
  return (address.plain[form] ??= encodePrimitiveMap(toAddressedMap(message, false, address)));
}

function toAddressedMap(message: Message, withTopic: boolean, { name, filter, brokerId, visited }: GroupAddress): Map<string, Primitive> {
  const map = toPropertyMap(message, withTopic);
  map.set(GROUP_NAME, stringValue(name));
  map.set(GROUP_FILTER, stringValue(filter));
  map.set(GROUP_BROKER, stringValue(brokerId));
  if (visited.length > 0) map.set(GROUP_VISITED, { type: LIST_VALUE, value: visited.map(stringValue) });
  return map;
}

export function toPropertyMap(message: Message, withTopic: boolean): Map<string, Primitive> {
  const map = new Map<string, Primitive>([[QOS, intValue(message.qos)]]);
  if (message.retain) map.set(RETAIN, booleanValue(true));
  if (withTopic) map.set(TOPIC_NAME, stringValue(message.topic));
  const { properties } = message;
  if (properties === null) return map;
  const { payloadFormatIndicator } = properties;
  if (payloadFormatIndicator !== null) map.set(PAYLOAD_FORMAT_INDICATOR, { type: BYTE_VALUE, value: payloadFormatIndicator });
  if (properties.contentType !== null) map.set(CONTENT_TYPE, stringValue(properties.contentType));
  if (properties.responseTopic !== null) map.set(RESPONSE_TOPIC, stringValue(properties.responseTopic));
  if (properties.correlationData !== null) map.set(CORRELATION_DATA, bytesValue(properties.correlationData));
  if (properties.userProperties.length > 0)
    map.set(USER_PROPERTIES, { type: LIST_VALUE, value: properties.userProperties.flat().map(stringValue) });
  return map;
}

/** The QoS that plain properties at `start` say; -1 when they are others of the same length. */
export function plainQos(buffer: Buffer, start: number): number {
  const plain = PLAIN[0]!;
  const last = plain.length - 1;
  for (let i = last - 1; i >= 0; i--) if (buffer[start + i] !== plain[i]) return -1;
  const qos = buffer[start + last]!;
  return qos <= 2 ? qos : -1;
}

export interface DecodedProperties {
  /** null: not said, as on a message of a JMS client. */
  readonly qos: QoS | null;
  readonly retain: boolean;
  readonly topic: string | null;
  readonly properties: MessageProperties | null;
  /** null: for everyone who subscribes. */
  readonly group: GroupAddress | null;
}

/**
 * When a message expires, from what a peer says: wall clock in milliseconds, 0 for never, which is also what a negative time means in JMS.
 * Later than we can count, some 285,000 years from now, is the last moment that we can.
 */
export function expiryOf(expiration: Long): number {
  return Math.min(Math.max(0, longToNumber(expiration)), Number.MAX_SAFE_INTEGER);
}

/** @throws ProtocolError OPENWIRE_MALFORMED when `buffer[start, end)` is no property map */
export function decodeProperties(buffer: Buffer, start: number, end: number): DecodedProperties {
  return fromPropertyMap(decodePrimitiveMap(buffer.subarray(start, end)) ?? NO_PROPERTIES);
}

const NO_PROPERTIES: PrimitiveMap = new Map();

export function fromPropertyMap(map: PrimitiveMap): DecodedProperties {
  const qos = map.get(QOS);
  return {
    qos: qos?.type === INT_VALUE && (qos.value === 0 || qos.value === 1 || qos.value === 2) ? qos.value : null,
    retain: flag(map, RETAIN),
    topic: text(map, TOPIC_NAME),
    properties: mqttProperties(map),
    group: groupAddress(map),
  };
}

function groupAddress(map: PrimitiveMap): GroupAddress | null {
  const name = text(map, GROUP_NAME);
  const filter = text(map, GROUP_FILTER);
  const brokerId = text(map, GROUP_BROKER);
  if (name === null || filter === null || brokerId === null) return null;
  const visited: string[] = [];
  const list = map.get(GROUP_VISITED);
  if (list?.type === LIST_VALUE) for (const id of list.value) if (id.type === STRING_VALUE) visited.push(id.value);
  return new GroupAddress(name, filter, brokerId, visited);
}

function mqttProperties(map: PrimitiveMap): MessageProperties | null {
  const indicator = map.get(PAYLOAD_FORMAT_INDICATOR);
  const contentType = mqttText(map, CONTENT_TYPE);
  const named = mqttText(map, RESPONSE_TOPIC);
  const responseTopic = named === null || topicNameFault(named, ANY_TOPIC) !== null ? null : named; // [MQTT-3.3.2-14]
  const correlation = map.get(CORRELATION_DATA);
  const correlationData = correlation?.type === BYTES_VALUE && correlation.value.length <= MQTT_FIELD_BYTES_MAX ? correlation.value : null;
  const userProperties = pairs(map.get(USER_PROPERTIES));
  const payloadFormatIndicator =
    indicator?.type === BYTE_VALUE && (indicator.value === 0 || indicator.value === 1) ? indicator.value : null;
  const none = contentType === null && responseTopic === null && correlationData === null;
  if (none && payloadFormatIndicator === null && userProperties.length === 0) return null;
  return { payloadFormatIndicator, contentType, responseTopic, correlationData, userProperties };
}

function pairs(list: Primitive | undefined): [string, string][] {
  if (list?.type !== LIST_VALUE) return [];
  const found: [string, string][] = [];
  for (let i = 0; i + 1 < list.value.length; i += 2) {
    const name = list.value[i]!;
    const value = list.value[i + 1]!;
    if (name.type !== STRING_VALUE || value.type !== STRING_VALUE) continue;
    if (isMqttText(name.value) && isMqttText(value.value)) found.push([name.value, value.value]);
  }
  return found;
}

/** Properties of a peer may be of any length; what MQTT cannot carry is left out. */
function isMqttText(value: string): boolean {
  return Buffer.byteLength(value) <= MQTT_FIELD_BYTES_MAX && !value.includes('\0'); // [MQTT-1.5.4-2]
}

function mqttText(map: PrimitiveMap, name: string): string | null {
  const found = text(map, name);
  return found !== null && isMqttText(found) ? found : null;
}

function text(map: PrimitiveMap, name: string): string | null {
  const found = map.get(name);
  return found?.type === STRING_VALUE ? found.value : null;
}

function flag(map: PrimitiveMap, name: string): boolean {
  const found = map.get(name);
  return found?.type === BOOLEAN_VALUE && found.value;
}
