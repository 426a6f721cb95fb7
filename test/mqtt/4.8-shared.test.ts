import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBroker, type TestBroker } from '../harness/mqtt-broker.ts';
import type { MqttPeer } from '../harness/mqtt-peer.ts';

async function members(broker: TestBroker, count: number, filter: string, options = 1): Promise<MqttPeer[]> {
  const peers: MqttPeer[] = [];
  for (let i = 0; i < count; i++) {
    const peer = await broker.client(5, { clientId: `member ${i}` });
    await peer.subscribe({ [filter]: options });
    peers.push(peer);
  }
  return peers;
}

/** How many messages of the topic each has received, all of them asked with a ping. */
async function received(peers: readonly MqttPeer[]): Promise<number[]> {
  const counts: number[] = [];
  for (const peer of peers) {
    peer.send('c000');
    let count = 0;
    while ((await peer.packet()).header !== 0xd0) count++;
    counts.push(count);
  }
  return counts;
}

test('each message goes to one member of a shared subscription, in turns (section 4.8.2)', async (t) => {
  const broker = await startBroker(t);
  const peers = await members(broker, 3, '$share/g/a/+');
  const sender = await broker.client(4, { clientId: 's' });
  for (let i = 0; i < 9; i++) await sender.publish({ topic: 'a/b', qos: 1 });
  assert.deepEqual(await received(peers), [3, 3, 3]);
});

test('MQTT 3.1.1 clients share as well', async (t) => {
  const broker = await startBroker(t);
  const [a, b] = [await broker.client(4, { clientId: 'a' }), await broker.client(3, { clientId: 'b' })];
  for (const peer of [a, b]) await peer.subscribe({ '$share/g/x': 0 });
  const sender = await broker.client(4, { clientId: 's' });
  for (let i = 0; i < 4; i++) await sender.publish({ topic: 'x' });
  assert.deepEqual(await received([a, b]), [2, 2]);
});

test('groups, and the same filter unshared, are subscriptions of their own', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.client(5, { clientId: 'a' });
  await peer.subscribe({ '$share/g/x': 1, '$share/h/x': 0, '$share/g/+': 0, x: 1 });
  const sender = await broker.client(4, { clientId: 's' });
  await sender.publish({ topic: 'x', qos: 1 });
  assert.deepEqual(await received([peer]), [4]);
  peer.send(peer.packets.unsubscribe(1, '$share/g/x', 'x'));
  await peer.expect(peer.packets.unsuback(1, 0, 0));
  await sender.publish({ topic: 'x', qos: 1 });
  assert.deepEqual(await received([peer]), [2]);
});

test('each member has its own QoS, its own identifier and its own Retain As Published [MQTT-4.8.2-3]', async (t) => {
  const broker = await startBroker(t);
  const low = await broker.client(5, { clientId: 'low' });
  await low.subscribe({ '$share/g/x': 0 }, '0b 05');
  const high = await broker.client(5, { clientId: 'high' });
  await high.subscribe({ '$share/g/x': 0x08 | 2 });
  const sender = await broker.client(4, { clientId: 's' });
  for (let i = 0; i < 2; i++) await sender.publish({ topic: 'x', qos: 2, payload: 'p', retain: true });
  await low.expect(low.packets.publish({ topic: 'x', payload: 'p', properties: '0b 05' }));
  await high.expect(high.packets.publish({ topic: 'x', payload: 'p', qos: 2, id: 1, retain: true }));
});

test('a message goes to members that are there before it goes to one that is away', async (t) => {
  const broker = await startBroker(t);
  const away = await broker.client(5, { clientId: 'away', properties: '11 ffffffff' });
  await away.subscribe({ '$share/g/x': 1 });
  const peers = await members(broker, 2, '$share/g/x');
  await away.destroy();
  await broker.disconnected('away');
  const sender = await broker.client(4, { clientId: 's' });
  for (let i = 0; i < 6; i++) await sender.publish({ topic: 'x', qos: i % 2 });
  assert.deepEqual(await received(peers), [3, 3]);
  const back = await broker.client(5, { clientId: 'away', clean: false }, true);
  await back.expectNothing();
});

test('a member whose window is full is passed over while others have room', async (t) => {
  const broker = await startBroker(t);
  const slow = await broker.client(5, { clientId: 'slow', properties: '21 0001' });
  await slow.subscribe({ '$share/g/x': 1 });
  const [fast] = await members(broker, 1, '$share/g/x');
  const sender = await broker.client(4, { clientId: 's' });
  for (let i = 0; i < 10; i++) await sender.publish({ topic: 'x', qos: 1 });
  assert.deepEqual(await received([slow, fast!]), [1, 9]);
});

