import { type Address, parseAddress } from './addresses.ts';
import type { BindDraft, ProxyDraft } from './drafts.ts';
import { atol, isWholeNumber } from './durations.ts';
import { reportUnsupported } from './global.ts';
import { BIND_KEYWORDS, BIND_UNIX_KEYWORDS, type Keyword } from './keywords.ts';
import { warnWithout } from './proxy-names.ts';
import type { Reading, Statement } from './reading.ts';
import { suggest } from './suggestion.ts';

/** Reads `bind ADDRESS[,ADDRESS...] [word...]` of a frontend or listen. Each port of a range becomes a listener of its own. */
export function readBindLine(reading: Reading, statement: Statement, proxy: ProxyDraft): undefined {
  const { report } = reading;
  const { place } = statement;
  const options = { keyword: 'bind' };
  if (proxy.kind === 'defaults') return report.alert(place, "'bind' not allowed in 'defaults' section.", options);
  warnWithout(reading, statement, proxy, 'frontend');
  const text = statement.word(1);
  if (text === '') {
    return report.alert(place, "'bind' expects {<path>|[addr1]:port1[-end1]}{,[addr]:port[-end]}... as arguments.", options);
  }

  const binds: BindDraft[] = [];
  const parts = text.split(',');
  // A comma at the very end is followed by nothing, and HAProxy does not look there.
  if (parts.length > 1 && parts.at(-1) === '') parts.pop();
  for (const part of parts) {
    const address = readListenAddress(reading, statement, part);
    if (address === null) return;
    for (let port = address.port; port <= address.lastPort; port++) {
      binds.push({
        place,
        text,
        host: address.hostKind === 'every' && address.ipVersion === 6 ? '::' : address.host,
        port,
        v4only: address.ipVersion === 4 && address.hostKind === 'every',
        v6only: false,
        path: address.family === 'unix' ? address.host : null,
        maxconn: null,
        backlog: null,
        name: null,
        acceptProxy: false,
        idSet: null,
      });
    }
  }
  for (const bind of binds) if (bind.path !== null) bind.host = '';
  const isUnix = binds.some((bind) => bind.path !== null);
  if (readBindWords(reading, statement, proxy, binds, isUnix)) proxy.binds.push(...binds);
}

function readListenAddress(reading: Reading, statement: Statement, text: string): Address | null {
  const { report } = reading;
  const fail = (message: string): null => {
    report.alert(statement.place, `'bind' : ${message.trimEnd()}`, { keyword: 'bind' });
    return null;
  };
  const address = parseAddress(text, { transports: ['stream'], port: 'needed', range: true, descriptors: true, names: true }, (name) =>
    reading.variable(name),
  );
  if ('error' in address) return fail(address.error);
  reading.cautionUnset(statement.place, address.unsetVariables);
  if (address.family !== 'ip' && address.family !== 'unix') {
    report.refuse(statement.place, `'bind ${text}' is not supported yet: only IP addresses and paths can be listened on.`, {
      keyword: 'bind',
    });
    return null;
  }
  if (address.hostKind !== 'name') return address;
  const host = reading.resolve(address.host, address.ipVersion);
  return host === null ? fail(`invalid address: '${address.host}' in '${text}'`) : { ...address, host };
}

