import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../telemetry/log.ts';
import type { AdvisoryRule } from './advisories.ts';
import { Broker } from './broker.ts';
import { DestinationPolicies, NO_POLICY } from './destination-policies.ts';
import { Message, type QoS } from './message.ts';
import { type Subscriber, Subscription } from './subscription.ts';

const ALL: AdvisoryRule = {
  forDelivery: true,
  forConsumed: true,
  forDiscardingMessages: true,
  forSlowConsumers: true,
  forFastProducers: true,
  whenFull: true,
  ifNoConsumers: true,
  includeBody: false,
};
const NONE: AdvisoryRule = {
  forDelivery: false,
  forConsumed: false,
  forDiscardingMessages: false,
  forSlowConsumers: false,
  forFastProducers: false,
  whenFull: false,
  ifNoConsumers: false,
  includeBody: false,
};

/** A broker whose topics all have the rule, and what comes by the filters. */
function setUp(advisories: AdvisoryRule | null, filters: readonly string[], kind: 'client' | 'peer' = 'client') {
  const policy = { ...NO_POLICY, advisories };
  const broker = new Broker({ id: 'ID:b', name: 'test', log: silentLog, policies: new DestinationPolicies([['#', policy]], null) });
  const received: Message[] = [];
  const subscriber: Subscriber = {
    id: 's',
    kind,
    publisher: { id: 's', kind },
    deliver: (message) => received.push(message.keep()),
  };
  for (const filter of filters) {
    broker.subscribe(
      new Subscription({ filter, group: null, subscriber, qos: 2, noLocal: false, retainAsPublished: false, identifier: 0 }),
    );
  }
  return {
    broker,
    discard: (topic: string, count = 1) => broker.advisories.discarded(topic, policy, 'slow', 'a/#', count),
    slow: (topic: string) => broker.advisories.slowConsumer(topic, policy, 'slow', 'a/#'),
    publish: (topic: string, qos: QoS = 0) => broker.publish(Message.of(topic, Buffer.from('payload'), qos)),
    /** What has come, when all that is due has. */
    news: async () => {
      await Promise.resolve();
      return received.splice(0);
    },
  };
}

const topicsOf = (messages: readonly Message[]) => messages.map(({ topic }) => topic);

test('an advisory is an event of QoS 0 on the topic of its kind and what it is about, and says the same in properties and in JSON', async () => {
  const { broker, discard, news } = setUp(ALL, ['ActiveMQ/Advisory/#']);
  discard('a/b', 7);
  const [advisory, ...rest] = await news();
  assert.deepEqual(rest, []);
  const { topic, qos, retain, payload, properties } = advisory!;
  assert.deepEqual([topic, qos, retain], ['ActiveMQ/Advisory/MessageDiscarded/Topic/a/b', 0, false]);
  const said = {
    originBrokerId: broker.id,
    originBrokerName: 'test',
    consumerId: 'slow',
    subscription: 'a/#',
    discardedCount: 7,
    orignalDestination: 'a/b',
  };
  assert.deepEqual(JSON.parse(payload.toString()), said);
  assert.deepEqual(Object.fromEntries(properties!.userProperties), { ...said, discardedCount: '7' });
  assert.deepEqual([properties!.contentType, properties!.payloadFormatIndicator], ['application/json', 1]);
});

for (const [filters, expected] of [
  [['#'], 0],
  [['+/#'], 0],
  [['+/Advisory/#'], 0],
  [['ActiveMQ/#'], 1],
  [['ActiveMQ/Advisory/MessageDiscarded/Topic/+'], 1],
  [['ActiveMQ/Advisory/SlowConsumer/#'], 0],
  [['#', 'ActiveMQ/Advisory/#', '+/+/MessageDiscarded/#'], 1],
] as const) {
  test(`who has subscribed to ${filters.join(' and ')} gets ${expected} advisories of a discarded message`, async () => {
    const { discard, news } = setUp(ALL, filters);
    discard('a');
    assert.equal((await news()).length, expected);
  });
}

