import type { Bind, Proxy as FinishedProxy, GlobalSection, LogTarget, Place, Server, Stats, Timeouts } from './model.ts';
import { type ProxyHeaderOption, proxyHeaderOf } from './proxy-header.ts';

/** Removes `readonly`, for what is still being read. */
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export type GlobalDraft = Mutable<GlobalSection> & {
  log: LogTarget[];
  zeroWarning: boolean;
  quiet: boolean;
  uid: number | null;
  gid: number | null;
  /** `log-send-hostname` was seen: rfc3164 is the default format. */
  logSendHostname: boolean;
  maxconnSet: boolean;
  ulimitSet: boolean;
};

export function newGlobalDraft(): GlobalDraft {
  return {
    maxconn: null,
    daemon: false,
    log: [],
    pidfile: null,
    node: null,
    description: null,
    logTag: null,
    hardStopAfterMs: null,
    strictLimits: true,
    uid: null,
    gid: null,
    zeroWarning: false,
    quiet: false,
    logSendHostname: false,
    maxconnSet: false,
    ulimitSet: false,
  };
}

export type ProxyKind = 'defaults' | 'frontend' | 'backend' | 'listen';

export type StatsDraft = Mutable<Stats> & { auth: { user: string; password: string }[]; scope: string[] };

export type ServerDraft = Mutable<Omit<Server, 'proxyHeader'>> & {
  proxyHeaderOptions: ReadonlySet<ProxyHeaderOption>;
  /** Text of the host, to be resolved; null for an address. */
  hostName: string | null;
  /** Restricts what a name may resolve to. */
  ipVersion: 4 | 6 | null;
  /** Ways to an initial address, in order. */
  initAddr: readonly string[];
  /** `id` was given. */
  idSet: boolean;
  checkPort: number;
  agentCheck: boolean;
  agentPort: number;
  track: string | null;
  cookie: string | null;
  redirect: string | null;
  observe: boolean;
  resolvers: string | null;
  tfo: boolean;
  /** Keywords that say how to check, with nothing that checks yet. */
  checkSettings: string[];
};

export function newServerDraft(place: Place): ServerDraft {
  return {
    place,
    name: '',
    id: 0,
    host: '',
    port: 0,
    weight: 1,
    maxconn: 0,
    minconn: 0,
    maxqueue: 0,
    backup: false,
    disabled: false,
    check: false,
    interMs: 2000,
    hostName: null,
    ipVersion: null,
    initAddr: [],
    idSet: false,
    checkPort: 0,
    agentCheck: false,
    agentPort: 0,
    track: null,
    cookie: null,
    redirect: null,
    observe: false,
    resolvers: null,
    tfo: false,
    checkSettings: [],
    proxyHeaderOptions: new Set(),
  };
}

export type BindDraft = Mutable<Bind> & { idSet: number | null };

/** A way to another backend: `use_backend NAME` without a condition. */
export interface SwitchingRule {
  readonly place: Place;
  readonly backend: string;
}

export interface AccessList {
  readonly place: Place;
  readonly name: string;
}

