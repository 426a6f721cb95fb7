import { decodeUtf8, isMqttUtf8 } from '../../../bytes/utf8.ts';
import {
  AUTH,
  CONNACK,
  CONNECT,
  DISCONNECT,
  PACKET_NAMES,
  PUBACK,
  PUBCOMP,
  PUBLISH,
  PUBREC,
  PUBREL,
  SUBACK,
  SUBSCRIBE,
  UNSUBACK,
  UNSUBSCRIBE,
} from './control-packet.ts';
import { malformed, protocolError } from './reason-code.ts';

/** Stands for the will's properties inside CONNECT where a packet type is asked for. MQTT 5.0 section 3.1.3.2. */
export const WILL = 16;

type Kind = 'byte' | 'two' | 'four' | 'varint' | 'string' | 'binary' | 'pair';

const ACKS = [PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK];

/** Every property of MQTT 5.0 section 2.2.2.2, table 2-4: identifier, name, type, and the packets that may carry it. */
const TABLE: readonly (readonly [id: number, name: keyof Properties, kind: Kind, packets: readonly number[]])[] = [
  [0x01, 'payloadFormatIndicator', 'byte', [PUBLISH, WILL]],
  [0x02, 'messageExpiryInterval', 'four', [PUBLISH, WILL]],
  [0x03, 'contentType', 'string', [PUBLISH, WILL]], // [MQTT-3.3.2-19]
  [0x08, 'responseTopic', 'string', [PUBLISH, WILL]], // [MQTT-3.3.2-13]
  [0x09, 'correlationData', 'binary', [PUBLISH, WILL]],
  [0x0b, 'subscriptionIdentifiers', 'varint', [PUBLISH, SUBSCRIBE]],
  [0x11, 'sessionExpiryInterval', 'four', [CONNECT, CONNACK, DISCONNECT]],
  [0x12, 'assignedClientIdentifier', 'string', [CONNACK]],
  [0x13, 'serverKeepAlive', 'two', [CONNACK]],
  [0x15, 'authenticationMethod', 'string', [CONNECT, CONNACK, AUTH]],
  [0x16, 'authenticationData', 'binary', [CONNECT, CONNACK, AUTH]],
  [0x17, 'requestProblemInformation', 'byte', [CONNECT]],
  [0x18, 'willDelayInterval', 'four', [WILL]],
  [0x19, 'requestResponseInformation', 'byte', [CONNECT]],
  [0x1a, 'responseInformation', 'string', [CONNACK]],
  [0x1c, 'serverReference', 'string', [CONNACK, DISCONNECT]],
  [0x1f, 'reasonString', 'string', [CONNACK, DISCONNECT, AUTH, ...ACKS]],
  [0x21, 'receiveMaximum', 'two', [CONNECT, CONNACK]],
  [0x22, 'topicAliasMaximum', 'two', [CONNECT, CONNACK]],
  [0x23, 'topicAlias', 'two', [PUBLISH]],
  [0x24, 'maximumQoS', 'byte', [CONNACK]],
  [0x25, 'retainAvailable', 'byte', [CONNACK]],
  [0x26, 'userProperties', 'pair', [CONNECT, CONNACK, PUBLISH, WILL, SUBSCRIBE, UNSUBSCRIBE, DISCONNECT, AUTH, ...ACKS]],
  [0x27, 'maximumPacketSize', 'four', [CONNECT, CONNACK]],
  [0x28, 'wildcardSubscriptionAvailable', 'byte', [CONNACK]],
  [0x29, 'subscriptionIdentifierAvailable', 'byte', [CONNACK]],
  [0x2a, 'sharedSubscriptionAvailable', 'byte', [CONNACK]],
];

interface Row {
  readonly id: number;
  readonly name: keyof Properties;
  readonly kind: Kind;
  /** Bit n is set when packet type n may carry it. */
  readonly packets: number;
}

const ROWS: readonly (Row | undefined)[] = (() => {
  const rows: (Row | undefined)[] = new Array(0x2b).fill(undefined);
  for (const [id, name, kind, packets] of TABLE)
    rows[id] = { id, name, kind, packets: packets.reduce((bits, type) => bits | (1 << type), 0) };
  return rows;
})();

