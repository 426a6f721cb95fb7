import { parseAddress } from './addresses.ts';
import type { LogTarget } from './model.ts';
import type { Reading, Statement } from './reading.ts';

/** Syslog facilities by number. RFC 5424 section 6.2.1, with HAProxy's names. */
export const LOG_FACILITIES: readonly string[] = [
  'kern',
  'user',
  'mail',
  'daemon',
  'auth',
  'syslog',
  'lpr',
  'news',
  'uucp',
  'cron',
  'auth2',
  'ftp',
  'ntp',
  'audit',
  'alert',
  'cron2',
  'local0',
  'local1',
  'local2',
  'local3',
  'local4',
  'local5',
  'local6',
  'local7',
];

/** Syslog severities by number. RFC 5424 section 6.2.1. */
export const LOG_LEVELS: readonly string[] = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];

const LOG_FORMATS: readonly LogTarget['format'][] = ['local', 'rfc3164', 'rfc5424', 'priority', 'short', 'timed', 'iso', 'raw'];

/** UDP port of syslog. */
const SYSLOG_PORT = 514;
/** Bytes of a log line, unless `len` says otherwise. HAProxy's MAX_SYSLOG_LEN. */
const LINE_LENGTH_DEFAULT = 1024;
const LINE_LENGTH_MIN = 80;
const LINE_LENGTH_MAX = 65535;

/**
 * Reads `log <target> [len N] [format F] [sample R:N] <facility> [max [min]]`, `log global` and `no log` into `targets`.
 * `inherited` are the global section's targets, or null within that section.
 */
export function readLogLine(
  reading: Reading,
  statement: Statement,
  targets: LogTarget[],
  inherited: readonly LogTarget[] | null,
): undefined {
  const { report } = reading;
  const fail = (message: string): undefined => report.alert(statement.place, `log : ${message}`, { keyword: 'log' });

  if (statement.modifier === 'no') {
    if (statement.word(1) !== '') return fail("'no log' does not expect arguments");
    targets.length = 0;
    return;
  }
  if (statement.word(1) === 'global' && statement.word(2) === '') {
    if (inherited === null) return fail("'global' is not supported for a global syslog server");
    for (const target of inherited) if (!targets.includes(target)) targets.push(target);
    return;
  }
  if (statement.word(1) === '' || statement.word(2) === '') {
    return fail(`expects <address> and <facility> ${inherited === null ? '' : 'or global'} as arguments`);
  }

  let at = 2;
  let lengthMax = LINE_LENGTH_DEFAULT;
  if (statement.word(at) === 'len') {
    const text = statement.word(at + 1);
    lengthMax = Number(/^[-+]?[0-9]+/.exec(text)?.[0] ?? 0);
    if (lengthMax < LINE_LENGTH_MIN || lengthMax > LINE_LENGTH_MAX) {
      return fail(`invalid log length '${text}', must be between ${LINE_LENGTH_MIN} and ${LINE_LENGTH_MAX}`);
    }
    at += 2;
  }
  let format: LogTarget['format'] = reading.global.logSendHostname ? 'rfc3164' : 'local';
  if (statement.word(at) === 'format') {
    const known = LOG_FORMATS.find((name) => name === statement.word(at + 1));
    if (known === undefined) return fail(`unknown log format '${statement.word(at + 1)}'`);
    format = known;
    at += 2;
  }
  if (statement.word(at) === 'sample') {
    const problem = checkSample(statement.word(at + 1));
    if (problem !== null) return fail(problem);
    report.caution(statement.place, "'sample' has no effect here: every line is sent to this target.", { keyword: 'log' });
    at += 2;
  }
  const facility = LOG_FACILITIES.indexOf(statement.word(at));
  if (facility < 0) return fail(`unknown log facility '${statement.word(at)}'`);
  at++;
  let maxLevel = LOG_LEVELS.length - 1;
  let minLevel = 0;
  if (statement.word(at) !== '') {
    maxLevel = LOG_LEVELS.indexOf(statement.word(at));
    if (maxLevel < 0) return fail(`unknown optional log level '${statement.word(at)}'`);
    if (statement.word(at + 1) !== '') {
      minLevel = LOG_LEVELS.indexOf(statement.word(at + 1));
      if (minLevel < 0) return fail(`unknown optional minimum log level '${statement.word(at + 1)}'`);
      if (statement.word(at + 2) !== '') return fail(`cannot handle unexpected argument '${statement.word(at + 2)}'`);
    }
  }

  const target = readTarget(reading, statement, fail);
  if (target === null) return;
  targets.push({ ...target, format, facility, maxLevel, minLevel, lengthMax, place: statement.place });
}

function readTarget(
  reading: Reading,
  statement: Statement,
  fail: (message: string) => undefined,
): Pick<LogTarget, 'kind' | 'address' | 'port'> | null {
  const text = statement.word(1);
  const refuse = (reason: string): null => {
    reading.report.refuse(statement.place, `log : '${text}' is not supported yet: ${reason}.`, { keyword: 'log' });
    return null;
  };
  if (text === 'stdout' || text === 'stderr') return { kind: text, address: '', port: 0 };
  if (text.startsWith('ring@')) return refuse('these lines would be kept nowhere');

  const address = parseAddress(text, { transports: ['datagram', 'stream'], descriptors: true, names: true }, (name) =>
    reading.variable(name),
  );
  if ('error' in address) {
    fail(address.error);
    return null;
  }
  reading.cautionUnset(statement.place, address.unsetVariables);
  if (address.family === 'fd') {
    if (address.host === '1' || address.host === '2') return { kind: address.host === '1' ? 'stdout' : 'stderr', address: '', port: 0 };
    return { kind: 'fd', address: address.host, port: 0 };
  }
  if (address.family === 'unix' && address.transport === 'datagram') return { kind: 'unix', address: address.host, port: 0 };
  if (address.family !== 'ip' || address.transport === 'stream') return refuse('only UDP, unix datagram sockets and descriptors take logs');

  const host = address.hostKind === 'name' ? reading.resolve(address.host, address.ipVersion) : address.host;
  if (host === null) {
    fail(`invalid address: '${address.host}' in '${text}'\n`);
    return null;
  }
  // The unspecified address as a destination is this machine.
  const destination = host === '' ? (address.ipVersion === 6 ? '::1' : '127.0.0.1') : host;
  return { kind: 'udp', address: destination, port: address.port === 0 ? SYSLOG_PORT : address.port };
}

/** `1,3-4:5`: lines 1, 3 and 4 of every 5. Returns what is wrong with it. */
function checkSample(text: string): string | null {
  const colon = text.indexOf(':');
  if (colon < 0) return 'Missing sample size';
  const size = Number(/^[0-9]*/.exec(text.slice(colon + 1))![0] || '0');
  if (size === 0) return 'no sampling ranges given';
  const ranges: [number, number][] = [];
  for (const part of text.slice(0, colon).split(',')) {
    const match = /^([0-9]+)(?:-([0-9]+))?$/.exec(part);
    const low = Number(match?.[1] ?? 0);
    const high = Number(match?.[2] ?? low);
    if (low === 0 || high < low) return `wrong sample range '${part}'`;
    ranges.push([low, high]);
  }
  ranges.sort((a, b) => a[0] - b[0]);
  if (ranges.some(([low], index) => index > 0 && low <= ranges[index - 1]![1])) return 'ranges are overlapping';
  const highest = Math.max(...ranges.map(([, high]) => high));
  if (highest > size) return `sample size ${size} should be greater or equal to ${highest} the maximum of the high ranges limits`;
  return null;
}
