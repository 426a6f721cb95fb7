import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatEndpoint } from './endpoint.ts';
import { type ProxiedConnection, type ProxyValue, writeProxyHeaderV1, writeProxyHeaderV2 } from './proxy-header-writer.ts';
import { HEADER_V2_SIZE_MAX, type ProxyHeader, ProxyHeaderError, readProxyHeader } from './proxy-protocol.ts';

const SIGNATURE = '0d0a0d0a000d0a515549540a';

function bytesOf(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');
}

/** Reads bytes with others around them that must not be looked at. */
function read(bytes: Buffer): ReturnType<typeof readProxyHeader> {
  const around = Buffer.concat([Buffer.from('PROX'), bytes, Buffer.from('\r\n\r\n')]);
  return readProxyHeader(around, 4, 4 + bytes.length);
}

/** What follows from the rest: nothing is said of TLS or a host name. */
const PLAIN = { authority: null, tls: null };

interface Case {
  readonly name: string;
  readonly bytes: Buffer;
  readonly header: Omit<ProxyHeader, 'size'>;
}

const V4 = { source: { address: '192.0.2.1', port: 56_324 }, destination: { address: '198.51.100.7', port: 1883 } };
const V4_BLOCK = 'c0000201 c6336407 dc04 075b';
const V6 = { source: { address: '2001:db8::1', port: 1 }, destination: { address: '::ffff:1.2.3.4', port: 65_535 } };
const V6_BLOCK = '20010db8000000000000000000000001 00000000000000000000ffff01020304 0001 ffff';
const NOBODY = { source: null, destination: null };
const path = (text: string) => Buffer.from(text).toString('hex').padEnd(216, '0');

