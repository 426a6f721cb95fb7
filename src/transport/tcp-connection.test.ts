import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { CodedError } from '../errors.ts';
import { type ConnectionHandler, DRAIN_BYTES_MIN } from './connection.ts';
import { listeningHandleOf } from './handle-bindings.ts';
import { bindings, RawSocket } from './raw-socket.ts';
import { StreamWire } from './stream-wire.ts';
import { connectTcp, TcpConnection } from './tcp-connection.ts';
import { Turn } from './turn.ts';
import type { Wire } from './wire.ts';

/** Bound for every wait, in milliseconds. */
const WAIT_MS = 20_000;
const MB = 1024 * 1024;

/** Writes down what a connection tells its protocol. */
class Recorder implements ConnectionHandler {
  readonly received: Buffer[] = [];
  drains = 0;
  readonly closes: (Error | null)[] = [];

  onData(chunk: Buffer, start: number, end: number): void {
    this.received.push(Buffer.from(chunk.subarray(start, end)));
  }

  onDrain(): void {
    this.drains++;
  }

  onClose(error: Error | null): void {
    this.closes.push(error);
  }
}

interface Pair {
  readonly connection: TcpConnection;
  readonly handler: Recorder;
  /** The other end, paused until somebody reads. */
  readonly peer: Socket;
}

/** How a connection can read and write: by Node's streams, or by the handle below them where Node gives it. */
const KINDS = ['stream', 'handle'] as const;
type Kind = (typeof KINDS)[number];

/** A connection of ours over the loopback interface, and its other end. */
async function pair(
  t: Pick<TestContext, 'after'>,
  kind: Kind,
  handlerOf: (connection: TcpConnection) => Recorder = () => new Recorder(),
): Promise<Pair> {
  const server = await listen(t);
  const turn = new Turn();
  const accepted = new Promise<Wire>((resolve) => {
    if (kind === 'stream') server.once('connection', (socket) => resolve(new StreamWire(socket)));
    else listeningHandleOf(server)!.onconnection = (_status, handle) => resolve(new RawSocket(handle!, turn));
  });
  const peer = connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, allowHalfOpen: true });
  peer.on('error', () => {});
  const connection = new TcpConnection({ wire: await accepted, connector: 'test', turn, remoteAddress: 'peer' });
  const handler = handlerOf(connection);
  connection.start(handler);
  t.after(() => {
    peer.destroy();
    connection.destroy();
  });
  return { connection, handler, peer };
}

function listen(t: Pick<TestContext, 'after'>): Promise<Server> {
  const server = createServer();
  t.after(() => server.close());
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!condition()) {
    if (Date.now() > deadline) assert.fail(`waited ${WAIT_MS} ms for ${what}`);
    await delay(2);
  }
}

/** Reads until the other side closes, at most a few kilobytes at a time when slow. */
async function readAll(peer: Socket, slow = false): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of peer) {
    chunks.push(chunk as Buffer);
    if (slow && chunks.length % 8 === 0) await delay(1);
  }
  return Buffer.concat(chunks);
}

/** Bytes that tell their place: any loss, doubling or exchange shows. */
function numbered(from: number, size: number): Buffer {
  const buffer = Buffer.allocUnsafe(size);
  for (let i = 0; i < size; i++) buffer[i] = ((from + i) * 2_654_435_761) >>> 24;
  return buffer;
}

const size = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 100 }) },
  { weight: 3, arbitrary: fc.constantFrom(1_023, 1_024, 1_025, 2_047, 2_048, 2_049, 4_096, 16_384, 65_535, 65_536, 65_537) },
  { weight: 1, arbitrary: fc.constantFrom(300_000, MB, MB + 1) },
);
const step = fc.oneof(
  { weight: 10, arbitrary: fc.record({ how: fc.constantFrom('write', 'writeCopy', 'reserve'), size }) },
  { weight: 1, arbitrary: fc.constant('turn' as const) },
  { weight: 1, arbitrary: fc.constant('many' as const) },
);

