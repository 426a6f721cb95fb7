/**
 * As much of MQTT as a balancer needs in order to know that it may send the first bytes again to another server: is this a CONNECT?
 *
 * A CONNECT that no CONNACK has answered promised nothing to anybody, whatever became of the server that got it. Nothing of the kind is
 * known of other protocols: their first bytes may have had an effect.
 */

/** Fixed header of CONNECT: type 1, flags 0. MQTT 5.0 section 3.1.1 */
const CONNECT_HEADER = 0x10;
/** Bytes of a Variable Byte Integer. MQTT 5.0 section 1.5.5 */
const REMAINING_LENGTH_BYTES_MAX = 4;
/** Protocol Name with its length: MQTT 3.1.1 and 5, MQTT 3.1. */
const PROTOCOL_NAMES = [Buffer.from('\0\x04MQTT'), Buffer.from('\0\x06MQIsdp')];

/**
 * - `no`       these are not the first bytes of an MQTT client
 * - `partial`  so far they could be
 * - `complete` a whole CONNECT is there, perhaps with more behind it
 */
export function recogniseConnect(bytes: Buffer): 'no' | 'partial' | 'complete' {
  if (bytes.length === 0) return 'partial';
  if (bytes[0] !== CONNECT_HEADER) return 'no';
  let remaining = 0;
  let at = 1;
  for (;;) {
    if (at > REMAINING_LENGTH_BYTES_MAX) return 'no';
    if (at === bytes.length) return 'partial';
    const byte = bytes[at]!;
    remaining += (byte & 0x7f) * 128 ** (at - 1);
    at++;
    if (byte < 0x80) break;
  }
  const name = bytes.subarray(at, at + 8);
  const known = PROTOCOL_NAMES.some((expected) => {
    const length = Math.min(name.length, expected.length);
    return name.compare(expected, 0, length, 0, length) === 0;
  });
  if (!known) return 'no';
  return bytes.length >= at + remaining ? 'complete' : 'partial';
}
