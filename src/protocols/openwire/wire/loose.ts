/** The loose form of each kind of field. OpenWire specification section 3.1, column "loose". */

import {
  checkedCount,
  checkedLength,
  checkedLong,
  checkKind,
  countOf,
  type FieldForms,
  RAW8_BYTES,
  readBytes,
  readForCache,
  STACK_TRACE_DEPTH_MAX,
  tooManyCauses,
} from './field-forms.ts';
import { readModifiedUtf8, writeUtf } from './modified-utf8.ts';
import type { AllowedCodes, Decoding, Encoding } from './structure-io.ts';
import type { DataStructure, Long, StackTraceElement, Throwable } from './structures.ts';
import { cacheKey } from './value-cache.ts';

/** Longest string of the loose form, in bytes: what its u16 length can say. */
const STRING_MAX_BYTES = 65_535;

/** Fewest bytes of one stack trace element: three absent strings and a line number. */
const STACK_TRACE_ELEMENT_MIN_BYTES = 7;

export const LOOSE: FieldForms = {
  bool: { read: readBool, write: (to, value: boolean) => to.out.u8(value ? 1 : 0) },
  i8: { read: (from) => from.bytes.i8(), write: (to, value: number) => to.out.u8(value) },
  i32: { read: (from) => from.bytes.i32(), write: (to, value: number) => to.out.u32(value) },
  long: { read: (from) => from.bytes.i64(), write: (to, value: Long) => to.out.i64(checkedLong(value)) },
  str: { read: readString, write: writeString },
  bytes: {
    read: (from) => (readBool(from) ? readBytes(from) : null),
    write: (to, value: Buffer | null) => {
      if (value === null) {
        to.out.u8(0);
        return;
      }
      to.out.u8(1);
      to.out.u32(value.length);
      to.out.bytes(value);
    },
  },
  raw8: {
    read: (from) => from.bytes.copy(RAW8_BYTES),
    write: (to, value: Buffer) => to.out.bytes(checkedLength(value, RAW8_BYTES)),
  },
  throwable: { read: (from) => readThrowable(from, 0), write: (to, value: Throwable | null) => writeThrowable(to, value, 0) },
  nested: (allowed) => ({
    read: (from) => readNested(from, allowed),
    write: (to, value: DataStructure | null) => writeNested(to, value, allowed),
  }),
  cached: (allowed) => ({
    read: (from) => readCached(from, allowed),
    write: (to, value: DataStructure | null) => writeCached(to, value, allowed),
  }),
  array: (allowed) => ({
    read: (from) => readArray(from, allowed),
    write: (to, value: readonly (DataStructure | null)[] | null) => writeArray(to, value, allowed),
  }),
};

function readBool(from: Decoding): boolean {
  return from.bytes.u8() !== 0;
}

function readString(from: Decoding): string | null {
  return readBool(from) ? readModifiedUtf8(from.bytes, from.bytes.u16()) : null;
}

function writeString(to: Encoding, value: string | null): void {
  if (value === null) {
    to.out.u8(0);
    return;
  }
  to.out.u8(1);
  writeUtf(to.out, value, STRING_MAX_BYTES);
}

function readNested(from: Decoding, allowed: AllowedCodes): DataStructure | null {
  if (!readBool(from)) return null;
  return allowed.areRecurringIds ? readRecurringId(from, allowed) : from.structure(from.bytes.u8(), allowed);
}

function readRecurringId(from: Decoding, allowed: AllowedCodes): DataStructure {
  const { bytes, recentIds } = from;
  const start = bytes.position;
  const known = recentIds.startingAt(bytes.buffer, start, start + bytes.remaining);
  if (known !== undefined && allowed.codes[known.value.kind] === 1) {
    bytes.skip(known.length);
    return known.value;
  }
  const id = from.structure(bytes.u8(), allowed);
  recentIds.add(id, bytes.buffer, start, bytes.position);
  return id;
}

