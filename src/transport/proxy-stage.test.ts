import assert from 'node:assert/strict';
import { BlockList, connect, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { type Facts, type Log, silentLog } from '../telemetry/log.ts';
import type { Connection, ConnectionHandler } from './connection.ts';
import { writeProxyHeaderV1, writeProxyHeaderV2 } from './proxy-header-writer.ts';
import { createProxyStage, type ProxyProtocolMode } from './proxy-stage.ts';
import type { Arrival } from './stage.ts';
import { TcpListener } from './tcp-listener.ts';
import { Turn } from './turn.ts';

const PROXIED = { source: { address: '192.0.2.7', port: 4711 }, destination: { address: '198.51.100.1', port: 1883 } };
const V1 = writeProxyHeaderV1(PROXIED);
const V2 = writeProxyHeaderV2(PROXIED);
const LOCAL = writeProxyHeaderV2(null);

const LOOPBACK = new BlockList();
LOOPBACK.addAddress('127.0.0.1', 'ipv4');
const NOBODY = new BlockList();

class Server {
  readonly connections: Connection[] = [];
  readonly lines: { message: string; facts: Facts | undefined }[] = [];
  probes = 0;
  readonly listener: TcpListener;
  readonly #t: TestContext;

  constructor(t: TestContext, mode: ProxyProtocolMode, trusted: BlockList, stagesTimeoutMs: number) {
    const write = (message: string, facts?: Facts): unknown => this.lines.push({ message, facts });
    const log: Log = { ...silentLog, info: write, warn: write, error: write };
    this.#t = t;
    this.listener = new TcpListener({
      name: 'mqtt',
      host: '127.0.0.1',
      port: 0,
      maximumConnections: 10,
      turn: new Turn(),
      log,
      stages: [createProxyStage(mode, trusted)],
      stagesTimeoutMs,
      onConnection: (connection) => this.#accept(connection),
      onProbe: () => this.probes++,
    });
  }

  static async start(t: TestContext, mode: ProxyProtocolMode, trusted: BlockList, stagesTimeoutMs = 20_000): Promise<Server> {
    const server = new Server(t, mode, trusted, stagesTimeoutMs);
    await server.listener.listen();
    t.after(() => {
      server.listener.close();
      for (const connection of server.listener.connections) connection.destroy();
    });
    return server;
  }

  dial(): Socket {
    const socket = connect({ host: '127.0.0.1', port: this.listener.port, noDelay: true });
    socket.on('error', () => {});
    this.#t.after(() => socket.destroy());
    return socket;
  }

  /** Sends everything back. */
  #accept(connection: Connection): ConnectionHandler {
    this.connections.push(connection);
    return { onData: (chunk, start, end) => connection.writeCopy(chunk, start, end), onDrain() {}, onClose() {} };
  }

  /** The reasons in the log. */
  get reasons(): unknown[] {
    return this.lines.map(({ facts }) => facts?.reason);
  }
}

/** Exactly this many bytes; null when the connection closes before. */
function received(socket: Socket, size: number): Promise<string | null> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
      if (text.length >= size) resolve(text);
    });
    socket.once('close', () => resolve(text.length >= size ? text : null));
  });
}

for (const mode of ['required', 'optional'] as const) {
  for (const [name, header, address] of [
    ['version 1', V1, '192.0.2.7:4711'],
    ['version 2', V2, '192.0.2.7:4711'],
    [
      'version 2 of IPv6',
      writeProxyHeaderV2({ source: { address: '2001:db8::7', port: 1 }, destination: { address: '::1', port: 2 } }),
      '[2001:db8::7]:1',
    ],
    [
      'version 2 of a unix socket',
      writeProxyHeaderV2({ source: { address: '/run/c', port: null }, destination: { address: '/run/s', port: null } }),
      'unix:/run/c',
    ],
    ['LOCAL', LOCAL, null],
    ['UNKNOWN', writeProxyHeaderV1(null), null],
  ] as const) {
    test(`${mode}: a header of ${name} from a trusted source gives the client’s address, and what follows is the client’s`, async (t) => {
      const server = await Server.start(t, mode, LOOPBACK);
      for (const pieces of [
        [Buffer.concat([header, Buffer.from('hello')])],
        [header, Buffer.from('hello')],
        [...Buffer.concat([header, Buffer.from('hello')])].map((byte) => Buffer.of(byte)),
      ]) {
        const socket = server.dial();
        const answer = received(socket, 5);
        for (const piece of pieces) {
          socket.write(piece);
          if (pieces.length > 1) await delay(1);
        }
        assert.equal(await answer, 'hello');
        socket.write('again');
        assert.equal(await received(socket, 5), 'again');
        assert.equal(server.connections.at(-1)!.remoteAddress, address ?? `127.0.0.1:${socket.localPort}`);
      }
      assert.deepEqual(server.lines, []);
    });
  }
}

