import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PACKET_NAMES } from './control-packet.ts';
import { readProperties, WILL } from './property.ts';

/** Table 2-4 of MQTT 5.0, once more: each property's identifier, the bytes of a value, and the packets that may carry it. */
const TABLE: readonly [id: number, value: string, packets: readonly number[], name: string][] = [
  [0x01, '01', [3, WILL], 'payloadFormatIndicator'],
  [0x02, '00000001', [3, WILL], 'messageExpiryInterval'],
  [0x03, '000161', [3, WILL], 'contentType'],
  [0x08, '000161', [3, WILL], 'responseTopic'],
  [0x09, '000161', [3, WILL], 'correlationData'],
  [0x0b, '01', [3, 8], 'subscriptionIdentifiers'],
  [0x11, '00000001', [1, 2, 14], 'sessionExpiryInterval'],
  [0x12, '000161', [2], 'assignedClientIdentifier'],
  [0x13, '0001', [2], 'serverKeepAlive'],
  [0x15, '000161', [1, 2, 15], 'authenticationMethod'],
  [0x16, '000161', [1, 2, 15], 'authenticationData'],
  [0x17, '01', [1], 'requestProblemInformation'],
  [0x18, '00000001', [WILL], 'willDelayInterval'],
  [0x19, '01', [1], 'requestResponseInformation'],
  [0x1a, '000161', [2], 'responseInformation'],
  [0x1c, '000161', [2, 14], 'serverReference'],
  [0x1f, '000161', [2, 4, 5, 6, 7, 9, 11, 14, 15], 'reasonString'],
  [0x21, '0001', [1, 2], 'receiveMaximum'],
  [0x22, '0001', [1, 2], 'topicAliasMaximum'],
  [0x23, '0001', [3], 'topicAlias'],
  [0x24, '01', [2], 'maximumQoS'],
  [0x25, '01', [2], 'retainAvailable'],
  [0x26, '000161000162', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 15, WILL], 'userProperties'],
  [0x27, '00000001', [1, 2], 'maximumPacketSize'],
  [0x28, '01', [2], 'wildcardSubscriptionAvailable'],
  [0x29, '01', [2], 'subscriptionIdentifierAvailable'],
  [0x2a, '01', [2], 'sharedSubscriptionAvailable'],
];

const PACKETS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 15, WILL];

/** Properties of these bytes, with their length in front. */
function read(content: Buffer, packet: number): Record<string, unknown> {
  const buffer = Buffer.concat([Buffer.from([content.length]), content]);
  return readProperties(buffer, 0, buffer.length, packet) as unknown as Record<string, unknown>;
}

for (const [id, value, packets, name] of TABLE) {
  const one = Buffer.concat([Buffer.from([id]), Buffer.from(value, 'hex')]);

  test(`${name} stands in ${packets.map((packet) => PACKET_NAMES[packet] ?? 'the will').join(', ')}, and is malformed elsewhere`, () => {
    for (const packet of PACKETS) {
      if (packets.includes(packet)) assert.notEqual(read(one, packet)[name], null);
      else assert.throws(() => read(one, packet), { code: 'MQTT_MALFORMED_PACKET', reasonCode: 0x81 });
    }
  });

  test(`${name} cut off at any byte is malformed`, () => {
    for (let size = 1; size < one.length; size++)
      assert.throws(() => read(one.subarray(0, size), packets[0]!), { code: 'MQTT_MALFORMED_PACKET', reasonCode: 0x81 });
  });

  test(`${name} twice is ${name === 'userProperties' ? 'allowed' : 'a protocol error, but for Subscription Identifiers in PUBLISH'}`, () => {
    const two = Buffer.concat([one, one]);
    for (const packet of packets) {
      if (name === 'userProperties' || (name === 'subscriptionIdentifiers' && packet === 3))
        assert.equal((read(two, packet)[name] as unknown[]).length, 2);
      else assert.throws(() => read(two, packet), { code: 'MQTT_PROTOCOL_ERROR', reasonCode: 0x82 });
    }
  });
}

test('identifiers that are no property are malformed', () => {
  const known = new Set(TABLE.map(([id]) => id));
  for (let id = 0; id < 128; id++) {
    if (!known.has(id)) assert.throws(() => read(Buffer.from([id, 0, 0, 0, 0]), 1), { reasonCode: 0x81 }, `0x${id.toString(16)}`);
  }
  assert.throws(() => read(Buffer.from([0x91, 0x01, 0, 0, 0, 0]), 1), { reasonCode: 0x81 });
});

test('integers in properties use as few bytes as they can [MQTT-1.5.5-1]', () => {
  for (const wrong of ['0b8100', '0b808000', '0bffffff8001', '0b80', '0b808080', '8b0001'])
    assert.throws(() => read(Buffer.from(wrong, 'hex'), 8), { code: 'MQTT_MALFORMED_PACKET' }, wrong);
  for (const [right, value] of [
    ['0b01', 1],
    ['0b7f', 127],
    ['0b8001', 128],
    ['0bff7f', 16_383],
    ['0bffffff7f', 268_435_455],
  ] as const)
    assert.deepEqual(read(Buffer.from(right, 'hex'), 8).subscriptionIdentifiers, [value]);
  const overlong = Buffer.from('85001100000001', 'hex');
  assert.throws(() => readProperties(overlong, 0, overlong.length, 1), { code: 'MQTT_MALFORMED_PACKET' });
});

test('values that may not be are protocol errors', () => {
  for (const [wrong, packet] of [
    ['210000', 1],
    ['2700000000', 1],
    ['0b00', 8],
    ['1702', 1],
    ['19ff', 1],
    ['0102', 3],
    ['2402', 2],
  ] as const)
    assert.throws(() => read(Buffer.from(wrong, 'hex'), packet), { code: 'MQTT_PROTOCOL_ERROR', reasonCode: 0x82 }, wrong);
});

test('user properties keep their order, names may come again', () => {
  const pair = (name: string, value: string) => Buffer.from(`\x26\0\x01${name}\0\x01${value}`);
  assert.deepEqual(read(Buffer.concat([pair('b', '1'), pair('a', '2'), pair('b', '1')]), 3).userProperties, [
    ['b', '1'],
    ['a', '2'],
    ['b', '1'],
  ]);
});
