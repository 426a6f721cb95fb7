import { isIP, type Socket } from 'node:net';
import type { ProxyHeader as HeaderWords } from '../config/haproxy/model.ts';
import type { Endpoint } from '../transport/endpoint.ts';
import { type ProxiedConnection, type ProxyValue, writeProxyHeaderV1, writeProxyHeaderV2 } from '../transport/proxy-header-writer.ts';
import { PP2_TYPE_SSL, PP2_TYPE_UNIQUE_ID, type ProxyHeader } from '../transport/proxy-protocol.ts';

/** PP2_TYPE_SSL of a client that came without TLS: no flags, and a verification of nothing that found nothing. */
const NO_TLS: ProxyValue = { type: PP2_TYPE_SSL, value: Buffer.alloc(5) };
/** PP2_TYPE_UNIQUE_ID without an id, as HAProxy sends it where no `unique-id-format` says how one is made. */
const NO_ID: ProxyValue = { type: PP2_TYPE_UNIQUE_ID, value: Buffer.alloc(0) };

/** Both ends of a client's connection: as its PROXY header says, else as the kernel does. null for a unix socket, or one that is gone. */
export function endsOf(client: Socket, header: ProxyHeader | null): ProxiedConnection | null {
  if (header !== null && header.source !== null && header.destination !== null) {
    const { source, destination } = header;
    return isIP(source.address) === 0 ? null : { source, destination };
  }
  const { remoteAddress, remotePort, localAddress, localPort } = client;
  if (remoteAddress === undefined || localAddress === undefined) return null;
  return { source: { address: remoteAddress, port: remotePort ?? 0 }, destination: { address: localAddress, port: localPort ?? 0 } };
}

/** What a server with `send-proxy` or its kin gets in front of the client's bytes. */
export function proxyHeaderFor({ version, tls, uniqueId, checksum }: HeaderWords, ends: ProxiedConnection | null): Buffer {
  if (version === 1) return writeProxyHeaderV1(ends);
  return writeProxyHeaderV2(ends, [...(uniqueId ? [NO_ID] : []), ...(tls ? [NO_TLS] : [])], { checksum });
}

/** `127.0.0.1:1883` and `::1:1883`: as HAProxy's log writes an end, which is without brackets. */
export function logName({ address, port }: Endpoint): string {
  return `${address}:${port ?? 0}`;
}