/** The properties of one packet; what was not there is null. */
export class Properties {
  payloadFormatIndicator: number | null = null;
  /** Seconds. */
  messageExpiryInterval: number | null = null;
  contentType: string | null = null;
  responseTopic: string | null = null;
  correlationData: Buffer | null = null;
  subscriptionIdentifiers: number[] | null = null;
  /** Seconds; 0xFFFFFFFF: never. */
  sessionExpiryInterval: number | null = null;
  assignedClientIdentifier: string | null = null;
  /** Seconds. */
  serverKeepAlive: number | null = null;
  authenticationMethod: string | null = null;
  authenticationData: Buffer | null = null;
  requestProblemInformation: number | null = null;
  /** Seconds. */
  willDelayInterval: number | null = null;
  requestResponseInformation: number | null = null;
  responseInformation: string | null = null;
  serverReference: string | null = null;
  reasonString: string | null = null;
  receiveMaximum: number | null = null;
  topicAliasMaximum: number | null = null;
  topicAlias: number | null = null;
  maximumQoS: number | null = null;
  retainAvailable: number | null = null;
  userProperties: (readonly [name: string, value: string])[] | null = null;
  /** Bytes. */
  maximumPacketSize: number | null = null;
  wildcardSubscriptionAvailable: number | null = null;
  subscriptionIdentifierAvailable: number | null = null;
  sharedSubscriptionAvailable: number | null = null;
}

/** Reads a Variable Byte Integer and says where it ends. One instance is reused: `value` and `next` hold the last result. */
export class VariableByteCursor {
  value = 0;
  /** The place behind the integer. */
  next = 0;

  /** @throws ProtocolError MQTT_MALFORMED_PACKET */
  read(buffer: Buffer, at: number, end: number): void {
    let value = 0;
    for (let i = at, shift = 0; i < end && shift < 28; i++, shift += 7) {
      const byte = buffer[i]!;
      value |= (byte & 127) << shift;
      if (byte < 128) {
        if (byte === 0 && i > at) throw malformed('a Variable Byte Integer has more bytes than it needs [MQTT-1.5.5-1]');
        this.value = value;
        this.next = i + 1;
        return;
      }
    }
    throw malformed('a Variable Byte Integer has more than four bytes or is cut off [MQTT-1.5.5-1]');
  }
}

const cursor = new VariableByteCursor();

/** Where the properties that start at `at` with their length [MQTT-2.2.2-1] end. @throws ProtocolError MQTT_MALFORMED_PACKET */
export function propertiesEnd(buffer: Buffer, at: number, end: number): number {
  cursor.read(buffer, at, end);
  const propertiesEnd = cursor.next + cursor.value;
  if (propertiesEnd > end) throw malformed(`Property Length ${cursor.value} is longer than the packet`);
  return propertiesEnd;
}

/**
 * Reads the properties that start at `at` with their length.
 *
 * @param packet the packet's type, or WILL
 * @throws ProtocolError MQTT_MALFORMED_PACKET for bytes that are no properties or not this packet's, MQTT_PROTOCOL_ERROR for values that
 *   may not be, and for a property that is there twice
 */
export function readProperties(buffer: Buffer, at: number, end: number, packet: number): Properties {
  const stop = propertiesEnd(buffer, at, end);
  cursor.read(buffer, at, end);
  const properties = new Properties();
  for (let i = cursor.next; i < stop; ) i = readProperty(buffer, i, stop, packet, properties);
  return properties;
}

/** Reads properties that nothing may follow. @throws ProtocolError as `readProperties` */
export function readLastProperties(buffer: Buffer, at: number, end: number, packet: number): Properties {
  const over = end - propertiesEnd(buffer, at, end);
  if (over !== 0) throw malformed(`${PACKET_NAMES[packet]} has ${over} bytes too many`);
  return readProperties(buffer, at, end, packet);
}

/**
 * Looks through the properties of a PUBLISH that begin at `at` with their length, and makes nothing of them.
 *
 * @returns where they end when they are valid, for the receivers alone and need no reading here: Payload Format Indicator, Content Type,
 *   Correlation Data and User Properties. -1 when there is something else: `readProperties` tells what.
 */
export function skipForwardedProperties(buffer: Buffer, at: number, end: number): number {
  if (at >= end) return -1;
  let i = at + 1;
  let length = buffer[at]!;
  if (length >= 128) {
    if (i >= end || buffer[i]! >= 128 || buffer[i] === 0) return -1; // longer than 16 KB, or malformed
    length = (length & 127) | (buffer[i++]! << 7);
  }
  const stop = i + length;
  if (stop > end) return -1;
  let seen = 0;
  while (i < stop) {
    const id = buffer[i++]!;
    if (id === 0x26) {
      i = skipString(buffer, i, stop);
      if (i >= 0) i = skipString(buffer, i, stop);
      if (i < 0) return -1;
      continue;
    }
    if (id > 0x09 || (seen & (1 << id)) !== 0) return -1;
    seen |= 1 << id;
    if (id === 0x01) {
      if (i >= stop || buffer[i++]! > 1) return -1;
    } else if (id === 0x03) {
      i = skipString(buffer, i, stop);
    } else if (id === 0x09) {
      i = i + 2 > stop ? -1 : i + 2 + ((buffer[i]! << 8) | buffer[i + 1]!);
      if (i > stop) return -1;
    } else {
      return -1;
    }
    if (i < 0) return -1;
  }
  return stop;
}

