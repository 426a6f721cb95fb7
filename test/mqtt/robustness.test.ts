import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Message } from '../../src/core/message.ts';
import { type Subscriber, Subscription } from '../../src/core/subscription.ts';
import type { MqttSession } from '../../src/protocols/mqtt/session.ts';
import type { Facts, Log } from '../../src/telemetry/log.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { startBroker } from '../harness/mqtt-broker.ts';
import { PINGREQ, PINGRESP } from '../harness/mqtt-bytes.ts';
import { Canary } from '../harness/mqtt-canary.ts';
import type { MqttPeer } from '../harness/mqtt-peer.ts';

const MB = 1024 * 1024;

test('QoS 0 messages for a client that does not read are dropped beyond a bound; it goes on when it reads again', async (t) => {
  const bound = 2 * MB;
  const broker = await startBroker(t, { limits: { connectionQueueBytes: bound } });
  const sender = await broker.client(4, { clientId: 's' });
  const slow = await broker.client(4, { clientId: 'slow' });
  const fast = await broker.client(4, { clientId: 'fast' });
  for (const peer of [slow, fast]) await peer.subscribe({ x: 0 });
  slow.stall();
  const count = 600;
  const size = 100_000;
  for (let i = 0; i < count; i++) {
    await sender.publish({ topic: 'x', payload: Buffer.alloc(size, `${i % 10}`) });
    await fast.expect(fast.packets.publish({ topic: 'x', payload: Buffer.alloc(size, `${i % 10}`) }));
  }
  const connection = [...broker.protocol.connections].find(({ session }) => session?.clientId === 'slow')!.connection;
  assert.ok(broker.broker.counters.dropped > 0, 'some were dropped');
  assert.ok(connection.queuedBytes <= bound + size + 100, `${connection.queuedBytes} bytes are queued`);
  slow.readOn();
  const arrived = count - broker.broker.counters.dropped;
  for (let i = 0; i < arrived; i++) assert.equal((await slow.packet()).body.length, 3 + size);
  await sender.publish({ topic: 'x', payload: 'after' });
  await slow.expect(slow.packets.publish({ topic: 'x', payload: 'after' }));
});

test('QoS 1 messages for a client that does not read wait in its session, whole and in order', async (t) => {
  const broker = await startBroker(t);
  const sender = await broker.client(4, { clientId: 's' });
  const slow = await broker.client(4, { clientId: 'slow' });
  await slow.subscribe({ x: 1 });
  slow.stall();
  const count = 300;
  const payload = (i: number) => Buffer.alloc(100_000, String.fromCharCode(97 + (i % 26)));
  for (let i = 1; i <= count; i++) await sender.publish({ topic: 'x', payload: payload(i), qos: 1 });
  const connection = [...broker.protocol.connections].find(({ session }) => session?.clientId === 'slow')!.connection;
  assert.ok(connection.queuedBytes < 2 * MB, `${connection.queuedBytes} bytes are queued on the connection`);
  slow.readOn();
  for (let id = 1; id <= count; id++) {
    await slow.expect(slow.packets.publish({ topic: 'x', payload: payload(id), qos: 1, id }));
    slow.send(slow.packets.puback(id));
  }
  await slow.expectNothing();
});

test('a bound on queued bytes below what one turn gathers makes no client that reads its answers wait', async (t) => {
  const broker = await startBroker(t, { limits: { connectionQueueBytes: 1 } });
  const peer = await broker.client(4, { clientId: 'c' });
  for (let i = 0; i < 3; i++) {
    const pings = 200;
    peer.send(...Array.from({ length: pings }, () => PINGREQ));
    for (let at = 0; at < pings; at++) await peer.expect(PINGRESP);
  }
});

test('retained messages larger than what is sent ahead all come to a client that takes them at once', async (t) => {
  const broker = await startBroker(t);
  const count = 6;
  for (let i = 0; i < count; i++) broker.broker.publish(Message.of(`r/${i}`, Buffer.alloc(1.2 * MB, `${i}`), 0, true));
  const peer = await broker.client(4, { clientId: 'c' });
  peer.send(peer.packets.subscribe(1, { 'r/#': 0 }));
  await peer.expect(peer.packets.suback(1, 0));
  for (let i = 0; i < count; i++) assert.equal((await peer.packet()).body.length, 2 + 3 + Math.floor(1.2 * MB));
});

