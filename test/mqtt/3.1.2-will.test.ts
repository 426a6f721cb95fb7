import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestClient } from '../harness/linked-broker.ts';
import { startBroker, type TestBroker } from '../harness/mqtt-broker.ts';
import { bytes, type ConnectFields, type Level, userProperty } from '../harness/mqtt-bytes.ts';
import type { MqttPeer } from '../harness/mqtt-peer.ts';

const LEVELS = [3, 4, 5] as const;
const NO_LOCAL = 0x04;
const WILL = { topic: 'will', payload: 'gone' };

async function watch(broker: TestBroker, level: Level = 5): Promise<MqttPeer> {
  const watcher = await broker.client(level, { clientId: 'watcher' });
  await watcher.subscribe({ 'will/#': 2 });
  return watcher;
}

function expectWill(watcher: MqttPeer): Promise<void> {
  return watcher.expect(watcher.packets.publish(WILL));
}

for (const level of LEVELS) {
  for (const qos of [0, 1, 2]) {
    test(`level ${level}: a will of QoS ${qos} is published when the connection is lost [MQTT-3.1.2-7] [MQTT-3.1.2-8] [MQTT-3.1.2-14]`, async (t) => {
      const broker = await startBroker(t);
      const watcher = await watch(broker, level);
      const peer = await broker.client(level, { clientId: 'a', will: { ...WILL, qos } });
      await peer.destroy();
      await watcher.expect(watcher.packets.publish({ ...WILL, qos, id: 1 }));
      const late = await broker.client(level, { clientId: 'late' });
      await late.subscribe({ will: 0 });
      await late.expectNothing();
    });
  }

  test(`level ${level}: a retained will is kept [MQTT-3.1.2-15]`, async (t) => {
    const broker = await startBroker(t);
    const watcher = await watch(broker, level);
    const peer = await broker.client(level, { clientId: 'a', will: { ...WILL, retain: true } });
    await peer.destroy();
    await expectWill(watcher);
    await watcher.subscribe({ will: 0 });
    await watcher.expect(watcher.packets.publish({ ...WILL, retain: true }));
  });

  test(`level ${level}: without the Will Flag no will is published [MQTT3-3.1.2-12]`, async (t) => {
    const broker = await startBroker(t);
    const watcher = await broker.client(level, { clientId: 'watcher' });
    await watcher.subscribe({ '#': 2 });
    const peer = await broker.client(level, { clientId: 'a' });
    await peer.destroy();
    await broker.disconnected('a');
    await watcher.expectNothing();
  });

  test(`level ${level}: DISCONNECT takes the will away [MQTT-3.1.2-10] [MQTT-3.14.4-3]`, async (t) => {
    const broker = await startBroker(t);
    const watcher = await watch(broker, level);
    const peer = await broker.client(level, { clientId: 'a', will: WILL });
    await peer.disconnect();
    await watcher.expectNothing();
  });

  test(`level ${level}: a protocol error publishes the will [MQTT-3.1.2-8]`, async (t) => {
    const broker = await startBroker(t);
    const watcher = await watch(broker, level);
    const peer = await broker.client(level, { clientId: 'a', will: WILL });
    peer.send('00 00');
    await peer.expectEnd(0x82);
    await expectWill(watcher);
  });
}

test('a half-closed connection counts as lost', async (t) => {
  const broker = await startBroker(t);
  const watcher = await watch(broker);
  const peer = await broker.client(4, { clientId: 'a', will: WILL });
  peer.end();
  await expectWill(watcher);
});

for (const reason of [0x04, 0x80, 0x81, 0x97]) {
  test(`DISCONNECT with reason 0x${reason.toString(16)} publishes the will [MQTT-3.1.2-10]`, async (t) => {
    const broker = await startBroker(t);
    const watcher = await watch(broker);
    const peer = await broker.client(5, { clientId: 'a', will: WILL });
    await peer.disconnect(reason);
    await expectWill(watcher);
  });
}

