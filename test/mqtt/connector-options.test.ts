import { test } from 'node:test';
import { startBroker } from '../harness/mqtt-broker.ts';

const LEVELS = [3, 4, 5] as const;

test('without transport.publishDollarTopics a message to a $ topic goes nowhere: MQTT 5 is told, earlier versions get their acknowledgement', async (t) => {
  const broker = await startBroker(t);
  for (const level of LEVELS) {
    const peer = await broker.client(level, { clientId: 'a', properties: '17 00' });
    await peer.subscribe({ '$mine/#': 0, '#': 0 });
    peer.send(peer.packets.publish({ topic: '$mine/a' }));
    peer.send(peer.packets.publish({ topic: '$mine/a', qos: 1, id: 1 }), peer.packets.publish({ topic: '$', qos: 2, id: 2 }));
    await peer.expect(level === 5 ? '40 03 0001 87  50 03 0002 87' : '40 02 0001  50 02 0002');
    peer.send(peer.packets.publish({ topic: 'a/$b' }));
    await peer.expect(peer.packets.publish({ topic: 'a/$b' }));
    await peer.disconnect();
  }
});

test('without transport.publishDollarTopics a will to a $ topic is refused at CONNECT; with it, it is published', async (t) => {
  const will = { topic: '$mine/gone', payload: 'x' };
  const strict = await startBroker(t);
  const refused = await strict.dial({ level: 5 });
  refused.send(refused.packets.connect({ clientId: 'a', will }));
  await refused.expectConnack(0x90);
  await refused.expectClose();

  const liberal = await startBroker(t, { connector: { publishDollarTopics: true } });
  const watcher = await liberal.client(4, { clientId: 'w' });
  await watcher.subscribe({ '$mine/#': 0 });
  await (await liberal.client(4, { clientId: 'a', will })).destroy();
  await watcher.expect(watcher.packets.publish(will));
});

test('with transport.useInactivityMonitor=false nobody is let go for silence, and MQTT 5 is told of no keep alive', async (t) => {
  const connector = { useInactivityMonitor: false, defaultKeepAliveMs: 20_000 };
  const broker = await startBroker(t, { fakeClock: true, connector });
  const peers = [];
  for (const level of LEVELS) peers.push(await broker.client(level, { clientId: `keeps ${level}`, keepAlive: 10 }));
  const asksForNone = await broker.dial({ level: 5 });
  asksForNone.send(asksForNone.packets.connect({ clientId: 'none' }));
  await asksForNone.expect('20 0e 00 00 0b 21 ffff 22 0100 27 05f5e100');
  broker.pass(10_000_000);
  for (const peer of [...peers, asksForNone]) await peer.expectNothing();
});

test('transport.activeMQSubscriptionPrefetch bounds what a client has not acknowledged; a smaller Receive Maximum bounds it further', async (t) => {
  const broker = await startBroker(t, { connector: { subscriptionPrefetch: 3 } });
  const sender = await broker.client(4, { clientId: 's' });
  for (const { level, properties, window } of [
    { level: 4, properties: undefined, window: 3 },
    { level: 5, properties: '21 0064', window: 3 },
    { level: 5, properties: '21 0002', window: 2 },
  ] as const) {
    const peer = await broker.client(level, { clientId: 'a', ...(properties === undefined ? {} : { properties }) });
    await peer.subscribe({ x: 1 });
    for (let i = 0; i < 5; i++) await sender.publish({ topic: 'x', qos: 1 });
    for (let id = 1; id <= window; id++) await peer.expect(peer.packets.publish({ topic: 'x', qos: 1, id }));
    await peer.expectNothing();
    for (let id = 1; id <= 5; id++) {
      peer.send(peer.packets.puback(id));
      if (id + window <= 5) await peer.expect(peer.packets.publish({ topic: 'x', qos: 1, id: id + window }));
    }
    await peer.expectNothing();
    await peer.disconnect();
  }
});

test('with transport.connectAttemptTimeout=0 a connection may be silent for ever', async (t) => {
  const broker = await startBroker(t, { fakeClock: true, connector: { connectAttemptTimeoutMs: 0 } });
  const silent = await broker.dial();
  const other = await broker.client(4, { clientId: 'other' });
  broker.pass(100_000_000);
  await other.expectNothing();
  await silent.connect({ clientId: 'a' });
  await silent.expectNothing();
});
