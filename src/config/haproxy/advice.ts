import type { Bind, Place, ProxyModel, Proxy as ProxySection } from './model.ts';
import { type HAProxyDiagnostic, Report } from './report.ts';

/** What advice depends on besides the file. */
export interface AdviceFacts {
  /** Open files that the balancer's process may have; null or missing: not known. */
  readonly openFilesLimit?: number | null;
  /** MQTT connectors that the servers of the file may be, with the connections that each allows at a time. */
  readonly connectors?: readonly BrokerConnector[];
}

export interface BrokerConnector {
  readonly host: string;
  readonly port: number;
  readonly maximumConnections: number;
}

/** A connection through the balancer is two sockets. HAProxy manual, `maxconn`. */
const DESCRIPTORS_PER_CONNECTION = 2;
/** What HAProxy takes besides: listeners, pollers, logs. Measured with 2.6 on two threads: 12 to 30. */
const DESCRIPTORS_RESERVED = 30;

/** Open files that HAProxy wants for so many connections. */
export function descriptorsNeeded(maxconn: number): number {
  return DESCRIPTORS_PER_CONNECTION * maxconn + DESCRIPTORS_RESERVED;
}

/** Longest `timeout connect` that is not worth a word, in ms: a handshake takes a few round trips, and one lost SYN costs a second. */
const CONNECT_TIMEOUT_USUAL_MS = 60_000;
/** Longest wait in the queue that is not worth a word, in ms: MQTT clients wait for CONNACK about so long. */
const QUEUE_TIMEOUT_USUAL_MS = 60_000;
/** What mosquitto's and paho's clients take for keep alive unless told otherwise, in ms. */
const KEEP_ALIVE_USUAL_MS = 60_000;
/** A client is given up after one and a half times its keep alive [MQTT-3.1.2-24]. */
const KEEP_ALIVE_GRACE = 1.5;
/** Timeouts from here on cut nobody that anybody would have expected to stay, in ms. */
const SILENCE_LONG_MS = 3_600_000;

/**
 * What is right by the manual and likely not what its author wants of MQTT. Warnings are what will be felt, notes what is good to know.
 * HAProxy says none of it.
 */
export function adviseHAProxy(model: ProxyModel, facts: AdviceFacts = {}): HAProxyDiagnostic[] {
  const report = new Report();
  adviseOpenFiles(report, model, facts);
  for (const proxy of model.proxies) {
    if (proxy.disabled) continue;
    if (proxy.mode === 'tcp') {
      adviseTimeouts(report, model, proxy);
      adviseServerLimits(report, model, proxy, facts);
      adviseSessionLog(report, model, proxy);
    }
    if (proxy.stats !== null) adviseStatistics(report, proxy);
  }
  adviseLogTargets(report, model);
  return [...report.diagnostics];
}

const AT_LINE = { form: '[] : ' } as const;

function adviseOpenFiles(report: Report, model: ProxyModel, { openFilesLimit = null }: AdviceFacts): void {
  const { maxconn, maxconnPlace, strictLimits } = model.global;
  if (openFilesLimit === null || maxconn === null) return;
  const needed = descriptorsNeeded(maxconn);
  if (needed <= openFilesLimit) return;
  const there = strictLimits ? 'HAProxy would not start; here as many are served as fit' : 'as many are served as fit';
  report.caution(
    maxconnPlace ?? firstPlace(model),
    `maxconn ${maxconn} takes ${needed} open files, and a process may have ${openFilesLimit} here: ${there}. ` +
      'Raise the limit (ulimit -n, LimitNOFILE=), or lower maxconn.',
    { ...AT_LINE, keyword: 'maxconn' },
  );
}

