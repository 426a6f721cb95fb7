import { hostname, networkInterfaces } from 'node:os';

const EVERY_ADDRESS = new Set(['', '*', '0.0.0.0', '::']);

/** The host to tell others for a connector that listens on `host`: one that they can dial. */
export function publishedHost(host: string): string {
  if (!isEveryAddress(host)) return host;
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { family, internal, address } of addresses ?? []) if (family === 'IPv4' && !internal) return address;
  }
  return hostname();
}

/** Whether who listens on `host` does so at all addresses of the machine. */
export function isEveryAddress(host: string): boolean {
  return EVERY_ADDRESS.has(host);
}

/** Whether only this machine can reach `host`. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
