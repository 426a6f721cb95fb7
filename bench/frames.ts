/** The few MQTT packets a load generator sends, built once and sent many times. MQTT 3.1.1 and 5.0 chapter 3. */

/** Control Packet types. MQTT 5.0 section 2.1.2, table 2-1. */
export const CONNACK = 2;
export const PUBLISH = 3;
export const PUBACK = 4;
export const PUBREC = 5;
export const PUBREL = 6;
export const PUBCOMP = 7;
export const SUBACK = 9;
const PINGREQ = 12;
export const DISCONNECT = 14;

/** First bytes of the packets whose flags are fixed. MQTT 5.0 section 2.1.3, table 2-2. */
const CONNECT_BYTE = 0x10;
const SUBSCRIBE_BYTE = 0x82;
export const PUBACK_BYTE = 0x40;
export const PUBREC_BYTE = 0x50;
export const PUBREL_BYTE = 0x62;
export const PUBCOMP_BYTE = 0x70;

/** DUP of a PUBLISH's first byte. MQTT 5.0 section 3.3.1.1. */
export const DUP_FLAG = 0x08;

/** Bytes of an acknowledgement without reason: type, length, packet identifier. MQTT 5.0 section 3.4.2.1: reason 0 may be left out. */
export const ACK_BYTES = 4;

/** Bytes at the start of every payload that tell which publisher sent it; no payload is smaller. */
export const PUBLISHER_INDEX_BYTES = 4;

/** Session Expiry Interval of persistent sessions, in seconds: an hour outlives every run. MQTT 5.0 section 3.1.2.11.2. */
const SESSION_EXPIRY_S = 3600;

/** MQTT 5.0 section 2.2.2.2, table 2-4. */
const USER_PROPERTY = 0x26;

export type ProtocolVersion = 4 | 5;
export type Qos = 0 | 1 | 2;

/** A whole number as MQTT's Variable Byte Integer. MQTT 5.0 section 1.5.5. */
export function variableByteInteger(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return Buffer.from(bytes);
}

/**
 * A CONNECT without will or user name.
 *
 * @param keepAliveS 0: none, for runs that are short and that no ping shall disturb
 */
export function connectFrame(clientId: string, version: ProtocolVersion, clean: boolean, keepAliveS: number): Buffer {
  const flags = clean ? 0x02 : 0;
  const body = [text('MQTT'), Buffer.from([version, flags]), uint16(keepAliveS)];
  if (version === 5) body.push(clean ? Buffer.from([0]) : sessionExpiryProperty());
  body.push(text(clientId));
  return frame(CONNECT_BYTE, body);
}

/** One SUBSCRIBE for all the filters. */
export function subscribeFrame(topicFilters: readonly string[], version: ProtocolVersion, qos: Qos): Buffer {
  const entries = topicFilters.flatMap((filter) => [text(filter), Buffer.from([qos])]);
  return frame(SUBSCRIBE_BYTE, [uint16(1), noProperties(version), ...entries]);
}

export function pingreqFrame(): Buffer {
  return Buffer.from([PINGREQ << 4, 0]);
}

/** A DISCONNECT with reason "normal". */
export function disconnectFrame(): Buffer {
  return Buffer.from([DISCONNECT << 4, 0]);
}

/** A PUBLISH and where its packet identifier stands, for QoS 0 nowhere (-1). */
export interface PublishTemplate {
  readonly bytes: Buffer;
  readonly packetIdentifierOffset: number;
}

/** What all PUBLISH packets of one publisher have in common. */
export interface PublishOptions {
  readonly version: ProtocolVersion;
  readonly qos: Qos;
  /** At least {@link PUBLISHER_INDEX_BYTES}. */
  readonly payloadBytes: number;
  /** How many User Properties each packet has; MQTT 5 only. MQTT 5.0 section 3.3.2.3.7. */
  readonly userProperties: number;
}

/** A PUBLISH whose payload begins with the publisher's index; its packet identifier is 0, to be filled in. */
export function publishTemplate(topic: string, publisher: number, options: PublishOptions): PublishTemplate {
  const { version, qos } = options;
  const payload = Buffer.alloc(options.payloadBytes, 'x');
  payload.writeUInt32BE(publisher, 0);
  const identifier = qos === 0 ? Buffer.alloc(0) : uint16(0);
  const properties = version === 5 ? publishProperties(options.userProperties) : Buffer.alloc(0);
  const tail = Buffer.concat([identifier, properties, payload]);
  const bytes = frame((PUBLISH << 4) | (qos << 1), [text(topic), tail]);
  return { bytes, packetIdentifierOffset: qos === 0 ? -1 : bytes.length - tail.length };
}