test('required: a trusted source without a header is closed, and the log has its first bytes', async (t) => {
  const server = await Server.start(t, 'required', LOOPBACK);
  const socket = server.dial();
  const closed = received(socket, 1);
  await new Promise((resolve) => socket.once('connect', resolve));
  const { localPort } = socket;
  socket.write(Buffer.from('100c00044d515454', 'hex'));
  assert.equal(await closed, null);
  assert.equal(server.connections.length, 0);
  assert.deepEqual(server.lines, [
    {
      message: 'a client did not get as far as its protocol',
      facts: {
        connector: 'mqtt',
        remoteAddress: `127.0.0.1:${localPort}`,
        stage: 'PROXY',
        reason: 'a PROXY header was expected, the first bytes are 100c00044d515454',
      },
    },
  ]);
});

test('required: a source that is not trusted is closed at once, header or not', async (t) => {
  const server = await Server.start(t, 'required', NOBODY);
  for (const bytes of [V2, V1, Buffer.from('x'), null]) {
    const socket = server.dial();
    if (bytes !== null) socket.write(bytes);
    assert.equal(await received(socket, 1), null);
  }
  assert.deepEqual(server.reasons, Array(4).fill('127.0.0.1 is not a trusted source, and a PROXY header from one is required'));
  assert.equal(server.connections.length, 0);
});

test('optional: who sends no header is served, trusted or not, whatever it begins with', async (t) => {
  for (const trusted of [LOOPBACK, NOBODY]) {
    const server = await Server.start(t, 'optional', trusted);
    for (const text of ['hello', 'PROX?', 'P', '\r\n\r\n?']) {
      const socket = server.dial();
      const answer = received(socket, text.length);
      for (const c of text) {
        socket.write(c);
        await delay(1);
      }
      if (text === 'P') socket.write('!');
      assert.equal((await answer)!.slice(0, text.length), text);
      assert.equal(server.connections.at(-1)!.remoteAddress, `127.0.0.1:${socket.localPort}`);
    }
    assert.deepEqual(server.lines, []);
  }
});

test('optional: a header from a source that is not trusted is not believed but closes the connection', async (t) => {
  const server = await Server.start(t, 'optional', NOBODY);
  for (const header of [V1, V2, LOCAL, writeProxyHeaderV1(null), V2.subarray(0, 12), V1.subarray(0, 6)]) {
    const socket = server.dial();
    socket.write(header);
    assert.equal(await received(socket, 1), null);
  }
  assert.deepEqual(server.reasons, Array(6).fill('a PROXY header from 127.0.0.1, which is not a trusted source'));
  assert.equal(server.connections.length, 0);
});

test('a malformed header closes the connection, and the log has what is wrong with it', async (t) => {
  for (const mode of ['required', 'optional'] as const) {
    const server = await Server.start(t, mode, LOOPBACK);
    const socket = server.dial();
    socket.write('PROXY TCP4 localhost 127.0.0.1 1 2\r\nhello');
    assert.equal(await received(socket, 1), null);
    assert.deepEqual(server.reasons, ['PROXY header: source address "localhost": an IPv4 address was expected']);
  }
});

test('half a header is waited for as long as stages may take, and no longer', async (t) => {
  const server = await Server.start(t, 'optional', LOOPBACK, 500);
  const socket = server.dial();
  socket.write(V2.subarray(0, 20));
  assert.equal(await received(socket, 1), null);
  assert.deepEqual(server.reasons, ['not done within 500 ms']);
});

