import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import mqtt, { type MqttClient } from 'mqtt';
import { connected, NumberedPublisher, NumberedSubscriber, persistentClient, retainedNumber, until } from '../harness/numbered-load.ts';
import { freePorts, Program } from '../harness/program.ts';
import { generator } from '../harness/random.ts';
import { SOAK_FACTOR } from '../harness/soak.ts';

/** Kills of the broker; `npm run soak` has 200 and more. */
const ROUNDS = Math.max(4, Math.min(200, 2 * SOAK_FACTOR));
/** A round lasts up to this long after the publishers are connected, in milliseconds. */
const ROUND_MS_MAX = 300;
/** Publishers of each QoS, and what one has under way at most. */
const PUBLISHERS = 3;
const WINDOW = 20;
test('a broker killed at any moment under load loses nothing that it acknowledged, at QoS 1 and 2, retained messages and sessions', () =>
  withKilledBroker(true, async (port, note, kills) => {
    const subscriber = new NumberedSubscriber(port, 'subscriber');
    await connected(subscriber.client);
    await subscriber.client.subscribeAsync({ 'load/1/+': { qos: 1 }, 'load/2/+': { qos: 2 } });
    const publishers = ([1, 2] as const).flatMap((qos) =>
      Array.from({ length: PUBLISHERS }, (_, i) => new NumberedPublisher(port, `load/${qos}/${i}`, qos)),
    );
    const clients = [subscriber, ...publishers].map(({ client }) => client);
    await kills(publishers, clients);
    await subscriber.hasAll(publishers, note);
    for (const { topic, next, acknowledged } of publishers) {
      assert.ok(next > ROUNDS, `${topic} has published ${next}`);
      const retained = await retainedNumber(port, topic);
      assert.ok(retained >= Math.max(-1, ...acknowledged), `${topic}: the retained message is ${retained} ${note}`);
    }
    await Promise.all(clients.map((each) => each.endAsync(true)));
  }));

for (const concurrent of [true, false]) {
  test(`nor does one whose messages are ${concurrent ? 'sent while they are stored' : 'stored before they are sent'}, at QoS 1, for one who is there and one who is away`, () =>
    withKilledBroker(concurrent, async (port, note, kills) => {
      const near = new NumberedSubscriber(port, 'near');
      const far = persistentClient(port, 'far');
      await connected(near.client, far);
      for (const client of [near.client, far]) await client.subscribeAsync('load/1/+', { qos: 1 });
      await far.endAsync();
      // What only the one who is there is to get is not stored at all where it acknowledges it at once.
      await near.client.subscribeAsync('near/1/+', { qos: 1 });
      const publishers = ['load', 'near', 'near', 'near'].map((level, i) => new NumberedPublisher(port, `${level}/1/${i}`, 1, '', false));
      const clients = [near, ...publishers].map(({ client }) => client);
      await kills(publishers, clients);
      await near.hasAll(publishers, note);
      const back = new NumberedSubscriber(port, 'far');
      await back.hasAll(publishers.slice(0, 1), note);
      await Promise.all([...clients, back.client].map((each) => each.endAsync(true)));
    }));
}

test('wills of clients that were connected when the broker was killed are published when it is back', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'roundhouse-wills-'));
  const [port] = (await freePorts(1)) as [number];
  const file = join(folder, 'activemq.xml');
  await writeFile(file, configuration(port, folder));
  let broker = await start(file);
  try {
    const watcher = persistentClient(port, 'watcher');
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
    await connected(persistent, clean, polite);
    await polite.endAsync();
    await sleep(500); // a goodbye is not acknowledged; it is on disk soon after
    broker.kill('SIGKILL');
    await broker.ended;
    broker = await start(file);
    await until(() => wills.length >= 2, 'the wills');
    assert.deepEqual(wills.sort(), ['will/c 2', 'will/p 1']);
    await Promise.all([watcher, persistent, clean].map((each) => each.endAsync(true)));
  } finally {
    broker.kill('SIGKILL');
    await broker.ended;
    await rm(folder, { recursive: true, force: true });
  }
});

/**
 * Runs `body` with a broker. Its last argument has all publish and kills the broker, again and again, until in the end everything that is
 * under way has been acknowledged.
 */
async function withKilledBroker(
  concurrent: boolean,
  body: (
    port: number,
    note: string,
    kills: (publishers: readonly NumberedPublisher[], clients: readonly MqttClient[]) => Promise<void>,
  ) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'roundhouse-killed-'));
  const [port] = (await freePorts(1)) as [number];
  const file = join(folder, 'activemq.xml');
  await writeFile(file, configuration(port, folder, concurrent));
  const seed = Math.floor(Math.random() * 1e9);
  const random = generator(seed);
  let broker = await start(file);
  try {
    await body(port, `(seed ${seed})`, async (publishers, clients) => {
      for (let round = 0; round < ROUNDS; round++) {
        await connected(...clients);
        const endMs = Date.now() + random() * ROUND_MS_MAX;
        while (Date.now() < endMs) {
          for (const publisher of publishers) publisher.fill(WINDOW);
          await sleep(1);
        }
        broker.kill('SIGKILL');
        await broker.ended;
        broker = await start(file);
      }
      await until(() => publishers.every(({ underWay }) => underWay === 0), `all acknowledgements (seed ${seed})`);
    });
  } finally {
    broker.kill('SIGKILL');
    await broker.ended;
    await rm(folder, { recursive: true, force: true });
  }
}

async function start(file: string): Promise<Program> {
  const program = new Program(['broker', file]);
  await program.saying(/broker is up/);
  return program;
}

/** @param concurrent concurrentStoreAndDispatchTopics */
function configuration(port: number, folder: string, concurrent = true): string {
  return `<beans xmlns="http://www.springframework.org/schema/beans">
  <broker xmlns="http://activemq.apache.org/schema/core" brokerName="killed" dataDirectory="${folder}">
    <persistenceAdapter>
      <kahaDB directory="${join(folder, 'store')}" journalMaxFileLength="256kb" concurrentStoreAndDispatchTopics="${concurrent}"/>
    </persistenceAdapter>
    <transportConnectors><transportConnector name="mqtt" uri="mqtt+nio://127.0.0.1:${port}"/></transportConnectors>
  </broker>
</beans>
`;
}
