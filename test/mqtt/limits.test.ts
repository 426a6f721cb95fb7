import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RefusingLimit } from '../../src/core/limits.ts';
import type { Facts, Log } from '../../src/telemetry/log.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { startBroker, type TestBroker } from '../harness/mqtt-broker.ts';
import { bytes, connackV3, PINGREQ, PINGRESP, packet, text, two, userProperty } from '../harness/mqtt-bytes.ts';
import type { MqttPeer } from '../harness/mqtt-peer.ts';

/** The limits that have refused something, with how often. */
function refusals({ broker }: TestBroker): Partial<Record<RefusingLimit, number>> {
  return Object.fromEntries(Object.entries(broker.counters.refusedBy).filter(([, count]) => count > 0));
}

test('beyond `sessions` a new client is refused with CONNACK 0x97 or return code 3; one that has a session comes back', async (t) => {
  const broker = await startBroker(t, { limits: { sessions: 2 } });
  const away = await broker.client(4, { clientId: 'away', clean: false });
  await away.disconnect();
  const there = await broker.client(5, { clientId: 'there' });
  for (const level of [3, 4] as const) {
    const peer = await broker.dial({ level });
    peer.send(peer.packets.connect({ clientId: 'new' }));
    await peer.expect(connackV3(false, 3));
    await peer.expectClose();
  }
  const v5 = await broker.dial({ level: 5 });
  v5.send(v5.packets.connect({ clientId: 'new' }));
  await v5.expectConnack(0x97);
  await v5.expectClose();
  await broker.client(4, { clientId: 'away', clean: false }, true);
  await broker.client(5, { clientId: 'there' }); // takes over
  await there.expectDisconnect(0x8e);
  assert.deepEqual(refusals(broker), { sessions: 3 });
  const away2 = await broker.client(4, { clientId: 'away' });
  await away2.disconnect();
  await broker.client(4, { clientId: 'new' });
});

test('beyond `sessionSubscriptions` a filter is refused alone, with 0x97 or 0x80; one that is there may be subscribed to again', async (t) => {
  const broker = await startBroker(t, { limits: { sessionSubscriptions: 2 } });
  for (const level of [4, 5] as const) {
    const peer = await broker.client(level, { clientId: 'a', properties: '17 00' });
    const refused = level === 5 ? 0x97 : 0x80;
    peer.send(peer.packets.subscribe(1, { a: 0, b: 1, c: 2 }));
    await peer.expect(peer.packets.suback(1, 0, 1, refused));
    peer.send(peer.packets.subscribe(2, { a: 2, c: 2 }));
    await peer.expect(peer.packets.suback(2, 2, refused));
    peer.send(peer.packets.unsubscribe(3, 'a'));
    await peer.expect(peer.packets.unsuback(3, 0));
    peer.send(peer.packets.subscribe(4, { c: 2 }));
    await peer.expect(peer.packets.suback(4, 2));
    assert.equal(broker.broker.router.size, 2);
    await peer.disconnect();
  }
  assert.deepEqual(refusals(broker), { sessionSubscriptions: 4 });
});

for (const limits of [{ retainedMessages: 0 }, { retainedBytes: 6 }]) {
  const [limit] = Object.keys(limits) as [keyof typeof limits];
  test(`beyond \`${limit}\` a message is delivered and not kept, and an MQTT 5 publisher is told 0x97`, async (t) => {
    const broker = await startBroker(t, { limits });
    const receiver = await broker.client(4, { clientId: 'r' });
    await receiver.subscribe({ '#': 0 });
    const v5 = await broker.client(5, { clientId: 'v5', properties: '17 00' });
    v5.send(v5.packets.publish({ topic: 't', payload: 'payload', qos: 1, id: 1, retain: true }));
    await v5.expect(v5.packets.puback(1, 0x97));
    v5.send(v5.packets.publish({ topic: 't', payload: 'payload', qos: 2, id: 2, retain: true }));
    await v5.expect(v5.packets.pubrec(2, 0x97)); // the end of the exchange [MQTT-4.3.3-9]
    v5.send(v5.packets.publish({ topic: 't', payload: 'payload', retain: true }));
    v5.send(v5.packets.publish({ topic: 't', qos: 1, id: 3, retain: true })); // a removal needs no room
    await v5.expect(v5.packets.puback(3));
    const v4 = await broker.client(4, { clientId: 'v4' });
    v4.send(v4.packets.publish({ topic: 't', payload: 'payload', qos: 1, id: 1, retain: true }));
    await v4.expect(v4.packets.puback(1));
    for (const payload of ['payload', 'payload', 'payload', '', 'payload'])
      await receiver.expect(receiver.packets.publish({ topic: 't', payload }));
    assert.equal(broker.broker.retained.size, 0);
    assert.deepEqual(refusals(broker), { [limit]: 4 });
  });
}

