import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import mqtt, { type MqttClient } from 'mqtt';
import { freePorts, Program } from '../harness/program.ts';
import { SOAK_FACTOR } from '../harness/soak.ts';

/** Kills of the broker; `npm run soak` has 200 and more. */
const ROUNDS = Math.max(4, Math.min(200, 2 * SOAK_FACTOR));
/** A round lasts up to this long after the publishers are connected, in milliseconds. */
const ROUND_MS_MAX = 300;
/** Publishers of each QoS, and what one has under way at most. */
const PUBLISHERS = 3;
const WINDOW = 20;
/** Bound for every wait, in milliseconds. */
const WAIT_MS = 60_000;

/** What one publisher has sent, and what of it the broker has acknowledged. */
interface Sent {
  readonly client: MqttClient;
  readonly name: string;
  readonly qos: 1 | 2;
  next: number;
  underWay: number;
  readonly acknowledged: Set<number>;
}

test('a broker killed at any moment under load loses nothing that it acknowledged, at QoS 1 and 2, retained messages and sessions', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'roundhouse-killed-'));
  const [port] = (await freePorts(1)) as [number];
  const file = join(folder, 'activemq.xml');
  await writeFile(file, configuration(port, folder));
  let broker = await start(file);
  const seed = Math.floor(Math.random() * 1e9);
  const random = generator(seed);
  try {
    const received: { topic: string; payload: string }[] = [];
    const subscriber = client(port, 'subscriber');
    subscriber.on('message', (topic, payload) => received.push({ topic, payload: payload.toString() }));
    await connected(subscriber);
    await subscriber.subscribeAsync({ 'load/1/+': { qos: 1 }, 'load/2/+': { qos: 2 } });
    const publishers: Sent[] = ([1, 2] as const).flatMap((qos) =>
      Array.from({ length: PUBLISHERS }, (_, i) => ({
        client: client(port, `publisher-${qos}-${i}`),
        name: `load/${qos}/${i}`,
        qos,
        next: 0,
        underWay: 0,
        acknowledged: new Set<number>(),
      })),
    );
    for (let round = 0; round < ROUNDS; round++) {
      await Promise.all([subscriber, ...publishers.map((each) => each.client)].map(connected));
      const endMs = Date.now() + random() * ROUND_MS_MAX;
      while (Date.now() < endMs) {
        for (const publisher of publishers) publish(publisher);
        await sleep(1);
      }
      broker.kill('SIGKILL');
      await broker.ended;
      broker = await start(file);
    }
    await until(() => publishers.every(({ underWay }) => underWay === 0), 'all acknowledgements', seed);
    const missing = (): string[] =>
      publishers.flatMap(({ name, acknowledged }) => {
        const have = new Set(received.filter(({ topic }) => topic === name).map(({ payload }) => Number(payload)));
        return [...acknowledged].filter((number) => !have.has(number)).map((number) => `${name} ${number}`);
      });
    await until(
      () => missing().length === 0,
      () => `messages that were acknowledged: ${missing().slice(0, 10).join(', ')}`,
      seed,
    );
    await sleep(200); // for a repetition that should not be

    for (const { name, qos, next } of publishers) {
      const numbers = received.filter(({ topic }) => topic === name).map(({ payload }) => Number(payload));
      assert.ok(next > ROUNDS, `${name} has published ${next}`);
      if (qos === 2) assert.equal(new Set(numbers).size, numbers.length, `${name}: exactly once (seed ${seed})`);
      const firsts = [...new Set(numbers)];
      assert.deepEqual(
        firsts,
        [...firsts].sort((a, b) => a - b),
        `${name}: in order (seed ${seed})`,
      );
      const retained = await retainedOf(port, name);
      assert.ok(
        retained >= Math.max(-1, ...publishers.find((each) => each.name === name)!.acknowledged),
        `${name}: the retained message is ${retained} (seed ${seed})`,
      );
    }
    await Promise.all([subscriber, ...publishers.map((each) => each.client)].map((each) => each.endAsync(true)));
  } finally {
    broker.kill('SIGKILL');
    await broker.ended;
    await rm(folder, { recursive: true, force: true });
  }
});