function adviseTimeouts(report: Report, model: ProxyModel, proxy: ProxySection): void {
  const places = proxy.timeoutPlaces ?? {};
  const { connect, client, server, tunnel } = proxy.timeouts;
  if (proxy.servers.length > 0 && connect !== null && connect > CONNECT_TIMEOUT_USUAL_MS) {
    sayOnce(
      report,
      places.connect ?? proxy.place,
      'timeout connect',
      `timeout connect of ${inWords(connect)}: a server that does not answer at all, instead of refusing, holds its client for that long. A few seconds are usual.`,
    );
  }
  // `timeout tunnel` replaces both once data flows both ways.
  if (tunnel !== null) return;
  const sides = [
    { name: 'timeout client', value: client, place: places.client, applies: proxy.kind !== 'backend' && leadsSomewhere(model, proxy) },
    { name: 'timeout server', value: server, place: places.server, applies: proxy.servers.length > 0 },
  ];
  for (const { name, value, place, applies } of sides) {
    if (!applies || value === null || value >= SILENCE_LONG_MS) continue;
    const longest = Math.floor(value / KEEP_ALIVE_GRACE);
    const where = place ?? proxy.place;
    if (longest < KEEP_ALIVE_USUAL_MS) {
      sayOnce(
        report,
        where,
        name,
        `${name} of ${inWords(value)}: MQTT clients may be silent for one and a half times their keep alive, and ${inWords(KEEP_ALIVE_USUAL_MS)} is ` +
          `the usual one: they would be cut. At least ${inWords(KEEP_ALIVE_USUAL_MS * KEEP_ALIVE_GRACE)}, better an hour.`,
      );
    } else {
      remarkOnce(
        report,
        where,
        name,
        `${name} of ${inWords(value)} cuts silent MQTT clients whose keep alive is above ${inWords(longest)}; brokers find dead ones themselves.`,
      );
    }
  }
}

function leadsSomewhere(model: ProxyModel, proxy: ProxySection): boolean {
  return proxy.binds.length > 0 && model.proxies.some((other) => other.name === proxy.defaultBackend && other.servers.length > 0);
}

function adviseServerLimits(report: Report, model: ProxyModel, proxy: ProxySection, { connectors = [] }: AdviceFacts): void {
  const limited = proxy.servers.filter((server) => server.maxconn > 0 && !server.disabled && !server.backup);
  const [first] = limited;
  if (first === undefined || limited.length < proxy.servers.filter((server) => !server.disabled && !server.backup).length) return;
  const total = limited.reduce((sum, server) => sum + server.maxconn, 0);
  const wait = proxy.timeouts.queue;
  const frontends = model.proxies.filter((other) => other.kind !== 'backend' && !other.disabled && other.defaultBackend === proxy.name);
  const offered = frontends.some((frontend) => frontend.maxconn === null && model.global.maxconn === null)
    ? null
    : frontends.reduce((sum, frontend) => sum + (frontend.maxconn ?? model.global.maxconn ?? 0), 0);
  if (offered !== null && offered <= total) return;

  const allowed = connectors
    .filter((connector) => limited.some((server) => server.host === connector.host && server.port === connector.port))
    .reduce((sum, connector) => sum + connector.maximumConnections, 0);
  const broker = allowed > total ? `, though their connectors allow ${allowed}` : '';
  const message =
    `the servers of '${proxy.name}' take ${total} connections at a time${broker}. The next client is not refused: it waits for ` +
    `${wait === null ? 'ever' : inWords(wait)} without a CONNACK (timeout queue, which is timeout connect unless set).`;
  if (wait === null || wait > QUEUE_TIMEOUT_USUAL_MS) report.caution(first.place, message, { ...AT_LINE, keyword: 'maxconn' });
  else report.remark(first.place, message, { ...AT_LINE, keyword: 'maxconn' });
}

function adviseSessionLog(report: Report, model: ProxyModel, proxy: ProxySection): void {
  const isLogged = proxy.log.some((target) => target.maxLevel >= LEVEL_INFO);
  if (proxy.kind === 'backend' || proxy.binds.length === 0 || proxy.tcplog || !isLogged) return;
  const misplaced = model.proxies.find((other) => other.name === proxy.defaultBackend)?.ignoredLogOption;
  const instead = misplaced === undefined ? '' : ` The one in line ${misplaced.line} counts for nothing, since it stands in a backend.`;
  report.caution(
    misplaced ?? proxy.place,
    `${proxy.kind} '${proxy.name}' has no 'option tcplog': its log has a line when a client connects, and none with the server it got, ` +
      `how long it stayed and how it ended.${instead} Put it into the ${proxy.kind}, or into defaults.`,
    { ...AT_LINE, keyword: 'option tcplog' },
  );
}

