import type { Backend } from '../backend.ts';
import type { Balancer } from '../balancer.ts';
import type { Tally } from '../counters.ts';
import type { Frontend } from '../frontend.ts';
import type { Failure } from '../health/passive.ts';
import type { Server } from '../server.ts';
import { type ColumnName, HTTP_MODULE_COLUMNS, TLS_COLUMNS } from './columns.ts';

export type Values = Partial<Record<ColumnName, string | number>>;

/** One line of the statistics. A column that has no meaning for the row is absent, and empty in the exports, as in HAProxy. */
export interface Row {
  readonly kind: 'Frontend' | 'Backend' | 'Server';
  readonly proxyId: number;
  /** The server's id; 0 for frontend and backend. */
  readonly id: number;
  readonly values: Values;
}

/** Everything of one `frontend`, `backend` or `listen`. */
export interface ProxyRows {
  readonly name: string;
  readonly kind: 'frontend' | 'backend' | 'listen';
  readonly mode: 'tcp' | 'http';
  readonly id: number;
  readonly frontend: Row | null;
  readonly servers: readonly { readonly row: Row; readonly server: Server }[];
  readonly backend: Row | null;
}

/** @param scope names of the proxies wanted; null for all */
export function collectRows(balancer: Balancer, options: { legends: boolean; scope: ReadonlySet<string> | null }): ProxyRows[] {
  const proxies: ProxyRows[] = [];
  for (const model of balancer.model.proxies) {
    if (options.scope !== null && !options.scope.has(model.name)) continue;
    const frontend = balancer.frontends.find((f) => f.model === model);
    const backend = balancer.backends.find((b) => b.model === model);
    if (frontend === undefined && backend === undefined) continue;
    proxies.push({
      name: model.name,
      kind: model.kind,
      mode: model.mode,
      id: model.id,
      frontend: frontend === undefined ? null : frontendRow(frontend),
      servers: (backend?.servers ?? []).map((server) => ({ server, row: serverRow(server, backend!, balancer, options.legends) })),
      backend: backend === undefined ? null : backendRow(backend, balancer, options.legends),
    });
  }
  return proxies;
}

function frontendRow({ model, tally, maxconn }: Frontend): Row {
  const values: Values = {
    ...zeros(TLS_COLUMNS),
    ...zeros(HTTP_MODULE_COLUMNS),
    pxname: model.name,
    svname: 'FRONTEND',
    scur: tally.connections.value,
    smax: tally.connections.max,
    slim: maxconn,
    stot: tally.sessionsTotal,
    bin: tally.bytesIn,
    bout: tally.bytesOut,
    dreq: 0,
    dresp: 0,
    ereq: tally.requestErrors,
    status: 'OPEN',
    pid: 1,
    iid: model.id,
    sid: 0,
    type: 0,
    rate: tally.rate.perSecond,
    rate_lim: model.rateLimitSessions ?? 0,
    rate_max: tally.rate.max,
    ...COMPRESSION,
    mode: model.mode,
    conn_rate: tally.connectionRate.perSecond,
    conn_rate_max: tally.connectionRate.max,
    conn_tot: tally.connectionsTotal,
    dcon: 0,
    dses: 0,
    wrew: 0,
    eint: 0,
    '-': '-',
  };
  if (model.mode === 'http') {
    const [r1, r2, r3, r4, r5, other] = tally.responses;
    Object.assign(values, {
      hrsp_1xx: r1,
      hrsp_2xx: r2,
      hrsp_3xx: r3,
      hrsp_4xx: r4,
      hrsp_5xx: r5,
      hrsp_other: other,
      req_rate: tally.requestRate.perSecond,
      req_rate_max: tally.requestRate.max,
      req_tot: tally.requests,
      intercepted: tally.intercepted,
      cache_lookups: 0,
      cache_hits: 0,
      h1_open_connections: tally.connections.value,
      h1_open_streams: tally.connections.value,
      h1_total_connections: tally.sessionsTotal,
      h1_total_streams: tally.requests,
      h1_bytes_in: tally.bytesIn,
      h1_bytes_out: tally.bytesOut,
    } satisfies Values);
  } else {
    Object.assign(values, { req_rate: 0, req_rate_max: 0, req_tot: 0 } satisfies Values);
  }
  return { kind: 'Frontend', proxyId: model.id, id: 0, values };
}

function backendRow(backend: Backend, balancer: Balancer, legends: boolean): Row {
  const { model, tally, queue, servers } = backend;
  const usable = servers.filter((server) => server.balanced);
  const active = usable.filter((server) => !server.model.backup);
  const backups = usable.filter((server) => server.model.backup);
  const bearers = active.length > 0 ? active : model.allbackups ? backups : backups.slice(0, 1);
  const weight = bearers.reduce((sum, server) => sum + server.weight, 0);
  const up = servers.length === 0 || weight > 0;
  const sinceStartS = Math.floor((balancer.clock.monotonicMs() - balancer.startedAtMs) / 1_000);
  const values: Values = {
    ...zeros(TLS_COLUMNS),
    ...zeros(HTTP_MODULE_COLUMNS),
    pxname: model.name,
    svname: 'BACKEND',
    qcur: queue.length,
    qmax: queue.lengthMax,
    slim: backend.fullconn,
    dreq: 0,
    ...common(tally, balancer),
    status: up ? 'UP' : 'DOWN',
    weight,
    act: active.length,
    bck: backups.length,
    chkdown: 0,
    lastchg: sinceStartS,
    iid: model.id,
    sid: 0,
    type: 1,
    ...COMPRESSION,
    mode: model.mode,
    uweight: weight,
    agg_server_status: 0,
    agg_server_check_status: 0,
    agg_check_status: 0,
    '-': '-',
  };
  if (servers.length > 0) values.downtime = up ? 0 : sinceStartS;
  if (legends) values.algo = model.balance;
  if (model.mode === 'http') {
    Object.assign(values, {
      ...zeros(HTTP_RESPONSES),
      req_tot: 0,
      cache_lookups: 0,
      cache_hits: 0,
      lastsess: lastSession(tally, balancer, 0),
    });
  }
  return { kind: 'Backend', proxyId: model.id, id: 0, values };
}

