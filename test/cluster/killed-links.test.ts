import assert from 'node:assert/strict';
import { cp, rename, rm } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MqttClient } from 'mqtt';
import { type BrokerProcess, BrokerProcesses, eventually } from '../harness/broker-processes.ts';
import { generator } from '../harness/random.ts';
import { SOAK_FACTOR } from '../harness/soak.ts';

/** Kills, of one broker or of all at once; `npm run soak` has many more. */
const ROUNDS = Math.max(3, Math.min(100, SOAK_FACTOR));
/** A round lasts up to this long after all clients are connected, in milliseconds. */
const ROUND_MS_MAX = 400;
/** What one publisher has under way at most. */
const WINDOW = 20;

/** What one publisher has sent, and what of it its broker has acknowledged. */
interface Publisher {
  readonly client: MqttClient;
  readonly topic: string;
  readonly qos: 1 | 2;
  next: number;
  underWay: number;
  readonly acknowledged: Set<number>;
}

/** A persistent session at one broker, and what it has got. */
class Subscriber {
  readonly #received = new Map<string, number[]>();

  static async join(processes: BrokerProcesses, broker: BrokerProcess): Promise<Subscriber> {
    const subscriber = new Subscriber();
    const client = await processes.client(broker, { ...LASTING, clientId: `subscriber-${broker.name}` });
    client.on('message', (topic, payload) => subscriber.numbers(topic).push(Number(payload.toString())));
    await client.subscribeAsync({ 'load/1/+': { qos: 1 }, 'load/2/+': { qos: 2 } });
    return subscriber;
  }

  numbers(topic: string): number[] {
    const numbers = this.#received.get(topic) ?? [];
    this.#received.set(topic, numbers);
    return numbers;
  }
}

/** Connects again whenever it is lost, with its session. */
const LASTING = { protocolVersion: 4, clean: false, reconnectPeriod: 20, connectTimeout: 60_000, keepalive: 60 } as const;

for (const [count, what] of [
  [2, 'two linked brokers'],
  [3, 'three linked brokers'],
] as const) {
  test(`${what}, killed one at a time and all at once under load, deliver to persistent sessions at each all that any has acknowledged: QoS 2 once, QoS 1 in order`, async (t) => {
    const processes = await start(t, count);
    const { brokers } = processes;
    const seed = Math.floor(Math.random() * 1e9);
    const random = generator(seed);
    const subscribers = await Promise.all(brokers.map((broker) => Subscriber.join(processes, broker)));
    const publishers = await Promise.all(
      brokers.flatMap((broker) => ([1, 2] as const).map((qos) => startPublisher(processes, broker, qos))),
    );
    for (let round = 0; round < ROUNDS; round++) {
      await eventually(() => publishers.every(({ client }) => client.connected), 'the publishers are connected');
      const endMs = Date.now() + random() * ROUND_MS_MAX;
      while (Date.now() < endMs) {
        for (const publisher of publishers) publish(publisher);
        await sleep(1);
      }
      const victim = brokers[Math.floor(random() * (count + 1))];
      const victims = victim === undefined ? brokers : [victim];
      await Promise.all(victims.map((broker) => broker.end('SIGKILL')));
      await Promise.all(victims.map((broker) => broker.restart()));
    }
    await eventually(() => publishers.every(({ underWay }) => underWay === 0), `all is acknowledged (seed ${seed})`);
    const missing = (): string[] =>
      subscribers.flatMap((subscriber, at) =>
        publishers.flatMap(({ topic, acknowledged }) => {
          const have = new Set(subscriber.numbers(topic));
          return [...acknowledged].filter((number) => !have.has(number)).map((number) => `${topic} ${number} at ${brokers[at]!.name}`);
        }),
      );
    await eventually(() => missing().length === 0, `all that was acknowledged is delivered (seed ${seed})`).catch((error: Error) => {
      assert.fail(`${error.message}; missing: ${missing().slice(0, 10).join(', ')}, ${missing().length} in all`);
    });
    await sleep(300); // for a repetition that should not be
    for (const subscriber of subscribers) {
      for (const { topic, qos, next } of publishers) {
        const numbers = subscriber.numbers(topic);
        assert.ok(next > ROUNDS, `${topic}: ${next} published`);
        const firsts = [...new Set(numbers)];
        if (qos === 2)
          assert.deepEqual(
            repeated(numbers),
            [],
            `${topic} at ${brokers[subscribers.indexOf(subscriber)]!.name}: exactly once (seed ${seed})`,
          );
        assert.deepEqual(
          firsts,
          [...firsts].sort((a, b) => a - b),
          `${topic}: in order (seed ${seed})`,
        );
      }
    }
  });
}

