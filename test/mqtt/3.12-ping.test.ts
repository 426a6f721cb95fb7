import { test } from 'node:test';
import { startBroker } from '../harness/mqtt-broker.ts';
import { PINGREQ, PINGRESP } from '../harness/mqtt-bytes.ts';

const LEVELS = [3, 4, 5] as const;

test('every PINGREQ gets a PINGRESP [MQTT-3.12.4-1]', async (t) => {
  const broker = await startBroker(t);
  for (const level of LEVELS) {
    const peer = await broker.client(level, { clientId: 'a' });
    peer.send(PINGREQ, PINGREQ, PINGREQ);
    await peer.expect(PINGRESP, PINGRESP, PINGRESP);
    await peer.disconnect();
  }
});

test('PINGREQ has neither flags nor a body [MQTT-2.1.3-1] (section 3.12.1)', async (t) => {
  const broker = await startBroker(t);
  for (const level of [4, 5] as const) {
    for (const wrong of ['c1 00', 'c0 01 00']) {
      const peer = await broker.client(level, { clientId: 'a' });
      peer.send(wrong);
      await peer.expectEnd(0x81);
    }
  }
});

for (const level of LEVELS) {
  test(`level ${level}: a client silent for one and a half times its keep alive is closed [MQTT-3.1.2-22]`, async (t) => {
    const broker = await startBroker(t, { fakeClock: true });
    const peer = await broker.client(level, { clientId: 'a', keepAlive: 10 });
    broker.pass(14_800);
    await peer.expectNothing();
    broker.pass(14_800);
    await peer.expectNothing();
    broker.pass(15_100);
    await peer.expectEnd(0x8d);
  });
}

test('any packet counts, also one that nothing answers [MQTT-3.1.2-22]', async (t) => {
  const broker = await startBroker(t, { fakeClock: true });
  const watcher = await broker.client(4, { clientId: 'w' });
  await watcher.subscribe({ a: 0 });
  const peer = await broker.client(4, { clientId: 'a', keepAlive: 10 });
  for (let i = 0; i < 5; i++) {
    peer.send(peer.packets.publish({ topic: 'a' }));
    await watcher.expect(watcher.packets.publish({ topic: 'a' }));
    broker.pass(14_000);
  }
  await peer.expectNothing();
});

test('what is sent to a client does not keep it alive', async (t) => {
  const broker = await startBroker(t, { fakeClock: true });
  const peer = await broker.client(4, { clientId: 'a', keepAlive: 10 });
  const sender = await broker.client(4, { clientId: 'b' });
  await peer.subscribe({ a: 0 });
  for (let i = 0; i < 2; i++) {
    broker.pass(7_400);
    await sender.publish({ topic: 'a' });
    await peer.expect(peer.packets.publish({ topic: 'a' }));
  }
  broker.pass(400);
  await peer.expectClose();
});

test('a keep alive of 0 is never exceeded (section 3.1.2.10)', async (t) => {
  const broker = await startBroker(t, { fakeClock: true });
  const peer = await broker.client(5, { clientId: 'a' });
  broker.pass(100_000_000);
  await peer.expectNothing();
});

test('the largest keep alive is served (section 3.1.2.10)', async (t) => {
  const broker = await startBroker(t, { fakeClock: true });
  const peer = await broker.client(5, { clientId: 'a', keepAlive: 65_535 });
  broker.pass(98_302_000);
  await peer.expectNothing();
  broker.pass(98_303_000);
  await peer.expectDisconnect(0x8d);
});

test('a connector’s default keep alive holds for clients that ask for none, and MQTT 5 is told it; what a client asks for holds [MQTT-3.2.2-22]', async (t) => {
  const broker = await startBroker(t, { fakeClock: true, connector: { defaultKeepAliveMs: 20_000 } });
  const v5 = await broker.dial({ level: 5 });
  v5.send(v5.packets.connect({ clientId: 'v5' }));
  await v5.expect('20 11 00 00 0e 13 0014 21 ffff 22 0100 27 05f5e100');
  const asks = await broker.dial({ level: 5 });
  asks.send(asks.packets.connect({ clientId: 'asks', keepAlive: 60 }));
  await asks.expect('20 0e 00 00 0b 21 ffff 22 0100 27 05f5e100');
  const v4 = await broker.client(4, { clientId: 'v4' });
  broker.pass(30_100);
  await v5.expectDisconnect(0x8d);
  await v4.expectClose();
  await asks.expectNothing();
});

test('the end of the keep alive is a failure of the network: the will is published [MQTT-3.1.2-22] [MQTT-3.1.2-8]', async (t) => {
  const broker = await startBroker(t, { fakeClock: true });
  const watcher = await broker.client(4, { clientId: 'w' });
  await watcher.subscribe({ gone: 0 });
  const peer = await broker.client(4, { clientId: 'a', keepAlive: 1, will: { topic: 'gone', payload: 'a' } });
  broker.pass(1_600);
  await peer.expectClose();
  await watcher.expect(watcher.packets.publish({ topic: 'gone', payload: 'a' }));
});