function serverRow(server: Server, backend: Backend, balancer: Balancer, legends: boolean): Row {
  const { model, tally } = server;
  const values: Values = {
    ...zeros(TLS_COLUMNS),
    pxname: backend.name,
    svname: server.name,
    qcur: 0,
    qmax: 0,
    ...common(tally, balancer),
    status: serverStatus(server),
    weight: model.weight,
    act: model.backup ? 0 : 1,
    bck: model.backup ? 1 : 0,
    lastchg: Math.floor((balancer.clock.monotonicMs() - Math.max(balancer.startedAtMs, server.health.changedAtMs)) / 1_000),
    iid: backend.model.id,
    sid: model.id,
    type: 2,
    mode: backend.model.mode,
    srv_icur: 0,
    idle_conn_cur: 0,
    safe_conn_cur: 0,
    used_conn_cur: tally.sessions.value,
    need_conn_est: tally.sessions.max,
    uweight: model.weight,
    '-': '-',
  };
  if (server.maxconn > 0) values.slim = server.maxconn;
  if (model.maxqueue > 0) values.qlimit = model.maxqueue;
  if (legends) values.addr = `${server.address.includes(':') ? `[${server.address}]` : server.address}:${model.port}`;
  if (model.check) {
    const { failures, downs, downMs } = server.health;
    values.chkfail = failures;
    values.chkdown = downs;
    values.downtime = Math.floor((model.disabled ? balancer.clock.monotonicMs() - balancer.startedAtMs : downMs) / 1_000);
  }
  const observed = model.check && !model.disabled ? observation(server) : null;
  if (observed !== null) {
    values.check_status = observed.code;
    values.check_desc = observed.description;
  }
  return { kind: 'Server', proxyId: backend.model.id, id: model.id, values };
}

function common(tally: Tally, balancer: Balancer): Values {
  return {
    scur: tally.sessions.value,
    smax: tally.sessions.max,
    stot: tally.sessionsTotal,
    bin: tally.bytesIn,
    bout: tally.bytesOut,
    dresp: 0,
    econ: tally.connectionErrors,
    eresp: tally.responseErrors,
    wretr: tally.retries,
    wredis: tally.redispatches,
    pid: 1,
    lbtot: tally.balanced,
    rate: tally.rate.perSecond,
    rate_max: tally.rate.max,
    cli_abrt: tally.clientAborts,
    srv_abrt: tally.serverAborts,
    lastsess: lastSession(tally, balancer, -1),
    qtime: tally.queueTime.average,
    ctime: tally.connectTime.average,
    rtime: 0,
    ttime: tally.totalTime.average,
    wrew: 0,
    connect: tally.connects,
    reuse: 0,
    qtime_max: tally.queueTime.max,
    ctime_max: tally.connectTime.max,
    rtime_max: 0,
    ttime_max: tally.totalTime.max,
    eint: 0,
  };
}

/**
 * A server without `check` is "no check", whatever happens to it: so do HAProxy's tools know it. With `check` real connections tell, until
 * something else does.
 */
export function serverStatus({ model, health }: Server): string {
  if (model.disabled) return 'MAINT';
  if (!model.check) return 'no check';
  return health.failure === null ? 'UP' : 'DOWN';
}

/** What the last connections tell of a server, in the words of HAProxy's checks. null when nothing did yet. */
export function observation({ health, tally }: Server): { code: string; description: string } | null {
  if (health.failure !== null) return FAILURES[health.failure];
  return tally.sessionsTotal === 0 ? null : { code: 'L4OK', description: 'Layer4 check passed' };
}

const FAILURES: Readonly<Record<Failure, { code: string; description: string }>> = {
  refused: { code: 'L4CON', description: 'Layer4 connection problem' },
  silent: { code: 'L4TOUT', description: 'Layer4 timeout' },
  closed: { code: 'L7RSP', description: 'Layer7 invalid response' },
  mute: { code: 'L7TOUT', description: 'Layer7 timeout' },
};

const COMPRESSION: Values = { comp_in: 0, comp_out: 0, comp_byp: 0, comp_rsp: 0 };
const HTTP_RESPONSES: readonly ColumnName[] = ['hrsp_1xx', 'hrsp_2xx', 'hrsp_3xx', 'hrsp_4xx', 'hrsp_5xx', 'hrsp_other'];

function lastSession(tally: Tally, balancer: Balancer, never: number): number {
  if (tally.lastSessionAtMs === null) return never;
  return Math.floor((balancer.clock.monotonicMs() - tally.lastSessionAtMs) / 1_000);
}

function zeros(names: readonly ColumnName[]): Values {
  return Object.fromEntries(names.map((name) => [name, 0]));
}