const CASES: readonly Case[] = [
  {
    name: 'version 1, TCP4',
    bytes: Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.7 56324 1883\r\n'),
    header: { version: 1, ...V4, ...PLAIN },
  },
  {
    name: 'version 1, TCP6, written at length and in capitals',
    bytes: Buffer.from('PROXY TCP6 2001:0DB8:0:0:0:0:0:1 ::ffff:1.2.3.4 1 65535\r\n'),
    header: { version: 1, ...V6, ...PLAIN },
  },
  {
    name: 'version 1, the longest line',
    bytes: Buffer.from(`PROXY UNKNOWN ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535\r\n`),
    header: { version: 1, ...NOBODY, ...PLAIN },
  },
  { name: 'version 1, UNKNOWN', bytes: Buffer.from('PROXY UNKNOWN\r\n'), header: { version: 1, ...NOBODY, ...PLAIN } },
  {
    name: 'version 1, UNKNOWN with what is to be ignored',
    bytes: Buffer.from('PROXY UNKNOWN \r what ever\r\n'),
    header: { version: 1, ...NOBODY, ...PLAIN },
  },
  { name: 'version 2, TCP over IPv4', bytes: bytesOf(`${SIGNATURE} 21 11 000c ${V4_BLOCK}`), header: { version: 2, ...V4, ...PLAIN } },
  { name: 'version 2, UDP over IPv4', bytes: bytesOf(`${SIGNATURE} 21 12 000c ${V4_BLOCK}`), header: { version: 2, ...V4, ...PLAIN } },
  { name: 'version 2, TCP over IPv6', bytes: bytesOf(`${SIGNATURE} 21 21 0024 ${V6_BLOCK}`), header: { version: 2, ...V6, ...PLAIN } },
  { name: 'version 2, UDP over IPv6', bytes: bytesOf(`${SIGNATURE} 21 22 0024 ${V6_BLOCK}`), header: { version: 2, ...V6, ...PLAIN } },
  {
    name: 'version 2, unix stream',
    bytes: bytesOf(`${SIGNATURE} 21 31 00d8 ${path('/run/c.sock')}${path('\0abstract')}`),
    header: {
      version: 2,
      source: { address: '/run/c.sock', port: null },
      destination: { address: '@abstract', port: null },
      ...PLAIN,
    },
  },
  {
    name: 'version 2, unix datagram of an unnamed socket to the longest path',
    bytes: bytesOf(`${SIGNATURE} 21 32 00d8 ${path('')}${path('x'.repeat(108))}`),
    header: { version: 2, source: { address: '', port: null }, destination: { address: 'x'.repeat(108), port: null }, ...PLAIN },
  },
  { name: 'version 2, LOCAL', bytes: bytesOf(`${SIGNATURE} 20 00 0000`), header: { version: 2, ...NOBODY, ...PLAIN } },
  {
    name: 'version 2, LOCAL with a block to be discarded whatever it is',
    bytes: bytesOf(`${SIGNATURE} 20 ff 0005 0304ffffff`),
    header: { version: 2, ...NOBODY, ...PLAIN },
  },
  { name: 'version 2, UNSPEC', bytes: bytesOf(`${SIGNATURE} 21 00 0000`), header: { version: 2, ...NOBODY, ...PLAIN } },
  {
    name: 'version 2, an unspecified transport over IPv4',
    bytes: bytesOf(`${SIGNATURE} 21 10 000c ${V4_BLOCK}`),
    header: { version: 2, ...NOBODY, ...PLAIN },
  },
  {
    name: 'version 2, UNSPEC with an authority',
    bytes: bytesOf(`${SIGNATURE} 21 00 0007 02 0004 61 2e c3a9`),
    header: { version: 2, ...NOBODY, authority: 'a.é', tls: null },
  },
  {
    name: 'values that are not asked for are skipped: ALPN, NOOP twice, unique id, network namespace, custom, future',
    bytes: bytesOf(`${SIGNATURE} 21 11 002b ${V4_BLOCK} 01 0004 6d717474 04 0001 00 04 0000 05 0002 0102 30 0001 6e e0 0000 ff 0002 0000`),
    header: { version: 2, ...V4, ...PLAIN },
  },
  {
    name: 'a verified certificate',
    bytes: bytesOf(`${SIGNATURE} 21 11 0027 ${V4_BLOCK} 20 0018 03 00000000 21 0007 544c5376312e33 23 0000 22 0003 636e31`),
    header: { version: 2, ...V4, authority: null, tls: { used: true, version: 'TLSv1.3', verified: true, commonName: 'cn1' } },
  },
  {
    name: 'a certificate that was shown earlier in the TLS session',
    bytes: bytesOf(`${SIGNATURE} 21 11 0017 ${V4_BLOCK} 20 0008 05 00000000 22 0000`),
    header: { version: 2, ...V4, authority: null, tls: { used: true, version: null, verified: true, commonName: null } },
  },
  {
    name: 'a certificate that the proxy found wanting is not verified',
    bytes: bytesOf(`${SIGNATURE} 21 11 0019 ${V4_BLOCK} 20 000a 07 00000012 22 0002 6d65`),
    header: { version: 2, ...V4, authority: null, tls: { used: true, version: null, verified: false, commonName: 'me' } },
  },
  {
    name: 'nothing is verified where no certificate was shown',
    bytes: bytesOf(`${SIGNATURE} 21 11 0014 ${V4_BLOCK} 20 0005 01 00000000`),
    header: { version: 2, ...V4, authority: null, tls: { used: true, version: null, verified: false, commonName: null } },
  },
  {
    name: 'a certificate without TLS is not verified',
    bytes: bytesOf(`${SIGNATURE} 21 11 0014 ${V4_BLOCK} 20 0005 02 00000000`),
    header: { version: 2, ...V4, authority: null, tls: { used: false, version: null, verified: false, commonName: null } },
  },
  {
    name: 'what HAProxy 2.6 sends of a client with a certificate, all its options on',
    bytes: bytesOf(
      `${SIGNATURE} 21 11 006e 7f000001 7f000001 a5d4 a54b 02 000e 62726f6b65722e6578616d706c65 05 0000 20 004b 07 00000000` +
        '21 0007 544c5376312e33 22 0009 73656e736f722dc3a9 25 0007 52534132303438 24 000a 5253412d534841323536' +
        '23 0016 544c535f4145535f3235365f47434d5f534841333834',
    ),
    header: {
      version: 2,
      source: { address: '127.0.0.1', port: 42_452 },
      destination: { address: '127.0.0.1', port: 42_315 },
      authority: 'broker.example',
      tls: { used: true, version: 'TLSv1.3', verified: true, commonName: 'sensor-é' },
    },
  },
  {
    name: 'what HAProxy 2.6 sends with a checksum',
    bytes: bytesOf(`${SIGNATURE} 21 11 0013 7f000001 7f000001 b702 d8cb 03 0004 c55973d9`),
    header: {
      version: 2,
      source: { address: '127.0.0.1', port: 46_850 },
      destination: { address: '127.0.0.1', port: 55_499 },
      ...PLAIN,
    },
  },
  {
    name: 'a checksum that is right',
    bytes: bytesOf(`${SIGNATURE} 21 11 0013 ${V4_BLOCK} 03 0004 c4053124`),
    header: { version: 2, ...V4, ...PLAIN },
  },
];

