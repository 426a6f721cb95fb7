import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBroker, type TestBroker } from '../harness/mqtt-broker.ts';
import type { ConnectFields } from '../harness/mqtt-bytes.ts';
import type { MqttPeer } from '../harness/mqtt-peer.ts';

/** CONNECT of a session that outlives its connection, by level. */
const KEPT: Record<3 | 4 | 5, ConnectFields> = {
  3: { clientId: 'a', clean: false },
  4: { clientId: 'a', clean: false },
  5: { clientId: 'a', clean: false, properties: '11 ffffffff' },
};

const LEVELS = [3, 4, 5] as const;

async function gone(broker: TestBroker, peer: MqttPeer): Promise<void> {
  await peer.destroy();
  await broker.disconnected('a');
}

for (const level of LEVELS) {
  test(`level ${level}: a kept session has its subscriptions and what came for them, in order [MQTT-3.1.2-5] [MQTT-3.1.2-6] [MQTT-3.1.2-23] [MQTT-3.1.3-2] [MQTT-3.2.2-1] [MQTT-3.2.2-3] [MQTT-4.5.0-1]`, async (t) => {
    const broker = await startBroker(t);
    const sender = await broker.client(level, { clientId: 'b' });
    const first = await broker.client(level, KEPT[level]);
    await first.subscribe({ 'a/+': 2, b: 1 });
    await gone(broker, first);
    for (const [i, qos] of [1, 2, 0, 1, 2].entries()) await sender.publish({ topic: 'a/x', payload: `${i}`, qos });
    const again = await broker.client(level, KEPT[level], true);
    await again.expect(
      again.packets.publish({ topic: 'a/x', payload: '0', qos: 1, id: 1 }),
      again.packets.publish({ topic: 'a/x', payload: '1', qos: 2, id: 2 }),
      again.packets.publish({ topic: 'a/x', payload: '3', qos: 1, id: 3 }),
      again.packets.publish({ topic: 'a/x', payload: '4', qos: 2, id: 4 }),
    );
    await sender.publish({ topic: 'b', qos: 1 });
    await again.expect(again.packets.publish({ topic: 'b', qos: 1, id: 5 }));
    await again.expectNothing();
  });

  test(`level ${level}: a clean start discards the session [MQTT-3.1.2-4] [MQTT-3.1.4-4] [MQTT-3.2.2-2]`, async (t) => {
    const broker = await startBroker(t);
    const sender = await broker.client(level, { clientId: 'b' });
    const first = await broker.client(level, KEPT[level]);
    await first.subscribe({ a: 1 });
    await gone(broker, first);
    await sender.publish({ topic: 'a', qos: 1 });
    const clean = await broker.client(level, { ...KEPT[level], clean: true }, false);
    await clean.expectNothing();
    await sender.publish({ topic: 'a', qos: 1 });
    await clean.expectNothing();
    assert.equal(broker.broker.router.size, 0);
  });

  test(`level ${level}: a session that was begun clean ends with its connection [MQTT-4.1.0-2] [MQTT-3.1.2-6]`, async (t) => {
    const broker = await startBroker(t);
    const first = await broker.client(level, { clientId: 'a' });
    await first.subscribe({ a: 1 });
    await gone(broker, first);
    assert.equal(broker.broker.sessions.size, 0);
    assert.equal(broker.broker.router.size, 0);
    await broker.client(level, { clientId: 'a', clean: level === 3 }, false);
  });

  test(`level ${level}: sessions are told apart by the client identifier, byte by byte [MQTT-3.1.3-2]`, async (t) => {
    const broker = await startBroker(t);
    const ids = ['a', 'A', 'a ', 'ä', 'a\u0308'];
    for (const clientId of ids) {
      const peer = await broker.client(level, { ...KEPT[level], clientId });
      await peer.subscribe({ [`of/${clientId}`]: 1 });
      await peer.destroy();
      await broker.disconnected(clientId);
    }
    const sender = await broker.client(level, { clientId: 'b' });
    for (const clientId of ids) await sender.publish({ topic: `of/${clientId}`, qos: 1 });
    for (const clientId of ids) {
      const peer = await broker.client(level, { ...KEPT[level], clientId }, true);
      await peer.expect(peer.packets.publish({ topic: `of/${clientId}`, qos: 1, id: 1 }));
      await peer.expectNothing();
    }
  });

  test(`level ${level}: a session is whole while its connection lasts, however long that is [MQTT-4.1.0-1]`, async (t) => {
    const broker = await startBroker(t, { fakeClock: true });
    const peer = await broker.client(level, { clientId: 'a' });
    await peer.subscribe({ a: 2 });
    peer.send(peer.packets.publish({ topic: 'x', qos: 2, id: 9 }));
    await peer.expectAcknowledgement(0x50, 9);
    broker.pass(10 * 365 * 86_400_000);
    const sender = await broker.client(level, { clientId: 'b' });
    await sender.publish({ topic: 'a', qos: 2 });
    await peer.expect(peer.packets.publish({ topic: 'a', qos: 2, id: 1 }));
    peer.send(peer.packets.publish({ topic: 'x', qos: 2, id: 9, dup: true }), peer.packets.pubrel(9));
    await peer.expect(peer.packets.pubrec(9), peer.packets.pubcomp(9));
  });

  test(`level ${level}: the newer connection takes the client over, and its session [MQTT-3.1.4-3]`, async (t) => {
    const broker = await startBroker(t);
    const old = await broker.client(level, KEPT[level]);
    await old.subscribe({ a: 1 });
    const newer = await broker.client(level, KEPT[level], true);
    await old.expectEnd(0x8e);
    const sender = await broker.client(level, { clientId: 'b' });
    await sender.publish({ topic: 'a', qos: 1 });
    await newer.expect(newer.packets.publish({ topic: 'a', qos: 1, id: 1 }));
    const clean = await broker.client(level, { clientId: 'a' }, false);
    await newer.expectEnd(0x8e);
    await clean.expectNothing();
    assert.equal(broker.broker.sessions.size, 2);
  });
}