test('a client that sends and does not read its answers is not listened to until it does', async (t) => {
  const broker = await startBroker(t, { limits: { connectionQueueBytes: MB } });
  const peer = await broker.client(4, { clientId: 'flood' });
  const other = await broker.client(4, { clientId: 'other' });
  peer.stall();
  const pings = 16 * MB;
  let unsent = true;
  const sent = peer.sent(Buffer.alloc(pings, PINGREQ)).then(() => {
    unsent = false;
  });
  const connection = [...broker.protocol.connections].find(({ session }) => session?.clientId === 'flood')!.connection;
  await broker.until(() => connection.queuedBytes > 2 * MB, 'the answers to pile up');
  for (let i = 0; i < 100; i++) await other.expectNothing();
  assert.ok(connection.queuedBytes < 3 * MB, `${connection.queuedBytes} bytes are queued`);
  assert.ok(unsent, 'the flood is not taken');
  peer.readOn();
  await sent;
  await peer.expect(Buffer.alloc(pings, PINGRESP));
});

test('an error of the server’s own over a packet ends the connection that it came on, and no other [MQTT3-4.8.0-2]', async (t) => {
  const said: string[] = [];
  const log = { ...silentLog, error: (message: string) => said.push(message) };
  const broker = await startBroker(t, { log });
  const faulty: Subscriber = {
    id: 'faulty',
    kind: 'queue',
    publisher: { id: 'faulty', kind: 'queue' },
    deliver: () => {
      throw new Error('of ours');
    },
  };
  const subscription = new Subscription({
    filter: 'x',
    group: null,
    subscriber: faulty,
    qos: 0,
    noLocal: false,
    retainAsPublished: false,
    identifier: 0,
  });
  broker.broker.router.subscribe(subscription);
  for (const level of [3, 4, 5] as const) {
    const other = await broker.client(level, { clientId: 'other' });
    const peer = await broker.client(level, { clientId: 'a' });
    peer.send(peer.packets.publish({ topic: 'x' }), PINGREQ);
    await peer.expectClose();
    await other.expectNothing();
  }
  assert.deepEqual(said, Array(3).fill('a connection is closed because of a mistake in Roundhouse, please report it'));
});

test('one warning is logged when messages are dropped, not one a message', async (t) => {
  const lines: { message: string; facts: Facts | undefined }[] = [];
  const log: Log = { ...silentLog, warn: (message, facts) => lines.push({ message, facts }) };
  const broker = await startBroker(t, { limits: { sessionQueueMessages: 1 }, log });
  const sender = await broker.client(4, { clientId: 's' });
  for (let round = 1; round <= 2; round++) {
    const peer = await broker.client(4, { clientId: 'a', clean: false }, round > 1);
    if (round > 1) await peer.packet();
    await peer.subscribe({ x: 1 });
    await peer.destroy();
    await broker.disconnected('a');
    for (let i = 0; i < 10; i++) await sender.publish({ topic: 'x', qos: 1 });
    assert.equal(lines.length, round);
  }
  const facts = { clientId: 'a', filter: 'x', limit: 'sessionQueueMessages' };
  assert.deepEqual(lines[0], { message: 'messages for a client are dropped', facts });
});

test('clients that break the protocol are named with the reason and no stack, the first few in a minute at info, the others at debug', async (t) => {
  const lines: { level: string; message: string; facts: Facts | undefined }[] = [];
  const write = (level: string) => (message: string, facts?: Facts) => lines.push({ level, message, facts });
  const log: Log = { ...silentLog, info: write('info'), debug: write('debug'), warn: write('warn'), error: write('error') };
  const broker = await startBroker(t, { fakeClock: true, log });
  const mistake = async (clientId: string) => {
    const peer = await broker.client(5, { clientId });
    peer.send('36 06 0001 0061 0001 00');
    await peer.expectDisconnect(0x81);
  };
  for (let i = 0; i < 13; i++) await mistake(`c${i}`);
  broker.pass(60_000);
  await mistake('later');
  const faults = lines.filter(({ message }) => message === 'client broke the protocol');
  assert.deepEqual(
    faults.map(({ level }) => level),
    [...Array(10).fill('info'), ...Array(3).fill('debug'), 'info'],
  );
  const { remoteAddress, ...facts } = faults[0]!.facts!;
  assert.match(String(remoteAddress), /^127\.0\.0\.1:\d+$/);
  assert.deepEqual(facts, {
    connector: 'mqtt',
    clientId: 'c0',
    code: 'MQTT_MALFORMED_PACKET',
    reason: 'a PUBLISH with QoS 3 [MQTT-3.3.1-4]',
  });
  assert.deepEqual(
    lines.filter(({ message }) => message.startsWith('more clients')).map(({ level, facts }) => ({ level, facts })),
    [{ level: 'info', facts: { clients: 3 } }],
  );
  assert.ok(lines.every(({ level }) => level === 'info' || level === 'debug'));
});

