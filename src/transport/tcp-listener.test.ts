import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Log, silentLog } from '../telemetry/log.ts';
import type { Connection, ConnectionHandler } from './connection.ts';
import { SURPLUS_MAX } from './places.ts';
import type { Stage } from './stage.ts';
import { TcpListener, type TcpListenerOptions } from './tcp-listener.ts';
import { Turn } from './turn.ts';

/** Bound for every wait, in milliseconds. */
const WAIT_MS = 20_000;

/** Sends everything back, to those for whom there is a place. */
function echo(connection: Connection): ConnectionHandler {
  return {
    onData(chunk, start, end) {
      if (connection.admit(null)) connection.writeCopy(chunk, start, end);
      else {
        connection.write(Buffer.from('full'));
        connection.end();
      }
    },
    onDrain() {},
    onClose() {},
  };
}

async function start(t: TestContext, options: Partial<TcpListenerOptions> = {}): Promise<TcpListener> {
  const listener = new TcpListener({
    name: 'echo',
    host: '127.0.0.1',
    port: 0,
    maximumConnections: 10,
    turn: new Turn(),
    log: silentLog,
    onConnection: echo,
    ...options,
  });
  await listener.listen();
  t.after(() => {
    listener.close();
    for (const connection of listener.connections) connection.destroy();
  });
  return listener;
}

function dial(t: TestContext, port: number): Socket {
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => {});
  t.after(() => socket.destroy());
  return socket;
}

/** The next bytes; null when the connection closes instead. */
function next(socket: Socket): Promise<string | null> {
  return new Promise((resolve) => {
    socket.once('data', (chunk) => resolve(chunk.toString()));
    socket.once('close', () => resolve(null));
  });
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!condition()) {
    if (Date.now() > deadline) assert.fail(`waited ${WAIT_MS} ms for ${what}`);
    await delay(2);
  }
}

test('connections get their protocol, and the connector’s name', async (t) => {
  const names: string[] = [];
  const listener = await start(t, {
    onConnection: (connection) => {
      names.push(connection.connector);
      return echo(connection);
    },
  });
  const socket = dial(t, listener.port);
  socket.write('hello');
  assert.equal(await next(socket), 'hello');
  assert.deepEqual(names, ['echo']);
  assert.equal(listener.connections.size, 1);
  socket.destroy();
  await until(() => listener.connections.size === 0, 'the connection to be forgotten');
});

test('a connection takes a place when its protocol knows who it is; beyond maximumConnections there is none, until one closes', async (t) => {
  const listener = await start(t, { maximumConnections: 2 });
  const silent = dial(t, listener.port);
  await until(() => listener.connections.size === 1, 'the silent connection');
  const inside = [dial(t, listener.port), dial(t, listener.port)];
  for (const socket of inside) {
    socket.write('x');
    assert.equal(await next(socket), 'x');
  }
  for (let i = 0; i < 3; i++) {
    const surplus = dial(t, listener.port);
    surplus.write('y');
    assert.equal(await next(surplus), 'full');
  }
  assert.equal(listener.counters.refused, 3);
  inside[0]!.destroy();
  await until(() => listener.connections.size <= 2, 'the end of all but the silent and one inside');
  silent.write('z');
  assert.equal(await next(silent), 'z');
});

test('close stops accepting and leaves what is connected', async (t) => {
  const listener = await start(t);
  const socket = dial(t, listener.port);
  socket.write('a');
  assert.equal(await next(socket), 'a');
  const { port } = listener;
  listener.close();
  listener.close();
  assert.equal(await next(dial(t, port)), null);
  socket.write('b');
  assert.equal(await next(socket), 'b');
});

test('a port that is taken, an address that is not ours and a name that does not resolve are said with the connector’s name', async (t) => {
  const { port } = await start(t);
  const listening = (host: string, at: number) =>
    new TcpListener({
      name: 'second',
      host,
      port: at,
      maximumConnections: 1,
      turn: new Turn(),
      log: silentLog,
      onConnection: echo,
    }).listen();
  await assert.rejects(listening('127.0.0.1', port), {
    code: 'PORT_TAKEN',
    message: new RegExp(`^connector "second" cannot listen on 127\\.0\\.0\\.1:${port}: the port is taken`),
  });
  await assert.rejects(listening('192.0.2.1', 0), { code: 'ADDRESS_UNAVAILABLE', message: /this machine has no such address/ });
  await assert.rejects(listening('no-such-host.invalid', 0), { code: 'ADDRESS_UNAVAILABLE', message: /the host name does not resolve/ });
});