test('a connection that goes without a byte, or with nothing but a header, is a probe; one that goes within its header is none', async (t) => {
  const server = await Server.start(t, 'required', LOOPBACK);
  const said: number[] = [];
  for (const bytes of [Buffer.alloc(0), V2.subarray(0, 20), Buffer.alloc(0)]) {
    const socket = server.dial();
    socket.end(bytes);
    assert.equal(await received(socket, 1), null);
    await delay(20);
    said.push(server.probes);
  }
  assert.deepEqual(said, [1, 1, 2]);
  assert.equal(server.listener.counters.probes, 2);
  assert.deepEqual(server.lines, []);
  // With a whole header the connection has got to its protocol, which is who knows what a probe is then.
  const local = server.dial();
  local.end(LOCAL);
  assert.equal(await received(local, 1), null);
  assert.equal(server.connections.length, 1);
});

test('a verified certificate of the proxy’s client is the connection’s, and so is the host name that the client asked for', async (t) => {
  const server = await Server.start(t, 'required', LOOPBACK);
  const tls = (client: number, verify: number) =>
    writeProxyHeaderV2(PROXIED, [
      { type: 0x02, value: Buffer.from('broker.example') },
      { type: 0x20, value: Buffer.from([client, 0, 0, 0, verify, 0x22, 0, 8, ...Buffer.from('sensor-7')]) },
    ]);
  for (const [header, commonName] of [
    [tls(0x07, 0), 'sensor-7'],
    [tls(0x07, 20), null],
    [tls(0x01, 0), null],
  ] as const) {
    const socket = server.dial();
    socket.write(Buffer.concat([header, Buffer.from('x')]));
    assert.equal(await received(socket, 1), 'x');
    const connection = server.connections.at(-1)!;
    assert.equal(connection.serverName, 'broker.example');
    assert.deepEqual(connection.peerCertificate, commonName === null ? null : { commonName, subject: null });
  }
});

/** What a stage makes of bytes that come in these pieces. */
function outcomeOf(mode: ProxyProtocolMode, pieces: readonly Buffer[]): { remoteAddress?: string; head?: string; failed?: string } {
  const socket = new PassThrough() as unknown as Socket;
  const arrival: Arrival = {
    socket,
    wire: null,
    head: Buffer.alloc(0),
    remoteAddress: 'proxy',
    peerCertificate: null,
    serverName: null,
    protocol: null,
    refusal: null,
  };
  let result: ReturnType<typeof outcomeOf> = {};
  createProxyStage(mode, NOBODY).begin(arrival, {
    done: ({ remoteAddress, head }) => (result = { remoteAddress, head: head.toString('latin1') }),
    failed: (failed) => (result = { failed }),
  });
  for (const piece of pieces) {
    if (result.head !== undefined) result = { ...result, head: result.head + piece.toString('latin1') };
    else if (result.failed === undefined) socket.emit('data', piece);
  }
  return result;
}

test('wherever the bytes are split, the outcome is the same', () => {
  const header = fc.constantFrom(
    V1,
    V2,
    LOCAL,
    writeProxyHeaderV1(null),
    Buffer.from('PROXY TCP5 '),
    Buffer.from('GET / HTTP/1.1'),
    V2.subarray(0, 15),
  );
  fc.assert(
    fc.property(
      fc.constantFrom('required', 'optional'),
      header,
      fc.uint8Array({ maxLength: 30 }),
      fc.array(fc.nat(200)),
      (mode, first, rest, cuts) => {
        const bytes = Buffer.concat([first, rest]);
        const places = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
        const pieces = places.slice(1).map((end, i) => bytes.subarray(places[i], end));
        const [whole, split] = [outcomeOf(mode, [bytes]), outcomeOf(mode, pieces)];
        // How many bytes there were to show depends on how they came.
        if (whole.failed?.startsWith('a PROXY header was expected') === true) assert.match(split.failed!, /^a PROXY header was expected/);
        else assert.deepEqual(split, whole);
      },
    ),
    { numRuns: 2_000 },
  );
});
