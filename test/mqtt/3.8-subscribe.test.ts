import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cluster } from '../../src/core/ports.ts';
import { startBroker } from '../harness/mqtt-broker.ts';
import { bytes, PINGREQ, PINGRESP, packet, properties, text, two, userProperty } from '../harness/mqtt-bytes.ts';

const LEVELS = [3, 4, 5] as const;
const NO_LOCAL = 0x04;

test('SUBACK has the identifier of its SUBSCRIBE and a code for each filter, in their order [MQTT-3.8.4-1] [MQTT-3.8.4-2] [MQTT-3.8.4-5] [MQTT-3.8.4-6] [MQTT-3.8.4-7] [MQTT-3.9.3-1] [MQTT-2.2.1-6]', async (t) => {
  const broker = await startBroker(t);
  const v4 = await broker.client(4, { clientId: 'v4' });
  v4.send("82 0e 1234 0001 'a' 02 0001 'b' 00 0001 'c' 01");
  await v4.expect('90 05 1234 02 00 01');
  const v5 = await broker.client(5, { clientId: 'v5' });
  v5.send("82 0f ffff 00 0001 'a' 02 0001 'b' 00 0001 'c' 01");
  await v5.expect('90 06 ffff 00 02 00 01');
});

/** SUBSCRIBE packets that end the connection. */
const WRONG: { what: string; reason: number; v4?: string; v5?: string }[] = [
  { what: 'flags 0000 [MQTT-3.8.1-1]', reason: 0x81, v4: "80 06 0001 0001 'a' 00", v5: "80 07 0001 00 0001 'a' 00" },
  { what: 'flags 0011 [MQTT-3.8.1-1]', reason: 0x81, v4: "83 06 0001 0001 'a' 00", v5: "83 07 0001 00 0001 'a' 00" },
  { what: 'Packet Identifier 0 [MQTT-2.2.1-3]', reason: 0x82, v4: "82 06 0000 0001 'a' 00", v5: "82 07 0000 00 0001 'a' 00" },
  { what: 'no filter [MQTT-3.8.3-2]', reason: 0x82, v4: '82 02 0001', v5: '82 03 0001 00' },
  { what: 'nothing', reason: 0x81, v4: '82 00', v5: '82 00' },
  { what: 'no properties', reason: 0x81, v5: '82 02 0001' },
  { what: 'a filter without options', reason: 0x81, v4: "82 05 0001 0001 'a'", v5: "82 06 0001 00 0001 'a'" },
  { what: 'a filter that is cut off', reason: 0x81, v4: "82 05 0001 0002 'a'", v5: "82 06 0001 00 0002 'a'" },
  { what: 'a second filter that is cut off', reason: 0x81, v4: "82 08 0001 0001 'a' 00 0001", v5: "82 09 0001 00 0001 'a' 00 0001" },
  { what: 'a filter that is no UTF-8 [MQTT-3.8.3-1]', reason: 0x81, v4: '82 06 0001 0001 ff 00', v5: '82 07 0001 00 0001 ff 00' },
  { what: 'U+0000 in a filter [MQTT-4.7.3-2]', reason: 0x81, v4: '82 06 0001 0001 00 00', v5: '82 07 0001 00 0001 00 00' },
  { what: 'QoS 3 [MQTT3-3.8.3-4] (section 3.8.3.1)', reason: 0x82, v4: "82 06 0001 0001 'a' 03", v5: "82 07 0001 00 0001 'a' 03" },
  { what: 'Retain Handling 3 (section 3.8.3.1)', reason: 0x82, v5: "82 07 0001 00 0001 'a' 30" },
  {
    what: 'reserved option bits [MQTT-3.8.3-5] [MQTT3-3.8.3-4]',
    reason: 0x81,
    v4: "82 06 0001 0001 'a' 04",
    v5: "82 07 0001 00 0001 'a' 40",
  },
  { what: 'the highest reserved option bit [MQTT-3.8.3-5]', reason: 0x81, v4: "82 06 0001 0001 'a' 80", v5: "82 07 0001 00 0001 'a' 80" },
  {
    what: 'No Local on a shared subscription [MQTT-3.8.3-4]',
    reason: 0x82,
    v5: "82 10 0001 00 000a '$share/g/a' 04",
  },
  { what: 'a Subscription Identifier of 0 (section 3.8.2.1.2)', reason: 0x82, v5: "82 09 0001 02 0b00 0001 'a' 00" },
  { what: 'two Subscription Identifiers (section 3.8.2.1.2)', reason: 0x82, v5: "82 0b 0001 04 0b01 0b02 0001 'a' 00" },
  { what: 'a Subscription Identifier of five bytes', reason: 0x81, v5: "82 0d 0001 06 0b8080808001 0001 'a' 00" },
  { what: 'a Reason String (section 2.2.2.2)', reason: 0x81, v5: "82 0a 0001 03 1f0000 0001 'a' 00" },
];

