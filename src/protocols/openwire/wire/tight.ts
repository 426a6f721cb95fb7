/** The tight form of each kind of field: flags go to the boolean block, the rest to the bytes. OpenWire specification section 3. */
import { BooleanBlockReader } from './boolean-block.ts';
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
import { isMarshalAware } from './type-table.ts';
import { cacheKey } from './value-cache.ts';
import { malformed } from './wire-errors.ts';

/** Longest string of the tight form, in bytes. OpenWire specification section 3.4. */
const STRING_MAX_BYTES = 32_766;

/** Bytes of one stack trace element: its line number. */
const STACK_TRACE_ELEMENT_MIN_BYTES = 4;

export const TIGHT: FieldForms = {
  bool: { read: (from) => from.bits.bit(), write: (to, value: boolean) => to.bits.push(value) },
  i8: { read: (from) => from.bytes.i8(), write: (to, value: number) => to.out.u8(value) },
  i32: { read: (from) => from.bytes.i32(), write: (to, value: number) => to.out.u32(value) },
  long: { read: readLong, write: writeLong },
  str: { read: readString, write: writeString },
  bytes: {
    read: (from) => (from.bits.bit() ? readBytes(from) : null),
    write: (to, value: Buffer | null) => {
      to.bits.push(value !== null);
      if (value === null) return;
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

/** Two flags say how many bytes follow: 00 none, 01 u16, 10 u32, 11 i64. OpenWire specification section 3.3. */
function readLong(from: Decoding): Long {
  const first = from.bits.bit();
  const second = from.bits.bit();
  if (first) return second ? from.bytes.i64() : from.bytes.u32();
  return second ? from.bytes.u16() : 0;
}

function writeLong(to: Encoding, value: Long): void {
  const size = value < 0 || value > 0xffff_ffff ? 8 : value > 0xffff ? 4 : value > 0 ? 2 : 0;
  checkedLong(value);
  to.bits.push(size >= 4);
  to.bits.push(size === 2 || size === 8);
  if (size === 8) to.out.i64(value);
  else if (size === 4) to.out.u32(Number(value));
  else if (size === 2) to.out.u16(Number(value));
}

/** With the ascii flag one byte is one character (Java reads them as Latin-1), without it the bytes are modified UTF-8. */
function readString(from: Decoding): string | null {
  if (!from.bits.bit()) return null;
  const { bytes } = from;
  if (!from.bits.bit()) return readModifiedUtf8(bytes, bytes.u16());
  const length = bytes.i16();
  if (length < 0) throw malformed(`byte ${bytes.offset - 2}: the length of a string was expected, ${length} came`);
  const start = bytes.skip(length);
  return bytes.buffer.toString('latin1', start, start + length);
}

function writeString(to: Encoding, value: string | null): void {
  to.bits.push(value !== null);
  if (value !== null) to.bits.push(writeUtf(to.out, value, STRING_MAX_BYTES));
}

function readNested(from: Decoding, allowed: AllowedCodes): DataStructure | null {
  if (!from.bits.bit()) return null;
  const code = from.bytes.u8();
  if (!isMarshalAware(code) || !from.bits.bit()) return from.structure(code, allowed);
  return readPremarshalled(from, code, allowed);
}

/** A copy that was marshalled on its own: size, type and a boolean block that counts for this structure only. No peer is known to send it. */
function readPremarshalled(from: Decoding, code: number, allowed: AllowedCodes): DataStructure {
  from.bytes.i32();
  from.bytes.u8();
  const outer = from.bits;
  from.bits = new BooleanBlockReader();
  try {
    from.bits.open(from.bytes);
    return from.structure(code, allowed);
  } finally {
    from.bits = outer;
  }
}

function writeNested(to: Encoding, value: DataStructure | null, allowed: AllowedCodes): void {
  to.bits.push(value !== null);
  if (value === null) return;
  to.out.u8(value.kind);
  if (isMarshalAware(value.kind)) to.bits.push(false);
  to.structure(value, allowed);
}

/** OpenWire specification section 4. */
function readCached(from: Decoding, allowed: AllowedCodes): DataStructure | null {
  const { cache } = from;
  if (cache === null) return readNested(from, allowed);
  const isNew = from.bits.bit();
  const slot = from.bytes.i16();
  if (!isNew) return checkKind(cache.fetch(slot), allowed);
  return readForCache(from, cache, slot, () => readNested(from, allowed));
}

/** In this form a value gets its slot after the values inside it, although it stands in front of them. */
function writeCached(to: Encoding, value: DataStructure | null, allowed: AllowedCodes): void {
  const { cache } = to;
  if (cache === null) {
    writeNested(to, value, allowed);
    return;
  }
  const key = cacheKey(value);
  const known = cache.find(key);
  to.bits.push(known === undefined);
  if (known !== undefined) {
    to.out.u16(known);
    return;
  }
  const at = to.out.skip(2);
  writeNested(to, value, allowed);
  to.out.setU16(at, cache.add(key));
}

function readArray(from: Decoding, allowed: AllowedCodes): (DataStructure | null)[] | null {
  if (!from.bits.bit()) return null;
  const count = checkedCount(from, from.bytes.i16(), from.bits.remaining);
  const values: (DataStructure | null)[] = [];
  for (let i = 0; i < count; i++) values.push(readNested(from, allowed));
  return values;
}

function writeArray(to: Encoding, values: readonly (DataStructure | null)[] | null, allowed: AllowedCodes): void {
  to.bits.push(values !== null);
  if (values === null) return;
  to.out.u16(countOf(values));
  for (const value of values) writeNested(to, value, allowed);
}

/** OpenWire specification section 3.5. */
function readThrowable(from: Decoding, depth: number): Throwable | null {
  if (!from.bits.bit()) return null;
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
  const present = value !== null && depth <= STACK_TRACE_DEPTH_MAX;
  to.bits.push(present);
  if (!present) return;
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
