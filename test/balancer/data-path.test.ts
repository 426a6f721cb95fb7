import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { bind, frontAndBack, model, section } from './model-builder.ts';
import { echoes, silentPort, startBalancer, startPeer } from './peers.ts';

const MEGABYTE = 1_048_576;

function dial(t: TestContext, port: number): Socket {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  socket.on('error', () => {});
  t.after(() => socket.destroy());
  return socket;
}

/** Resolves with all bytes up to the FIN. */
function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => socket.once('end', () => resolve(Buffer.concat(chunks))));
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

test('bytes pass unchanged in both directions at once, however they are split', async (t) => {
  const server = await startPeer(t, echoes);
  const { balancer, port } = await startBalancer(t, frontAndBack({ servers: [server.port] }));
  const payload = randomBytes(20 * MEGABYTE);
  const clients = Array.from({ length: 3 }, () => dial(t, port));
  const answers = clients.map(readAll);
  for (const [index, client] of clients.entries()) {
    const step = [65_536, 1_000_003, 7_777][index]!;
    for (let at = 0; at < payload.length; at += step) {
      if (!client.write(payload.subarray(at, at + step))) await new Promise<void>((resolve) => client.once('drain', () => resolve()));
    }
    client.end();
  }
  for (const answer of answers) assert.equal(sha256(await answer), sha256(payload));
  const [frontend] = balancer.frontends;
  const [backend] = balancer.backends;
  assert.equal(frontend!.tally.bytesIn, 3 * payload.length);
  assert.equal(backend!.tally.bytesOut, 3 * payload.length);
  assert.equal(backend!.servers[0]!.tally.bytesIn, 3 * payload.length);
  assert.equal(backend!.servers[0]!.tally.bytesOut, 3 * payload.length);
});

test('a client that does not read stops its server, and memory stays small', async (t) => {
  let written = 0;
  const server = await startPeer(t, (socket) => {
    const fill = (): void => {
      while (written < 500 * MEGABYTE && socket.write(Buffer.alloc(65_536))) written += 65_536;
    };
    socket.on('drain', fill);
    fill();
  });
  const { balancer, port } = await startBalancer(t, frontAndBack({ servers: [server.port] }));
  const client = dial(t, port);
  client.pause();
  const { tally } = balancer.frontends[0]!;
  // What is under way fits into the kernel's buffers and one chunk; then nothing moves any more.
  let before = -1;
  while (tally.bytesOut === 0 || tally.bytesOut !== before) {
    before = tally.bytesOut;
    await delay(300);
  }
  assert.ok(written < 100 * MEGABYTE, `${written} bytes`);
  // It reads on, and so does everything else.
  let received = 0;
  client.on('data', (chunk) => {
    received += chunk.length;
  });
  client.resume();
  while (received < before + MEGABYTE) await delay(10);
});

test('a half-close of the client reaches the server, whose answer still comes', async (t) => {
  const server = await startPeer(t, (socket) => {
    const request = readAll(socket);
    void request.then((bytes) => {
      socket.write(bytes);
      setTimeout(() => socket.end(Buffer.alloc(3 * MEGABYTE, 0x61)), 50);
    });
  });
  const { port } = await startBalancer(t, frontAndBack({ servers: [server.port] }));
  const client = dial(t, port);
  const answer = readAll(client);
  client.end('question');
  const bytes = await answer;
  assert.equal(bytes.subarray(0, 8).toString(), 'question');
  assert.equal(bytes.length, 8 + 3 * MEGABYTE);
});

test('a half-close of the server reaches the client, which may go on sending', async (t) => {
  let received: Promise<Buffer> = Promise.resolve(Buffer.alloc(0));
  const server = await startPeer(t, (socket) => {
    received = readAll(socket);
    socket.end('that is all I have to say');
  });
  const { port } = await startBalancer(t, frontAndBack({ servers: [server.port] }));
  const client = dial(t, port);
  assert.equal((await readAll(client)).toString(), 'that is all I have to say');
  client.write('but ');
  await delay(50);
  client.end('I have more');
  while ((await received).length === 0) await delay(10);
  assert.equal((await received).toString(), 'but I have more');
});

test('what a client says before a server is reached is kept up to a bound, then it is read no further', async (t) => {
  const silent = await silentPort(t);
  const { balancer, port } = await startBalancer(t, frontAndBack({ servers: [silent], back: { timeouts: { connect: 60_000 } } }));
  const client = dial(t, port);
  for (let i = 0; i < 200; i++) client.write(Buffer.alloc(65_536));
  const { tally } = balancer.frontends[0]!;
  while (tally.bytesIn < 65_536) await delay(10);
  await delay(200);
  assert.ok(tally.bytesIn <= 2 * 65_536, `${tally.bytesIn} bytes were read`);
});

test('a reset by the client closes the server side', async (t) => {
  const ended = new Promise<void>((resolve) => {
    void startPeer(t, (socket) => {
      socket.on('data', () => {});
      socket.on('close', () => resolve());
      socket.on('end', () => socket.end());
    }).then(async (server) => {
      const { port } = await startBalancer(t, frontAndBack({ servers: [server.port] }));
      const client = dial(t, port);
      client.write('hello');
      while (server.sockets.size === 0) await delay(5);
      client.resetAndDestroy();
    });
  });
  await ended;
});

test('a reset by the server is a FIN for the client, after what the server had sent', async (t) => {
  const server = await startPeer(t, (socket) => {
    socket.once('data', () => {
      socket.write('last words');
      setTimeout(() => socket.resetAndDestroy(), 100);
    });
  });
  const { port } = await startBalancer(t, frontAndBack({ servers: [server.port] }));
  const client = dial(t, port);
  client.write('hello');
  assert.equal((await readAll(client)).toString(), 'last words');
});

test('a server without a port is reached at the port that the client came to', async (t) => {
  const server = createServer((socket) => socket.end('same port'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.2', resolve));
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  const { balancer } = await startBalancer(
    t,
    model([section({ name: 'both', binds: [bind({ port })], defaultBackend: 'both', servers: [{ port: 0, host: '127.0.0.2' }] })]),
  );
  assert.equal(balancer.boundAddresses()[0]!.port, port);
  assert.equal((await readAll(dial(t, port))).toString(), 'same port');
});

test('bytes of a first exchange beyond what is kept go to one server, in order', async (t) => {
  const server = await startPeer(t, echoes);
  const { port } = await startBalancer(t, frontAndBack({ servers: [server.port] }));
  const payload = Buffer.concat([Buffer.from([0x10, 0xff, 0xff, 0x7f]), Buffer.from('\0\x04MQTT'), randomBytes(300_000)]);
  const client = dial(t, port);
  const answer = readAll(client);
  for (let at = 0; at < payload.length; at += 10_000) {
    client.write(payload.subarray(at, at + 10_000));
    await new Promise((resolve) => setImmediate(resolve));
  }
  client.end();
  assert.equal(sha256(await answer), sha256(payload));
});
