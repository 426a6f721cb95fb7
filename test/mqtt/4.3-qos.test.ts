import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBroker, type TestBroker } from '../harness/mqtt-broker.ts';
import type { ConnectFields } from '../harness/mqtt-bytes.ts';
import type { MqttPeer } from '../harness/mqtt-peer.ts';

const LEVELS = [3, 4, 5] as const;

/** CONNECT of a session that outlives its connection, by level. */
const KEPT: Record<3 | 4 | 5, ConnectFields> = {
  3: { clientId: 'a', clean: false },
  4: { clientId: 'a', clean: false },
  5: { clientId: 'a', clean: false, properties: '11 ffffffff' },
};

async function gone(broker: TestBroker, peer: MqttPeer): Promise<void> {
  await peer.destroy();
  await broker.disconnected('a');
}

for (const level of LEVELS) {
  test(`level ${level}: a QoS 2 message sent again before PUBREL is answered and not delivered again; after PUBCOMP it is a new one [MQTT-4.3.3-8] [MQTT-4.3.3-10] [MQTT-4.3.3-12] [MQTT-2.2.1-5]`, async (t) => {
    const broker = await startBroker(t);
    const watcher = await broker.client(level, { clientId: 'w' });
    await watcher.subscribe({ a: 0 });
    const peer = await broker.client(level, { clientId: 'a' });
    for (const dup of [false, true, true, false]) {
      peer.send(peer.packets.publish({ topic: 'a', payload: 'x', qos: 2, id: 7, dup }));
      await peer.expect(peer.packets.pubrec(7));
    }
    await watcher.expect(watcher.packets.publish({ topic: 'a', payload: 'x' }));
    await watcher.expectNothing();
    peer.send(peer.packets.pubrel(7));
    await peer.expect(peer.packets.pubcomp(7));
    peer.send(peer.packets.publish({ topic: 'a', payload: 'new', qos: 2, id: 7, dup: true }));
    await peer.expect(peer.packets.pubrec(7));
    await watcher.expect(watcher.packets.publish({ topic: 'a', payload: 'new' }));
  });

  test(`level ${level}: a QoS 2 message received is remembered over a reconnect [MQTT-4.3.3-10] [MQTT-4.4.0-1]`, async (t) => {
    const broker = await startBroker(t);
    const watcher = await broker.client(level, { clientId: 'w' });
    await watcher.subscribe({ x: 0 });
    const first = await broker.client(level, KEPT[level]);
    first.send(first.packets.publish({ topic: 'x', qos: 2, id: 7 }));
    await first.expect(first.packets.pubrec(7));
    await watcher.expect(watcher.packets.publish({ topic: 'x' }));
    await gone(broker, first);
    const again = await broker.client(level, KEPT[level], true);
    again.send(again.packets.publish({ topic: 'x', qos: 2, id: 7, dup: true }));
    await again.expect(again.packets.pubrec(7));
    again.send(again.packets.pubrel(7));
    await again.expect(again.packets.pubcomp(7));
    await watcher.expectNothing();
    await gone(broker, again);
    const clean = await broker.client(level, { clientId: 'a' });
    clean.send(clean.packets.publish({ topic: 'x', qos: 2, id: 7, dup: true }));
    await clean.expect(clean.packets.pubrec(7));
    await watcher.expect(watcher.packets.publish({ topic: 'x' }));
  });

  test(`level ${level}: PUBREL is answered with PUBCOMP, known or not [MQTT-4.3.3-11] [MQTT-2.2.1-5]`, async (t) => {
    const broker = await startBroker(t);
    const peer = await broker.client(level, { clientId: 'a' });
    peer.send(peer.packets.pubrel(9));
    await peer.expect(level === 5 ? '70 03 0009 92' : '70 02 0009');
  });

  test(`level ${level}: a QoS 1 message received again after its PUBACK is a new one, whatever DUP says [MQTT-4.3.2-4] [MQTT-4.3.2-5] [MQTT-3.3.1-3]`, async (t) => {
    const broker = await startBroker(t);
    const watcher = await broker.client(level, { clientId: 'w' });
    await watcher.subscribe({ a: 1 });
    const peer = await broker.client(level, { clientId: 'a' });
    for (const [i, dup] of [false, true].entries()) {
      peer.send(peer.packets.publish({ topic: 'a', qos: 1, id: 7, dup }));
      await peer.expect(peer.packets.puback(7));
      await watcher.expect(watcher.packets.publish({ topic: 'a', qos: 1, id: i + 1 }));
    }
  });

  test(`level ${level}: what was not acknowledged is sent again after a reconnect, in order, with DUP and its identifier [MQTT-4.4.0-1] [MQTT-3.3.1-1] [MQTT-4.3.2-3] [MQTT-4.3.3-3] [MQTT-4.3.3-5] [MQTT-4.3.3-6] [MQTT-4.6.0-1] [MQTT-4.6.0-5] [MQTT-2.2.1-4]`, async (t) => {
    const broker = await startBroker(t);
    const sender = await broker.client(level, { clientId: 'b' });
    const first = await broker.client(level, KEPT[level]);
    await first.subscribe({ 'x/#': 2 });
    for (const [i, qos] of [1, 2, 1, 2, 2].entries()) await sender.publish({ topic: `x/${i + 1}`, qos });
    for (const [i, qos] of [1, 2, 1, 2, 2].entries()) await first.expect(first.packets.publish({ topic: `x/${i + 1}`, qos, id: i + 1 }));
    first.send(first.packets.puback(1), first.packets.pubrec(4));
    await first.expect(first.packets.pubrel(4));
    await first.expectNothing();
    await gone(broker, first);
    await sender.publish({ topic: 'x/6', qos: 1 });
    const again = await broker.client(level, KEPT[level], true);
    await again.expect(
      again.packets.pubrel(4),
      again.packets.publish({ topic: 'x/2', qos: 2, id: 2, dup: true }),
      again.packets.publish({ topic: 'x/3', qos: 1, id: 3, dup: true }),
      again.packets.publish({ topic: 'x/5', qos: 2, id: 5, dup: true }),
      again.packets.publish({ topic: 'x/6', qos: 1, id: 6 }),
    );
    await again.expectNothing(); // at no other time
    again.send(
      again.packets.pubrec(2),
      again.packets.pubrec(5),
      again.packets.puback(3),
      again.packets.puback(6),
      again.packets.pubcomp(4),
    );
    await again.expect(again.packets.pubrel(2), again.packets.pubrel(5));
    again.send(again.packets.pubcomp(2), again.packets.pubcomp(5));
    await again.expectNothing();
    await gone(broker, again);
    const last = await broker.client(level, KEPT[level], true);
    await last.expectNothing();
  });
}

