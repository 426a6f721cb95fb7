import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWireFormatInfo } from './commands.ts';
import {
  booleanValue,
  bytesValue,
  decodePrimitiveMap,
  encodePrimitiveMap,
  intValue,
  LIST_VALUE,
  longValue,
  nullValue,
  type Primitive,
  type PrimitiveMap,
  stringValue,
} from './primitive-map.ts';
import {
  DEFAULT_OFFER,
  negotiate,
  type PeerOffer,
  readWireFormatInfo,
  sniffWireFormatInfo,
  type WireFormatOffer,
  wireFormatInfoOf,
} from './wire-format-info.ts';

function read(properties: PrimitiveMap | null): PeerOffer {
  return readWireFormatInfo(
    createWireFormatInfo({ version: 12, marshalledProperties: properties === null ? null : encodePrimitiveMap(properties) }),
  );
}

test('an offer reads back as it was made, with the property types that a Java peer casts to', () => {
  const offer: WireFormatOffer = {
    ...DEFAULT_OFFER,
    host: 'h',
    providerVersion: '1',
    platformDetails: 'Node',
    maxInactivityDurationMs: 200,
  };
  const info = wireFormatInfoOf(offer, new Map([['Own', intValue(3)]]));
  const { properties, ...rest } = readWireFormatInfo(info);
  assert.deepEqual(rest, offer);
  assert.deepEqual(properties, decodePrimitiveMap(info.marshalledProperties!));
  assert.deepEqual(
    properties,
    new Map<string, Primitive>([
      ['TightEncodingEnabled', booleanValue(true)],
      ['CacheEnabled', booleanValue(true)],
      ['CacheSize', intValue(1024)],
      ['StackTraceEnabled', booleanValue(true)],
      ['TcpNoDelayEnabled', booleanValue(true)],
      ['SizePrefixDisabled', booleanValue(false)],
      ['MaxFrameSize', longValue(104_857_600)],
      ['MaxFrameSizeEnabled', booleanValue(true)],
      ['MaxInactivityDuration', longValue(200)],
      ['MaxInactivityDurationInitalDelay', longValue(10_000)],
      ['Own', intValue(3)],
      ['Host', stringValue('h')],
      ['ProviderName', stringValue('Roundhouse')],
      ['ProviderVersion', stringValue('1')],
      ['PlatformDetails', stringValue('Node')],
    ]),
  );
});

test('a missing boolean is false, a missing number 0, a missing text null', () => {
  for (const properties of [null, new Map<string, Primitive>(), new Map([['Host', nullValue]])]) {
    const { properties: _, ...offer } = read(properties);
    assert.deepEqual(offer, {
      version: 12,
      tightEncodingEnabled: false,
      cacheEnabled: false,
      cacheSize: 0,
      stackTraceEnabled: false,
      tcpNoDelayEnabled: false,
      maxFrameSizeBytes: 0,
      maxInactivityDurationMs: 0,
      maxInactivityDurationInitialDelayMs: 0,
      host: null,
      providerName: null,
      providerVersion: null,
      platformDetails: null,
    });
  }
});

test('both sides compute the same: the smaller version and numbers, what both want', () => {
  const theirs: WireFormatOffer = {
    ...DEFAULT_OFFER,
    version: 9,
    tightEncodingEnabled: false,
    stackTraceEnabled: false,
    cacheSize: 500,
    maxFrameSizeBytes: 2 ** 63,
    maxInactivityDurationMs: 5000,
    maxInactivityDurationInitialDelayMs: 60_000,
  };
  const settings = negotiate(DEFAULT_OFFER, theirs);
  assert.deepEqual(settings, {
    version: 9,
    tightEncodingEnabled: false,
    cacheEnabled: true,
    cacheSize: 500,
    stackTraceEnabled: false,
    tcpNoDelayEnabled: true,
    maxFrameSizeBytes: 104_857_600,
    maxInactivityDurationMs: 5000,
    maxInactivityDurationInitialDelayMs: 10_000,
  });
  assert.deepEqual(negotiate(theirs, DEFAULT_OFFER), settings);
});

test('a newer peer is spoken to in our newest version', () => {
  assert.equal(negotiate(DEFAULT_OFFER, { ...DEFAULT_OFFER, version: 13 }).version, 12);
});