/** Severity "informational", at which HAProxy logs sessions. RFC 5424 section 6.2.1. */
const LEVEL_INFO = 6;

function adviseLogTargets(report: Report, model: ProxyModel): void {
  for (const target of [...model.global.log, ...model.proxies.flatMap((proxy) => proxy.log)]) {
    if (target.kind !== 'udp' || !isLoopback(target.address)) continue;
    remarkOnce(
      report,
      target.place ?? firstPlace(model),
      'log',
      `log lines go to UDP port ${target.port} of this machine: where no syslog daemon listens there, they are lost without a word. ` +
        `'log stdout format raw local0' shows them.`,
    );
  }
}

/** Passwords that are the first to be tried. */
const WELL_KNOWN_PASSWORDS: ReadonlySet<string> = new Set(['', 'admin', 'password', 'haproxy', 'changeme', '123456', 'secret', 'root']);

function adviseStatistics(report: Report, proxy: ProxySection): void {
  const stats = proxy.stats!;
  const place = stats.place ?? proxy.place;
  const reachable = proxy.binds.filter((bind) => isReachable(bind));
  const isOpen = reachable.length > 0;
  const say = (message: string): void => {
    const options = { ...AT_LINE, keyword: 'stats auth' };
    if (isOpen) report.caution(place, message, options);
    else report.remark(place, message, options);
  };
  const where = isOpen ? `, and ${reachable.map((bind) => bind.text).join(', ')} can be reached from other machines` : '';
  const weak = stats.auth.find(({ user, password }) => password === user || WELL_KNOWN_PASSWORDS.has(password));
  if (stats.auth.length === 0) {
    if (isOpen) say(`the statistics of '${proxy.name}' ask for no password${where}.`);
  } else if (weak !== undefined) {
    say(`the password of '${weak.user}' is easily guessed${where}.`);
  }
  if (isOpen && stats.auth.length > 0) {
    report.remark(place, `the statistics of '${proxy.name}' are plain HTTP: who listens in on the network reads the password.`, {
      ...AT_LINE,
      keyword: 'stats auth',
    });
  }
  const { httpRequest, client } = proxy.timeouts;
  if (httpRequest === null && (client === null || client > CONNECT_TIMEOUT_USUAL_MS)) {
    report.remark(
      proxy.place,
      `'${proxy.name}' has no 'timeout http-request': whoever connects and sends nothing holds a connection for ` +
        `${client === null ? 'ever' : inWords(client)} (timeout client).`,
      { ...AT_LINE, keyword: 'timeout http-request' },
    );
  }
}

function isReachable(bind: Bind): boolean {
  return bind.path === null && !isLoopback(bind.host);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

/** Several proxies may share a line of `defaults`: it is said once. */
function sayOnce(report: Report, place: Place, keyword: string, message: string): void {
  if (!wasSaid(report, place, keyword)) report.caution(place, message, { ...AT_LINE, keyword });
}

function remarkOnce(report: Report, place: Place, keyword: string, message: string): void {
  if (!wasSaid(report, place, keyword)) report.remark(place, message, { ...AT_LINE, keyword });
}

function wasSaid(report: Report, place: Place, keyword: string): boolean {
  return report.diagnostics.some((said) => said.file === place.file && said.line === place.line && said.keyword === keyword);
}

function firstPlace(model: ProxyModel): Place {
  return model.proxies[0]?.place ?? { file: '', line: 0 };
}

/** `500 s`, `8 min 20 s`, `1 h`. */
export function inWords(ms: number): string {
  if (ms < 1000) return `${ms} ms`;
  const parts: string[] = [];
  let rest = Math.round(ms / 1000);
  for (const [name, seconds] of [
    ['h', 3600],
    ['min', 60],
    ['s', 1],
  ] as const) {
    const count = Math.floor(rest / seconds);
    rest -= count * seconds;
    if (count > 0) parts.push(`${count} ${name}`);
  }
  return parts.join(' ');
}
