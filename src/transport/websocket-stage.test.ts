import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { clientClose, clientFrame, UPGRADE_ANSWER, upgradeRequest } from '../../test/harness/websocket-bytes.ts';
import { type Log, silentLog } from '../telemetry/log.ts';
import type { Connection, ConnectionHandler } from './connection.ts';
import { TcpListener } from './tcp-listener.ts';
import { Turn } from './turn.ts';
import { WebSocketStage } from './websocket-stage.ts';

/** Bound for every wait, in milliseconds. */
const WAIT_MS = 20_000;

/** Sends everything back, and keeps what ended it. */
class Echo implements ConnectionHandler {
  readonly connection: Connection;
  closedBy: Error | null | undefined;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  onData(chunk: Buffer, start: number, end: number): void {
    this.connection.writeCopy(chunk, start, end);
  }

  onDrain(): void {}

  onClose(error: Error | null): void {
    this.closedBy = error;
  }
}

interface Listening {
  readonly port: number;
  readonly handlers: Echo[];
  readonly reasons: string[];
}

async function listen(t: TestContext, options: { packetSizeMax?: number; stagesTimeoutMs?: number } = {}): Promise<Listening> {
  const handlers: Echo[] = [];
  const reasons: string[] = [];
  const log: Log = { ...silentLog, info: (_message, facts) => reasons.push(String(facts?.reason)) };
  const listener = new TcpListener({
    name: 'ws',
    host: '127.0.0.1',
    port: 0,
    maximumConnections: 100,
    turn: new Turn(),
    stages: [new WebSocketStage(options.packetSizeMax ?? 1_000_000)],
    stagesTimeoutMs: options.stagesTimeoutMs ?? WAIT_MS,
    log,
    onConnection: (connection) => {
      const handler = new Echo(connection);
      handlers.push(handler);
      return handler;
    },
  });
  await listener.listen();
  t.after(() => {
    listener.close();
    for (const connection of listener.connections) connection.destroy();
  });
  return { port: listener.port, handlers, reasons };
}

/** A bare socket that keeps what it gets. */
class Peer {
  readonly socket: Socket;
  received = Buffer.alloc(0);
  ended = false;

  constructor(t: TestContext, port: number) {
    this.socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
    });
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.ended = true;
    });
    t.after(() => this.socket.destroy());
  }

  /** Waits for exactly these bytes, beyond those taken before. */
  async takes(bytes: string | Buffer): Promise<void> {
    const expected = Buffer.from(bytes.toString('latin1'), 'latin1');
    await until(() => this.received.length >= expected.length || this.ended, `${expected.length} bytes`);
    assert.equal(this.received.toString('latin1', 0, expected.length), expected.toString('latin1'));
    this.received = this.received.subarray(expected.length);
  }

  /** Everything until the end. */
  async rest(): Promise<string> {
    await until(() => this.ended, 'the end');
    return this.received.toString('latin1');
  }
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!condition()) {
    if (Date.now() > deadline) assert.fail(`waited ${WAIT_MS} ms for ${what}`);
    await delay(2);
  }
}

/** A peer whose WebSocket is open. */
async function open(t: TestContext, port: number): Promise<Peer> {
  const peer = new Peer(t, port);
  peer.socket.write(upgradeRequest());
  await peer.takes(UPGRADE_ANSWER);
  return peer;
}

