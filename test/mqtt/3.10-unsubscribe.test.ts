import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBroker } from '../harness/mqtt-broker.ts';
import { PINGREQ, packet, properties, text } from '../harness/mqtt-bytes.ts';

const LEVELS = [3, 4, 5] as const;

test('UNSUBACK answers every UNSUBSCRIBE, with a code for each filter in MQTT 5 [MQTT-3.10.4-4] [MQTT-3.10.4-5] [MQTT-3.10.4-6] [MQTT-3.11.3-1] [MQTT-3.11.3-2] [MQTT-2.2.1-6]', async (t) => {
  const broker = await startBroker(t);
  for (const level of LEVELS) {
    const peer = await broker.client(level, { clientId: 'a' });
    await peer.subscribe({ a: 0, 'b/+': 1, '$share/g/c': 1 });
    peer.send(peer.packets.unsubscribe(0xfffe, 'a', 'nothing', '$share/g/c', 'b/+', 'c', '$share/h/c'));
    await peer.expect(peer.packets.unsuback(0xfffe, 0, 0x11, 0, 0, 0x11, 0x11));
    assert.equal(broker.broker.router.size, 0);
    peer.send(peer.packets.unsubscribe(1, 'a'));
    await peer.expect(peer.packets.unsuback(1, 0x11));
    await peer.disconnect();
  }
});

test('UNSUBACK has four bytes before MQTT 5', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.client(4, { clientId: 'a' });
  peer.send("a2 05 0007 0001 'a'");
  await peer.expect('b0 02 0007');
});

/** UNSUBSCRIBE packets that end the connection. */
const WRONG: { what: string; reason: number; v4?: string; v5?: string }[] = [
  { what: 'flags 0000 [MQTT-3.10.1-1]', reason: 0x81, v4: "a0 05 0001 0001 'a'", v5: "a0 06 0001 00 0001 'a'" },
  { what: 'Packet Identifier 0 [MQTT-2.2.1-3]', reason: 0x82, v4: "a2 05 0000 0001 'a'", v5: "a2 06 0000 00 0001 'a'" },
  { what: 'no filter [MQTT-3.10.3-2]', reason: 0x82, v4: 'a2 02 0001', v5: 'a2 03 0001 00' },
  { what: 'nothing', reason: 0x81, v4: 'a2 00', v5: 'a2 00' },
  { what: 'a filter that is cut off', reason: 0x81, v4: "a2 05 0001 0002 'a'", v5: "a2 06 0001 00 0002 'a'" },
  { what: 'a filter that is no UTF-8 [MQTT-3.10.3-1]', reason: 0x81, v4: 'a2 05 0001 0001 c0', v5: 'a2 06 0001 00 0001 c0' },
  { what: 'a Subscription Identifier (section 2.2.2.2)', reason: 0x81, v5: "a2 08 0001 02 0b01 0001 'a'" },
];

for (const { what, reason, v4, v5 } of WRONG) {
  test(`UNSUBSCRIBE with ${what} ends the connection`, async (t) => {
    const broker = await startBroker(t);
    for (const [level, wrong] of [[4, v4] as const, [5, v5] as const]) {
      if (wrong === undefined) continue;
      const peer = await broker.client(level, { clientId: 'a' });
      peer.send(wrong, PINGREQ);
      await peer.expectEnd(reason);
    }
  });
}

test('an UNSUBACK that is too large is not sent: the connection ends [MQTT-3.11.2-1] [MQTT-3.11.2-2] [MQTT-3.11.3-2] [MQTT-3.1.2-24]', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.client(5, { clientId: 'a', properties: '27 00000010' });
  const filters = Array.from({ length: 11 }, (_, i) => `f${i}`);
  peer.send(peer.packets.unsubscribe(1, ...filters));
  await peer.expect(peer.packets.unsuback(1, ...filters.map(() => 0x11)));
  peer.send(peer.packets.unsubscribe(2, ...filters, 'a#'));
  await peer.expect('e0 02 95 00');
  await peer.expectClose();
});

test('a filter that is none is refused alone in MQTT 5, and ends the connection before it [MQTT-3.1.2-29] [MQTT-3.11.2-1]', async (t) => {
  const broker = await startBroker(t);
  const words = "'#' must be the last level, alone [MQTT-4.7.1-1]";
  for (const [asked, said] of [
    ['', properties('1f', text(words))],
    ['17 00', '00'],
    ['27 00000039', '00'], // 2 + 2 + 1 + 3 + 48 + 4 = 60
  ] as const) {
    // A reason in words is for who wants it and has room for it [MQTT-3.1.2-29] [MQTT-3.11.2-1].
    const v5 = await broker.client(5, { clientId: 'v5', properties: asked });
    await v5.subscribe({ a: 0 });
    v5.send(v5.packets.unsubscribe(1, 'a#', 'a', '$share/g', ''));
    await v5.expect(packet(0xb0, '0001', said, '8f 00 8f 8f'));
  }
  const v4 = await broker.client(4, { clientId: 'v4' });
  await v4.subscribe({ a: 0 });
  v4.send(v4.packets.unsubscribe(1, 'a', 'a#'));
  await v4.expectClose();
});

for (const level of LEVELS) {
  test(`level ${level}: filters are compared character by character: a wildcard does not take away what it matches [MQTT-3.10.4-1]`, async (t) => {
    const broker = await startBroker(t);
    const peer = await broker.client(level, { clientId: 'a' });
    await peer.subscribe({ 'a/b': 0, 'a/+': 0 });
    peer.send(peer.packets.unsubscribe(1, '#', '+/+', 'a/#', 'A/b', 'a/b/', '/a/b'));
    await peer.expect(peer.packets.unsuback(1, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11));
    assert.equal(broker.broker.router.size, 2);
  });

  test(`level ${level}: after UNSUBSCRIBE nothing new is delivered, what is under way is completed [MQTT-3.10.4-2] [MQTT-3.10.4-3]`, async (t) => {
    const broker = await startBroker(t, { limits: { inflightMessages: 2 } });
    const peer = await broker.client(level, { clientId: 'a' });
    const sender = await broker.client(4, { clientId: 'b' });
    await peer.subscribe({ a: 2 });
    const messages = [1, 2].map((id) => ({ topic: 'a', payload: `${id}`, qos: id, id }));
    for (const message of messages) await sender.publish(message);
    await peer.expect(...messages.map((message) => peer.packets.publish(message)));
    peer.send(peer.packets.unsubscribe(1, 'a'));
    await peer.expect(peer.packets.unsuback(1, 0));
    await sender.publish({ topic: 'a', payload: '3', qos: 2 });
    peer.send(peer.packets.puback(1), peer.packets.pubrec(2));
    await peer.expect(peer.packets.pubrel(2));
    peer.send(peer.packets.pubcomp(2));
    await peer.expectNothing();
  });
}
