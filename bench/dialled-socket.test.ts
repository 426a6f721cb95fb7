import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { freePort } from './broker-process.ts';
import { DialledSocket, type SocketOwner } from './dialled-socket.ts';

/** What has happened to a socket. */
class Diary implements SocketOwner {
  onConnect!: () => void;
  onClose!: (error: Error | null) => void;
  onDrain!: () => void;
  readonly connected = new Promise<void>((resolve) => {
    this.onConnect = resolve;
  });
  readonly closed = new Promise<Error | null>((resolve) => {
    this.onClose = resolve;
  });
  readonly drained = new Promise<void>((resolve) => {
    this.onDrain = resolve;
  });
  readonly reads: Buffer[] = [];
  #wake: () => void = () => {};

  onRead(bytes: Buffer, length: number): void {
    this.reads.push(Buffer.from(bytes.subarray(0, length)));
    this.#wake();
  }

  /** Everything that came, once it is so much. */
  async received(length: number): Promise<Buffer> {
    while (this.reads.reduce((sum, read) => sum + read.length, 0) < length)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    return Buffer.concat(this.reads);
  }
}

async function listen(t: TestContext, serve: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    t.after(() => socket.destroy());
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}

async function dial(port: number): Promise<{ socket: DialledSocket; diary: Diary }> {
  const diary = new Diary();
  const socket = new DialledSocket('127.0.0.1', port, diary);
  await diary.connected;
  return { socket, diary };
}

test('what is written arrives, and what is answered is read, on several sockets with one buffer', async (t) => {
  const port = await listen(t, (socket) => socket.pipe(socket));
  const pairs = await Promise.all(Array.from({ length: 5 }, () => dial(port)));
  for (const [index, { socket }] of pairs.entries()) socket.write(Buffer.alloc(100_000, index));
  for (const [index, { socket, diary }] of pairs.entries()) {
    assert.ok((await diary.received(100_000)).equals(Buffer.alloc(100_000, index)));
    socket.end();
    assert.equal(await diary.closed, null);
  }
});

test('what is written between cork and uncork leaves then, in order', async (t) => {
  const port = await listen(t, (socket) => socket.pipe(socket));
  const { socket, diary } = await dial(port);
  socket.cork();
  for (const word of ['a', 'b', 'c']) socket.write(Buffer.from(word));
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(diary.reads.length, 0);
  socket.uncork();
  socket.cork();
  socket.write(Buffer.from('d'));
  socket.uncork();
  socket.cork();
  socket.uncork();
  assert.equal((await diary.received(4)).toString(), 'abcd');
  socket.destroy();
  assert.equal(await diary.closed, null);
});

test('bytes that the kernel does not take at once are counted, arrive, and their end is told', async (t) => {
  let server: Socket | undefined;
  let arrived = 0;
  const port = await listen(t, (socket) => {
    server = socket.pause();
    socket.on('data', (chunk) => {
      arrived += chunk.length;
    });
  });
  const { socket, diary } = await dial(port);
  const size = 64 * 1024 * 1024;
  socket.write(Buffer.alloc(size, 1));
  const unsent = socket.unsentBytes;
  assert.ok(unsent > 0 && unsent < size, `${unsent} bytes`);
  while (server === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
  server.resume();
  await diary.drained;
  assert.equal(socket.unsentBytes, 0);
  while (arrived < size) await new Promise((resolve) => setTimeout(resolve, 1));
  socket.destroy();
});

test('a refused connection, one that the other side ends, and one that it resets are told apart', async (t) => {
  const refused = new Diary();
  new DialledSocket('127.0.0.1', await freePort(), refused);
  assert.match((await refused.closed)!.message, /^connect ECONNREFUSED$/);
  const ended = await dial(await listen(t, (socket) => socket.end()));
  assert.equal(await ended.diary.closed, null);
  const reset = await dial(await listen(t, (socket) => socket.once('data', () => socket.resetAndDestroy())));
  reset.socket.write(Buffer.from('go away'));
  assert.match((await reset.diary.closed)!.message, /^read ECONNRESET$/);
});

test('nothing happens to a socket that is closed: neither writes nor a second end', async (t) => {
  const { socket, diary } = await dial(await listen(t, (peer) => peer.resume()));
  socket.destroy();
  socket.write(Buffer.from('late'));
  socket.cork();
  socket.write(Buffer.from('late'));
  socket.uncork();
  socket.end();
  socket.destroy();
  assert.equal(await diary.closed, null);
});