/** Does the steps and ends; returns what the other side must have received. */
async function perform(connection: TcpConnection, steps: readonly ('turn' | 'many' | { how: string; size: number })[]): Promise<Buffer> {
  const sent: Buffer[] = [];
  let at = 0;
  const put = (how: string, count: number): void => {
    const bytes = numbered(at, count);
    sent.push(Buffer.from(bytes));
    at += count;
    if (how === 'write') {
      connection.write(bytes);
    } else if (how === 'writeCopy') {
      const around = Buffer.concat([Buffer.from('..'), bytes, Buffer.from('..')]);
      connection.writeCopy(around, 2, 2 + count);
      around.fill('!'); // it was copied
    } else {
      const place = connection.reserve(count);
      bytes.copy(connection.output, place);
    }
  };
  for (const what of steps) {
    if (what === 'turn') await nextTurn();
    else if (what === 'many') for (let i = 0; i < 500; i++) put(['write', 'writeCopy', 'reserve'][i % 3]!, (i * 7) % 90);
    else put(what.how, what.size);
  }
  connection.end();
  return Buffer.concat(sent);
}

test('this Node has the bindings that connections are read and written with, below its streams', () => {
  assert.ok(bindings !== null);
  assert.ok(bindings.UV_EOF < 0);
});

for (const kind of KINDS) {
  for (const reader of ['a fast', 'a slow'] as const) {
    test(`${kind}: ${reader} reader gets every byte in order, whatever is written how, and the end after it`, async (t) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
          const { connection, peer, handler } = await pair(t, kind);
          const reading = readAll(peer, reader === 'a slow');
          const sent = await perform(connection, steps);
          const received = await reading;
          assert.equal(received.length, sent.length);
          assert.ok(received.equals(sent));
          peer.end();
          await until(() => handler.closes.length === 1, 'onClose');
          assert.deepEqual(handler.closes, [null]);
        }),
        { numRuns: reader === 'a fast' ? 60 : 15 },
      );
    });
  }

  test(`${kind}: two connections that share the slabs do not get each other’s bytes`, async (t) => {
    const pairs = await Promise.all([pair(t, kind), pair(t, kind), pair(t, kind)]);
    const readings = pairs.map(({ peer }) => readAll(peer));
    const sent = pairs.map(() => [] as Buffer[]);
    for (let round = 0; round < 200; round++) {
      for (const [i, { connection }] of pairs.entries()) {
        const bytes = Buffer.alloc(1 + ((round * 37 + i * 1_001) % 3_000), `${i}`);
        const at = connection.reserve(bytes.length);
        bytes.copy(connection.output, at);
        sent[i]!.push(bytes);
      }
      if (round % 3 === 0) await nextTurn();
    }
    for (const { connection } of pairs) connection.end();
    for (const [i, reading] of readings.entries()) assert.ok((await reading).equals(Buffer.concat(sent[i]!)));
  });

  test(`${kind}: bytes for a reader that has stalled are counted; when it reads on all arrive and onDrain is called`, async (t) => {
    const { connection, peer, handler } = await pair(t, kind);
    const hash = createHash('sha256');
    let total = 0;
    while (connection.queuedBytes < 8 * MB) {
      for (let i = 0; i < 100; i++) {
        const bytes = numbered(total, i % 10 === 0 ? 50_000 : 60);
        hash.update(bytes);
        total += bytes.length;
        connection.writeCopy(bytes, 0, bytes.length);
      }
      await nextTurn();
    }
    const drainsBefore = handler.drains; // the kernel's buffers have taken the first of it
    const received = createHash('sha256');
    let count = 0;
    peer.on('data', (chunk: Buffer) => {
      received.update(chunk);
      count += chunk.length;
    });
    await until(() => count === total, `${total} bytes`);
    await until(() => handler.drains > drainsBefore, 'onDrain');
    assert.equal(connection.queuedBytes, 0);
    assert.equal(received.digest('hex'), hash.digest('hex'));
  });

  test(`${kind}: within one turn nothing is written, unless it becomes very much`, async (t) => {
    const { connection, peer } = await pair(t, kind);
    const chunks: Buffer[] = [];
    peer.on('data', (chunk: Buffer) => chunks.push(chunk));
    for (let i = 0; i < 100; i++) connection.write(Buffer.from('x'));
    assert.equal(connection.queuedBytes, 100);
    await until(() => chunks.length > 0, 'the bytes');
    assert.deepEqual(chunks.map(String), ['x'.repeat(100)], 'in one piece');
    assert.equal(connection.queuedBytes, 0);
    for (let i = 0; i < 40; i++) connection.write(Buffer.alloc(100_000));
    assert.ok(connection.queuedBytes <= 4_000_000);
    await until(() => chunks.reduce((sum, { length }) => sum + length, 0) === 4_000_100, 'the rest');
  });

  test(`${kind}: whoever waits for much to leave is told, also when the kernel takes all of it at once`, async (t) => {
    const { connection, handler, peer } = await pair(t, kind);
    peer.resume();
    for (const size of [DRAIN_BYTES_MIN + 1, 3 * DRAIN_BYTES_MIN]) {
      const before = handler.drains;
      connection.reserve(size);
      assert.ok(connection.queuedBytes >= size);
      await until(() => handler.drains > before, 'onDrain');
      assert.equal(connection.queuedBytes, 0);
    }
    const [before, sent] = [handler.drains, connection.sentBytes];
    connection.reserve(100);
    await until(() => connection.sentBytes > sent, 'the flush');
    await delay(5);
    if (kind === 'handle') assert.equal(handler.drains, before, 'it is not told of little');
  });

  test(`${kind}: end sends what is queued to a reader that was slow to come, and what is written afterwards is ignored`, async (t) => {
    const { connection, peer, handler } = await pair(t, kind);
    const bytes = numbered(0, 5 * MB);
    connection.write(bytes);
    connection.end();
    assert.equal(connection.writable, false);
    connection.write(Buffer.from('late'));
    connection.write(Buffer.alloc(5_000));
    connection.writeCopy(Buffer.from('late'), 0, 4);
    connection.reserve(10);
    connection.end();
    await delay(20);
    assert.ok((await readAll(peer)).equals(bytes));
    peer.end();
    await until(() => handler.closes.length > 0, 'onClose');
    assert.deepEqual(handler.closes, [null]);
  });

  test(`${kind}: after end, what the peer still sends is read: it must not reset what is on its way`, async (t) => {
    const { connection, peer, handler } = await pair(t, kind);
    connection.write(Buffer.from('bye'));
    connection.end();
    peer.write(Buffer.alloc(MB));
    await until(() => handler.received.reduce((sum, { length }) => sum + length, 0) === MB, 'the bytes sent after the end');
    assert.equal((await readAll(peer)).toString(), 'bye');
  });

  test(`${kind}: a peer that does not close after end is cut off`, async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { connection, handler } = await pair(t, kind);
    connection.end();
    t.mock.timers.tick(10_000);
    t.mock.timers.reset();
    await until(() => handler.closes.length > 0, 'onClose');
  });

  test(`${kind}: destroy closes at once, onClose comes once`, async (t) => {
    const { connection, peer, handler } = await pair(t, kind);
    connection.write(Buffer.alloc(20 * MB));
    connection.destroy();
    connection.destroy();
    assert.equal(connection.writable, false);
    connection.write(Buffer.from('late'));
    await until(() => handler.closes.length > 0, 'onClose');
    await nextTurn();
    assert.deepEqual(handler.closes, [null]);
    peer.resume();
  });

  test(`${kind}: a reset by the peer is an error to onClose, and the turn goes on`, async (t) => {
    const { connection, peer, handler } = await pair(t, kind);
    connection.write(Buffer.from('x'));
    await nextTurn();
    peer.resetAndDestroy();
    await until(() => handler.closes.length > 0, 'onClose');
    assert.equal((handler.closes[0] as NodeJS.ErrnoException | null)?.code, 'ECONNRESET');
    connection.write(Buffer.from('late'));
    await nextTurn();
    assert.equal(handler.closes.length, 1);
  });

  /** Sends everything back. */
  class Echo extends Recorder {
    readonly #connection: TcpConnection;

    constructor(connection: TcpConnection) {
      super();
      this.#connection = connection;
    }

    override onData(chunk: Buffer, start: number, end: number): void {
      this.#connection.writeCopy(chunk, start, end);
    }
  }

  test(`${kind}: answers to what a peer sent before it closed its side leave before ours closes`, async (t) => {
    // The last chunk fills the read buffer, so that the end is often read in the same turn.
    const sent = numbered(0, 2 * 65_536);
    for (let i = 0; i < 20; i++) {
      const { peer, handler } = await pair(t, kind, (connection) => new Echo(connection));
      peer.end(sent);
      assert.ok((await readAll(peer)).equals(sent));
      await until(() => handler.closes.length > 0, 'onClose');
      assert.deepEqual(handler.closes, [null]);
    }
  });

  test(`${kind}: a paused connection reads nothing until it is resumed`, async (t) => {
    const { connection, peer, handler } = await pair(t, kind);
    connection.pause();
    peer.write('x');
    const other = await pair(t, kind);
    other.peer.write('y');
    await until(() => other.handler.received.length > 0, 'what another connection gets');
    await nextTurn();
    assert.equal(handler.received.length, 0);
    connection.resume();
    await until(() => handler.received.length > 0, 'the byte');
  });
}

