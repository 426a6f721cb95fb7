import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { recogniseConnect } from './recognise-connect.ts';

/** A CONNECT and how many of its bytes end with the protocol's name. */
const CONNECTS = [
  { connect: Buffer.from('100d00044d5154540402003c000161', 'hex'), named: 8 },
  { connect: Buffer.from('100f00064d51497364700302003c000161', 'hex'), named: 10 },
  {
    connect: Buffer.concat([Buffer.from('109601', 'hex'), Buffer.from('00044d5154540502003c00', 'hex'), Buffer.alloc(139, 0x61)]),
    named: 9,
  },
];

test('a whole CONNECT is recognised, with or without bytes behind it', () => {
  for (const { connect } of CONNECTS) {
    assert.equal(recogniseConnect(connect), 'complete');
    assert.equal(recogniseConnect(Buffer.concat([connect, Buffer.from('c000', 'hex')])), 'complete');
    const around = Buffer.concat([Buffer.from('GET'), connect, Buffer.from('/')]);
    assert.equal(recogniseConnect(around, 3, 3 + connect.length), 'complete');
  }
});

test('every beginning of a CONNECT could become one; with the protocol’s name it has begun', () => {
  for (const { connect, named } of CONNECTS) {
    for (let length = 0; length < connect.length; length++)
      assert.equal(recogniseConnect(connect.subarray(0, length)), length < named ? 'maybe' : 'begun', `${length} bytes`);
  }
});

test('other protocols are not taken for MQTT', () => {
  for (const text of ['GET / HTTP/1.1\r\n', '\x16\x03\x01\x02\0\x01', 'hello', '\x10hello world', '\x10\xff\xff\xff\xff\x01\0\x04MQTT']) {
    assert.equal(recogniseConnect(Buffer.from(text, 'latin1')), 'no');
  }
});

test('any bytes get an answer, and more bytes change only "maybe" and "begun"', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (rest) => {
      const bytes = Buffer.from([0x10, ...rest]);
      let before = 'maybe';
      for (let length = 1; length <= bytes.length; length++) {
        const answer = recogniseConnect(bytes.subarray(0, length));
        if (before === 'no' || before === 'complete') assert.equal(answer, before);
        if (before === 'begun') assert.ok(answer === 'begun' || answer === 'complete');
        before = answer;
      }
    }),
  );
});
