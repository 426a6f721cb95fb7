import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBroker } from '../harness/mqtt-broker.ts';
import { bytes, userProperty } from '../harness/mqtt-bytes.ts';

const RETAIN_AS_PUBLISHED = 0x08;
const NO_LOCAL = 0x04;
const RETAIN_HANDLING_IF_NEW = 0x10;
const RETAIN_HANDLING_NEVER = 0x20;

for (const level of [3, 4, 5] as const) {
  test(`level ${level}: a retained message waits for later subscribers, the newest alone [MQTT-3.3.1-5] [MQTT-3.3.1-8] [MQTT-3.3.1-9] [MQTT-3.3.1-12] [MQTT3-3.3.1-8]`, async (t) => {
    const broker = await startBroker(t);
    const sender = await broker.client(level, { clientId: 'sender' });
    const early = await broker.client(level, { clientId: 'early' });
    const late = await broker.client(level, { clientId: 'late' });
    await early.subscribe({ 'r/#': 0 });
    for (const message of [
      { payload: 'old', retain: true, qos: 0 },
      { payload: 'new', retain: true, qos: 2 },
      { payload: 'not kept', retain: false, qos: 1 },
    ]) {
      await sender.publish({ topic: 'r/a', ...message });
      await early.expect(early.packets.publish({ topic: 'r/a', payload: message.payload }));
    }
    await late.subscribe({ 'r/+': 1 });
    await late.expect(late.packets.publish({ topic: 'r/a', payload: 'new', retain: true, qos: 1, id: 1 }));
    await late.expectNothing();
  });

  test(`level ${level}: an empty retained message removes what is kept, is delivered, and is not kept [MQTT-3.3.1-6] [MQTT-3.3.1-7]`, async (t) => {
    const broker = await startBroker(t);
    const sender = await broker.client(level, { clientId: 'sender' });
    const early = await broker.client(level, { clientId: 'early' });
    const late = await broker.client(level, { clientId: 'late' });
    await sender.publish({ topic: 'r', payload: 'kept', retain: true });
    await early.subscribe({ r: 0 });
    await early.expect(early.packets.publish({ topic: 'r', payload: 'kept', retain: true }));
    await sender.publish({ topic: 'r', payload: '', retain: true, qos: 1 });
    await early.expect(early.packets.publish({ topic: 'r' }));
    await late.subscribe({ r: 0, '#': 0 });
    await late.expectNothing();
  });
}

for (const level of [3, 4, 5] as const) {
  test(`level ${level}: retained messages do not end with the session that published them [MQTT3-3.1.2-7]`, async (t) => {
    const broker = await startBroker(t);
    const first = await broker.client(level, { clientId: 'a' });
    await first.publish({ topic: 'r', payload: 'kept', retain: true, qos: 1 });
    await first.disconnect();
    assert.equal(broker.broker.sessions.get('a'), undefined);
    const clean = await broker.client(level, { clientId: 'a' });
    await clean.subscribe({ r: 0 });
    await clean.expect(clean.packets.publish({ topic: 'r', payload: 'kept', retain: true }));
  });
}

test('overlapping subscriptions each bring their retained messages with their own identifier [MQTT-3.3.4-5]', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.client(5, { clientId: 'a' });
  await peer.publish({ topic: 'r/a', payload: 'x', retain: true });
  await peer.subscribe({ 'r/a': 0 }, '0b 01');
  await peer.expect(peer.packets.publish({ topic: 'r/a', payload: 'x', retain: true, properties: '0b 01' }));
  await peer.subscribe({ 'r/+': 0 }, '0b 02');
  await peer.expect(peer.packets.publish({ topic: 'r/a', payload: 'x', retain: true, properties: '0b 02' }));
});

test('retained messages come after SUBACK, once for each filter that matches', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.client(4, { clientId: 'a' });
  await peer.publish({ topic: 'r/a', payload: '1', retain: true });
  await peer.publish({ topic: 'r/b', payload: '2', retain: true });
  peer.send(peer.packets.subscribe(1, { 'r/a': 0, x: 1, 'r/+': 0 }));
  await peer.expect(peer.packets.suback(1, 0, 1, 0), peer.packets.publish({ topic: 'r/a', payload: '1', retain: true }));
  await peer.expectInAnyOrder(
    peer.packets.publish({ topic: 'r/a', payload: '1', retain: true }),
    peer.packets.publish({ topic: 'r/b', payload: '2', retain: true }),
  );
  await peer.expectNothing();
});

