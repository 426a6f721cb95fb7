import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { recogniseConnect } from './mqtt-aware.ts';

const CONNECT_311 = Buffer.from('100d00044d5154540402003c000161', 'hex');
const CONNECT_31 = Buffer.from('100f00064d51497364700302003c000161', 'hex');
const CONNECT_5_LONG = Buffer.concat([Buffer.from('109601', 'hex'), Buffer.from('00044d5154540502003c00', 'hex'), Buffer.alloc(139, 0x61)]);

test('a whole CONNECT is recognised, with or without bytes behind it', () => {
  for (const connect of [CONNECT_311, CONNECT_31, CONNECT_5_LONG]) {
    assert.equal(recogniseConnect(connect), 'complete');
    assert.equal(recogniseConnect(Buffer.concat([connect, Buffer.from('c000', 'hex')])), 'complete');
  }
});

test('every beginning of a CONNECT could become one', () => {
  for (const connect of [CONNECT_311, CONNECT_31, CONNECT_5_LONG]) {
    for (let length = 0; length < connect.length; length++) assert.equal(recogniseConnect(connect.subarray(0, length)), 'partial');
  }
});

test('other protocols are not taken for MQTT', () => {
  for (const text of ['GET / HTTP/1.1\r\n', '\x16\x03\x01\x02\0\x01', 'hello', '\x10hello world', '\x10\xff\xff\xff\xff\x01\0\x04MQTT']) {
    assert.equal(recogniseConnect(Buffer.from(text, 'latin1')), 'no');
  }
});

test('any bytes get an answer', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      assert.ok(['no', 'partial', 'complete'].includes(recogniseConnect(Buffer.from([0x10, ...bytes]))));
    }),
  );
});