test('a topic beyond `topicBytes` or `topicLevels` ends a publisher with 0x90, is refused as a filter with 0x8F or 0x80, and as a will', async (t) => {
  const broker = await startBroker(t, { limits: { topicBytes: 5, topicLevels: 3 } });
  for (const [level, what] of [
    [4, 'üü12'],
    [5, 'üü12'],
    [4, 'a/b//'],
    [5, 'a/b//'],
  ] as const) {
    const peer = await broker.client(level, { clientId: 'a', properties: '17 00' });
    peer.send(peer.packets.subscribe(1, { üü1: 1, [what]: 1, 'a/b/': 1 }));
    await peer.expect(peer.packets.suback(1, 1, level === 5 ? 0x8f : 0x80, 1));
    await peer.publish({ topic: 'x' });
    peer.send(peer.packets.publish({ topic: what, qos: 1, id: 1 }));
    await peer.expectEnd(0x90);
    const withWill = await broker.dial({ level });
    withWill.send(withWill.packets.connect({ clientId: 'w', will: { topic: what } }));
    if (level === 5) await withWill.expectConnack(0x90);
    await withWill.expectClose();
  }
  assert.deepEqual(refusals(broker), { topicBytes: 6, topicLevels: 6 });
  assert.equal(broker.broker.counters.protocolErrors, 0, 'a limit of ours is no mistake of theirs');
});

test('a Response Topic is for its receiver: our bounds on topics do not hold for it', async (t) => {
  const broker = await startBroker(t, { limits: { topicLevels: 1 } });
  const peer = await broker.client(5, { clientId: 'a' });
  await peer.subscribe({ x: 0 });
  const content = bytes('08', text('a/b/c'));
  peer.send(peer.packets.publish({ topic: 'x', properties: content }));
  await peer.expect(peer.packets.publish({ topic: 'x', properties: content }));
});

test('topics of all Topic Aliases beyond `topicAliasBytes` end the connection with 0x97', async (t) => {
  const broker = await startBroker(t, { limits: { topicAliasBytes: 10 } });
  const peer = await broker.client(5, { clientId: 'a' });
  const set = (alias: number, topic: string) => peer.packets.publish({ topic, properties: bytes('23', two(alias)) });
  peer.send(set(1, '12345'), set(2, '67890'), set(1, '54321'));
  await peer.expectNothing();
  peer.send(set(3, 'x'));
  await peer.expectDisconnect(0x97);
  assert.deepEqual(refusals(broker), { topicAliasBytes: 1 });
});

test('aliases beyond `topicAliasMaximum` and messages beyond `receiveMaximum` are counted by their limits', async (t) => {
  const broker = await startBroker(t, { limits: { topicAliasMaximum: 1, receiveMaximum: 1 } });
  const one = await broker.client(5, { clientId: 'a' });
  one.send(one.packets.publish({ topic: 'a', properties: '23 0002' }));
  await one.expectDisconnect(0x94);
  const other = await broker.client(5, { clientId: 'b' });
  for (const id of [1, 2]) other.send(other.packets.publish({ topic: 'a', qos: 2, id }));
  await other.expectAcknowledgement(0x50, 1);
  await other.expectDisconnect(0x93);
  assert.deepEqual(refusals(broker), { topicAliasMaximum: 1, receiveMaximum: 1 });
});