function writeNested(to: Encoding, value: DataStructure | null, allowed: AllowedCodes): void {
  if (value === null) {
    to.out.u8(0);
    return;
  }
  to.out.u8(1);
  if (allowed.areRecurringIds) {
    writeRecurringId(to, value, allowed);
    return;
  }
  to.out.u8(value.kind);
  to.structure(value, allowed);
}

function writeRecurringId(to: Encoding, id: DataStructure, allowed: AllowedCodes): void {
  const { out, recentIds } = to;
  const known = recentIds.find(id);
  if (known !== undefined && allowed.codes[id.kind] === 1) {
    out.slice(known.bytes, 0, known.length);
    return;
  }
  const start = out.length;
  out.u8(id.kind);
  to.structure(id, allowed);
  recentIds.add(id, out.buffer, start, out.length);
}

/** OpenWire specification section 4. */
function readCached(from: Decoding, allowed: AllowedCodes): DataStructure | null {
  const { cache } = from;
  if (cache === null) return readNested(from, allowed);
  const isNew = readBool(from);
  const slot = from.bytes.i16();
  if (!isNew) return checkKind(cache.fetch(slot), allowed);
  return readForCache(from, cache, slot, () => readNested(from, allowed));
}

/** In this form a value gets its slot before the values inside it. */
function writeCached(to: Encoding, value: DataStructure | null, allowed: AllowedCodes): void {
  const { cache } = to;
  if (cache === null) {
    writeNested(to, value, allowed);
    return;
  }
  const key = cacheKey(value);
  const known = cache.find(key);
  if (known !== undefined) {
    to.out.u8(0);
    to.out.u16(known);
    return;
  }
  to.out.u8(1);
  to.out.u16(cache.add(key));
  writeNested(to, value, allowed);
}

function readArray(from: Decoding, allowed: AllowedCodes): (DataStructure | null)[] | null {
  if (!readBool(from)) return null;
  const count = checkedCount(from, from.bytes.i16(), from.bytes.remaining);
  const values: (DataStructure | null)[] = [];
  for (let i = 0; i < count; i++) values.push(readNested(from, allowed));
  return values;
}

function writeArray(to: Encoding, values: readonly (DataStructure | null)[] | null, allowed: AllowedCodes): void {
  if (values === null) {
    to.out.u8(0);
    return;
  }
  to.out.u8(1);
  to.out.u16(countOf(values));
  for (const value of values) writeNested(to, value, allowed);
}

/** OpenWire specification section 3.5. */
function readThrowable(from: Decoding, depth: number): Throwable | null {
  if (!readBool(from)) return null;
  if (depth > STACK_TRACE_DEPTH_MAX) throw tooManyCauses(from);
  const className = readString(from);
  const message = readString(from);
  const stack: StackTraceElement[] = [];
  if (!from.stackTraces) return { className, message, stack, cause: null };
  const count = checkedCount(from, from.bytes.i16(), from.bytes.remaining / STACK_TRACE_ELEMENT_MIN_BYTES);
  for (let i = 0; i < count; i++) {
    stack.push({ className: readString(from), methodName: readString(from), fileName: readString(from), lineNumber: from.bytes.i32() });
  }
  return { className, message, stack, cause: readThrowable(from, depth + 1) };
}

function writeThrowable(to: Encoding, value: Throwable | null, depth: number): void {
  if (value === null || depth > STACK_TRACE_DEPTH_MAX) {
    to.out.u8(0);
    return;
  }
  to.out.u8(1);
  writeString(to, value.className);
  writeString(to, value.message);
  if (!to.stackTraces) return;
  to.out.u16(countOf(value.stack));
  for (const element of value.stack) {
    writeString(to, element.className);
    writeString(to, element.methodName);
    writeString(to, element.fileName);
    to.out.u32(element.lineNumber);
  }
  writeThrowable(to, value.cause, depth + 1);
}
