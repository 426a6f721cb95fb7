import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PropertyCursor, PropertyWriter } from './message-properties.ts';
import {
  booleanValue,
  decodePrimitiveMap,
  doubleValue,
  encodePrimitiveMap,
  intValue,
  longValue,
  type Primitive,
  stringValue,
} from './primitive-map.ts';

function entriesOf(properties: Buffer | null): [string, Primitive][] {
  const cursor = new PropertyCursor();
  const entries: [string, Primitive][] = [];
  cursor.open(properties);
  while (cursor.next()) entries.push([cursor.name, cursor.entry]);
  return entries;
}

test('written properties are the map of the same entries', () => {
  const writer = new PropertyWriter();
  for (let i = 0; i < 2; i++) {
    const bytes = writer
      .begin()
      .int('qos', 1)
      .boolean('retain', true)
      .string('contentType', 'té')
      .long('expiry', 2n ** 60n)
      .finish();
    const map = new Map([
      ['qos', intValue(1)],
      ['retain', booleanValue(true)],
      ['contentType', stringValue('té')],
      ['expiry', longValue(2n ** 60n)],
    ]);
    assert.deepEqual(bytes, encodePrimitiveMap(map));
    assert.deepEqual(decodePrimitiveMap(bytes!), map);
  }
});

test('no entries are no properties', () => {
  assert.equal(new PropertyWriter().begin().finish(), null);
});

test('a cursor goes through the entries of one map after another', () => {
  const map = new Map<string, Primitive>([
    ['a', intValue(-5)],
    ['b', booleanValue(false)],
    ['c', stringValue('x'.repeat(9000))],
    ['d', longValue(7)],
    ['e', doubleValue(0.5)],
    ['é', { type: 11, value: new Map([['in', intValue(1)]]) }],
  ]);
  for (let i = 0; i < 2; i++) assert.deepEqual(entriesOf(encodePrimitiveMap(map)), [...map]);
  for (const none of [null, encodePrimitiveMap(null), encodePrimitiveMap(new Map())]) assert.deepEqual(entriesOf(none), []);
});

test('a value is only had as its own type', () => {
  const cursor = new PropertyCursor();
  const writer = new PropertyWriter();
  cursor.open(writer.begin().int('i', 0).boolean('b', false).string('s', '').long('l', 0).finish());
  const had: unknown[] = [];
  while (cursor.next()) had.push([cursor.int(), cursor.boolean(), cursor.string(), cursor.long()]);
  assert.deepEqual(had, [
    [0, undefined, undefined, undefined],
    [undefined, false, undefined, undefined],
    [undefined, undefined, '', undefined],
    [undefined, undefined, undefined, 0],
  ]);
});

test('broken properties are refused with their place, and the cursor then stands at the end', () => {
  const cases: [string, string][] = [
    ['0000', 'property map, byte 0: a 32-bit integer (4 bytes) was expected, 2 left'],
    ['00000002000000', 'property map, byte 0: a count from 0 to 1 was expected, 2 came'],
    ['0000000000', 'property map, byte 4: the end was expected, 1 bytes are left'],
    ['0000000100016105', 'property map, byte 8: a 32-bit integer (4 bytes) was expected, 0 left'],
    ['000000010001610000', 'property map, byte 8: the end was expected, 1 bytes are left'],
  ];
  for (const [hex, message] of cases) assert.throws(() => entriesOf(Buffer.from(hex, 'hex')), { code: 'OPENWIRE_MALFORMED', message });
  const cursor = new PropertyCursor();
  cursor.open(Buffer.from('00000001ffffff', 'hex'));
  assert.throws(() => cursor.next(), { code: 'OPENWIRE_MALFORMED' });
  assert.equal(cursor.next(), false);
});