test('a crowd that comes and goes leaves nothing behind', async (t) => {
  const broker = await startBroker(t);
  for (let round = 0; round < 3; round++) {
    const peers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => broker.client(5, { clientId: `c${i}`, keepAlive: 60, will: { topic: 'w' } })),
    );
    await Promise.all(peers.map((peer, i) => peer.subscribe({ [`own/${i}`]: 1, 'all/+': i % 3, '$share/g/#': 1 })));
    for (let i = 0; i < 20; i++) await peers[i]!.sent(peers[i]!.packets.publish({ topic: 'all/x', qos: 1, id: 1 }));
    await Promise.all(
      peers.map((peer, i) => (i % 2 === 0 ? peer.destroy() : peer.sent(peer.packets.disconnect()).then(() => peer.destroy()))),
    );
    await broker.until(() => broker.connections === 0, 'all connections to close');
    assert.equal(broker.protocol.connections.size, 0);
    assert.equal(broker.broker.sessions.size, 0);
    assert.equal(broker.broker.router.size, 0);
    assert.equal(broker.protocol.timers.size, 0);
  }
});

test('a client that never completes QoS 2 uses up its own identifiers and nothing else', async (t) => {
  const broker = await startBroker(t, { limits: { packetIdentifiers: 4, inflightMessages: 2 } });
  const sender = await broker.client(4, { clientId: 's' });
  for (let round = 0; round < 3; round++) {
    const peer = await broker.client(4, { clientId: 'never', clean: false }, round > 0);
    if (round === 0) await peer.subscribe({ x: 2 });
    for (let id = 1; id <= round * 2; id++) await peer.expect(peer.packets.pubrel(id));
    for (let i = 0; i < 2; i++) await sender.publish({ topic: 'x', qos: 2 });
    if (round === 2) {
      await peer.expectNothing(); // four identifiers are in use: the rest waits
      peer.send(peer.packets.pubcomp(1));
      await peer.expect(peer.packets.publish({ topic: 'x', qos: 2, id: 5 }));
      return;
    }
    for (let id = round * 2 + 1; id <= round * 2 + 2; id++) await peer.expect(peer.packets.publish({ topic: 'x', qos: 2, id }));
    for (let id = round * 2 + 1; id <= round * 2 + 2; id++) {
      peer.send(peer.packets.pubrec(id));
      await peer.expect(peer.packets.pubrel(id));
    }
    await peer.destroy();
    await broker.disconnected('never');
  }
});

test('subscribing again and again before retained messages are read does not heap them up', async (t) => {
  const broker = await startBroker(t);
  const sender = await broker.client(4, { clientId: 's' });
  for (let i = 0; i < 60; i++) await sender.publish({ topic: `r/${i}`, retain: true, payload: Buffer.alloc(MB / 4), qos: 1 });
  const peer = await broker.client(4, { clientId: 'again' });
  peer.stall();
  const rounds = 500;
  for (let id = 1; id <= rounds; id++) peer.send(peer.packets.subscribe(id, { 'r/#': 0 }));
  peer.send(peer.packets.subscribe(rounds + 1, { last: 0 }));
  const session = broker.broker.sessions.get('again') as MqttSession;
  await broker.until(() => session.subscriptions.has('last'), 'the last subscription');
  assert.equal(session.queued, 1, 'one replay waits');
});

