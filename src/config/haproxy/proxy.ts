import { readNumber } from './arguments.ts';
import { readBindLine } from './bind.ts';
import { hasBackend, hasFrontend, inheritDraft, kindName, newProxyDraft, type ProxyDraft, type ProxyKind } from './drafts.ts';
import { reportUnsupported } from './global.ts';
import { BALANCE_ALGORITHMS, PROXY_KEYWORDS } from './keywords.ts';
import { readLogLine } from './log-lines.ts';
import type { Place } from './model.ts';
import { invalidNameCharacter, warnWithout } from './proxy-names.ts';
import { readOptionLine } from './proxy-options.ts';
import type { Reading, Statement } from './reading.ts';
import { REMOVED_PROXY_KEYWORDS } from './removed-keywords.ts';
import { RULE_KEYWORDS, readRuleLine } from './rules.ts';
import { readServerLine } from './server.ts';
import { readStatsLine } from './stats.ts';
import { suggest } from './suggestion.ts';
import { readTimeoutLine } from './timeouts.ts';

/** Opens `defaults`, `frontend`, `backend` or `listen`. Null when the line is so wrong that HAProxy stops there. */
export function openProxy(reading: Reading, statement: Statement): ProxyDraft | null {
  const kind = statement.keyword as ProxyKind;
  const name = statement.word(1);
  const { place } = statement;
  const abort = { abort: true, keyword: kind };

  if (kind !== 'defaults' && name === '') {
    reading.report.alert(place, `'${kind}' expects an <id> argument`, abort);
    return null;
  }
  const forbidden = invalidNameCharacter(name);
  if (forbidden !== null && kind !== 'defaults') {
    reading.report.alert(place, `character '${forbidden}' is not permitted in '${kind}' name '${name}'.`, { keyword: kind });
  }
  if (kind !== 'defaults') {
    // What listens must differ from all else that listens, and a backend from all else that has servers.
    const collides = kind === 'backend' ? hasBackend : hasFrontend;
    const other = reading.proxies.find((proxy) => proxy.name === name && collides(proxy));
    if (other) {
      const own = kind === 'listen' ? 'proxy' : kind;
      const where = `${other.place.file}:${other.place.line}`;
      reading.report.alert(place, `${own} '${name}' has the same name as ${kindName(other)} '${name}' declared at ${where}.`, {
        form: 'Parsing []: ',
        keyword: kind,
      });
    }
  }

  let parent = reading.defaults.at(-1) ?? null;
  const from = statement.word(2) === 'from' && statement.word(3) !== '' ? statement.word(3) : null;
  if (from !== null) {
    if (statement.word(4) !== '') {
      reading.report.alert(place, `'${kind}' cannot handle unexpected argument '${statement.word(4)}'.`, { keyword: kind });
      reading.report.alert(place, "please use the 'bind' keyword for listening addresses.", { keyword: kind });
      return null;
    }
    const found = findDefaults(reading, statement, from);
    if (found === undefined) return null;
    parent = found;
  } else if (statement.word(2) !== '' && kind !== 'defaults') {
    reading.report.alert(place, "please use the 'bind' keyword for listening addresses.", { keyword: kind });
    return null;
  } else if (parent?.explicitlyUsed && kind !== 'defaults') {
    reading.report.alert(
      place,
      `defaults section '${parent.name}' (declared at ${parent.place.file}:${parent.place.line}) is explicitly referenced by another proxy ` +
        "and implicitly used here. To avoid any ambiguity don't mix both usage. Add a last defaults section not explicitly used or " +
        'always use explicit references.',
      { fatal: false, keyword: kind },
    );
  }

  if (kind === 'defaults') {
    // An anonymous section starts afresh; only `from` builds on another one.
    const draft = from !== null && parent !== null ? inheritDraft(kind, name, place, parent) : newProxyDraft(kind, name, place);
    reading.defaults.push(draft);
    return draft;
  }
  const draft = parent === null ? newProxyDraft(kind, name, place) : inheritDraft(kind, name, place, parent);
  reading.proxies.push(draft);
  return draft;
}

