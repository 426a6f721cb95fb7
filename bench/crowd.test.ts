import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import mqtt from 'mqtt-packet';
import { freePort, startBroker } from './broker-process.ts';
import { Crowd } from './crowd.ts';
import { findProgram } from './machine.ts';
import { nodeCommand } from './node-command.ts';

const quick = { host: '127.0.0.1', clients: 30, keepAliveS: 60, brokerPid: 0 };

/** A broker that accepts everybody and tells what it was sent; it refuses every subscription from the `refusing`th on. */
async function startListener(t: TestContext, refusing = Number.POSITIVE_INFINITY) {
  const packets: mqtt.Packet[] = [];
  let subscriptions = 0;
  const server = createServer((socket) => {
    const parser = mqtt.parser({ protocolVersion: 4 });
    parser.on('packet', (packet) => {
      packets.push(packet);
      if (packet.cmd === 'connect') socket.write(mqtt.generate({ cmd: 'connack', returnCode: 0, sessionPresent: false }));
      if (packet.cmd === 'subscribe') {
        const granted = packet.subscriptions.map(() => (++subscriptions >= refusing ? 0x80 : 0));
        socket.write(mqtt.generate({ cmd: 'suback', messageId: packet.messageId ?? 1, granted }));
      }
      if (packet.cmd === 'disconnect') socket.end();
    });
    socket.on('data', (chunk) => parser.parse(chunk));
    socket.on('error', () => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return { port: address.port, packets };
}

test('everybody connects under a name of its own, subscribes to what it was told, and says goodbye', async (t) => {
  const { port, packets } = await startListener(t);
  const crowd = new Crowd({ ...quick, port });
  assert.equal((await crowd.connect()).count, 30);
  const subscribed = await crowd.subscribe(120);
  assert.equal(subscribed.count, 30 * 120);
  assert.ok(subscribed.seconds > 0 && subscribed.generatorCpu > 0 && subscribed.brokerCpuSeconds === null);
  assert.equal(crowd.closed, 0);
  await crowd.leave();
  const connects = packets.filter((packet) => packet.cmd === 'connect');
  assert.equal(new Set(connects.map(({ clientId }) => clientId)).size, 30);
  assert.ok(connects.every(({ keepalive }) => keepalive === 60));
  const filters = packets.flatMap((packet) => (packet.cmd === 'subscribe' ? packet.subscriptions.map(({ topic }) => topic) : []));
  assert.equal(new Set(filters).size, 30 * 120);
  assert.equal(packets.filter(({ cmd }) => cmd === 'disconnect').length, 30);
});

test('everybody pings within its keep alive time', async (t) => {
  const { port, packets } = await startListener(t);
  const crowd = new Crowd({ ...quick, port, keepAliveS: 1 });
  await crowd.connect();
  t.after(() => crowd.leave());
  const pings = () => packets.filter(({ cmd }) => cmd === 'pingreq').length;
  while (pings() < 60) await new Promise((resolve) => setTimeout(resolve, 20));
});

test('a refused subscription ends the run and is named', async (t) => {
  const { port } = await startListener(t, 1_000);
  const crowd = new Crowd({ ...quick, port });
  await crowd.connect();
  t.after(() => crowd.leave());
  await assert.rejects(crowd.subscribe(120), /refused one of 50 subscriptions from fleet\/.* on: SUBACK 0x80/);
});

test('connections that the broker closes are counted', async (t) => {
  const server = createServer((socket) =>
    socket.once('data', () => socket.end(mqtt.generate({ cmd: 'connack', returnCode: 0, sessionPresent: false }))).on('error', () => {}),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const crowd = new Crowd({ ...quick, port: address.port });
  await crowd.connect();
  while (crowd.closed < quick.clients) await new Promise((resolve) => setTimeout(resolve, 10));
  await crowd.leave();
});

test('the program does what its input says, against a real broker', async (t) => {
  const mosquitto = findProgram('mosquitto');
  if (mosquitto === null) return t.skip('mosquitto is not installed');
  const port = await freePort();
  const broker = await startBroker('mosquitto', [mosquitto, '-p', String(port)], port);
  t.after(() => broker.stop());
  const [node, ...args] = nodeCommand('crowd-program');
  const child = spawn(node, [...args, `--port=${port}`, '--clients=20', `--broker-pid=${broker.pid}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => JSON.parse((await lines.next()).value as string) as Record<string, number>;
  const connected = await answer();
  assert.equal(connected.count, 20);
  assert.ok(connected.brokerCpuSeconds! >= 0);
  child.stdin.write('subscribe 70\n');
  assert.equal((await answer()).count, 1_400);
  child.stdin.write('leave\n');
  assert.deepEqual(await answer(), { closed: 0 });
  assert.deepEqual(await exited, [0, null]);
});
