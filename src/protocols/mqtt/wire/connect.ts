import { ProtocolError } from '../../../errors.ts';
import { CONNACK, CONNECT, MQTT_3_1, MQTT_3_1_1, MQTT_5, type ProtocolLevel } from './control-packet.ts';
import { PacketWriter } from './packet-writer.ts';
import { Properties, propertiesEnd, readBinary, readProperties, readString, WILL } from './property.ts';
import { malformed, protocolError, UNSUPPORTED_PROTOCOL_VERSION } from './reason-code.ts';

export interface ConnectPacket {
  readonly level: ProtocolLevel;
  /** MQTT 5 Clean Start; Clean Session before. */
  readonly cleanStart: boolean;
  /** Seconds; 0: none. */
  readonly keepAlive: number;
  readonly clientId: string;
  readonly will: WillPacket | null;
  readonly userName: string | null;
  readonly password: Buffer | null;
  readonly properties: Properties;
}

export interface WillPacket {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly properties: Properties;
}

/** Thrown for a protocol name or level that we do not speak. The answer depends on what the client seems to speak. */
export class UnsupportedVersionError extends ProtocolError {
  /** The level asked for. */
  readonly level: number;

  constructor(level: number, message: string) {
    super('MQTT_UNSUPPORTED_VERSION', message, UNSUPPORTED_PROTOCOL_VERSION);
    this.level = level;
  }
}

/**
 * Reads the body of a CONNECT, MQTT 5.0 section 3.1. Its fields have one order, and the flags say which there are [MQTT-3.1.3-1].
 * @throws ProtocolError MQTT_MALFORMED_PACKET or MQTT_PROTOCOL_ERROR; UnsupportedVersionError
 */
export function readConnect(buffer: Buffer, header: number, start: number, end: number): ConnectPacket {
  if ((header & 0x0f) !== 0) throw malformed('the reserved flags of CONNECT must be 0 [MQTT-2.1.3-1]');
  const name = readString(buffer, start, end, 'Protocol Name');
  let at = start + 2 + buffer.readUInt16BE(start);
  if (at + 4 > end) throw malformed('CONNECT is cut off before its flags');
  const level = readLevel(name, buffer[at]!);
  const flags = buffer[at + 1]!;
  const keepAlive = buffer.readUInt16BE(at + 2);
  at += 4;
  const hasWill = (flags & 0x04) !== 0;
  const willQoS = (flags >> 3) & 3;
  // MQTT 3.1 leaves the reserved flag, and the will's flags where there is no will, to the client.
  if (level !== MQTT_3_1) {
    if ((flags & 1) !== 0) throw malformed('the reserved Connect Flag must be 0 [MQTT-3.1.2-3]');
    if (!hasWill && (flags & 0x38) !== 0) throw malformed('Will QoS or Will Retain without a will [MQTT-3.1.2-11] [MQTT-3.1.2-13]');
  }
  if (hasWill && willQoS === 3) throw malformed('a Will QoS of 3 [MQTT-3.1.2-12]');
  if (level !== MQTT_5 && (flags & 0xc0) === 0x40) throw malformed('a password without a user name [MQTT3-3.1.2-22]');

  let properties = NO_PROPERTIES;
  if (level === MQTT_5) {
    properties = readProperties(buffer, at, end, CONNECT);
    at = propertiesEnd(buffer, at, end);
    if (properties.authenticationData !== null && properties.authenticationMethod === null)
      throw protocolError('Authentication Data without an Authentication Method'); // section 3.1.2.11.10
  }
  const clientId = readString(buffer, at, end, 'Client Identifier'); // [MQTT-3.1.3-3] [MQTT-3.1.3-4]
  at += 2 + buffer.readUInt16BE(at);

  let will: WillPacket | null = null;
  if (hasWill) {
    // [MQTT-3.1.2-9]
    let willProperties = NO_PROPERTIES;
    if (level === MQTT_5) {
      willProperties = readProperties(buffer, at, end, WILL);
      at = propertiesEnd(buffer, at, end);
    }
    const topic = readString(buffer, at, end, 'Will Topic'); // [MQTT-3.1.3-11]
    at += 2 + buffer.readUInt16BE(at);
    const payload = readBinary(buffer, at, end, 'Will Payload');
    at += 2 + payload.length;
    will = { topic, payload, qos: willQoS as 0 | 1 | 2, retain: (flags & 0x20) !== 0, properties: willProperties };
  }
  // MQTT 3.1: "the Remaining Length field takes precedence over the User Name flag", a flag without its field is let pass.
  const mayLack = level === MQTT_3_1;
  let userName: string | null = null;
  if ((flags & 0x80) !== 0 && !(mayLack && at === end)) {
    userName = readString(buffer, at, end, 'User Name'); // [MQTT-3.1.2-17] [MQTT-3.1.3-12]
    at += 2 + buffer.readUInt16BE(at);
  }
  let password: Buffer | null = null;
  if ((flags & 0x40) !== 0 && !(mayLack && at === end)) {
    password = readBinary(buffer, at, end, 'Password'); // [MQTT-3.1.2-19]
    at += 2 + password.length;
  }
  if (at !== end) throw malformed(`CONNECT has ${end - at} bytes too many`); // [MQTT-3.1.2-16] [MQTT-3.1.2-18]
  return { level, cleanStart: (flags & 2) !== 0, keepAlive, clientId, will, userName, password, properties };
}

