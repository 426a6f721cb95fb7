import { existsSync, unlinkSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import type { Bind, Proxy as ProxySection } from '../config/haproxy/model.ts';
import type { Log } from '../telemetry/log.ts';
import type { ProxyHeader } from '../transport/proxy-protocol.ts';
import { endsOf, logName } from './client-ends.ts';

/**
 * Connections that may wait in the kernel for this process to get to them, unless `backlog` says otherwise: a fleet that reconnects at once.
 * The kernel cuts it to `net.core.somaxconn`.
 */
const BACKLOG = 4_096;

export interface BoundAddress {
  /** Name of the frontend or listen section. */
  readonly proxy: string;
  /** As the file has it. */
  readonly text: string;
  readonly host: string;
  /** The port the system gave, where the file says 0. */
  readonly port: number;
  /** A unix socket's path; null for TCP. */
  readonly path: string | null;
}

/** One address of a `bind` line. */
export class Listener {
  readonly bind: Bind;
  /** Which listener of its frontend it is, from 1. */
  readonly id: number;
  /** Sessions that came by it and have not ended. */
  connections = 0;
  readonly #proxy: ProxySection;
  readonly #host: string;
  readonly #server: Server;

  constructor(options: {
    bind: Bind;
    id: number;
    proxy: ProxySection;
    mapAddress: (host: string) => string;
    onConnection: (socket: Socket, listener: Listener) => void;
  }) {
    this.bind = options.bind;
    this.id = options.id;
    this.#proxy = options.proxy;
    // HAProxy's `*:9999` and `:9999` are IPv4 addresses.
    this.#host = options.mapAddress(options.bind.host === '' ? '0.0.0.0' : options.bind.host);
    this.#server = createServer(
      { allowHalfOpen: true, pauseOnConnect: true, noDelay: true, keepAlive: options.proxy.clitcpka },
      (socket: Socket) => options.onConnection(socket, this),
    );
  }

  /** @returns null, or what HAProxy says of a socket that cannot be bound */
  async open(log: Log): Promise<string | null> {
    const { path } = this.bind;
    let error = await this.#listen();
    if (error?.code === 'EADDRINUSE' && path !== null && (await isStale(path))) {
      unlinkSync(path);
      error = await this.#listen();
    }
    if (error !== null) return this.#complaint(error);
    this.#server.on('error', (later) => log.error('accepting connections failed', { proxy: this.#proxy.name, reason: later.message }));
    return null;
  }

  get address(): BoundAddress {
    const address = this.#server.address() as AddressInfo | string | null;
    const port = address !== null && typeof address === 'object' ? address.port : this.bind.port;
    return { proxy: this.#proxy.name, text: this.bind.text, host: this.#host, port, path: this.bind.path };
  }

  /** As logs name it. */
  get name(): string {
    return this.bind.name ?? String(this.id);
  }

  /** A client as logs name it: its address, or `unix:` and which listener it came by. */
  nameOf(client: Socket, proxyHeader: ProxyHeader | null): string {
    const ends = endsOf(client, proxyHeader);
    if (ends !== null) return logName(ends.source);
    // One that has already reset its connection has no address any more.
    return this.bind.path === null && proxyHeader === null ? '0.0.0.0:0' : `unix:${this.id}`;
  }

  /** Stops accepting; sessions go on. */
  close(): void {
    if (this.#server.listening) this.#server.close();
  }

  #listen(): Promise<NodeJS.ErrnoException | null> {
    const { path, port, v6only } = this.bind;
    const where = path === null ? { host: this.#host, port, ipv6Only: v6only } : { path };
    return new Promise((resolve) => {
      const onError = (error: NodeJS.ErrnoException): void => resolve(error);
      this.#server.once('error', onError);
      this.#server.listen({ ...where, backlog: this.bind.backlog ?? BACKLOG }, () => {
        this.#server.off('error', onError);
        resolve(null);
      });
    });
  }

  #complaint(error: NodeJS.ErrnoException): string {
    const { file, line } = this.bind.place;
    const kind = this.#proxy.kind === 'listen' ? 'proxy' : this.#proxy.kind;
    // Node reports a missing folder as EACCES, as it does on Windows.
    const code = error.code === 'EACCES' && this.bind.path !== null && !existsSync(dirname(this.bind.path)) ? 'ENOENT' : error.code;
    const reason = REASONS[code ?? ''] ?? error.message;
    const what =
      this.bind.path === null
        ? `cannot bind socket (${reason}) for [${this.#host}:${this.bind.port}]`
        : `cannot bind UNIX socket (${reason}) [${this.bind.path}]`;
    return `Binding [${file}:${line}] for ${kind} ${this.#proxy.name}: ${what}`;
  }
}

/** The system's own words, as HAProxy has them from strerror(3). */
const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'Address already in use',
  EADDRNOTAVAIL: 'Cannot assign requested address',
  EACCES: 'Permission denied',
  EPERM: 'Operation not permitted',
  ENOENT: 'No such file or directory',
  ENOTDIR: 'Not a directory',
  EAFNOSUPPORT: 'Address family not supported by protocol',
  ENOTFOUND: 'Could not resolve the host name',
};

/** A socket file that nobody listens behind: its owner died. */
function isStale(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}
