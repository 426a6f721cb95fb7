import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentValues } from './recent-values.ts';

const BUFFER = Buffer.from('xabcdefgh');

test('a value is found by the bytes it is encoded in, wherever they begin and whatever follows', () => {
  const recent = new RecentValues<string>();
  recent.add('abc', BUFFER, 1, 4);
  const other = Buffer.from('--abcabc');
  assert.equal(recent.startingAt(other, 2, 8)?.value, 'abc');
  assert.equal(recent.startingAt(other, 5, 8)?.length, 3);
  assert.equal(recent.startingAt(other, 5, 7), undefined, 'not beyond the end');
  assert.equal(recent.startingAt(other, 1, 8), undefined);
});

test('an encoding is found by the value itself, not by one that is equal', () => {
  const recent = new RecentValues<object>();
  const value = {};
  recent.add(value, BUFFER, 1, 3);
  assert.equal(recent.find(value)?.bytes.toString('latin1', 0, 2), 'ab');
  assert.equal(recent.find({}), undefined);
});

test('the bytes are a copy', () => {
  const recent = new RecentValues<number>();
  const bytes = Buffer.from('abc');
  recent.add(1, bytes, 0, 3);
  bytes.fill(0);
  assert.equal(recent.startingAt(Buffer.from('abc'), 0, 3)?.value, 1);
  assert.equal(recent.startingAt(bytes, 0, 3), undefined);
});

test('the oldest gives way to the newest, and long encodings are not kept', () => {
  const recent = new RecentValues<number>();
  for (let i = 0; i < 9; i++) recent.add(i, Buffer.from([i]), 0, 1);
  assert.deepEqual(
    [0, 1, 8].map((i) => recent.startingAt(Buffer.from([i]), 0, 1)?.value),
    [undefined, 1, 8],
  );
  recent.add(99, Buffer.alloc(129, 7), 0, 129);
  assert.equal(recent.find(99), undefined);
});