for (const { name, bytes, header } of CASES) {
  test(`${name}: read whole, incomplete before, and what follows is not looked at`, () => {
    for (let length = 0; length < bytes.length; length++) assert.equal(read(bytes.subarray(0, length)), 'incomplete', `${length} bytes`);
    assert.deepEqual(read(bytes), { ...header, size: bytes.length });
    assert.deepEqual(read(Buffer.concat([bytes, Buffer.from('PROXY '), bytes])), { ...header, size: bytes.length });
  });
}

for (const [bytes, reason] of [
  ['PROXY TCP4 192.0.2.1 198.51.100.7 56324 1883\n', 'the line ends with LF alone: CR LF was expected'],
  ['PROXY \n', 'the line ends with LF alone: CR LF was expected'],
  [`PROXY UNKNOWN ${'x'.repeat(93)}`, 'no CR LF in the first 107 bytes'],
  ['PROXY \r\n', 'protocol "": TCP4, TCP6 or UNKNOWN was expected'],
  ['PROXY  TCP4 192.0.2.1 198.51.100.7 1 2\r\n', 'protocol "": TCP4, TCP6 or UNKNOWN was expected'],
  ['PROXY UNKNOWN\t\r\n', 'protocol "UNKNOWN\\t": TCP4, TCP6 or UNKNOWN was expected'],
  ['PROXY tcp4 192.0.2.1 198.51.100.7 1 2\r\n', 'protocol "tcp4": TCP4, TCP6 or UNKNOWN was expected'],
  ['PROXY TCP4 192.0.2.01 198.51.100.7 1 2\r\n', 'source address "192.0.2.01": an IPv4 address was expected'],
  ['PROXY TCP4 192.0.2.1  198.51.100.7 1\r\n', 'destination address "": an IPv4 address was expected'],
  ['PROXY TCP4 ::1 ::1 1 2\r\n', 'source address "::1": an IPv4 address was expected'],
  ['PROXY TCP6 192.0.2.1 ::1 1 2\r\n', 'source address "192.0.2.1": an IPv6 address was expected'],
  ['PROXY TCP6 ::1 fe80::1%lo 1 2\r\n', 'destination address "fe80::1%lo": an IPv6 address was expected'],
  ['PROXY TCP6 ::1 1::2::3 1 2\r\n', 'destination address "1::2::3": an IPv6 address was expected'],
  ['PROXY TCP4 192.0.2.1 198.51.100.7 01 2\r\n', 'source port "01": 0 to 65535 was expected'],
  ['PROXY TCP4 192.0.2.1 198.51.100.7 1 65536\r\n', 'destination port "65536": 0 to 65535 was expected'],
  ['PROXY TCP4 192.0.2.1 198.51.100.7 1 2 \r\n', '"" stands behind the last port'],
  ['PROXY TCP4 192.0.2.1 198.51.100.7 1 2 3 4\r\n', '"3 4" stands behind the last port'],
  ['PROXY TCP4\r\n', 'source address "": an IPv4 address was expected'],
] as const) {
  test(`version 1 is refused: ${JSON.stringify(bytes)}`, () => {
    assert.throws(() => read(Buffer.from(bytes)), new ProxyHeaderError(reason));
  });
}

