import { checkAclExpression, checkCondition } from './access-lists.ts';
import { hasBackend, hasFrontend, type ProxyDraft } from './drafts.ts';
import { parseSize } from './durations.ts';
import { reportUnsupported } from './global.ts';
import { PROXY_KEYWORDS } from './keywords.ts';
import { invalidNameCharacter, warnWithout } from './proxy-names.ts';
import type { Reading, Statement } from './reading.ts';
import { onceInHttpMode, readHttpRequestRule, readTcpRule, warnPlacedAfter } from './traffic-rules.ts';

/** Keywords of a proxy that are rules, or belong to them. */
export const RULE_KEYWORDS: ReadonlySet<string> = new Set([
  'acl',
  'use_backend',
  'use-server',
  'tcp-request',
  'tcp-response',
  'http-request',
  'http-response',
  'http-after-response',
  'redirect',
  'capture',
  'monitor',
  'monitor-uri',
  'stick',
  'stick-table',
  'cookie',
  'tcp-check',
  'http-check',
  'external-check',
  'email-alert',
  'filter',
]);

/** Reads one line whose keyword is in `RULE_KEYWORDS`. */
export function readRuleLine(reading: Reading, statement: Statement, proxy: ProxyDraft): undefined {
  READERS[statement.keyword]!(reading, statement, proxy);
}

type Reader = (reading: Reading, statement: Statement, proxy: ProxyDraft) => undefined;