/** Where a UTF-8 Encoded String ends that begins at `at`; -1 when it is not valid or does not end before `stop`. */
function skipString(buffer: Buffer, at: number, stop: number): number {
  if (at + 2 > stop) return -1;
  const end = at + 2 + ((buffer[at]! << 8) | buffer[at + 1]!);
  return end <= stop && isMqttUtf8(buffer, at + 2, end) ? end : -1;
}

function readProperty(buffer: Buffer, at: number, end: number, packet: number, properties: Properties): number {
  cursor.read(buffer, at, end);
  const id = cursor.value;
  const row = ROWS[id];
  const where = packet === WILL ? 'the will' : PACKET_NAMES[packet];
  if (!row) throw malformed(`0x${id.toString(16)} in ${where} is no property`);
  if ((row.packets & (1 << packet)) === 0) throw malformed(`property ${row.name} may not be in ${where}`); // section 2.2.2.2
  const i = cursor.next;
  const target = properties as unknown as Record<string, unknown>;
  if (row.kind === 'pair') {
    const name = readString(buffer, i, end, row.name); // [MQTT-1.5.7-1]
    const valueAt = i + 2 + buffer.readUInt16BE(i);
    const value = readString(buffer, valueAt, end, row.name);
    (properties.userProperties ??= []).push([name, value]);
    return valueAt + 2 + buffer.readUInt16BE(valueAt);
  }
  if (row.kind === 'varint') {
    cursor.read(buffer, i, end);
    if (cursor.value === 0) throw protocolError('a Subscription Identifier of 0'); // section 3.8.2.1.2
    if (properties.subscriptionIdentifiers !== null && packet !== PUBLISH) throw twice(row.name);
    (properties.subscriptionIdentifiers ??= []).push(cursor.value);
    return cursor.next;
  }
  if (target[row.name] !== null) throw twice(row.name);
  switch (row.kind) {
    case 'byte': {
      need(i, 1, end, row.name);
      const value = buffer[i]!;
      if (value > 1) throw protocolError(`${row.name} must be 0 or 1, not ${value}`);
      target[row.name] = value;
      return i + 1;
    }
    case 'two': {
      need(i, 2, end, row.name);
      const value = buffer.readUInt16BE(i);
      if (value === 0 && row.name === 'receiveMaximum') throw protocolError('a Receive Maximum of 0'); // section 3.1.2.11.3
      target[row.name] = value;
      return i + 2;
    }
    case 'four': {
      need(i, 4, end, row.name);
      const value = buffer.readUInt32BE(i);
      if (value === 0 && row.name === 'maximumPacketSize') throw protocolError('a Maximum Packet Size of 0'); // section 3.1.2.11.4
      target[row.name] = value;
      return i + 4;
    }
    case 'string':
      target[row.name] = readString(buffer, i, end, row.name);
      return i + 2 + buffer.readUInt16BE(i);
    case 'binary':
      target[row.name] = readBinary(buffer, i, end, row.name);
      return i + 2 + buffer.readUInt16BE(i);
  }
}

function twice(name: string): Error {
  return protocolError(`property ${name} is there twice`);
}

function need(at: number, size: number, end: number, what: string): void {
  if (at + size > end) throw malformed(`${what} is cut off`);
}

/** Reads a UTF-8 Encoded String; U+FEFF is a character like any other [MQTT-1.5.4-3]. @throws ProtocolError MQTT_MALFORMED_PACKET */
export function readString(buffer: Buffer, at: number, end: number, what: string): string {
  need(at, 2, end, what);
  const length = buffer.readUInt16BE(at);
  need(at + 2, length, end, what);
  const text = decodeUtf8(buffer, at + 2, at + 2 + length);
  if (text === null) throw malformed(`${what} is not UTF-8, or has U+0000 [MQTT-1.5.4-1] [MQTT-1.5.4-2]`);
  return text;
}

/** Reads Binary Data: a copy, since the packet's bytes do not stay. @throws ProtocolError MQTT_MALFORMED_PACKET */
export function readBinary(buffer: Buffer, at: number, end: number, what: string): Buffer {
  need(at, 2, end, what);
  const length = buffer.readUInt16BE(at);
  need(at + 2, length, end, what);
  return Buffer.from(buffer.subarray(at + 2, at + 2 + length));
}
