import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { frontAndBack, type SectionSketch, udpLog } from './model-builder.ts';
import { echoes, type Peer, startBalancer, startPeer } from './peers.ts';

/** A balancer whose log lines end up in a list. */
async function setUp(t: TestContext, peer: Peer, timeouts: SectionSketch['timeouts']): Promise<{ port: number; lines: string[] }> {
  const receiver = createSocket('udp4');
  await new Promise<void>((resolve) => receiver.bind(0, '127.0.0.1', resolve));
  t.after(() => receiver.close());
  const lines: string[] = [];
  receiver.on('message', (message) => lines.push(message.toString().trim()));
  const log = [udpLog((receiver.address() as AddressInfo).port)];
  const { port } = await startBalancer(
    t,
    frontAndBack({ servers: [peer.port], front: { log, ...(timeouts && { timeouts }) }, back: { ...(timeouts && { timeouts }) } }),
  );
  return { port, lines };
}

function dial(t: TestContext, port: number): Socket {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  socket.on('error', () => {});
  t.after(() => socket.destroy());
  return socket;
}

const ended = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.resume();
    socket.once('end', () => resolve());
  });

async function line(lines: string[]): Promise<string> {
  while (lines.length === 0) await delay(5);
  return lines[0]!;
}

test('a session with traffic is never inactive, whichever way the traffic goes', async (t) => {
  const chatter = await startPeer(t, (socket) => {
    const timer = setInterval(() => socket.write('news'), 50);
    socket.on('close', () => clearInterval(timer));
    socket.on('end', () => socket.end());
    socket.resume();
  });
  const listener = await startPeer(t, (socket) => {
    socket.resume();
    socket.on('end', () => socket.end());
  });
  const downwards = await setUp(t, chatter, { client: 500, server: 500 });
  const upwards = await setUp(t, listener, { client: 500, server: 500 });
  const reader = dial(t, downwards.port);
  reader.resume();
  const writer = dial(t, upwards.port);
  const timer = setInterval(() => writer.write('report'), 50);
  await delay(1_500);
  clearInterval(timer);
  assert.deepEqual([...downwards.lines, ...upwards.lines], []);
  reader.end();
  writer.end();
  assert.match(await line(downwards.lines), / -- /);
  assert.match(await line(upwards.lines), / -- /);
});

test('a client that does not take what it is sent is inactive', async (t) => {
  const flood = await startPeer(t, (socket) => {
    const fill = (): void => {
      while (socket.write(Buffer.alloc(65_536)));
    };
    socket.on('drain', fill);
    fill();
  });
  const { port, lines } = await setUp(t, flood, { client: 500, server: 600_000 });
  const client = dial(t, port);
  client.pause();
  client.write('x');
  assert.match(await line(lines), / cD /);
  while (flood.sockets.size > 0) await delay(10);
});

test('a server that does not take what it is sent is inactive', async (t) => {
  const stone = await startPeer(t, (socket) => {
    socket.pause();
    socket.write('welcome');
  });
  const { port, lines } = await setUp(t, stone, { client: 600_000, server: 500 });
  const client = dial(t, port);
  client.resume();
  const fill = (): void => {
    while (client.write(Buffer.alloc(65_536)));
  };
  client.on('drain', fill);
  fill();
  assert.match(await line(lines), / sD /);
});

test('client-fin bounds a session whose server has ended', async (t) => {
  const brief = await startPeer(t, (socket) => socket.end('bye'));
  const { port, lines } = await setUp(t, brief, { client: 600_000, server: 600_000, clientFin: 400 });
  const client = dial(t, port);
  client.write('hello');
  await ended(client);
  assert.match(await line(lines), / cD /);
});

test('server-fin bounds a session whose client has ended', async (t) => {
  const slow = await startPeer(t, (socket) => {
    socket.resume();
    socket.write('wait');
  });
  const { port, lines } = await setUp(t, slow, { client: 600_000, server: 600_000, serverFin: 400 });
  const client = dial(t, port);
  client.end('hello');
  await ended(client);
  assert.match(await line(lines), / sD /);
});

test('tunnel takes the place of client and server timeouts', async (t) => {
  const echo = await startPeer(t, echoes);
  const { port, lines } = await setUp(t, echo, { client: 200, server: 200, tunnel: 1_500 });
  const client = dial(t, port);
  client.write('hello');
  await delay(900);
  assert.deepEqual(lines, []);
  await ended(client);
  assert.match(await line(lines), / cD /);
});

test('a client timeout brings the last words of the server before the FIN', async (t) => {
  const polite = await startPeer(t, (socket) => {
    socket.write('hello');
    socket.on('end', () => socket.end('you were silent for so long, good-bye'));
    socket.resume();
  });
  const { port, lines } = await setUp(t, polite, { client: 400, server: 600_000 });
  const client = dial(t, port);
  let heard = '';
  client.on('data', (chunk) => {
    heard += chunk;
  });
  client.write('x');
  await ended(client);
  assert.equal(heard, 'helloyou were silent for so long, good-bye');
  assert.match(await line(lines), / cD /);
});
