import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAddressMap, parseAddressPair } from './address-map.ts';

test('a pair is two addresses or host names', () => {
  assert.deepEqual(parseAddressPair('172.17.0.10=127.0.0.1'), ['172.17.0.10', '127.0.0.1']);
  assert.deepEqual(parseAddressPair('*=127.0.0.1'), ['*', '127.0.0.1']);
  assert.deepEqual(parseAddressPair('::=::1'), ['::', '::1']);
  assert.deepEqual(parseAddressPair('broker_2.example.org=localhost'), ['broker_2.example.org', 'localhost']);
});

for (const [text, why] of [
  ['172.17.0.10', /has no "="/],
  ['=127.0.0.1', /one side is empty/],
  ['a=', /one side is empty/],
  ['172.17.0.10:1883=127.0.0.1', /"172\.17\.0\.10:1883" is neither/],
  ['172.17.0.300=127.0.0.1', /"172\.17\.0\.300" is neither/],
  ['a=b=c', /"b=c" is neither/],
  ['a b=c', /"a b" is neither/],
  ['127.0.0.1=*', /"\*" is neither/],
  ['-a=b', /"-a" is neither/],
] as const) {
  test(`the pair ${text} is refused with the side that is wrong`, () => {
    assert.throws(() => parseAddressPair(text), { code: 'USAGE', message: why });
  });
}

test('0.0.0.0 also covers the star and the empty host; other addresses stay as they are', () => {
  const map = createAddressMap([
    ['0.0.0.0', '127.0.0.1'],
    ['Broker.Example', '127.0.0.2'],
  ]);
  assert.deepEqual(['0.0.0.0', '*', '', 'broker.example', '::', '10.0.0.1'].map(map), [
    '127.0.0.1',
    '127.0.0.1',
    '127.0.0.1',
    '127.0.0.2',
    '::',
    '10.0.0.1',
  ]);
});

test('an address is mapped once: what it is mapped to is not mapped again', () => {
  const map = createAddressMap([
    ['10.0.0.1', '10.0.0.2'],
    ['10.0.0.2', '10.0.0.1'],
  ]);
  assert.equal(map('10.0.0.1'), '10.0.0.2');
});

test('two different targets for one address are refused, the same twice is not', () => {
  assert.throws(
    () =>
      createAddressMap([
        ['*', '127.0.0.1'],
        ['0.0.0.0', '127.0.0.2'],
      ]),
    { code: 'USAGE', message: /0\.0\.0\.0 is mapped to 127\.0\.0\.1 and to 127\.0\.0\.2/ },
  );
  createAddressMap([
    ['a', 'b'],
    ['A', 'b'],
  ]);
});
