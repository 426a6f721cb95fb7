import type { Clock } from '../timing/clock.ts';
import type { Backend } from './backend.ts';
import type { Frontend } from './frontend.ts';
import { type EndCause, type EndState, formatTcpLog } from './log-format.ts';
import type { Server } from './server.ts';
import { INFO } from './syslog.ts';

/**
 * What one tcp session costs and counts, and the line that tells of it in the end. The stream says what happens; what that means for the
 * columns of the statistics and the fields of tcplog is decided here.
 */
export class SessionAccount {
  readonly acceptedAtMs: number;
  /** Since accept until a server was chosen; -1 before. */
  queueMs = -1;
  retries = 0;
  /** Place in the backend's queue when it was left; 0 for one that never waited. */
  queuePlace = 0;
  /** The server last chosen. */
  server: Server | null = null;
  readonly #frontend: Frontend;
  readonly #backend: Backend | null;
  readonly #clock: Clock;
  readonly #acceptedWallMs: number;
  readonly #clientName: string;
  readonly #processConnections: () => number;
  #connectMs = -1;
  #bytesIn = 0;
  #bytesOut = 0;
  #redispatched = false;
  #logged = false;

  constructor(options: {
    frontend: Frontend;
    backend: Backend | null;
    clock: Clock;
    clientName: string;
    processConnections: () => number;
  }) {
    this.#frontend = options.frontend;
    this.#backend = options.backend;
    this.#clock = options.clock;
    this.#clientName = options.clientName;
    this.#processConnections = options.processConnections;
    this.acceptedAtMs = this.#clock.monotonicMs();
    this.#acceptedWallMs = this.#clock.wallMs();
  }

  opened(): void {
    this.#backend?.tally.sessions.rise();
    this.#backend?.tally.countSession();
  }

  /** A connection to `server` begins: the first, one more to the same server (a retry), or one to another (a redispatch). */
  connecting(server: Server): void {
    const backend = this.#backend!;
    const before = this.server;
    if (before === null) {
      this.queueMs = this.#elapsedMs();
    } else {
      this.retries++;
      if (before === server) {
        server.tally.retries++;
        backend.tally.retries++;
      } else {
        this.#redispatched = true;
        before.tally.redispatches++;
        backend.tally.redispatches++;
      }
    }
    this.server = server;
    server.tally.countSession();
    server.tally.connects++;
    backend.tally.connects++;
  }

  connected(): void {
    this.#connectMs = Math.max(0, this.#elapsedMs() - this.queueMs);
    if (this.#frontend.model.logasap) this.#log('-', '-', this.queueMs + this.#connectMs, true);
  }

  /** Bytes read from the client. */
  request(bytes: number): void {
    this.#bytesIn += bytes;
    this.#frontend.tally.bytesIn += bytes;
    if (this.#backend !== null) this.#backend.tally.bytesIn += bytes;
  }

  /** Bytes of the client given to the server. */
  forwarded(bytes: number): void {
    this.server!.tally.bytesIn += bytes;
  }

  /** Bytes read from the server. */
  response(bytes: number): void {
    this.#bytesOut += bytes;
    this.#frontend.tally.bytesOut += bytes;
    this.#backend!.tally.bytesOut += bytes;
    this.server!.tally.bytesOut += bytes;
  }

  clientAborted(): void {
    if (this.#backend !== null) this.#backend.tally.clientAborts++;
    if (this.server !== null) this.server.tally.clientAborts++;
  }

  /** @param byError it reset the connection, rather than stay silent for too long */
  serverAborted(byError: boolean): void {
    for (const tally of [this.#backend!.tally, this.server!.tally]) {
      tally.serverAborts++;
      if (byError) tally.responseErrors++;
    }
  }

  /** No server could be had: none there, none in time, or none of those tried. */
  unserved(): void {
    if (this.#backend !== null) this.#backend.tally.connectionErrors++;
    if (this.server !== null) this.server.tally.connectionErrors++;
  }

  /** It left the queue without having been called. */
  gaveUpWaiting(place: number): void {
    this.queuePlace = place;
    this.queueMs = this.#elapsedMs();
  }

  /** It is over. `served`: it was connected to a server to the end, so its times count. */
  closed(cause: EndCause, state: EndState, served: boolean): void {
    const totalMs = this.#elapsedMs();
    this.#backend?.tally.sessions.fall();
    if (served) {
      for (const tally of [this.#backend!.tally, this.server!.tally]) tally.countTimes(this.queueMs, this.#connectMs, totalMs);
    }
    this.#log(cause, state, totalMs, false);
  }

  /** No line for this one. */
  silence(): void {
    this.#logged = true;
  }

  #log(cause: EndCause, state: EndState, totalMs: number, early: boolean): void {
    const { model, log, tally } = this.#frontend;
    if (this.#logged || !model.tcplog || !log.enabled) return;
    this.#logged = true;
    if (model.dontlognull && this.#bytesIn === 0 && !early) return;
    // HAProxy's idea of normal: nothing failed, and nothing had to be tried twice.
    if (model.dontlogNormal && cause === '-' && this.retries === 0) return;
    const line = formatTcpLog({
      client: this.#clientName,
      acceptedAtMs: this.#acceptedWallMs,
      frontend: model.name,
      backend: this.#backend?.name ?? model.name,
      server: this.server?.name ?? null,
      queueMs: this.queueMs,
      connectMs: this.#connectMs,
      totalMs,
      bytes: this.#bytesOut,
      cause,
      state,
      processConnections: this.#processConnections(),
      frontendConnections: tally.connections.value,
      backendConnections: this.#backend?.tally.sessions.value ?? 0,
      serverConnections: this.server?.tally.sessions.value ?? 0,
      retries: this.retries,
      redispatched: this.#redispatched,
      serverQueue: 0,
      backendQueue: this.queuePlace,
      early,
    });
    log.send(INFO, line);
  }

  #elapsedMs(): number {
    return Math.floor(this.#clock.monotonicMs() - this.acceptedAtMs);
  }
}
