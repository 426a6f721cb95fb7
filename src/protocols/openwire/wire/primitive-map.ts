import { ByteReader } from '../../../bytes/byte-reader.ts';
import { ByteWriter } from '../../../bytes/byte-writer.ts';
import { ProtocolError, TruncatedError } from '../../../errors.ts';
import { checkedLong } from './field-forms.ts';
import { modifiedUtf8Length, readModifiedUtf8, writeModifiedUtf8, writeUtf } from './modified-utf8.ts';
import type { Long } from './structures.ts';
import { malformed, unencodable } from './wire-errors.ts';

/*
 * Primitive maps: message properties, map bodies and the properties of WireFormatInfo (OpenWire specification section 5.1).
 * A value keeps its Java type, because the peer's application sees it: an int property is not a long one.
 */

/** Value types, by the tag they have on the wire. OpenWire specification section 5.1. */
export const NULL_VALUE = 0;
export const BOOLEAN_VALUE = 1;
export const BYTE_VALUE = 2;
export const CHAR_VALUE = 3;
export const SHORT_VALUE = 4;
export const INT_VALUE = 5;
export const LONG_VALUE = 6;
export const DOUBLE_VALUE = 7;
export const FLOAT_VALUE = 8;
export const STRING_VALUE = 9;
export const BYTES_VALUE = 10;
export const MAP_VALUE = 11;
export const LIST_VALUE = 12;
/** On the wire only: a long string. Decodes to STRING_VALUE. */
const BIG_STRING_VALUE = 13;

export type Primitive =
  | { readonly type: typeof NULL_VALUE; readonly value: null }
  | { readonly type: typeof BOOLEAN_VALUE; readonly value: boolean }
  | { readonly type: typeof BYTE_VALUE | typeof SHORT_VALUE | typeof INT_VALUE; readonly value: number }
  /** One UTF-16 code unit. */
  | { readonly type: typeof CHAR_VALUE; readonly value: string }
  | { readonly type: typeof LONG_VALUE; readonly value: Long }
  | { readonly type: typeof DOUBLE_VALUE | typeof FLOAT_VALUE; readonly value: number }
  | { readonly type: typeof STRING_VALUE; readonly value: string }
  | { readonly type: typeof BYTES_VALUE; readonly value: Buffer }
  | { readonly type: typeof MAP_VALUE; readonly value: PrimitiveMap | null }
  | { readonly type: typeof LIST_VALUE; readonly value: PrimitiveList };

export type PrimitiveMap = ReadonlyMap<string, Primitive>;
export type PrimitiveList = readonly Primitive[];

/** A string of this many UTF-16 units or more is written as a big string. OpenWire specification section 5.1. */
const BIG_STRING_LENGTH = 8191;

/** Longest name of an entry, in bytes: what its u16 length can say. */
const NAME_MAX_BYTES = 65_535;

/** How deep maps and lists may nest: a peer must not be able to exhaust our stack. Java applications nest one or two levels. */
export const PRIMITIVE_NESTING_MAX = 16;

/** Fewest bytes of an entry of a map: an empty name and a null. */
const ENTRY_MIN_BYTES = 3;

/** What most maps fit into. */
const SMALL_MAP_BYTES = 256;

/** The count that says "no map". */
const NULL_MAP = -1;

export const nullValue: Primitive = { type: NULL_VALUE, value: null };

export function booleanValue(value: boolean): Primitive {
  return { type: BOOLEAN_VALUE, value };
}

export function intValue(value: number): Primitive {
  return { type: INT_VALUE, value };
}

export function longValue(value: Long): Primitive {
  return { type: LONG_VALUE, value };
}

export function doubleValue(value: number): Primitive {
  return { type: DOUBLE_VALUE, value };
}

export function stringValue(value: string): Primitive {
  return { type: STRING_VALUE, value };
}

export function bytesValue(value: Buffer): Primitive {
  return { type: BYTES_VALUE, value };
}

/**
 * @returns the map's bytes, as `marshalledProperties` or the content of a MapMessage have them
 * @throws CodedError OPENWIRE_UNENCODABLE when a name is longer than 65,535 bytes or nesting is too deep
 */
export function encodePrimitiveMap(map: PrimitiveMap | null): Buffer {
  const out = new ByteWriter(SMALL_MAP_BYTES);
  writeMap(out, map, 0);
  return out.copy();
}

/**
 * @returns the map; null where the bytes say there is none
 * @throws ProtocolError OPENWIRE_MALFORMED when the bytes are not exactly one map
 */
export function decodePrimitiveMap(bytes: Buffer): PrimitiveMap | null {
  return decodeAll(bytes, 'primitive map', (from) => readMap(from, 0));
}

/** Values one after another without a count: the content of a StreamMessage. Errors as for `encodePrimitiveMap`. */
export function encodePrimitiveStream(values: PrimitiveList): Buffer {
  const out = new ByteWriter(SMALL_MAP_BYTES);
  for (const value of values) writePrimitive(out, value, 0);
  return out.copy();
}

/** The values of a StreamMessage's content, to its end. Errors as for `decodePrimitiveMap`. */
export function decodePrimitiveStream(bytes: Buffer): PrimitiveList {
  return decodeAll(bytes, 'stream of primitives', (from) => {
    const values: Primitive[] = [];
    while (from.remaining > 0) values.push(readPrimitive(from, from.u8(), 0));
    return values;
  });
}