test('MQTT 3.1: CONNACK has no Session Present flag, also where a session goes on', async (t) => {
  const broker = await startBroker(t);
  const first = await broker.client(3, KEPT[3]);
  await first.subscribe({ a: 1 });
  await gone(broker, first);
  const again = await broker.dial({ level: 3 });
  again.send(again.packets.connect(KEPT[3]), again.packets.publish({ topic: 'a', payload: 'x' }));
  await again.expect("20 02 00 00  30 04 0001 'a' 'x'");
});

test('an MQTT 5 session without an expiry ends with its connection, also without Clean Start [MQTT-4.1.0-2]', async (t) => {
  const broker = await startBroker(t);
  const first = await broker.client(5, { clientId: 'a', clean: false });
  await gone(broker, first);
  await broker.client(5, { clientId: 'a', clean: false }, false);
});

test('a session of a clean start can be kept: Clean Start and Session Expiry Interval are two things (section 3.1.2.11.2)', async (t) => {
  const broker = await startBroker(t);
  const first = await broker.client(5, { clientId: 'a', clean: true, properties: '11 0000000a' });
  await gone(broker, first);
  await broker.client(5, { clientId: 'a', clean: false }, true);
});

test('a session ends when its expiry has passed without a connection, and no sooner [MQTT-4.1.0-1] [MQTT-4.1.0-2]', async (t) => {
  const broker = await startBroker(t, { fakeClock: true });
  const first = await broker.client(5, { clientId: 'a', properties: '11 0000000a' });
  await first.subscribe({ a: 1 });
  broker.pass(100_000);
  await gone(broker, first);
  broker.pass(9_800);
  const again = await broker.client(5, { clientId: 'a', clean: false, properties: '11 0000000a' }, true);
  broker.pass(100_000);
  await gone(broker, again);
  broker.pass(10_200);
  assert.equal(broker.broker.sessions.size, 0);
  assert.equal(broker.broker.router.size, 0);
  await broker.client(5, { clientId: 'a', clean: false }, false);
});

