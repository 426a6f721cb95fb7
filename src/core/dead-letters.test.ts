import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../telemetry/log.ts';
import { Broker } from './broker.ts';
import type { DeadLetterRule } from './dead-letters.ts';
import { type DestinationPolicy, NO_POLICY } from './destination-policies.ts';
import { Message, type QoS } from './message.ts';
import { type Subscriber, Subscription } from './subscription.ts';

const SHARED: DeadLetterRule = {
  topic: 'dead',
  isShared: true,
  suffix: '',
  processExpired: true,
  processNonPersistent: false,
  expirationMs: 0,
};

/** A broker and what is published on `dead` and below it. */
function setUp(rule: DeadLetterRule | null, now = { ms: 1_000 }) {
  const broker = new Broker({ id: 'b', name: 'test', log: silentLog, wallNow: () => now.ms });
  const received: Message[] = [];
  const subscriber: Subscriber = {
    id: 'dead letters',
    kind: 'client',
    publisher: { id: 'dead letters', kind: 'client' },
    deliver: (message) => received.push(message.keep()),
  };
  const fields = { group: null, subscriber, qos: 2 as const, noLocal: false, retainAsPublished: false, identifier: 0 };
  broker.subscribe(new Subscription({ filter: 'dead/#', ...fields }));
  const policy: DestinationPolicy = { ...NO_POLICY, deadLetters: rule };
  return {
    broker,
    add: (message: Message, cause: 'expired' | 'discarded') => broker.deadLetters.add(message, policy, cause),
    /** What has come, when all that is due has. */
    news: async () => {
      await Promise.resolve();
      return received.splice(0);
    },
  };
}

const messageOf = (topic: string, qos: QoS = 1) => Message.of(topic, Buffer.from('payload'), qos, true);

test('a message that is not delivered is published on the topic of dead letters, with its cause, and not retained', async () => {
  const { add, news } = setUp(SHARED);
  add(messageOf('a/b'), 'discarded');
  const [dead, ...rest] = await news();
  assert.deepEqual(rest, []);
  assert.deepEqual([dead!.topic, dead!.qos, dead!.retain, dead!.payload.toString(), dead!.expiresAtMs], ['dead', 1, false, 'payload', 0]);
  assert.deepEqual(dead!.properties!.userProperties, [['dlqDeliveryFailureCause', 'discarded: a/b']]);
});

test('what is not delivered to a thousand becomes one dead letter, also when it is read from disk again', async () => {
  const { add, news } = setUp(SHARED);
  const message = messageOf('a');
  for (let i = 0; i < 1_000; i++) add(message, 'discarded');
  assert.equal((await news()).length, 1);
  for (let i = 0; i < 3; i++) {
    const read = messageOf('a');
    read.storedAs = 7;
    add(read, 'expired');
  }
  assert.equal((await news()).length, 1);
});

for (const [rule, qos, cause, expected] of [
  [SHARED, 0, 'discarded', 0],
  [{ ...SHARED, processNonPersistent: true }, 0, 'discarded', 1],
  [SHARED, 2, 'expired', 1],
  [{ ...SHARED, processExpired: false }, 2, 'expired', 0],
  [{ ...SHARED, processExpired: false }, 2, 'discarded', 1],
  [null, 2, 'expired', 0],
] as const) {
  test(`with ${JSON.stringify(rule)} a message of QoS ${qos} that is ${cause} makes ${expected} dead letters`, async () => {
    const { add, news } = setUp(rule);
    add(messageOf('a', qos), cause);
    assert.equal((await news()).length, expected);
  });
}

test('each topic has its own topic of dead letters, which live for so long', async () => {
  const { add, news } = setUp({ ...SHARED, topic: 'dead/', isShared: false, suffix: '/end', expirationMs: 500 });
  add(messageOf('a/b'), 'expired');
  const [dead] = await news();
  assert.deepEqual([dead!.topic, dead!.expiresAtMs], ['dead/a/b/end', 1_500]);
});

test('a dead letter that is not delivered becomes no other', async () => {
  const shared = setUp(SHARED);
  shared.add(messageOf('dead'), 'discarded');
  const individual = setUp({ ...SHARED, topic: 'dead/', isShared: false });
  individual.add(messageOf('dead/a'), 'discarded');
  assert.deepEqual([await shared.news(), await individual.news()], [[], []]);
});

test('a topic that becomes longer than topics may be makes no dead letter', async () => {
  const { add, news } = setUp({ ...SHARED, topic: 'dead/', isShared: false });
  add(messageOf('a'.repeat(65_535)), 'discarded');
  assert.deepEqual(await news(), []);
});
