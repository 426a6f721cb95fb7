import { hasBackend, hasFrontend, kindName, type ProxyDraft, type ServerDraft } from './drafts.ts';
import type { Place } from './model.ts';
import { OPTION_SIDES } from './proxy-options.ts';
import type { Reading } from './reading.ts';

/**
 * What can only be judged once all files are read: references between sections, modes that must agree, timeouts that are missing.
 * HAProxy does this proxy by proxy in file order, and so do we.
 */
export function checkConsistency(reading: Reading, toleratesUnresolved: boolean): undefined {
  numberProxies(reading);
  for (const proxy of reading.proxies) {
    if (proxy.disabled) continue;
    checkProxy(reading, proxy);
  }
  for (const proxy of reading.proxies) if (!proxy.disabled) checkServers(reading, proxy);
  for (const proxy of reading.proxies) if (!proxy.disabled) checkSupport(reading, proxy);
  if (reading.report.fatalCount === 0) resolveServers(reading, toleratesUnresolved);
}

const NOWHERE: Place = { file: '', line: 0 };

/** A message without a place of its own, about a proxy. */
class ProxyVoice {
  readonly #reading: Reading;
  readonly #place: Place;

  constructor(reading: Reading, place: Place) {
    this.#reading = reading;
    this.#place = place;
  }

  alert(message: string, keyword = ''): undefined {
    this.#reading.report.alert(this.#place, message, { form: '', keyword });
  }

  warn(message: string, keyword = ''): undefined {
    this.#reading.report.warn(this.#place, message, { form: '', keyword });
  }
}

/** HAProxy counts the proxy that serves its own HTTP client as the first. */
const FIRST_PROXY_ID = 2;

/** Ids in file order, around those that the file fixed. */
function numberProxies(reading: Reading): undefined {
  const used = new Set(reading.proxies.filter((proxy) => proxy.idSet).map((proxy) => proxy.id));
  let next = FIRST_PROXY_ID;
  for (const proxy of reading.proxies) {
    if (!proxy.idSet) {
      while (used.has(next)) next++;
      proxy.id = next;
    }
    next++;
    const usedServers = new Set(proxy.servers.filter((server) => server.idSet).map((server) => server.id));
    let nextServer = 1;
    for (const server of proxy.servers) {
      if (!server.idSet) {
        while (usedServers.has(nextServer)) nextServer++;
        server.id = nextServer;
        usedServers.add(nextServer);
      }
      nextServer++;
    }
    for (const bind of proxy.binds) bind.backlog ??= proxy.backlog;
  }
}

function checkProxy(reading: Reading, proxy: ProxyDraft): undefined {
  const { report } = reading;
  const voice = new ProxyVoice(reading, proxy.place);
  const what = `${kindName(proxy)} '${proxy.name}'`;

  if (proxy.mode === 'tcp') {
    if (proxy.cookie) voice.warn(`cookie will be ignored for ${what} (needs 'mode http').`, 'cookie');
    if (proxy.monitorUri !== null) voice.warn(`monitor-uri will be ignored for ${what} (needs 'mode http').`, 'monitor-uri');
    if (proxy.logFormat === 'httplog' || proxy.logFormat === 'httplog clf' || proxy.logFormat === 'httpslog') {
      const option = proxy.logFormat === 'httpslog' ? 'httpslog' : 'httplog';
      report.warn(
        proxy.logFormatPlace,
        `'option ${option}' not usable with ${what} (needs 'mode http'). Falling back to 'option tcplog'.`,
        { keyword: `option ${option}` },
      );
    }
  }
  if (hasFrontend(proxy) && proxy.binds.length === 0) {
    voice.warn(`${what} has no 'bind' directive. Please declare it as a backend if this was intended.`, 'bind');
  }
  if (proxy.checkOption !== 'external-check') {
    for (const kind of proxy.externalCheck) {
      voice.warn(`'external-check ${kind}' will be ignored for ${what} (requires 'option external-check').`, 'external-check');
    }
  }
  if (proxy.emailAlert.size > 0 && !['from', 'mailers', 'to'].every((part) => proxy.emailAlert.has(part))) {
    voice.warn(
      `'email-alert' will be ignored for ${what} (the presence any of 'email-alert from', 'email-alert level' 'email-alert mailers', ` +
        "'email-alert myhostname', or 'email-alert to' requires each of 'email-alert from', 'email-alert mailers' and 'email-alert to' to be present).",
      'email-alert',
    );
  }
  if (proxy.defaultBackend !== null) checkDefaultBackend(reading, proxy, voice);
  for (const name of [...proxy.useBackends.map((rule) => rule.backend), ...proxy.namedBackends]) {
    if (!name.includes('%[')) checkUseBackend(reading, proxy, name, voice);
  }
  checkTimeouts(proxy, what, voice);
  if (proxy.usesTcpCheckRules && proxy.checkOption !== 'tcp-check') {
    voice.warn(`${what} uses tcp-check rules without 'option tcp-check', so the rules are ignored.`, 'tcp-check');
  }
  if (proxy.usesHttpCheckRules && proxy.checkOption !== 'httpchk') {
    voice.warn(`${what} uses http-check rules without 'option httpchk', so the rules are ignored.`, 'http-check');
  }
  checkServerNames(reading, proxy);
  if (proxy.logFormat !== null && proxy.log.length === 0) {
    voice.warn(`log format ignored for ${what} since it has no log address.`, 'log');
  }
  if (proxy.mode === 'tcp') warnOfHttp(proxy, what, voice);
}

