import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import mqtt from 'mqtt-packet';
import { freePort, startBroker } from './broker-process.ts';
import { isLossFree, type LoadOptions, runLoad } from './load.ts';
import { findProgram } from './machine.ts';
import { nodeCommand } from './node-command.ts';

const quick: LoadOptions = {
  host: '127.0.0.1',
  port: 0,
  subscriberPort: 0,
  mode: 'pair',
  prefix: 'load',
  publishers: 3,
  subscribers: 3,
  qos: 0,
  payloadBytes: 64,
  window: 10,
  version: 4,
  userProperties: 0,
  topics: 1,
  persistent: false,
  rate: 0,
  warmupSeconds: 0.05,
  seconds: 0.2,
  brokerPid: 0,
};

async function startStub(t: TestContext): Promise<number> {
  const port = await freePort();
  const broker = await startBroker('stub', [...nodeCommand('stub-broker'), String(port)], port);
  t.after(() => broker.stop());
  return port;
}

test('pairs, fan-out and fan-in deliver everything, with MQTT 3.1.1 and 5, small and large', async (t) => {
  const port = await startStub(t);
  for (const mode of ['pair', 'fanout', 'fanin'] as const) {
    for (const version of [4, 5] as const) {
      for (const payloadBytes of [0, 40_000]) {
        const result = await runLoad({ ...quick, port, subscriberPort: port, mode, version, payloadBytes });
        const what = `${mode}, version ${version}, ${payloadBytes} bytes: ${JSON.stringify(result)}`;
        assert.ok(isLossFree(result), what);
        assert.ok(result.deliveredPerSecond > 0 && result.publishedPerSecond > 0, what);
        assert.ok(result.latencyMs.p50 <= result.latencyMs.p99 && result.latencyMs.p99 <= result.latencyMs.max, what);
      }
    }
  }
});

test('a paced run publishes no more than its rate allows', async (t) => {
  const port = await startStub(t);
  const result = await runLoad({ ...quick, port, subscriberPort: port, rate: 50, seconds: 0.5 });
  assert.ok(isLossFree(result));
  // Three publishers with 50 a second each; the first interval may begin before the measured time.
  assert.ok(result.publishedPerSecond * result.seconds <= 3 * (50 * result.seconds + 2), JSON.stringify(result));
  assert.ok(result.deliveredPerSecond > 0);
});

test('QoS 1 and 2, clean and persistent, are acknowledged to the end against a real broker', async (t) => {
  const mosquitto = findProgram('mosquitto');
  if (mosquitto === null) return t.skip('mosquitto is not installed');
  const port = await freePort();
  const broker = await startBroker('mosquitto', [mosquitto, '-p', String(port)], port);
  t.after(() => broker.stop());
  for (const qos of [1, 2] as const) {
    for (const version of [4, 5] as const) {
      for (const persistent of [false, true]) {
        const result = await runLoad({ ...quick, port, subscriberPort: port, qos, version, persistent });
        assert.ok(isLossFree(result), `QoS ${qos}, version ${version}: ${JSON.stringify(result)}`);
        assert.ok(result.deliveredPerSecond > 0);
      }
    }
  }
});

test('a fleet, User Properties and two runs at a time are told apart by a real broker', async (t) => {
  const mosquitto = findProgram('mosquitto');
  if (mosquitto === null) return t.skip('mosquitto is not installed');
  const port = await freePort();
  const broker = await startBroker('mosquitto', [mosquitto, '-p', String(port)], port);
  t.after(() => broker.stop());
  const both = { ...quick, port, subscriberPort: port };
  const results = await Promise.all([
    runLoad({ ...both, prefix: 'fleet', mode: 'fleet', publishers: 10, topics: 250 }),
    runLoad({ ...both, version: 5, userProperties: 2 }),
    runLoad({ ...both, prefix: 'other', mode: 'fanin' }),
  ]);
  for (const result of results) {
    assert.ok(isLossFree(result), JSON.stringify(result));
    assert.ok(result.deliveredPerSecond > 0);
  }
});

