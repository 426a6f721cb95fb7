/*
 * The golden vectors: frames produced by ActiveMQ 5.17.2's own marshallers (OpenWire specification section 20). Each is decoded to the
 * value it lists and the value is encoded to the same bytes. The counts are asserted, so that none is passed over in silence.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  bytesBody,
  mapBody,
  plainContent,
  readBytesBody,
  readMapBody,
  readStreamBody,
  readTextBody,
  streamBody,
  textBody,
} from './bodies.ts';
import {
  createBytesMessage,
  createMapMessage,
  createStreamMessage,
  createTextMessage,
  type DataStructure,
  type Message,
  type Throwable,
  TYPES,
  WIRE_FORMAT_INFO,
} from './commands.ts';
import {
  BOOLEAN_VALUE,
  BYTE_VALUE,
  BYTES_VALUE,
  CHAR_VALUE,
  DOUBLE_VALUE,
  decodePrimitiveMap,
  encodePrimitiveMap,
  FLOAT_VALUE,
  INT_VALUE,
  LIST_VALUE,
  LONG_VALUE,
  MAP_VALUE,
  NULL_VALUE,
  type Primitive,
  type PrimitiveList,
  type PrimitiveMap,
  SHORT_VALUE,
  STRING_VALUE,
} from './primitive-map.ts';
import type { Field, TypeSpec } from './type-table.ts';
import { BEFORE_NEGOTIATION, WireFormat, type WireFormatSettings } from './wire-format.ts';
import { readWireFormatInfo } from './wire-format-info.ts';

type Json = Record<string, unknown>;

interface CommandVectors {
  vectors: { name: string; enc: Record<string, Record<'loose' | 'tight', string>>; value: Json }[];
}

interface CacheVectors {
  sequences: { cacheSize: number; encoding: 'loose' | 'tight'; version: number; frames: { hex: string; value: Json }[] }[];
}

/** A property value of a vector: its Java type and the value. */
interface Tagged {
  t: string;
  v?: unknown;
}

interface BodyVector {
  name: string;
  /** Of a property map. */
  hex?: string;
  map?: Record<string, Tagged>;
  /** Of a message body. */
  compressed: boolean;
  content: string;
  body: unknown;
}

interface HandshakeVectors {
  vectors: { hex: string; version: number; properties: Record<string, Tagged> }[];
}

const PLAIN: WireFormatSettings = {
  version: 12,
  tightEncodingEnabled: false,
  cacheEnabled: false,
  cacheSize: 1024,
  stackTraceEnabled: false,
  maxFrameSizeBytes: 1_000_000,
};

function load<V>(file: string): V {
  return JSON.parse(readFileSync(`test/fixtures/openwire/${file}`, 'utf8')) as V;
}

/** The value a vector lists, in our form: with every field that `version` has, and our initial value where it lacks one. */
function structureOf(json: Json, version: number): DataStructure {
  const type = TYPES.find(({ name }) => name === json.$);
  assert.ok(type, `the vector's type ${String(json.$)} is in the table`);
  const value: Json = { kind: type.code };
  for (const [name, field] of type.fields) {
    const present = field.since <= version && version <= field.until;
    value[name] = present && name in json ? fieldOf(json[name], field, version) : field.initial;
  }
  return value as unknown as DataStructure;
}

function fieldOf(json: unknown, field: Field<unknown>, version: number): unknown {
  if (json === null) return null;
  switch (field.kind) {
    case 'long':
      return longOf(json as string);
    case 'bytes':
    case 'raw8':
      return Buffer.from((json as { $hex: string }).$hex, 'hex');
    case 'nested':
    case 'cached':
      return structureOf(json as Json, version);
    case 'array':
      return (json as (Json | null)[]).map((element) => (element === null ? null : structureOf(element, version)));
    case 'throwable':
      return throwableOf(json as Json);
    default:
      return json;
  }
}