for (const { what, reason, v4, v5 } of WRONG) {
  test(`SUBSCRIBE with ${what} ends the connection`, async (t) => {
    const broker = await startBroker(t);
    for (const [level, wrong] of [[4, v4] as const, [5, v5] as const]) {
      if (wrong === undefined) continue;
      const peer = await broker.client(level, { clientId: 'a' });
      peer.send(wrong, PINGREQ);
      await peer.expectEnd(reason);
    }
    assert.equal(broker.broker.router.size, 0);
  });
}

test('a SUBSCRIBE that is refused as a whole has no effect, whichever of its filters is wrong', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.client(5, { clientId: 'a', clean: false, properties: '11 ffffffff' });
  peer.send(peer.packets.subscribe(1, { fine: 1, '$share/g/a': NO_LOCAL }));
  await peer.expectDisconnect(0x82);
  assert.equal(broker.broker.router.size, 0);
  const v4 = await broker.client(4, { clientId: 'v4', clean: false });
  v4.send(v4.packets.subscribe(1, { fine: 1, 'a#': 0 }));
  await v4.expectClose();
  assert.equal(broker.broker.router.size, 0);
});

const INVALID_FILTERS = [
  '',
  'a#',
  '#/a',
  'a/#/b',
  'a+',
  '+a',
  'a/b+/c',
  '##',
  '++',
  '$share/',
  '$share/g',
  '$share/g/',
  '$share//a',
  '$share/+/a',
  '$share/a#/a',
  '$share/g/a#',
];

test('MQTT 5 refuses the filter that is none and takes the others [MQTT-3.8.4-5] [MQTT-3.8.4-7] [MQTT-3.9.3-2] [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.3-1] [MQTT-4.8.2-1] [MQTT-4.8.2-2]', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.client(5, { clientId: 'a', properties: '17 00' });
  for (const filter of INVALID_FILTERS) {
    peer.send(packet(0x82, two(7), '00', text('first'), '01', text(filter), '01', text('last'), '02'));
    await peer.expect('90 06 0007 00 01 8f 02');
  }
  peer.send(peer.packets.publish({ topic: 'last' }));
  await peer.expect(peer.packets.publish({ topic: 'last' }));
});

test('a SUBACK that refuses has the reason in words, for a client that wants it and has room for it [MQTT-3.1.2-29] [MQTT-3.9.2-1]', async (t) => {
  const broker = await startBroker(t, { limits: { sessionSubscriptions: 1 } });
  const words = 'a session has at most 1 subscriptions';
  for (const [asked, said] of [
    ['', bytes('1f', text(words))],
    ['17 00', ''],
    ['27 0000002f', bytes('1f', text(words))],
    ['27 0000002e', ''],
  ] as const) {
    const peer = await broker.client(5, { clientId: 'a', properties: asked });
    peer.send(peer.packets.subscribe(1, { a: 1, b: 1 }));
    await peer.expect(packet(0x90, two(1), properties(said), '01 97'));
  }
});

