import { parseSize } from '../config/activemq/sizes.ts';
import { didYouMean } from '../config/activemq/suggestion.ts';
import { parseInteger } from '../config/activemq/values.ts';
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
  if (!Object.hasOwn(LIMITS, name)) {
    const hint = didYouMean(name, LIMIT_NAMES) || ': docs/reference/limits.md lists them';
    throw usage(`there is no limit ${name}${hint}`);
  }
  const { unit } = LIMITS[name as LimitName];
  const value = numberOf(text.slice(at + 1), unit.startsWith('bytes'));
  if (typeof value === 'string') throw usage(`limit ${name}: ${value}`);
  const fault = limitFault(name, value);
  if (fault !== null) throw usage(fault);
  return { ...earlier, [name]: value };
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