/** A proxy, or a `defaults` section, while it is read. */
export interface ProxyDraft {
  kind: ProxyKind;
  name: string;
  place: Place;
  id: number;
  idSet: boolean;
  mode: 'tcp' | 'http';
  disabled: boolean;
  log: LogTarget[];
  timeouts: Mutable<Timeouts>;
  timeoutPlaces: Partial<Record<keyof Timeouts, Place>>;
  binds: BindDraft[];
  maxconn: number | null;
  backlog: number | null;
  defaultBackend: string | null;
  defaultBackendPlace: Place | null;
  useBackends: SwitchingRule[];
  /** Backends of rules with a condition. */
  namedBackends: string[];
  /** Which line asked for lines at the end of a session; null: none did. */
  logFormat: 'tcplog' | 'httplog' | 'httplog clf' | 'httpslog' | 'custom' | null;
  logFormatPlace: Place;
  /** Line of a log option that HAProxy ignores, since it stands in a backend. */
  ignoredLogOption: Place | null;
  /** Options by name, with a flag of their own. */
  options: Map<string, boolean>;
  rateLimitSessions: number | null;
  servers: ServerDraft[];
  defaultServer: ServerDraft;
  retries: number;
  redispatch: number | null;
  fullconn: number | null;
  stats: StatsDraft | null;
  acls: AccessList[];
  cookie: boolean;
  monitorUri: Place | null;
  /** What is to be said once the proxy is known to be in `mode http`. */
  inHttpMode: (() => undefined)[];
  usesHttpRules: Set<'http-request' | 'http-response' | 'http-after-response' | 'redirect' | 'capture'>;
  /** Place of the first rule of each kind, to tell a later one that it comes first anyway. */
  rulePlaces: Set<string>;
  /** Which check `option NAME` asked for. */
  checkOption: string | null;
  usesTcpCheckRules: boolean;
  /** A `tcp-check connect` rule is there, and one that names a port. */
  tcpCheckConnects: boolean;
  tcpCheckPort: boolean;
  usesHttpCheckRules: boolean;
  externalCheck: Set<'command' | 'path'>;
  emailAlert: Set<string>;
  forwardFor: boolean;
  originalTo: boolean;
  /** The `defaults` section that this one starts from. */
  origin: ProxyDraft | null;
  /** Some section refers to this `defaults` by its name. */
  explicitlyUsed: boolean;
}

const NO_PLACE: Place = { file: '', line: 0 };

/** A section with HAProxy's own defaults. */
export function newProxyDraft(kind: ProxyKind, name: string, place: Place): ProxyDraft {
  return {
    kind,
    name,
    place,
    id: 0,
    idSet: false,
    mode: 'tcp',
    disabled: false,
    log: [],
    timeouts: {
      connect: null,
      client: null,
      server: null,
      queue: null,
      tunnel: null,
      clientFin: null,
      serverFin: null,
      check: null,
      httpRequest: null,
    },
    timeoutPlaces: {},
    binds: [],
    maxconn: null,
    backlog: null,
    defaultBackend: null,
    defaultBackendPlace: null,
    useBackends: [],
    namedBackends: [],
    logFormat: null,
    logFormatPlace: NO_PLACE,
    ignoredLogOption: null,
    options: new Map(),
    rateLimitSessions: null,
    servers: [],
    defaultServer: newServerDraft(place),
    retries: RETRIES_DEFAULT,
    redispatch: null,
    fullconn: null,
    stats: null,
    acls: [],
    cookie: false,
    monitorUri: null,
    inHttpMode: [],
    usesHttpRules: new Set(),
    rulePlaces: new Set(),
    checkOption: null,
    usesTcpCheckRules: false,
    tcpCheckConnects: false,
    tcpCheckPort: false,
    usesHttpCheckRules: false,
    externalCheck: new Set(),
    emailAlert: new Set(),
    forwardFor: false,
    originalTo: false,
    origin: null,
    explicitlyUsed: false,
  };
}

/** Connection attempts after the first. HAProxy manual, `retries`. */
export const RETRIES_DEFAULT = 3;

/** A section that starts as `defaults` left things. Each kind takes what it has use for. */
export function inheritDraft(kind: ProxyKind, name: string, place: Place, defaults: ProxyDraft): ProxyDraft {
  const fresh = newProxyDraft(kind, name, place);
  const frontend = kind !== 'backend';
  const backend = kind !== 'frontend';
  return {
    ...fresh,
    origin: defaults,
    mode: defaults.mode,
    disabled: defaults.disabled,
    log: [...defaults.log],
    timeouts: { ...defaults.timeouts },
    timeoutPlaces: { ...defaults.timeoutPlaces },
    maxconn: frontend ? defaults.maxconn : null,
    backlog: frontend ? defaults.backlog : null,
    defaultBackend: frontend ? defaults.defaultBackend : null,
    defaultBackendPlace: frontend ? defaults.defaultBackendPlace : null,
    logFormat: frontend ? defaults.logFormat : null,
    logFormatPlace: defaults.logFormatPlace,
    options: new Map(defaults.options),
    rateLimitSessions: frontend ? defaults.rateLimitSessions : null,
    defaultServer: { ...defaults.defaultServer, checkSettings: [...defaults.defaultServer.checkSettings] },
    retries: defaults.retries,
    redispatch: defaults.redispatch,
    fullconn: backend ? defaults.fullconn : null,
    stats: defaults.stats === null ? null : copyStats(defaults.stats),
    cookie: backend && defaults.cookie,
    monitorUri: frontend ? defaults.monitorUri : null,
    checkOption: backend ? defaults.checkOption : null,
    usesTcpCheckRules: backend && defaults.usesTcpCheckRules,
    tcpCheckConnects: backend && defaults.tcpCheckConnects,
    tcpCheckPort: backend && defaults.tcpCheckPort,
    usesHttpCheckRules: backend && defaults.usesHttpCheckRules,
    externalCheck: backend ? new Set(defaults.externalCheck) : new Set(),
    emailAlert: new Set(defaults.emailAlert),
    forwardFor: defaults.forwardFor,
    originalTo: defaults.originalTo,
  };
}

