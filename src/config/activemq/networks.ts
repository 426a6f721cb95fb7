import { isIP } from 'node:net';
import type { NetworkModel } from './model.ts';

/** Bits of an address, by IP version. */
const ADDRESS_BITS = { 4: 32, 6: 128 } as const;

/**
 * Reads a list of networks with commas between: `10.0.0.0/8,::1`. An address without a prefix length is itself alone; bits behind the
 * prefix do not count. A problem continues a sentence that begins with the option's name.
 */
export function parseNetworks(text: string): { readonly value: readonly NetworkModel[] } | { readonly problem: string } {
  const networks: NetworkModel[] = [];
  for (const part of text.split(',')) {
    const network = parseNetwork(part.trim());
    if (typeof network === 'string') return { problem: network };
    networks.push(network);
  }
  return { value: networks };
}

/** A string is a problem. */
function parseNetwork(text: string): NetworkModel | string {
  const [address = '', length, ...rest] = text.split('/');
  const version = address.includes('%') ? 0 : isIP(address);
  if ((version !== 4 && version !== 6) || rest.length > 0) {
    return `expected addresses and networks such as 10.0.0.0/8 or ::1 with commas between, found "${text}"`;
  }
  const bits = ADDRESS_BITS[version];
  const prefixLength = length === undefined ? bits : /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN;
  if (!(prefixLength <= bits)) return `expected a prefix length from 0 to ${bits} behind ${address}, found "${length}"`;
  return { address, prefixLength, version };
}
