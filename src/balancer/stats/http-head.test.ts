import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HEAD_MAX_BYTES, parseHead } from './http-head.ts';

const parse = (text: string): ReturnType<typeof parseHead> => parseHead(Buffer.from(text, 'latin1'));

test('a request is taken apart, names of fields in lower case', () => {
  const text = 'GET /haproxy;csv HTTP/1.1\r\nHost: x\r\nAuthorization:  Basic YTpi \r\nX: 1\r\nx: 2\r\n\r\n';
  const head = parse(`${text}body`);
  assert.ok(typeof head === 'object');
  assert.equal(head.method, 'GET');
  assert.equal(head.target, '/haproxy;csv');
  assert.equal(head.version, 'HTTP/1.1');
  assert.deepEqual(
    [...head.headers],
    [
      ['host', 'x'],
      ['authorization', 'Basic YTpi'],
      ['x', '1, 2'],
    ],
  );
  assert.equal(head.length, text.length);
});

test('lone line feeds and empty lines before the request are accepted', () => {
  const head = parse('\r\n\nGET / HTTP/1.0\nA: b\n\n');
  assert.ok(typeof head === 'object' && head.headers.get('a') === 'b');
});

test('every beginning of a request asks for more', () => {
  const text = 'GET /haproxy HTTP/1.1\r\nHost: x\r\n\r\n';
  for (let length = 0; length < text.length; length++) assert.equal(parse(text.slice(0, length)), 'more');
});

test('what is no request is bad at once or when its head is whole', () => {
  const bad = [
    '\x16\x03\x01\x02\x00\x01\x00',
    '\x10\x0d\x00\x04MQTT',
    'GARBAGE\r\n\r\n',
    'GET /\r\n\r\n',
    'GET / HTTP/2.0\r\n\r\n',
    'GET  / HTTP/1.1\r\n\r\n',
    'GET /\x80 HTTP/1.1\r\n\r\n',
    'GET / HTTP/1.1\r\nno colon\r\n\r\n',
    'GET / HTTP/1.1\r\nA : b\r\n\r\n',
    'GET / HTTP/1.1\r\n folded: x\r\n\r\n',
    'GET / HTTP/1.1\r\nA: \x00\r\n\r\n',
  ];
  for (const text of bad) assert.equal(parse(text), 'bad', JSON.stringify(text));
});

test('a head beyond the limit is bad, whole or not', () => {
  const long = `GET / HTTP/1.1\r\nX: ${'a'.repeat(HEAD_MAX_BYTES)}`;
  assert.equal(parse(long), 'bad');
  assert.equal(parse(`${long}\r\n\r\n`), 'bad');
  assert.equal(parse('\r\n'.repeat(HEAD_MAX_BYTES)), 'bad');
});

test('any bytes get an answer, and a request never swallows more than there is', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        fc.string().map((s) => Buffer.from(`GET ${s} HTTP/1.1\r\n${s}\r\n\r\n`)),
      ),
      (bytes) => {
        const head = parseHead(Buffer.from(bytes));
        assert.ok(head === 'more' || head === 'bad' || head.length <= bytes.length);
      },
    ),
    { numRuns: 500 },
  );
});