test('handle: one socket at full speed reads its share of a turn, then the others have theirs', async (t) => {
  const turns: number[] = [];
  class Counter extends Recorder {
    override onData(_chunk: Buffer, start: number, end: number): void {
      turns[turns.length - 1]! += end - start;
    }
  }
  const { peer } = await pair(t, 'handle', () => new Counter());
  turns.push(0);
  const nextCheck = (): void => {
    turns.push(0);
    immediate = setImmediate(nextCheck);
  };
  let immediate = setImmediate(nextCheck);
  t.after(() => clearImmediate(immediate));
  peer.write(Buffer.alloc(24 * MB));
  await until(() => turns.reduce((sum, bytes) => sum + bytes, 0) === 24 * MB, 'all bytes');
  assert.ok(Math.max(...turns) < 512 * 1024, `${Math.max(...turns)} bytes in one turn`);
});

test('connectTcp connects, or says where it could not and why', async (t) => {
  const server = await listen(t);
  const { port } = server.address() as AddressInfo;
  const turn = new Turn();
  server.on('connection', (socket) => socket.pipe(socket));
  const connection = await connectTcp({ host: '127.0.0.1', port, timeoutMs: WAIT_MS, turn });
  const handler = new Recorder();
  connection.start(handler);
  connection.write(Buffer.from('echo'));
  await until(() => handler.received.length > 0, 'the echo');
  assert.equal(Buffer.concat(handler.received).toString(), 'echo');
  assert.equal(connection.remoteAddress, `127.0.0.1:${port}`);
  connection.end();
  await until(() => handler.closes.length > 0, 'onClose');
  await new Promise((resolve) => server.close(resolve));
  await assert.rejects(connectTcp({ host: '127.0.0.1', port, timeoutMs: WAIT_MS, turn }), (error: unknown) => {
    assert.ok(error instanceof CodedError);
    assert.equal(error.code, 'CONNECT_FAILED');
    assert.equal(error.retryable, true);
    assert.match(error.message, new RegExp(`^cannot connect to 127\\.0\\.0\\.1:${port}: .*ECONNREFUSED`));
    return true;
  });
});
