import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteReader } from './byte-reader.ts';

function readerOf(hex: string): ByteReader {
  const bytes = Buffer.from(`aa${hex}bb`, 'hex');
  const reader = new ByteReader();
  reader.open(bytes, 1, bytes.length - 1);
  return reader;
}

test('integers are read big-endian, with and without sign', () => {
  const from = readerOf('ff ff fffe fffe fffffffd fffffffd 7fffffff'.replaceAll(' ', ''));
  assert.deepEqual(
    [from.u8(), from.i8(), from.u16(), from.i16(), from.i32(), from.u32(), from.i32()],
    [255, -1, 65_534, -2, -3, 4_294_967_293, 2_147_483_647],
  );
  assert.equal(from.remaining, 0);
});

test('a 64-bit integer is a number where that is exact, else a bigint', () => {
  const cases: [string, number | bigint][] = [
    ['0000000000000000', 0],
    ['ffffffffffffffff', -1],
    ['001fffffffffffff', Number.MAX_SAFE_INTEGER],
    ['0020000000000000', 2n ** 53n],
    ['ffe0000000000001', -Number.MAX_SAFE_INTEGER],
    ['ffe0000000000000', -(2n ** 53n)],
    ['7fffffffffffffff', 2n ** 63n - 1n],
    ['8000000000000000', -(2n ** 63n)],
  ];
  for (const [hex, value] of cases) assert.equal(readerOf(hex).i64(), value);
});

test('floats and doubles are IEEE 754', () => {
  const from = readerOf('3fc00000c002000000000000');
  assert.deepEqual([from.f32(), from.f64()], [1.5, -2.25]);
});

test('bytes are copied or viewed, and skipped over', () => {
  const from = readerOf('010203040506');
  assert.equal(from.buffer[from.skip(2)], 1);
  const copy = from.copy(2);
  const view = from.view(2);
  from.buffer.fill(9);
  assert.deepEqual([copy, view], [Buffer.from([3, 4]), Buffer.from([9, 9])]);
  assert.deepEqual([from.offset, from.position, from.remaining], [6, 7, 0]);
});

test('nothing is read beyond the end, and the error says where, what was expected and what is left', () => {
  const from = readerOf('0000000102');
  from.i32();
  assert.throws(() => from.u16(), { code: 'TRUNCATED', message: 'byte 4: a 16-bit integer (2 bytes) was expected, 1 left' });
  assert.throws(() => from.copy(2_000_000_000), { code: 'TRUNCATED' });
  assert.throws(() => from.view(2), { code: 'TRUNCATED' });
  assert.throws(() => from.i64(), { code: 'TRUNCATED' });
  assert.equal(from.u8(), 2, 'what is there can still be read');
  assert.throws(() => from.u8(), { code: 'TRUNCATED', message: 'byte 5: an 8-bit integer (1 byte) was expected, 0 left' });
});

test('a closed reader holds no bytes', () => {
  const from = readerOf('01');
  from.close();
  assert.deepEqual([from.remaining, from.buffer.length], [0, 0]);
});
