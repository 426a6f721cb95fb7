import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copyBytes, viewOf } from './copy-bytes.ts';

test('bytes are copied as they are, whatever their number and their places, and none beside them', () => {
  const from = Buffer.from(Array.from({ length: 700 }, (_, i) => (i * 7 + 3) & 255)).subarray(5);
  const other = Buffer.from(Array.from({ length: 300 }, (_, i) => 255 - (i & 255)));
  const memory = Buffer.alloc(800, 0xaa);
  const to = memory.subarray(9);
  const toView = viewOf(to);
  for (const source of [from, other, from]) {
    for (let length = 0; length <= 200; length++) {
      for (let offset = 0; offset < 5; offset++) {
        memory.fill(0xaa);
        copyBytes(source, offset, offset + length, to, toView, 10 + offset);
        const expected = Buffer.alloc(800, 0xaa);
        source.copy(expected, 9 + 10 + offset, offset, offset + length);
        assert.ok(memory.equals(expected), `${length} bytes from ${offset}`);
      }
    }
  }
});
