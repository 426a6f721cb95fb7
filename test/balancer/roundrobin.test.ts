import assert from 'node:assert/strict';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { RoundRobin } from '../../src/balancer/balance/roundrobin.ts';
import { needsHaproxy, startHaproxy } from './real-haproxy.ts';

const WEIGHTS: readonly (readonly number[])[] = [
  [5, 3, 1],
  [3, 1],
  [1, 1],
  [1, 1, 1],
  [10, 7, 3, 2],
  [256, 255, 1],
  [0, 1, 2],
  [13, 13, 4, 4, 1],
];
const CONNECTIONS = 60;

/** Servers that say their number and close when the client does. */
async function numberedServers(t: TestContext, count: number): Promise<number[]> {
  const servers: Server[] = [];
  for (let number = 1; number <= count; number++) {
    const server = createServer((socket) => {
      socket.write(String(number));
      socket.on('error', () => {});
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    servers.push(server);
  }
  t.after(() => {
    for (const server of servers) server.close();
  });
  return servers.map((server) => (server.address() as AddressInfo).port);
}

function dial(path: string): Promise<{ number: number; socket: Socket }> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    socket.once('error', reject);
    socket.once('data', (chunk) => resolve({ number: Number(chunk.toString()), socket }));
  });
}

async function hangUp(socket: Socket): Promise<void> {
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.end();
  await closed;
  // haproxy frees the server's slot in the same turn in which it closes the client; let it finish the turn.
  await delay(3);
}

test('the real haproxy chooses the same servers for every set of weights', async (t) => {
  if (!needsHaproxy(t)) return;
  const ports = await numberedServers(t, 5);
  const haproxy = await startHaproxy(
    t,
    (folder) =>
      `defaults\n mode tcp\n timeout connect 5s\n timeout client 5s\n timeout server 5s\n${WEIGHTS.map(
        (weights, set) =>
          `listen w${set}\n bind unix@${folder}/w${set}.sock\n balance roundrobin\n${weights
            .map((weight, i) => ` server s${i + 1} 127.0.0.1:${ports[i]} weight ${weight}\n`)
            .join('')}`,
      ).join('')}listen probe\n bind unix@${folder}/probe.sock\n server s1 127.0.0.1:${ports[0]}\n`,
    (folder) => `${folder}/probe.sock`,
  );
  for (const [set, weights] of WEIGHTS.entries()) {
    const balance = new RoundRobin(weights.map((weight, i) => ({ number: i + 1, weight })));
    const theirs: number[] = [];
    const ours: number[] = [];
    for (let i = 0; i < CONNECTIONS; i++) {
      const { number, socket } = await dial(`${haproxy.folder}/w${set}.sock`);
      socket.destroy();
      theirs.push(number);
      ours.push(balance.next(() => true)!.number);
    }
    assert.deepEqual(ours, theirs, `weights ${weights.join(':')}`);
  }
});

const FULL: readonly (readonly { weight: number; maxconn: number }[])[] = [
  [
    { weight: 5, maxconn: 2 },
    { weight: 3, maxconn: 1 },
    { weight: 1, maxconn: 3 },
    { weight: 1, maxconn: 2 },
  ],
  [
    { weight: 1, maxconn: 1 },
    { weight: 1, maxconn: 2 },
    { weight: 1, maxconn: 1 },
    { weight: 1, maxconn: 1 },
    { weight: 1, maxconn: 3 },
  ],
];

test('the real haproxy passes over full servers in the same way', async (t) => {
  if (!needsHaproxy(t)) return;
  const ports = await numberedServers(t, 5);
  const haproxy = await startHaproxy(
    t,
    (folder) =>
      `defaults\n mode tcp\n timeout connect 5s\n timeout client 20s\n timeout server 20s\n${FULL.map(
        (limits, set) =>
          `listen full${set}\n bind unix@${folder}/full${set}.sock\n${limits
            .map((s, i) => ` server s${i + 1} 127.0.0.1:${ports[i]} weight ${s.weight} maxconn ${s.maxconn}\n`)
            .join('')}`,
      ).join('')}listen probe\n bind unix@${folder}/probe.sock\n server s1 127.0.0.1:${ports[0]}\n`,
    (folder) => `${folder}/probe.sock`,
  );
  // A fixed pseudo-random walk with more openings than closings, so that servers are full most of the time.
  let seed = 42;
  const random = (): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed / 2_147_483_648;
  };
  for (const [set, limits] of FULL.entries()) {
    const balance = new RoundRobin(limits.map((s, i) => ({ number: i + 1, ...s })));
    const open = new Map<Socket, number>();
    const usage = (number: number): number => [...open.values()].filter((n) => n === number).length;
    const capacity = limits.reduce((sum, s) => sum + s.maxconn, 0);
    const theirs: number[] = [];
    const ours: number[] = [];
    while (theirs.length < 120) {
      if (open.size < capacity && (open.size === 0 || random() < 0.6)) {
        ours.push(balance.next((s) => usage(s.number) < s.maxconn)!.number);
        const { number, socket } = await dial(`${haproxy.folder}/full${set}.sock`);
        theirs.push(number);
        open.set(socket, number);
      } else {
        const victim = [...open.keys()][Math.floor(random() * open.size)]!;
        open.delete(victim);
        await hangUp(victim);
      }
    }
    for (const socket of open.keys()) socket.destroy();
    assert.equal(ours.join(''), theirs.join(''), `set ${set}`);
  }
});
