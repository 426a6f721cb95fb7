import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { MessageProperties, QoS } from '../../src/core/message.ts';
import { linked, staticConnector, TestBroker, type TestClient, until } from '../harness/linked-broker.ts';

/** Both say the same name, as both classic files do. */
let a: TestBroker;
let b: TestBroker;

before(async () => {
  a = await TestBroker.start({ name: 'broker2' });
  b = await TestBroker.start({ name: 'broker2', connectors: [staticConnector([a.port])] });
  await linked(a, b);
});

after(async () => {
  await a.stop();
  await b.stop();
});

/** Subscribes at one broker, waits as a SUBACK does, and publishes at the other. */
async function deliver(from: TestBroker, to: TestBroker, filter: string, publish: (client: TestClient) => void, count: number) {
  const subscriber = to.client().subscribe(filter);
  await to.network.demandKnown();
  publish(from.client());
  await until(() => subscriber.received.length >= count, `${count} messages for ${filter}`);
  subscriber.unsubscribe(filter);
  return subscriber.received;
}

test('messages cross both ways over one link that one side dialled, with equal broker names, at every QoS', async () => {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    for (const qos of [0, 1, 2] as const) {
      const received = await deliver(from, to, `both/${qos}`, (client) => client.publish(`both/${qos}`, 'hello', qos), 1);
      assert.deepEqual(
        received.map((message) => [message.topic, message.payload, message.qos]),
        [[`both/${qos}`, 'hello', qos]],
      );
    }
  }
});

test('order is kept and nothing comes twice, whatever the mix of QoS', async () => {
  const expected = Array.from({ length: 2_000 }, (_, i) => `m${i}`);
  for (const qos of [0, 1, 2] as const) {
    const publish = (client: TestClient): void => {
      for (const payload of expected) client.publish('order/x', payload, qos);
    };
    const received = await deliver(a, b, 'order/#', publish, expected.length);
    assert.deepEqual(
      received.map(({ payload }) => payload),
      expected,
    );
  }
});

test('acknowledged messages leave the outbox', async () => {
  await deliver(a, b, 'ack/#', (client) => client.publish('ack/1', 'x', 1), 1);
  await until(() => a.link(b)!.outboxMessages === 0, 'the outbox is empty');
});

test('topic names cross unchanged, whatever characters they have', async () => {
  const names = [
    'a.b/c.d',
    'comma,x',
    'q?x=1/y',
    'sp ace/ x',
    '$foo/x',
    '/lead',
    'trail/',
    'a//b',
    '/',
    '//',
    'star*x',
    'gt>x',
    'queue://x',
    'topic://a,b',
    'a\\b',
    'ünï/日本',
    '😀/x',
    'x&sbquo;y',
    'ActiveMQ/Advisory/x',
    '$SYS/cluster/v1/marker',
    'Roundhouse/LongName',
    'x'.repeat(65_535),
    'ü'.repeat(32_767),
    '😀'.repeat(16_383),
    `${'ab,.'.repeat(16_000)}/end`,
  ]; // prettier-ignore
  for (const name of names) {
    const received = await deliver(a, b, name, (client) => client.publish(name, 'p', 1), 1);
    assert.equal(received[0]!.topic, name, name.slice(0, 40));
  }
});

test('wildcard subscriptions at one broker reach what is published at the other', async () => {
  const cases: [filter: string, topics: string[], others: string[]][] = [
    ['w/+/c', ['w/b/c', 'w//c'], ['w/b', 'w/b/d', 'w/b/c/d']],
    ['w/#', ['w', 'w/b', 'w/b/c'], ['v', 'wb']],
    ['+/+', ['/b', 'w/'], ['w', 'w/b/c', '$w/b']],
    ['#', ['w', 'w/b/c'], ['$w/x']],
    ['$w/#', ['$w/x', '$w'], ['w/x']],
  ];
  for (const [filter, topics, others] of cases) {
    const publish = (client: TestClient): void => {
      for (const topic of [...others, ...topics]) client.publish(topic, 'p', 1);
    };
    const received = await deliver(a, b, filter, publish, topics.length);
    assert.deepEqual(
      received.map(({ topic }) => topic),
      topics,
      filter,
    );
  }
});

