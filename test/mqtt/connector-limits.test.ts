import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Facts, type Log, silentLog } from '../../src/telemetry/log.ts';
import { SURPLUS_MAX } from '../../src/transport/places.ts';
import { startBroker } from '../harness/mqtt-broker.ts';

const LEVELS = [3, 4, 5] as const;

test('at maximumConnections a client is told after its CONNECT: CONNACK 3, or 0x97 in MQTT 5; one line in the log for all of them', async (t) => {
  const lines: { message: string; facts: Facts | undefined }[] = [];
  const log: Log = {
    ...silentLog,
    info: (message, facts) => lines.push({ message, facts }),
    warn: (message, facts) => lines.push({ message, facts }),
  };
  const broker = await startBroker(t, { maximumConnections: 2, log });
  const inside = [await broker.client(4, { clientId: 'a' }), await broker.client(5, { clientId: 'b' })];
  for (const level of LEVELS) {
    const surplus = await broker.dial({ level });
    surplus.send(surplus.packets.connect({ clientId: `surplus ${level}`, will: { topic: 'w' } }));
    if (level === 5) assert.match((await surplus.expectConnack(0x97)).toString('latin1'), /has all the connections that it may have/);
    else await surplus.expect('20 02 00 03');
    await surplus.expectClose();
  }
  assert.equal(broker.placeCounters.refused, 3);
  assert.equal(broker.broker.counters.protocolErrors, 0);
  assert.equal(broker.broker.counters.refusedBy.maximumConnections, 3);
  assert.equal(broker.broker.sessions.size, 2);
  assert.deepEqual(lines, [
    { message: 'connector is full: further connections are turned away', facts: { connector: 'mqtt', maximumConnections: 2 } },
  ]);
  await inside[0]!.disconnect();
  await broker.disconnected('a');
  await (await broker.client(4, { clientId: 'c' })).expectNothing();
  await inside[1]!.expectNothing();
});

test('a client that connects anew at maximumConnections takes over its own place', async (t) => {
  const broker = await startBroker(t, { maximumConnections: 2 });
  await broker.client(4, { clientId: 'other' });
  let older = await broker.client(5, { clientId: 'same' });
  for (let i = 0; i < 5; i++) {
    const newer = await broker.client(5, { clientId: 'same' });
    await older.expectDisconnect(0x8e);
    await newer.expectNothing();
    older = newer;
  }
  assert.equal(broker.placeCounters.refused, 0);
  const stranger = await broker.dial({ level: 4 });
  stranger.send(stranger.packets.connect({ clientId: 'stranger' }));
  await stranger.expect('20 02 00 03');
});

test('sockets that say nothing, or half a CONNECT, take no place', async (t) => {
  const broker = await startBroker(t, { maximumConnections: 1 });
  const silent = [];
  for (let i = 0; i < 20; i++) {
    const peer = await broker.dial();
    if (i % 2 === 0) peer.send('10 10 0004');
    silent.push(peer);
  }
  const client = await broker.client(4, { clientId: 'a' });
  await client.expectNothing();
  assert.ok(silent.every(({ closed }) => !closed));
  assert.equal(broker.placeCounters.refused, 0);
});

test('at maximumConnections the oldest silent socket gives way, so that each client is still told and the one inside still served', async (t) => {
  const broker = await startBroker(t, { maximumConnections: 1 });
  const inside = await broker.client(4, { clientId: 'inside' });
  const silent = [];
  for (let i = 0; i < SURPLUS_MAX + 10; i++) silent.push(await broker.dial());
  await broker.until(() => broker.placeCounters.refused === 10, 'ten to be turned away');
  for (const peer of silent.slice(0, 10)) await peer.expectClose();
  const told = await broker.dial();
  told.send(told.packets.connect({ clientId: 'told' }));
  await told.expect('20 02 00 03');
  await told.expectClose();
  await inside.expectNothing();
  assert.ok(silent.slice(11).every(({ closed }) => !closed));
});

test('a connection that says nothing and goes is a probe: counted, not logged, no client', async (t) => {
  const lines: string[] = [];
  const write = (message: string): unknown => lines.push(message);
  const broker = await startBroker(t, { log: { ...silentLog, error: write, warn: write, info: write, debug: write } });
  const [ended, reset] = [await broker.dial(), await broker.dial()];
  ended.end();
  await ended.expectClose();
  reset.reset();
  await broker.until(() => broker.placeCounters.probes === 2, 'the probes to be counted');
  assert.equal(broker.broker.counters.probes, 2);
  assert.deepEqual(lines, []);

  const half = await broker.dial();
  half.send('10');
  half.end();
  await half.expectClose();
  await broker.until(() => broker.connections === 0, 'the end of all connections');
  assert.equal(broker.placeCounters.probes, 2, 'who has said something is none');
  assert.deepEqual(lines, ['client connection lost']);
});
