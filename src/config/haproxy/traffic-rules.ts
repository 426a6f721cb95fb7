import { checkCondition } from './access-lists.ts';
import { readTime } from './arguments.ts';
import { hasBackend, hasFrontend, kindName, type ProxyDraft } from './drafts.ts';
import { reportUnsupported } from './global.ts';
import { HTTP_REQUEST_ACTIONS, type Keyword, type KeywordTable, TCP_ACTIONS } from './keywords.ts';
import type { Reading, Statement } from './reading.ts';

/**
 * Says something only if the proxy turns out to be in `mode http`, which a later line may set: in `mode tcp` HAProxy itself says that
 * the line is ignored. What stands in `defaults` is said at once, since nobody knows who will use it.
 */
export function onceInHttpMode(proxy: ProxyDraft, say: () => undefined): undefined {
  if (proxy.kind === 'defaults') say();
  else proxy.inHttpMode.push(say);
}

/** Says of a rule that an earlier one of another kind does not come before it, whatever the file looks like. */
export function warnPlacedAfter(reading: Reading, statement: Statement, proxy: ProxyDraft, earlier: readonly string[]): undefined {
  const found = earlier.find((kind) => proxy.rulePlaces.has(kind));
  if (found === undefined) return;
  const article = found === 'http-request' ? 'an' : 'a';
  reading.report.warn(
    statement.place,
    `a '${statement.keyword}' rule placed after ${article} '${found}' rule will still be processed before.`,
    { keyword: statement.keyword },
  );
}

/** Order in which HAProxy looks at rules; one that stands after a later one is worth a warning. */
const RULE_ORDER: Readonly<Record<string, readonly string[]>> = {
  'tcp-request connection': [
    'tcp-request session',
    'tcp-request content',
    'monitor fail',
    'http-request',
    'redirect',
    'use_backend',
    'use-server',
  ],
  'tcp-request session': ['tcp-request content', 'monitor fail', 'http-request', 'redirect', 'use_backend', 'use-server'],
  'tcp-request content': ['monitor fail', 'http-request', 'redirect', 'use_backend', 'use-server'],
};

/** What each kind of rule offers, as HAProxy lists it. */
const TCP_ACTION_LISTS: Readonly<Record<string, string>> = (() => {
  const common = "'accept', 'reject', 'capture', 'expect-proxy', 'expect-netscaler-cip', 'track-sc0' ... 'track-sc2', ";
  const counters = "'sc-inc-gpc(*)', 'sc-inc-gpc0(*)', 'sc-inc-gpc1(*)', 'sc-set-gpt(*)', 'sc-set-gpt0(*)', ";
  const variables = "'set-var-fmt(*)', 'set-var(*)', 'unset-var(*)', ";
  const early = `${common}${counters}${variables}'set-dst', 'set-dst-port', 'set-mark', 'set-src', 'set-src-port', 'set-tos', 'silent-drop'`;
  return {
    'tcp-request connection': early,
    'tcp-request session': early,
    'tcp-request content':
      `${common}'ot-group', 'set-log-level', 'set-nice', 'switch-mode', 'use-service', ${counters}'send-spoe-group', 'do-resolve(*)', ` +
      `${variables}'set-src', 'set-src-port', 'set-dst', 'set-dst-port', 'set-mark', 'set-tos', 'silent-drop', ` +
      "'set-priority-class', 'set-priority-offset'",
  };
})();

