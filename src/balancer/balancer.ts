import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { ProxyModel, Proxy as ProxySection } from '../config/haproxy/model.ts';
import { ConfigError } from '../errors.ts';
import type { Log } from '../telemetry/log.ts';
import { type Clock, systemClock } from '../timing/clock.ts';
import { TimerWheel } from '../timing/timer-wheel.ts';
import { Backend } from './backend.ts';
import { type Capacity, capacity, descriptorLimit } from './descriptor-limit.ts';
import { type Entrant, Frontend, type Session } from './frontend.ts';
import type { BoundAddress } from './listener.ts';
import { ProcessLoad } from './process-load.ts';
import { loadSinceLastLook } from './stats/load.ts';
import type { PageOptions } from './stats/page.ts';
import { StatisticsSession } from './stats/session.ts';
import { Stream } from './stream.ts';
import { type ProxyLog, Syslog, WARNING } from './syslog.ts';

/** A backend without `fullconn` is full at this part of what its frontends may bring. HAProxy manual, `fullconn`. */
const FULLCONN_SHARE = 10;

export interface BalancerOptions {
  readonly log: Log;
  readonly clock?: Clock;
  /** Lets one machine stand in for others: applied to every address that is bound, connected to or logged to. */
  readonly mapAddress?: (host: string) => string;
  /** Open files that the process may have; read from the system unless given. */
  readonly descriptors?: number;
  /** The program's version, for the statistics page. */
  readonly version?: string;
}

/** Everything a haproxy.cfg describes, running: frontends, backends, the log and the limits they share. */
export class Balancer {
  readonly model: ProxyModel;
  readonly load: ProcessLoad;
  readonly capacity: Capacity;
  readonly frontends: readonly Frontend[];
  readonly backends: readonly Backend[];
  readonly clock: Clock;
  /** On the clock's monotonic scale; what `uptime` counts from. */
  startedAtMs = 0;
  readonly #log: Log;
  readonly #wheel: TimerWheel;
  readonly #syslog: Syslog;
  readonly #mapAddress: (host: string) => string;
  readonly #page: PageOptions;
  readonly #proxyLogs = new Map<ProxySection, ProxyLog>();
  #idle: (() => void)[] = [];

  constructor(model: ProxyModel, options: BalancerOptions) {
    this.model = model;
    this.#log = options.log;
    this.clock = options.clock ?? systemClock;
    this.#mapAddress = options.mapAddress ?? ((host) => host);
    this.#page = { version: options.version ?? null, load: loadSinceLastLook(this) };
    this.#wheel = new TimerWheel({ clock: this.clock });
    this.#syslog = new Syslog({ clock: this.clock, tag: model.global.logTag, log: options.log });
    this.capacity = capacity(model.global.maxconn, options.descriptors ?? descriptorLimit());
    this.load = new ProcessLoad({ clock: this.clock, maxconn: this.capacity.maxconn, waitingMax: this.capacity.waiting });

    const proxies = model.proxies.filter((proxy) => !proxy.disabled);
    for (const proxy of proxies) this.#proxyLogs.set(proxy, this.#syslog.open(proxy.log, this.#mapAddress));
    this.backends = proxies.filter((proxy) => proxy.kind !== 'frontend').map((proxy) => this.#newBackend(proxy, proxies));
    this.frontends = proxies.filter((proxy) => proxy.kind !== 'backend').map((proxy) => this.#newFrontend(proxy));
  }

  /**
   * Resolves the servers' names and binds every address.
   *
   * @throws ConfigError ADDRESS_UNRESOLVED when a server's name is unknown; PORT_TAKEN or BIND_FAILED when an address cannot be bound.
   *   Each line of the message tells one, in HAProxy's words; nothing is left open.
   */
  async start(): Promise<void> {
    await this.#resolveServers();
    const complaints = (await Promise.all(this.frontends.map((frontend) => frontend.open()))).flat();
    if (complaints.length > 0) {
      await this.#closeAll();
      const taken = complaints.some((complaint) => complaint.includes('(Address already in use)'));
      throw new ConfigError(taken ? 'PORT_TAKEN' : 'BIND_FAILED', complaints.join('\n'));
    }
    this.startedAtMs = this.clock.monotonicMs();
    const { needed, descriptors, maxconn } = this.capacity;
    if (needed > descriptors) {
      this.#log.warn('the limit on open files is too small for maxconn: running with fewer connections', {
        maxconn: this.model.global.maxconn,
        needed,
        limit: descriptors,
        connections: maxconn,
      });
    }
  }