test('a cache size of 0 on either side stands for 16,383, an inactivity of 0 or less switches the check off, a frame size of 0 says nothing', () => {
  const settings = negotiate(DEFAULT_OFFER, { ...DEFAULT_OFFER, cacheSize: 0, maxInactivityDurationMs: -1, maxFrameSizeBytes: 0 });
  assert.equal(settings.cacheSize, 16_383);
  assert.equal(settings.maxInactivityDurationMs, 0);
  assert.equal(settings.maxFrameSizeBytes, 104_857_600);
  assert.equal(
    negotiate({ ...DEFAULT_OFFER, maxFrameSizeBytes: 0 }, { ...DEFAULT_OFFER, maxFrameSizeBytes: 0 }).maxFrameSizeBytes,
    2_147_483_647,
  );
});

test('what is no WireFormatInfo of ActiveMQ, or breaks its bounds, is refused', () => {
  const many = new Map(Array.from({ length: 65 }, (_, index) => [`p${index}`, nullValue]));
  const cases: [() => unknown, string][] = [
    [
      () => readWireFormatInfo(createWireFormatInfo({ magic: Buffer.from('ActiveMX'), version: 12 })),
      'WireFormatInfo: the magic ActiveMQ was expected, "ActiveMX" came',
    ],
    [() => readWireFormatInfo(createWireFormatInfo({ version: 0 })), 'WireFormatInfo: a version from 1 on was expected, 0 came'],
    [() => read(many), 'WireFormatInfo: at most 64 properties were expected, 65 came'],
    [() => read(new Map([['x', stringValue('é'.repeat(257))]])), 'WireFormatInfo: x: at most 512 bytes were expected, 514 came'],
    [() => read(new Map([['x', bytesValue(Buffer.alloc(513))]])), 'WireFormatInfo: x: at most 512 bytes were expected, 513 came'],
    [
      () => read(new Map<string, Primitive>([['x', { type: LIST_VALUE, value: [] }]])),
      'WireFormatInfo: x: a plain value was expected, a map or list came',
    ],
    [
      () => read(new Map([['CacheEnabled', stringValue('true')]])),
      'WireFormatInfo: CacheEnabled: a boolean was expected, a value with tag 9 came',
    ],
    [() => read(new Map([['CacheSize', longValue(1)]])), 'WireFormatInfo: CacheSize: an int was expected, a value with tag 6 came'],
    [() => read(new Map([['CacheSize', intValue(-1)]])), 'WireFormatInfo: CacheSize: 0 or more was expected, -1 came'],
    [() => read(new Map([['MaxFrameSize', intValue(1)]])), 'WireFormatInfo: MaxFrameSize: a long was expected, a value with tag 5 came'],
    [() => read(new Map([['Host', intValue(1)]])), 'WireFormatInfo: Host: a string was expected, a value with tag 5 came'],
  ];
  for (const [run, message] of cases) assert.throws(run, { code: 'OPENWIRE_MALFORMED', message });
});

test('an offer that would hang a Java peer, or that we cannot keep, is never made', () => {
  for (const offer of [{ cacheSize: 1 }, { cacheSize: 99 }, { cacheSize: 16_384 }, { version: 0 }, { version: 13 }]) {
    assert.throws(() => wireFormatInfoOf({ ...DEFAULT_OFFER, ...offer }), { code: 'OPENWIRE_OFFER' });
  }
  for (const cacheSize of [0, 100, 16_383]) wireFormatInfoOf({ ...DEFAULT_OFFER, cacheSize });
});

test('the first bytes of a WireFormatInfo are told from those of anything else, at its magic or before', () => {
  const frame = Buffer.concat([Buffer.from([0, 0, 0, 240, 1]), Buffer.from('ActiveMQ'), Buffer.from([0, 0, 0, 12])]);
  for (let length = 1; length <= frame.length; length++) assert.equal(sniffWireFormatInfo(frame, 0, length), length < 13 ? 'maybe' : 'yes');
  const around = Buffer.concat([Buffer.from('x'), frame, Buffer.from('y')]);
  assert.equal(sniffWireFormatInfo(around, 1, 1 + frame.length), 'yes');
  for (const at of [0, 4, 5, 12]) {
    const other = Buffer.from(frame);
    other[at]! ^= 0x20;
    for (let length = 1; length <= frame.length; length++)
      assert.equal(sniffWireFormatInfo(other, 0, length), length <= at ? 'maybe' : 'no');
  }
});
