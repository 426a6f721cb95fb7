/*
 * Properties that hold for every structure there can be: random values of all types, in all versions and encodings.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SOAK_FACTOR } from '../../../../test/harness/soak.ts';
import { ByteWriter } from '../../../bytes/byte-writer.ts';
import { type DataStructure, type Throwable, typeOf, VERSION_MAX, VERSION_MIN } from './commands.ts';
import { codesOf, type Field, type NestedTypes } from './type-table.ts';
import { WireFormat, type WireFormatSettings } from './wire-format.ts';

/** How deep random structures nest. */
const DEPTH = 3;

const settings: fc.Arbitrary<WireFormatSettings> = fc.record({
  version: fc.integer({ min: VERSION_MIN, max: VERSION_MAX }),
  tightEncodingEnabled: fc.boolean(),
  cacheEnabled: fc.boolean(),
  cacheSize: fc.constantFrom(100, 110, 1024),
  stackTraceEnabled: fc.boolean(),
  maxFrameSizeBytes: fc.constant(1_000_000),
});

const text = fc.oneof(fc.string({ maxLength: 20 }), fc.string({ unit: 'binary', maxLength: 20 }), fc.constant('\u0000\ud800x'));
const byteArray = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
const long = fc.oneof(
  fc.integer({ min: -3, max: 70_000 }),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => (Number.isSafeInteger(Number(value)) ? Number(value) : value)),
);

const PLAIN_OBJECTS = { noNullPrototype: true } as const;

function throwable(stackTraces: boolean, depth: number): fc.Arbitrary<Throwable | null> {
  const nullable = orNull(text);
  const line = fc.record(
    { className: nullable, methodName: nullable, fileName: nullable, lineNumber: fc.integer({ min: -2, max: 9999 }) },
    PLAIN_OBJECTS,
  );
  const stack = stackTraces ? fc.array(line, { maxLength: 3 }) : fc.constant([]);
  const cause = stackTraces && depth > 0 ? throwable(stackTraces, depth - 1) : fc.constant(null);
  return orNull(fc.record({ className: nullable, message: nullable, stack, cause }, PLAIN_OBJECTS));
}

function orNull<V>(arbitrary: fc.Arbitrary<V>): fc.Arbitrary<V | null> {
  return fc.option(arbitrary, { nil: null });
}

function fieldValue(field: Field<unknown>, version: number, stackTraceEnabled: boolean, depth: number): fc.Arbitrary<unknown> {
  switch (field.kind) {
    case 'bool':
      return fc.boolean();
    case 'i8':
      return fc.integer({ min: -128, max: 127 });
    case 'i32':
      return fc.integer();
    case 'long':
      return long;
    case 'str':
      return orNull(text);
    case 'bytes':
      return orNull(byteArray);
    case 'raw8':
      return fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Buffer.from(bytes));
    case 'throwable':
      return throwable(stackTraceEnabled, 2);
    case 'array':
      return orNull(
        depth === 0
          ? fc.constant<(DataStructure | null)[]>([])
          : fc.array(orNull(structure(field.of!, version, stackTraceEnabled, depth - 1)), { maxLength: 3 }),
      );
    default:
      return depth === 0 ? fc.constant(null) : orNull(structure(field.of!, version, stackTraceEnabled, depth - 1));
  }
}

/** A structure that the version can carry; a field that it lacks has its initial value, so that it comes back the same. */
function structure(of: keyof NestedTypes, version: number, stackTraceEnabled: boolean, depth: number): fc.Arbitrary<DataStructure> {
  const codes = codesOf(of).filter((code) => typeOf(code)!.since <= version);
  return fc.constantFrom(...codes).chain((code) => {
    const fields: Record<string, fc.Arbitrary<unknown>> = { kind: fc.constant(code) };
    for (const [name, field] of typeOf(code)!.fields) {
      const present = field.since <= version && version <= field.until;
      fields[name] = present ? fieldValue(field, version, stackTraceEnabled, depth) : fc.constant(field.initial);
    }
    return fc.record(fields, PLAIN_OBJECTS) as unknown as fc.Arbitrary<DataStructure>;
  });
}

const conversation = settings.chain((chosen) =>
  fc.tuple(
    fc.constant(chosen),
    fc.array(structure('any', chosen.version, chosen.stackTraceEnabled, DEPTH), { minLength: 1, maxLength: 4 }),
  ),
);

test('whatever is encoded decodes to the same, through the value cache too', () => {
  fc.assert(
    fc.property(conversation, ([chosen, structures]) => {
      const sender = new WireFormat(chosen);
      const receiver = new WireFormat(chosen);
      for (const sent of [...structures, ...structures]) {
        const frame = sender.encode(sent);
        assert.equal(frame.readInt32BE(0), frame.length - 4);
        assert.deepEqual(receiver.decode(frame, 4, frame.length), sent);
      }
    }),
    { numRuns: 400 * SOAK_FACTOR },
  );
});

test('frames appended to one writer are the frames encoded one by one, and decode from where they lie', () => {
  fc.assert(
    fc.property(conversation, ([chosen, structures]) => {
      const one = new WireFormat(chosen);
      const batch = new WireFormat(chosen);
      const receiver = new WireFormat(chosen, { shareBytes: true });
      const out = new ByteWriter(16);
      const ends: number[] = [];
      for (const sent of structures) {
        batch.encodeInto(out, sent);
        ends.push(out.length);
      }
      assert.deepEqual(out.copy(), Buffer.concat(structures.map((sent) => one.encode(sent))));
      let start = 0;
      for (const [index, end] of ends.entries()) {
        assert.deepEqual(receiver.decode(out.buffer, start + 4, end), structures[index]);
        start = end;
      }
    }),
    { numRuns: 100 * SOAK_FACTOR },
  );
});
