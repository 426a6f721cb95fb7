import type { Socket } from 'node:net';
import type { Proxy as ProxySection } from '../config/haproxy/model.ts';
import type { Log } from '../telemetry/log.ts';
import type { Clock } from '../timing/clock.ts';
import { TimerEntry, type TimerWheel } from '../timing/timer-wheel.ts';
import type { ProxyHeader } from '../transport/proxy-protocol.ts';
import type { Backend } from './backend.ts';
import { endsOf, logName } from './client-ends.ts';
import { Gauge, Rate } from './counters.ts';
import { Listener } from './listener.ts';
import type { ProcessLoad } from './process-load.ts';
import { ProxyHandshake } from './proxy-handshake.ts';
import { INFO, type ProxyLog } from './syslog.ts';

/** How often at most an overload is told of, in milliseconds: one at its limit goes over it with every connection. */
const OVERLOAD_TELL_MS = 60_000;

/** What a frontend counts; named after the columns of the statistics page. */
export class FrontendTally {
  /** `scur`, `smax` */
  readonly connections = new Gauge();
  /** `conn_tot` */
  connectionsTotal = 0;
  /** `conn_rate` */
  readonly connectionRate: Rate;
  /** `stot`: less than the connections by those whose PROXY header was none. */
  sessionsTotal = 0;
  /** `rate` */
  readonly rate: Rate;
  bytesIn = 0;
  bytesOut = 0;
  /** `ereq` */
  requestErrors = 0;
  /** `req_tot`, `req_rate`; http only. */
  requests = 0;
  readonly requestRate: Rate;
  /** `intercepted`: requests that the proxy answered itself. */
  intercepted = 0;
  /** `hrsp_1xx` to `hrsp_5xx`, `hrsp_other`. */
  readonly responses: [number, number, number, number, number, number] = [0, 0, 0, 0, 0, 0];

  constructor(clock: Clock) {
    this.connectionRate = new Rate(clock);
    this.rate = new Rate(clock);
    this.requestRate = new Rate(clock);
  }
}

/** A session as its frontend sees it. */
export interface Session {
  start(): void;
  /** Ends at once. */
  abort(): void;
}

/** A connection that is let in. */
export interface Entrant {
  readonly frontend: Frontend;
  readonly socket: Socket;
  readonly listener: Listener;
  /** What its proxy says of it (`accept-proxy`); null: nothing. */
  readonly proxyHeader: ProxyHeader | null;
}

export interface FrontendOptions {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly load: ProcessLoad;
  readonly log: Log;
  readonly proxyLog: ProxyLog;
  readonly backend: Backend | null;
  readonly mapAddress: (host: string) => string;
  /** Makes the session of a connection that is let in. It calls `onGone` once, when all its sockets are closed. */
  readonly newSession: (entrant: Entrant, onGone: (session: Session) => void) => Session;
  /** A place of the process became free: every frontend may let somebody in. */
  readonly onRoom: () => void;
}

/**
 * The client side of a `frontend` or `listen`: its listeners, its limits, and the door.
 *
 * A connection beyond a limit is not refused: it waits, accepted and unread, as it would in the kernel's backlog under HAProxy. (Node has
 * no way to leave it there.)
 */
export class Frontend {
  readonly model: ProxySection;
  readonly log: ProxyLog;
  readonly tally: FrontendTally;
  readonly backend: Backend | null;
  readonly listeners: readonly Listener[];
  readonly sessions = new Set<Session>();
  readonly maxconn: number;
  readonly #options: FrontendOptions;
  readonly #waiting: { readonly socket: Socket; readonly listener: Listener }[] = [];
  readonly #rateTimer = new TimerEntry<Frontend>(this, (frontend) => frontend.letIn());
  #overloadToldAtMs = Number.NEGATIVE_INFINITY;

  constructor(model: ProxySection, options: FrontendOptions) {
    this.model = model;
    this.log = options.proxyLog;
    this.tally = new FrontendTally(options.clock);
    this.backend = options.backend;
    this.maxconn = Math.min(model.maxconn ?? options.load.maxconn, options.load.maxconn);
    this.#options = options;
    this.listeners = model.binds.map(
      (bind, index) =>
        new Listener({
          bind,
          id: index + 1,
          proxy: model,
          mapAddress: options.mapAddress,
          onConnection: (socket, listener) => this.#onConnection(socket, listener),
        }),
    );
  }

  get name(): string {
    return this.model.name;
  }

