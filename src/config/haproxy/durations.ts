/**
 * Times, sizes and numbers as HAProxy reads them (configuration manual sections 2.4 and 2.5).
 *
 * A time is an integer and a unit `us ms s m h d`, in lower case; without a unit it counts in milliseconds (or what the keyword says).
 * There are no decimals: `1.5s` stops at the dot. A size is an integer and `k`, `m` or `g` in any case, each 1024 times the one before.
 */

/** Longest time, in the unit asked for: HAProxy's timers are signed 32-bit, about 24.8 days of milliseconds. */
export const TIME_MAX = 2_147_483_647;

/** Nanoseconds would overflow doubles; microseconds of 2^31 milliseconds do not, but digits have no limit: hence bigint. */
const UNIT_US: Readonly<Record<string, bigint>> = {
  us: 1n,
  ms: 1_000n,
  s: 1_000_000n,
  m: 60_000_000n,
  h: 3_600_000_000n,
  d: 86_400_000_000n,
};

export type TimeResult =
  | {
      readonly kind: 'time';
      /** In the unit asked for, rounded up. */
      readonly value: number;
      /** A character after the unit, which HAProxy 2.6 ignores with a warning; null: none. */
      readonly trailing: string | null;
    }
  | { readonly kind: 'overflow' }
  | { readonly kind: 'unexpected'; readonly character: string };

/** Reads a time in milliseconds, or in seconds for keywords that count so (`stats refresh`). */
export function parseTime(text: string, unit: 'ms' | 's' = 'ms'): TimeResult {
  const [, digits = '', suffix = '', trailing = ''] = /^([0-9]*)(us|ms|[smhd])?(.?)/s.exec(text) ?? [];
  if (trailing !== '' && suffix === '') return { kind: 'unexpected', character: trailing };
  if (digits === '') return { kind: 'unexpected', character: text[0] ?? '' };

  const us = BigInt(digits) * UNIT_US[suffix === '' ? unit : suffix]!;
  const perUnit = UNIT_US[unit]!;
  const value = (us + perUnit - 1n) / perUnit;
  if (value > BigInt(TIME_MAX)) return { kind: 'overflow' };
  return { kind: 'time', value: Number(value), trailing: trailing === '' ? null : trailing };
}

export type SizeResult = { readonly kind: 'size'; readonly bytes: number } | { readonly kind: 'unexpected'; readonly character: string };

/** Reads a size in bytes. */
export function parseSize(text: string): SizeResult {
  const [, digits = '', suffix = '', extra = ''] = /^([0-9]*)([kKmMgG]?)(.?)/s.exec(text) ?? [];
  if (extra !== '') return { kind: 'unexpected', character: extra };
  const power = suffix === '' ? 0 : 'kmg'.indexOf(suffix.toLowerCase()) + 1;
  return { kind: 'size', bytes: Number(digits === '' ? '0' : digits) * 1024 ** power };
}

/** C's atol(): blanks, a sign, digits; whatever follows is ignored, and no digits at all count as 0. 64 bits saturate. */
export function atol(text: string): number {
  const match = /^[ \t\n\v\f\r]*([-+]?[0-9]+)/.exec(text);
  return match ? Number(match[1]) : 0;
}

/** Whether `atol` used the whole text: when not, the author likely meant something else. */
export function isWholeNumber(text: string): boolean {
  return /^[-+]?[0-9]+$/.test(text);
}