test('a policy that does not ask for an advisory, and one that asks for none, make none', async () => {
  for (const rule of [null, NONE]) {
    const { broker, discard, slow, publish, news } = setUp(rule, ['ActiveMQ/#']);
    discard('a');
    slow('a');
    publish('a');
    broker.advisories.full('a', broker.usage.memory, 'p');
    assert.deepEqual(await news(), []);
  }
});

test('nothing is advised about advisories, nor to linked brokers', async () => {
  const { discard, slow, publish, news } = setUp(ALL, ['ActiveMQ/Advisory/NoConsumer/#', 'ActiveMQ/Advisory/+/Topic/ActiveMQ/#']);
  const advisory = 'ActiveMQ/Advisory/FULL/Topic/a';
  discard(advisory);
  slow(advisory);
  publish(advisory);
  assert.deepEqual(await news(), []);
  const linked = setUp(ALL, ['ActiveMQ/#'], 'peer');
  linked.discard('a');
  assert.deepEqual(await linked.news(), []);
});

test('a publisher that waits is told of as fast, and the limit as full', async () => {
  const { broker, news } = setUp(ALL, ['ActiveMQ/Advisory/#']);
  broker.advisories.full('a', { name: 'storeUsage', bytes: 1_000 }, 'p');
  const advisories = await news();
  assert.deepEqual(topicsOf(advisories), ['ActiveMQ/Advisory/FULL/Topic/a', 'ActiveMQ/Advisory/FastProducer/Topic/a']);
  const [full, fast] = advisories.map(({ payload }) => JSON.parse(payload.toString()));
  assert.deepEqual([full.usageName, full.usageCount, fast.producerId], ['storeUsage', 1_000, 'p']);
});

test('a message of QoS 0 that nobody gets is published as an advisory', async () => {
  const { broker, publish, news } = setUp(ALL, ['ActiveMQ/Advisory/NoConsumer/#', 'wanted']);
  publish('wanted');
  assert.deepEqual(topicsOf(await news()), ['wanted']);
  publish('stored', 1);
  broker.publishOwn(Message.of('$SYS/broker/x', Buffer.from('1'), 0, true));
  assert.deepEqual(await news(), []);
  publish('nobody');
  const [advisory] = await news();
  assert.deepEqual([advisory!.topic, advisory!.payload.toString()], ['ActiveMQ/Advisory/NoConsumer/Topic/nobody', 'payload']);
  assert.equal(new Map(advisory!.properties!.userProperties).get('orignalDestination'), 'nobody');
});

test('one turn makes so many advisories at the most, and a topic that becomes too long none', async () => {
  const { discard, news } = setUp(ALL, ['ActiveMQ/#']);
  for (let count = 1; count <= 5_000; count++) discard('a', count);
  assert.equal((await news()).length, 1_000);
  discard('a'.repeat(65_535));
  assert.deepEqual(await news(), []);
  discard('a', 5_001);
  assert.equal((await news()).length, 1);
});

test('an advisory of a message that was delivered or consumed carries it where that is asked for, and what it says otherwise', async () => {
  const policy = { ...NO_POLICY, advisories: { ...NONE, forDelivery: true, forConsumed: true } };
  for (const includeBody of [false, true]) {
    const { broker, news } = setUp({ ...policy.advisories, includeBody }, ['ActiveMQ/Advisory/#']);
    const message = Message.of('a/b', Buffer.from('body'), 1);
    broker.advisories.delivered(message, { ...policy, advisories: { ...policy.advisories, includeBody } }, 'c', 'a/#');
    broker.advisories.consumed(message, 'c');
    const [delivered, consumed, ...rest] = await news();
    assert.deepEqual(rest, []);
    assert.equal(delivered!.topic, 'ActiveMQ/Advisory/MessageDelivered/Topic/a/b');
    assert.equal(consumed!.topic, 'ActiveMQ/Advisory/MessageConsumed/Topic/a/b');
    for (const advisory of [delivered!, consumed!]) {
      const { consumerId } = Object.fromEntries(advisory.properties!.userProperties);
      assert.equal(consumerId, 'c');
      const text = advisory.payload.toString();
      if (includeBody) assert.equal(text, 'body');
      else assert.equal(JSON.parse(text).orignalDestination, 'a/b');
    }
  }
});
