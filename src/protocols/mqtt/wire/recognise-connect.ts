/** Fixed header of CONNECT: type 1, flags 0. MQTT 5.0 section 3.1.1 */
const CONNECT_HEADER = 0x10;
/** Bytes of a Variable Byte Integer. MQTT 5.0 section 1.5.5 */
const REMAINING_LENGTH_BYTES_MAX = 4;
/** Protocol Name with its length: MQTT 3.1.1 and 5, MQTT 3.1. */
const PROTOCOL_NAMES = [Buffer.from('\0\x04MQTT'), Buffer.from('\0\x06MQIsdp')];

/**
 * Whether the first bytes of a connection, `bytes[start, end)`, are a CONNECT: for those who do not speak MQTT themselves.
 *
 * - `no`       these are not the first bytes of an MQTT client
 * - `maybe`    so far they could be
 * - `begun`    they are, and the CONNECT goes on
 * - `complete` a whole CONNECT is there, perhaps with more behind it
 */
export function recogniseConnect(bytes: Buffer, start = 0, end = bytes.length): 'no' | 'maybe' | 'begun' | 'complete' {
  if (start === end) return 'maybe';
  if (bytes[start] !== CONNECT_HEADER) return 'no';
  let remaining = 0;
  let at = start + 1;
  for (;;) {
    if (at - start > REMAINING_LENGTH_BYTES_MAX) return 'no';
    if (at === end) return 'maybe';
    const byte = bytes[at]!;
    remaining += (byte & 0x7f) * 128 ** (at - start - 1);
    at++;
    if (byte < 0x80) break;
  }
  const name = PROTOCOL_NAMES.find((expected) => {
    const length = Math.min(end - at, expected.length);
    return bytes.compare(expected, 0, length, at, at + length) === 0;
  });
  if (name === undefined) return 'no';
  if (end - at < name.length) return 'maybe';
  return end >= at + remaining ? 'complete' : 'begun';
}
