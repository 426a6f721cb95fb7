import { AUTH, MQTT_5, type ProtocolLevel } from './control-packet.ts';
import { PacketWriter } from './packet-writer.ts';
import { readLastProperties } from './property.ts';
import { CONTINUE_AUTHENTICATION, malformed, protocolError, RE_AUTHENTICATE } from './reason-code.ts';

/** An AUTH from a client: MQTT 5.0 section 3.15. */
export interface AuthPacket {
  /** CONTINUE_AUTHENTICATION or RE_AUTHENTICATE. */
  readonly reasonCode: number;
  readonly authenticationMethod: string;
  /** null: none. */
  readonly authenticationData: Buffer | null;
}

/** @throws ProtocolError MQTT_MALFORMED_PACKET or MQTT_PROTOCOL_ERROR */
export function readAuth(buffer: Buffer, header: number, start: number, end: number, level: ProtocolLevel): AuthPacket {
  if (level !== MQTT_5) throw malformed('packet type 15 is reserved before MQTT 5');
  if ((header & 0x0f) !== 0) throw malformed('the flags of AUTH must be 0 [MQTT-3.15.1-1]');
  // An AUTH without a body says Success, which is the server's to say.
  if (end === start) throw protocolError('AUTH without an Authentication Method'); // section 3.15.2.2.2
  const reasonCode = buffer[start]!;
  if (reasonCode !== CONTINUE_AUTHENTICATION && reasonCode !== RE_AUTHENTICATE)
    throw protocolError(`AUTH with Reason Code 0x${reasonCode.toString(16)}: a client has 0x18 and 0x19 [MQTT-3.15.2-1]`);
  const { authenticationMethod, authenticationData } = readLastProperties(buffer, start + 1, end, AUTH);
  if (authenticationMethod === null) throw protocolError('AUTH without an Authentication Method'); // section 3.15.2.2.2
  return { reasonCode, authenticationMethod, authenticationData };
}

const body = new PacketWriter();
const list = new PacketWriter();

/** AUTH from the server, with the Authentication Method of CONNECT [MQTT-4.12.0-5] and with no words beside [MQTT-3.15.2-2] [MQTT-3.15.2-3]. */
export function writeAuth(reasonCode: number, authenticationMethod: string, authenticationData: Buffer | null): Buffer {
  list.reset().byte(0x15).string(authenticationMethod);
  if (authenticationData !== null) list.byte(0x16).binary(authenticationData);
  return body
    .reset()
    .byte(reasonCode)
    .properties(list)
    .packet(AUTH << 4);
}