test('wills of clients that were connected when the broker was killed are published when it is back', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'roundhouse-wills-'));
  const [port] = (await freePorts(1)) as [number];
  const file = join(folder, 'activemq.xml');
  await writeFile(file, configuration(port, folder));
  let broker = await start(file);
  try {
    const watcher = client(port, 'watcher');
    const wills: string[] = [];
    watcher.on('message', (topic, payload) => wills.push(`${topic} ${payload}`));
    await connected(watcher);
    await watcher.subscribeAsync('will/+', { qos: 1 });
    const options = { reconnectPeriod: 0, keepalive: 60 };
    const persistent = mqtt.connect({
      port,
      host: '127.0.0.1',
      clientId: 'p',
      clean: false,
      ...options,
      will: { topic: 'will/p', payload: Buffer.from('1'), qos: 1 },
    });
    const clean = mqtt.connect({
      port,
      host: '127.0.0.1',
      clientId: 'c',
      clean: true,
      ...options,
      will: { topic: 'will/c', payload: Buffer.from('2'), qos: 1 },
    });
    const polite = mqtt.connect({
      port,
      host: '127.0.0.1',
      clientId: 'x',
      clean: false,
      ...options,
      will: { topic: 'will/x', payload: Buffer.from('3'), qos: 1 },
    });
    await Promise.all([persistent, clean, polite].map(connected));
    await polite.endAsync();
    await sleep(500); // a goodbye is not acknowledged; it is on disk soon after
    broker.kill('SIGKILL');
    await broker.ended;
    broker = await start(file);
    await until(() => wills.length >= 2, 'the wills', 0);
    assert.deepEqual(wills.sort(), ['will/c 2', 'will/p 1']);
    await Promise.all([watcher, persistent, clean].map((each) => each.endAsync(true)));
  } finally {
    broker.kill('SIGKILL');
    await broker.ended;
    await rm(folder, { recursive: true, force: true });
  }
});

function publish(publisher: Sent): void {
  while (publisher.underWay < WINDOW) {
    const number = publisher.next++;
    publisher.underWay++;
    publisher.client.publish(publisher.name, `${number}`, { qos: publisher.qos, retain: true }, (error) => {
      publisher.underWay--;
      if (!error) publisher.acknowledged.add(number);
    });
  }
}

function client(port: number, clientId: string): MqttClient {
  return mqtt
    .connect({ host: '127.0.0.1', port, clientId, clean: false, reconnectPeriod: 20, connectTimeout: WAIT_MS, keepalive: 60 })
    .on('error', () => {});
}

async function connected(of: MqttClient): Promise<void> {
  await until(() => of.connected, `${of.options.clientId} to connect`, 0);
}

async function retainedOf(port: number, topic: string): Promise<number> {
  const reader = mqtt.connect({ host: '127.0.0.1', port, clean: true });
  const found = new Promise<number>((resolve) => reader.on('message', (_topic, payload) => resolve(Number(payload.toString()))));
  await reader.subscribeAsync(topic);
  const number = await found;
  await reader.endAsync(true);
  return number;
}

async function start(file: string): Promise<Program> {
  const program = new Program(['broker', file]);
  await program.saying(/broker is up/);
  return program;
}

async function until(condition: () => boolean, what: string | (() => string), seed: number): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!condition()) {
    if (Date.now() > deadline) assert.fail(`waited ${WAIT_MS} ms for ${typeof what === 'string' ? what : what()} (seed ${seed})`);
    await sleep(5);
  }
}

/** Random numbers that a failure can be repeated with (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function configuration(port: number, folder: string): string {
  return `<beans xmlns="http://www.springframework.org/schema/beans">
  <broker xmlns="http://activemq.apache.org/schema/core" brokerName="killed" dataDirectory="${folder}">
    <persistenceAdapter><kahaDB directory="${join(folder, 'store')}" journalMaxFileLength="256kb"/></persistenceAdapter>
    <transportConnectors><transportConnector name="mqtt" uri="mqtt+nio://127.0.0.1:${port}"/></transportConnectors>
  </broker>
</beans>
`;
}