test('the handshake has the bytes of RFC 6455, however the request is cut, and frames may follow it at once', async (t) => {
  const { port } = await listen(t);
  const request = Buffer.concat([upgradeRequest(), clientFrame({ opcode: 2, payload: 'at once' })]);
  for (const pieces of [[request], [request.subarray(0, 1), request.subarray(1)], [...request].map((byte) => Buffer.from([byte]))]) {
    const peer = new Peer(t, port);
    for (const piece of pieces) {
      peer.socket.write(piece);
      if (pieces.length > 1) await delay(1);
    }
    await peer.takes(UPGRADE_ANSWER);
    let echo = Buffer.alloc(0);
    while (echo.length < 'at once'.length) {
      await until(() => peer.received.length > 1, 'a frame');
      const length = peer.received[1]!;
      await until(() => peer.received.length >= 2 + length, 'its payload');
      assert.equal(peer.received[0], 0x82);
      echo = Buffer.concat([echo, peer.received.subarray(2, 2 + length)]);
      peer.received = peer.received.subarray(2 + length);
    }
    assert.equal(echo.toString(), 'at once');
  }
});

for (const [offered, chosen] of [
  ['mqtt', 'mqtt'],
  ['mqttv3.1', 'mqttv3.1'],
  ['chat, mqttv3.1 ,mqtt', 'mqtt'],
  [null, null],
] as const) {
  test(`of the sub-protocols ${offered} the server selects ${chosen} [MQTT-6.0.0-3] [MQTT-6.0.0-4]`, async (t) => {
    const { port } = await listen(t);
    const peer = new Peer(t, port);
    peer.socket.write(upgradeRequest({ 'Sec-WebSocket-Protocol': offered }));
    const field = /Sec-WebSocket-Protocol: .*\r\n/;
    await peer.takes(UPGRADE_ANSWER.replace(field, chosen === null ? '' : `Sec-WebSocket-Protocol: ${chosen}\r\n`));
    peer.socket.write(clientFrame({ opcode: 2, payload: 'x' }));
    await peer.takes('\x82\x01x');
  });
}

for (const [name, request, status, body] of [
  ['a plain request', upgradeRequest({ Upgrade: null, Connection: null }), '426 Upgrade Required', /no request for a WebSocket/],
  ['a request by POST', upgradeRequest({}, 'POST / HTTP/1.1'), '400 Bad Request', /by GET and HTTP\/1.1, not POST/],
  ['an upgrade to something else', upgradeRequest({ Upgrade: 'h2c' }), '426 Upgrade Required', /no request for a WebSocket/],
  ['an old version', upgradeRequest({ 'Sec-WebSocket-Version': '8' }), '426 Upgrade Required', /must be 13, and is 8/],
  ['no version', upgradeRequest({ 'Sec-WebSocket-Version': null }), '426 Upgrade Required', /must be 13, and is missing/],
  ['no key', upgradeRequest({ 'Sec-WebSocket-Key': null }), '400 Bad Request', /Key must be 16 bytes/],
  ['a key of another length', upgradeRequest({ 'Sec-WebSocket-Key': 'c2hvcnQ=' }), '400 Bad Request', /Key must be 16 bytes/],
  [
    'another sub-protocol [MQTT-6.0.0-3]',
    upgradeRequest({ 'Sec-WebSocket-Protocol': 'v12.stomp' }),
    '400 Bad Request',
    /mqtt or mqttv3.1, and v12.stomp is offered/,
  ],
  ['headers without end', upgradeRequest({ Cookie: 'x'.repeat(20_000) }), '431 Request Header Fields Too Large', /more than 16384 bytes/],
  ['a CONNECT packet', Buffer.from('101000044d5154540402003c000474657374', 'hex'), '400 Bad Request', /no HTTP request/],
  ['the beginning of TLS', Buffer.from('16030100f5010000f10303', 'hex'), '400 Bad Request', /no HTTP request/],
] as const) {
  test(`${name} is answered with ${status} and closed, and the log has why`, async (t) => {
    const { port, reasons, handlers } = await listen(t);
    const peer = new Peer(t, port);
    peer.socket.write(request);
    const answer = await peer.rest();
    assert.ok(answer.startsWith(`HTTP/1.1 ${status}\r\n`), answer);
    assert.match(answer, /\r\nConnection: close\r\n/);
    assert.match(answer.slice(answer.indexOf('\r\n\r\n')), body);
    assert.equal(reasons.length, 1);
    assert.match(reasons[0]!, body);
    assert.equal(handlers.length, 0);
    if (status === '426 Upgrade Required') assert.match(answer, /\r\nUpgrade: websocket\r\n/);
  });
}

