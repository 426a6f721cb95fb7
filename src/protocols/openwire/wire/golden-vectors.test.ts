/*
 * The golden vectors: frames produced by ActiveMQ 5.17.2's own marshallers (OpenWire specification section 20). Each is decoded to the
 * value it lists and the value is encoded to the same bytes. The counts are asserted, so that none is passed over in silence.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type DataStructure, type Throwable, TYPES } from './commands.ts';
import type { Field, TypeSpec } from './type-table.ts';
import { WireFormat, type WireFormatSettings } from './wire-format.ts';

type Json = Record<string, unknown>;

interface CommandVectors {
  vectors: { name: string; enc: Record<string, Record<'loose' | 'tight', string>>; value: Json }[];
}

interface CacheVectors {
  sequences: { cacheSize: number; encoding: 'loose' | 'tight'; version: number; frames: { hex: string; value: Json }[] }[];
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
