import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBroker } from '../harness/mqtt-broker.ts';
import { connackV3, packet, properties, text } from '../harness/mqtt-bytes.ts';

/** Clients that are sent away by an operator, MQTT 5.0 sections 3.14.2.1 and 4.11. */

const LEVELS = [3, 4, 5] as const;
const KICK = { reason: 'administrativeAction', text: 'maintenance', serverReference: null } as const;
const ELSEWHERE = { reason: 'useAnotherServer', text: 'too full', serverReference: 'b.example:1883 c.example' } as const;
const MOVED = { reason: 'serverMoved', text: null, serverReference: '[2001:db8::1]:1883' } as const;

test('a client that an operator disconnects is told 0x98, its will is published and its session stays', async (t) => {
  const broker = await startBroker(t);
  const watcher = await broker.client(4, { clientId: 'w' });
  await watcher.subscribe({ 'gone/+': 0 });
  for (const level of LEVELS) {
    const clientId = `c${level}`;
    const kept = level === 5 ? { properties: '11 00000064' } : { clean: false };
    const peer = await broker.client(level, { clientId, will: { topic: `gone/${level}` }, ...kept });
    assert.equal(broker.broker.sessions.dismiss(clientId, KICK), true);
    if (level === 5) await peer.expect("e0 10 98 0e 1f 000b 'maintenance'");
    await peer.expectClose();
    await watcher.expect(watcher.packets.publish({ topic: `gone/${level}` }));
    assert.ok(broker.broker.sessions.get(clientId), 'the session is kept');
    assert.equal(broker.broker.sessions.dismiss(clientId, KICK), false, 'it has gone');
    await broker.client(level, { clientId, clean: false }, true);
  }
  assert.equal(broker.broker.sessions.dismiss('nobody', KICK), false);
});

test('the words of a DISCONNECT are left out for a client that wants none, and the way too where there is no room', async (t) => {
  const broker = await startBroker(t);
  for (const [asked, said] of [
    ['', properties('1c', text(ELSEWHERE.serverReference), '1f', text('too full'))],
    ['17 00', properties('1c', text(ELSEWHERE.serverReference))],
    ['27 00000020', properties('1c', text(ELSEWHERE.serverReference))], // 2 + 1 + 1 + 3 + 24 = 31
    ['27 0000001e', '00'],
  ] as const) {
    const peer = await broker.client(5, { clientId: 'a', properties: asked });
    broker.broker.sessions.dismiss('a', ELSEWHERE);
    await peer.expect(packet(0xe0, '9c', said));
    await peer.expectClose();
  }
});

for (const { what, redirection, code } of [
  { what: 'for the time being: 0x9C', redirection: ELSEWHERE, code: 0x9c },
  { what: 'for good: 0x9D', redirection: MOVED, code: 0x9d },
]) {
  test(`clients are sent elsewhere ${what} with the Server Reference, those that are there and those that come`, async (t) => {
    const broker = await startBroker(t);
    const [v5, terse] = [await broker.client(5, { clientId: 'v5' }), await broker.client(5, { clientId: 'terse', properties: '17 00' })];
    const v4 = await broker.client(4, { clientId: 'v4' });
    broker.broker.redirect(redirection);
    const reference = properties('1c', text(redirection.serverReference));
    await terse.expect(packet(0xe0, Buffer.from([code]), reference));
    await terse.expectClose();
    assert.ok((await v5.expectDisconnect(code)).includes(text(redirection.serverReference)));
    await v4.expectClose();
    const later = await broker.dial({ level: 5 });
    later.send(later.packets.connect({ clientId: 'later', properties: '17 00' }));
    await later.expect(packet(0x20, Buffer.from([0, code]), reference));
    await later.expectClose();
    for (const level of [3, 4] as const) {
      const old = await broker.dial({ level });
      old.send(old.packets.connect({ clientId: 'old' }));
      await old.expect(connackV3(false, 3));
      await old.expectClose();
    }
    assert.equal(broker.broker.sessions.size, 0);
    assert.equal(broker.broker.counters.protocolErrors, 0, 'nobody has done anything wrong');
    broker.broker.redirect(null);
    await broker.client(5, { clientId: 'later' });
  });
}

test('a CONNACK that sends elsewhere is no larger than the client accepts: first its words go, then the way', async (t) => {
  const broker = await startBroker(t);
  broker.broker.redirect(ELSEWHERE);
  for (const [asked, said] of [
    ['27 0000002c', properties('1c', text(ELSEWHERE.serverReference), '1f', text('too full'))], // 2 + 2 + 1 + 27 + 11 = 43
    ['27 0000002a', properties('1c', text(ELSEWHERE.serverReference))],
    ['27 0000001f', '00'],
  ] as const) {
    const peer = await broker.dial({ level: 5 });
    peer.send(peer.packets.connect({ clientId: 'a', properties: asked }));
    await peer.expect(packet(0x20, '00 9c', said));
    await peer.expectClose();
  }
});

test('a broker that stops tells where to go meanwhile, if that is said', async (t) => {
  const broker = await startBroker(t);
  const v5 = await broker.client(5, { clientId: 'v5' });
  const v4 = await broker.client(4, { clientId: 'v4' });
  broker.protocol.stop('b.example:1883');
  await v5.expect("e0 13 9c 11 1c 000e 'b.example:1883'");
  await v5.expectClose();
  await v4.expectClose();
});

test('a broker that stops answers a CONNECT that waits for its verdict, and one that comes only now, with where to go; others are closed', async (t) => {
  const broker = await startBroker(t, { authenticator: { authenticate: () => new Promise(() => {}) } });
  const waiting = await broker.dial({ level: 5 });
  waiting.send(waiting.packets.connect({ clientId: 'waiting', properties: '17 00' }));
  const late = await broker.dial({ level: 5 });
  await broker.until(() => broker.broker.counters.connects === 1 && broker.connections === 2, 'both to be there');
  broker.protocol.stop('b.example:1883');
  late.send(late.packets.connect({ clientId: 'late', properties: '17 00' }));
  for (const peer of [waiting, late]) {
    await peer.expect("20 14 00 9c 11 1c 000e 'b.example:1883'");
    await peer.expectClose();
  }
  const alone = await startBroker(t);
  const silent = await alone.dial({ level: 5 });
  await alone.until(() => alone.connections === 1, 'it to be there');
  alone.protocol.stop(null);
  await silent.expectClose();
});