export function copyStats(stats: StatsDraft): StatsDraft {
  return { ...stats, auth: [...stats.auth], scope: [...stats.scope] };
}

export function hasFrontend(proxy: ProxyDraft): boolean {
  return proxy.kind !== 'backend';
}

export function hasBackend(proxy: ProxyDraft): boolean {
  return proxy.kind !== 'frontend';
}

/** What HAProxy's messages call the kind of a proxy. */
export function kindName(proxy: ProxyDraft): string {
  return proxy.kind === 'listen' ? 'proxy' : proxy.kind;
}

/** The model's view of a proxy. */
export function finishProxy(draft: ProxyDraft): FinishedProxy {
  const option = (name: string): boolean => draft.options.get(name) ?? false;
  const kind = draft.kind === 'defaults' ? 'listen' : draft.kind;
  const timeouts = draft.timeouts;
  return {
    name: draft.name,
    kind,
    place: draft.place,
    id: draft.id,
    mode: draft.mode,
    disabled: draft.disabled,
    log: draft.log,
    timeouts: { ...timeouts, queue: timeouts.queue ?? timeouts.connect },
    binds: kind === 'backend' ? [] : draft.binds.map(finishBind),
    maxconn: draft.maxconn,
    defaultBackend: effectiveBackend(draft),
    tcplog: draft.logFormat !== null && draft.mode === 'tcp',
    httplog: draft.logFormat !== null && draft.mode === 'http',
    dontlognull: option('dontlognull'),
    dontlogNormal: option('dontlog-normal'),
    logasap: option('logasap'),
    clitcpka: option('clitcpka'),
    srvtcpka: option('srvtcpka'),
    rateLimitSessions: draft.rateLimitSessions,
    balance: 'roundrobin',
    servers: kind === 'frontend' ? [] : draft.servers.map(finishServer),
    retries: draft.retries,
    redispatch: draft.redispatch,
    allbackups: option('allbackups'),
    fullconn: draft.fullconn,
    stats: draft.mode === 'http' ? draft.stats : null,
    timeoutPlaces: draft.timeoutPlaces,
    ...(draft.ignoredLogOption === null ? {} : { ignoredLogOption: draft.ignoredLogOption }),
  };
}

/** First `use_backend` without a condition, else `default_backend`, else the own servers of a `listen`. */
export function effectiveBackend(draft: ProxyDraft): string | null {
  if (draft.kind === 'backend') return null;
  const chosen = draft.useBackends[0]?.backend ?? draft.defaultBackend;
  return chosen ?? (draft.kind === 'listen' && draft.servers.length > 0 ? draft.name : null);
}

function finishBind({ idSet: _, ...bind }: BindDraft): Bind {
  return bind;
}

function finishServer(draft: ServerDraft): Server {
  const { place, name, id, host, port, weight, maxconn, minconn, maxqueue, backup, disabled, check, interMs } = draft;
  const proxyHeader = proxyHeaderOf(draft.proxyHeaderOptions);
  return { place, name, id, host, port, weight, maxconn, minconn, maxqueue, backup, disabled, check, interMs, proxyHeader };
}
