import { readNumber } from './arguments.ts';
import type { ProxyDraft } from './drafts.ts';
import { reportUnsupported } from './global.ts';
import { PROXY_OPTIONS } from './keywords.ts';
import { warnWithout } from './proxy-names.ts';
import type { Reading, Statement } from './reading.ts';
import { suggest } from './suggestion.ts';

/** Which side of a proxy an option with a flag of its own is for. `no` may precede these. */
export const OPTION_SIDES: ReadonlyMap<string, { readonly side: 'frontend' | 'backend' | 'both'; readonly http: boolean }> = new Map(
  `
  abortonclose backend
  accept-invalid-http-request frontend http
  accept-invalid-http-response backend http
  allbackups backend
  checkcache backend http
  clitcpka frontend
  contstats frontend
  disable-h2-upgrade frontend http
  dontlog-normal frontend
  dontlognull frontend
  h1-case-adjust-bogus-client frontend
  h1-case-adjust-bogus-server backend
  http-buffer-request both http
  http-ignore-probes frontend http
  http-no-delay both http
  http-pretend-keepalive backend http
  http-use-proxy-header frontend http
  idle-close-on-response frontend http
  independent-streams both
  log-health-checks backend
  log-separate-errors frontend
  logasap frontend
  nolinger both
  persist backend
  prefer-last-server backend http
  socket-stats frontend
  splice-auto both
  splice-request both
  splice-response both
  srvtcpka backend
  tcp-smart-accept frontend
  tcp-smart-connect backend
  transparent backend
`
    .trim()
    .split('\n')
    .map((line) => {
      const [name = '', side = 'both', http] = line.trim().split(' ');
      return [name, { side: side as 'frontend' | 'backend' | 'both', http: http === 'http' }];
    }),
);

/** The kinds of health check: the last one named counts. */
const CHECK_OPTIONS: ReadonlySet<string> = new Set([
  'httpchk',
  'ssl-hello-chk',
  'smtpchk',
  'pgsql-check',
  'redis-check',
  'mysql-check',
  'ldap-check',
  'spop-check',
  'tcp-check',
  'external-check',
]);

/** Options that HAProxy keeps beside those with a flag and lets `no` precede. */
const NEGATABLE: ReadonlySet<string> = new Set(['httpclose', 'http-server-close', 'http-keep-alive', 'redispatch']);

/** HAProxy's own words for options that 2.6 has given up. */
const REMOVED: Readonly<Record<string, string>> = {
  forceclose:
    "option 'forceclose' is not supported any more since HAProxy 2.0, please just remove it, or use 'option httpclose' if absolutely needed.",
  'http-tunnel': "option 'http-tunnel' is not supported any more since HAProxy 2.1, please just remove it, it shouldn't be needed.",
  http_proxy:
    "option 'http_proxy' is not supported any more since HAProxy 2.5. This option stopped working in HAProxy 1.9 and usually had nasty " +
    "side effects. It can be more reliably implemented with combinations of 'http-request set-dst' and 'http-request set-uri', and even " +
    "'http-request do-resolve' if DNS resolution is desired.",
};