test('a refused CONNECT leaves no will', async (t) => {
  const broker = await startBroker(t);
  const watcher = await watch(broker);
  const peer = await broker.dial({ level: 5 });
  peer.send(peer.packets.connect({ clientId: 'a', will: WILL, properties: "15 0001 'x'" }));
  await peer.expectConnack(0x8c);
  await peer.expectClose();
  await watcher.expectNothing();
});

test('a will carries its properties, in order [MQTT-3.1.3-10]', async (t) => {
  const broker = await startBroker(t);
  const watcher = await watch(broker);
  const users = [userProperty('b', '1'), userProperty('a', '2'), userProperty('b', '1')];
  const properties = bytes("01 01 03 0001 't' 08 0001 'r' 09 0002 00ff", ...users);
  const peer = await broker.client(5, { clientId: 'a', will: { ...WILL, properties } });
  await peer.destroy();
  await watcher.expect(watcher.packets.publish({ ...WILL, properties }));
});

test('the Message Expiry Interval of a will begins with its publication (section 3.1.3.2.4)', async (t) => {
  const broker = await startBroker(t, { fakeClock: true });
  const watcher = await watch(broker);
  const peer = await broker.client(5, { clientId: 'a', will: { ...WILL, retain: true, properties: '02 0000000a' } });
  broker.pass(1_000_000);
  await peer.destroy();
  await watcher.expect(watcher.packets.publish({ ...WILL, properties: '02 0000000a' }));
  broker.pass(7_000);
  await watcher.subscribe({ will: 0 });
  await watcher.expect(watcher.packets.publish({ ...WILL, retain: true, properties: '02 00000003' }));
});

/** The client `a` with a session of 100 s and a will after `delay` seconds. */
function withDelay(delay: string, session = '00000064'): ConnectFields {
  return { clientId: 'a', clean: false, will: { ...WILL, properties: `18 ${delay}` }, properties: `11 ${session}` };
}

test('a will waits for its delay [MQTT-3.1.2-8]', async (t) => {
  const broker = await startBroker(t, { fakeClock: true });
  const watcher = await watch(broker);
  const peer = await broker.client(5, withDelay('0000000a'));
  await peer.destroy();
  await broker.disconnected('a');
  broker.pass(9_800);
  await watcher.expectNothing();
  broker.pass(400);
  await expectWill(watcher);
});

test('a client that is back before the delay is over has no will published [MQTT-3.1.3-9]', async (t) => {
  const broker = await startBroker(t, { fakeClock: true });
  const watcher = await watch(broker);
  const peer = await broker.client(5, withDelay('0000000a'));
  await peer.destroy();
  await broker.disconnected('a');
  broker.pass(9_000);
  const again = await broker.client(5, { clientId: 'a', clean: false, properties: '11 00000064' }, true);
  broker.pass(60_000);
  await watcher.expectNothing();
  await again.destroy();
  await broker.disconnected('a');
  await watcher.expectNothing();
});

test('a will whose delay is longer than the session is published when the session ends [MQTT-3.1.2-8]', async (t) => {
  const broker = await startBroker(t, { fakeClock: true });
  const watcher = await watch(broker);
  const peer = await broker.client(5, withDelay('0000ffff', '0000000a'));
  await peer.destroy();
  await broker.disconnected('a');
  broker.pass(9_800);
  await watcher.expectNothing();
  broker.pass(400);
  await expectWill(watcher);
  assert.equal(broker.broker.sessions.get('a'), undefined);
});

test('a delayed will of a session that ends with its connection is published at once (section 3.1.3.2.2)', async (t) => {
  const broker = await startBroker(t, { fakeClock: true });
  const watcher = await watch(broker);
  const peer = await broker.client(5, withDelay('0000000a', '00000000'));
  await peer.destroy();
  await expectWill(watcher);
});