test('# shows nothing but what clients published', async () => {
  const all = b.client().subscribe('#');
  const below = b.client().subscribe('ActiveMQ/Advisory/#');
  const system = b.client().subscribe('$SYS/#');
  await b.network.demandKnown();
  a.client().subscribe('noise/1');
  await a.network.demandKnown();
  a.session('noisy');
  a.client().publish('retained/noise', 'r', 0, true);
  a.client().publish('last', 'x', 1);
  await until(() => all.received.some(({ topic }) => topic === 'last'), 'the last message');
  assert.deepEqual(
    all.received.map(({ topic }) => topic),
    ['retained/noise', 'last'],
  );
  assert.deepEqual([below.received, system.received], [[], []]);
  for (const [client, filter] of [
    [all, '#'],
    [below, 'ActiveMQ/Advisory/#'],
    [system, '$SYS/#'],
  ] as const)
    client.unsubscribe(filter);
});

test('MQTT 5 properties, RETAIN and expiry cross', async () => {
  const properties: MessageProperties = {
    payloadFormatIndicator: 1,
    contentType: 'application/json',
    responseTopic: 're/ply,to?',
    correlationData: Buffer.from([0, 255, 1]),
    userProperties: [
      ['k', '1'],
      ['k', '2'],
      ['a', ''],
    ],
  };
  const received = await deliver(a, b, 'properties', (client) => client.publish('properties', '{}', 1, true, properties), 1);
  assert.deepEqual(received[0]!.properties, properties);
  assert.equal(received[0]!.retain, true);
});

test('large payloads cross at every QoS', async () => {
  for (const size of [1_000, 5_000, 70_000, 3_000_000]) {
    const payload = 'z'.repeat(size);
    const publish = (client: TestClient): void => {
      for (const qos of [0, 1, 2] as QoS[]) client.publish('large', payload, qos);
    };
    const received = await deliver(a, b, 'large', publish, 3);
    assert.ok(
      received.every((message) => message.payload === payload),
      `${size} bytes`,
    );
  }
});

test('a broker gets one copy however many of its clients subscribe, and hands it to each', async () => {
  const clients = Array.from({ length: 5 }, () => b.client().subscribe('many/1').subscribe('many/#'));
  await b.network.demandKnown();
  const sent = a.link(b)!.counters.sent;
  a.client().publish('many/1', 'x', 1);
  await until(() => clients.every(({ received }) => received.length === 1), 'all have it');
  assert.equal(a.link(b)!.counters.sent - sent, 1);
  for (const client of clients) {
    client.unsubscribe('many/1');
    client.unsubscribe('many/#');
  }
});

test('what nobody wants over there does not cross, also after the last one has unsubscribed', async () => {
  const subscriber = b.client().subscribe('gone/1');
  await b.network.demandKnown();
  await until(() => a.broker.router.match('gone/1').direct.length === 1, 'known');
  subscriber.unsubscribe('gone/1');
  await until(() => a.broker.router.match('gone/1').direct.length === 0, 'forgotten');
  const sent = a.link(b)!.counters.sent;
  a.client().publish('gone/1', 'x', 1);
  assert.equal(a.link(b)!.counters.sent, sent);
});

test('a message published at the other broker right after the subscription is known is delivered, 200 times of 200', async () => {
  for (let round = 0; round < 200; round++) {
    const subscriber = a.client().subscribe(`barrier/${round}`);
    const known = a.network.demandKnown();
    assert.notEqual(known, null);
    await known;
    b.client().publish(`barrier/${round}`, `${round}`, 1);
    assert.equal(b.broker.router.match(`barrier/${round}`).direct.length, 1, `round ${round}: known at once`);
    await until(() => subscriber.received.length === 1, `round ${round}`);
  }
});

test('nobody waits for a subscription that the other broker knows already', async () => {
  a.client().subscribe('known/1');
  await a.network.demandKnown();
  a.client().subscribe('known/1');
  assert.equal(a.network.demandKnown(), null);
});

test('subscribers of one turn of the event loop wait together', async () => {
  a.client().subscribe('together/1');
  const first = a.network.demandKnown();
  a.client().subscribe('together/2');
  assert.equal(a.network.demandKnown(), first);
  await first;
  for (const topic of ['together/1', 'together/2']) assert.equal(b.broker.router.match(topic).direct.length, 1, topic);
});

test('a broker without links makes nobody wait', async () => {
  const alone = await TestBroker.start();
  alone.client().subscribe('x');
  assert.equal(alone.network.demandKnown(), null);
  await alone.stop();
});

test('QoS is what the publisher gave, also for a message of QoS 2 in between', async () => {
  const publish = (client: TestClient): void => {
    for (const qos of [2, 0, 1, 2, 0] as QoS[]) client.publish('mixed', `${qos}`, qos);
  };
  const received = await deliver(b, a, 'mixed', publish, 5);
  assert.deepEqual(received.map(({ payload, qos }) => [payload, qos]).sort(), [
    ['0', 0],
    ['0', 0],
    ['1', 1],
    ['2', 2],
    ['2', 2],
  ]);
});
