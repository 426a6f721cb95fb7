import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Broker } from '../core/broker.ts';
import type { Cluster } from '../core/ports.ts';
import { silentLog } from '../telemetry/log.ts';
import { InProcessClient, type ReceivedMessage } from './in-process-client.ts';

function client(nowMs = 1_000) {
  const broker = new Broker({ id: 'ID:test', name: 'test', log: silentLog, wallNow: () => nowMs });
  return { broker, client: new InProcessClient(broker) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('what is published arrives at every matching listener, with the lower QoS of the two', async () => {
  const { client: program } = client();
  const received: ReceivedMessage[] = [];
  await program.subscribe('demo/#', (message) => received.push(message), { qos: 1 });
  assert.equal(program.publish('demo/a', 'text', { qos: 2 }), 1);
  assert.equal(program.publish('other', 'text'), 0);
  await turn();
  assert.deepEqual(
    received.map(({ topic, payload, qos, retained, properties }) => [topic, payload.toString(), qos, retained, properties]),
    [['demo/a', 'text', 1, false, null]],
  );
});

test('a listener is never called from within publish, and its error is not thrown there', async () => {
  const { client: program } = client();
  let called = false;
  await program.subscribe('a', () => {
    called = true;
  });
  program.publish('a', '');
  assert.equal(called, false);
  await turn();
  assert.equal(called, true);
});

test('retained messages come first and say so; unless they are not wanted', async () => {
  const { client: program } = client();
  program.publish('state', Buffer.from([1, 2]), { retain: true });
  const received: ReceivedMessage[] = [];
  const unwanted: ReceivedMessage[] = [];
  await program.subscribe('state', (message) => received.push(message));
  await program.subscribe('state', (message) => unwanted.push(message), { retained: false });
  await turn();
  assert.deepEqual(
    received.map(({ payload, retained }) => [[...payload], retained]),
    [[[1, 2], true]],
  );
  assert.deepEqual(unwanted, []);
});

test('an empty retained payload removes what is kept [MQTT-3.3.1-6]', () => {
  const { broker, client: program } = client();
  program.publish('state', 'on', { retain: true });
  program.publish('state', '', { retain: true });
  assert.equal(broker.retained.size, 0);
});

test('properties travel, and the expiry is counted from now', async () => {
  const { broker, client: program } = client(5_000);
  const received: ReceivedMessage[] = [];
  await program.subscribe('a', (message) => received.push(message));
  const correlationData = Buffer.from([7]);
  program.publish('a', 'x', {
    retain: true,
    properties: { contentType: 'text/plain', correlationData, userProperties: [['k', 'v']], messageExpiryInterval: 3 },
  });
  correlationData[0] = 8;
  await turn();
  assert.deepEqual(received[0]!.properties, {
    payloadFormatIndicator: null,
    contentType: 'text/plain',
    responseTopic: null,
    correlationData: Buffer.from([7]),
    userProperties: [['k', 'v']],
  });
  assert.equal(broker.retained.match('a')[0]!.expiresAtMs, 8_000);
});

test('nothing arrives after unsubscribe, not even what was on its way', async () => {
  const { broker, client: program } = client();
  let count = 0;
  const subscription = await program.subscribe('a', () => count++);
  program.publish('a', '');
  subscription.unsubscribe();
  program.publish('a', '');
  await turn();
  assert.equal(count, 0);
  assert.equal(broker.router.size, 0);
});

test('members of a shared subscription take turns', async () => {
  const { client: program } = client();
  const counts = [0, 0];
  await program.subscribe('$share/g/a', () => counts[0]!++);
  await program.subscribe('$share/g/a', () => counts[1]!++);
  for (let i = 0; i < 4; i++) program.publish('a', '');
  await turn();
  assert.deepEqual(counts, [2, 2]);
});

test('subscribe resolves when linked brokers know the subscription', async () => {
  const { broker, client: program } = client();
  let resolve = () => {};
  const known = new Promise<void>((resolveKnown) => {
    resolve = resolveKnown;
  });
  broker.cluster = { demandKnown: () => known, clientClaimed: () => {}, retained: () => {} } satisfies Cluster;
  let isKnown = false;
  const subscribed = program.subscribe('a', () => {}).then(() => assert.equal(isKnown, true));
  await turn();
  isKnown = true;
  resolve();
  await subscribed;
});

test('what MQTT does not allow is refused with what is wrong', async () => {
  const { client: program } = client();
  for (const [topic, options, why] of [
    ['', {}, /MQTT-4\.7\.3-1/],
    ['a/+', {}, /must not contain '\+'/],
    ['x'.repeat(65_536), {}, /at most 65535 bytes/],
    ['a', { qos: 3 }, /qos is 0, 1 or 2, not 3/],
    ['a', { properties: { messageExpiryInterval: 1.5 } }, /whole seconds from 0 to 4294967295, not 1\.5/],
    ['a', { properties: { responseTopic: 'b/#' } }, /responseTopic must not contain wildcards/],
  ] as const) {
    assert.throws(() => program.publish(topic, '', options as object), { code: 'INVALID_MESSAGE', message: why });
  }
  await assert.rejects(
    program.subscribe('a/#/b', () => {}),
    { code: 'INVALID_FILTER', message: /MQTT-4\.7\.1-1/ },
  );
});
