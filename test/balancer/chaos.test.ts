import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { frontAndBack } from './model-builder.ts';
import { answersMqtt, CONNECT, MqttClient, PATIENCE_MS, Peer, startBalancer } from './peers.ts';

test('whatever clients and servers do to each other, every account is balanced in the end and the next client is served', async (t) => {
  let seed = 4_711;
  const random = (limit: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % limit;
  };
  const moods: ((socket: Socket) => void)[] = [
    answersMqtt,
    answersMqtt,
    (socket) => socket.resetAndDestroy(),
    (socket) => void socket.end(),
    (socket) => void socket.once('data', () => socket.destroy()),
    () => {},
  ];
  const peers: Peer[] = [];
  for (let i = 0; i < 3; i++) {
    const peer = new Peer((socket) => moods[random(moods.length)]!(socket));
    peers.push(await peer.listen());
  }
  t.after(() => Promise.all(peers.map((peer) => peer.kill())));
  const { balancer, port } = await startBalancer(
    t,
    frontAndBack({
      servers: peers.map((peer) => ({ port: peer.port, maxconn: 3 })),
      front: { maxconn: 30, timeouts: { client: 700 } },
      back: { retries: 1, timeouts: { connect: 300, queue: 500, server: 700 } },
    }),
  );
  const until = performance.now() + 4_000;
  while (performance.now() < until) {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: random(2) === 0 });
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.resume();
    if (random(4) > 0) socket.write(random(3) === 0 ? 'not MQTT at all' : CONNECT);
    const farewells: (() => unknown)[] = [
      () => socket.end(),
      () => socket.resetAndDestroy(),
      () => socket.destroy(),
      () => socket.write(CONNECT),
    ];
    setTimeout(farewells[random(farewells.length)]!, random(600));
    setTimeout(() => socket.destroy(), 3_000);
    if (random(20) === 0) {
      const victim = peers[random(peers.length)]!;
      await victim.kill();
      setTimeout(() => void victim.listen().catch(() => {}), random(400));
    }
    await delay(random(12));
  }
  const deadline = performance.now() + PATIENCE_MS;
  while (balancer.load.connections.value > 0 && performance.now() < deadline) await delay(50);
  const [backend] = balancer.backends;
  assert.deepEqual(
    {
      process: balancer.load.connections.value,
      waiting: balancer.load.waiting,
      frontend: balancer.frontends[0]!.tally.connections.value,
      sessions: balancer.frontends[0]!.sessions.size,
      listener: balancer.frontends[0]!.listeners[0]!.connections,
      backend: backend!.tally.sessions.value,
      queue: backend!.queue.length,
      servers: backend!.servers.map((server) => server.tally.sessions.value),
    },
    { process: 0, waiting: 0, frontend: 0, sessions: 0, listener: 0, backend: 0, queue: 0, servers: [0, 0, 0] },
  );
  for (const server of backend!.servers) assert.ok(server.tally.sessions.max <= 3);
  assert.ok(balancer.load.connections.max <= 30);
  moods.splice(0, moods.length, answersMqtt);
  for (const peer of peers) {
    await peer.kill();
    await peer.listen();
  }
  const client = new MqttClient(port);
  assert.equal(await client.outcome, 'connack');
  client.close();
});
