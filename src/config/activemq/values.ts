import type { PropertyKind } from './schema.ts';
import { INT_MAX, parseSize } from './sizes.ts';

export type PlainValue = string | number | boolean;
export type Parsed = { readonly value: PlainValue } | { readonly problem: string };

/** Smallest and largest value of Java's whole numbers; a long is read as far as a number counts exactly. */
const RANGES = {
  short: { min: -32_768, max: 32_767 },
  int: { min: -INT_MAX - 1, max: INT_MAX },
  long: { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER },
} as const;

const SPRING_TRUE = new Set(['true', 'on', 'yes', '1']);
const SPRING_FALSE = new Set(['false', 'off', 'no', '0']);

/** Reads the text of a plain property. A problem continues a sentence that begins with the property's name. */
export function parseValue(kind: PropertyKind, text: string): Parsed {
  switch (kind.kind) {
    case 'boolean':
      return parseBoolean(text, kind.strict);
    case 'integer':
      return parseInteger(text, RANGES[kind.type].min, RANGES[kind.type].max);
    case 'size': {
      const size = parseSize(text, kind.type === 'int' ? INT_MAX : Number.MAX_SAFE_INTEGER);
      return 'bytes' in size ? { value: size.bytes } : size;
    }
    case 'decimal': {
      const number = Number(text);
      const isNumber = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/.test(text) && Number.isFinite(number);
      return isNumber ? { value: number } : { problem: `expected a number, found "${text}"` };
    }
    default:
      return { value: text };
  }
}

function parseBoolean(text: string, strict: boolean): Parsed {
  const word = text.trim().toLowerCase();
  if (word === 'true' || (!strict && SPRING_TRUE.has(word))) return { value: true };
  if (word === 'false' || (!strict && SPRING_FALSE.has(word))) return { value: false };
  return { problem: `expected true or false, found "${text}"` };
}

/** A whole number in decimal, or in hexadecimal with `0x`. */
export function parseInteger(text: string, min: number, max: number): Parsed {
  const matched = /^\s*([+-]?)(0[xX][0-9a-fA-F]+|\d+)\s*$/.exec(text);
  if (matched === null) return { problem: `expected a whole number, found "${text}"` };
  const magnitude = BigInt(matched[2]!);
  const value = matched[1] === '-' ? -magnitude : magnitude;
  if (value < BigInt(min) || value > BigInt(max)) {
    return { problem: `expected a whole number from ${min} to ${max}, found ${text.trim()}` };
  }
  return { value: Number(value) };
}