test('a PUBREL repeated after a reconnect is no mismatch (section 3.7.2.1)', async (t) => {
  const broker = await startBroker(t);
  const first = await broker.client(5, KEPT[5]);
  await first.publish({ topic: 'x', qos: 2, id: 7 });
  await gone(broker, first);
  const again = await broker.client(5, KEPT[5], true);
  again.send(again.packets.pubrel(7));
  await again.expect('70 02 0007');
});

test('PUBREL packets are sent again in the order of their PUBREC [MQTT-4.6.0-4]', async (t) => {
  const broker = await startBroker(t);
  const sender = await broker.client(4, { clientId: 'b' });
  const first = await broker.client(4, KEPT[4]);
  await first.subscribe({ x: 2 });
  for (let i = 0; i < 3; i++) await sender.publish({ topic: 'x', qos: 2 });
  for (let i = 1; i <= 3; i++) await first.expect(first.packets.publish({ topic: 'x', qos: 2, id: i }));
  for (const id of [3, 1, 3, 2]) {
    first.send(first.packets.pubrec(id));
    await first.expect(first.packets.pubrel(id));
  }
  await gone(broker, first);
  const again = await broker.client(4, KEPT[4], true);
  await again.expect(again.packets.pubrel(3), again.packets.pubrel(1), again.packets.pubrel(2));
});

