import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { StringMemo } from './string-memo.ts';

test('a text is the one the bytes spell, whatever was seen before', () => {
  const memo = new StringMemo();
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii', maxLength: 100 }), (text) => {
      const bytes = Buffer.from(`<${text}>`);
      for (let i = 0; i < 2; i++)
        assert.equal(memo.ascii(bytes, 1, bytes.length - 1) ?? bytes.toString('latin1', 1, bytes.length - 1), text);
    }),
    { numRuns: 2000 },
  );
});

test('texts that share a place do not become one another', () => {
  const memo = new StringMemo();
  for (let i = 0; i < 3; i++) {
    for (const text of ['a-----b-----c', 'a+++++b+++++c', 'a_____b_____c']) {
      const bytes = Buffer.from(text);
      assert.equal(memo.ascii(bytes, 0, bytes.length), text);
    }
  }
});

test('only short ASCII is remembered', () => {
  const memo = new StringMemo();
  const wide = Buffer.from('café');
  assert.equal(memo.ascii(wide, 0, wide.length), null);
  assert.equal(memo.ascii(Buffer.alloc(97, 'x'), 0, 97), null);
  assert.equal(memo.ascii(Buffer.alloc(96, 'x'), 0, 96), 'x'.repeat(96));
  assert.equal(memo.ascii(wide, 2, 2), '');
});
