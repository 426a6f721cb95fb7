/**
 * What a haproxy.cfg says, resolved: `defaults` inherited, units converted, names linked.
 * Times are in milliseconds, sizes in bytes. A number that HAProxy leaves unset is null.
 */
export interface ProxyModel {
  readonly global: GlobalSection;
  /** In file order. A `listen` is both frontend and backend. */
  readonly proxies: readonly Proxy[];
}

export interface Place {
  readonly file: string;
  readonly line: number;
}

export interface GlobalSection {
  /** Process-wide connection limit (`maxconn`). */
  readonly maxconn: number | null;
  readonly daemon: boolean;
  readonly log: readonly LogTarget[];
  readonly pidfile: string | null;
  readonly node: string | null;
  readonly description: string | null;
  readonly logTag: string | null;
  readonly hardStopAfterMs: number | null;
  /** false with `no strict-limits`. */
  readonly strictLimits: boolean;
  /** Line of `maxconn`. */
  readonly maxconnPlace?: Place;
  /** Account to run as once the ports are open; null or missing: the one that started the program. */
  readonly uid?: number | null;
  readonly gid?: number | null;
}

/** `log <target> [format F] <facility> [max [min]]`. */
export interface LogTarget {
  readonly kind: 'udp' | 'unix' | 'stdout' | 'stderr' | 'fd';
  /** Host or path; empty for stdout and stderr; the number for fd. */
  readonly address: string;
  /** UDP port, 514 unless given; 0 otherwise. */
  readonly port: number;
  readonly format: 'local' | 'rfc3164' | 'rfc5424' | 'priority' | 'short' | 'timed' | 'iso' | 'raw';
  /** 0..23, `local0` is 16. */
  readonly facility: number;
  /** The least severe level that is still sent, 0 (emerg) to 7 (debug). */
  readonly maxLevel: number;
  /** More severe messages are sent as this level. */
  readonly minLevel: number;
  readonly lengthMax: number;
  readonly place?: Place;
}

export interface Timeouts {
  readonly connect: number | null;
  readonly client: number | null;
  readonly server: number | null;
  /** `timeout queue`; `timeout connect` when unset. */
  readonly queue: number | null;
  readonly tunnel: number | null;
  readonly clientFin: number | null;
  readonly serverFin: number | null;
  readonly check: number | null;
  readonly httpRequest: number | null;
}

export interface Proxy {
  readonly name: string;
  readonly kind: 'frontend' | 'backend' | 'listen';
  readonly place: Place;
  /** HAProxy's numeric proxy id (`iid`): its order in the file from 2, unless `id` says otherwise. */
  readonly id: number;
  readonly mode: 'tcp' | 'http';
  readonly disabled: boolean;
  readonly log: readonly LogTarget[];
  readonly timeouts: Timeouts;
  /** Frontend side; empty for a backend. */
  readonly binds: readonly Bind[];
  /** Frontend connection limit; null: the process limit. */
  readonly maxconn: number | null;
  /** Name of the backend that serves this frontend; the own name for a `listen` with servers; null when there is none. */
  readonly defaultBackend: string | null;
  readonly tcplog: boolean;
  readonly httplog: boolean;
  readonly dontlognull: boolean;
  readonly dontlogNormal: boolean;
  readonly logasap: boolean;
  readonly clitcpka: boolean;
  readonly srvtcpka: boolean;
  /** `rate-limit sessions`, per second; null: none. */
  readonly rateLimitSessions: number | null;
  /** Backend side. */
  readonly balance: 'roundrobin';
  readonly servers: readonly Server[];
  readonly retries: number;
  /** null: off; n > 0: every n-th retry; n < 0: from the n-th last retry on (-1 = last only, as `option redispatch` alone). */
  readonly redispatch: number | null;
  readonly allbackups: boolean;
  readonly fullconn: number | null;
  /** null: no statistics here. */
  readonly stats: Stats | null;
  /** Lines of the `timeout` settings that apply here. */
  readonly timeoutPlaces?: Readonly<Partial<Record<keyof Timeouts, Place>>>;
  /** Line of an `option tcplog` or the like that HAProxy ignores, since it stands in a backend. */
  readonly ignoredLogOption?: Place;
}

export interface Bind {
  readonly place: Place;
  /** As written, for messages. */
  readonly text: string;
  /** Empty for every IPv4 address, `::` for every IPv6 one. */
  readonly host: string;
  readonly port: number;
  readonly v4only: boolean;
  readonly v6only: boolean;
  /** A unix socket path; null for TCP. */
  readonly path: string | null;
  readonly maxconn: number | null;
  readonly backlog: number | null;
  readonly name: string | null;
  /** Clients begin with a PROXY header. */
  readonly acceptProxy: boolean;
}

export interface Server {
  readonly place: Place;
  readonly name: string;
  /** From 1, in file order, unless `id` says otherwise. */
  readonly id: number;
  readonly host: string;
  /** 0 when left out: the client's destination port. */
  readonly port: number;
  readonly weight: number;
  /** 0: no limit. */
  readonly maxconn: number;
  readonly minconn: number;
  /** 0: no limit. */
  readonly maxqueue: number;
  readonly backup: boolean;
  readonly disabled: boolean;
  /** `check` was asked for. */
  readonly check: boolean;
  readonly interMs: number;
  /** The PROXY header that it gets in front of the client's bytes; null: none. */
  readonly proxyHeader: ProxyHeader | null;
}

/** `send-proxy` and its kin. */
export interface ProxyHeader {
  readonly version: 1 | 2;
  /** Version 2 says whether the client came over TLS. */
  readonly tls: boolean;
  /** Version 2 has a unique id of the connection, which is empty. */
  readonly uniqueId: boolean;
  /** Version 2 has a checksum. */
  readonly checksum: boolean;
}

export interface Stats {
  readonly uri: string;
  readonly refreshSeconds: number | null;
  readonly realm: string;
  readonly auth: readonly { readonly user: string; readonly password: string }[];
  readonly hideVersion: boolean;
  readonly showNode: string | null;
  readonly showDesc: string | null;
  readonly showLegends: boolean;
  /** Proxy names shown; empty: all. `.` means the proxy itself. */
  readonly scope: readonly string[];
  /** Line of the first `stats auth`, else of the first `stats` keyword. */
  readonly place?: Place;
}
