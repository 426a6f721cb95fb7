import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FIRST_BYTES_MAX, FirstBytes } from './first-bytes.ts';

const CONNECT = Buffer.from('100d00044d5154540402003c000161', 'hex');

test('bytes that come in pieces are recognised together', () => {
  const first = new FirstBytes();
  const nameEnd = 8;
  for (const [at, byte] of CONNECT.entries()) {
    assert.equal(first.recognise(), at < nameEnd ? 'maybe' : 'begun');
    first.add(Buffer.from([byte]), { always: false });
  }
  assert.equal(first.recognise(), 'complete');
  assert.deepEqual(Buffer.concat(first.chunks), CONNECT);
});

test('one chunk too many makes it forget all, unless nobody else has the bytes', () => {
  const first = new FirstBytes();
  first.add(Buffer.alloc(FIRST_BYTES_MAX), { always: false });
  assert.equal(first.kept, true);
  first.add(Buffer.alloc(1), { always: true });
  assert.equal(first.length, FIRST_BYTES_MAX + 1);
  first.add(Buffer.alloc(1), { always: false });
  assert.equal(first.kept, false);
  assert.deepEqual(first.chunks, []);
  assert.equal(first.recognise(), 'no');
});

test('what was forgotten stays counted and is not kept again', () => {
  const first = new FirstBytes();
  first.add(CONNECT, { always: false });
  first.forget();
  first.add(CONNECT, { always: true });
  assert.equal(first.length, CONNECT.length);
  assert.equal(first.kept, false);
});
