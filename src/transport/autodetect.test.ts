import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Facts, silentLog } from '../telemetry/log.ts';
import { createAutodetectStage, type Sniffer } from './autodetect.ts';
import { TcpListener } from './tcp-listener.ts';
import { Turn } from './turn.ts';

/** Speaks whoever begins with this word. */
function word(name: string, begin: string): Sniffer {
  return {
    name,
    sniff(bytes, start, end) {
      const text = bytes.toString('latin1', start, Math.min(end, start + begin.length));
      if (!begin.startsWith(text)) return 'no';
      return text.length === begin.length ? 'yes' : 'maybe';
    },
  };
}

async function start(t: TestContext, sniffers: readonly Sniffer[]) {
  const spoken: (string | null)[] = [];
  const reasons: unknown[] = [];
  let probes = 0;
  const listener = new TcpListener({
    name: 'auto',
    host: '127.0.0.1',
    port: 0,
    maximumConnections: 10,
    turn: new Turn(),
    log: { ...silentLog, info: (_message: string, facts?: Facts) => reasons.push(facts?.reason) },
    stages: [createAutodetectStage(sniffers)],
    stagesTimeoutMs: 500,
    onConnection: (connection, protocol) => {
      spoken.push(protocol);
      return { onData: (chunk, from, to) => connection.writeCopy(chunk, from, to), onDrain() {}, onClose() {} };
    },
    onProbe: () => probes++,
  });
  await listener.listen();
  t.after(() => {
    listener.close();
    for (const connection of listener.connections) connection.destroy();
  });
  const dial = (): Socket => {
    const socket = connect({ host: '127.0.0.1', port: listener.port, noDelay: true });
    socket.on('error', () => {});
    t.after(() => socket.destroy());
    return socket;
  };
  return { dial, spoken, reasons, probes: () => probes };
}

/** Everything that comes until there are as many bytes, or the connection closes. */
function received(socket: Socket, size: number): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
      if (text.length >= size) resolve(text);
    });
    socket.once('close', () => resolve(text));
  });
}

test('a connection gets the protocol that its first bytes are of, with all of them', async (t) => {
  const { dial, spoken } = await start(t, [word('a', 'aa'), word('b', 'ab'), word('c', 'c')]);
  for (const [text, protocol] of [
    ['aa!', 'a'],
    ['ab', 'b'],
    ['c', 'c'],
    ['cc', 'c'],
  ] as const) {
    for (const bytewise of [false, true]) {
      const socket = dial();
      const answer = received(socket, text.length);
      for (const piece of bytewise ? text : [text]) {
        socket.write(piece);
        await delay(1);
      }
      assert.equal(await answer, text);
      assert.equal(spoken.at(-1), protocol);
    }
  }
});

test('a connection that speaks none of the protocols is closed, and the log has its first bytes', async (t) => {
  const { dial, spoken, reasons } = await start(t, [word('a', 'aa'), word('b', 'bb')]);
  for (const text of ['GET / HTTP/1.1\r\n\r\n', 'ax']) {
    const socket = dial();
    socket.write(text);
    assert.equal(await received(socket, 1), '');
  }
  assert.deepEqual(spoken, []);
  assert.deepEqual(reasons, [
    'the first bytes are neither a nor b: 474554202f20485454502f312e310d0a',
    'the first bytes are neither a nor b: 6178',
  ]);
});

test('what stays unclear is closed at a bound on bytes, and what is silent at one on time', async (t) => {
  const { dial, reasons } = await start(t, [{ name: 'never sure', sniff: () => 'maybe' }]);
  const long = dial();
  long.write('x'.repeat(63));
  await delay(20);
  assert.deepEqual(reasons, []);
  long.write('x');
  assert.equal(await received(long, 1), '');
  const silent = dial();
  assert.equal(await received(silent, 1), '');
  assert.deepEqual(reasons, [`the first bytes are neither never sure: ${'78'.repeat(16)}`, 'not done within 500 ms']);
});

test('a connection that says nothing and goes is a probe', async (t) => {
  const { dial, reasons, probes } = await start(t, [word('a', 'aa')]);
  const socket = dial();
  socket.end();
  await received(socket, 1);
  await delay(20);
  assert.equal(probes(), 1);
  assert.deepEqual(reasons, []);
});