  /** @returns what cannot be bound, in HAProxy's words; empty when all is */
  async open(): Promise<string[]> {
    const complaints = await Promise.all(this.listeners.map((listener) => listener.open(this.#options.log)));
    return complaints.filter((complaint) => complaint !== null);
  }

  /** Closes the listeners. Sessions go on; who was not let in yet never will be. */
  close(): void {
    for (const listener of this.listeners) listener.close();
    for (const { socket } of this.#waiting.splice(0)) {
      this.#options.load.waiting--;
      socket.destroy();
    }
    this.#options.wheel.cancel(this.#rateTimer);
  }

  /** Lets in those who wait, as far as the limits allow. */
  letIn(): void {
    while (this.#waiting.length > 0) {
      const { socket, listener } = this.#waiting[0]!;
      if (!this.#hasRoom(listener)) return;
      this.#waiting.shift();
      this.#options.load.waiting--;
      if (!socket.destroyed) this.#admit(socket, listener);
    }
  }

  #onConnection(socket: Socket, listener: Listener): void {
    if (this.#waiting.length === 0 && this.#hasRoom(listener)) this.#admit(socket, listener);
    else this.#keepWaiting(socket, listener);
  }

  #admit(socket: Socket, listener: Listener): void {
    const { load } = this.#options;
    load.enter();
    listener.connections++;
    this.tally.connections.rise();
    this.tally.connectionsTotal++;
    this.tally.connectionRate.count();
    if (listener.bind.acceptProxy) this.#shakeHands(socket, listener);
    else this.#begin({ frontend: this, socket, listener, proxyHeader: null });
  }

  #begin(entrant: Entrant): void {
    this.tally.sessionsTotal++;
    this.tally.rate.count();
    if (!this.#logsSessions && this.log.enabled) this.log.send(INFO, this.#connectLine(entrant));
    const session = this.#options.newSession(entrant, (gone) => this.#onGone(gone, entrant.listener));
    this.sessions.add(session);
    session.start();
  }

  /** Waits for the client's PROXY header (`accept-proxy`). */
  #shakeHands(socket: Socket, listener: Listener): void {
    const { clock, wheel } = this.#options;
    const handshake: ProxyHandshake = new ProxyHandshake({
      client: socket,
      clientName: listener.nameOf(socket, null),
      entrance: `${this.name}/${listener.name}`,
      clock,
      wheel,
      timeoutMs: this.model.timeouts.client,
      onHeader: (proxyHeader, rest) => {
        this.sessions.delete(handshake);
        if (rest.length > 0) socket.unshift(rest);
        this.#begin({ frontend: this, socket, listener, proxyHeader });
      },
      onFailed: (line, silent) => {
        if (line !== '' && this.#logsSessions && this.log.enabled && !(silent && this.model.dontlognull)) this.log.send(INFO, line);
        this.#onGone(handshake, listener);
      },
    });
    this.sessions.add(handshake);
    handshake.start();
  }

  #onGone(session: Session, listener: Listener): void {
    this.sessions.delete(session);
    this.tally.connections.fall();
    listener.connections--;
    this.#options.load.leave();
    this.#options.onRoom();
  }

  get #logsSessions(): boolean {
    return this.model.tcplog || this.model.httplog;
  }

  #keepWaiting(socket: Socket, listener: Listener): void {
    const { load, log, clock } = this.#options;
    const full = load.waiting >= load.waitingMax;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#overloadToldAtMs > OVERLOAD_TELL_MS) {
      this.#overloadToldAtMs = nowMs;
      log.warn('a limit on connections is reached: further ones wait', { proxy: this.name, maxconn: this.maxconn });
    }
    if (full) {
      socket.destroy();
      return;
    }
    // Nobody reads it yet, but a reset may be noticed all the same.
    socket.on('error', () => {});
    load.waiting++;
    this.#waiting.push({ socket, listener });
  }

  #hasRoom(listener: Listener): boolean {
    if (!this.#options.load.hasRoom(this.model.mode === 'http')) return false;
    if (this.tally.connections.value >= this.maxconn) return false;
    if (listener.bind.maxconn !== null && listener.connections >= listener.bind.maxconn) return false;
    const { rateLimitSessions } = this.model;
    if (rateLimitSessions === null || rateLimitSessions === 0) return true;
    const waitMs = this.tally.rate.waitMs(rateLimitSessions);
    if (waitMs > 0) this.#options.wheel.schedule(this.#rateTimer, waitMs);
    return waitMs === 0;
  }

  #connectLine({ socket, listener, proxyHeader }: Entrant): string {
    const name = `(${this.name}/${this.model.mode.toUpperCase()})`;
    const ends = endsOf(socket, proxyHeader);
    if (ends === null) return `Connect to ${listener.nameOf(socket, proxyHeader)} ${name}`;
    return `Connect from ${logName(ends.source)} to ${logName(ends.destination)} ${name}`;
  }
}
