import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBroker } from '../harness/mqtt-broker.ts';

const LEVELS = [3, 4, 5] as const;

test('after DISCONNECT the connection is closed without a further byte (section 3.14.4)', async (t) => {
  const broker = await startBroker(t);
  for (const level of LEVELS) {
    const peer = await broker.client(level, { clientId: 'a' });
    await peer.disconnect();
  }
  const v5 = await broker.client(5, { clientId: 'a' });
  v5.send('e0 01 00');
  await v5.expectClose();
  const withProperties = await broker.client(5, { clientId: 'a' });
  withProperties.send("e0 12 00 10 1f 0003 'bye' 26 0003 'abc' 0002 '12'");
  await withProperties.expectClose();
  assert.equal(broker.broker.sessions.size, 0);
});

/** DISCONNECT packets that are wrong. */
const WRONG: { what: string; reason: number; v4?: string; v5?: string }[] = [
  { what: 'flags [MQTT-3.14.1-1]', reason: 0x81, v4: 'e1 00', v5: 'e1 00' },
  { what: 'a body before MQTT 5', reason: 0x81, v4: 'e0 01 00' },
  { what: 'a Reason Code that it does not have [MQTT-3.14.2-1]', reason: 0x82, v5: 'e0 01 01' },
  { what: 'properties that are cut off', reason: 0x81, v5: 'e0 03 00 05 11' },
  { what: 'bytes behind its properties', reason: 0x81, v5: 'e0 03 00 00 00' },
  { what: 'a property of another packet (section 2.2.2.2)', reason: 0x81, v5: 'e0 05 00 03 21 0001' },
  { what: 'two Session Expiry Intervals (section 3.14.2.2.2)', reason: 0x82, v5: 'e0 0c 00 0a 11 00000000 11 00000000' },
  { what: 'a Session Expiry Interval where CONNECT had 0 (section 3.14.2.2.2)', reason: 0x82, v5: 'e0 07 00 05 11 00000001' },
];

for (const { what, reason, v4, v5 } of WRONG) {
  test(`DISCONNECT with ${what} is answered, and the will is published`, async (t) => {
    const broker = await startBroker(t);
    const watcher = await broker.client(4, { clientId: 'w' });
    await watcher.subscribe({ gone: 0 });
    for (const [level, wrong] of [[4, v4] as const, [5, v5] as const]) {
      if (wrong === undefined) continue;
      const peer = await broker.client(level, { clientId: 'a', will: { topic: 'gone' } });
      peer.send(wrong);
      await peer.expectEnd(reason);
      await watcher.expect(watcher.packets.publish({ topic: 'gone' }));
    }
  });
}

test('a Session Expiry Interval of 0 where CONNECT had 0 is no error', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.client(5, { clientId: 'a' });
  await peer.disconnect(0, '11 00000000');
});

test('the Session Expiry Interval of DISCONNECT replaces that of CONNECT (section 3.14.2.2.2)', async (t) => {
  const broker = await startBroker(t, { fakeClock: true });
  const longer = await broker.client(5, { clientId: 'longer', properties: '11 00000001' });
  await longer.disconnect(0, '11 0000000a');
  const shorter = await broker.client(5, { clientId: 'shorter', properties: '11 ffffffff' });
  await shorter.disconnect(0, '11 00000000');
  assert.equal(broker.broker.sessions.get('shorter'), undefined);
  broker.pass(9_000);
  assert.ok(broker.broker.sessions.get('longer'));
  broker.pass(1_100);
  assert.equal(broker.broker.sessions.get('longer'), undefined);
});

test('a broker that stops tells MQTT 5 clients so, and closes all (section 3.14.2.1)', async (t) => {
  const broker = await startBroker(t);
  const v4 = await broker.client(4, { clientId: 'v4' });
  const v5 = await broker.client(5, { clientId: 'v5' });
  const silent = await broker.dial();
  await v4.expectNothing();
  broker.protocol.stop(null);
  await v5.expect('e0 02 8b 00');
  await v5.expectClose();
  await v4.expectClose();
  await silent.expectClose();
});

test('a reason string never takes DISCONNECT over the Maximum Packet Size, and there are no user properties [MQTT-3.14.2-3] [MQTT-3.14.2-4] [MQTT-3.1.2-24]', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.client(5, { clientId: 'a', properties: '27 00000014' });
  peer.send('00 00');
  await peer.expect('e0 02 82 00');
  await peer.expectClose();
});

test('behind the server’s DISCONNECT nothing follows but the end of the connection [MQTT-3.14.4-1] [MQTT-3.14.4-2] [MQTT-3.14.2-1] [MQTT-4.13.2-1]', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.client(5, { clientId: 'a', properties: '11 0000000a' });
  await peer.subscribe({ a: 1 });
  const sender = await broker.client(4, { clientId: 'b' });
  const publish = peer.packets.publish({ topic: 'a' });
  peer.send(publish, '00 00', publish, 'c0 00', peer.packets.subscribe(1, { b: 0 }), peer.packets.unsubscribe(2, 'a'));
  await peer.expect(publish);
  await sender.publish({ topic: 'a', qos: 1 });
  await peer.expectDisconnect(0x82);
  assert.equal(broker.broker.router.size, 1);
});

test('a DISCONNECT with a reason of an error ends the connection as one without does [MQTT-4.13.2-1]', async (t) => {
  const broker = await startBroker(t);
  for (const reason of [0x80, 0x93, 0xa2]) {
    const peer = await broker.client(5, { clientId: 'a' });
    await peer.disconnect(reason);
  }
});

test('the server’s DISCONNECT has no Session Expiry Interval [MQTT-3.14.2-2]', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.client(5, { clientId: 'a', properties: '11 0000000a' });
  peer.send('00 00');
  const said = await peer.expectDisconnect(0x82);
  assert.equal(said[1], 0x1f, 'a reason string and nothing else');
  assert.equal(said.length, 4 + said.readUInt16BE(2));
});
