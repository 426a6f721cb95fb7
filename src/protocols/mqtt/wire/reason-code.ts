import { ProtocolError } from '../../../errors.ts';

/** Reason codes. MQTT 5.0 section 2.4, table 2-6. */
export const SUCCESS = 0x00;
export const GRANTED_QOS_0 = 0x00;
export const NO_MATCHING_SUBSCRIBERS = 0x10;
export const NO_SUBSCRIPTION_EXISTED = 0x11;
export const CONTINUE_AUTHENTICATION = 0x18;
export const RE_AUTHENTICATE = 0x19;
export const UNSPECIFIED_ERROR = 0x80;
export const MALFORMED_PACKET = 0x81;
export const PROTOCOL_ERROR = 0x82;
export const IMPLEMENTATION_SPECIFIC_ERROR = 0x83;
export const UNSUPPORTED_PROTOCOL_VERSION = 0x84;
export const CLIENT_IDENTIFIER_NOT_VALID = 0x85;
export const BAD_USER_NAME_OR_PASSWORD = 0x86;
export const NOT_AUTHORIZED = 0x87;
export const SERVER_UNAVAILABLE = 0x88;
export const SERVER_BUSY = 0x89;
export const SERVER_SHUTTING_DOWN = 0x8b;
export const BAD_AUTHENTICATION_METHOD = 0x8c;
export const KEEP_ALIVE_TIMEOUT = 0x8d;
export const SESSION_TAKEN_OVER = 0x8e;
export const TOPIC_FILTER_INVALID = 0x8f;
export const TOPIC_NAME_INVALID = 0x90;
export const PACKET_IDENTIFIER_NOT_FOUND = 0x92;
export const RECEIVE_MAXIMUM_EXCEEDED = 0x93;
export const TOPIC_ALIAS_INVALID = 0x94;
export const PACKET_TOO_LARGE = 0x95;
export const MESSAGE_RATE_TOO_HIGH = 0x96;
export const QUOTA_EXCEEDED = 0x97;
export const ADMINISTRATIVE_ACTION = 0x98;
export const USE_ANOTHER_SERVER = 0x9c;
export const SERVER_MOVED = 0x9d;
export const CONNECTION_RATE_EXCEEDED = 0x9f;

/** CONNACK return codes of MQTT 3.1 and 3.1.1 (section 3.2.2.3). */
export const V3_UNACCEPTABLE_PROTOCOL_VERSION = 1;
export const V3_IDENTIFIER_REJECTED = 2;
export const V3_SERVER_UNAVAILABLE = 3;
export const V3_BAD_USER_NAME_OR_PASSWORD = 4;
export const V3_NOT_AUTHORIZED = 5;

/** The return code that says to an earlier client what a Reason Code of CONNACK says; those not here are a closed connection. */
export const V3_RETURN_CODES: ReadonlyMap<number, number> = new Map([
  [CLIENT_IDENTIFIER_NOT_VALID, V3_IDENTIFIER_REJECTED],
  [BAD_USER_NAME_OR_PASSWORD, V3_BAD_USER_NAME_OR_PASSWORD],
  [NOT_AUTHORIZED, V3_NOT_AUTHORIZED],
  [SERVER_UNAVAILABLE, V3_SERVER_UNAVAILABLE],
  [QUOTA_EXCEEDED, V3_SERVER_UNAVAILABLE],
  [CONNECTION_RATE_EXCEEDED, V3_SERVER_UNAVAILABLE],
  [USE_ANOTHER_SERVER, V3_SERVER_UNAVAILABLE],
  [SERVER_MOVED, V3_SERVER_UNAVAILABLE],
]);

/** SUBACK return code of MQTT 3.1.1 (section 3.9.3) for a subscription that was not made. */
export const V3_SUBSCRIPTION_FAILURE = 0x80;

/** The bytes are not a packet: wrong lengths, flags, UTF-8. */
export function malformed(message: string): ProtocolError {
  return new ProtocolError('MQTT_MALFORMED_PACKET', message, MALFORMED_PACKET);
}

/** A well-formed packet that may not be sent, or not now. */
export function protocolError(message: string): ProtocolError {
  return new ProtocolError('MQTT_PROTOCOL_ERROR', message, PROTOCOL_ERROR);
}