test('before MQTT 5 a filter that is none ends the connection [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.3-1] [MQTT-4.8.2-1] [MQTT-4.8.2-2]', async (t) => {
  const broker = await startBroker(t);
  for (const level of [3, 4] as const) {
    for (const filter of INVALID_FILTERS) {
      const peer = await broker.client(level, { clientId: 'a' });
      peer.send(packet(0x82, two(7), text(filter), '01'));
      await peer.expectClose();
    }
  }
});

test('a filter with more levels than are served is refused alone; MQTT 3.1, which has no code for it, gets that of MQTT 3.1.1 [MQTT-3.8.4-5] [MQTT-3.8.4-7] [MQTT-3.9.3-2] [MQTT3-3.9.3-2]', async (t) => {
  const broker = await startBroker(t, { limits: { topicLevels: 3 } });
  for (const level of LEVELS) {
    const peer = await broker.client(level, { clientId: 'a', properties: '17 00' });
    peer.send(peer.packets.subscribe(1, { 'a/b/c': 1, 'a/b/c/d': 1 }));
    await peer.expect(peer.packets.suback(1, 1, level === 5 ? 0x8f : 0x80));
    peer.send(peer.packets.publish({ topic: 'a/b/c/d' }));
    await peer.expectEnd(0x90);
  }
});

test('MQTT 3.1: DUP on a SUBSCRIBE or UNSUBSCRIBE sent again, and unused option bits, are let pass', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.client(3, { clientId: 'a' });
  peer.send("8a 06 0001 0001 'a' fd  aa 05 0002 0001 'a'");
  await peer.expect('90 03 0001 01  b0 02 0002');
});

for (const level of LEVELS) {
  test(`level ${level}: overlapping subscriptions give one copy, at their highest QoS [MQTT-3.3.4-2]`, async (t) => {
    const broker = await startBroker(t);
    const peer = await broker.client(level, { clientId: 'a' });
    await peer.subscribe({ 'a/b': 0, 'a/+': 2, 'a/#': 1, '#': 0 });
    const sender = await broker.client(level, { clientId: 'b' });
    await sender.publish({ topic: 'a/b', qos: 2 });
    await peer.expect(peer.packets.publish({ topic: 'a/b', qos: 2, id: 1 }));
    await peer.expectNothing();
  });

  test(`level ${level}: the same filter again replaces the subscription [MQTT-3.8.4-3]`, async (t) => {
    const broker = await startBroker(t);
    const peer = await broker.client(level, { clientId: 'a' });
    const sender = await broker.client(level, { clientId: 'b' });
    await peer.subscribe({ 'a/+': 1 });
    await sender.publish({ topic: 'a/b', qos: 1 });
    await peer.expect(peer.packets.publish({ topic: 'a/b', qos: 1, id: 1 }));
    peer.send(peer.packets.puback(1));
    await peer.subscribe({ 'a/+': 0 });
    await sender.publish({ topic: 'a/b', qos: 1 });
    await peer.expect(peer.packets.publish({ topic: 'a/b' }));
    await peer.expectNothing();
    assert.equal(broker.broker.router.size, 1);
  });
}

for (const level of LEVELS) {
  test(`level ${level}: nothing is lost and nothing doubled while a subscription is replaced [MQTT-3.8.4-3] [MQTT-3.8.4-4]`, async (t) => {
    const broker = await startBroker(t);
    const peer = await broker.client(level, { clientId: 'a' });
    const sender = await broker.client(level, { clientId: 'b' });
    await peer.subscribe({ 'a/+': 0 });
    const count = 500;
    const payloads = Array.from({ length: count }, (_, i) => `${i}`);
    for (const [i, payload] of payloads.entries()) {
      await sender.sent(sender.packets.publish({ topic: 'a/b', payload }));
      if (i % 5 === 0) peer.send(peer.packets.subscribe(7, { 'a/+': 0 }));
    }
    const got: string[] = [];
    let subacks = 0;
    while (got.length < count || subacks < count / 5) {
      const { header, body } = await peer.packet();
      if (header === 0x90) subacks++;
      else got.push(body.subarray(2 + 'a/b'.length + (level === 5 ? 1 : 0)).toString());
    }
    assert.deepEqual(got, payloads);
  });
}

