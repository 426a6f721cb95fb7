import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServerReferences } from './server-references.ts';

test('one client after the other is told to go to another server first', () => {
  const two = new ServerReferences(['a:1', 'b:2']);
  assert.deepEqual([two.next(), two.next(), two.next()], ['a:1 b:2', 'b:2 a:1', 'a:1 b:2']);
  const six = new ServerReferences(['a', 'b', 'c', 'd', 'e', 'f']);
  assert.deepEqual(
    Array.from({ length: 6 }, () => six.next()),
    ['a b c d', 'b c d e', 'c d e f', 'd e f a', 'e f a b', 'f a b c'],
  );
  assert.equal(new ServerReferences([]).next(), null);
});