/** Reads `tcp-request` and `tcp-response` of a proxy. */
export function readTcpRule(reading: Reading, statement: Statement, proxy: ProxyDraft): undefined {
  const { report } = reading;
  const { place, keyword } = statement;
  const [, stage = '', action = ''] = statement.words;
  const rule = `${keyword} ${stage}`;
  const options = { keyword };
  const where = `${kindName(proxy)} '${proxy.name}'`;
  if (stage === '') return report.alert(place, `missing argument for '${keyword}' in ${where}`, options);
  if (proxy.kind === 'defaults' && proxy.name === '') {
    return report.alert(place, `${rule} is not allowed in anonymous 'defaults' sections`, options);
  }
  if (stage === 'inspect-delay') {
    const value = readTime(reading, place, statement.word(2), {
      overflow: `'${rule}' expects a positive delay in milliseconds, in ${where} (timer overflow in '${statement.word(2)}', maximum value is 2147483647 ms or ~24.8 days)`,
      unexpected: (c) => `'${rule}' expects a positive delay in milliseconds, in ${where} (unexpected character '${c}')`,
      options,
    });
    if (value === null) return;
    if (statement.word(2) === '') return report.alert(place, `'${rule}' expects a positive delay in milliseconds, in ${where}`, options);
    if (proxy.rulePlaces.has(rule)) {
      return report.warn(place, `ignoring ${rule} (was already defined) in ${where}`, options);
    }
    proxy.rulePlaces.add(rule);
    return report.caution(place, `'${rule}' has no effect here: there are no rules that inspect anything.`, options);
  }
  const stages = keyword === 'tcp-request' ? ['connection', 'session', 'content'] : ['content'];
  if (!stages.includes(stage)) {
    const message =
      keyword === 'tcp-request'
        ? `'tcp-request' expects 'inspect-delay', 'connection', or 'content' in ${where} (got '${stage}')`
        : `'tcp-response' expects 'inspect-delay' or 'content' in ${where} (got '${stage}')`;
    return report.alert(place, message, options);
  }
  if (keyword === 'tcp-response' && !hasBackend(proxy)) {
    const message = "tcp-response content is only allowed in 'backend' sections or 'defaults' section with a name";
    return report.alert(place, message, options);
  }
  if (keyword === 'tcp-request' && stage !== 'content' && !hasFrontend(proxy)) {
    return report.alert(place, `${rule} is not allowed because ${kindName(proxy)} ${proxy.name} is not a frontend`, options);
  }
  const known = findAction(TCP_ACTIONS, action);
  if (known === null) {
    const offered = TCP_ACTION_LISTS[rule] ?? [...TCP_ACTIONS.keys()].map((name) => `'${name.replace('(', '(*)')}'`).join(', ');
    return report.alert(place, `'${rule}' expects ${offered} in ${where} (got '${action}').\n`, options);
  }
  const at = statement.words.findIndex((word, index) => index > 2 && (word === 'if' || word === 'unless'));
  const extra = statement.word(3);
  if ((action === 'accept' || action === 'reject') && extra !== '' && at !== 3) {
    return report.alert(place, `'${rule} ${action}' only accepts 'if' or 'unless', in ${where} (got '${extra}')`, options);
  }
  if (at >= 0) {
    const problem = checkCondition(proxy, statement.words.slice(at + 1));
    if (problem !== null) {
      const message = `'${rule} ${action}' : error detected in ${where} while parsing '${statement.word(at)}' condition : ${problem}`;
      return report.alert(place, message, options);
    }
  }
  warnPlacedAfter(reading, statement, proxy, RULE_ORDER[rule] ?? []);
  proxy.rulePlaces.add(rule);
  reportUnsupported(reading, statement, known, `${rule} ${action}`);
}

/** Reads the action at word `index` of an `http-request` rule: of a proxy, or of its statistics. */
export function readHttpRequestRule(
  reading: Reading,
  statement: Statement,
  proxy: ProxyDraft,
  index: number,
  owner: 'proxy' | 'stats',
): undefined {
  const { report } = reading;
  const action = statement.word(index);
  const options = { keyword: 'http-request' };
  const known = findAction(HTTP_REQUEST_ACTIONS, action);
  if (known === null) {
    const offered = [...HTTP_REQUEST_ACTIONS.keys()].map((name) => `'${name.replace('(', '(*)')}'`).join(', ');
    const missing = action === '' ? ' (missing argument)' : '';
    const message = `'http-request' expects ${offered}, but got '${action}'${missing}.`;
    return report.alert(statement.place, message, { form: 'parsing []: ', abort: true, ...options });
  }
  const at = statement.words.findIndex((word, i) => i > index && (word === 'if' || word === 'unless'));
  if (at >= 0) {
    const problem = checkCondition(proxy, statement.words.slice(at + 1));
    if (problem !== null) {
      const message = `error detected while parsing an 'http-request ${action}' condition : ${problem}.`;
      return report.alert(statement.place, message, options);
    }
  }
  const shown = `${owner === 'stats' ? 'stats ' : ''}http-request ${action}`;
  onceInHttpMode(proxy, () => reportUnsupported(reading, statement, known, shown));
}

function findAction(actions: KeywordTable, name: string): Keyword | null {
  const open = name.indexOf('(');
  return (
    actions.get(open < 0 ? name : name.slice(0, open + 1)) ?? (name.startsWith('track-sc') ? (actions.get('track-sc(') ?? null) : null)
  );
}