const NO_PROPERTIES = new Properties();

/**
 * The version that a CONNECT is of as far as can be told, whatever else is wrong with it: a refusal is said in the client's own words.
 * MQTT 3.1.1, where a packet that is not valid gets no answer, when it cannot be told.
 */
export function connectLevel(buffer: Buffer, start: number, end: number): ProtocolLevel {
  const at = start + NAME_MQTT.length;
  if (at >= end || buffer.compare(NAME_MQTT, 0, NAME_MQTT.length, start, at) !== 0) return MQTT_3_1_1;
  return (buffer[at]! & 0x7f) >= MQTT_5 ? MQTT_5 : MQTT_3_1_1;
}

/** The Protocol Name as it stands in CONNECT, its length in front. */
const NAME_MQTT = Buffer.from('\0\x04MQTT');

function readLevel(name: string, level: number): ProtocolLevel {
  // The high bit of the level marks a bridge in some clients (mosquitto); it changes nothing for a server.
  const plain = level & 0x7f;
  if (name === 'MQTT' && (plain === MQTT_3_1_1 || plain === MQTT_5)) return plain;
  if (name === 'MQIsdp' && plain === MQTT_3_1) return MQTT_3_1;
  throw new UnsupportedVersionError(
    level,
    `protocol "${printable(name)}" level ${level}: MQIsdp level 3 and MQTT levels 4 and 5 are spoken here [MQTT-3.1.2-1] [MQTT-3.1.2-2]`,
  );
}

function printable(text: string): string {
  return text.slice(0, 32).replace(/[^\x20-\x7e]/g, '?');
}

const body = new PacketWriter();
const list = new PacketWriter();

/** CONNACK of MQTT 3.1 and 3.1.1, section 3.2. Its flags are Session Present alone [MQTT-3.2.2-1]. */
export function writeConnackV3(sessionPresent: boolean, returnCode: number): Buffer {
  return Buffer.from([CONNACK << 4, 2, sessionPresent ? 1 : 0, returnCode]);
}

/**
 * What a CONNACK of MQTT 5 tells beside the reason; null leaves the property out. Every QoS and retained messages are served, in wills
 * too, so nothing says otherwise [MQTT-3.2.2-9] [MQTT-3.2.2-10] [MQTT-3.2.2-12] [MQTT-3.2.2-13]. User properties are never sent
 * [MQTT-3.2.2-20].
 */
export interface ConnackProperties {
  readonly sessionExpiryInterval?: number | null;
  readonly receiveMaximum?: number;
  readonly maximumPacketSize?: number | null;
  readonly assignedClientIdentifier?: string | null;
  readonly topicAliasMaximum?: number;
  readonly serverKeepAlive?: number | null;
  readonly authenticationMethod?: string | null;
  readonly authenticationData?: Buffer | null;
  readonly responseInformation?: string | null;
  readonly serverReference?: string | null;
  readonly reasonString?: string | null;
}

/** CONNACK of MQTT 5, section 3.2. Its flags are Session Present alone [MQTT-3.2.2-1]. */
export function writeConnackV5(sessionPresent: boolean, reasonCode: number, p: ConnackProperties): Buffer {
  list.reset();
  if (p.sessionExpiryInterval != null) list.byte(0x11).four(p.sessionExpiryInterval);
  if (p.assignedClientIdentifier != null) list.byte(0x12).string(p.assignedClientIdentifier);
  if (p.serverKeepAlive != null) list.byte(0x13).two(p.serverKeepAlive);
  if (p.authenticationMethod != null) list.byte(0x15).string(p.authenticationMethod);
  if (p.authenticationData != null) list.byte(0x16).binary(p.authenticationData);
  if (p.responseInformation != null) list.byte(0x1a).string(p.responseInformation);
  if (p.serverReference != null) list.byte(0x1c).string(p.serverReference);
  if (p.reasonString != null) list.byte(0x1f).string(p.reasonString);
  if (p.receiveMaximum != null) list.byte(0x21).two(p.receiveMaximum);
  if (p.topicAliasMaximum != null) list.byte(0x22).two(p.topicAliasMaximum);
  if (p.maximumPacketSize != null) list.byte(0x27).four(p.maximumPacketSize);
  return body
    .reset()
    .byte(sessionPresent ? 1 : 0)
    .byte(reasonCode)
    .properties(list)
    .packet(CONNACK << 4);
}