/**
 * The Receive Maximum of a CONNACK's variable header: how many unacknowledged PUBLISH packets the broker takes.
 * Infinity for MQTT 3.1.1, which has no such limit, 65,535 where MQTT 5.0's property is absent (section 3.2.2.3.3).
 */
export function receiveMaximumOf(connack: Uint8Array, version: ProtocolVersion): number {
  if (version !== 5) return Number.POSITIVE_INFINITY;
  const view = Buffer.from(connack.buffer, connack.byteOffset, connack.byteLength);
  let at = 2;
  while (at < view.length && view[at]! & 0x80) at++; // the properties' length; they fill the rest of the packet
  at++;
  while (at < view.length) {
    const identifier = view[at++]!;
    if (identifier === 0x21) return view.readUInt16BE(at);
    at += propertyBytes(identifier, view, at);
  }
  return 65_535;
}

/** The largest reason code of a SUBACK's variable header and payload: above 0x7f where any of the filters was refused. */
export function worstReasonOf(bytes: Uint8Array, start: number, end: number, version: ProtocolVersion): number {
  const reasons = version === 5 ? skipProperties(bytes, start + 2) : start + 2;
  return bytes.subarray(reasons, end).reduce((worst, reason) => Math.max(worst, reason), 0);
}

/** The end of the properties that begin at `at`. MQTT 5.0 section 2.2.2.1. */
export function skipProperties(bytes: Uint8Array, at: number): number {
  let length = 0;
  let scale = 1;
  let digit: number;
  let next = at;
  do {
    digit = bytes[next++]!;
    length += (digit & 0x7f) * scale;
    scale *= 128;
  } while (digit >= 0x80);
  return next + length;
}

/** Bytes of one CONNACK property's value. MQTT 5.0 section 2.2.2.2, table 2-4. */
function propertyBytes(identifier: number, view: Buffer, at: number): number {
  switch (identifier) {
    case 0x24: // Maximum QoS
    case 0x25: // Retain Available
    case 0x28: // Wildcard Subscription Available
    case 0x29: // Subscription Identifiers Available
    case 0x2a: // Shared Subscription Available
      return 1;
    case 0x13: // Server Keep Alive
    case 0x22: // Topic Alias Maximum
      return 2;
    case 0x11: // Session Expiry Interval
    case 0x27: // Maximum Packet Size
      return 4;
    case USER_PROPERTY: // two strings
      return 4 + view.readUInt16BE(at) + view.readUInt16BE(at + 2 + view.readUInt16BE(at));
    case 0x12: // Assigned Client Identifier
    case 0x15: // Authentication Method
    case 0x16: // Authentication Data
    case 0x1a: // Response Information
    case 0x1c: // Server Reference
    case 0x1f: // Reason String
      return 2 + view.readUInt16BE(at);
    default:
      throw new Error(`CONNACK: unknown property 0x${identifier.toString(16)}`);
  }
}

function frame(first: number, body: readonly Buffer[]): Buffer {
  const rest = Buffer.concat(body);
  return Buffer.concat([Buffer.from([first]), variableByteInteger(rest.length), rest]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8');
  return Buffer.concat([uint16(bytes.length), bytes]);
}

function uint16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

/** User Properties as a fleet has them: short names, short values. */
function publishProperties(count: number): Buffer {
  const properties = Array.from({ length: count }, (_, index) =>
    Buffer.concat([Buffer.from([USER_PROPERTY]), text(`name-${index}`), text(`value-${index}`)]),
  );
  const bytes = Buffer.concat(properties);
  return Buffer.concat([variableByteInteger(bytes.length), bytes]);
}

function noProperties(version: ProtocolVersion): Buffer {
  return Buffer.alloc(version === 5 ? 1 : 0);
}

function sessionExpiryProperty(): Buffer {
  const property = Buffer.from([5, 0x11, 0, 0, 0, 0]);
  property.writeUInt32BE(SESSION_EXPIRY_S, 2);
  return property;
}