for (const [hex, reason] of [
  ['11', 'version 1 in a header of version 2'],
  ['01', 'version 0 in a header of version 2'],
  ['22', 'command 2: 0 (LOCAL) or 1 (PROXY) was expected'],
  ['21 41 0000', 'address family 4: 0 to 3 was expected'],
  ['21 13 000c', 'transport protocol 3: 0 to 2 was expected'],
  ['21 11 000b', '11 bytes behind the length: addresses of this family take 12'],
  ['21 20 0023', '35 bytes behind the length: addresses of this family take 36'],
  ['21 31 00d7', '215 bytes behind the length: addresses of this family take 216'],
  ['21 11 3ff1', '16385 bytes were announced: at most 16384 are accepted'],
  ['20 00 ffff', '65551 bytes were announced: at most 16384 are accepted'],
  [`21 11 000d ${V4_BLOCK} 04`, '1 bytes at byte 28: a type and a length were expected'],
  [`21 11 0010 ${V4_BLOCK} 04 0002 00`, 'the value of type 0x04 has 2 bytes, 1 are left'],
  ['21 00 0008 02 0001 61 02 0001 62', 'the value of type 0x02 is given twice'],
  ['21 00 0004 02 0001 00', 'the authority is not UTF-8, or has U+0000 in it'],
  ['21 00 0005 02 0002 c328', 'the authority is not UTF-8, or has U+0000 in it'],
  ['21 00 0007 20 0004 01000000', 'the value about TLS has 4 bytes: at least 5 were expected'],
  ['21 00 000c 20 0009 03 00000000 22 0004 61', 'the value of type 0x22 has 4 bytes, 1 are left'],
  ['21 00 000f 20 000c 03 00000000 22 0004 61006264', 'the Common Name is not UTF-8, or has U+0000 in it'],
  ['21 00 0010 20 000d 03 00000000 22 0001 61 22 0001 62', 'the value of type 0x22 is given twice'],
  ['21 00 0006 03 0003 000000', 'the checksum has 3 bytes: 4 were expected'],
  [`21 11 0013 ${V4_BLOCK} 03 0004 c4053125`, 'the checksum is c4053125, and c4053124 was expected'],
] as const) {
  test(`version 2 is refused: ${hex}`, () => {
    assert.throws(() => read(bytesOf(SIGNATURE + hex)), new ProxyHeaderError(reason));
  });
}

test('bytes that begin no header are told from one at the first byte that differs', () => {
  for (const signature of [bytesOf(SIGNATURE), Buffer.from('PROXY ')]) {
    for (let at = 0; at < signature.length; at++) {
      const other = Buffer.from(signature.subarray(0, at + 1));
      other[at]! ^= 0x20;
      assert.equal(read(other), 'absent', other.toString('hex'));
    }
  }
  for (const text of ['\x10\x0c\0\x04MQTT', 'GET / HTTP/1.1\r\n', 'PROPFIND', '\x16\x03\x01', '\0\0\0\x10']) {
    assert.equal(read(Buffer.from(text, 'latin1')), 'absent');
  }
});

test('endpoints are written so that address and port can be told apart', () => {
  assert.equal(formatEndpoint({ address: '192.0.2.1', port: 1883 }), '192.0.2.1:1883');
  assert.equal(formatEndpoint({ address: '2001:db8::1', port: 1883 }), '[2001:db8::1]:1883');
  assert.equal(formatEndpoint({ address: '/run/mqtt.sock', port: null }), 'unix:/run/mqtt.sock');
});

const port = fc.integer({ min: 0, max: 65_535 });
const ipv4 = fc.tuple(fc.ipV4(), port).map(([address, port]) => ({ address, port }));
const ipv6 = fc.tuple(fc.ipV6(), port).map(([address, port]) => ({ address, port }));
const unix = fc.string({ unit: fc.constantFrom('/', 'a', 'b', '.'), maxLength: 108 }).map((address) => ({ address, port: null }));
const proxied: fc.Arbitrary<ProxiedConnection> = fc.oneof(
  fc.record({ source: ipv4, destination: ipv4 }),
  fc.record({ source: ipv6, destination: ipv6 }),
);
const anyProxied = fc.oneof(proxied, fc.record({ source: unix, destination: unix }), fc.record({ source: ipv4, destination: ipv6 }));
/** Types that are skipped. */
const value: fc.Arbitrary<ProxyValue> = fc.record({
  type: fc.constantFrom(0x01, 0x04, 0x05, 0x30, 0xe0, 0xff),
  value: fc.uint8Array({ maxLength: 200 }),
});
const header: fc.Arbitrary<Buffer> = fc.oneof(
  fc.option(proxied).map(writeProxyHeaderV1),
  fc
    .tuple(fc.option(anyProxied), fc.array(value, { maxLength: 5 }), fc.boolean())
    .map(([connection, values, checksum]) => writeProxyHeaderV2(connection, values, { checksum })),
);