/** Reads `option NAME ...`, `no option NAME` and `default option NAME`. */
export function readOptionLine(reading: Reading, statement: Statement, proxy: ProxyDraft): undefined {
  const { report } = reading;
  const { place, modifier } = statement;
  const name = statement.word(1);
  const keyword = `option ${name}`;
  if (name === '') return report.alert(place, "'option' expects an option name.", { form: 'parsing []: ', keyword: 'option' });

  const flag = OPTION_SIDES.get(name);
  if (flag !== undefined) {
    if (reading.hasTooManyWords(statement, 0, 1)) return;
    if (flag.side !== 'both' && warnWithout(reading, statement, proxy, flag.side, name)) return;
    setOption(proxy, name, modifier);
    if (modifier === 'none') reportOption(reading, statement, name);
    return;
  }
  if (Object.hasOwn(REMOVED, name)) return report.alert(place, REMOVED[name]!, { form: 'parsing []: ', keyword });
  if (modifier !== 'none' && !NEGATABLE.has(name) && PROXY_OPTIONS.has(name)) {
    return report.alert(place, `negation/default is not supported for option '${name}'.`, { form: 'parsing []: ', keyword });
  }
  switch (name) {
    case 'redispatch':
      return readRedispatch(reading, statement, proxy);
    case 'tcpka':
      if (reading.hasTooManyWords(statement, 0, 1)) return;
      if (proxy.kind !== 'backend') proxy.options.set('clitcpka', true);
      if (proxy.kind !== 'frontend') proxy.options.set('srvtcpka', true);
      return;
    case 'tcplog':
    case 'httplog':
    case 'httpslog':
      return readLogOption(reading, statement, proxy, name);
    case 'httpclose':
    case 'http-server-close':
    case 'http-keep-alive':
      if (!reading.hasTooManyWords(statement, 0, 1) && modifier === 'none') reportOption(reading, statement, name);
      return;
    case 'forwardfor':
      proxy.forwardFor = true;
      return reportOption(reading, statement, name);
    case 'originalto':
      proxy.originalTo = true;
      return reportOption(reading, statement, name);
  }
  if (CHECK_OPTIONS.has(name)) {
    if (warnWithout(reading, statement, proxy, 'backend', name)) return;
    proxy.checkOption = name;
    return reportOption(reading, statement, name);
  }
  if (PROXY_OPTIONS.has(name) && name !== 'original-to') return reportOption(reading, statement, name);

  const similar = suggest(name, suggestedOptions());
  report.alert(place, `unknown option '${name}'${similar === null ? '.' : `; did you mean '${similar}' maybe ?`}`, { keyword: 'option' });
}

function reportOption(reading: Reading, statement: Statement, name: string): undefined {
  reportUnsupported(reading, statement, PROXY_OPTIONS.get(name)!, `option ${name}`);
}

/** `default` brings HAProxy's own default back, which is off for every option with a flag. */
function setOption(proxy: ProxyDraft, name: string, modifier: Statement['modifier']): undefined {
  proxy.options.set(name, modifier === 'none');
}

/** Everything in the table up to `original-to`: HAProxy suggests none of the later ones. */
function* suggestedOptions(): Iterable<string> {
  for (const name of PROXY_OPTIONS.keys()) {
    yield name;
    if (name === 'original-to') return;
  }
}

function readRedispatch(reading: Reading, statement: Statement, proxy: ProxyDraft): undefined {
  if (warnWithout(reading, statement, proxy, 'backend', 'redispatch')) return;
  if (statement.modifier !== 'none') {
    proxy.redispatch = null;
    return;
  }
  if (reading.hasTooManyWords(statement, 1, 1)) return;
  const interval = statement.word(2) === '' ? -1 : readNumber(reading, statement, 2, 'option redispatch');
  proxy.redispatch = interval === 0 ? null : interval;
}

function readLogOption(reading: Reading, statement: Statement, proxy: ProxyDraft, name: 'tcplog' | 'httplog' | 'httpslog'): undefined {
  const { report } = reading;
  const { place } = statement;
  const keyword = `option ${name}`;
  let format: ProxyDraft['logFormat'] = name;
  if (name === 'httplog' && statement.word(2) !== '') {
    if (statement.word(2) !== 'clf') return report.alert(place, "keyword 'httplog' only supports option 'clf'.", { keyword });
    if (reading.hasTooManyWords(statement, 1, 1)) return;
    format = 'httplog clf';
  } else if (reading.hasTooManyWords(statement, 0, 1)) {
    return;
  }
  if (proxy.kind === 'defaults' && proxy.logFormat !== null) {
    const before = proxy.logFormat === 'custom' ? 'log-format' : `option ${proxy.logFormat}`;
    // HAProxy says 'option httplog' for httpslog, too.
    const shown = name === 'httpslog' ? 'httplog' : format;
    report.warn(place, `'option ${shown}' overrides previous '${before}' in 'defaults' section.`, { form: 'parsing []: ', keyword });
  }
  if (proxy.kind === 'backend') {
    proxy.ignoredLogOption = place;
    return report.warn(place, `backend '${proxy.name}' : 'option ${name}' directive is ignored in backends.`, { keyword });
  }
  proxy.logFormat = format;
  proxy.logFormatPlace = place;
}
