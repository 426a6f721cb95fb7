import { createRequire } from 'node:module';
import { pino } from 'pino';

/** Facts of one event. Never a password, never a payload. */
export type Facts = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** One line an event: a constant message, facts as fields. */
export interface Log {
  error(message: string, facts?: Facts): void;
  warn(message: string, facts?: Facts): void;
  info(message: string, facts?: Facts): void;
  debug(message: string, facts?: Facts): void;
  /** A log whose lines all carry these facts. */
  child(facts: Facts): Log;
}

export type LogLevel = 'error' | 'warn' | 'info' | 'debug' | 'silent';

/** Writes lines to standard error: readable text, or JSON a line with `json`. */
export function createLog(options: { level?: LogLevel; json?: boolean } = {}): Log {
  const level = options.level ?? 'info';
  const stream = options.json
    ? pino.destination({ fd: 2, sync: true })
    : loadPretty()({ ...READABLE, destination: 2, sync: true, colorize: process.stderr.isTTY === true });
  return wrap(pino({ level, base: null }, stream));
}

/**
 * Makes a line that `createLog` wrote as JSON, e.g. in another process, the readable text that it would have been, without a line end.
 * `leaveOut` names a fact that is shown some other way.
 */
export function createLogRenderer(options: { colorize: boolean; leaveOut: string }): (jsonLine: string) => string {
  const { colorize, leaveOut } = options;
  const render = loadPretty().prettyFactory({ ...READABLE, colorize, ignore: `${READABLE.ignore},${leaveOut}` });
  return (jsonLine) => render(jsonLine).trimEnd();
}

/** Says nothing: for tests and for a program that embeds us and asks for quiet. */
export const silentLog: Log = { error() {}, warn() {}, info() {}, debug() {}, child: () => silentLog };

/** How a line looks to people. */
const READABLE = { ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l', singleLine: true } as const;

/** Loaded when it is first needed: a process that logs JSON starts without it. */
function loadPretty(): typeof import('pino-pretty') {
  return createRequire(import.meta.url)('pino-pretty');
}

function wrap(logger: pino.Logger): Log {
  return {
    error: (message, facts) => logger.error(facts ?? {}, message),
    warn: (message, facts) => logger.warn(facts ?? {}, message),
    info: (message, facts) => logger.info(facts ?? {}, message),
    debug: (message, facts) => logger.debug(facts ?? {}, message),
    child: (facts) => wrap(logger.child(facts)),
  };
}