/** An address as both sides write it. */
function canonical({ source, destination }: ProxiedConnection): ProxiedConnection {
  const write = ({ address, port }: ProxiedConnection['source']) => ({
    address: address.includes(':') ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address,
    port,
  });
  return { source: write(source), destination: write(destination) };
}

/** IPv4 inside IPv6 has two spellings; this compares what they mean. */
function sameEnds(header: ReturnType<typeof readProxyHeader>, expected: ProxiedConnection): void {
  assert.ok(typeof header === 'object' && header.source !== null && header.destination !== null);
  const read = canonical({ source: header.source, destination: header.destination });
  assert.deepEqual(read, canonical(expected));
}

test('what is written is read, in both versions, with and without values and checksum', () => {
  fc.assert(
    fc.property(proxied, fc.array(value, { maxLength: 5 }), fc.boolean(), (connection, values, checksum) => {
      const v1 = writeProxyHeaderV1(connection);
      sameEnds(read(v1), connection);
      const v2 = writeProxyHeaderV2(connection, values, { checksum });
      sameEnds(read(v2), connection);
      assert.equal((read(v2) as ProxyHeader).size, v2.length);
    }),
    { numRuns: 300 },
  );
});

test('unix paths are written and read', () => {
  fc.assert(
    fc.property(unix, unix, (source, destination) => {
      const { source: from, destination: to } = read(writeProxyHeaderV2({ source, destination })) as ProxyHeader;
      assert.deepEqual({ from, to }, { from: source, to: destination });
    }),
  );
});

test('a header is complete at its last byte and not before, wherever it is split, whatever follows', () => {
  fc.assert(
    fc.property(header, fc.uint8Array({ maxLength: 20 }), (bytes, rest) => {
      for (let length = 0; length < bytes.length; length++) assert.equal(read(bytes.subarray(0, length)), 'incomplete');
      assert.equal((read(Buffer.concat([bytes, rest])) as ProxyHeader).size, bytes.length);
    }),
    { numRuns: 300 },
  );
});

test('one wrong bit in a header with a checksum is found, wherever it is', () => {
  const bytes = writeProxyHeaderV2(V4, [{ type: 0x02, value: Buffer.from('broker.example') }], { checksum: true });
  for (let bit = 8 * 16; bit < 8 * bytes.length; bit++) {
    const wrong = Buffer.from(bytes);
    wrong[bit >> 3]! ^= 1 << (bit & 7);
    const checksumAt = 16 + 12;
    if (bit >> 3 === checksumAt || bit >> 3 === checksumAt + 1 || bit >> 3 === checksumAt + 2) continue; // then it is no checksum any more
    assert.throws(() => read(wrong), ProxyHeaderError, `bit ${bit}`);
  }
});

const rubbish = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.concat([bytesOf(SIGNATURE), bytes])),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.concat([Buffer.from('PROXY '), bytes])),
  fc
    .string({ unit: fc.constantFrom('PROXY ', 'TCP4', 'TCP6', ' ', '1.2.3.4', '::1', '0', '65535', '\r\n', '\n'), maxLength: 20 })
    .map((text) => Buffer.from(text)),
  fc.tuple(header, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([bytes, at, byte]) => {
    const mutated = Buffer.from(bytes);
    mutated[at % mutated.length] = byte;
    return mutated;
  }),
);

test('arbitrary bytes give a header, "incomplete", "absent" or ProxyHeaderError; more bytes change only "incomplete"', () => {
  fc.assert(
    fc.property(rubbish, (bytes) => {
      let decided: unknown = null;
      for (let length = 0; length <= bytes.length; length++) {
        let answer: unknown;
        try {
          answer = read(bytes.subarray(0, length));
        } catch (error) {
          assert.ok(error instanceof ProxyHeaderError, String(error));
          answer = error.message;
        }
        if (decided !== null) assert.deepEqual(answer, decided, `after ${length} bytes`);
        else if (answer !== 'incomplete') decided = answer;
        if (typeof answer === 'object') assert.ok((answer as ProxyHeader).size <= Math.min(length, HEADER_V2_SIZE_MAX));
      }
    }),
    { numRuns: 3_000 },
  );
});
