import type {
  Bind,
  GlobalSection,
  LogTarget,
  ProxyModel,
  Proxy as ProxySection,
  Server,
  Stats,
  Timeouts,
} from '../../src/config/haproxy/model.ts';

/** Models as the reader of haproxy.cfg makes them, for tests that are about the balancer and not about its file. */

const PLACE = { file: 'haproxy.cfg', line: 1 };

export const TIMEOUTS: Timeouts = {
  connect: 5_000,
  client: 60_000,
  server: 60_000,
  queue: null,
  tunnel: null,
  clientFin: null,
  serverFin: null,
  check: null,
  httpRequest: null,
};

const SECTION: ProxySection = {
  name: 'proxy',
  kind: 'listen',
  place: PLACE,
  id: 2,
  mode: 'tcp',
  disabled: false,
  log: [],
  timeouts: TIMEOUTS,
  binds: [],
  maxconn: null,
  defaultBackend: null,
  tcplog: true,
  httplog: false,
  dontlognull: false,
  dontlogNormal: false,
  logasap: false,
  clitcpka: false,
  srvtcpka: false,
  rateLimitSessions: null,
  balance: 'roundrobin',
  servers: [],
  retries: 3,
  redispatch: null,
  allbackups: false,
  fullconn: null,
  stats: null,
};

export function bind(change: Partial<Bind> = {}): Bind {
  return {
    place: PLACE,
    text: '127.0.0.1:0',
    host: '127.0.0.1',
    port: 0,
    v4only: false,
    v6only: false,
    path: null,
    maxconn: null,
    backlog: null,
    name: null,
    acceptProxy: false,
    ...change,
  };
}

/** A port, or more. */
export type ServerSketch = number | ({ port: number } & Partial<Server>);

function server(sketch: ServerSketch, index: number): Server {
  return {
    place: PLACE,
    name: `s${index + 1}`,
    id: index + 1,
    host: '127.0.0.1',
    weight: 1,
    maxconn: 0,
    minconn: 0,
    maxqueue: 0,
    backup: false,
    disabled: false,
    check: false,
    interMs: 2_000,
    proxyHeader: null,
    ...(typeof sketch === 'number' ? { port: sketch } : sketch),
  };
}

export interface SectionSketch extends Partial<Omit<ProxySection, 'servers' | 'timeouts'>> {
  servers?: ServerSketch[];
  timeouts?: Partial<Timeouts>;
}

export function section(sketch: SectionSketch): ProxySection {
  return {
    ...SECTION,
    ...sketch,
    timeouts: { ...TIMEOUTS, ...sketch.timeouts },
    servers: (sketch.servers ?? []).map(server),
  };
}

/** Frontend `fe` on a free port, backend `be` with these servers. */
export function frontAndBack(options: {
  servers: ServerSketch[];
  front?: SectionSketch;
  back?: SectionSketch;
  global?: Partial<GlobalSection>;
  more?: ProxySection[];
}): ProxyModel {
  const timeouts = { ...options.front?.timeouts, ...options.back?.timeouts };
  return model(
    [
      section({ name: 'fe', kind: 'frontend', id: 2, binds: [bind()], defaultBackend: 'be', ...options.front, timeouts }),
      section({ name: 'be', kind: 'backend', id: 3, servers: options.servers, ...options.back, timeouts }),
      ...(options.more ?? []),
    ],
    options.global,
  );
}

export function model(proxies: ProxySection[], global: Partial<GlobalSection> = {}): ProxyModel {
  return {
    global: {
      maxconn: 1_000,
      daemon: false,
      log: [],
      pidfile: null,
      node: null,
      description: null,
      logTag: null,
      hardStopAfterMs: null,
      strictLimits: true,
      ...global,
    },
    proxies,
  };
}

export const STATS: Stats = {
  uri: '/haproxy',
  refreshSeconds: null,
  realm: 'HAProxy Statistics',
  auth: [],
  hideVersion: false,
  showNode: null,
  showDesc: null,
  showLegends: false,
  scope: [],
};

export function udpLog(port: number, change: Partial<LogTarget> = {}): LogTarget {
  return {
    kind: 'udp',
    address: '127.0.0.1',
    port,
    format: 'raw',
    facility: 16,
    maxLevel: 7,
    minLevel: 0,
    lengthMax: 1_024,
    ...change,
  };
}