  /**
   * Stops. Softly (the default): listeners close, sessions go on until they end or `hard-stop-after` is over. `hard`: sessions end at once.
   * May be called again, harder.
   */
  async stop(options: { hard?: boolean } = {}): Promise<void> {
    for (const frontend of this.frontends) frontend.close();
    let bound: NodeJS.Timeout | null = null;
    if (options.hard === true) {
      this.#abortSessions();
    } else {
      this.#tellStopped();
      const { hardStopAfterMs } = this.model.global;
      if (hardStopAfterMs !== null) bound = setTimeout(() => this.#abortSessions(), hardStopAfterMs);
    }
    await this.#sessionsEnded();
    if (bound !== null) clearTimeout(bound);
    await this.#closeAll();
  }

  /** What is listened on, with the ports that the system chose. */
  boundAddresses(): BoundAddress[] {
    return this.frontends.flatMap((frontend) => frontend.listeners.map((listener) => listener.address));
  }

  #newBackend(proxy: ProxySection, proxies: readonly ProxySection[]): Backend {
    const incoming = proxies
      .filter((p) => p.kind !== 'backend' && (p.defaultBackend === proxy.name || p === proxy))
      .reduce((sum, p) => sum + Math.min(p.maxconn ?? this.load.maxconn, this.load.maxconn), 0);
    const fullconn = Math.max(1, Math.ceil(incoming / FULLCONN_SHARE));
    return new Backend(proxy, { clock: this.clock, wheel: this.#wheel, log: this.#log, fullconn });
  }

  #newFrontend(proxy: ProxySection): Frontend {
    return new Frontend(proxy, {
      clock: this.clock,
      wheel: this.#wheel,
      load: this.load,
      log: this.#log,
      proxyLog: this.#proxyLogs.get(proxy)!,
      backend: this.backends.find((backend) => backend.name === proxy.defaultBackend) ?? null,
      mapAddress: this.#mapAddress,
      newSession: (entrant, onGone) => this.#newSession(entrant, onGone),
      onRoom: () => this.#onRoom(),
    });
  }

  #newSession({ frontend, socket, listener, proxyHeader }: Entrant, onGone: (session: Session) => void): Session {
    const clientName = frontend.log.enabled ? listener.nameOf(socket, proxyHeader) : '';
    if (frontend.model.mode === 'http') {
      return new StatisticsSession({
        client: socket,
        clientName,
        frontend,
        balancer: this,
        wheel: this.#wheel,
        page: this.#page,
        onGone,
      });
    }
    return new Stream({
      client: socket,
      clientName,
      proxyHeader,
      frontend,
      backend: frontend.backend,
      clock: this.clock,
      wheel: this.#wheel,
      processConnections: () => this.load.connections.value,
      onGone,
    });
  }

  #onRoom(): void {
    if (this.load.waiting > 0) for (const frontend of this.frontends) frontend.letIn();
    if (this.load.connections.value === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #sessionsEnded(): Promise<void> {
    if (this.load.connections.value === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #abortSessions(): void {
    for (const frontend of this.frontends) for (const session of [...frontend.sessions]) session.abort();
  }

  #tellStopped(): void {
    for (const [section, log] of this.#proxyLogs) {
      const front = this.frontends.find(({ model }) => model === section)?.tally.sessionsTotal ?? 0;
      const back = this.backends.find(({ model }) => model === section)?.tally.sessionsTotal ?? 0;
      log.send(WARNING, `Proxy ${section.name} stopped (cumulated conns: FE: ${front}, BE: ${back}).`);
    }
  }

  async #closeAll(): Promise<void> {
    for (const frontend of this.frontends) frontend.close();
    this.#wheel.clear();
    await this.#syslog.close();
  }

  async #resolveServers(): Promise<void> {
    const complaints: string[] = [];
    const servers = this.backends.flatMap((backend) => backend.servers);
    await Promise.all(
      servers.map(async (server) => {
        const host = this.#mapAddress(server.model.host);
        try {
          server.address = isIP(host) === 0 ? (await lookup(host)).address : host;
        } catch {
          const { file, line } = server.model.place;
          complaints.push(`[${file}:${line}] : 'server ${server.backend}/${server.name}' : could not resolve address '${host}'.`);
        }
      }),
    );
    if (complaints.length > 0) throw new ConfigError('ADDRESS_UNRESOLVED', complaints.join('\n'));
  }
}
