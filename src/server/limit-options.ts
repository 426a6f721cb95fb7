import type { Setting } from '../config/activemq/model.ts';
import { parseSize } from '../config/activemq/sizes.ts';
import { didYouMean } from '../config/activemq/suggestion.ts';
import { parseInteger } from '../config/activemq/values.ts';
import type { Diagnostic } from '../config/diagnostic.ts';
import { LIMIT_NAMES, LIMITS, type LimitName, type Limits, limitFault } from '../core/limits.ts';
import { ConfigError } from '../errors.ts';

/** Seconds between two updates of `$SYS` where nothing is said: mosquitto's default. */
export const SYS_INTERVAL_SECONDS = 10;
/** Seconds, mosquitto's largest. */
const SYS_INTERVAL_SECONDS_MAX = 65_535;

/**
 * Reads `--limit name=value`: bytes with the units of activemq.xml, everything else as a whole number.
 *
 * @throws ConfigError USAGE
 */
export function parseLimit(text: string, earlier: Partial<Limits>): Partial<Limits> {
  const at = text.indexOf('=');
  if (at < 0) throw usage(`"${text}" has no "=": write name=value`);
  const name = text.slice(0, at).trim();
  const value = limitOf(name, text.slice(at + 1));
  if (typeof value === 'string') throw usage(value);
  return { ...earlier, [name]: value };
}

/** What properties of this name are: `roundhouse.limit.sessions`. */
const LIMIT_PREFIX = 'roundhouse.limit.';

/** Reads the limits that stand in an activemq.xml or in its properties files, values as `--limit` has them. */
export function readFileLimits(settings: readonly Setting[]): { limits: Partial<Limits>; diagnostics: Diagnostic[] } {
  let limits: Partial<Limits> = {};
  const diagnostics: Diagnostic[] = [];
  for (const { place, name, value } of settings) {
    const limit = name.slice(LIMIT_PREFIX.length);
    const read = name.startsWith(LIMIT_PREFIX) ? limitOf(limit, value) : `expected ${LIMIT_PREFIX}<name>`;
    if (typeof read === 'string') diagnostics.push({ severity: 'error', ...place, keyword: name, message: `property ${name}: ${read}` });
    else limits = { ...limits, [limit]: read };
  }
  return { limits, diagnostics };
}

/** The value of a limit, or why there is none. */
function limitOf(name: string, text: string): number | string {
  if (!Object.hasOwn(LIMITS, name))
    return `there is no limit ${name}${didYouMean(name, LIMIT_NAMES) || ': docs/reference/limits.md lists them'}`;
  const { unit } = LIMITS[name as LimitName];
  const value = numberOf(text, unit.startsWith('bytes'));
  return typeof value === 'string' ? `limit ${name}: ${value}` : (limitFault(name, value) ?? value);
}

/**
 * Reads `--sys-interval seconds`.
 *
 * @throws ConfigError USAGE
 */
export function parseSysInterval(text: string): number {
  const parsed = parseInteger(text, 0, SYS_INTERVAL_SECONDS_MAX);
  if ('problem' in parsed) throw usage(`${parsed.problem} (seconds; 0: nothing is published)`);
  return parsed.value as number;
}

/** @throws ConfigError INVALID_SYS_INTERVAL */
export function expectSysInterval(seconds: number): void {
  if (Number.isInteger(seconds) && seconds >= 0 && seconds <= SYS_INTERVAL_SECONDS_MAX) return;
  throw new ConfigError(
    'INVALID_SYS_INTERVAL',
    `sysIntervalSeconds: expected a whole number from 0 to ${SYS_INTERVAL_SECONDS_MAX}, found ${seconds}`,
  );
}

/** The number, or why the text is none. */
function numberOf(text: string, isSize: boolean): number | string {
  if (isSize) {
    const size = parseSize(text);
    return 'bytes' in size ? size.bytes : size.problem;
  }
  const parsed = parseInteger(text, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  return 'problem' in parsed ? parsed.problem : (parsed.value as number);
}

function usage(message: string): ConfigError {
  return new ConfigError('USAGE', message);
}