function findBackend(reading: Reading, name: string): ProxyDraft | undefined {
  return reading.proxies.find((candidate) => candidate.name === name && hasBackend(candidate));
}

function checkDefaultBackend(reading: Reading, proxy: ProxyDraft, voice: ProxyVoice): undefined {
  const name = proxy.defaultBackend!;
  const target = findBackend(reading, name);
  if (target === undefined)
    return voice.alert(`Proxy '${proxy.name}': unable to find required default_backend: '${name}'.`, 'default_backend');
  if (target === proxy) return voice.alert(`Proxy '${proxy.name}': loop detected for default_backend: '${name}'.`, 'default_backend');
  if (target.mode !== proxy.mode) {
    return voice.alert(`${describeMismatch(proxy, target)} as its default backend (see 'mode').`, 'default_backend');
  }
  if (proxy.servers.length > 0) {
    voice.warn(
      `In proxy '${proxy.name}', the 'default_backend' rule always has precedence over the servers, which will never be used.`,
      'default_backend',
    );
  }
}

function checkUseBackend(reading: Reading, proxy: ProxyDraft, name: string, voice: ProxyVoice): undefined {
  const target = findBackend(reading, name);
  if (target === undefined) return voice.alert(`Proxy '${proxy.name}': unable to find required use_backend: '${name}'.`, 'use_backend');
  if (target === proxy) return voice.alert(`Proxy '${proxy.name}': loop detected for use_backend: '${name}'.`, 'use_backend');
  if (target.mode !== proxy.mode) {
    voice.alert(`${describeMismatch(proxy, target)} in a 'use_backend' rule (see 'mode').`, 'use_backend');
  }
}

function describeMismatch(proxy: ProxyDraft, target: ProxyDraft): string {
  const name = (draft: ProxyDraft): string => `${draft.mode} ${kindName(draft)} '${draft.name}' (${draft.place.file}:${draft.place.line})`;
  return `${name(proxy)} tries to use incompatible ${name(target)}`;
}

function checkTimeouts(proxy: ProxyDraft, what: string, voice: ProxyVoice): undefined {
  const { client, connect, server, tunnel } = proxy.timeouts;
  const frontendLacks = hasFrontend(proxy) && client === null;
  const serverLacks = server === null && (proxy.mode === 'http' || tunnel === null);
  const backendLacks = hasBackend(proxy) && proxy.servers.length > 0 && (connect === null || serverLacks);
  if (!frontendLacks && !backendLacks) return;
  voice.warn(
    `missing timeouts for ${what}.\n` +
      '   | While not properly invalid, you will certainly encounter various problems\n' +
      '   | with such a configuration. To fix this, please ensure that all following\n' +
      "   | timeouts are set to a non-zero value: 'client', 'connect', 'server'.",
    'timeout',
  );
}

