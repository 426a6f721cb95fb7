import { readNumber, readTime } from './arguments.ts';
import { isWholeNumber } from './durations.ts';
import { GLOBAL_KEYWORDS, GLOBAL_SECTION_WORDS, GLOBAL_UNSUGGESTED, type Keyword } from './keywords.ts';
import { readLogLine } from './log-lines.ts';
import type { Reading, Statement } from './reading.ts';
import { suggest } from './suggestion.ts';

/** Threads that HAProxy 2.6 can have. */
const NBTHREAD_MAX = 64;

/** Reads one line of section `global`. */
export function readGlobalLine(reading: Reading, statement: Statement): undefined {
  const handler = HANDLERS[statement.keyword];
  if (handler !== undefined) return handler(reading, statement);

  const keyword = GLOBAL_KEYWORDS.get(statement.keyword);
  if (keyword !== undefined) return reportUnsupported(reading, statement, keyword);
  const known = [...GLOBAL_KEYWORDS.keys()].filter((name) => !GLOBAL_UNSUGGESTED.has(name));
  const similar = suggest(statement.keyword, [...known, ...GLOBAL_SECTION_WORDS]);
  reading.report.alert(
    statement.place,
    `unknown keyword '${statement.keyword}' in 'global' section${similar === null ? '' : `; did you mean '${similar}' maybe ?`}`,
    { keyword: statement.keyword },
  );
}

/** Says of a known keyword without effect here that it has none, or refuses it. `shown` is what the line calls it. */
export function reportUnsupported(reading: Reading, statement: Statement, keyword: Keyword, shown = statement.keyword): undefined {
  const options = { keyword: shown };
  if (keyword.support === 'inert') {
    reading.report.caution(statement.place, `'${shown}' has no effect here: ${keyword.note}.`, options);
  } else if (keyword.support === 'refused') {
    reading.report.refuse(statement.place, `'${shown}' is not supported yet${keyword.note === '' ? '' : `: ${keyword.note}`}.`, options);
  }
}

type Handler = (reading: Reading, statement: Statement) => undefined;

