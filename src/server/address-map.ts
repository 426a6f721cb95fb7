import { isIP } from 'node:net';
import { ConfigError } from '../errors.ts';

/** Gives the address to use in place of the one a file names: `--map-address`. */
export type MapAddress = (host: string) => string;

/** One `--map-address A=B`. */
export type AddressPair = readonly [from: string, to: string];

/** All IPv4 addresses: what `*`, `:port` and an empty host mean, too. */
const ANY = '0.0.0.0';

/** RFC 1123 host names, and `_` as Docker's service names may have it. */
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$/i;

/**
 * Reads `A=B`: two addresses or host names, without ports.
 *
 * @throws ConfigError USAGE
 */
export function parseAddressPair(text: string): AddressPair {
  const at = text.indexOf('=');
  if (at < 0) throw fault(text, 'has no "="');
  const from = text.slice(0, at);
  const to = text.slice(at + 1);
  for (const host of [from, to]) {
    if (!isHost(host) && !(host === from && host === '*'))
      throw fault(text, host === '' ? 'one side is empty' : `"${host}" is neither an address nor a host name`);
  }
  return [from, to];
}

/**
 * One step, whole addresses, names without regard to case; what no pair names stays as it is.
 *
 * @throws ConfigError USAGE when two pairs send one address to different places
 */
export function createAddressMap(pairs: readonly AddressPair[]): MapAddress {
  const map = new Map<string, string>();
  for (const [from, to] of pairs) {
    const key = keyOf(from);
    const known = map.get(key);
    if (known !== undefined && known !== to) throw new ConfigError('USAGE', `--map-address: ${from} is mapped to ${known} and to ${to}`);
    map.set(key, to);
  }
  return (host) => map.get(keyOf(host)) ?? host;
}

function keyOf(host: string): string {
  return host === '' || host === '*' ? ANY : host.toLowerCase();
}

function isHost(text: string): boolean {
  if (isIP(text) !== 0) return true;
  if (/^[\d.]+$/.test(text)) return false; // meant as an IPv4 address, and none
  return HOST_NAME.test(text);
}

function fault(text: string, why: string): ConfigError {
  return new ConfigError('USAGE', `--map-address ${text}: ${why}; expected A=B, two addresses or host names without ports`);
}
