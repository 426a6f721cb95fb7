import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBroker } from '../harness/mqtt-broker.ts';
import { PINGREQ, PINGRESP } from '../harness/mqtt-bytes.ts';

test('no more than the client’s Receive Maximum is under way, whatever it is [MQTT-3.3.4-9] [MQTT-4.9.0-1] [MQTT-4.9.0-2]', async (t) => {
  const broker = await startBroker(t);
  const sender = await broker.client(4, { clientId: 's' });
  for (const receiveMaximum of [1, 2, 7]) {
    const peer = await broker.client(5, { clientId: 'a', properties: `21 000${receiveMaximum}` });
    await peer.subscribe({ x: 2 });
    for (let i = 1; i <= 20; i++) await sender.publish({ topic: 'x', payload: `${i}`, qos: 1 + (i % 2) });
    const message = (id: number) => peer.packets.publish({ topic: 'x', payload: `${id}`, qos: 1 + (id % 2), id });
    for (let i = 1; i <= receiveMaximum; i++) await peer.expect(message(i));
    await peer.expectNothing();
    for (let i = 1; i <= 20; i++) {
      if (i % 2 === 0) {
        peer.send(peer.packets.puback(i));
      } else {
        peer.send(peer.packets.pubrec(i));
        await peer.expect(peer.packets.pubrel(i)); // the window is still full [MQTT-3.3.4-10]
        peer.send(peer.packets.pubcomp(i));
      }
      if (i + receiveMaximum <= 20) await peer.expect(message(i + receiveMaximum));
      await peer.expectNothing();
    }
  }
});

test('QoS 0 and all other packets go on while the window is full [MQTT-3.3.4-10] [MQTT-4.9.0-3]', async (t) => {
  const broker = await startBroker(t);
  const sender = await broker.client(4, { clientId: 's' });
  const peer = await broker.client(5, { clientId: 'a', properties: '21 0001' });
  await peer.subscribe({ x: 1 });
  for (const payload of ['1', '2']) await sender.publish({ topic: 'x', payload, qos: 1 });
  await peer.expect(peer.packets.publish({ topic: 'x', payload: '1', qos: 1, id: 1 }));
  await sender.publish({ topic: 'x', payload: '0' });
  await peer.expect(peer.packets.publish({ topic: 'x', payload: '0' }));
  await peer.subscribe({ y: 0 });
  peer.send(peer.packets.publish({ topic: 'y', qos: 2, id: 3 }), PINGREQ, peer.packets.pubrel(3));
  await peer.expectInAnyOrder(peer.packets.publish({ topic: 'y' }), peer.packets.pubrec(3), PINGRESP, peer.packets.pubcomp(3));
});

test('a refusing PUBREC frees its place at once (section 4.9)', async (t) => {
  const broker = await startBroker(t);
  const sender = await broker.client(4, { clientId: 's' });
  const peer = await broker.client(5, { clientId: 'a', properties: '21 0001' });
  await peer.subscribe({ x: 2 });
  for (let i = 0; i < 2; i++) await sender.publish({ topic: 'x', qos: 2 });
  await peer.expect(peer.packets.publish({ topic: 'x', qos: 2, id: 1 }));
  peer.send(peer.packets.pubrec(1, 0x83));
  await peer.expect(peer.packets.publish({ topic: 'x', qos: 2, id: 2 }));
});

test('without a Receive Maximum the server’s own bound holds, for every version', async (t) => {
  const broker = await startBroker(t, { limits: { inflightMessages: 3 } });
  const sender = await broker.client(4, { clientId: 's' });
  for (const level of [3, 4, 5] as const) {
    const peer = await broker.client(level, { clientId: 'a' });
    await peer.subscribe({ x: 1 });
    for (let i = 0; i < 5; i++) await sender.publish({ topic: 'x', qos: 1 });
    for (let id = 1; id <= 3; id++) await peer.expect(peer.packets.publish({ topic: 'x', qos: 1, id }));
    await peer.expectNothing();
    peer.send(peer.packets.puback(2), peer.packets.puback(1));
    for (let id = 4; id <= 5; id++) await peer.expect(peer.packets.publish({ topic: 'x', qos: 1, id }));
    await peer.disconnect();
  }
});

test('what is sent again after a reconnect keeps to the new connection’s Receive Maximum, in order [MQTT-3.3.4-9] [MQTT-4.4.0-1]', async (t) => {
  const broker = await startBroker(t);
  const sender = await broker.client(4, { clientId: 's' });
  const first = await broker.client(5, { clientId: 'a', properties: '11 ffffffff' });
  await first.subscribe({ x: 2 });
  for (let i = 1; i <= 6; i++) await sender.publish({ topic: 'x', payload: `${i}`, qos: i === 2 || i === 5 ? 2 : 1 });
  for (let i = 1; i <= 6; i++) await first.packet();
  first.send(first.packets.pubrec(2));
  await first.expect(first.packets.pubrel(2));
  await first.destroy();
  await broker.disconnected('a');
  await sender.publish({ topic: 'x', payload: '7', qos: 1 });
  const again = await broker.client(5, { clientId: 'a', clean: false, properties: '11 ffffffff 21 0002' }, true);
  const message = (id: number, dup: boolean) => again.packets.publish({ topic: 'x', payload: `${id}`, qos: id === 5 ? 2 : 1, id, dup });
  await again.expect(again.packets.pubrel(2), message(1, true), message(3, true));
  await again.expectNothing();
  await sender.publish({ topic: 'x', payload: '8', qos: 1 });
  again.send(again.packets.pubcomp(2)); // was not sent on this connection: frees nothing
  await again.expectNothing();
  again.send(again.packets.puback(1));
  await again.expect(message(4, true));
  again.send(again.packets.puback(4));
  await again.expect(message(5, true));
  again.send(again.packets.puback(6)); // not sent again yet, but the client knows it from before
  again.send(again.packets.puback(3));
  await again.expect(message(7, false));
  again.send(again.packets.puback(7));
  await again.expect(message(8, false));
  await again.expectNothing();
});

