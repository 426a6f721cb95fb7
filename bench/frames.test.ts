import assert from 'node:assert/strict';
import { test } from 'node:test';
import mqtt from 'mqtt-packet';
import {
  connectFrame,
  disconnectFrame,
  type ProtocolVersion,
  pingreqFrame,
  publishTemplate,
  type Qos,
  receiveMaximumOf,
  subscribeFrame,
} from './frames.ts';

function parse(bytes: Buffer, protocolVersion: ProtocolVersion): mqtt.Packet {
  const packets: mqtt.Packet[] = [];
  const parser = mqtt.parser({ protocolVersion });
  parser.on('packet', (packet) => packets.push(packet));
  parser.on('error', (error) => assert.fail(error));
  assert.equal(parser.parse(bytes), 0, 'nothing is left over');
  assert.equal(packets.length, 1);
  return packets[0]!;
}

for (const version of [4, 5] as const) {
  test(`CONNECT, SUBSCRIBE, PINGREQ and DISCONNECT are what another codec reads as such, version ${version}`, () => {
    const connect = parse(connectFrame('me', version, true, 60), version) as mqtt.IConnectPacket;
    assert.deepEqual([connect.cmd, connect.clientId, connect.clean, connect.keepalive], ['connect', 'me', true, 60]);
    const persistent = parse(connectFrame('me', version, false, 0), version) as mqtt.IConnectPacket;
    assert.deepEqual([persistent.clean, persistent.keepalive], [false, 0]);
    assert.equal(persistent.properties?.sessionExpiryInterval, version === 5 ? 3600 : undefined);
    const subscribe = parse(subscribeFrame(['load/+', 'more/#'], version, 1), version) as mqtt.ISubscribePacket;
    assert.equal(subscribe.messageId, 1);
    assert.deepEqual(
      subscribe.subscriptions.map(({ topic, qos }) => [topic, qos]),
      [
        ['load/+', 1],
        ['more/#', 1],
      ],
    );
    assert.equal(parse(pingreqFrame(), version).cmd, 'pingreq');
    assert.equal(parse(disconnectFrame(), version).cmd, 'disconnect');
  });

  for (const qos of [0, 1, 2] as const satisfies readonly Qos[]) {
    test(`a PUBLISH has its topic, its payload and a place for its packet identifier, version ${version}, QoS ${qos}`, () => {
      const { bytes, packetIdentifierOffset } = publishTemplate('load/7', 7, { version, qos, payloadBytes: 200, userProperties: 0 });
      if (qos > 0) bytes.writeUInt16BE(0x1234, packetIdentifierOffset);
      else assert.equal(packetIdentifierOffset, -1);
      const publish = parse(bytes, version) as mqtt.IPublishPacket;
      assert.deepEqual([publish.topic, publish.qos, publish.dup, publish.retain], ['load/7', qos, false, false]);
      assert.equal(publish.messageId, qos > 0 ? 0x1234 : undefined);
      assert.equal(publish.payload.length, 200);
      assert.equal((publish.payload as Buffer).readUInt32BE(0), 7);
    });
  }
}

test('a PUBLISH of MQTT 5 has as many User Properties as it was told, and one of MQTT 3.1.1 none', () => {
  const packet = (version: ProtocolVersion) => {
    const { bytes } = publishTemplate('load/7', 7, { version, qos: 0, payloadBytes: 8, userProperties: 2 });
    return parse(bytes, version) as mqtt.IPublishPacket;
  };
  assert.deepEqual({ ...packet(5).properties?.userProperties }, { 'name-0': 'value-0', 'name-1': 'value-1' });
  assert.equal(packet(5).payload.length, 8);
  assert.equal(packet(4).payload.length, 8);
});

test("CONNACK's Receive Maximum is found among all other properties, and is 65,535 without one [MQTT-3.2.2.3.3]", () => {
  const body = (properties: mqtt.IConnackPacket['properties']): Buffer => {
    const connack: mqtt.IConnackPacket = { cmd: 'connack', sessionPresent: false, reasonCode: 0, ...(properties && { properties }) };
    const bytes = mqtt.generate(connack, { protocolVersion: 5 });
    return bytes.subarray(bytes[1]! < 0x80 ? 2 : 3);
  };
  const others = {
    sessionExpiryInterval: 5,
    assignedClientIdentifier: 'assigned',
    serverKeepAlive: 10,
    reasonString: 'welcome',
    topicAliasMaximum: 3,
    maximumQoS: 1,
    retainAvailable: true,
    userProperties: { a: 'b', long: 'x'.repeat(70) },
    maximumPacketSize: 1000,
    wildcardSubscriptionAvailable: true,
    subscriptionIdentifiersAvailable: true,
    sharedSubscriptionAvailable: false,
    serverReference: 'elsewhere',
  };
  assert.equal(receiveMaximumOf(body({ ...others, receiveMaximum: 20 }), 5), 20);
  assert.equal(receiveMaximumOf(body(others), 5), 65_535);
  assert.equal(receiveMaximumOf(body(undefined), 5), 65_535);
  assert.equal(receiveMaximumOf(Buffer.from([0, 0]), 4), Number.POSITIVE_INFINITY);
});
