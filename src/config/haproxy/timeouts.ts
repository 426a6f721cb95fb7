import { readTime } from './arguments.ts';
import { hasBackend, hasFrontend, kindName, type ProxyDraft } from './drafts.ts';
import type { Reading, Statement } from './reading.ts';

interface TimeoutKind {
  readonly key: keyof ProxyDraft['timeouts'] | null;
  /** Which side of a proxy has use for it. */
  readonly side: 'frontend' | 'backend' | 'both';
}

const TIMEOUTS: ReadonlyMap<string, TimeoutKind> = new Map<string, TimeoutKind>([
  ['client', { key: 'client', side: 'frontend' }],
  ['tarpit', { key: null, side: 'both' }],
  ['http-keep-alive', { key: null, side: 'both' }],
  ['http-request', { key: 'httpRequest', side: 'both' }],
  ['server', { key: 'server', side: 'backend' }],
  ['connect', { key: 'connect', side: 'backend' }],
  ['check', { key: 'check', side: 'backend' }],
  ['queue', { key: 'queue', side: 'backend' }],
  ['tunnel', { key: 'tunnel', side: 'backend' }],
  ['client-fin', { key: 'clientFin', side: 'frontend' }],
  ['server-fin', { key: 'serverFin', side: 'backend' }],
]);

/** Reads `timeout NAME TIME` of a proxy. */
export function readTimeoutLine(reading: Reading, statement: Statement, proxy: ProxyDraft): undefined {
  const [, name = '', text = '', extra = ''] = statement.words;
  const options = { keyword: 'timeout' };
  const kind = TIMEOUTS.get(name);
  if (kind === undefined) {
    return reading.report.alert(
      statement.place,
      "'timeout' supports 'client', 'server', 'connect', 'check', 'queue', 'http-keep-alive', 'http-request', 'tunnel', 'tarpit', " +
        `'client-fin' and 'server-fin' (got '${name}')`,
      options,
    );
  }
  if (text === '') {
    return reading.report.alert(statement.place, `'timeout ${name}' expects an integer value (in milliseconds)`, options);
  }
  const value = readTime(reading, statement.place, text, {
    overflow: `timer overflow in argument '${text}' to 'timeout ${name}' (maximum value is 2147483647 ms or ~24.8 days)`,
    unexpected: (character) => `unexpected character '${character}' in 'timeout ${name}'`,
    options,
  });
  if (value === null) return;
  const before = kind.key === null ? null : proxy.timeouts[kind.key];
  if (extra !== '') {
    return reading.report.alert(
      statement.place,
      `'timeout ${name}' : unexpected extra argument '${extra}' after value '${text}'.`,
      options,
    );
  }
  if ((kind.side === 'frontend' && !hasFrontend(proxy)) || (kind.side === 'backend' && !hasBackend(proxy))) {
    reading.report.warn(
      statement.place,
      `'timeout ${name}' will be ignored because ${kindName(proxy)} '${proxy.name}' has no ${kind.side} capability`,
      options,
    );
  } else if (before !== null && !(proxy.origin !== null && kind.key !== null && proxy.origin.timeouts[kind.key] === before)) {
    reading.report.warn(statement.place, `overwriting 'timeout ${name}' which was already specified`, options);
  }
  // HAProxy takes 0 for "no timeout".
  if (kind.key === null) return;
  proxy.timeouts[kind.key] = value === 0 ? null : value;
  proxy.timeoutPlaces[kind.key] = statement.place;
}
