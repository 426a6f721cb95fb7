import { SocketAddress } from 'node:net';

/** One end of a connection. */
export interface Endpoint {
  /** IPv4 or IPv6 in its canonical form, or the path of a unix socket. */
  readonly address: string;
  /** null for a unix socket. */
  readonly port: number | null;
}

/** `127.0.0.1:1883`, `[::1]:1883`, `unix:/run/mqtt.sock`. */
export function formatEndpoint({ address, port }: Endpoint): string {
  if (port === null) return `unix:${address}`;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The one way to write an IPv6 address that RFC 5952 knows. `address` must be one. */
export function canonicalIPv6(address: string): string {
  return new SocketAddress({ address, family: 'ipv6' }).address;
}