function checkServerNames(reading: Reading, proxy: ProxyDraft): undefined {
  const seen = new Map<string, ServerDraft>();
  for (const server of proxy.servers) {
    const other = seen.get(server.name);
    if (other === undefined) {
      seen.set(server.name, server);
      continue;
    }
    reading.report.alert(
      server.place,
      `${kindName(proxy)} '${proxy.name}', another server named '${server.name}' was already defined at line ${other.place.line}, ` +
        'please use distinct names.',
      { keyword: 'server' },
    );
  }
}

/** Says what of `mode http` stands in a proxy in `mode tcp`. */
function warnOfHttp(proxy: ProxyDraft, what: string, voice: ProxyVoice): undefined {
  const needs = `ignored for ${what} as it requires HTTP mode.`;
  if (proxy.stats !== null) voice.warn(`'stats' statement ${needs}`, 'stats');
  if (proxy.usesHttpRules.has('capture')) voice.warn(`'capture' statement ${needs}`, 'capture');
  for (const rules of ['http-request', 'http-response', 'http-after-response', 'redirect'] as const) {
    if (proxy.usesHttpRules.has(rules)) voice.warn(`'${rules}' rules ignored for ${what} as they require HTTP mode.`, rules);
  }
  if (proxy.forwardFor) voice.warn(`'option forwardfor' ${needs}`, 'option forwardfor');
  if (proxy.originalTo) voice.warn(`'option originalto' ${needs}`, 'option originalto');
  for (const [name, option] of OPTION_SIDES) {
    const applies = option.side === 'both' || (option.side === 'frontend' ? hasFrontend(proxy) : hasBackend(proxy));
    if (option.http && applies && proxy.options.get(name)) voice.warn(`'option ${name}' ${needs}`, `option ${name}`);
  }
  for (const server of proxy.servers) {
    if (server.redirect !== null) {
      voice.alert(`${what} : server cannot have cookie or redirect prefix in non-HTTP mode.`, 'redir');
    }
    if (server.cookie !== null) voice.warn(`${what} : ignoring cookie for server '${server.name}' as HTTP mode is disabled.`, 'cookie');
  }
}

/** What servers refer to. HAProxy looks at that after all proxies. */
function checkServers(reading: Reading, proxy: ProxyDraft): undefined {
  const { report } = reading;
  const what = `${kindName(proxy)} '${proxy.name}'`;
  for (const server of proxy.servers) {
    const head = `'server ${proxy.name}/${server.name}' : `;
    if (server.tfo) {
      report.warn(
        server.place,
        `${head}server has tfo activated, the backend should be configured with at least 'conn-failure', 'empty-response' and ` +
          "'response-timeout' or we wouldn't be able to retry the connection on failure.",
        { form: '[] : ', keyword: 'tfo' },
      );
    }
    if (server.track !== null) {
      const problem = checkTracking(reading, proxy, server, server.track);
      if (problem !== null) report.alert(server.place, `${head}${problem}`, { form: '[] : ', keyword: 'track' });
    }
    if (server.check && server.port === 0 && server.checkPort === 0) {
      if (proxy.tcpCheckPort) continue;
      const missing = `config: ${what}: server '${server.name}' has neither service port nor check port`;
      const connects = proxy.tcpCheckConnects || (proxy.checkOption !== null && proxy.checkOption !== 'tcp-check');
      report.alert(server.place, connects ? `${missing} nor tcp_check rule 'connect' with port information.` : `${missing}.`, {
        form: '',
        keyword: 'check',
      });
    }
    if (server.resolvers !== null && !reading.resolvers.has(server.resolvers)) {
      report.alert(server.place, `${what}, server '${server.name}': unable to find required resolvers '${server.resolvers}'`, {
        form: '',
        keyword: 'resolvers',
      });
    }
  }
}

function checkTracking(reading: Reading, proxy: ProxyDraft, server: ServerDraft, text: string): string | null {
  const slash = text.indexOf('/');
  const owner = slash < 0 ? proxy : findBackend(reading, text.slice(0, slash));
  if (owner === undefined) return `unable to find required proxy '${text.slice(0, slash)}' for tracking.`;
  let target = owner.servers.find((candidate) => candidate.name === text.slice(slash + 1));
  if (target === undefined) return `unable to find required server '${text.slice(slash + 1)}' for tracking.`;
  const first = target;
  const visited = new Set<ServerDraft>([server]);
  while (target !== undefined && target.track !== null && !visited.has(target)) {
    visited.add(target);
    const next: string = target.track;
    target = owner.servers.find((candidate) => candidate.name === next.slice(next.indexOf('/') + 1));
  }
  if (target !== undefined && visited.has(target)) {
    return `unable to track ${owner.name}/${first.name} as it belongs to a tracking chain looping back to ${owner.name}/${target.name}.`;
  }
  if (target !== undefined && !target.check && !target.agentCheck) {
    return `unable to use ${owner.name}/${first.name} for tracking as it does not have any check nor agent enabled.`;
  }
  return null;
}