test('of several copies each has the identifier of its own subscription [MQTT-3.3.4-5]', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.client(5, { clientId: 'a' });
  await peer.subscribe({ 'a/b': 0 }, '0b 01');
  await peer.subscribe({ '$share/g/a/b': 0 }, '0b 02');
  await peer.subscribe({ '$share/h/a/+': 0 });
  const sender = await broker.client(4, { clientId: 'b' });
  await sender.publish({ topic: 'a/b', payload: 'x' });
  const copy = (properties: string) => peer.packets.publish({ topic: 'a/b', payload: 'x', properties });
  await peer.expectInAnyOrder(copy('0b 01'), copy('0b 02'), copy(''));
});

test('the identifiers of all subscriptions that match come with the one copy [MQTT-3.3.4-3] [MQTT-3.3.4-4]', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.client(5, { clientId: 'a' });
  const sender = await broker.client(5, { clientId: 'b' });
  await peer.subscribe({ 'a/b': 0 }, '0b 01');
  await peer.subscribe({ 'a/+': 1 }, '0b ffffff7f');
  await peer.subscribe({ '#': 0 });
  await peer.subscribe({ 'x/#': 0 }, '0b 05');
  await sender.publish({ topic: 'a/b', qos: 1 });
  const { whole } = await peer.packet();
  assert.ok(
    ['0b ffffff7f 0b 01', '0b 01 0b ffffff7f'].some((both) =>
      whole.equals(peer.packets.publish({ topic: 'a/b', qos: 1, id: 1, properties: both })),
    ),
    whole.toString('hex'),
  );
  await peer.subscribe({ 'a/b': 0, 'a/+': 0 });
  await sender.publish({ topic: 'a/b' });
  await peer.expect(peer.packets.publish({ topic: 'a/b' }));
});

test('identifiers go with the other properties and a large payload', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.client(5, { clientId: 'a' });
  const sender = await broker.client(5, { clientId: 'b' });
  await peer.subscribe({ a: 2 }, bytes('0b 07', userProperty('not', 'passed on')));
  const message = { topic: 'a', payload: Buffer.alloc(10_000, 'x'), qos: 2 };
  await sender.publish({ ...message, properties: bytes('03 0001', "'t'", userProperty('k', 'v')) });
  await peer.expect(peer.packets.publish({ ...message, id: 1, properties: bytes("03 0001 't'", '0b 07', userProperty('k', 'v')) }));
});

test('No Local keeps a client’s own messages from it, not those of others [MQTT-3.8.3-3]', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.client(5, { clientId: 'a' });
  const sender = await broker.client(5, { clientId: 'b' });
  await peer.subscribe({ a: NO_LOCAL | 1 });
  peer.send(peer.packets.publish({ topic: 'a', qos: 1, id: 1 }));
  await peer.expect('40 03 0001 10');
  await sender.publish({ topic: 'a', qos: 1 });
  await peer.expect(peer.packets.publish({ topic: 'a', qos: 1, id: 1 }));
});

test('with overlapping subscriptions a client gets its own message by those without No Local (section 3.8.3.1)', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.client(5, { clientId: 'a' });
  await peer.subscribe({ 'a/#': NO_LOCAL | 2 }, '0b 01');
  await peer.subscribe({ 'a/+': 0 }, '0b 02');
  peer.send(peer.packets.publish({ topic: 'a/b', qos: 2, id: 1 }));
  await peer.expectInAnyOrder(peer.packets.publish({ topic: 'a/b', properties: '0b 02' }), peer.packets.pubrec(1));
  const sender = await broker.client(5, { clientId: 'b' });
  await sender.publish({ topic: 'a/b', qos: 2 });
  const { whole } = await peer.packet();
  assert.ok(
    ['0b 01 0b 02', '0b 02 0b 01'].some((both) => whole.equals(peer.packets.publish({ topic: 'a/b', qos: 2, id: 1, properties: both }))),
  );
});

