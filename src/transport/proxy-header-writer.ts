import { isIPv4, isIPv6 } from 'node:net';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { crc32c } from '../bytes/crc32c.ts';
import type { Endpoint } from './endpoint.ts';
import {
  HEADER_V2_FIXED_SIZE,
  INET,
  INET6,
  LOCAL,
  PP2_TYPE_CRC32C,
  PROXY,
  SIGNATURE_V2,
  STREAM,
  UNIX,
  UNIX_PATH_SIZE,
  UNSPEC,
} from './proxy-protocol.ts';

/** The two ends of a client's connection to a proxy. */
export interface ProxiedConnection {
  readonly source: Endpoint;
  readonly destination: Endpoint;
}

/** A version 1 header. `UNKNOWN` for what has no addresses of one IP family. PROXY protocol section 2.1. */
export function writeProxyHeaderV1(proxied: ProxiedConnection | null): Buffer {
  const family = proxied === null ? UNSPEC : familyOf(proxied);
  if (proxied === null || (family !== INET && family !== INET6)) return Buffer.from('PROXY UNKNOWN\r\n', 'latin1');
  const { source, destination } = proxied;
  const protocol = family === INET ? 'TCP4' : 'TCP6';
  return Buffer.from(`PROXY ${protocol} ${source.address} ${destination.address} ${source.port} ${destination.port}\r\n`, 'latin1');
}

/** One value behind the addresses. */
export interface ProxyValue {
  readonly type: number;
  readonly value: Uint8Array;
}

/**
 * A version 2 header, of a stream. PROXY protocol section 2.2.
 *
 * @param proxied null: LOCAL, a connection of the proxy's own
 * @param values  written in this order
 * @param options `checksum` puts the value PP2_TYPE_CRC32C in front of the others, as HAProxy does
 */
export function writeProxyHeaderV2(
  proxied: ProxiedConnection | null,
  values: readonly ProxyValue[] = [],
  options: { checksum?: boolean } = {},
): Buffer {
  const writer = new ByteWriter(256);
  writer.bytes(SIGNATURE_V2);
  writer.u8(0x20 | (proxied === null ? LOCAL : PROXY));
  const family = proxied === null ? UNSPEC : familyOf(proxied);
  writer.u8(family === UNSPEC ? 0 : (family << 4) | STREAM);
  const lengthAt = writer.skip(2);
  if (proxied !== null) writeAddresses(writer, proxied, family);
  let checksumAt = 0;
  if (options.checksum === true) {
    writer.u8(PP2_TYPE_CRC32C);
    writer.u16(4);
    checksumAt = writer.skip(4);
    writer.setU32(checksumAt, 0);
  }
  for (const { type, value } of values) {
    writer.u8(type);
    writer.u16(value.length);
    writer.bytes(value);
  }
  writer.setU16(lengthAt, writer.length - HEADER_V2_FIXED_SIZE);
  if (checksumAt > 0) writer.setU32(checksumAt, crc32c(writer.buffer.subarray(0, writer.length)));
  return writer.copy();
}

function familyOf({ source, destination }: ProxiedConnection): number {
  if (source.port === null && destination.port === null) return UNIX;
  if (isIPv4(source.address) && isIPv4(destination.address)) return INET;
  if (isIPv6(source.address) && isIPv6(destination.address)) return INET6;
  return UNSPEC;
}

function writeAddresses(writer: ByteWriter, { source, destination }: ProxiedConnection, family: number): void {
  if (family === UNSPEC) return;
  if (family === UNIX) {
    for (const { address } of [source, destination]) {
      const path = Buffer.alloc(UNIX_PATH_SIZE);
      path.write(address, 'utf8');
      writer.bytes(path);
    }
    return;
  }
  for (const { address } of [source, destination]) {
    if (family === INET) for (const part of address.split('.')) writer.u8(Number(part));
    else for (const group of groupsOf(address)) writer.u16(group);
  }
  writer.u16(source.port ?? 0);
  writer.u16(destination.port ?? 0);
}

/** The eight groups of an IPv6 address, a scope such as `%eth0` left out. */
function groupsOf(address: string): number[] {
  const dotted = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const plain = address.replace(/%.*$/, '');
  const text =
    dotted === null
      ? plain
      : plain.slice(0, dotted.index) +
        [pair(dotted[1]!, dotted[2]!), pair(dotted[3]!, dotted[4]!)].map((group) => group.toString(16)).join(':');
  const [head = '', tail] = text.split('::');
  const groups = (part: string): number[] => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  if (tail === undefined) return groups(head);
  const [before, after] = [groups(head), groups(tail)];
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
}

function pair(high: string, low: string): number {
  return Number(high) * 256 + Number(low);
}
