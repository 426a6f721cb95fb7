/** Bytes of the longest prefix: what a topic has left is the client's. A client id that makes a longer one gets none. */
const PREFIX_BYTES_MAX = 1_024;

/**
 * Response Information (MQTT 5.0 section 4.10.1): the beginning of topics that no other client is told, so that a client can make Response
 * Topics below it. Client ids are unique in the whole network of brokers, and so is what is made of one: `response/<client id>/`, with `%`,
 * `/`, `+` and `#` written as `%25` and so on.
 *
 * Nothing keeps others from subscribing there as long as nothing says who may subscribe to what.
 *
 * @returns null where the client id is too long for one
 */
export function responseInformation(clientId: string): string | null {
  const escaped = clientId.replace(/[%/+#]/g, (character) => `%${character.charCodeAt(0).toString(16)}`);
  const prefix = `response/${escaped}/`;
  return Buffer.byteLength(prefix) > PREFIX_BYTES_MAX ? null : prefix;
}
