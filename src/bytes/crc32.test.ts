import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 as crc32OfView } from 'node:zlib';
import { crc32 } from './crc32.ts';

test('the checksum of "123456789" is the one that every CRC-32 has', () => {
  assert.equal(crc32(Buffer.from('x123456789x'), 1, 10), 0xcbf43926);
});

test('short and long, it is the checksum of zlib', () => {
  const bytes = Buffer.from(Array.from({ length: 400 }, (_, i) => (i * 151) & 255));
  for (let start = 0; start < 5; start++)
    for (let end = start; end <= bytes.length; end++)
      assert.equal(crc32(bytes, start, end), crc32OfView(bytes.subarray(start, end)), `${start} to ${end}`);
});