test('a half-open handshake is closed when its time is over, and costs nobody else anything', async (t) => {
  const { port, reasons } = await listen(t, { stagesTimeoutMs: 300 });
  const halfOpen = ['', 'G', upgradeRequest().subarray(0, 100)].map((bytes) => {
    const peer = new Peer(t, port);
    peer.socket.write(bytes);
    return peer;
  });
  const client = await open(t, port);
  for (const peer of halfOpen) assert.equal(await peer.rest(), '');
  assert.deepEqual(reasons, Array(3).fill('not done within 300 ms'));
  client.socket.write(clientFrame({ opcode: 2, payload: 'x' }));
  await client.takes('\x82\x01x');
});

test('what is written in one turn is one frame', async (t) => {
  const { port, handlers } = await listen(t);
  const peer = await open(t, port);
  const large = Buffer.alloc(40_000, 'l');
  handlers[0]!.connection.write(Buffer.from('one'));
  handlers[0]!.connection.write(large);
  handlers[0]!.connection.write(Buffer.from('two'));
  await peer.takes(Buffer.concat([Buffer.from('827e9c46', 'hex'), Buffer.from('one'), large, Buffer.from('two')]));
});

test('a ping is answered with its payload', async (t) => {
  const { port } = await listen(t);
  const peer = await open(t, port);
  peer.socket.write(clientFrame({ opcode: 9, payload: 'are you there' }));
  await peer.takes(`\x8a\x0dare you there`);
  peer.socket.write(clientFrame({ opcode: 9 }));
  await peer.takes('\x8a\x00');
});

test('pings of a peer that does not read do not fill the memory with answers', async (t) => {
  const { port, handlers } = await listen(t);
  const peer = await open(t, port);
  peer.socket.pause();
  const pings = Buffer.concat(Array.from({ length: 500 }, () => clientFrame({ opcode: 9, payload: 'x'.repeat(125) })));
  let sent = 0;
  // Until the kernel's buffers in both directions are full, and much more.
  while (sent < 40_000_000) {
    sent += pings.length;
    if (!peer.socket.write(pings)) await Promise.race([new Promise((resolve) => peer.socket.once('drain', resolve)), delay(500)]);
    assert.ok(handlers[0]!.connection.queuedBytes < 1_000_000, `${handlers[0]!.connection.queuedBytes} bytes are queued`);
  }
});

test('the client’s goodbye is answered with its code, after what was on its way', async (t) => {
  const { port, handlers } = await listen(t);
  for (const [frame, answer] of [
    [clientClose(1000, 'bye'), '\x88\x02\x03\xe8'],
    [clientClose(4000), '\x88\x02\x0f\xa0'],
    [clientFrame({ opcode: 8 }), '\x88\x02\x03\xe8'],
  ] as const) {
    const peer = await open(t, port);
    peer.socket.write(Buffer.concat([clientFrame({ opcode: 2, payload: 'last words' }), frame]));
    assert.equal(await peer.rest(), `\x82\x0alast words${answer}`);
    await until(() => handlers.at(-1)!.closedBy === null, 'an orderly end');
  }
});

test('an end of ours is a close frame, and one that is not answered is no end without end', async (t) => {
  const { port, handlers } = await listen(t);
  const peer = await open(t, port);
  handlers[0]!.connection.write(Buffer.from('last'));
  handlers[0]!.connection.end();
  await peer.takes('\x82\x04last\x88\x02\x03\xe8');
  peer.socket.write(clientClose(1000));
  assert.equal(await peer.rest(), '');
  await until(() => handlers[0]!.closedBy === null, 'an orderly end');
});