/** A broker that answers CONNECT and SUBSCRIBE, and each PUBLISH as told. */
async function startFake(t: TestContext, onPublish: (frame: Buffer) => Buffer): Promise<number> {
  const subscribers: Socket[] = [];
  const server = createServer((socket) => {
    const parser = mqtt.parser({ protocolVersion: 4 });
    parser.on('packet', (packet) => {
      if (packet.cmd === 'connect') socket.write(mqtt.generate({ cmd: 'connack', returnCode: 0, sessionPresent: false }));
      if (packet.cmd === 'subscribe') {
        subscribers.push(socket);
        socket.write(mqtt.generate({ cmd: 'suback', messageId: packet.messageId ?? 1, granted: [0] }));
      }
      if (packet.cmd === 'publish') for (const subscriber of subscribers) subscriber.write(onPublish(mqtt.generate(packet)));
    });
    parser.on('error', () => socket.destroy());
    socket.on('data', (chunk) => parser.parse(chunk));
    socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}

test('what a broker drops is counted as undelivered', { timeout: 60_000 }, async (t) => {
  let published = 0;
  const port = await startFake(t, (frame) => (++published % 10 === 0 ? Buffer.alloc(0) : frame));
  const result = await runLoad({ ...quick, port, subscriberPort: port, publishers: 1 });
  assert.ok(result.undelivered >= 1 && result.undelivered <= quick.window, 'each lost message keeps its place in the window');
  assert.equal(isLossFree(result), false);
});

test('what a broker repeats is counted as a duplicate and makes no room', async (t) => {
  const port = await startFake(t, (frame) => {
    const repeated = Buffer.from(frame);
    repeated[0]! |= 0x08;
    return Buffer.concat([frame, repeated]);
  });
  const result = await runLoad({ ...quick, port, subscriberPort: port, publishers: 1 });
  assert.equal(result.undelivered, 0);
  assert.ok(result.duplicates > 0);
});

test('what comes to the wrong subscriber is a stray', async (t) => {
  const port = await startFake(t, (frame) => frame);
  const result = await runLoad({ ...quick, port, subscriberPort: port, publishers: 2 });
  assert.ok(result.strays > 0, 'the fake gives every message to both subscribers');
  assert.equal(isLossFree(result), false);
});

test('a broker that is not there, or refuses, ends the run with its name and reason', async (t) => {
  const port = await freePort();
  await assert.rejects(
    runLoad({ ...quick, port, subscriberPort: port }),
    new RegExp(`127\\.0\\.0\\.1:${port}, client load-.*ECONNREFUSED`),
  );
  const refusing = createServer((socket) => socket.once('data', () => socket.end(Buffer.from([0x20, 2, 0, 5]))).on('error', () => {}));
  await new Promise<void>((resolve) => refusing.listen(port, '127.0.0.1', resolve));
  t.after(() => refusing.close());
  await assert.rejects(runLoad({ ...quick, port, subscriberPort: port }), /CONNACK 0x5/);
});

test('the program prints one line of JSON, and tells a wrong argument', async (t) => {
  const port = await startStub(t);
  const [node, ...generator] = nodeCommand('generator');
  const run = async (...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> => {
    const child = spawn(node, [...generator, ...args]);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    return { code, stdout, stderr };
  };
  const good = await run(`--port=${port}`, '--seconds=0.2', '--warmup=0.05');
  assert.equal(good.code, 0, good.stderr);
  assert.equal(good.stdout.trim().split('\n').length, 1);
  assert.ok((JSON.parse(good.stdout) as { deliveredPerSecond: number }).deliveredPerSecond > 0);
  const bad = await run('--qos=7');
  assert.equal(bad.code, 2);
  assert.match(bad.stderr, /^generator: --qos: expected 0, 1, 2, got "7"\n$/);
});