function findDefaults(reading: Reading, statement: Statement, name: string): ProxyDraft | undefined {
  const { place } = statement;
  const abort = { abort: true, keyword: 'from' };
  const found = reading.defaults.filter((candidate) => candidate.name === name);
  const [first, second] = found;
  if (first === undefined || name === '') {
    reading.report.alert(place, `defaults section '${name}' not found for ${statement.keyword} '${statement.word(1)}'.`, abort);
    return undefined;
  }
  if (second !== undefined) {
    const at = (place: Place): string => `${place.file}:${place.line}`;
    reading.report.alert(
      place,
      `ambiguous defaults section name '${name}' referenced by ${statement.keyword} '${statement.word(1)}' exists at least at ` +
        `${at(second.place)} and ${at(first.place)}.`,
      abort,
    );
    return undefined;
  }
  first.explicitlyUsed = true;
  return first;
}

/** Reads one line below the head of a proxy. */
export function readProxyLine(reading: Reading, statement: Statement, proxy: ProxyDraft): undefined {
  const { keyword } = statement;
  const handler = HANDLERS[keyword];
  if (handler !== undefined) return handler(reading, statement, proxy);
  if (RULE_KEYWORDS.has(keyword)) return readRuleLine(reading, statement, proxy);

  const removed = REMOVED_PROXY_KEYWORDS[keyword];
  if (removed !== undefined) {
    const message = removed.replaceAll('%s', keyword).replace('%1', statement.word(1));
    return reading.report.alert(statement.place, message, { keyword });
  }
  if (keyword === 'grace') {
    const message = "the 'grace' keyword is not supported any more since HAProxy version 2.5.";
    return reading.report.alert(statement.place, message, { form: 'parsing []: ', keyword });
  }
  if (keyword === 'bind-process') {
    const message = "'bind-process' has no effect, is deprecated, and will be removed in version 2.7.";
    return reading.report.warn(statement.place, message, { form: 'parsing []: ', keyword });
  }

  const known = PROXY_KEYWORDS.get(keyword);
  if (known !== undefined) {
    const ignored =
      (BACKEND_ONLY.has(keyword) && warnWithout(reading, statement, proxy, 'backend')) ||
      (FRONTEND_ONLY.has(keyword) && warnWithout(reading, statement, proxy, 'frontend'));
    if (ignored) return;
    return reportUnsupported(reading, statement, known);
  }
  const similar = suggest(keyword, PROXY_KEYWORDS.keys());
  reading.report.alert(
    statement.place,
    `unknown keyword '${keyword}' in '${reading.section}' section${similar === null ? '' : `; did you mean '${similar}' maybe ?`}`,
    { keyword },
  );
}

/** Refuses a keyword that `defaults` cannot have; true when it did. */
function isDefaults(reading: Reading, statement: Statement, proxy: ProxyDraft, form: 'parsing [] : ' | 'parsing []: '): boolean {
  if (proxy.kind !== 'defaults') return false;
  reading.report.alert(statement.place, `'${statement.keyword}' not allowed in 'defaults' section.`, { form, keyword: statement.keyword });
  return true;
}

type Handler = (reading: Reading, statement: Statement, proxy: ProxyDraft) => undefined;