for (const [name, bytes, code] of [
  ['a text frame [MQTT-6.0.0-1]', clientFrame({ opcode: 1, payload: 'hi' }), 1003],
  ['a frame that is not masked', clientFrame({ opcode: 2, payload: 'hi', mask: null }), 1002],
  ['a frame larger than any packet', clientFrame({ opcode: 2, announced: 1_000_001n }), 1009],
] as const) {
  test(`${name} closes the connection with ${code}, and its protocol hears why`, async (t) => {
    const { port, handlers } = await listen(t);
    const [peer, other] = [await open(t, port), await open(t, port)];
    peer.socket.write(Buffer.concat([clientFrame({ opcode: 2, payload: 'before' }), bytes, clientFrame({ opcode: 2, payload: 'after' })]));
    const received = Buffer.from(await peer.rest(), 'latin1');
    const close = received.subarray(received.indexOf(0x88));
    assert.equal(close.readUInt16BE(2), code);
    assert.equal(close.length, 2 + close[1]!);
    await until(() => handlers[0]!.closedBy !== undefined, 'onClose');
    assert.equal((handlers[0]!.closedBy as { code?: string }).code, 'WEBSOCKET_ERROR');
    other.socket.write(clientFrame({ opcode: 2, payload: 'x' }));
    await other.takes('\x82\x01x');
  });
}

test('frames up to 64 KB are taken even where packets are small', async (t) => {
  const { port } = await listen(t, { packetSizeMax: 100 });
  const peer = await open(t, port);
  const payload = Buffer.alloc(65_536, 'p');
  peer.socket.write(clientFrame({ opcode: 2, payload }));
  let received = 0;
  while (received < payload.length) {
    await until(() => peer.received.length >= 4, 'a header');
    const short = peer.received[1]! < 126;
    const long = peer.received[1] === 127;
    const header = short ? 2 : long ? 10 : 4;
    const length = short ? peer.received[1]! : long ? Number(peer.received.readBigUInt64BE(2)) : peer.received.readUInt16BE(2);
    await peer.takes(Buffer.concat([peer.received.subarray(0, header), Buffer.alloc(length, 'p')]));
    received += length;
  }
});

test('a WebSocket library sends and receives what it likes, fragmented or not, and closes in good order', async (t) => {
  const { port, handlers } = await listen(t);
  const client = new WebSocket(`ws://127.0.0.1:${port}/any/path?at=all`, ['mqtt'], { perMessageDeflate: true });
  t.after(() => client.terminate());
  await new Promise((resolve, reject) => client.once('open', resolve).once('error', reject));
  assert.equal(client.protocol, 'mqtt');
  assert.equal(client.extensions, '');
  let received = Buffer.alloc(0);
  client.on('message', (data: Buffer, isBinary: boolean) => {
    assert.ok(isBinary);
    received = Buffer.concat([received, data]);
  });
  const sent = Buffer.concat([Buffer.from('fragments'), Buffer.alloc(300_000, 'z'), Buffer.from('end')]);
  client.send('frag', { binary: true, fin: false });
  client.ping('?');
  client.send('ments', { binary: true, fin: true });
  client.send(Buffer.alloc(300_000, 'z'));
  client.send(Buffer.from('end'));
  await until(() => received.length >= sent.length, 'the echo');
  assert.ok(received.equals(sent));
  const closed = new Promise<number>((resolve) => client.once('close', resolve));
  client.close(1001, 'going away');
  assert.equal(await closed, 1001);
  await until(() => handlers[0]!.closedBy === null, 'an orderly end');
});

test('a paused connection is not read', async (t) => {
  const { port, handlers } = await listen(t);
  const peer = await open(t, port);
  handlers[0]!.connection.pause();
  peer.socket.write(clientFrame({ opcode: 2, payload: 'x' }));
  await delay(50);
  assert.equal(peer.received.length, 0);
  handlers[0]!.connection.resume();
  await peer.takes('\x82\x01x');
});