test('a SUBACK larger than the Maximum Packet Size is not sent: the connection ends [MQTT-3.1.2-24] [MQTT-3.9.2-1] [MQTT-3.9.2-2]', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.client(5, { clientId: 'a', properties: '27 00000010' });
  const filters = Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`f${i}`, 0]));
  peer.send(peer.packets.subscribe(1, filters));
  await peer.expect(peer.packets.suback(1, ...Array(11).fill(0)));
  peer.send(peer.packets.subscribe(2, { ...filters, one: 0, more: 0 }));
  await peer.expect('e0 02 95 00');
  await peer.expectClose();
});

test('a SUBSCRIBE with a thousand filters has a SUBACK with a thousand codes', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.client(4, { clientId: 'a' });
  const filters = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`f/${i}/+`, i % 3]));
  await peer.subscribe(filters);
  peer.send(peer.packets.publish({ topic: 'f/999/x' }), PINGREQ);
  await peer.expect(peer.packets.publish({ topic: 'f/999/x' }), PINGRESP);
});

test('a message that arrives between two SUBSCRIBEs is delivered by the first alone', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.client(4, { clientId: 'a' });
  peer.send(
    peer.packets.publish({ topic: 'a', payload: '0' }),
    peer.packets.subscribe(1, { a: 0 }),
    peer.packets.publish({ topic: 'a', payload: '1' }),
  );
  await peer.expect(peer.packets.suback(1, 0), peer.packets.publish({ topic: 'a', payload: '1' }));
  await peer.expectNothing();
});

/** Linked brokers that know of a subscription when the test says so. */
class SlowCluster implements Cluster {
  readonly waiting: (() => void)[] = [];
  demandKnown(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }
  clientClaimed(): void {}
  retained(): void {}
}

test('SUBACK waits until linked brokers know of the subscription, the client is served meanwhile', async (t) => {
  const broker = await startBroker(t);
  const cluster = new SlowCluster();
  broker.broker.cluster = cluster;
  const peer = await broker.client(5, { clientId: 'a' });
  await peer.publish({ topic: 'x', payload: 'kept', retain: true });
  peer.send(peer.packets.subscribe(1, { x: 0 }));
  await peer.expectNothing();
  peer.send(peer.packets.publish({ topic: 'x', payload: 'live' }));
  await peer.expect(peer.packets.publish({ topic: 'x', payload: 'live' }));
  cluster.waiting.shift()!();
  await peer.expect(peer.packets.suback(1, 0), peer.packets.publish({ topic: 'x', payload: 'kept', retain: true }));
  await peer.expectNothing();
});

test('a client that has left or was taken over before its SUBACK harms nobody', async (t) => {
  const broker = await startBroker(t);
  const cluster = new SlowCluster();
  broker.broker.cluster = cluster;
  const left = await broker.client(5, { clientId: 'left' });
  const old = await broker.client(5, { clientId: 'same', properties: '11 ffffffff' });
  for (const peer of [left, old]) {
    peer.send(peer.packets.subscribe(1, { x: 0 }));
    await peer.expectNothing();
  }
  await left.destroy();
  await broker.disconnected('left');
  const newer = await broker.client(5, { clientId: 'same', clean: false }, true);
  await old.expectDisconnect(0x8e);
  for (const known of cluster.waiting) known();
  await newer.expectNothing();
  newer.send(newer.packets.publish({ topic: 'x' }));
  await newer.expect(newer.packets.publish({ topic: 'x' }));
});
