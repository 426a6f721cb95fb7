// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are variables of haproxy.cfg
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Address, type AddressRules, parseAddress } from './addresses.ts';

const VARIABLES: Readonly<Record<string, string>> = { HOST: '10.0.0.1', PORT: '1883' };
const LISTEN: AddressRules = { transports: ['stream'], port: 'needed', range: true, descriptors: true, names: true };
const CONNECT: AddressRules = { transports: ['stream'], offset: true, names: true };
const parse = (text: string, rules: AddressRules) => parseAddress(text, rules, (name) => VARIABLES[name]);

for (const [text, expected] of [
  ['*:1883', { host: '', hostKind: 'every', ipVersion: 4, port: 1883 }],
  [':1883', { host: '', hostKind: 'every', ipVersion: 4, port: 1883 }],
  ['0.0.0.0:1883', { host: '', hostKind: 'every', ipVersion: 4, port: 1883 }],
  [':::1883', { host: '', hostKind: 'every', ipVersion: 6, port: 1883 }],
  ['[::]:1883', { host: '', hostKind: 'every', ipVersion: 6, port: 1883 }],
  ['ipv6@*:1883', { host: '', hostKind: 'every', ipVersion: 6, port: 1883 }],
  ['[::1]:1883', { host: '::1', hostKind: 'literal', ipVersion: 6, port: 1883 }],
  ['::1:1883', { host: '::1', hostKind: 'literal', ipVersion: 6, port: 1883 }],
  ['[1.2.3.4]:80', { host: '1.2.3.4', hostKind: 'literal', ipVersion: 4, port: 80 }],
  ['127.0.0.1:1883x', { host: '127.0.0.1', hostKind: 'literal', ipVersion: 4, port: 1883 }],
  ['ipv4@127.0.0.1:1', { host: '127.0.0.1', hostKind: 'literal', ipVersion: 4, port: 1 }],
  ['broker.example:1883', { host: 'broker.example', hostKind: 'name', ipVersion: null, port: 1883 }],
  ['ipv4@broker.example:1883', { host: 'broker.example', hostKind: 'name', ipVersion: 4, port: 1883 }],
  ['127.0.0.1:1883-1890', { port: 1883, lastPort: 1890 }],
  ['/run/x.sock', { family: 'unix', host: '/run/x.sock' }],
  ['unix@/run/x.sock', { family: 'unix', host: '/run/x.sock' }],
  ['abns@x', { family: 'abstract', host: 'x' }],
  ['fd@3', { family: 'fd', host: '3' }],
  ['${HOST}:$PORT', { host: '10.0.0.1', port: 1883 }],
  ['${NOPE}:80', { host: '', hostKind: 'every', unsetVariables: ['NOPE'] }],
] as const) {
  test(`bind ${text}`, () => {
    const address = parse(text, LISTEN) as Address;
    for (const [key, value] of Object.entries(expected)) assert.deepEqual(address[key as keyof Address], value, key);
  });
}

for (const [text, error] of [
  ['127.0.0.1', "missing port specification in '127.0.0.1'"],
  ['*', "missing port specification in '*'"],
  [':', "missing port specification in ':'\n"],
  [':0', "invalid port '0'"],
  [':65536', "invalid port '65536'"],
  [':2000-1990', "invalid port range '2000-1990'"],
  [':80-', "invalid port ''"],
  [':+80', "port offset not permitted here in ':+80'"],
  [':x', "invalid character 'x' in port number 'x' in ':x'\n"],
  ['127.0.0.1:${NOPE-80}', "port offset not permitted here in '127.0.0.1:${NOPE-80}'"],
  ['${NOPE}', "'${NOPE}' resolves to an empty address (environment variable missing?)\n"],
  ['[]:80', "invalid address: '[]' in '[]:80'\n"],
  ['ipv4@[::1]:80', "invalid address: '[::1]' in 'ipv4@[::1]:80'\n"],
  ['udp@:80', "dgram-type address not acceptable in 'udp@:80'\n"],
  ['fd@x', "file descriptor 'x' is not a valid integer in 'fd@x'\n"],
  [`/${'x'.repeat(97)}`, `socket path '/${'x'.repeat(97)}' too long (max 97)\n`],
] as const) {
  test(`bind ${text.slice(0, 30)} is wrong`, () => assert.deepEqual(parse(text, LISTEN), { error }));
}

test('a server may leave out its port, or name it relative to the client’s', () => {
  assert.equal((parse('10.0.0.1', CONNECT) as Address).port, 0);
  assert.equal((parse('10.0.0.1:-5', CONNECT) as Address).portOffset, -5);
  assert.equal((parse('10.0.0.1:+5', CONNECT) as Address).portOffset, 5);
  assert.deepEqual(parse('10.0.0.1:5-7', CONNECT), { error: "port range not permitted here in '10.0.0.1:5-7'" });
  assert.deepEqual(parse('fd@3', CONNECT), { error: "a file descriptor is not acceptable here in 'fd@3'\n" });
});
