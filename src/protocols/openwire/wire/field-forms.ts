import type { AllowedCodes, Decoding, Encoding } from './structure-io.ts';
import type { DataStructure, Long } from './structures.ts';
import { typeOf } from './type-table.ts';
import type { ReceiveCache } from './value-cache.ts';
import { malformed, unencodable } from './wire-errors.ts';

/** How one kind of field is read and written. */
export interface FieldForm {
  readonly read: (from: Decoding) => unknown;
  readonly write: (to: Encoding, value: never) => void;
}

/** One encoding: the form of every kind of field. OpenWire specification section 3.1. */
export interface FieldForms {
  readonly bool: FieldForm;
  readonly i8: FieldForm;
  readonly i32: FieldForm;
  readonly long: FieldForm;
  readonly str: FieldForm;
  readonly bytes: FieldForm;
  readonly raw8: FieldForm;
  readonly throwable: FieldForm;
  readonly nested: (allowed: AllowedCodes) => FieldForm;
  readonly cached: (allowed: AllowedCodes) => FieldForm;
  readonly array: (allowed: AllowedCodes) => FieldForm;
}

export const RAW8_BYTES = 8;

/** Longest chain of causes of a throwable; longer ones are cut when sent and refused when received. Java's are under ten. */
export const STACK_TRACE_DEPTH_MAX = 32;

/** Largest number of elements of an array or a stack trace: what its i16 can say. */
const COUNT_MAX = 32_767;

/** A count just read: as many elements as `limit` allows may follow. */
export function checkedCount(from: Decoding, count: number, limit: number): number {
  if (count >= 0 && count <= limit) return count;
  const most = Math.max(0, Math.floor(limit));
  throw malformed(`byte ${from.bytes.offset - 2}: a count from 0 to ${most} was expected (what is left allows no more), ${count} came`);
}

/** Length and bytes of a byte field. */
export function readBytes(from: Decoding): Buffer {
  const length = from.bytes.i32();
  if (length < 0) throw malformed(`byte ${from.bytes.offset - 4}: the length of a byte array was expected, ${length} came`);
  return from.shareBytes && !from.isKept ? from.bytes.view(length) : from.bytes.copy(length);
}

/** A new value for a cache slot: read as `read` does, and stored. */
export function readForCache(from: Decoding, cache: ReceiveCache, slot: number, read: () => DataStructure | null): DataStructure | null {
  const outerIsKept = from.isKept;
  from.isKept = true;
  const value = read();
  from.isKept = outerIsKept;
  cache.store(slot, value);
  return value;
}

/** A value from the cache must be of a type that may stand here. */
export function checkKind(value: DataStructure | null, allowed: AllowedCodes): DataStructure | null {
  if (value !== null && allowed.codes[value.kind] !== 1) {
    throw malformed(`${allowed.name} was expected, the cache slot holds ${typeOf(value.kind)?.name}`);
  }
  return value;
}

export function tooManyCauses(from: Decoding): Error {
  return malformed(`byte ${from.bytes.offset}: a throwable has more than ${STACK_TRACE_DEPTH_MAX} causes`);
}

export function countOf(values: readonly unknown[]): number {
  if (values.length > COUNT_MAX) throw unencodable(`${values.length} elements: at most ${COUNT_MAX} can be sent`);
  return values.length;
}

export function checkedLength(value: Buffer, length: number): Buffer {
  if (value.length !== length) throw unencodable(`${value.length} bytes: exactly ${length} were expected`);
  return value;
}

export function checkedLong(value: Long): Long {
  if (typeof value === 'number' ? Number.isSafeInteger(value) : BigInt.asIntN(64, value) === value) return value;
  throw unencodable(`${value}: a 64-bit integer was expected (beyond ±(2^53 - 1) as a bigint)`);
}