test('messages for a persistent session at a broker that is away survive the restart of the broker that keeps them, which goes on keeping more', async (t) => {
  const processes = await start(t, 2);
  const [near, far] = processes.brokers as [BrokerProcess, BrokerProcess];
  const session = { clean: false, protocolVersion: 4, clientId: 'persistent' } as const;
  const before = await processes.client(far, session);
  await before.subscribeAsync({ 'kept/#': { qos: 2 } });
  await before.endAsync();
  await far.end('SIGKILL');
  const publish = async (...payloads: string[]): Promise<void> => {
    const publisher = await processes.client(near);
    for (const payload of payloads) await publisher.publishAsync('kept/x', payload, { qos: payload.startsWith('one') ? 1 : 2 });
    await publisher.endAsync();
  };
  await publish('one 1', 'two 1');
  await near.end('SIGKILL');
  await near.restart();
  await publish('one 2', 'two 2');
  await near.end('SIGTERM');
  await near.restart();
  await publish('one 3', 'two 3');
  await far.restart();
  const received: string[] = [];
  await processes.client(far, session, (client) => client.on('message', (_topic, payload) => received.push(payload.toString())));
  await eventually(() => received.length >= 6, 'all of them');
  await sleep(200);
  // A client is given a message of QoS 2 when it is released: order is that of messages of one QoS [MQTT-4.6.0-6].
  for (const qos of ['one', 'two'])
    assert.deepEqual(
      received.filter((payload) => payload.startsWith(qos)),
      [`${qos} 1`, `${qos} 2`, `${qos} 3`],
    );
});

test('a broker whose data folder is put back from a copy says so, and what it publishes from then on arrives', async (t) => {
  const processes = await start(t, 2);
  const [near, far] = processes.brokers as [BrokerProcess, BrokerProcess];
  const received: string[] = [];
  const subscriber = await processes.client(far, { clean: false, protocolVersion: 4, clientId: 'persistent' }, (client) =>
    client.on('message', (_topic, payload) => received.push(payload.toString())),
  );
  await subscriber.subscribeAsync({ 'kept/#': { qos: 2 } });
  const publish = async (from: number, to: number): Promise<void> => {
    const publisher = await processes.client(near);
    for (let i = from; i <= to; i++) await publisher.publishAsync('kept/x', `${i}`, { qos: 2 });
    await publisher.endAsync();
    await eventually(() => received.includes(`${to}`), `${to} arrives`);
  };
  await publish(1, 5);
  await near.end('SIGTERM');
  const copy = `${near.dataFolder}.copy`;
  await cp(near.dataFolder, copy, { recursive: true, filter: (path) => !path.includes('lock') });
  await near.restart();
  await near.linked(1);
  await publish(6, 20);
  await near.end('SIGKILL');
  await rm(near.dataFolder, { recursive: true });
  await rename(copy, near.dataFolder);
  await near.restart();
  await publish(21, 25);
  assert.match(near.program.stderr, /the store is older than what a linked broker has had of it/);
  await sleep(200);
  assert.deepEqual(
    received,
    Array.from({ length: 25 }, (_, i) => `${i + 1}`),
  );
});

async function start(t: TestContext, count: number): Promise<BrokerProcesses> {
  const processes = await BrokerProcesses.start(count);
  t.after(() => processes.close());
  return processes;
}

async function startPublisher(processes: BrokerProcesses, broker: BrokerProcess, qos: 1 | 2): Promise<Publisher> {
  const client = await processes.client(broker, { ...LASTING, clientId: `publisher-${qos}-${broker.name}` });
  return { client, topic: `load/${qos}/${broker.name}`, qos, next: 0, underWay: 0, acknowledged: new Set() };
}

function publish(publisher: Publisher): void {
  while (publisher.underWay < WINDOW) {
    const number = publisher.next++;
    publisher.underWay++;
    publisher.client.publish(publisher.topic, `${number}`, { qos: publisher.qos }, (error) => {
      publisher.underWay--;
      if (!error) publisher.acknowledged.add(number);
    });
  }
}

function repeated(numbers: readonly number[]): number[] {
  const seen = new Set<number>();
  return numbers.filter((number) => seen.size === seen.add(number).size);
}