test('an expiry of 0xffffffff never passes (section 3.1.2.11.2)', async (t) => {
  const broker = await startBroker(t, { fakeClock: true });
  const first = await broker.client(5, { clientId: 'a', properties: '11 ffffffff' });
  await gone(broker, first);
  broker.pass(10 * 365 * 86_400_000);
  await broker.client(5, { clientId: 'a', clean: false }, true);
});

test('the expiry of the last CONNECT counts (section 3.1.2.11.2)', async (t) => {
  const broker = await startBroker(t, { fakeClock: true });
  await gone(broker, await broker.client(5, { clientId: 'a', properties: '11 ffffffff' }));
  await gone(broker, await broker.client(5, { clientId: 'a', clean: false, properties: '11 00000002' }, true));
  broker.pass(2_200);
  await broker.client(5, { clientId: 'a', clean: false }, false);
});

test('a session goes from version to version with its client', async (t) => {
  const broker = await startBroker(t);
  const sender = await broker.client(4, { clientId: 'b' });
  const v5 = await broker.client(5, KEPT[5]);
  await v5.subscribe({ a: 1 }, '0b 07');
  await gone(broker, v5);
  await sender.publish({ topic: 'a', payload: '1', qos: 1 });
  const v4 = await broker.client(4, KEPT[4], true);
  await v4.expect(v4.packets.publish({ topic: 'a', payload: '1', qos: 1, id: 1 }));
  await gone(broker, v4);
  const v3 = await broker.client(3, KEPT[3]);
  await v3.expect(v3.packets.publish({ topic: 'a', payload: '1', qos: 1, id: 1, dup: true }));
});

test('what a session holds for an absent client is bounded in messages, the newest are refused [MQTT-4.5.0-1]', async (t) => {
  const broker = await startBroker(t, { limits: { sessionQueueMessages: 3 } });
  const sender = await broker.client(4, { clientId: 'b' });
  const first = await broker.client(4, KEPT[4]);
  await first.subscribe({ a: 1 });
  await gone(broker, first);
  for (let i = 0; i < 5; i++) await sender.publish({ topic: 'a', payload: `${i}`, qos: 1 });
  const again = await broker.client(4, KEPT[4], true);
  for (let i = 0; i < 3; i++) await again.expect(again.packets.publish({ topic: 'a', payload: `${i}`, qos: 1, id: i + 1 }));
  await again.expectNothing();
  assert.equal(broker.broker.counters.dropped, 2);
});

test('what a session holds is bounded in bytes, in flight and waiting [MQTT-4.5.0-1]', async (t) => {
  const broker = await startBroker(t, { limits: { sessionQueueBytes: 1_000, inflightMessages: 2 } });
  const sender = await broker.client(4, { clientId: 'b' });
  const peer = await broker.client(4, KEPT[4]);
  await peer.subscribe({ a: 1 });
  const payload = Buffer.alloc(300);
  for (let i = 0; i < 5; i++) await sender.publish({ topic: 'a', payload, qos: 1 });
  const message = (id: number) => peer.packets.publish({ topic: 'a', payload, qos: 1, id });
  await peer.expect(message(1), message(2));
  peer.send(peer.packets.puback(1));
  await peer.expect(message(3));
  peer.send(peer.packets.puback(2), peer.packets.puback(3));
  await peer.expectNothing();
  for (let i = 0; i < 4; i++) await sender.publish({ topic: 'a', payload, qos: 1 });
  await peer.expect(message(4), message(5));
  peer.send(peer.packets.puback(4), peer.packets.puback(5));
  await peer.expect(message(6));
  assert.equal(broker.broker.counters.dropped, 3);
});