const HANDLERS: Readonly<Record<string, Handler>> = Object.assign(Object.create(null), {
  global(reading, statement) {
    if (reading.proxies.length > 0 || reading.defaults.length > 0) {
      reading.report.diag(
        statement.place,
        'global section detected after a non-global one, the prevalence of their statements is unspecified',
      );
    }
    reading.hasTooManyWords(statement, 0);
  },

  daemon(reading, statement) {
    if (!reading.hasTooManyWords(statement, 0)) reading.global.daemon = true;
  },

  'zero-warning'(reading, statement) {
    if (!reading.hasTooManyWords(statement, 0)) reading.global.zeroWarning = true;
  },

  quiet(reading, statement) {
    if (reading.hasTooManyWords(statement, 0)) return;
    reading.global.quiet = true;
    reading.report.mute();
  },

  'strict-limits'(reading, statement) {
    if (!reading.hasTooManyWords(statement, 0)) reading.global.strictLimits = statement.modifier !== 'no';
  },

  maxconn(reading, statement) {
    if (reading.hasTooManyWords(statement, 1)) return;
    if (reading.global.maxconn !== null) return alreadySpecified(reading, statement);
    if (statement.word(1) === '') {
      return reading.report.alert(statement.place, "'maxconn' expects an integer argument.", { keyword: 'maxconn' });
    }
    const value = readNumber(reading, statement, 1);
    reading.global.maxconn = value > 0 ? value : null;
    reading.global.maxconnPlace = statement.place;
  },

  'ulimit-n'(reading, statement) {
    if (reading.hasTooManyWords(statement, 1)) return;
    if (reading.global.ulimitSet) return alreadySpecified(reading, statement);
    if (statement.word(1) === '') {
      return reading.report.alert(statement.place, "'ulimit-n' expects an integer argument.", { keyword: 'ulimit-n' });
    }
    reading.global.ulimitSet = readNumber(reading, statement, 1) !== 0;
    reportUnsupported(reading, statement, GLOBAL_KEYWORDS.get('ulimit-n')!);
  },

  nbthread(reading, statement) {
    if (reading.hasTooManyWords(statement, 1)) return;
    const text = statement.word(1);
    const alert = (message: string): undefined => reading.report.alert(statement.place, message, { keyword: 'nbthread' });
    if (!isWholeNumber(text)) return alert(`'nbthread' passed a missing or unparsable integer value in '${text}'`);
    if (Number(text) < 1 || Number(text) > NBTHREAD_MAX) {
      return alert(`'nbthread' value must be between 1 and ${NBTHREAD_MAX} (was ${Number(text)})`);
    }
    if (Number(text) > 1) reportUnsupported(reading, statement, GLOBAL_KEYWORDS.get('nbthread')!);
  },

  nbproc(reading, statement) {
    reading.report.alert(
      statement.place,
      'nbproc is not supported any more since HAProxy 2.5. Threads will automatically be used on multi-processor machines if available.',
      { keyword: 'nbproc' },
    );
  },

  pidfile(reading, statement) {
    if (reading.hasTooManyWords(statement, 1)) return;
    if (reading.global.pidfile !== null) return alreadySpecified(reading, statement);
    if (statement.word(1) === '') {
      return reading.report.alert(statement.place, "'pidfile' expects a file name as an argument.", { keyword: 'pidfile' });
    }
    reading.global.pidfile = statement.word(1);
  },

  chroot(reading, statement) {
    if (reading.hasTooManyWords(statement, 1)) return;
    if (statement.word(1) === '') {
      return reading.report.alert(statement.place, "'chroot' expects a directory as an argument.", { keyword: 'chroot' });
    }
    reportUnsupported(reading, statement, GLOBAL_KEYWORDS.get('chroot')!);
  },

  node(reading, statement) {
    if (reading.hasTooManyWords(statement, 1)) return;
    if (!/^[0-9A-Za-z._-]+$/.test(statement.word(1))) {
      return reading.report.alert(
        statement.place,
        "'node' requires valid node name - non-empty string with digits(0-9), letters(A-Z, a-z), dot(.), hyphen(-) or underscode(_).",
        { form: 'parsing []: ', keyword: 'node' },
      );
    }
    reading.global.node = statement.word(1);
  },

  description(reading, statement) {
    if (statement.word(1) === '') {
      return reading.report.alert(statement.place, "'description' expects a string argument.", {
        form: 'parsing []: ',
        keyword: 'description',
      });
    }
    reading.global.description = statement.words.slice(1).join(' ');
  },

  'log-tag'(reading, statement) {
    if (reading.hasTooManyWords(statement, 1)) return;
    if (statement.word(1) === '') {
      return reading.report.alert(statement.place, "'log-tag' expects a tag for use in syslog.", { keyword: 'log-tag' });
    }
    reading.global.logTag = statement.word(1);
  },

  log(reading, statement) {
    readLogLine(reading, statement, reading.global.log, null);
  },

  'log-send-hostname'(reading, statement) {
    reading.global.logSendHostname = true;
    if (statement.word(1) !== '') {
      reading.report.caution(statement.place, "'log-send-hostname' sends the name of this machine, not the one given.", {
        keyword: 'log-send-hostname',
      });
    }
  },

  'hard-stop-after'(reading, statement) {
    const text = statement.word(1);
    const options = { keyword: 'hard-stop-after' };
    if (text === '') return reading.report.alert(statement.place, "'hard-stop-after' expects <time> as argument.\n", options);
    const value = readTime(reading, statement.place, text, {
      overflow: `timer overflow in argument '${text}' to 'hard-stop-after' (maximum value is 2147483647 ms or ~24.8 days)`,
      unexpected: (character) => `unexpected character '${character}' in argument to <hard-stop-after>.\n`,
      options,
    });
    if (value !== null) reading.global.hardStopAfterMs = value === 0 ? null : value;
  },

  user: (reading, statement) => readAccount(reading, statement, 'user'),
  group: (reading, statement) => readAccount(reading, statement, 'group'),
  uid: (reading, statement) => readAccountNumber(reading, statement, 'user'),
  gid: (reading, statement) => readAccountNumber(reading, statement, 'group'),

  setenv: (reading, statement) => setVariable(reading, statement, true),
  presetenv: (reading, statement) => setVariable(reading, statement, false),

  unsetenv(reading, statement) {
    if (statement.word(1) === '') return expectsVariable(reading, statement, 'expects at least one variable name.');
    for (const name of statement.words.slice(1)) {
      if (name === '' || name.includes('=')) {
        return expectsVariable(reading, statement, `failed on variable '${name}' : Invalid argument.`);
      }
      reading.environment.delete(name);
    }
  },

  resetenv(reading, statement) {
    const kept = new Set(statement.words.slice(1));
    for (const name of [...reading.environment.keys()]) if (!kept.has(name)) reading.environment.delete(name);
  },

  stats(reading, statement) {
    const known = ['socket', 'maxconn', 'bind-process', 'timeout'];
    if (!known.includes(statement.word(1))) {
      return reading.report.alert(
        statement.place,
        `'stats' only supports 'socket', 'maxconn', 'bind-process' and 'timeout' (got '${statement.word(1)}')`,
        { keyword: 'stats' },
      );
    }
    reportUnsupported(reading, statement, GLOBAL_KEYWORDS.get('stats')!, `stats ${statement.word(1)}`);
  },
} satisfies Record<string, Handler>);

