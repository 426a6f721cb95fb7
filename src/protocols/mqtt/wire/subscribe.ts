import { MQTT_3_1, MQTT_5, type ProtocolLevel, SUBACK, SUBSCRIBE, UNSUBACK, UNSUBSCRIBE } from './control-packet.ts';
import { PacketWriter } from './packet-writer.ts';
import { propertiesEnd, readProperties, readString } from './property.ts';
import { malformed, protocolError } from './reason-code.ts';

export interface SubscribePacket {
  readonly packetIdentifier: number;
  /** 0 when there is none. */
  readonly subscriptionIdentifier: number;
  readonly requests: readonly SubscribeRequest[];
}

export interface SubscribeRequest {
  /** As sent, `$share/...` included. */
  readonly filter: string;
  readonly qos: 0 | 1 | 2;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  /** 0: send retained messages; 1: only for a new subscription; 2: none. */
  readonly retainHandling: 0 | 1 | 2;
}

export interface UnsubscribePacket {
  readonly packetIdentifier: number;
  readonly filters: readonly string[];
}

/** Bits of the options that must be 0, by level. MQTT 3.1 says of them only that they are not used. */
const RESERVED_OPTIONS = { 3: 0, 4: 0xfc, 5: 0xc0 } as const;

/** SUBSCRIBE and UNSUBSCRIBE have 0010; MQTT 3.1 also lets a client set DUP when it sends one again. */
function flagsAreRight(header: number, level: ProtocolLevel): boolean {
  return (header & (level === MQTT_3_1 ? 0x07 : 0x0f)) === 2;
}

function readIdentifier(buffer: Buffer, start: number, end: number, packet: string): number {
  if (start + 2 > end) throw malformed(`${packet} is cut off before its Packet Identifier`);
  const packetIdentifier = buffer.readUInt16BE(start);
  if (packetIdentifier === 0) throw protocolError(`${packet} with Packet Identifier 0 [MQTT-2.2.1-3]`);
  return packetIdentifier;
}

/** MQTT 5.0 section 3.8. @throws ProtocolError MQTT_MALFORMED_PACKET or MQTT_PROTOCOL_ERROR */
export function readSubscribe(buffer: Buffer, header: number, start: number, end: number, level: ProtocolLevel): SubscribePacket {
  if (!flagsAreRight(header, level)) throw malformed('the flags of SUBSCRIBE must be 0010 [MQTT-3.8.1-1]');
  const packetIdentifier = readIdentifier(buffer, start, end, 'SUBSCRIBE');
  let at = start + 2;
  let subscriptionIdentifier = 0;
  if (level === MQTT_5) {
    subscriptionIdentifier = readProperties(buffer, at, end, SUBSCRIBE).subscriptionIdentifiers?.[0] ?? 0;
    at = propertiesEnd(buffer, at, end);
  }
  if (at === end) throw protocolError('SUBSCRIBE without a topic filter [MQTT-3.8.3-2]');
  const requests: SubscribeRequest[] = [];
  while (at < end) {
    const filter = readString(buffer, at, end, 'Topic Filter'); // [MQTT-3.8.3-1]
    at += 2 + buffer.readUInt16BE(at);
    if (at >= end) throw malformed('a topic filter without its options [MQTT-3.8.3-2]');
    const options = buffer[at++]!;
    const qos = options & 3;
    if ((options & RESERVED_OPTIONS[level]) !== 0) throw malformed('reserved bits of the subscription options must be 0 [MQTT-3.8.3-5]'); // [MQTT3-3.8.3-4]
    // Section 3.8.3.1; MQTT 3.1.1 has it among the malformed ones, and ends the connection as well [MQTT3-3.8.3-4].
    if (qos === 3) throw protocolError('a subscription with QoS 3');
    if (level !== MQTT_5) {
      requests.push({ filter, qos: qos as 0 | 1 | 2, noLocal: false, retainAsPublished: false, retainHandling: 0 });
      continue;
    }
    const retainHandling = (options >> 4) & 3;
    if (retainHandling === 3) throw protocolError('a Retain Handling of 3'); // section 3.8.3.1
    requests.push({
      filter,
      qos: qos as 0 | 1 | 2,
      noLocal: (options & 4) !== 0,
      retainAsPublished: (options & 8) !== 0,
      retainHandling: retainHandling as 0 | 1 | 2,
    });
  }
  return { packetIdentifier, subscriptionIdentifier, requests };
}

/** MQTT 5.0 section 3.10. @throws ProtocolError MQTT_MALFORMED_PACKET or MQTT_PROTOCOL_ERROR */
export function readUnsubscribe(buffer: Buffer, header: number, start: number, end: number, level: ProtocolLevel): UnsubscribePacket {
  if (!flagsAreRight(header, level)) throw malformed('the flags of UNSUBSCRIBE must be 0010 [MQTT-3.10.1-1]');
  const packetIdentifier = readIdentifier(buffer, start, end, 'UNSUBSCRIBE');
  let at = start + 2;
  if (level === MQTT_5) {
    readProperties(buffer, at, end, UNSUBSCRIBE);
    at = propertiesEnd(buffer, at, end);
  }
  if (at === end) throw protocolError('UNSUBSCRIBE without a topic filter [MQTT-3.10.3-2]');
  const filters: string[] = [];
  while (at < end) {
    filters.push(readString(buffer, at, end, 'Topic Filter')); // [MQTT-3.10.3-1]
    at += 2 + buffer.readUInt16BE(at);
  }
  return { packetIdentifier, filters };
}

const body = new PacketWriter();
const list = new PacketWriter();

/**
 * SUBACK: the identifier of its SUBSCRIBE [MQTT-2.2.1-6] and one code a topic filter, in their order [MQTT-3.8.4-6] [MQTT-3.9.3-1]. There
 * are no user properties [MQTT-3.9.2-2].
 *
 * @param reasonString null: none; before MQTT 5 there is never one
 */
export function writeSuback(packetIdentifier: number, codes: readonly number[], level: ProtocolLevel, reasonString: string | null): Buffer {
  body.reset().two(packetIdentifier);
  if (level === MQTT_5) body.properties(reasonProperty(reasonString));
  for (const code of codes) body.byte(code);
  return body.packet(SUBACK << 4);
}

/**
 * UNSUBACK: the identifier of its UNSUBSCRIBE [MQTT-2.2.1-6]; MQTT 5 has one code a topic filter [MQTT-3.11.3-1], earlier versions none.
 * There are no user properties [MQTT-3.11.2-2].
 */
export function writeUnsuback(
  packetIdentifier: number,
  codes: readonly number[],
  level: ProtocolLevel,
  reasonString: string | null,
): Buffer {
  body.reset().two(packetIdentifier);
  if (level === MQTT_5) {
    body.properties(reasonProperty(reasonString));
    for (const code of codes) body.byte(code);
  }
  return body.packet(UNSUBACK << 4);
}

function reasonProperty(reasonString: string | null): PacketWriter {
  list.reset();
  return reasonString === null ? list : list.byte(0x1f).string(reasonString);
}