test('a CONNECT beyond `connectPacketBytes` is closed when it announces its size; afterwards `maxFrameSize` holds, with 0x95', async (t) => {
  const broker = await startBroker(t, { limits: { connectPacketBytes: 64 }, connector: { maxFrameSize: 200 } });
  const large = await broker.dial({ level: 5 });
  large.send(large.packets.connect({ clientId: 'a', properties: userProperty('a', 'x'.repeat(64)) }).subarray(0, 2));
  await large.expectClose();
  for (const level of [4, 5] as const) {
    const peer = await broker.client(level, { clientId: 'a' });
    await peer.publish({ topic: 'x', payload: Buffer.alloc(150) });
    peer.send(peer.packets.publish({ topic: 'x', payload: Buffer.alloc(201) }));
    await peer.expectEnd(0x95);
  }
  assert.deepEqual(refusals(broker), { connectPacketBytes: 1, maxFrameSize: 2 });
});

test('beyond `connectsPerSecond` clients are refused with 0x9F or return code 3 until there is room again', async (t) => {
  const broker = await startBroker(t, { limits: { connectsPerSecond: 2 }, fakeClock: true });
  await broker.client(4, { clientId: 'a' });
  await broker.client(5, { clientId: 'b' });
  const v4 = await broker.dial({ level: 4 });
  v4.send(v4.packets.connect({ clientId: 'c' }));
  await v4.expect(connackV3(false, 3));
  await v4.expectClose();
  const v5 = await broker.dial({ level: 5 });
  v5.send(v5.packets.connect({ clientId: 'c' }));
  await v5.expectConnack(0x9f);
  await v5.expectClose();
  broker.pass(1_000);
  await broker.client(4, { clientId: 'c' });
  await broker.client(5, { clientId: 'd' });
  assert.deepEqual(refusals(broker), { connectsPerSecond: 2 });
  assert.equal(broker.broker.counters.connects, 6);
});

test('beyond `addressConnectsPerSecond` clients from one address are refused with 0x9F or return code 3, and others are let in', async (t) => {
  const broker = await startBroker(t, { limits: { addressConnectsPerSecond: 2, connectsPerSecond: 4 }, fakeClock: true });
  const from = (host: string, level: 4 | 5, clientId: string): Promise<MqttPeer> =>
    broker.dial({ level, from: host }).then((peer) => {
      peer.send(peer.packets.connect({ clientId }));
      return peer;
    });
  for (const clientId of ['a', 'b']) await (await from('127.0.0.2', 4, clientId)).expect(connackV3(false));
  const v4 = await from('127.0.0.2', 4, 'c');
  await v4.expect(connackV3(false, 3));
  await v4.expectClose();
  const v5 = await from('127.0.0.2', 5, 'c');
  await v5.expectConnack(0x9f);
  await v5.expectClose();
  for (const clientId of ['d', 'e']) await (await from('127.0.0.3', 5, clientId)).expectConnack(0); // the refused have not used up the connector's
  broker.pass(1_000);
  await (await from('127.0.0.2', 4, 'c')).expect(connackV3(false));
  assert.deepEqual(refusals(broker), { addressConnectsPerSecond: 2 });
});

test('beyond `clientConnectsPerMinute` whoever has the client id keeps it', async (t) => {
  const broker = await startBroker(t, { limits: { clientConnectsPerMinute: 2 }, fakeClock: true });
  const first = await broker.client(4, { clientId: 'twin' });
  const second = await broker.client(4, { clientId: 'twin' });
  await first.expectClose();
  const third = await broker.dial({ level: 5 });
  third.send(third.packets.connect({ clientId: 'twin' }));
  await third.expectConnack(0x9f);
  await third.expectClose();
  await second.expectNothing();
  for (let i = 0; i < 3; i++) await broker.client(5); // ids that we assign are nobody's
  broker.pass(30_000);
  await broker.client(4, { clientId: 'twin' });
  await second.expectClose();
  assert.deepEqual(refusals(broker), { clientConnectsPerMinute: 1 });
});

