import { DISCONNECT, MQTT_3_1, MQTT_5, PACKET_NAMES, type ProtocolLevel, PUBACK, PUBREC, PUBREL } from './control-packet.ts';
import { PacketWriter } from './packet-writer.ts';
import { readLastProperties } from './property.ts';
import { malformed, protocolError, SUCCESS } from './reason-code.ts';

/** Reason Codes of PUBACK and PUBREC. MQTT 5.0 sections 3.4.2.1 and 3.5.2.1. */
const RECEIVED_CODES: readonly number[] = [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];

/** Reason Codes of PUBREL and PUBCOMP. MQTT 5.0 sections 3.6.2.1 and 3.7.2.1. */
const RELEASED_CODES: readonly number[] = [0x00, 0x92];

/** Reason Codes of DISCONNECT, from either side. MQTT 5.0 section 3.14.2.1. */
const DISCONNECT_CODES: readonly number[] = [
  0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8b, 0x8d, 0x8e, 0x8f, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0x9b, 0x9c,
  0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2,
];

/** PUBACK, PUBREC, PUBREL and PUBCOMP have one shape. MQTT 5.0 sections 3.4 to 3.7. One instance is reused. */
export class AcknowledgementView {
  packetIdentifier = 0;
  reasonCode = SUCCESS;

  /** @throws ProtocolError MQTT_MALFORMED_PACKET or MQTT_PROTOCOL_ERROR */
  read(buffer: Buffer, header: number, start: number, end: number, level: ProtocolLevel): void {
    const type = header >> 4;
    // MQTT 3.1 lets a client set DUP on a PUBREL that it sends again.
    const flags = header & (level === MQTT_3_1 ? 0x07 : 0x0f);
    if (flags !== (type === PUBREL ? 2 : 0)) throw malformed(`wrong flags in ${PACKET_NAMES[type]} [MQTT-2.1.3-1]`); // [MQTT-3.6.1-1]
    if (end - start < 2) throw malformed(`${PACKET_NAMES[type]} is cut off`);
    this.packetIdentifier = (buffer[start]! << 8) | buffer[start + 1]!;
    this.reasonCode = SUCCESS;
    if (this.packetIdentifier === 0) throw protocolError(`${PACKET_NAMES[type]} with Packet Identifier 0`);
    if (end - start === 2) return;
    if (level !== MQTT_5) throw malformed(`${PACKET_NAMES[type]} must have a Remaining Length of 2`);
    this.reasonCode = buffer[start + 2]!;
    // [MQTT-3.4.2-1] [MQTT-3.5.2-1] [MQTT-3.6.2-1] [MQTT-3.7.2-1]
    if (!(type === PUBACK || type === PUBREC ? RECEIVED_CODES : RELEASED_CODES).includes(this.reasonCode))
      throw protocolError(`${PACKET_NAMES[type]} with Reason Code 0x${this.reasonCode.toString(16)}`);
    if (end - start > 3) readLastProperties(buffer, start + 3, end, type);
  }
}

/** A DISCONNECT as read: MQTT 5.0 section 3.14. */
export interface DisconnectPacket {
  readonly reasonCode: number;
  /** Seconds; null when it was not sent. */
  readonly sessionExpiryInterval: number | null;
}

/** @throws ProtocolError MQTT_MALFORMED_PACKET or MQTT_PROTOCOL_ERROR */
export function readDisconnect(buffer: Buffer, header: number, start: number, end: number, level: ProtocolLevel): DisconnectPacket {
  if ((header & 0x0f) !== 0) throw malformed('the flags of DISCONNECT must be 0 [MQTT-3.14.1-1]');
  if (level !== MQTT_5) {
    if (end !== start) throw malformed('DISCONNECT must have a Remaining Length of 0');
    return { reasonCode: SUCCESS, sessionExpiryInterval: null };
  }
  if (end === start) return { reasonCode: SUCCESS, sessionExpiryInterval: null };
  const reasonCode = buffer[start]!;
  if (!DISCONNECT_CODES.includes(reasonCode))
    throw protocolError(`DISCONNECT with Reason Code 0x${reasonCode.toString(16)} [MQTT-3.14.2-1]`);
  if (end - start === 1) return { reasonCode, sessionExpiryInterval: null };
  return { reasonCode, sessionExpiryInterval: readLastProperties(buffer, start + 1, end, DISCONNECT).sessionExpiryInterval };
}

const body = new PacketWriter();
const list = new PacketWriter();

/**
 * PUBACK or PUBREC of MQTT 5 that refuses, with the reason in words.
 * @param header the packet's first byte
 */
export function writeRefusal(header: number, packetIdentifier: number, reasonCode: number, reasonString: string | null): Buffer {
  body.reset().two(packetIdentifier).byte(reasonCode);
  if (reasonString === null) return body.packet(header);
  list.reset().byte(0x1f).string(reasonString);
  return body.properties(list).packet(header);
}

/**
 * DISCONNECT of MQTT 5 from the server, section 3.14: a reason, its text and where to go instead, never a Session Expiry Interval
 * [MQTT-3.14.2-2] or user properties [MQTT-3.14.2-4].
 */
export function writeDisconnect(reasonCode: number, reasonString: string | null, serverReference: string | null): Buffer {
  list.reset();
  if (serverReference !== null) list.byte(0x1c).string(serverReference);
  if (reasonString !== null) list.byte(0x1f).string(reasonString);
  return body.reset().byte(reasonCode).properties(list).packet(0xe0);
}
