import { MQTT_5, PACKET_NAMES, type ProtocolLevel, PUBREL } from './control-packet.ts';
import { PacketWriter } from './packet-writer.ts';
import { readProperties } from './property.ts';
import { malformed, protocolError, SUCCESS } from './reason-code.ts';

/** PUBACK, PUBREC, PUBREL and PUBCOMP have one shape. MQTT 5.0 sections 3.4 to 3.7. One instance is reused. */
export class AcknowledgementView {
  packetIdentifier = 0;
  reasonCode = SUCCESS;

  /** @throws ProtocolError MQTT_MALFORMED_PACKET or MQTT_PROTOCOL_ERROR */
  read(buffer: Buffer, header: number, start: number, end: number, level: ProtocolLevel): void {
    const type = header >> 4;
    if ((header & 0x0f) !== (type === PUBREL ? 2 : 0)) throw malformed(`wrong flags in ${PACKET_NAMES[type]} [MQTT-2.1.3-1]`);
    if (end - start < 2) throw malformed(`${PACKET_NAMES[type]} is cut off`);
    this.packetIdentifier = (buffer[start]! << 8) | buffer[start + 1]!;
    this.reasonCode = SUCCESS;
    if (this.packetIdentifier === 0) throw protocolError(`${PACKET_NAMES[type]} with Packet Identifier 0`);
    if (end - start === 2) return;
    if (level !== MQTT_5) throw malformed(`${PACKET_NAMES[type]} must have a Remaining Length of 2`);
    this.reasonCode = buffer[start + 2]!;
    if (end - start > 3) readProperties(buffer, start + 3, end, type);
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
  if (end - start === 1) return { reasonCode, sessionExpiryInterval: null };
  return { reasonCode, sessionExpiryInterval: readProperties(buffer, start + 1, end, 14).sessionExpiryInterval };
}

const body = new PacketWriter();
const list = new PacketWriter();

/** DISCONNECT of MQTT 5 from the server, section 3.14. */
export function writeDisconnect(reasonCode: number, reasonString: string | null): Buffer {
  list.reset();
  if (reasonString !== null) list.byte(0x1f).string(reasonString);
  return body.reset().byte(reasonCode).properties(list).packet(0xe0);
}
