import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import {
  bytesBody,
  mapBody,
  plainContent,
  readBytesBody,
  readMapBody,
  readStreamBody,
  readTextBody,
  streamBody,
  textBody,
} from './bodies.ts';
import { createBytesMessage, createMapMessage, createObjectMessage, createStreamMessage, createTextMessage } from './commands.ts';
import { intValue, stringValue } from './primitive-map.ts';

test('bodies come back as they were, plain and compressed', () => {
  const bytes = Buffer.from([0, 1, 2, 255]);
  const map = new Map([['a', intValue(1)]]);
  const values = [intValue(1), stringValue('two')];
  for (const compressed of [false, true]) {
    for (const text of ['', 'café 😀 \u0000', 'x'.repeat(100_000)]) {
      assert.equal(readTextBody(createTextMessage(textBody(text, compressed))), text);
    }
    assert.deepEqual(readBytesBody(createBytesMessage(bytesBody(bytes, compressed))), bytes);
    assert.deepEqual(readBytesBody(createBytesMessage(bytesBody(Buffer.alloc(0), compressed))), Buffer.alloc(0));
    assert.deepEqual(readMapBody(createMapMessage(mapBody(map, compressed))), map);
    assert.deepEqual(readStreamBody(createStreamMessage(streamBody(values, compressed))), values);
  }
});

test('an absent body is no text, no bytes, no entries and no values', () => {
  for (const compressed of [false, true]) {
    assert.equal(readTextBody(createTextMessage({ compressed })), null);
    assert.deepEqual(readBytesBody(createBytesMessage({ compressed })), Buffer.alloc(0));
    assert.deepEqual(readMapBody(createMapMessage({ compressed })), new Map());
    assert.deepEqual(readStreamBody(createStreamMessage({ compressed })), []);
  }
  assert.deepEqual(textBody(null), { content: null, compressed: false });
  assert.equal(readTextBody(createTextMessage({ content: Buffer.from('ffffffff', 'hex') })), null);
  assert.equal(readTextBody(createTextMessage({ content: Buffer.alloc(0) })), '');
});

test('a bytes message whose stream inflates to more than its length says keeps that length only', () => {
  const content = Buffer.concat([Buffer.from([0, 0, 0, 3]), deflateSync(Buffer.from('abcdefgh'))]);
  assert.deepEqual(readBytesBody(createBytesMessage({ content, compressed: true })), Buffer.from('abc'));
});

test('an object body is opaque', () => {
  const content = Buffer.from('aced0005', 'hex');
  assert.equal(plainContent(createObjectMessage({ content })), content);
  assert.deepEqual(plainContent(createObjectMessage({ content: deflateSync(content), compressed: true })), content);
});

test('a body that inflates beyond the limit is refused', () => {
  const { content } = textBody('x'.repeat(10_000_000), true);
  const message = createTextMessage({ content, compressed: true });
  assert.throws(() => readTextBody(message, 1_000_000), {
    code: 'OPENWIRE_MALFORMED',
    message: /^compressed body of \d+ bytes: a zlib stream was expected, more than 1000000 bytes came out$/,
  });
});

test('a broken body is refused', () => {
  const compressed = true;
  assert.throws(() => readTextBody(createTextMessage({ content: Buffer.from('00000002', 'hex') })), {
    code: 'OPENWIRE_MALFORMED',
    message: 'text body of 4 bytes, byte 0: the length 0 was expected, 2 came',
  });
  assert.throws(() => readTextBody(createTextMessage({ content: Buffer.from('abc'), compressed })), { code: 'OPENWIRE_MALFORMED' });
  assert.throws(() => readBytesBody(createBytesMessage({ content: Buffer.from('abc'), compressed })), {
    message: 'compressed bytes body: 4 bytes of length were expected, 3 are there',
  });
  for (const [length, hex] of [
    [9, '00000009'],
    [-1, 'ffffffff'],
  ]) {
    const content = Buffer.concat([Buffer.from(hex as string, 'hex'), deflateSync(Buffer.from('abc'))]);
    assert.throws(() => readBytesBody(createBytesMessage({ content, compressed })), {
      message: `compressed bytes body: ${length} bytes were announced, 3 came out of the zlib stream`,
    });
  }
});