test('a Clean Start ends the session: its delayed will is published at once (section 3.1.3.2.2)', async (t) => {
  const broker = await startBroker(t, { fakeClock: true });
  const watcher = await watch(broker);
  const peer = await broker.client(5, withDelay('0000000a'));
  await peer.destroy();
  await broker.disconnected('a');
  await broker.client(5, { clientId: 'a', clean: true });
  await expectWill(watcher);
  broker.pass(60_000);
  await watcher.expectNothing();
});

test('taken over: a will without delay is published, a delayed one is not, unless the session ends (section 3.1.4)', async (t) => {
  const broker = await startBroker(t, { fakeClock: true });
  const watcher = await watch(broker);
  const rows: { first: ConnectFields; second: ConnectFields; published: boolean; resumed: boolean }[] = [
    { first: withDelay('00000000'), second: withDelay('00000000'), published: true, resumed: true },
    { first: withDelay('0000000a'), second: withDelay('0000000a'), published: false, resumed: true },
    { first: withDelay('0000000a'), second: { ...withDelay('0000000a'), clean: true }, published: true, resumed: false },
    { first: withDelay('0000000a', '00000000'), second: withDelay('0000000a'), published: true, resumed: false },
  ];
  for (const { first, second, published, resumed } of rows) {
    const old = await broker.client(5, first);
    const newer = await broker.client(5, second, resumed);
    await old.expectDisconnect(0x8e);
    if (published) await expectWill(watcher);
    await watcher.expectNothing();
    await newer.disconnect(0, '11 00000000');
  }
});

test('taken over before MQTT 5: the will of the old connection is published, once [MQTT-3.1.2-8] [MQTT-3.1.2-10]', async (t) => {
  const broker = await startBroker(t);
  const watcher = await watch(broker);
  for (const clean of [true, false]) {
    const old = await broker.client(4, { clientId: 'a', clean, will: WILL });
    const newer = await broker.client(4, { clientId: 'a', clean: true });
    await old.expectClose();
    await expectWill(watcher);
    await newer.disconnect();
    await watcher.expectNothing();
  }
});

test('a client with No Local does not get its own will [MQTT-3.8.3-3]', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.client(5, { clientId: 'a', properties: '11 00000064', will: { ...WILL, qos: 1 } });
  const watcher = await watch(broker);
  await peer.subscribe({ will: NO_LOCAL | 1 });
  await peer.destroy();
  await watcher.expect(watcher.packets.publish({ ...WILL, qos: 1, id: 1 }));
  const again = await broker.client(5, { clientId: 'a', clean: false }, true);
  await again.expectNothing();
});

test('an empty retained will removes the retained message', async (t) => {
  const broker = await startBroker(t);
  const watcher = await watch(broker);
  await watcher.publish({ topic: 'alive', payload: 'yes', retain: true });
  await watcher.subscribe({ 'alive/#': 0 });
  await watcher.expect(watcher.packets.publish({ topic: 'alive', payload: 'yes', retain: true }));
  const peer = await broker.client(4, { clientId: 'a', will: { topic: 'alive', retain: true } });
  await peer.destroy();
  await watcher.expect(watcher.packets.publish({ topic: 'alive' }));
  assert.equal(broker.broker.retained.size, 0);
});

test('a broker that stops and keeps nothing ends all sessions: wills that wait for their delay are due, of clients that are there and that are away [MQTT-3.1.2-8]', async (t) => {
  const broker = await startBroker(t);
  const watcher = new TestClient('watcher', broker.broker).subscribe('will/#');
  const delayed = (name: string) => ({
    clientId: name,
    will: { topic: `will/${name}`, properties: '18 00000064' },
    properties: '11 00000064',
  });
  await (await broker.client(5, delayed('away'))).destroy();
  await broker.disconnected('away');
  await broker.client(5, delayed('there'));
  await (await broker.client(5, delayed('goodbye'))).disconnect();
  assert.deepEqual(watcher.received, []);
  broker.protocol.stop(null);
  assert.deepEqual(watcher.received.map(({ topic }) => topic).sort(), ['will/away', 'will/there']);
});
