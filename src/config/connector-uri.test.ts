import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseConnectorUri } from './connector-uri.ts';

test('a connector URI is scheme, host, port and options, with their places', () => {
  assert.deepEqual(parseConnectorUri('mqtt+nio://0.0.0.0:1883?maximumConnections=1000&wireFormat.maxFrameSize=104857600'), {
    kind: 'plain',
    scheme: 'mqtt+nio',
    host: '0.0.0.0',
    hostIndex: 11,
    port: 1883,
    path: '',
    options: [
      { name: 'maximumConnections', value: '1000', nameIndex: 24, valueIndex: 43 },
      { name: 'wireFormat.maxFrameSize', value: '104857600', nameIndex: 48, valueIndex: 72 },
    ],
  });
});

for (const [text, expected] of [
  ['tcp://h:1', { host: 'h', port: 1 }],
  ['tcp://h', { host: 'h', port: null }],
  ['tcp://h:', { host: 'h', port: null }],
  ['tcp://:1', { host: '', port: 1 }],
  ['tcp:h:1', { host: 'h', port: 1 }],
  ['tcp://[::1]:61616', { host: '::1', port: 61616 }],
  ['tcp://[::]', { host: '::', port: null }],
  ['tcp://under_score:0', { host: 'under_score', port: 0 }],
  ['tcp://h:1/a/b?x=1', { host: 'h', port: 1, path: '/a/b' }],
  ['tcp://user:word@h:1', { host: 'h', port: 1, hostIndex: 16 }],
  ['multicast://default', { scheme: 'multicast', host: 'default', port: null }],
  ['tcp://h:1?', { options: [] }],
  ['tcp://h:1?&x=1&&', { options: [{ name: 'x', value: '1', nameIndex: 11, valueIndex: 13 }] }],
  ['tcp://h:1?x=a=b', { options: [{ name: 'x', value: 'a=b', nameIndex: 10, valueIndex: 12 }] }],
  ['tcp://h:1?x=%41+b#f', { options: [{ name: 'x', value: 'A b', nameIndex: 10, valueIndex: 12 }] }],
] as const) {
  test(`${text} is read`, () => {
    const parsed = parseConnectorUri(text);
    assert.deepEqual({ ...parsed, ...expected }, parsed);
  });
}

for (const [text, components, options] of [
  ['static:(tcp://a:1,tcp://b:2)', ['8 tcp://a:1', '18 tcp://b:2'], 0],
  ['static:(tcp://a:1,tcp://b:2)?x=1&y=2', ['8 tcp://a:1', '18 tcp://b:2'], 2],
  ['static://(tcp://a:1?x=1&y=2,tcp://b:2)', ['10 tcp://a:1?x=1&y=2', '28 tcp://b:2'], 0],
  ['static:(failover:(tcp://a:1,tcp://b:2)?x=1,tcp://c:3)?y=2', ['8 failover:(tcp://a:1,tcp://b:2)?x=1', '43 tcp://c:3'], 1],
  ['static://tcp://a:1', ['9 tcp://a:1'], 0],
  ['static:tcp://a:1,tcp://b:2', ['7 tcp://a:1', '17 tcp://b:2'], 0],
  ['static:()', [], 0],
  ['static:( tcp://a:1,\n tcp://b:2, )', ['8  tcp://a:1', '19 \n tcp://b:2'], 0],
  ['masterslave:(tcp://a:1,tcp://b:2)', ['13 tcp://a:1', '23 tcp://b:2'], 0],
] as const) {
  test(`${text} is a list of URIs`, () => {
    const parsed = parseConnectorUri(text);
    assert.ok(parsed.kind === 'composite');
    assert.deepEqual([parsed.components.map((c) => `${c.index} ${c.text}`), parsed.options.length], [components, options]);
  });
}

for (const [text, index, message] of [
  ['', 0, 'the URI is empty'],
  ['//h:1', 0, 'a URI begins with a scheme, such as tcp://'],
  ['tcp://h :1', 7, 'white space is not allowed in a URI'],
  ['static:(tcp://h:1)? x=1', 19, 'white space is not allowed in a URI'],
  ['tcp://h:1?x=|', 12, '"|" is not allowed in a URI'],
  ['tcp://h:65536', 8, 'port 65536 is above 65535'],
  ['tcp://h:1x', 6, '"h:1x" is not host:port'],
  ['tcp://a:b:1', 6, '"a:b:1" is not host:port'],
  ['tcp://[::1:1', 6, '"[::1:1" is not host:port'],
  ['tcp://h:1?a=1&b&c=2', 14, 'option b has no value: write name=value'],
  ['tcp://h:1?a=%4', 10, '"%" must be followed by two hexadecimal digits'],
  ['static:(tcp://a:1', 7, 'this "(" has no closing ")"'],
  ['static:(tcp://a:1)x=1', 18, 'expected "?" and options behind ")", found "x=1"'],
] as const) {
  test(`"${text}" is wrong at ${index}`, () => {
    assert.deepEqual(parseConnectorUri(text), { kind: 'problem', index, message });
  });
}

test('any text is read or refused, and all indexes lie in it', () => {
  const piece = fc.constantFrom(
    'tcp',
    'static',
    ':',
    '//',
    '(',
    ')',
    ',',
    '?',
    '&',
    '=',
    '%41',
    '%',
    '[',
    ']',
    '#',
    '1883',
    'h',
    '@',
    '.',
    ' ',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      const text = pieces.join('');
      const parsed = parseConnectorUri(text);
      const indexes = [
        ...(parsed.kind === 'problem' ? [parsed.index] : parsed.options.flatMap((o) => [o.nameIndex, o.valueIndex])),
        ...(parsed.kind === 'composite' ? parsed.components.map((c) => c.index) : []),
      ];
      return indexes.every((index) => index >= 0 && index <= text.length);
    }),
  );
});
