/** Control Packet types. MQTT 5.0 section 2.1.2, table 2-1. */
export const CONNECT = 1;
export const CONNACK = 2;
export const PUBLISH = 3;
export const PUBACK = 4;
export const PUBREC = 5;
export const PUBREL = 6;
export const PUBCOMP = 7;
export const SUBSCRIBE = 8;
export const SUBACK = 9;
export const UNSUBSCRIBE = 10;
export const UNSUBACK = 11;
export const PINGREQ = 12;
export const PINGRESP = 13;
export const DISCONNECT = 14;
export const AUTH = 15;

/** For messages: `PACKET_NAMES[type]`. */
export const PACKET_NAMES: readonly string[] = [
  'reserved packet 0',
  'CONNECT',
  'CONNACK',
  'PUBLISH',
  'PUBACK',
  'PUBREC',
  'PUBREL',
  'PUBCOMP',
  'SUBSCRIBE',
  'SUBACK',
  'UNSUBSCRIBE',
  'UNSUBACK',
  'PINGREQ',
  'PINGRESP',
  'DISCONNECT',
  'AUTH',
];

/** Protocol levels as CONNECT carries them: MQTT 3.1 (`MQIsdp`), 3.1.1, 5.0. */
export const MQTT_3_1 = 3;
export const MQTT_3_1_1 = 4;
export const MQTT_5 = 5;
export type ProtocolLevel = typeof MQTT_3_1 | typeof MQTT_3_1_1 | typeof MQTT_5;

/** Largest Remaining Length, in bytes. MQTT 5.0 section 1.5.5: four bytes of seven bits. */
export const REMAINING_LENGTH_MAX = 268_435_455;

/** Largest whole packet, in bytes: type byte, four bytes of length, and what they can announce. */
export const PACKET_SIZE_MAX = REMAINING_LENGTH_MAX + 5;

/** Bytes that `value` takes as a Variable Byte Integer. */
export function variableByteLength(value: number): number {
  return value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4;
}

/** Writes a Variable Byte Integer at `at`; returns the place behind it. */
export function writeVariableByte(buffer: Buffer, at: number, value: number): number {
  let rest = value;
  let i = at;
  while (rest >= 128) {
    buffer[i++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  buffer[i++] = rest;
  return i;
}