test('QoS 2 messages beyond the server’s Receive Maximum end the connection of an MQTT 5 client [MQTT-3.3.4-7]', async (t) => {
  const broker = await startBroker(t, { limits: { receiveMaximum: 2 } });
  const peer = await broker.client(5, { clientId: 'a', properties: '11 ffffffff' });
  const publish = (id: number) => peer.packets.publish({ topic: 'x', qos: 2, id });
  peer.send(publish(1), publish(2), publish(1), publish(2), peer.packets.publish({ topic: 'x', qos: 1, id: 9 }));
  for (let i = 0; i < 4; i++) await peer.expectAcknowledgement(0x50, (i % 2) + 1);
  await peer.expectAcknowledgement(0x40, 9);
  peer.send(peer.packets.pubrel(1));
  await peer.expect(peer.packets.pubcomp(1));
  peer.send(publish(3));
  await peer.expectAcknowledgement(0x50, 3);
  peer.send(publish(4));
  await peer.expectDisconnect(0x93);
  // A quota is a connection's: what the last one left does not count on the next (section 4.9).
  const again = await broker.client(5, { clientId: 'a', clean: false, properties: '11 ffffffff' }, true);
  again.send(publish(5), publish(6), again.packets.pubrel(2), again.packets.pubrel(3));
  await again.expectAcknowledgement(0x50, 5);
  await again.expectAcknowledgement(0x50, 6);
  await again.expect(again.packets.pubcomp(2), again.packets.pubcomp(3));
});

test('earlier versions have no Receive Maximum: as many QoS 2 messages as there are identifiers are taken', async (t) => {
  const broker = await startBroker(t, { limits: { receiveMaximum: 2 } });
  const peer = await broker.client(4, { clientId: 'a' });
  const count = 5_000;
  peer.send(...Array.from({ length: count }, (_, i) => peer.packets.publish({ topic: 'x', qos: 2, id: i + 1 })));
  for (let id = 1; id <= count; id++) await peer.expect(peer.packets.pubrec(id));
  peer.send(...Array.from({ length: count }, (_, i) => peer.packets.pubrel(i + 1)));
  for (let id = 1; id <= count; id++) await peer.expect(peer.packets.pubcomp(id));
});

test('a message larger than the client’s Maximum Packet Size is not sent to it, as if it had been [MQTT-3.1.2-24] [MQTT-3.1.2-25]', async (t) => {
  const broker = await startBroker(t);
  const sender = await broker.client(4, { clientId: 's' });
  const small = await broker.client(5, { clientId: 'small', properties: '27 00000014 21 0001' });
  const large = await broker.client(5, { clientId: 'large' });
  for (const peer of [small, large]) await peer.subscribe({ x: 2 });
  // 2 + 2 + 1 + 2 + 1 bytes and the payload: 20 with one of 12
  for (const [i, size] of [13, 12, 5_000, 12].entries()) await sender.publish({ topic: 'x', payload: Buffer.alloc(size, `${i}`), qos: 1 });
  await sender.publish({ topic: 'x', payload: Buffer.alloc(15, 'z') });
  await sender.publish({ topic: 'x', payload: Buffer.alloc(14, 'z') });
  for (let i = 0; i < 4; i++) assert.equal((await large.packet()).header, 0x32);
  // The refused first one used up an identifier and nothing else: the window of one is free for the next.
  await small.expect(small.packets.publish({ topic: 'x', payload: '1'.repeat(12), qos: 1, id: 2 }));
  await small.expect(small.packets.publish({ topic: 'x', payload: Buffer.alloc(14, 'z') }));
  small.send(small.packets.puback(2));
  const { whole } = await small.packet();
  assert.equal(whole.subarray(-12).toString(), '3'.repeat(12));
  await small.expectNothing();
});

test('a session’s message that its next connection cannot take is dropped there [MQTT-3.1.2-25]', async (t) => {
  const broker = await startBroker(t);
  const sender = await broker.client(4, { clientId: 's' });
  const first = await broker.client(5, { clientId: 'a', properties: '11 ffffffff' });
  await first.subscribe({ x: 1 });
  for (const payload of ['much too long a text', 'short']) await sender.publish({ topic: 'x', payload, qos: 1 });
  await first.packet();
  await first.packet();
  await first.destroy();
  await broker.disconnected('a');
  const again = await broker.client(5, { clientId: 'a', clean: false, properties: '27 00000010' }, true);
  await again.expect(again.packets.publish({ topic: 'x', payload: 'short', qos: 1, id: 2, dup: true }));
  again.send(again.packets.puback(2));
  await again.expectNothing();
});