test('a message that expires while it waits is not delivered; the others are [MQTT-3.3.2-5] [MQTT-3.3.2-6]', async (t) => {
  const broker = await startBroker(t, { fakeClock: true });
  const sender = await broker.client(5, { clientId: 'b' });
  const first = await broker.client(5, KEPT[5]);
  await first.subscribe({ a: 1 });
  await gone(broker, first);
  await sender.publish({ topic: 'a', payload: 'short', qos: 1, properties: '02 00000002' });
  await sender.publish({ topic: 'a', payload: 'long', qos: 1, properties: '02 00000064' });
  await sender.publish({ topic: 'a', payload: 'none', qos: 1, properties: '02 00000000' });
  await sender.publish({ topic: 'a', payload: 'for ever', qos: 1 });
  broker.pass(10_000);
  const again = await broker.client(5, KEPT[5], true);
  await again.expect(
    again.packets.publish({ topic: 'a', payload: 'long', qos: 1, id: 2, properties: '02 0000005a' }),
    again.packets.publish({ topic: 'a', payload: 'for ever', qos: 1, id: 4 }),
  );
  await again.expectNothing();
});

test('an expiry is passed on as it was received when a message does not wait [MQTT-3.3.2-6]', async (t) => {
  const broker = await startBroker(t, { fakeClock: true });
  const peer = await broker.client(5, { clientId: 'a' });
  await peer.subscribe({ a: 0 });
  for (const expiry of ['00000000', '00000001', 'ffffffff']) {
    peer.send(peer.packets.publish({ topic: 'a', properties: `02 ${expiry}` }));
    await peer.expect(peer.packets.publish({ topic: 'a', properties: `02 ${expiry}` }));
  }
});

test('a message that has been sent is sent again however long ago it expired [MQTT-4.3.3-7]', async (t) => {
  const broker = await startBroker(t, { fakeClock: true });
  const sender = await broker.client(5, { clientId: 'b' });
  const first = await broker.client(5, KEPT[5]);
  await first.subscribe({ a: 2 });
  await sender.publish({ topic: 'a', qos: 2, properties: '02 00000002' });
  await first.expect(first.packets.publish({ topic: 'a', qos: 2, id: 1, properties: '02 00000002' }));
  await gone(broker, first);
  broker.pass(10_000);
  const again = await broker.client(5, KEPT[5], true);
  await again.expect(again.packets.publish({ topic: 'a', qos: 2, id: 1, dup: true, properties: '02 00000000' }));
});

test('a QoS 2 exchange with a client goes on though its message has expired [MQTT-4.3.3-13]', async (t) => {
  const broker = await startBroker(t, { fakeClock: true });
  const watcher = await broker.client(5, { ...KEPT[5], clientId: 'w' });
  await watcher.subscribe({ a: 2 });
  await watcher.destroy();
  await broker.disconnected('w');
  const peer = await broker.client(5, { clientId: 'a' });
  const message = { topic: 'a', qos: 2, id: 7, properties: '02 00000002' };
  peer.send(peer.packets.publish(message));
  await peer.expect(peer.packets.pubrec(7));
  broker.pass(10_000);
  peer.send(peer.packets.publish({ ...message, dup: true }), peer.packets.pubrel(7));
  await peer.expect(peer.packets.pubrec(7), peer.packets.pubcomp(7));
  const back = await broker.client(5, { ...KEPT[5], clientId: 'w' }, true);
  await back.expectNothing();
});

test('many take-overs in a row leave one session and one connection', async (t) => {
  const broker = await startBroker(t);
  const peers: MqttPeer[] = [];
  for (let i = 0; i < 50; i++)
    peers.push(await broker.client(5, { clientId: 'a', clean: i % 2 === 0, properties: '11 00000064' }, i % 2 === 1));
  for (const peer of peers.slice(0, -1)) await peer.expectDisconnect(0x8e);
  await peers.at(-1)!.expectNothing();
  assert.equal(broker.broker.sessions.size, 1);
  await broker.until(() => broker.connections === 1, 'the old connections to close');
});