function longOf(digits: string): number | bigint {
  const value = BigInt(digits);
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function throwableOf(json: Json): Throwable {
  const stack = (json.stack ?? []) as [string, string, string | null, number][];
  return {
    className: json.class as string,
    message: json.message as string | null,
    stack: stack.map(([className, methodName, fileName, lineNumber]) => ({ className, methodName, fileName, lineNumber })),
    cause: json.cause ? throwableOf(json.cause as Json) : null,
  };
}

function decode(format: WireFormat, frame: Buffer): DataStructure | null {
  assert.equal(frame.readInt32BE(0), frame.length - 4, 'the size field is right');
  return format.decode(frame, 4, frame.length);
}

/** Decodes and encodes every frame of a file and returns how many there were. */
function checkFile(file: string, settings: Partial<WireFormatSettings>, seen: Set<string>): number {
  let frames = 0;
  for (const { name, enc, value } of load<CommandVectors>(file).vectors) {
    seen.add(value.$ as string);
    for (const [label, encodings] of Object.entries(enc)) {
      const version = Number(label.slice(1));
      for (const [encoding, hex] of Object.entries(encodings)) {
        const options = { ...PLAIN, ...settings, version, tightEncodingEnabled: encoding === 'tight' };
        const expected = structureOf(value, version);
        const where = `${file}: ${name}, ${label} ${encoding}`;
        assert.deepEqual(decode(new WireFormat(options), Buffer.from(hex, 'hex')), expected, where);
        assert.equal(new WireFormat(options).encode(expected).toString('hex'), hex, where);
        frames++;
      }
    }
  }
  return frames;
}

test('every command vector decodes to its value and encodes to its bytes, and every type of the table has one', () => {
  const seen = new Set<string>();
  assert.equal(checkFile('commands.json', {}, seen), 1142);
  const missing = TYPES.filter(({ name }: TypeSpec) => !seen.has(name)).map(({ name }) => name);
  assert.deepEqual(missing, []);
});

test('every edge vector (strings, longs, array and block lengths, destinations) decodes to its value and encodes to its bytes', () => {
  assert.equal(checkFile('edges.json', {}, new Set()), 84);
});

test('every throwable vector decodes to its value and encodes to its bytes', () => {
  assert.equal(checkFile('throwables.json', { stackTraceEnabled: true }, new Set()), 30);
});

test('every sequence through a value cache decodes to its values and encodes to its bytes, eviction and wrap-round included', () => {
  let frames = 0;
  for (const { cacheSize, encoding, version, frames: sequence } of load<CacheVectors>('cache.json').sequences) {
    const settings = { ...PLAIN, version, tightEncodingEnabled: encoding === 'tight', cacheEnabled: true, cacheSize };
    const receiver = new WireFormat(settings);
    const sender = new WireFormat(settings);
    for (const [index, { hex, value }] of sequence.entries()) {
      const where = `cache.json: ${encoding}, size ${cacheSize}, frame ${index}`;
      const expected = structureOf(value, version);
      assert.deepEqual(decode(receiver, Buffer.from(hex, 'hex')), expected, where);
      assert.equal(sender.encode(expected).toString('hex'), hex, where);
      frames++;
    }
  }
  assert.equal(frames, 306);
});

test('the first frame of a 5.17.2 peer decodes to its offer and encodes to its bytes', () => {
  const { vectors } = load<HandshakeVectors>('handshake.json');
  for (const { hex, version, properties } of vectors) {
    const format = new WireFormat(BEFORE_NEGOTIATION);
    const info = decode(format, Buffer.from(hex, 'hex'));
    assert.ok(info !== null && info.kind === WIRE_FORMAT_INFO);
    assert.equal(info.version, version);
    assert.deepEqual(readWireFormatInfo(info).properties, mapOf(properties));
    assert.equal(format.encode(info).toString('hex'), hex);
    assert.equal(
      encodePrimitiveMap(decodePrimitiveMap(info.marshalledProperties!)).toString('hex'),
      info.marshalledProperties!.toString('hex'),
    );
  }
  assert.equal(vectors.length, 1);
});

test('every property map decodes to its entries, types included, and encodes to its bytes', () => {
  const maps = load<{ vectors: BodyVector[] }>('bodies.json').vectors.filter(({ map }) => map !== undefined);
  for (const { name, hex, map } of maps) {
    const decoded = decodePrimitiveMap(Buffer.from(hex!, 'hex'));
    assert.deepEqual(decoded, mapOf(map!), name);
    assert.equal(encodePrimitiveMap(decoded).toString('hex'), hex, name);
  }
  assert.equal(maps.length, 2);
});

/*
 * What a zlib stream looks like is the compressor's affair: for compressed bodies the plain content has to come back the same,
 * from the vector's stream and from one of ours.
 */
test('every message body decodes to its meaning and encodes to its bytes, compressed ones included', () => {
  const bodies = load<{ vectors: BodyVector[] }>('bodies.json').vectors.filter(({ map }) => map === undefined);
  for (const vector of bodies) {
    const where = `bodies.json: ${vector.name}, compressed ${vector.compressed}`;
    const fields = { content: Buffer.from(vector.content, 'hex'), compressed: vector.compressed };
    const { message, again } = checkBody(vector, fields, where);
    if (!vector.compressed) assert.equal(again.content!.toString('hex'), vector.content, where);
    assert.deepEqual(plainContent(again), plainContent(message), where);
  }
  assert.equal(bodies.length, 8);
});

/** Reads the body, and makes it again from its meaning. */
function checkBody({ name, body, compressed }: BodyVector, fields: { content: Buffer; compressed: boolean }, where: string) {
  let message: Message;
  let again: Message;
  switch (name) {
    case 'TextMessage':
      message = createTextMessage(fields);
      assert.equal(readTextBody(message), body, where);
      again = createTextMessage(textBody(body as string, compressed));
      break;
    case 'BytesMessage':
      message = createBytesMessage(fields);
      assert.equal(readBytesBody(message).toString('hex'), (body as { $hex: string }).$hex, where);
      again = createBytesMessage(bytesBody(readBytesBody(message), compressed));
      break;
    case 'MapMessage':
      message = createMapMessage(fields);
      assert.deepEqual(readMapBody(message), mapOf(body as Record<string, Tagged>), where);
      again = createMapMessage(mapBody(readMapBody(message), compressed));
      break;
    case 'StreamMessage':
      message = createStreamMessage(fields);
      assert.deepEqual(readStreamBody(message), listOf((body as { v: Tagged[] }).v), where);
      again = createStreamMessage(streamBody(readStreamBody(message), compressed));
      break;
    default:
      throw new Error(`${where}: no test for this kind`);
  }
  return { message, again };
}

function mapOf(json: Record<string, Tagged>): PrimitiveMap {
  return new Map(Object.entries(json).map(([name, value]) => [name, primitiveOf(value)]));
}

function listOf(json: readonly Tagged[]): PrimitiveList {
  return json.map(primitiveOf);
}

const PRIMITIVES: Record<string, (v: never) => Primitive> = {
  null: () => ({ type: NULL_VALUE, value: null }),
  bool: (value: boolean) => ({ type: BOOLEAN_VALUE, value }),
  byte: (value: number) => ({ type: BYTE_VALUE, value }),
  char: (value: string) => ({ type: CHAR_VALUE, value }),
  short: (value: number) => ({ type: SHORT_VALUE, value }),
  int: (value: number) => ({ type: INT_VALUE, value }),
  long: (value: string) => ({ type: LONG_VALUE, value: longOf(value) }),
  double: (value: number) => ({ type: DOUBLE_VALUE, value }),
  float: (value: number) => ({ type: FLOAT_VALUE, value }),
  string: (value: string) => ({ type: STRING_VALUE, value }),
  bytes: (value: string) => ({ type: BYTES_VALUE, value: Buffer.from(value, 'hex') }),
  map: (value: Record<string, Tagged>) => ({ type: MAP_VALUE, value: mapOf(value) }),
  list: (value: Tagged[]) => ({ type: LIST_VALUE, value: listOf(value) }),
};

function primitiveOf({ t, v }: Tagged): Primitive {
  const primitive = PRIMITIVES[t];
  assert.ok(primitive, `the vector's primitive type ${t} is known`);
  return primitive(v as never);
}
