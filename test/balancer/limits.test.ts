import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../../src/telemetry/log.ts';
import { bind, frontAndBack } from './model-builder.ts';
import { answersMqtt, closedPort, MqttClient, Peer, startBalancer, startPeer } from './peers.ts';

async function connected(t: TestContext, port: number, number: number): Promise<MqttClient[]> {
  const clients = Array.from({ length: number }, () => new MqttClient(port));
  t.after(() => {
    for (const client of clients) client.close();
  });
  for (const client of clients) assert.equal(await client.outcome, 'connack');
  return clients;
}

/** True when nothing has come for a while. */
async function waits(client: MqttClient): Promise<boolean> {
  return (await Promise.race([client.outcome, delay(300, 'nothing')])) === 'nothing';
}

test('clients beyond the maxconn of all servers wait, and are served in the order in which they came', async (t) => {
  const peers = [await startPeer(t, answersMqtt), await startPeer(t, answersMqtt)];
  const { balancer, port } = await startBalancer(t, frontAndBack({ servers: peers.map(({ port: p }) => ({ port: p, maxconn: 2 })) }));
  const held = await connected(t, port, 4);
  const queued: MqttClient[] = [];
  const served: number[] = [];
  for (let i = 0; i < 3; i++) {
    const client = new MqttClient(port);
    queued.push(client);
    t.after(() => client.close());
    void client.outcome.then(() => served.push(i));
    while (balancer.backends[0]!.queue.length < i + 1) await delay(5);
  }
  assert.equal(await waits(queued[0]!), true);
  for (const client of held.slice(0, 3)) {
    const before = served.length;
    client.close();
    while (served.length === before) await delay(5);
  }
  assert.deepEqual(served, [0, 1, 2]);
  assert.equal(balancer.backends[0]!.queue.lengthMax, 3);
  assert.equal(balancer.backends[0]!.queue.length, 0);
});

test('a client that waits is served by a server that comes back', async (t) => {
  const away = await new Peer(answersMqtt).listen();
  t.after(() => away.kill());
  await away.kill();
  const full = await startPeer(t, answersMqtt);
  const { balancer, port } = await startBalancer(
    t,
    frontAndBack({
      servers: [
        { port: away.port, maxconn: 5 },
        { port: full.port, maxconn: 1 },
      ],
      back: { timeouts: { queue: 60_000 } },
    }),
  );
  await connected(t, port, 1);
  const queued = new MqttClient(port);
  t.after(() => queued.close());
  while (balancer.backends[0]!.queue.length < 1) await delay(5);
  await away.listen();
  assert.equal(await queued.outcome, 'connack');
});

test('when the full server dies too, those who wait go through the retries instead of the queue timeout', async (t) => {
  const dying = await new Peer(answersMqtt).listen();
  t.after(() => dying.kill());
  const { balancer, port } = await startBalancer(
    t,
    frontAndBack({
      servers: [{ port: dying.port, maxconn: 1 }, await closedPort()],
      back: { retries: 1, timeouts: { connect: 500, queue: 600_000 } },
    }),
  );
  await connected(t, port, 1);
  const queued = [new MqttClient(port), new MqttClient(port)];
  while (balancer.backends[0]!.queue.length < 2) await delay(5);
  await dying.kill();
  for (const client of queued) assert.equal(await client.outcome, 'fin');
});

test('minconn: the limit of a server grows with the load of its backend', async (t) => {
  const peer = await startPeer(t, answersMqtt);
  const { balancer, port } = await startBalancer(
    t,
    frontAndBack({ servers: [{ port: peer.port, minconn: 1, maxconn: 4 }], back: { fullconn: 4 } }),
  );
  const clients = await connected(t, port, 1);
  // One session is there, the limit is 1 of 4 at two of fullconn's four: max(1, 2 * 4 / 4) = 2.
  clients.push(...(await connected(t, port, 1)));
  const server = balancer.backends[0]!.servers[0]!;
  assert.equal(server.hasRoom(1, 4), false);
  assert.equal(server.hasRoom(3, 4), true);
  assert.equal(server.hasRoom(4, 4), true);
});

test('connections beyond the maxconn of a frontend, a bind line or the process wait and are not refused', async (t) => {
  const peer = await startPeer(t, answersMqtt);
  const limits = [{ front: { maxconn: 2 } }, { front: { binds: [bind({ maxconn: 2 })] } }, { global: { maxconn: 2 } }];
  for (const limit of limits) {
    const { balancer, port } = await startBalancer(t, frontAndBack({ servers: [peer.port], ...limit }));
    const [first] = await connected(t, port, 2);
    const waiting = [new MqttClient(port), new MqttClient(port)];
    t.after(() => {
      for (const client of waiting) client.close();
    });
    assert.equal(await waits(waiting[0]!), true);
    assert.equal(balancer.load.connections.value, 2);
    assert.equal(balancer.load.waiting, 2);
    first!.close();
    assert.equal(await waiting[0]!.outcome, 'connack');
    assert.equal(await waits(waiting[1]!), true);
    waiting[0]!.close();
    assert.equal(await waiting[1]!.outcome, 'connack');
  }
});

test('rate-limit sessions: those beyond the rate are served later', async (t) => {
  const peer = await startPeer(t, answersMqtt);
  const { balancer, port } = await startBalancer(t, frontAndBack({ servers: [peer.port], front: { rateLimitSessions: 5 } }));
  await connected(t, port, 12);
  assert.ok(balancer.frontends[0]!.tally.rate.max <= 5);
});

test('with few descriptors fewer connections are served, which is said once, and what cannot even wait is closed', async (t) => {
  const peer = await startPeer(t, answersMqtt);
  const warnings: string[] = [];
  const log: Log = { error() {}, warn: (message) => warnings.push(message), info() {}, debug() {}, child: () => log };
  const { balancer, port } = await startBalancer(t, frontAndBack({ servers: [peer.port], global: { maxconn: 10_240 } }), {
    descriptors: 80,
    log,
  });
  assert.deepEqual(warnings, ['the limit on open files is too small for maxconn: running with fewer connections']);
  const { maxconn, waiting } = balancer.capacity;
  assert.ok(maxconn * 2 + waiting <= 80);
  await connected(t, port, maxconn);
  const sockets: Socket[] = [];
  let closed = 0;
  for (let i = 0; i < waiting + 5; i++) {
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('error', () => {});
    socket.on('close', () => closed++);
    socket.resume();
    sockets.push(socket);
  }
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  while (closed < 5) await delay(10);
  assert.equal(balancer.load.waiting, waiting);
  assert.equal(closed, 5);
  assert.equal(warnings.length, 2, `${warnings}`);
});
