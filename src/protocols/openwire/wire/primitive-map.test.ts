import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  BOOLEAN_VALUE,
  BYTE_VALUE,
  BYTES_VALUE,
  booleanValue,
  bytesValue,
  CHAR_VALUE,
  DOUBLE_VALUE,
  decodePrimitiveMap,
  decodePrimitiveStream,
  doubleValue,
  encodePrimitiveMap,
  encodePrimitiveStream,
  FLOAT_VALUE,
  INT_VALUE,
  intValue,
  LIST_VALUE,
  LONG_VALUE,
  longValue,
  MAP_VALUE,
  nullValue,
  type Primitive,
  type PrimitiveMap,
  SHORT_VALUE,
  STRING_VALUE,
  stringValue,
} from './primitive-map.ts';

function ofType<T extends Primitive['type'], V>(type: T, value: fc.Arbitrary<V>): fc.Arbitrary<Primitive> {
  return value.map((chosen) => ({ type, value: chosen }) as unknown as Primitive);
}

const long = fc
  .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
  .map((value) => (Number.isSafeInteger(Number(value)) ? Number(value) : value));

const { primitive } = fc.letrec<{ primitive: Primitive; map: PrimitiveMap }>((tie) => ({
  primitive: fc.oneof(
    { maxDepth: 3 },
    fc.constant(nullValue),
    ofType(BOOLEAN_VALUE, fc.boolean()),
    ofType(BYTE_VALUE, fc.integer({ min: -128, max: 127 })),
    ofType(
      CHAR_VALUE,
      fc.nat(0xffff).map((unit) => String.fromCharCode(unit)),
    ),
    ofType(SHORT_VALUE, fc.integer({ min: -32_768, max: 32_767 })),
    ofType(INT_VALUE, fc.integer()),
    ofType(LONG_VALUE, long),
    ofType(DOUBLE_VALUE, fc.double()),
    ofType(FLOAT_VALUE, fc.float()),
    ofType(STRING_VALUE, fc.string({ unit: 'binary' })),
    ofType(
      BYTES_VALUE,
      fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
    ),
    ofType(MAP_VALUE, fc.option(tie('map'), { nil: null })),
    ofType(LIST_VALUE, fc.array(tie('primitive'), { maxLength: 4 })),
  ),
  map: fc.array(fc.tuple(fc.string({ unit: 'binary' }), tie('primitive')), { maxLength: 4 }).map((entries) => new Map(entries)),
}));

test('every map and every stream of values comes back as it was, number types included', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string(), primitive), { maxLength: 6 }), (entries) => {
      const map = new Map(entries);
      assert.deepEqual(decodePrimitiveMap(encodePrimitiveMap(map)), map);
      const values = entries.map(([, value]) => value);
      assert.deepEqual(decodePrimitiveStream(encodePrimitiveStream(values)), values);
    }),
    { numRuns: 500 },
  );
});

test('each kind of value has the bytes of its type', () => {
  const cases: [Primitive, string][] = [
    [nullValue, '00'],
    [booleanValue(true), '0101'],
    [intValue(-1), '05ffffffff'],
    [longValue(1), '060000000000000001'],
    [longValue(2n ** 63n - 1n), '067fffffffffffffff'],
    [doubleValue(1), '073ff0000000000000'],
    [stringValue('a'), '09000161'],
    [bytesValue(Buffer.from([5])), '0a0000000105'],
  ];
  for (const [value, hex] of cases) assert.equal(encodePrimitiveStream([value]).toString('hex'), hex);
});

test('no map and an empty map differ', () => {
  assert.equal(encodePrimitiveMap(null).toString('hex'), 'ffffffff');
  assert.equal(encodePrimitiveMap(new Map()).toString('hex'), '00000000');
  assert.equal(decodePrimitiveMap(Buffer.from('ffffffff', 'hex')), null);
  assert.deepEqual(decodePrimitiveMap(Buffer.from('00000000', 'hex')), new Map());
});

test('a string of 8191 units or more is written in the long form, a shorter one in the short, and either is read', () => {
  assert.equal(encodePrimitiveStream([stringValue('€'.repeat(8190))])[0], 9);
  assert.equal(encodePrimitiveStream([stringValue('y'.repeat(8191))])[0], 13);
  assert.deepEqual(decodePrimitiveStream(Buffer.from('0d0000000161', 'hex')), [stringValue('a')]);
});

test('a broken map is refused with its place', () => {
  const cases: [string, string][] = [
    ['', 'primitive map of 0 bytes, byte 0: a 32-bit integer (4 bytes) was expected, 0 left'],
    ['fffffffe', 'primitive map of 4 bytes, byte 0: a count from 0 to 0 was expected (what is left allows no more), -2 came'],
    ['7fffffff000000', 'primitive map of 7 bytes, byte 0: a count from 0 to 1 was expected (what is left allows no more), 2147483647 came'],
    ['00000001000161', 'primitive map of 7 bytes, byte 7: an 8-bit integer (1 byte) was expected, 0 left'],
    ['000000010001610e', 'primitive map of 8 bytes, byte 7: a value tag from 0 to 13 was expected, 14 came'],
    ['000000010001610affffffff', 'primitive map of 12 bytes, byte 8: a length was expected, -1 came'],
    ['000000010001610a7fffffff', 'primitive map of 12 bytes, byte 12: a byte array (2147483647 bytes) was expected, 0 left'],
    [
      '000000010001610c00000005',
      'primitive map of 12 bytes, byte 8: a count from 0 to 0 was expected (what is left allows no more), 5 came',
    ],
    ['0000000000', 'primitive map of 5 bytes, byte 4: the end was expected, 1 bytes are left'],
  ];
  for (const [hex, message] of cases) {
    assert.throws(() => decodePrimitiveMap(Buffer.from(hex, 'hex')), { code: 'OPENWIRE_MALFORMED', message });
  }
});

test('maps and lists nested too deep are refused, both ways', () => {
  let nested: Primitive = { type: LIST_VALUE, value: [] };
  for (let i = 0; i < 15; i++) nested = { type: LIST_VALUE, value: [nested] };
  assert.deepEqual(decodePrimitiveStream(encodePrimitiveStream([nested])), [nested]);
  for (let i = 0; i < 2; i++) nested = { type: LIST_VALUE, value: [nested] };
  const tooDeep = nested;
  assert.throws(() => encodePrimitiveStream([tooDeep]), { code: 'OPENWIRE_UNENCODABLE', message: /nested more than 16 deep$/ });
  const bytes = Buffer.concat([...new Array(5000).fill(Buffer.from('0c00000001', 'hex')), Buffer.from([0])]);
  assert.throws(() => decodePrimitiveStream(bytes), { code: 'OPENWIRE_MALFORMED', message: /nested more than 16 deep$/ });
});