function decodeAll<V>(bytes: Buffer, what: string, read: (from: ByteReader) => V): V {
  const from = new ByteReader();
  from.open(bytes, 0, bytes.length);
  try {
    const value = read(from);
    if (from.remaining > 0) throw malformed(`byte ${from.offset}: the end was expected, ${from.remaining} bytes are left`);
    return value;
  } catch (error) {
    if (!(error instanceof ProtocolError || error instanceof TruncatedError)) throw error;
    throw malformed(`${what} of ${bytes.length} bytes, ${error.message}`);
  }
}

function readMap(from: ByteReader, depth: number): PrimitiveMap | null {
  const count = from.i32();
  if (count === NULL_MAP) return null;
  checkCount(from, count, ENTRY_MIN_BYTES);
  const map = new Map<string, Primitive>();
  for (let i = 0; i < count; i++) {
    const name = readModifiedUtf8(from, from.u16());
    map.set(name, readPrimitive(from, from.u8(), depth));
  }
  return map;
}

function readList(from: ByteReader, depth: number): PrimitiveList {
  const count = from.i32();
  checkCount(from, count, 1);
  const list: Primitive[] = [];
  for (let i = 0; i < count; i++) list.push(readPrimitive(from, from.u8(), depth));
  return list;
}

/** The value whose tag has just been read. */
export function readPrimitive(from: ByteReader, tag: number, depth = 0): Primitive {
  switch (tag) {
    case NULL_VALUE:
      return nullValue;
    case BOOLEAN_VALUE:
      return { type: tag, value: from.u8() !== 0 };
    case BYTE_VALUE:
      return { type: tag, value: from.i8() };
    case CHAR_VALUE:
      return { type: tag, value: String.fromCharCode(from.u16()) };
    case SHORT_VALUE:
      return { type: tag, value: from.i16() };
    case INT_VALUE:
      return { type: tag, value: from.i32() };
    case LONG_VALUE:
      return { type: tag, value: from.i64() };
    case DOUBLE_VALUE:
      return { type: tag, value: from.f64() };
    case FLOAT_VALUE:
      return { type: tag, value: from.f32() };
    case STRING_VALUE:
      return { type: tag, value: readModifiedUtf8(from, from.u16()) };
    case BYTES_VALUE:
      return { type: tag, value: from.copy(readLength(from)) };
    case MAP_VALUE:
      return { type: tag, value: readMap(from, deeper(from, depth)) };
    case LIST_VALUE:
      return { type: tag, value: readList(from, deeper(from, depth)) };
    case BIG_STRING_VALUE:
      return { type: STRING_VALUE, value: readModifiedUtf8(from, readLength(from)) };
    default:
      throw malformed(`byte ${from.offset - 1}: a value tag from 0 to ${BIG_STRING_VALUE} was expected, ${tag} came`);
  }
}

function readLength(from: ByteReader): number {
  const length = from.i32();
  if (length < 0) throw malformed(`byte ${from.offset - 4}: a length was expected, ${length} came`);
  return length;
}

function checkCount(from: ByteReader, count: number, elementMinBytes: number): void {
  const most = Math.floor(from.remaining / elementMinBytes);
  if (count < 0 || count > most) {
    throw malformed(`byte ${from.offset - 4}: a count from 0 to ${most} was expected (what is left allows no more), ${count} came`);
  }
}

function deeper(from: ByteReader, depth: number): number {
  if (depth < PRIMITIVE_NESTING_MAX) return depth + 1;
  throw malformed(`byte ${from.offset}: maps and lists are nested more than ${PRIMITIVE_NESTING_MAX} deep`);
}

function writeMap(out: ByteWriter, map: PrimitiveMap | null, depth: number): void {
  if (map === null) {
    out.u32(NULL_MAP);
    return;
  }
  out.u32(map.size);
  for (const [name, value] of map) {
    writeUtf(out, name, NAME_MAX_BYTES);
    writePrimitive(out, value, depth);
  }
}

function writePrimitive(out: ByteWriter, primitive: Primitive, depth: number): void {
  if (depth > PRIMITIVE_NESTING_MAX) throw unencodable(`maps and lists are nested more than ${PRIMITIVE_NESTING_MAX} deep`);
  if (primitive.type === STRING_VALUE) {
    writeString(out, primitive.value);
    return;
  }
  out.u8(primitive.type);
  switch (primitive.type) {
    case NULL_VALUE:
      return;
    case BOOLEAN_VALUE:
      out.u8(primitive.value ? 1 : 0);
      return;
    case BYTE_VALUE:
      out.u8(primitive.value);
      return;
    case CHAR_VALUE:
      out.u16(primitive.value.charCodeAt(0));
      return;
    case SHORT_VALUE:
      out.u16(primitive.value);
      return;
    case INT_VALUE:
      out.u32(primitive.value);
      return;
    case LONG_VALUE:
      out.i64(checkedLong(primitive.value));
      return;
    case DOUBLE_VALUE:
      out.f64(primitive.value);
      return;
    case FLOAT_VALUE:
      out.f32(primitive.value);
      return;
    case BYTES_VALUE:
      out.u32(primitive.value.length);
      out.bytes(primitive.value);
      return;
    case MAP_VALUE:
      writeMap(out, primitive.value, depth + 1);
      return;
    case LIST_VALUE:
      out.u32(primitive.value.length);
      for (const value of primitive.value) writePrimitive(out, value, depth + 1);
      return;
  }
}

function writeString(out: ByteWriter, text: string): void {
  const isBig = text.length >= BIG_STRING_LENGTH;
  out.u8(isBig ? BIG_STRING_VALUE : STRING_VALUE);
  const byteLength = modifiedUtf8Length(text);
  if (isBig) out.u32(byteLength);
  else out.u16(byteLength);
  writeModifiedUtf8(out, text, byteLength);
}
