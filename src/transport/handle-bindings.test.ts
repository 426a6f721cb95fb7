import assert from 'node:assert/strict';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { takeHandle } from './handle-bindings.ts';
import { RawSocket } from './raw-socket.ts';
import { Turn } from './turn.ts';

/** Both ends of a connection; what the server accepts has read its first chunk and is paused. */
async function pair(t: TestContext, first: string): Promise<{ accepted: Socket; peer: Socket; close: () => Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const peer = connect((server.address() as AddressInfo).port, '127.0.0.1');
  t.after(() => {
    peer.destroy();
    server.close();
  });
  peer.write(first);
  const accepted = await new Promise<Socket>((resolve) => server.once('connection', resolve));
  await new Promise<void>((resolve) => {
    accepted.once('data', () => {
      accepted.pause();
      resolve();
    });
  });
  return { accepted, peer, close: () => new Promise((resolve) => server.close(() => resolve())) };
}

test('a socket that was a net.Socket goes on as its handle, and the net.Socket is closed', async (t) => {
  const { accepted, peer, close } = await pair(t, 'first');
  const closed = new Promise((resolve) => accepted.once('close', resolve));
  const handle = takeHandle(accepted);
  assert.ok(handle !== null);
  await closed;
  await close(); // the server does not wait for it: it has no such connection any more
  const socket = new RawSocket(handle, new Turn());
  const ended = new Promise<Error | null>((resolve) =>
    socket.start({
      onData: (chunk, start, end) => socket.send(Buffer.from(chunk.subarray(start, end))),
      onEnd() {},
      onDrain() {},
      onClose: resolve,
    }),
  );
  assert.equal(socket.remoteAddress, `127.0.0.1:${peer.localPort}`);
  peer.write('second');
  assert.equal(String(await new Promise((resolve) => peer.once('data', resolve))), 'second');
  peer.end();
  assert.equal(await ended, null);
});

test('a socket with bytes that nobody has read, or that is closed, keeps its handle', async (t) => {
  const { accepted } = await pair(t, 'first');
  accepted.unshift('unread');
  assert.equal(takeHandle(accepted), null);
  assert.equal(accepted.read().toString(), 'unread');
  accepted.destroy();
  assert.equal(takeHandle(accepted), null);
});