test('when all are away messages wait with them', async (t) => {
  const broker = await startBroker(t);
  for (const clientId of ['one', 'two']) {
    const peer = await broker.client(5, { clientId, properties: '11 ffffffff' });
    await peer.subscribe({ '$share/g/x': 1 });
    await peer.destroy();
    await broker.disconnected(clientId);
  }
  const sender = await broker.client(4, { clientId: 's' });
  for (let i = 0; i < 6; i++) await sender.publish({ topic: 'x', qos: 1 });
  const one = await broker.client(5, { clientId: 'one', clean: false }, true);
  const two = await broker.client(5, { clientId: 'two', clean: false }, true);
  assert.deepEqual(await received([one, two]), [3, 3]);
});

test('a QoS 2 delivery cut off is completed with the same client, and with no other when its session ends [MQTT-4.8.2-4] [MQTT-4.8.2-5]', async (t) => {
  const broker = await startBroker(t);
  const first = await broker.client(5, { clientId: 'first', properties: '11 ffffffff' });
  await first.subscribe({ '$share/g/x': 2 });
  const sender = await broker.client(4, { clientId: 's' });
  await sender.publish({ topic: 'x', qos: 2 });
  await first.expect(first.packets.publish({ topic: 'x', qos: 2, id: 1 }));
  const [second] = await members(broker, 1, '$share/g/x', 2);
  await first.destroy();
  await broker.disconnected('first');
  const again = await broker.client(5, { clientId: 'first', clean: false, properties: '11 ffffffff' }, true);
  await again.expect(again.packets.publish({ topic: 'x', qos: 2, id: 1, dup: true }));
  await second!.expectNothing();
  await again.disconnect(0, '11 00000000');
  await second!.expectNothing();
});

for (const [qos, answer] of [
  [1, 'puback'],
  [2, 'pubrec'],
] as const) {
  test(`a message refused with ${answer.toUpperCase()} goes to no other member [MQTT-4.8.2-6]`, async (t) => {
    const broker = await startBroker(t);
    const [first, second] = (await members(broker, 2, '$share/g/x', qos)) as [MqttPeer, MqttPeer];
    const sender = await broker.client(4, { clientId: 's' });
    await sender.publish({ topic: 'x', qos });
    await first.expect(first.packets.publish({ topic: 'x', qos, id: 1 }));
    first.send(first.packets[answer](1, 0x80));
    await first.expectNothing();
    await first.disconnect();
    await second.expectNothing();
  });
}

test('what a member leaves unacknowledged at QoS 1, or was never sent, goes to another member when its session ends', async (t) => {
  const broker = await startBroker(t);
  const first = await broker.client(5, { clientId: 'first', properties: '21 0002' });
  await first.subscribe({ '$share/g/x': 2 });
  const sender = await broker.client(4, { clientId: 's' });
  const sent = ['a1', 'b2', 'c1', 'd2', 'e2'];
  for (const payload of sent) await sender.publish({ topic: 'x', qos: Number(payload[1]), payload });
  await first.expect(
    first.packets.publish({ topic: 'x', qos: 1, id: 1, payload: 'a1' }),
    first.packets.publish({ topic: 'x', qos: 2, id: 2, payload: 'b2' }),
  );
  const [second] = (await members(broker, 1, '$share/g/x', 2)) as [MqttPeer];
  await first.disconnect();
  // In their order, and b2 to nobody [MQTT-4.8.2-5].
  await second.expect(
    second.packets.publish({ topic: 'x', qos: 1, id: 1, payload: 'a1' }),
    second.packets.publish({ topic: 'x', qos: 1, id: 2, payload: 'c1' }),
    second.packets.publish({ topic: 'x', qos: 2, id: 3, payload: 'd2' }),
    second.packets.publish({ topic: 'x', qos: 2, id: 4, payload: 'e2' }),
  );
  await second.expectNothing();
});