/** Reads the words after the address; false when one of them is wrong. */
function readBindWords(reading: Reading, statement: Statement, proxy: ProxyDraft, binds: readonly BindDraft[], isUnix: boolean): boolean {
  const { report } = reading;
  const place = statement.place;
  const head = `'bind ${statement.word(1)}' in section '${reading.section}'`;
  const fail = (word: string, message: string): false => {
    report.alert(place, `${head} : ${message}`, { keyword: word });
    return false;
  };
  const usesTls = statement.words.includes('ssl');

  for (let at = 2; statement.word(at) !== ''; ) {
    const word = statement.word(at);
    const value = statement.word(at + 1);
    const keyword = BIND_KEYWORDS.get(word);
    if (keyword === undefined) {
      const similar = suggest(word, BIND_KEYWORDS.keys());
      report.alert(place, `${head}: unknown keyword '${word}'${similar === null ? '.' : `; did you mean '${similar}' maybe ?`}`, {
        keyword: word,
      });
      return false;
    }
    switch (word) {
      case 'name':
        if (value === '') return fail(word, "'name' : missing name");
        for (const bind of binds) bind.name = value;
        break;
      case 'id': {
        if (binds.length > 1) return fail(word, "'id' can only be used with a single socket");
        if (!isWholeNumber(value)) {
          return fail(word, value === '' ? "'id' : expects an integer argument" : `'id' : expects an integer argument, found '${value}'`);
        }
        const id = Number(value);
        if (id <= 0) return fail(word, "'id' : custom id has to be > 0");
        const other = [...proxy.binds, ...binds].find((bind) => bind.idSet !== null && (bind.idSet === id || binds.includes(bind)));
        if (other) {
          const where = `${other.place.file}:${other.place.line}`;
          return fail(word, `'id' : custom id ${id} already used at ${where} ('bind ${other.text}')`);
        }
        for (const bind of binds) bind.idSet = id;
        break;
      }
      case 'maxconn':
      case 'backlog': {
        if (value === '') return fail(word, `'${word}' : missing value`);
        const count = atol(value);
        if (count < 0) return fail(word, `'${word}' : invalid value ${count}, must be ${word === 'maxconn' ? '>= 0' : '> 0'}`);
        if (!isWholeNumber(value)) {
          report.caution(place, `${head} : '${word}' expects an integer, '${value}' is taken for ${count}.`, { keyword: word });
        }
        for (const bind of binds) bind[word] = count === 0 ? null : count;
        break;
      }
      case 'accept-proxy':
        for (const bind of binds) bind.acceptProxy = true;
        break;
      case 'v6only':
      case 'v4v6':
        for (const bind of binds) bind.v6only = word === 'v6only';
        break;
      case 'level':
        if (!['user', 'operator', 'admin'].includes(value)) {
          return fail(word, `'level' only supports 'user', 'operator', and 'admin' (got '${value}')`);
        }
        reportBindWord(reading, statement, keyword, isUnix, usesTls);
        break;
      default: {
        const problem = checkBindValue(reading, word, value, keyword.skip > 0);
        if (problem !== null) return fail(word, problem);
        if (word === 'process') {
          const threads = /\/(.*)/.exec(value)?.[1];
          const advice = threads === undefined ? '' : ` Please use 'thread ${threads}' instead.`;
          const message = `${head} : 'process ${value}' on 'bind' lines is deprecated and will be removed in 2.7.${advice}`;
          report.warn(place, message, { keyword: word });
        }
        reportBindWord(reading, statement, keyword, isUnix, usesTls);
      }
    }
    at += 1 + keyword.skip;
  }
  return true;
}

/** Scheduling priorities that HAProxy knows. */
const NICE_MAX = 1024;

/** What is wrong with the value of a word that has no effect here, in HAProxy's words; null when nothing is. */
function checkBindValue(reading: Reading, word: string, value: string, isNeeded: boolean): string | null {
  switch (word) {
    case 'nice':
      if (Math.abs(atol(value)) <= NICE_MAX) return null;
      return `'nice' : invalid value ${atol(value)}, allowed range is -${NICE_MAX}..${NICE_MAX}`;
    case 'process': {
      const wrong = value.split('/').find((part) => !/^(all|odd|even|[0-9]+(-[0-9]+)?)$/.test(part));
      return wrong === undefined ? null : `'process' : '${wrong}' is not a valid number/range.`;
    }
    case 'interface':
      return value === '' ? "'interface' : missing interface name" : null;
    case 'namespace':
      return value === '' ? "'namespace' : missing namespace id" : null;
    case 'mode':
      return /^[0-7]+$/.test(value) ? null : `'mode' : missing or invalid mode '${value}' (octal integer expected)`;
    case 'user':
    case 'group': {
      if (value === '') return `'${word}' : missing ${word} name`;
      const id = word === 'user' ? reading.users.user(value) : reading.users.group(value);
      return id === null ? `'${word}' : unknown ${word} name '${value}'` : null;
    }
    default:
      return isNeeded && value === '' ? `'${word}' : missing value` : null;
  }
}

function reportBindWord(reading: Reading, statement: Statement, keyword: Keyword, isUnix: boolean, usesTls: boolean): undefined {
  if (BIND_UNIX_KEYWORDS.has(keyword.name) && !isUnix) return;
  // One refusal for TLS as a whole says enough.
  if (usesTls && keyword.name !== 'ssl' && keyword.note.includes('TLS')) return;
  reportUnsupported(reading, statement, keyword, `bind ... ${keyword.name}`);
}