test('Retain Handling 0 sends them at every SUBSCRIBE, 1 for a new subscription, 2 never [MQTT-3.3.1-9] [MQTT-3.3.1-10] [MQTT-3.3.1-11] [MQTT-3.8.4-4]', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.client(5, { clientId: 'a' });
  await peer.publish({ topic: 'r', payload: 'x', retain: true });
  const retained = peer.packets.publish({ topic: 'r', payload: 'x', retain: true });
  await peer.subscribe({ r: 0 });
  await peer.expect(retained);
  await peer.subscribe({ r: 0 });
  await peer.expect(retained);
  await peer.subscribe({ r: RETAIN_HANDLING_IF_NEW });
  await peer.expectNothing();
  peer.send(peer.packets.unsubscribe(9, 'r'));
  await peer.expect(peer.packets.unsuback(9, 0));
  await peer.subscribe({ r: RETAIN_HANDLING_IF_NEW });
  await peer.expect(retained);
  await peer.subscribe({ r: RETAIN_HANDLING_NEVER, '+': RETAIN_HANDLING_NEVER });
  await peer.expectNothing();
});

test('with Retain As Published the flag arrives as it was published [MQTT-3.3.1-13]', async (t) => {
  const broker = await startBroker(t);
  const sender = await broker.client(4, { clientId: 'sender' });
  const keeps = await broker.client(5, { clientId: 'keeps' });
  const clears = await broker.client(5, { clientId: 'clears' });
  await keeps.subscribe({ r: RETAIN_AS_PUBLISHED });
  await clears.subscribe({ r: 0 });
  for (const retain of [true, false]) {
    await sender.publish({ topic: 'r', payload: 'x', retain });
    await keeps.expect(keeps.packets.publish({ topic: 'r', payload: 'x', retain }));
    await clears.expect(clears.packets.publish({ topic: 'r', payload: 'x' }));
  }
});

test('a retained message keeps its properties, and is sent with the identifier of the subscription', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.client(5, { clientId: 'a' });
  const sent = bytes('01 01', userProperty('a', 'b'));
  await peer.publish({ topic: 'r', payload: 'x', retain: true, properties: sent });
  await peer.subscribe({ r: 0 }, '0b ff01');
  await peer.expect(
    peer.packets.publish({ topic: 'r', payload: 'x', retain: true, properties: bytes('01 01', '0b ff01', userProperty('a', 'b')) }),
  );
});

test('an expired retained message is not sent; one that waited says how long it may still live [MQTT-3.3.2-5] [MQTT-3.3.2-6]', async (t) => {
  const broker = await startBroker(t, { fakeClock: true });
  const peer = await broker.client(5, { clientId: 'a' });
  await peer.publish({ topic: 'r', payload: 'x', retain: true, properties: '02 0000000a' });
  broker.pass(4_000);
  await peer.subscribe({ '#': 0 });
  await peer.expect(peer.packets.publish({ topic: 'r', payload: 'x', retain: true, properties: '02 00000006' }));
  broker.pass(6_000);
  await peer.subscribe({ '#': 0, r: 0 });
  await peer.expectNothing();
});

test('a shared subscription gets no retained messages (section 4.8.2)', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.client(5, { clientId: 'a' });
  await peer.publish({ topic: 'r', payload: 'x', retain: true });
  await peer.subscribe({ '$share/g/r': 0 });
  await peer.expectNothing();
});

test('No Local keeps a client’s own retained message from it, over reconnects too [MQTT-3.8.3-3]', async (t) => {
  const broker = await startBroker(t);
  const other = await broker.client(5, { clientId: 'other' });
  const first = await broker.client(5, { clientId: 'me' });
  await first.publish({ topic: 'r/me', payload: 'x', retain: true });
  await other.publish({ topic: 'r/other', payload: 'y', retain: true });
  await first.disconnect();
  const again = await broker.client(5, { clientId: 'me' });
  await again.subscribe({ 'r/#': NO_LOCAL });
  await again.expect(again.packets.publish({ topic: 'r/other', payload: 'y', retain: true }));
  await again.expectNothing();
});

test('wildcards do not match retained $ topics at the first level [MQTT-4.7.2-1]', async (t) => {
  const broker = await startBroker(t, { connector: { publishDollarTopics: true } });
  const peer = await broker.client(4, { clientId: 'a' });
  await peer.publish({ topic: '$mine/a', payload: 'x', retain: true });
  await peer.subscribe({ '#': 0, '+/a': 0, '+/#': 0 });
  await peer.expectNothing();
  await peer.subscribe({ '$mine/+': 0 });
  await peer.expect(peer.packets.publish({ topic: '$mine/a', payload: 'x', retain: true }));
});