test('PUBREC that refuses ends the message: no PUBREL, and it is not sent again [MQTT-4.4.0-2]', async (t) => {
  const broker = await startBroker(t);
  const sender = await broker.client(5, { clientId: 'b' });
  const first = await broker.client(5, KEPT[5]);
  await first.subscribe({ x: 2 });
  await sender.publish({ topic: 'x', qos: 2 });
  await sender.publish({ topic: 'x', qos: 1 });
  await first.expect(first.packets.publish({ topic: 'x', qos: 2, id: 1 }), first.packets.publish({ topic: 'x', qos: 1, id: 2 }));
  first.send(first.packets.pubrec(1, 0x97), first.packets.puback(2, 0x80));
  await first.expectNothing();
  await gone(broker, first);
  const again = await broker.client(5, KEPT[5], true);
  await again.expectNothing();
});

test('PUBREC for an identifier that is not known gets a PUBREL that says so, in MQTT 5 (section 3.6.2.1)', async (t) => {
  const broker = await startBroker(t);
  const v5 = await broker.client(5, { clientId: 'v5' });
  v5.send(v5.packets.pubrec(9), v5.packets.puback(9), v5.packets.pubcomp(9));
  await v5.expect('62 03 0009 92');
  await v5.expectNothing();
  const v4 = await broker.client(4, { clientId: 'v4' });
  v4.send(v4.packets.pubrec(9), v4.packets.puback(9), v4.packets.pubcomp(9));
  await v4.expect('62 02 0009');
  await v4.expectNothing();
});

test('acknowledgements may carry a reason, a reason string and user properties', async (t) => {
  const broker = await startBroker(t);
  const sender = await broker.client(5, { clientId: 'b' });
  const peer = await broker.client(5, { clientId: 'a' });
  await peer.subscribe({ x: 2 });
  for (const qos of [1, 2, 2]) await sender.publish({ topic: 'x', qos });
  for (const [i, qos] of [1, 2, 2].entries()) await peer.expect(peer.packets.publish({ topic: 'x', qos, id: i + 1 }));
  peer.send("40 0c 0001 10 08 1f 0005 'thank' 50 04 0002 00 00 50 0b 0003 00 07 26 0001 'a' 0001 'b'");
  await peer.expect(peer.packets.pubrel(2), peer.packets.pubrel(3));
  peer.send("70 03 0002 92 70 0b 0003 00 07 26 0001 'a' 0001 'b'");
  await peer.expectNothing();
  assert.equal(broker.broker.sessions.get('a')?.inflight, 0);
});

/** Acknowledgements that end the connection; a QoS 1 message is in flight with identifier 1, a QoS 2 message with 2. */
const WRONG: { what: string; reason: number; v4?: string; v5?: string }[] = [
  { what: 'PUBACK for a QoS 2 message', reason: 0x82, v4: '40 02 0002', v5: '40 02 0002' },
  { what: 'PUBREC for a QoS 1 message', reason: 0x82, v4: '50 02 0001', v5: '50 02 0001' },
  { what: 'PUBCOMP before PUBREC', reason: 0x82, v4: '70 02 0002', v5: '70 02 0002' },
  { what: 'PUBCOMP for a QoS 1 message', reason: 0x82, v4: '70 02 0001', v5: '70 02 0001' },
  { what: 'PUBACK with flags [MQTT-2.1.3-1]', reason: 0x81, v4: '41 02 0001', v5: '41 02 0001' },
  { what: 'PUBREC with flags [MQTT-2.1.3-1]', reason: 0x81, v4: '52 02 0002', v5: '52 02 0002' },
  { what: 'PUBREL with flags 0000 [MQTT-3.6.1-1]', reason: 0x81, v4: '60 02 0002', v5: '60 02 0002' },
  { what: 'PUBREL with DUP [MQTT-3.6.1-1]', reason: 0x81, v4: '6a 02 0002', v5: '6a 02 0002' },
  { what: 'PUBCOMP with flags [MQTT-2.1.3-1]', reason: 0x81, v4: '78 02 0002', v5: '78 02 0002' },
  { what: 'PUBACK with Packet Identifier 0', reason: 0x82, v4: '40 02 0000', v5: '40 02 0000' },
  { what: 'PUBACK cut off', reason: 0x81, v4: '40 01 00', v5: '40 01 00' },
  { what: 'PUBREL without a body', reason: 0x81, v4: '62 00', v5: '62 00' },
  { what: 'a reason before MQTT 5', reason: 0x81, v4: '40 03 0001 00' },
  { what: 'PUBACK with a reason it does not have [MQTT-3.4.2-1]', reason: 0x82, v5: '40 03 0001 92' },
  { what: 'PUBREC with a reason it does not have [MQTT-3.5.2-1]', reason: 0x82, v5: '50 03 0002 01' },
  { what: 'PUBREL with a reason it does not have [MQTT-3.6.2-1]', reason: 0x82, v5: '62 03 0002 10' },
  { what: 'PUBCOMP with a reason it does not have [MQTT-3.7.2-1]', reason: 0x82, v5: '70 03 0002 80' },
  { what: 'PUBACK with a property of another packet (section 2.2.2.2)', reason: 0x81, v5: '40 09 0001 00 05 11 00000001' },
  { what: 'PUBACK with two reason strings', reason: 0x82, v5: '40 0a 0001 00 06 1f0000 1f0000' },
  { what: 'PUBACK with bytes behind its properties', reason: 0x81, v5: '40 05 0001 00 00 00' },
];