for (const qos of [0, 1, 2]) {
  test(`a client that publishes faster than \`publishMessagesPerSecond\` at QoS ${qos} is not listened to until it is within its rate`, async (t) => {
    const broker = await startBroker(t, { limits: { publishMessagesPerSecond: 10 }, fakeClock: true });
    const peer = await broker.client(4, { clientId: 'fast', keepAlive: 1 });
    const other = await broker.client(4, { clientId: 'other' });
    const publishes = Array.from({ length: 35 }, (_, i) => peer.packets.publish({ topic: 'x', qos, id: i + 1 }));
    peer.send(...publishes);
    for (let i = 0; i < publishes.length && qos > 0; i++) await peer.expectAcknowledgement(qos === 1 ? 0x40 : 0x50, i + 1);
    await broker.until(() => refusals(broker).publishMessagesPerSecond !== undefined, 'the pause');
    peer.send(PINGREQ);
    broker.pass(2_000); // longer than its keep alive, and not long enough for 25 messages beyond the first second's ten
    for (let i = 0; i < 20; i++) await other.expectNothing();
    assert.equal(peer.receivedBytes, 0, 'it is not read');
    assert.equal(peer.closed, false);
    broker.pass(600);
    await peer.expect(PINGRESP);
    assert.equal(broker.broker.counters.publishReceived[qos], 35);
    assert.deepEqual(refusals(broker), { publishMessagesPerSecond: 1 });
    broker.pass(1_600);
    await peer.expectClose(); // its keep alive counts again
  });
}

test('`publishBytesPerSecond` counts payloads, and a client within its rate is never slowed', async (t) => {
  const broker = await startBroker(t, { limits: { publishBytesPerSecond: 1_000 }, fakeClock: true });
  const peer = await broker.client(4, { clientId: 'a' });
  for (let i = 0; i < 10; i++) {
    await peer.publish({ topic: 'x', payload: Buffer.alloc(500), qos: 1 });
    broker.pass(500);
  }
  assert.deepEqual(refusals(broker), {});
  peer.send(peer.packets.publish({ topic: 'x', payload: Buffer.alloc(2_000) }));
  await broker.until(() => refusals(broker).publishBytesPerSecond === 1, 'the pause');
  peer.send(PINGREQ);
  broker.pass(1_100);
  await peer.expect(PINGRESP);
});

test('with `publishRateDisconnect` a client beyond its rate is disconnected with 0x96, an earlier one closed', async (t) => {
  const broker = await startBroker(t, { limits: { publishMessagesPerSecond: 1, publishRateDisconnect: 1 }, fakeClock: true });
  for (const level of [4, 5] as const) {
    const peer = await broker.client(level, { clientId: 'a' });
    await peer.publish({ topic: 'x', qos: 1 });
    peer.send(peer.packets.publish({ topic: 'x' }));
    await peer.expectEnd(0x96);
  }
  assert.deepEqual(refusals(broker), { publishMessagesPerSecond: 2 });
});

test('a limit is logged with who was refused when it begins to refuse, and not each time', async (t) => {
  const lines: { message: string; facts: Facts | undefined }[] = [];
  const log: Log = { ...silentLog, warn: (message, facts) => lines.push({ message, facts }) };
  const broker = await startBroker(t, { limits: { sessionSubscriptions: 1 }, fakeClock: true, log });
  const peer = await broker.client(4, { clientId: 'a' });
  for (let id = 1; id <= 50; id++) {
    peer.send(packet(0x82, two(id), text(`t/${id}`), '00'));
    await peer.packet();
  }
  assert.equal(lines.length, 1);
  const { remoteAddress, ...facts } = lines[0]!.facts!;
  assert.match(String(remoteAddress), /^127\.0\.0\.1:\d+$/);
  assert.equal(lines[0]!.message, 'a limit is reached');
  assert.deepEqual(facts, { limit: 'sessionSubscriptions', refusals: 1, value: 1, connector: 'mqtt', clientId: 'a', filter: 't/2' });
  assert.deepEqual(refusals(broker), { sessionSubscriptions: 49 });
});
