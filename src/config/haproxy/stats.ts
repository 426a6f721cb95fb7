import { checkCondition } from './access-lists.ts';
import { warnTrailing } from './arguments.ts';
import type { ProxyDraft, StatsDraft } from './drafts.ts';
import { parseTime } from './durations.ts';
import { reportUnsupported } from './global.ts';
import { STATS_KEYWORDS } from './keywords.ts';
import type { Reading, Statement } from './reading.ts';
import { readHttpRequestRule } from './traffic-rules.ts';

/** Where statistics are, unless `stats uri` says otherwise. */
export const STATS_URI_DEFAULT = '/haproxy?stats';
/** What a browser calls the login, unless `stats realm` says otherwise. */
export const STATS_REALM_DEFAULT = 'HAProxy Statistics';

const EXPECTED = "expects 'admin', 'uri', 'realm', 'auth', 'scope', 'enable', 'hide-version', 'show-node', 'show-desc' or 'show-legends'.";

function newStats(): StatsDraft {
  return {
    uri: STATS_URI_DEFAULT,
    refreshSeconds: null,
    realm: STATS_REALM_DEFAULT,
    auth: [],
    hideVersion: false,
    showNode: null,
    showDesc: null,
    showLegends: false,
    scope: [],
  };
}

/** Reads `stats WORD ...` of a proxy. */
export function readStatsLine(reading: Reading, statement: Statement, proxy: ProxyDraft): undefined {
  const { report } = reading;
  const { place } = statement;
  const [, name = '', value = ''] = statement.words;
  const keyword = name === '' ? 'stats' : `stats ${name}`;
  const spaced = { keyword } as const;
  const tight = { form: 'parsing []: ', keyword } as const;
  const own = (): StatsDraft => {
    proxy.stats ??= { ...newStats(), place };
    return proxy.stats;
  };

  switch (name) {
    case 'admin':
      if (proxy.kind === 'defaults') return report.alert(place, "'stats admin' not allowed in 'defaults' section.", tight);
      if (value !== 'if' && value !== 'unless') {
        return report.alert(place, "'stats admin' requires either 'if' or 'unless' followed by a condition.", spaced);
      }
      {
        const problem = checkCondition(proxy, statement.words.slice(3));
        if (problem !== null) return report.alert(place, `error detected while parsing a 'stats admin' rule : ${problem}.`, spaced);
      }
      own();
      return reportUnsupported(reading, statement, STATS_KEYWORDS.get('admin')!, keyword);
    case 'uri':
      if (value === '') return report.alert(place, "'uri' needs an URI prefix.", spaced);
      own().uri = value;
      return;
    case 'realm':
      if (value === '') return report.alert(place, "'realm' needs an realm name.", spaced);
      own().realm = value;
      return;
    case 'refresh':
      return readRefresh(reading, statement, own());
    case 'http-request':
      if (proxy.kind === 'defaults') return report.alert(place, "'stats' not allowed in 'defaults' section.", tight);
      own();
      return readHttpRequestRule(reading, statement, proxy, 2, 'stats');
    case 'auth':
      if (value === '') return report.alert(place, "'auth' needs a user:password account.", spaced);
      return addAccount(reading, statement, own(), value);
    case 'scope':
      if (value === '') return report.alert(place, "'scope' needs a proxy name.", spaced);
      own().scope.push(value);
      return;
    case 'enable':
      own();
      return;
    case 'hide-version':
      own().hideVersion = true;
      return;
    case 'show-legends':
      own().showLegends = true;
      return;
    case 'show-modules':
      own();
      return reportUnsupported(reading, statement, STATS_KEYWORDS.get('show-modules')!, keyword);
    case 'show-node':
      if (!/^[0-9A-Za-z._-]*$/.test(value)) {
        return report.alert(
          place,
          "'stats show-node' invalid node name - should be a stringwith digits(0-9), letters(A-Z, a-z), hyphen(-) or underscode(_).",
          tight,
        );
      }
      own().showNode = value === '' ? (reading.global.node ?? reading.hostName) : value;
      return;
    case 'show-desc': {
      const description = value === '' ? reading.global.description : statement.words.slice(2).join(' ');
      if (description === null) {
        return report.warn(place, "'show-desc' requires a parameter or 'desc' to be set in the global section.", tight);
      }
      own().showDesc = description;
      return;
    }
    default:
      return report.alert(place, `${name === '' ? "missing keyword in 'stats'" : `unknown stats parameter '${name}'`}, ${EXPECTED}`, tight);
  }
}

function readRefresh(reading: Reading, statement: Statement, stats: StatsDraft): undefined {
  const text = statement.word(2);
  const result = parseTime(text, 's');
  const options = { form: 'parsing []: ', keyword: 'stats refresh' } as const;
  switch (result.kind) {
    case 'overflow':
      return reading.report.alert(
        statement.place,
        `timer overflow in argument <${text}> to stats refresh interval, maximum value is 2147483647 s (~68 years).`,
        options,
      );
    case 'unexpected':
      return reading.report.alert(
        statement.place,
        `unexpected character '${result.character}' in argument to stats refresh interval.`,
        options,
      );
    case 'time':
      if (result.trailing !== null) warnTrailing(reading, statement.place, result.trailing, text);
      stats.refreshSeconds = result.value === 0 ? null : result.value;
  }
}

/** An account without a colon has an empty password. */
function addAccount(reading: Reading, statement: Statement, stats: StatsDraft, account: string): undefined {
  const colon = account.indexOf(':');
  const user = colon < 0 ? account : account.slice(0, colon);
  const password = colon < 0 ? '' : account.slice(colon + 1);
  if (stats.auth.some((known) => known.user === user)) {
    return reading.report.warn(statement.place, `uri auth: ignoring duplicated user '${user}'.`, { form: '', keyword: 'stats auth' });
  }
  if (password === '') {
    reading.report.caution(statement.place, `'stats auth ${user}' lets this user in with an empty password.`, { keyword: 'stats auth' });
  }
  if (stats.auth.length === 0) stats.place = statement.place;
  stats.auth.push({ user, password });
}