test('clients that say their CONNECT a byte at a time, half of it, or nothing, are let go in time, and a canary sings on', async (t) => {
  const timeoutMs = 1_500;
  const broker = await startBroker(t, { connector: { connectAttemptTimeoutMs: timeoutMs } });
  const canary = await Canary.start(broker);
  const slow: MqttPeer[] = [];
  for (let i = 0; i < 100; i++) slow.push(await broker.dial());
  const connect = slow[0]!.packets.connect({ clientId: 'x'.repeat(1_000) });
  const began = performance.now();
  for (let at = 0; !slow.every(({ closed }) => closed); at++) {
    for (const [i, peer] of slow.entries()) {
      const limit = i % 4 === 0 ? 0 : i % 4 === 1 ? 10 : connect.length - 1; // a CONNECT is never whole
      if (at < limit && !peer.closed) peer.send(connect.subarray(at, at + 1));
    }
    await canary.sing();
    assert.ok(performance.now() - began < 60_000, 'they are let go');
  }
  assert.ok(performance.now() - began >= timeoutMs - 100);
  assert.equal(broker.broker.sessions.size, 1);
  await broker.until(() => broker.connections === 1, 'the end of all but the canary');
  await canary.sing();
});

test('clients that close their side are closed after what they said is done; a canary sings on', async (t) => {
  const broker = await startBroker(t);
  const canary = await Canary.start(broker);
  for (let round = 0; round < 20; round++) {
    const said = await broker.dial({ level: 5 });
    said.send(said.packets.connect({ clientId: 'said' }), said.packets.subscribe(1, { x: 1 }), PINGREQ);
    said.end();
    const half = await broker.dial({ level: 5 });
    half.send(said.packets.connect({ clientId: 'half' }).subarray(0, 9));
    half.end();
    const nothing = await broker.dial();
    nothing.end();
    await canary.sing();
    await said.expectConnack(0);
    await said.expect(said.packets.suback(1, 1), PINGRESP);
    for (const peer of [said, half, nothing]) await peer.expectClose();
  }
  await broker.until(() => broker.connections === 1, 'the end of all but the canary');
  assert.equal(broker.broker.sessions.size, 1);
  assert.equal(broker.broker.counters.probes, 20);
});

test('a peer that is gone without a word keeps its session until its keep alive is over, and a canary sings on', async (t) => {
  const broker = await startBroker(t, { fakeClock: true });
  const canary = await Canary.start(broker);
  const gone = await broker.client(4, { clientId: 'gone', keepAlive: 10 });
  gone.stall(); // no goodbye: what is sent to it is not read, and nothing comes
  for (let passedMs = 0; passedMs < 14_000; passedMs += 2_000) {
    broker.pass(2_000);
    await canary.sing();
    assert.equal(broker.broker.sessions.get('gone')?.connected, true);
  }
  broker.pass(1_200);
  await canary.sing();
  assert.equal(broker.broker.sessions.get('gone'), undefined);
});

test('thousands of tiny packets of many clients in one write each, and all of them split at every byte, and a canary sings on', async (t) => {
  const broker = await startBroker(t);
  const canary = await Canary.start(broker);
  const count = 4_000;
  const tiny = await Promise.all(Array.from({ length: 5 }, (_, i) => broker.client(4, { clientId: `tiny ${i}` })));
  for (const peer of tiny) {
    const packets: Buffer[] = [];
    for (let id = 1; id <= count; id++) packets.push(id % 2 === 0 ? PINGREQ : peer.packets.publish({ topic: 'a', qos: 1, id }));
    peer.send(...packets);
  }
  await canary.sing();
  for (const peer of tiny) {
    for (let id = 1; id <= count; id++) await peer.expect(id % 2 === 0 ? PINGRESP : peer.packets.puback(id));
  }
  const bytewise = await broker.dial({ level: 5 });
  const stream = Buffer.concat([
    bytewise.packets.connect({ clientId: 'bytewise', will: { topic: 'w' } }),
    bytewise.packets.subscribe(1, { 'b/#': 1 }),
    bytewise.packets.publish({ topic: 'b/1', payload: 'x', qos: 1, id: 1 }),
    PINGREQ,
  ]);
  for (const byte of stream) {
    await bytewise.sent(Buffer.of(byte));
    await canary.sing();
  }
  await bytewise.expectConnack(0);
  await bytewise.expect(bytewise.packets.suback(1, 1));
  await bytewise.expectInAnyOrder(bytewise.packets.publish({ topic: 'b/1', payload: 'x', qos: 1, id: 1 }), bytewise.packets.puback(1));
  await bytewise.expect(PINGRESP);
});
