/** Groups of an IPv6 address that name a network; the others are one host's to choose (RFC 4291 section 2.5.4). */
const NETWORK_GROUPS = 4;
const GROUPS = 8;

/**
 * Where a connection comes from, as far as it can be held against somebody: an IPv4 address, or the first 64 bits of an IPv6 address, since
 * whoever has one has all that begin so.
 *
 * @param remoteAddress as `Connection.remoteAddress`
 * @returns null for a client of a unix socket
 */
export function sourceNetwork(remoteAddress: string): string | null {
  if (remoteAddress.startsWith('unix:')) return null;
  const host = remoteAddress.slice(0, remoteAddress.lastIndexOf(':'));
  if (!host.startsWith('[')) return host;
  const address = host.slice(1, -1).toLowerCase();
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  if (mapped !== null) return mapped[1]!;
  if (address.startsWith('fe80:')) return address; // all neighbours on one wire begin so
  const [before, after] = address.split('::') as [string, string | undefined];
  const groups = before === '' ? [] : before.split(':');
  if (after !== undefined) {
    const behind = after === '' ? [] : after.split(':');
    while (groups.length + behind.length < GROUPS) groups.push('0');
    groups.push(...behind);
  }
  return `${groups.slice(0, NETWORK_GROUPS).join(':')}::/64`;
}