/** What HAProxy would do with a proxy and we do not do yet. */
function checkSupport(reading: Reading, proxy: ProxyDraft): undefined {
  const { report } = reading;
  if (proxy.mode === 'tcp') {
    if (proxy.binds.length > 0 && hasFrontend(proxy) && proxy.defaultBackend === null && proxy.useBackends.length === 0) {
      if (proxy.servers.length === 0) {
        report.caution(proxy.place, `${proxy.kind} '${proxy.name}' has no backend and no server: every connection is closed at once.`, {
          keyword: 'default_backend',
        });
      }
    }
    return;
  }
  for (const say of proxy.inHttpMode) say();
  if (!hasFrontend(proxy)) {
    const isUsed = reading.proxies.some(
      (other) => other.defaultBackend === proxy.name || other.useBackends.some((rule) => rule.backend === proxy.name),
    );
    if (!isUsed) report.caution(proxy.place, `backend '${proxy.name}' is in 'mode http', and nothing leads to it.`, { keyword: 'mode' });
    return;
  }
  if (proxy.binds.length === 0) return;
  const server = proxy.servers[0];
  const limit = "'mode http' serves statistics only, it does not lead to servers yet";
  if (server !== undefined) report.refuse(server.place, `${limit}: '${server.name}'.`, { keyword: 'server' });
  const backendPlace = proxy.useBackends[0]?.place ?? proxy.defaultBackendPlace;
  if (backendPlace !== null) report.refuse(backendPlace, `${limit}.`, { keyword: 'default_backend' });
  if (server === undefined && backendPlace === null && proxy.stats === null) {
    report.refuse(proxy.place, `'mode http' serves statistics only, and ${proxy.kind} '${proxy.name}' has none.`, { keyword: 'mode' });
  }
}

/** Gives servers their addresses, in the order that `init-addr` says. */
function resolveServers(reading: Reading, toleratesUnresolved: boolean): undefined {
  const { report } = reading;
  let failed = false;
  for (const proxy of reading.proxies) {
    if (proxy.disabled) continue;
    for (const server of proxy.servers) {
      if (server.hostName === null) continue;
      if (!resolveServer(reading, proxy, server, server.hostName, toleratesUnresolved)) failed = true;
    }
  }
  if (failed) report.alert(NOWHERE, 'Failed to initialize server(s) addr.', { form: '', abort: true });
}

function resolveServer(reading: Reading, proxy: ProxyDraft, server: ServerDraft, name: string, toleratesUnresolved: boolean): boolean {
  const { report } = reading;
  const head = `'server ${proxy.name}/${server.name}' : `;
  const options = { form: '[] : ', keyword: 'init-addr' } as const;
  const standard = server.resolvers === null ? ['last', 'libc'] : ['last', 'libc', 'none'];
  const chosen = server.initAddr.length > 0 ? server.initAddr : standard;
  let asked = false;
  for (const method of toleratesUnresolved ? [...chosen, 'none'] : chosen) {
    switch (method) {
      case 'last':
        // No state is kept across restarts, so there is no last address.
        break;
      case 'libc': {
        asked = true;
        const address = reading.resolve(name, server.ipVersion);
        if (address === null) break;
        server.host = address;
        return true;
      }
      case 'none':
        if (asked) report.warn(server.place, `${head}could not resolve address '${name}', disabling server.`, options);
        else
          report.caution(server.place, `${head}'init-addr none' leaves this server without an address: it gets no connections.`, options);
        server.disabled = true;
        return true;
      default:
        if (asked) report.warn(server.place, `${head}could not resolve address '${name}', falling back to configured address.`, options);
        server.host = method;
        return true;
    }
  }
  report.alert(
    server.place,
    `${head}${asked ? `could not resolve address '${name}'.` : `no method found to resolve address '${name}'.`}`,
    options,
  );
  return false;
}