const READERS: Readonly<Record<string, Reader>> = Object.assign(Object.create(null), {
  acl: readAcl,
  use_backend: readUseBackend,
  'tcp-request': readTcpRule,
  'tcp-response': readTcpRule,

  'use-server'(reading, statement, proxy) {
    if (isInDefaults(reading, statement, proxy)) return;
    warnWithout(reading, statement, proxy, 'backend');
    const options = { keyword: 'use-server' };
    if (statement.word(1) === '') return reading.report.alert(statement.place, "'use-server' expects a server name.", options);
    if (statement.word(2) !== 'if' && statement.word(2) !== 'unless') {
      const message = "'use-server' requires either 'if' or 'unless' followed by a condition.";
      return reading.report.alert(statement.place, message, options);
    }
    const problem = checkCondition(proxy, statement.words.slice(3));
    if (problem !== null) {
      return reading.report.alert(statement.place, `error detected while parsing a 'use-server' rule : ${problem}.`, options);
    }
    proxy.rulePlaces.add('use-server');
    if (hasBackend(proxy)) reportKnown(reading, statement);
  },

  'http-request'(reading, statement, proxy) {
    if (isInAnonymousDefaults(reading, statement, proxy)) return;
    proxy.usesHttpRules.add('http-request');
    warnPlacedAfter(reading, statement, proxy, ['redirect', 'use_backend', 'use-server']);
    proxy.rulePlaces.add('http-request');
    readHttpRequestRule(reading, statement, proxy, 1, 'proxy');
  },

  'http-response'(reading, statement, proxy) {
    if (isInAnonymousDefaults(reading, statement, proxy)) return;
    proxy.usesHttpRules.add('http-response');
    onceInHttpMode(proxy, () => reportKnown(reading, statement));
  },

  'http-after-response'(reading, statement, proxy) {
    if (isInAnonymousDefaults(reading, statement, proxy)) return;
    proxy.usesHttpRules.add('http-after-response');
    onceInHttpMode(proxy, () => reportKnown(reading, statement));
  },

  redirect(reading, statement, proxy) {
    if (isInDefaults(reading, statement, proxy)) return;
    proxy.usesHttpRules.add('redirect');
    warnPlacedAfter(reading, statement, proxy, ['use_backend', 'use-server']);
    proxy.rulePlaces.add('redirect');
    onceInHttpMode(proxy, () => reportKnown(reading, statement));
  },

  capture(reading, statement, proxy) {
    if (warnWithout(reading, statement, proxy, 'frontend')) return;
    const [, kind = '', side = ''] = statement.words;
    const known = kind === 'cookie' || ((kind === 'request' || kind === 'response') && side === 'header');
    if (proxy.kind === 'defaults' && (kind === 'cookie' || kind === 'request' || kind === 'response')) {
      return reading.report.alert(statement.place, `'capture ${kind}' not allowed in 'defaults' section.`, { keyword: 'capture' });
    }
    if (!known) {
      const message = "'capture' expects 'cookie' or 'request header' or 'response header'.";
      return reading.report.alert(statement.place, message, { keyword: 'capture' });
    }
    proxy.usesHttpRules.add('capture');
    onceInHttpMode(proxy, () => reportKnown(reading, statement));
  },

  monitor(reading, statement, proxy) {
    if (isInDefaults(reading, statement, proxy)) return;
    warnWithout(reading, statement, proxy, 'frontend');
    if (statement.word(1) !== 'fail') {
      return reading.report.alert(statement.place, "'monitor' only supports 'fail'.", { keyword: 'monitor' });
    }
    if (statement.word(2) !== 'if' && statement.word(2) !== 'unless') {
      const message = "'monitor fail' requires either 'if' or 'unless' followed by a condition.";
      return reading.report.alert(statement.place, message, { keyword: 'monitor' });
    }
    reportKnown(reading, statement);
  },

  'monitor-uri'(reading, statement, proxy) {
    warnWithout(reading, statement, proxy, 'frontend');
    if (statement.word(1) === '') {
      return reading.report.alert(statement.place, "'monitor-uri' expects an URI.", { keyword: 'monitor-uri' });
    }
    proxy.monitorUri = statement.place;
    if (hasFrontend(proxy)) onceInHttpMode(proxy, () => reportKnown(reading, statement));
  },

  stick(reading, statement, proxy) {
    if (isInDefaults(reading, statement, proxy)) return;
    if (warnWithout(reading, statement, proxy, 'backend')) return;
    if (!['on', 'match', 'store-request', 'store-response'].includes(statement.word(1))) {
      return reading.report.alert(statement.place, "'stick' expects 'on', 'match', or 'store'.", { keyword: 'stick' });
    }
    if (statement.word(2) === '') {
      return reading.report.alert(statement.place, "'stick' expects a fetch method.", { keyword: 'stick' });
    }
    reportKnown(reading, statement, `stick ${statement.word(1)}`);
  },

  'stick-table'(reading, statement, proxy) {
    if (proxy.kind === 'defaults') {
      const message = "'stick-table' is not supported in 'defaults' section.";
      return reading.report.alert(statement.place, message, { keyword: 'stick-table' });
    }
    const problem = checkStickTable(statement);
    if (problem !== null) return reading.report.alert(statement.place, `stick-table: ${problem}.`, { keyword: 'stick-table' });
    reportKnown(reading, statement);
  },

  cookie(reading, statement, proxy) {
    warnWithout(reading, statement, proxy, 'backend');
    if (statement.word(1) === '') {
      return reading.report.alert(statement.place, "'cookie' expects <cookie_name> as argument.", { keyword: 'cookie' });
    }
    proxy.cookie = true;
    onceInHttpMode(proxy, () => reportKnown(reading, statement));
  },

  'tcp-check'(reading, statement, proxy) {
    warnWithout(reading, statement, proxy, 'backend');
    if (!isCheckRule(reading, statement, TCP_CHECK_RULES)) return;
    if (!hasBackend(proxy)) return;
    proxy.usesTcpCheckRules = true;
    if (statement.word(1) === 'connect') {
      proxy.tcpCheckConnects = true;
      if (statement.words.includes('port')) proxy.tcpCheckPort = true;
    }
    reportKnown(reading, statement, `tcp-check ${statement.word(1)}`);
  },

  'http-check'(reading, statement, proxy) {
    warnWithout(reading, statement, proxy, 'backend');
    if (!isCheckRule(reading, statement, HTTP_CHECK_RULES)) return;
    if (!hasBackend(proxy)) return;
    proxy.usesHttpCheckRules = true;
    reportKnown(reading, statement, `http-check ${statement.word(1)}`);
  },

  'external-check'(reading, statement, proxy) {
    const kind = statement.word(1);
    const options = { keyword: 'external-check' };
    if (kind === '') return reading.report.alert(statement.place, "missing argument after 'external-check'.\n", options);
    if (kind !== 'command' && kind !== 'path') {
      return reading.report.alert(statement.place, `external-check: unknown argument '${kind}'.`, options);
    }
    if (statement.word(2) === '') {
      return reading.report.alert(statement.place, `missing argument after '${kind}'.`, options);
    }
    proxy.externalCheck.add(kind);
    reportKnown(reading, statement);
  },

  'email-alert'(reading, statement, proxy) {
    const kind = statement.word(1);
    const options = { keyword: 'email-alert' };
    if (kind === '') return reading.report.alert(statement.place, "missing argument after 'email-alert'.", options);
    if (!['from', 'mailers', 'level', 'myhostname', 'to'].includes(kind)) {
      return reading.report.alert(statement.place, `email-alert: unknown argument '${kind}'.`, options);
    }
    if (statement.word(2) === '') return reading.report.alert(statement.place, `missing argument after '${kind}'.`, options);
    proxy.emailAlert.add(kind);
    reportKnown(reading, statement);
  },

  filter(reading, statement) {
    const kind = statement.word(1);
    if (kind === 'compression' || kind === 'trace' || kind === 'cache') {
      return reading.report.caution(statement.place, `'filter ${kind}' has no effect here: it does not decide about traffic.`, {
        keyword: 'filter',
      });
    }
    reportKnown(reading, statement, `filter ${kind}`.trim());
  },
} satisfies Record<string, Reader>);

