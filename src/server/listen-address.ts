import { lookup } from 'node:dns/promises';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { createServer, isIP } from 'node:net';
import type { Diagnostic } from '../config/diagnostic.ts';

/** Where a file asks to listen, after `--map-address`. */
export interface ListenAddress {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** `transportConnector "mqtt"`, `frontend mqtt_proxy`. */
  readonly what: string;
  /** Empty for every address. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** The host is IPv6's `::` and leaves IPv4 to others. */
  readonly v6only: boolean;
}

/** `127.0.0.1:1883`, `[::1]:1883`, `*:1883`. */
export function formatAddress(host: string, port: number): string {
  if (host === '') return `*:${port}`;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Says which of these addresses cannot work together, on whatever machine: asked for twice, or of a host that does not resolve. */
export async function findCollisions(addresses: readonly ListenAddress[]): Promise<Diagnostic[]> {
  const faults: Diagnostic[] = [];
  const resolved: Resolved[] = [];
  for (const address of addresses) {
    const ip = await resolve(address.host);
    if (ip === null) {
      faults.push(faultAt(address, `the host name ${address.host} does not resolve`));
      continue;
    }
    const rival = resolved.find((other) => collide(other, { address, ip }));
    if (rival === undefined) resolved.push({ address, ip });
    else {
      const { file, line, what } = rival.address;
      faults.push(faultAt(address, `the port is asked for twice, first at ${file}:${line} (${what})`));
    }
  }
  return faults;
}

/**
 * Says which of these addresses cannot be listened on right now: taken by another program, not of this machine, not permitted. Each is
 * tried for a moment and given back.
 */
export async function findTaken(addresses: readonly ListenAddress[]): Promise<Diagnostic[]> {
  const faults: Diagnostic[] = [];
  for (const address of addresses) {
    const reason = await tryToListen(address);
    if (reason !== null) faults.push(faultAt(address, reason));
  }
  return faults;
}

/** Why listening failed, as a person would say it. */
export function describeListenError(error: NodeJS.ErrnoException, holder: string | null = null): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `the port is taken by ${holder ?? 'another program'}`;
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address (--map-address A=B lets one of its own stand in for it)';
    case 'EACCES':
      return 'not permitted (ports below 1024 need root)';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host name does not resolve';
    default:
      return error.message;
  }
}

function faultAt(address: ListenAddress, reason: string): Diagnostic {
  const { file, line, column, what, host, port } = address;
  const message = `${what} cannot listen on ${formatAddress(host, port)}: ${reason}`;
  return { severity: 'error', file, line, column, keyword: '', message };
}

async function resolve(host: string): Promise<string | null> {
  if (host === '' || isIP(host) !== 0) return host;
  try {
    return (await lookup(host)).address;
  } catch {
    return null;
  }
}

interface Resolved {
  readonly address: ListenAddress;
  readonly ip: string;
}

function collide(a: Resolved, b: Resolved): boolean {
  if (a.address.port !== b.address.port || a.address.port === 0) return false;
  return a.ip === b.ip || covers(a, b) || covers(b, a);
}

/** Whether `any` is an address of all, and `one` is among them. */
function covers(any: Resolved, one: Resolved): boolean {
  if (any.ip === '0.0.0.0') return isIP(one.ip) === 4;
  if (any.ip !== '' && any.ip !== '::') return false;
  return !any.address.v6only || isIP(one.ip) === 6;
}

/** null when it can be listened on. */
async function tryToListen({ host, port, v6only }: ListenAddress): Promise<string | null> {
  if (port === 0) return null;
  const server = createServer();
  const error = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
    server.once('error', resolve);
    server.listen({ port, ipv6Only: v6only, exclusive: true, ...(host === '' ? {} : { host }) }, () => resolve(null));
  });
  if (error === null) {
    await new Promise((resolve) => server.close(resolve));
    return null;
  }
  return describeListenError(error, error.code === 'EADDRINUSE' ? await findHolder(port) : null);
}

/**
 * Who listens on a TCP port: `process 1234 (mosquitto)`. null where the system does not say, or not to us.
 *
 * Linux: /proc/net/tcp has the socket's inode, and one of the processes' descriptors leads to it.
 */
async function findHolder(port: number): Promise<string | null> {
  const inodes = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const text = await readFile(table, 'latin1').catch(() => '');
    for (const row of text.split('\n').slice(1)) {
      const [, local, , state, , , , , , inode] = row.trim().split(/\s+/);
      const LISTEN = '0A';
      if (state === LISTEN && inode !== undefined && Number.parseInt(local!.split(':')[1]!, 16) === port) inodes.add(`socket:[${inode}]`);
    }
  }
  if (inodes.size === 0) return null;
  for (const pid of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(pid)) continue;
    for (const descriptor of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      if (!inodes.has(await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => ''))) continue;
      const name = (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim();
      return `process ${pid}${name === '' ? '' : ` (${name})`}`;
    }
  }
  return null;
}