const HANDLERS: Readonly<Record<string, Handler>> = Object.assign(Object.create(null), {
  server: readServerLine,
  'default-server': readServerLine,
  'server-template': readServerLine,
  bind: readBindLine,
  option: readOptionLine,
  stats: readStatsLine,

  mode(reading, statement, proxy) {
    if (reading.hasTooManyWords(statement, 1)) return;
    const mode = statement.word(1);
    if (mode === 'tcp' || mode === 'http') {
      proxy.mode = mode;
    } else if (mode === 'health') {
      reading.report.alert(statement.place, "'mode health' doesn't exist anymore. Please use 'http-request return status 200' instead.", {
        keyword: 'mode',
      });
    } else {
      reading.report.alert(statement.place, `unknown proxy mode '${mode}'.`, { keyword: 'mode' });
    }
  },

  id(reading, statement, proxy) {
    if (isDefaults(reading, statement, proxy, 'parsing []: ')) return;
    if (reading.hasTooManyWords(statement, 1)) return;
    const options = { form: 'parsing []: ', keyword: 'id' } as const;
    if (statement.word(1) === '') return reading.report.alert(statement.place, "'id' expects an integer argument.", options);
    const id = readNumber(reading, statement, 1);
    if (id <= 0) return reading.report.alert(statement.place, 'custom id has to be > 0.', options);
    const other = reading.proxies.find((candidate) => candidate !== proxy && candidate.idSet && candidate.id === id);
    if (other) {
      return reading.report.alert(
        statement.place,
        `${kindName(proxy)} ${proxy.name} reuses same custom id as ${kindName(other)} ${other.name} ` +
          `(declared at ${other.place.file}:${other.place.line}).`,
        options,
      );
    }
    proxy.id = id;
    proxy.idSet = true;
  },

  description(reading, statement, proxy) {
    if (isDefaults(reading, statement, proxy, 'parsing []: ')) return;
    if (statement.word(1) === '') {
      return reading.report.alert(statement.place, "'description' expects a string argument.", {
        form: 'parsing []: ',
        keyword: 'description',
      });
    }
    reportUnsupported(reading, statement, PROXY_KEYWORDS.get('description')!);
  },

  disabled(reading, statement, proxy) {
    if (!reading.hasTooManyWords(statement, 0)) proxy.disabled = true;
  },

  enabled(reading, statement, proxy) {
    if (!reading.hasTooManyWords(statement, 0)) proxy.disabled = false;
  },

  log(reading, statement, proxy) {
    readLogLine(reading, statement, proxy.log, reading.global.log);
  },

  'log-tag'(reading, statement) {
    if (statement.word(1) === '') {
      return reading.report.alert(statement.place, "'log-tag' expects a tag for use in syslog.", { keyword: 'log-tag' });
    }
    reading.report.caution(statement.place, "'log-tag' has an effect in the 'global' section only.", { keyword: 'log-tag' });
  },

  'log-format'(reading, statement, proxy) {
    readFormat(reading, statement, proxy);
  },

  'error-log-format'(reading, statement, proxy) {
    readFormat(reading, statement, proxy);
  },

  maxconn(reading, statement, proxy) {
    if (warnWithout(reading, statement, proxy, 'frontend', 'maxconn', "Maybe you want 'fullconn' instead ?")) return;
    const value = readCount(reading, statement, "'maxconn' expects an integer argument.");
    if (value !== null) proxy.maxconn = value > 0 ? value : null;
  },

  backlog(reading, statement, proxy) {
    if (warnWithout(reading, statement, proxy, 'frontend')) return;
    const value = readCount(reading, statement, "'backlog' expects an integer argument.");
    if (value !== null) proxy.backlog = value > 0 ? value : null;
  },

  fullconn(reading, statement, proxy) {
    warnWithout(reading, statement, proxy, 'backend', 'fullconn', "Maybe you want 'maxconn' instead ?");
    const value = readCount(reading, statement, "'fullconn' expects an integer argument.");
    if (value !== null) proxy.fullconn = value > 0 ? value : null;
  },

  retries(reading, statement, proxy) {
    warnWithout(reading, statement, proxy, 'backend');
    const value = readCount(reading, statement, "'retries' expects an integer argument (dispatch counts for one).");
    if (value === null) return;
    if (value < 0) {
      reading.report.caution(statement.place, `'retries ${value}' is taken for no retry at all.`, { keyword: 'retries' });
    }
    proxy.retries = Math.max(0, value);
  },

  default_backend(reading, statement, proxy) {
    if (warnWithout(reading, statement, proxy, 'frontend')) return;
    if (statement.word(1) === '') {
      return reading.report.alert(statement.place, "'default_backend' expects a backend name.", { keyword: 'default_backend' });
    }
    proxy.defaultBackend = statement.word(1);
    proxy.defaultBackendPlace = statement.place;
    reading.hasTooManyWords(statement, 1);
  },

  balance(reading, statement, proxy) {
    warnWithout(reading, statement, proxy, 'backend');
    const word = statement.word(1);
    if (word === '') return;
    const open = word.indexOf('(');
    const known = BALANCE_ALGORITHMS.get(open < 0 ? word : word.slice(0, open + 1));
    if (known === undefined) {
      return reading.report.alert(
        statement.place,
        "balance only supports 'roundrobin', 'static-rr', 'leastconn', 'source', 'uri', 'url_param', 'hdr(name)' and 'rdp-cookie(name)' options.",
        { keyword: 'balance' },
      );
    }
    if (hasBackend(proxy)) reportUnsupported(reading, statement, known, `balance ${word}`);
  },

  timeout: readTimeoutLine,

  'rate-limit'(reading, statement, proxy) {
    const options = { keyword: 'rate-limit' };
    const [, what = '', text = ''] = statement.words;
    if (what !== 'sessions') {
      return reading.report.alert(statement.place, `'rate-limit' only supports 'sessions' (got '${what}')`, options);
    }
    if (text === '') {
      const message = "'rate-limit sessions' expects expects an integer value (in sessions/second)";
      return reading.report.alert(statement.place, message, options);
    }
    const match = /^([-+]?[0-9]+)(.?)/s.exec(text);
    if (match === null || match[2] !== '') {
      const character = match === null ? text[0] : match[2];
      const message = `'rate-limit sessions' : unexpected character '${character}' in integer value '${text}'`;
      return reading.report.alert(statement.place, message, options);
    }
    if (!hasFrontend(proxy)) {
      const message = `rate-limit sessions will be ignored because ${kindName(proxy)} '${proxy.name}' has no frontend capability`;
      return reading.report.warn(statement.place, message, options);
    }
    const value = Number(match[1]);
    proxy.rateLimitSessions = value > 0 ? value : null;
  },
} satisfies Record<string, Handler>);