/** What is wrong with the needed words of a stick table, in HAProxy's words; null when nothing is. */
function checkStickTable(statement: Statement): string | null {
  for (const needed of ['size', 'type']) {
    const at = statement.words.indexOf(needed, 1);
    if (at < 0) return `missing ${needed}`;
    const value = statement.word(at + 1);
    if (needed === 'type') return TABLE_TYPES.has(value) ? null : `unknown type '${value}'`;
    if (value === '') return "missing argument after 'size'";
    const size = parseSize(value);
    if (size.kind === 'unexpected') return `unexpected character '${size.character}' in argument of 'size'`;
  }
  return null;
}

const TABLE_TYPES: ReadonlySet<string> = new Set(['ip', 'ipv6', 'integer', 'string', 'binary']);

const TCP_CHECK_RULES = ['comment', 'connect', 'send', 'send-binary', 'expect', 'set-var-fmt(*)', 'set-var(*)', 'unset-var(*)'];
const HTTP_CHECK_RULES = [
  'disable-on-404',
  'send-state',
  'comment',
  'connect',
  'send',
  'expect',
  'set-var-fmt(*)',
  'set-var(*)',
  'unset-var(*)',
];

function isCheckRule(reading: Reading, statement: Statement, rules: readonly string[]): boolean {
  const word = statement.word(1);
  if (rules.some((rule) => (rule.endsWith('(*)') ? word.startsWith(rule.slice(0, -2)) : word === rule || word === `${rule}-lf`)))
    return true;
  const list = rules.map((rule) => `'${rule}'`).join(', ');
  reading.report.alert(statement.place, `'${statement.keyword}' only supports ${list}. but got '${word}'`, { keyword: statement.keyword });
  return false;
}

function reportKnown(reading: Reading, statement: Statement, shown = statement.keyword): undefined {
  reportUnsupported(reading, statement, PROXY_KEYWORDS.get(statement.keyword)!, shown);
}

function isInDefaults(reading: Reading, statement: Statement, proxy: ProxyDraft): boolean {
  if (proxy.kind !== 'defaults') return false;
  reading.report.alert(statement.place, `'${statement.keyword}' not allowed in 'defaults' section.`, { keyword: statement.keyword });
  return true;
}

function isInAnonymousDefaults(reading: Reading, statement: Statement, proxy: ProxyDraft): boolean {
  if (proxy.kind !== 'defaults' || proxy.name !== '') return false;
  reading.report.alert(statement.place, `'${statement.keyword}' not allowed in anonymous 'defaults' section.`, {
    keyword: statement.keyword,
  });
  return true;
}

function readAcl(reading: Reading, statement: Statement, proxy: ProxyDraft): undefined {
  if (isInAnonymousDefaults(reading, statement, proxy)) return;
  const { report } = reading;
  const name = statement.word(1);
  const options = { keyword: 'acl' };
  const forbidden = invalidNameCharacter(name);
  if (forbidden !== null) return report.alert(statement.place, `character '${forbidden}' is not permitted in acl name '${name}'.`, options);
  if (name.toLowerCase() === 'or') {
    return report.alert(
      statement.place,
      `acl name '${name}' will never match. 'or' is used to express a logical disjunction within a condition.`,
      options,
    );
  }
  const problem = checkAclExpression(statement.words.slice(2));
  if (problem !== null) return report.alert(statement.place, `error detected while parsing ACL '${name}' : ${problem}.`, options);
  proxy.acls.push({ place: statement.place, name });
}

function readUseBackend(reading: Reading, statement: Statement, proxy: ProxyDraft): undefined {
  if (isInDefaults(reading, statement, proxy)) return;
  if (warnWithout(reading, statement, proxy, 'frontend')) return;
  const { report } = reading;
  const options = { keyword: 'use_backend' };
  const [, backend = '', word = ''] = statement.words;
  if (backend === '') return report.alert(statement.place, "'use_backend' expects a backend name.", options);
  proxy.rulePlaces.add('use_backend');
  if (word !== '' && word !== 'if' && word !== 'unless') {
    const message = `unexpected keyword '${word}' after switching rule, only 'if' and 'unless' are allowed.`;
    return report.alert(statement.place, message, options);
  }
  if (word !== '') {
    const problem = checkCondition(proxy, statement.words.slice(3));
    if (problem !== null) return report.alert(statement.place, `error detected while parsing switching rule : ${problem}.`, options);
    proxy.namedBackends.push(backend);
    return reportKnown(reading, statement, `use_backend ... ${word}`);
  }
  if (backend.includes('%[')) return reportKnown(reading, statement, `use_backend ${backend}`);
  proxy.useBackends.push({ place: statement.place, backend });
}