for (const { what, reason, v4, v5 } of WRONG) {
  test(`${what} ends the connection`, async (t) => {
    const broker = await startBroker(t);
    const sender = await broker.client(4, { clientId: 'b' });
    for (const [level, wrong] of [[4, v4] as const, [5, v5] as const]) {
      if (wrong === undefined) continue;
      const peer = await broker.client(level, { clientId: 'a' });
      await peer.subscribe({ x: 2 });
      await sender.publish({ topic: 'x', qos: 1 });
      await sender.publish({ topic: 'x', qos: 2 });
      await peer.expect(peer.packets.publish({ topic: 'x', qos: 1, id: 1 }), peer.packets.publish({ topic: 'x', qos: 2, id: 2 }));
      peer.send(wrong);
      await peer.expectEnd(reason);
    }
  });
}

test('MQTT 3.1: a PUBREL sent again may have DUP', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.client(3, { clientId: 'a' });
  peer.send(peer.packets.publish({ topic: 'x', qos: 2, id: 1 }), '62 02 0001', '6a 02 0001');
  await peer.expect('50 02 0001 70 02 0001 70 02 0001');
});

test('Packet Identifiers go round and pass over 0 and those in use [MQTT-2.2.1-4] [MQTT-4.3.2-1] [MQTT-4.3.3-1]', async (t) => {
  const broker = await startBroker(t);
  const sender = await broker.client(4, { clientId: 'b' });
  const peer = await broker.client(4, { clientId: 'a' });
  await peer.subscribe({ x: 2 });
  await sender.publish({ topic: 'x', qos: 1 });
  await peer.expect(peer.packets.publish({ topic: 'x', qos: 1, id: 1 })); // stays unacknowledged
  await sender.publish({ topic: 'x', qos: 2 });
  await peer.expect(peer.packets.publish({ topic: 'x', qos: 2, id: 2 })); // stays unreleased
  peer.send(peer.packets.pubrec(2));
  await peer.expect(peer.packets.pubrel(2));
  const round = 1_000;
  let last = 2;
  let wraps = 0;
  while (wraps < 2) {
    const ids = new Set<number>();
    sender.send(...Array.from({ length: round }, () => sender.packets.publish({ topic: 'x', qos: 1, id: 1 })));
    for (let i = 0; i < round; i++) {
      const { body } = await peer.packet();
      const id = body.readUInt16BE(body.length - 2);
      assert.ok(id > 2 && !ids.has(id), `${id} is in use`);
      ids.add(id);
      if (id < last) wraps++;
      last = id;
    }
    peer.send(...[...ids].map((id) => peer.packets.puback(id)));
    for (const _ of ids) await sender.expect(sender.packets.puback(1));
  }
  const ids = new Set<number>();
  for (const qos of [1, 2, 1, 2]) {
    await sender.publish({ topic: 'x', qos });
    const { body } = await peer.packet();
    ids.add(body.readUInt16BE(body.length - 2));
  }
  assert.ok(ids.size === 4 && Math.min(...ids) > 2, `${[...ids]}: one is in use`);
});