/** The one integer of a line, or null after saying what is wrong. */
function readCount(reading: Reading, statement: Statement, missing: string): number | null {
  if (reading.hasTooManyWords(statement, 1)) return null;
  if (statement.word(1) === '') {
    reading.report.alert(statement.place, missing, { keyword: statement.keyword });
    return null;
  }
  return readNumber(reading, statement, 1);
}

function readFormat(reading: Reading, statement: Statement, proxy: ProxyDraft): undefined {
  const { keyword } = statement;
  const options = { keyword };
  if (statement.word(1) === '') return reading.report.alert(statement.place, `${keyword} expects an argument.`, options);
  if (statement.word(2) !== '') {
    return reading.report.alert(statement.place, `${keyword} expects only one argument, don't forget to escape spaces!`, options);
  }
  if (proxy.kind === 'backend') {
    return reading.report.warn(statement.place, `backend '${proxy.name}' : '${keyword}' directive is ignored in backends.`, options);
  }
  if (keyword === 'log-format') {
    proxy.logFormat = 'custom';
    proxy.logFormatPlace = statement.place;
  }
  reportUnsupported(reading, statement, PROXY_KEYWORDS.get(keyword)!);
}

/** Keywords with an effect here or not that HAProxy ignores in a frontend. */
const BACKEND_ONLY: ReadonlySet<string> = new Set([
  'cookie',
  'http-check',
  'tcp-check',
  'http-reuse',
  'hash-type',
  'hash-balance-factor',
  'dispatch',
  'stick',
  'source',
  'use-server',
  'force-persist',
  'ignore-persist',
  'load-server-state-from-file',
  'server-state-file-name',
  'http-send-name-header',
  'dynamic-cookie-key',
]);

const FRONTEND_ONLY: ReadonlySet<string> = new Set(['monitor-uri', 'capture', 'max-session-srv-conns', 'monitor']);