test('thousands of retained messages reach a slow client whole, within its window', async (t) => {
  const broker = await startBroker(t);
  const sender = await broker.client(5, { clientId: 'sender' });
  const count = 3_000;
  const packets: Buffer[] = [];
  for (let i = 1; i <= count; i++) packets.push(sender.packets.publish({ topic: `r/${i}`, payload: `${i}`, qos: 1, id: i, retain: true }));
  sender.send(...packets);
  for (let i = 1; i <= count; i++) await sender.expectAcknowledgement(0x40, i);
  const receiver = await broker.client(5, { clientId: 'receiver', properties: '21 0003' });
  await receiver.subscribe({ 'r/#': 1 });
  for (let i = 1; i <= count; i++) {
    await receiver.expect(receiver.packets.publish({ topic: `r/${i}`, payload: `${i}`, qos: 1, id: i, retain: true }));
    receiver.send(receiver.packets.puback(i));
  }
  await receiver.expectNothing();
});

test('a retained message that was replaced while it waited for room is left out, its successor comes in its place [MQTT-4.6.0-5]', async (t) => {
  const broker = await startBroker(t);
  const sender = await broker.client(5, { clientId: 'sender' });
  for (const topic of ['r/1', 'r/2', 'r/3']) await sender.publish({ topic, payload: 'old', retain: true, qos: 1 });
  const receiver = await broker.client(5, { clientId: 'receiver', properties: '21 0001' });
  await receiver.subscribe({ 'r/#': 1 });
  await receiver.expect(receiver.packets.publish({ topic: 'r/1', payload: 'old', qos: 1, id: 1, retain: true }));
  await sender.publish({ topic: 'r/2', payload: 'new', retain: true, qos: 1 });
  await sender.publish({ topic: 'r/3', payload: '', retain: true, qos: 1 });
  receiver.send(receiver.packets.puback(1));
  await receiver.expect(receiver.packets.publish({ topic: 'r/2', payload: 'new', qos: 1, id: 2 }));
  receiver.send(receiver.packets.puback(2));
  await receiver.expect(receiver.packets.publish({ topic: 'r/3', qos: 1, id: 3 }));
  receiver.send(receiver.packets.puback(3));
  await receiver.expectNothing();
});

test('retained messages of a filter stand between what was published before and after the SUBSCRIBE', async (t) => {
  const broker = await startBroker(t);
  const sender = await broker.client(5, { clientId: 'sender' });
  const receiver = await broker.client(5, { clientId: 'receiver', properties: '21 0001' });
  await receiver.subscribe({ live: 1 });
  await sender.publish({ topic: 'r', payload: 'kept', retain: true, qos: 1 });
  await sender.publish({ topic: 'live', payload: '1', qos: 1 });
  await receiver.expect(receiver.packets.publish({ topic: 'live', payload: '1', qos: 1, id: 1 }));
  await sender.publish({ topic: 'live', payload: '2', qos: 1 });
  await receiver.subscribe({ r: 1 });
  await sender.publish({ topic: 'live', payload: '3', qos: 1 });
  receiver.send(receiver.packets.puback(1));
  await receiver.expect(receiver.packets.publish({ topic: 'live', payload: '2', qos: 1, id: 2 }));
  receiver.send(receiver.packets.puback(2));
  await receiver.expect(receiver.packets.publish({ topic: 'r', payload: 'kept', qos: 1, id: 3, retain: true }));
  receiver.send(receiver.packets.puback(3));
  await receiver.expect(receiver.packets.publish({ topic: 'live', payload: '3', qos: 1, id: 4 }));
});

test('beyond the limit a retained message is delivered and not kept; known topics are still replaced [MQTT-3.3.1-5]', async (t) => {
  const broker = await startBroker(t, { limits: { retainedMessages: 1 } });
  const peer = await broker.client(4, { clientId: 'a' });
  await peer.subscribe({ b: 0 });
  await peer.publish({ topic: 'a', payload: '1', retain: true });
  peer.send(peer.packets.publish({ topic: 'b', payload: '2', retain: true }));
  await peer.expect(peer.packets.publish({ topic: 'b', payload: '2' }));
  await peer.publish({ topic: 'a', payload: '3', retain: true });
  await peer.subscribe({ '+': 0 });
  await peer.expect(peer.packets.publish({ topic: 'a', payload: '3', retain: true }));
  await peer.expectNothing();
  assert.equal(broker.broker.retained.size, 1);
});

test('a retained message keeps the name of its publisher and nothing else of a session that has ended', async (t) => {
  const broker = await startBroker(t);
  const sender = await broker.client(4, { clientId: 'gone' });
  await sender.publish({ topic: 't', payload: 'x', retain: true });
  await sender.disconnect();
  assert.equal(broker.broker.sessions.size, 0);
  assert.deepEqual({ ...broker.broker.retained.get('t')!.publisher }, { id: 'gone', kind: 'client' });
});