for (const [how, ends] of [
  ['expires', (broker: TestBroker) => broker.pass(11_000)],
  ['is begun anew', async (broker: TestBroker) => (await broker.client(5, { clientId: 'away' })).expectNothing()],
] as const) {
  test(`what waits for a member that is away goes to another one when its session ${how}, but not what has expired`, async (t) => {
    const broker = await startBroker(t, { fakeClock: true });
    const away = await broker.client(5, { clientId: 'away', properties: '11 0000000a' });
    await away.subscribe({ '$share/g/x': 1, '$share/h/x': 1, x: 1 });
    await away.destroy();
    await broker.disconnected('away');
    const sender = await broker.client(5, { clientId: 's' });
    await sender.publish({ topic: 'x', qos: 1, payload: 'short', properties: '02 00000005' });
    await sender.publish({ topic: 'x', qos: 1, payload: 'long', properties: '02 00000064' });
    const [there] = (await members(broker, 1, '$share/g/x')) as [MqttPeer];
    broker.pass(6_000);
    await there.expectNothing();
    await ends(broker);
    // Of group g alone: the ordinary subscription's copy and that of the group without other members are gone with the session.
    const { body } = await there.packet();
    const expiry = body.indexOf(Buffer.from('0200', 'hex'));
    assert.ok(body.toString('latin1').endsWith('long'));
    assert.equal(body.readUInt32BE(expiry + 1), how === 'expires' ? 100 - 17 : 100 - 6, 'remaining expiry [MQTT-3.3.2-6]');
    await there.expectNothing();
  });
}

test('a member whose queue is full is passed over for one that is away and has room', async (t) => {
  const broker = await startBroker(t, { limits: { sessionQueueMessages: 3 } });
  const away: string[] = ['one', 'two'];
  for (const clientId of away) {
    const peer = await broker.client(5, { clientId, properties: '11 ffffffff' });
    await peer.subscribe({ '$share/g/x': 1, [clientId]: 1 });
    await peer.destroy();
    await broker.disconnected(clientId);
  }
  const sender = await broker.client(4, { clientId: 's' });
  for (const topic of ['one', 'one', 'one', 'x', 'x', 'x']) await sender.publish({ topic, qos: 1 });
  assert.equal(broker.broker.counters.dropped, 0);
});

test('a member that takes over its own session keeps what waits for it', async (t) => {
  const broker = await startBroker(t);
  const first = await broker.client(5, { clientId: 'first', properties: '11 ffffffff' });
  await first.subscribe({ '$share/g/x': 1 });
  const sender = await broker.client(4, { clientId: 's' });
  await sender.publish({ topic: 'x', qos: 1 });
  await first.expect(first.packets.publish({ topic: 'x', qos: 1, id: 1 }));
  const [second] = (await members(broker, 1, '$share/g/x')) as [MqttPeer];
  const again = await broker.client(5, { clientId: 'first', clean: false, properties: '11 ffffffff' }, true);
  await again.expect(again.packets.publish({ topic: 'x', qos: 1, id: 1, dup: true }));
  await second.expectNothing();
  again.send(again.packets.puback(1));
  // Both are there and take turns.
  for (let i = 0; i < 4; i++) await sender.publish({ topic: 'x', qos: 1 });
  assert.deepEqual(await received([again, second]), [2, 2]);
});

test('a client with an ordinary subscription and a shared one gets a copy by each, with its own QoS and identifier', async (t) => {
  const broker = await startBroker(t);
  const both = await broker.client(5, { clientId: 'both' });
  await both.subscribe({ '$share/g/a/#': 0 }, '0b 01');
  await both.subscribe({ 'a/+': 1, 'a/b': 2 }, '0b 02');
  const sender = await broker.client(4, { clientId: 's' });
  await sender.publish({ topic: 'a/b', qos: 2 });
  await both.expectInAnyOrder(
    both.packets.publish({ topic: 'a/b', properties: '0b 01' }),
    both.packets.publish({ topic: 'a/b', qos: 2, id: 1, properties: '0b 02 0b 02' }),
  );
  await both.expectNothing();
});

test('a member that leaves takes its turn along', async (t) => {
  const broker = await startBroker(t);
  const peers = await members(broker, 3, '$share/g/x');
  const sender = await broker.client(4, { clientId: 's' });
  await sender.publish({ topic: 'x', qos: 1 });
  await peers[1]!.disconnect();
  for (let i = 0; i < 5; i++) await sender.publish({ topic: 'x', qos: 1 });
  assert.deepEqual(await received([peers[0]!, peers[2]!]), [3, 3]);
});

test('$share without a slash behind it, and $shared/..., are ordinary filters', async (t) => {
  const broker = await startBroker(t, { connector: { publishDollarTopics: true } });
  const peer = await broker.client(5, { clientId: 'a' });
  await peer.subscribe({ $share: 0, '$shared/g/x': 0 });
  peer.send(peer.packets.publish({ topic: '$share' }), peer.packets.publish({ topic: '$shared/g/x' }));
  await peer.expect(peer.packets.publish({ topic: '$share' }), peer.packets.publish({ topic: '$shared/g/x' }));
});