/** A stage that reads one word and a full stop, takes the word for the client's address, and gives on what follows. */
const introduction: Stage = {
  name: 'introduction',
  begin(arrival, outcome) {
    const { socket } = arrival;
    let read = arrival.head;
    const onData = (chunk: Buffer): void => {
      read = Buffer.concat([read, chunk]);
      const end = read.indexOf('.');
      if (end < 0) return;
      socket.off('data', onData);
      socket.pause();
      const word = read.toString('latin1', 0, end);
      if (word !== 'mallory') outcome.done({ ...arrival, head: read.subarray(end + 1), remoteAddress: word });
      else {
        outcome.failed('mallory is not welcome');
        socket.end('go away');
      }
    };
    socket.on('data', onData);
    socket.resume();
    onData(Buffer.alloc(0));
  },
};

test('a connection gets to its protocol through the stages, in order, with the bytes that they read too much', async (t) => {
  const from: string[] = [];
  const listener = await start(t, {
    stages: [introduction, introduction],
    onConnection: (connection) => {
      from.push(connection.remoteAddress);
      return echo(connection);
    },
  });
  for (const pieces of [['proxy.alice.hello'], ['proxy.', 'alice.', 'hello'], ['proxy', '.alice', '.hel', 'lo']]) {
    const socket = dial(t, listener.port);
    let received = '';
    socket.on('data', (chunk) => (received += chunk));
    for (const piece of pieces) {
      socket.write(piece);
      await delay(10);
    }
    await until(() => received === 'hello', 'the echo');
    socket.write('!');
    await until(() => received === 'hello!', 'a second echo');
  }
  assert.deepEqual(from, ['alice', 'alice', 'alice']);
});

test('what fails in a stage is closed as the stage says, and the log has why; what is silent is closed when its time is over', async (t) => {
  const lines: unknown[] = [];
  const log: Log = { ...silentLog, info: (_message, facts) => lines.push([facts?.stage, facts?.reason]) };
  const listener = await start(t, { stages: [introduction], stagesTimeoutMs: 300, log });
  const mallory = dial(t, listener.port);
  mallory.write('mallory.hello');
  assert.equal(await next(mallory), 'go away');
  const silent = dial(t, listener.port);
  silent.write('bob');
  assert.equal(await next(silent), null);
  const wellBehaved = dial(t, listener.port);
  wellBehaved.write('bob.hello');
  assert.equal(await next(wellBehaved), 'hello');
  await delay(400);
  wellBehaved.write('still here');
  assert.equal(await next(wellBehaved), 'still here');
  assert.deepEqual(lines, [
    ['introduction', 'mallory is not welcome'],
    ['introduction', 'not done within 300 ms'],
  ]);
});

test('what is within a stage takes no place of a connection, and the oldest gives way when there are too many', async (t) => {
  const listener = await start(t, { stages: [introduction], maximumConnections: 0 });
  const oldest = dial(t, listener.port);
  const closed = next(oldest);
  await new Promise((resolve) => oldest.once('connect', resolve));
  for (let i = 0; i < SURPLUS_MAX; i++) await new Promise((resolve) => dial(t, listener.port).once('connect', resolve));
  assert.equal(await closed, null);
  const client = dial(t, listener.port);
  client.write('bob.hello');
  assert.equal(await next(client), 'full');
});

test('close ends what is still within a stage', async (t) => {
  const listener = await start(t, { stages: [introduction] });
  const socket = dial(t, listener.port);
  const closed = next(socket);
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.write('bo');
  await delay(20);
  listener.close();
  assert.equal(await closed, null);
});

test('a peer that takes nothing of what it is sent is closed after writeTimeoutMs; one that takes it is not', async (t) => {
  const size = 24 * 1024 * 1024; // more than the kernel's buffers take
  const listener = await start(t, {
    writeTimeoutMs: 3_000,
    onConnection: (connection) => {
      connection.write(Buffer.alloc(size));
      return { onData() {}, onDrain() {}, onClose() {} };
    },
  });
  const deaf = dial(t, listener.port);
  deaf.pause();
  await until(() => listener.connections.size === 1, 'the deaf one');
  const [first] = listener.connections;
  let received = 0;
  dial(t, listener.port).on('data', (chunk) => (received += chunk.length));
  await until(() => !listener.connections.has(first!), 'the end of the deaf one');
  await until(() => received === size, 'all that the other one gets');
  assert.equal(listener.connections.size, 1);
});