/** A second value is dropped with an ALERT, and yet the file is good for HAProxy. */
function alreadySpecified(reading: Reading, statement: Statement): undefined {
  reading.report.alert(statement.place, `'${statement.keyword}' already specified. Continuing.`, {
    fatal: false,
    keyword: statement.keyword,
  });
}

/** HAProxy's words for a second `user` or `uid`, which differ from those for `group` and `gid`. */
const REPEATED = { user: 'user/uid already specified. Continuing.', gid: 'group/gid already specified. Continuing.' };

function readAccount(reading: Reading, statement: Statement, kind: 'user' | 'group'): undefined {
  if (reading.hasTooManyWords(statement, 1)) return;
  const key = kind === 'user' ? 'uid' : 'gid';
  const options = { keyword: kind };
  if (reading.global[key] !== null && reading.global[key] !== 0) {
    const message = kind === 'user' ? REPEATED.user : 'gid/group was already specified. Continuing.';
    return reading.report.alert(statement.place, message, { ...options, fatal: false });
  }
  const name = statement.word(1);
  const id = kind === 'user' ? reading.users.user(name) : reading.users.group(name);
  if (id === null) return reading.report.alert(statement.place, `cannot find ${kind} id for '${name}' (0:Success)`, options);
  reading.global[key] = id;
}

function readAccountNumber(reading: Reading, statement: Statement, kind: 'user' | 'group'): undefined {
  if (reading.hasTooManyWords(statement, 1)) return;
  const key = kind === 'user' ? 'uid' : 'gid';
  const options = { keyword: key };
  if (reading.global[key] !== null && reading.global[key] !== 0) {
    return reading.report.alert(statement.place, kind === 'user' ? REPEATED.user : REPEATED.gid, { ...options, fatal: false });
  }
  const text = statement.word(1);
  if (text === '') return reading.report.alert(statement.place, `'${key}' expects an integer argument.`, options);
  if (!isWholeNumber(text)) {
    reading.report.warn(
      statement.place,
      ` ${key}: string '${text}' is not a number.\n   | You might want to use the '${kind}' parameter to use a system ${kind} name.\n`,
      options,
    );
  }
  const value = Number(/^[-+]?[0-9]+/.exec(text)?.[0] ?? 0);
  if (value >= 0) reading.global[key] = value;
  else reading.report.caution(statement.place, `'${key}' of ${text} is no ${kind}: it is not used.`, options);
}

function setVariable(reading: Reading, statement: Statement, overwrites: boolean): undefined {
  const [, name = '', value] = statement.words;
  if (value === undefined || value === '') return expectsVariable(reading, statement, 'expects a name and a value.');
  if (name === '' || name.includes('=')) {
    return expectsVariable(reading, statement, `failed on variable '${name}' : Invalid argument.`);
  }
  if (overwrites || !reading.environment.has(name)) reading.environment.set(name, value);
}

function expectsVariable(reading: Reading, statement: Statement, problem: string): undefined {
  reading.report.alert(statement.place, `'${statement.keyword}' ${problem}`, {
    form: 'parsing []: ',
    keyword: statement.keyword,
  });
}
