import assert from 'node:assert/strict';
import { mock, type TestContext, test } from 'node:test';
import { type Facts, type Log, silentLog } from '../telemetry/log.ts';
import { BrokerCounters } from './counters.ts';
import { type DestinationPolicy, NO_POLICY } from './destination-policies.ts';
import { Message } from './message.ts';
import { TopicMemory } from './topic-memory.ts';
import { HOLDER_BYTES, MESSAGE_BYTES, Usage, type WaitingPublisher } from './usage.ts';

/** Topics whose names begin with `a` may have 1,000 bytes waiting, others any number. */
function limited(t: TestContext, policy: Partial<DestinationPolicy> = {}) {
  const lines: [message: string, facts: Facts | undefined][] = [];
  const write = (message: string, facts?: Facts): void => void lines.push([message, facts]);
  const log: Log = { ...silentLog, warn: write, info: write };
  const counters = new BrokerCounters();
  const usage = new Usage(counters, log);
  const entry = { ...NO_POLICY, destination: 'a*', memoryLimitBytes: 1_000, ...policy };
  const topics = new TopicMemory(
    (topic) => (topic.startsWith('a') ? entry : topic.startsWith('b') ? NO_POLICY : null),
    counters,
    log,
    () => usage.turned(),
  );
  usage.topics = topics;
  t.after(() => usage.close());
  return { usage, topics, lines, counters };
}

const ofTopic = (topic: string): Message => Message.of(topic, Buffer.alloc(600 - MESSAGE_BYTES - topic.length));

function publisher(topic: string, goOn: () => void): WaitingPublisher {
  return { facts: () => ({ clientId: 'p', topic }), goOn };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('a topic with a limit counts what waits, and is forgotten when nothing does; others are not counted', (t) => {
  const { usage, topics } = limited(t, { memoryLimitBytes: 600 + HOLDER_BYTES });
  const message = ofTopic('a');
  for (const other of ['b', 'c']) usage.holdWaiting(ofTopic(other));
  usage.hold(message);
  assert.equal(topics.size, 0, 'that it is retained or cached is no waiting');
  usage.holdWaiting(message);
  assert.deepEqual([topics.size, usage.isShort], [1, false]);
  usage.holdWaiting(message);
  assert.deepEqual([topics.fullOf('a')?.bytes, topics.fullOf('a2'), usage.isShort], [600 + HOLDER_BYTES, null, true]);
  usage.release(message);
  assert.equal(usage.isShort, true);
  usage.releaseWaiting(message);
  assert.deepEqual([topics.fullOf('a'), usage.isShort, topics.size], [null, false, 1]);
  usage.releaseWaiting(message);
  assert.deepEqual([topics.size, usage.memory.bytes, message.waiters], [0, 2 * 600, 0]);
});

test('who waits for a topic goes on when that topic has room, whatever others have', async (t) => {
  const { usage, topics, counters } = limited(t);
  const held = new Map<string, Message[]>();
  for (const topic of ['a1', 'a2']) {
    held.set(topic, [ofTopic(topic), ofTopic(topic)]);
    for (const message of held.get(topic)!) usage.holdWaiting(message);
  }
  const went: string[] = [];
  for (const topic of ['a1', 'a2']) topics.fullOf(topic)!.wait(publisher(topic, () => went.push(topic)));
  assert.deepEqual([usage.waiting, counters.refusedBy.memoryLimit], [2, 2]);
  usage.releaseWaiting(held.get('a2')![0]!);
  await turn();
  assert.deepEqual([went, usage.waiting, usage.isShort], [['a2'], 1, true]);
  usage.releaseWaiting(held.get('a1')![0]!);
  await turn();
  assert.deepEqual([went, usage.waiting, usage.isShort], [['a2', 'a1'], 0, false]);
});

test('lines in the log come at the interval of the policy, and a topic that fills up again meanwhile is not said anew', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  const { usage, topics, lines } = limited(t, { blockedProducerWarningIntervalMs: 5_000 });
  for (let round = 0; round < 3; round++) {
    const messages = [ofTopic('a'), ofTopic('a')];
    for (const message of messages) usage.holdWaiting(message);
    topics.fullOf('a')!.wait(publisher('a', () => {}));
    for (const message of messages) usage.releaseWaiting(message);
    await turn();
  }
  assert.deepEqual(lines.splice(0), [
    [
      'publishers wait: the memoryLimit of a topic is reached',
      { limit: 'memoryLimit', bytes: 1_200, limitBytes: 1_000, percent: 120, waiting: 1, clientId: 'p', topic: 'a', destination: 'a*' },
    ],
  ]);
  assert.equal(topics.size, 1);
  mock.timers.tick(5_000);
  assert.equal(lines.splice(0)[0]?.[0], 'publishers wait: the memoryLimit of a topic is still reached');
  mock.timers.tick(5_000);
  assert.deepEqual(lines.splice(0), [
    ['publishers do not wait any more', { limit: 'memoryLimit', percent: 0, topic: 'a', destination: 'a*' }],
  ]);
  assert.equal(topics.size, 0);
});

test('with an interval of 0 nothing is said, and the topic is forgotten all the same', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  const { usage, topics, lines } = limited(t, { blockedProducerWarningIntervalMs: 0 });
  const messages = [ofTopic('a'), ofTopic('a')];
  for (const message of messages) usage.holdWaiting(message);
  topics.fullOf('a')!.wait(publisher('a', () => {}));
  for (const message of messages) usage.releaseWaiting(message);
  await turn();
  for (let i = 0; i < 2; i++) mock.timers.tick(30_000);
  assert.deepEqual([lines, topics.size], [[], 0]);
});

test('of all topics together no more are tried at once than of one', (t) => {
  mock.timers.enable({ apis: ['setInterval'] });
  t.after(() => mock.timers.reset());
  const { usage, topics } = limited(t, { blockedProducerWarningIntervalMs: 0 });
  let tries = 0;
  for (let i = 0; i < 120; i++) {
    for (let n = 0; n < 2; n++) usage.holdWaiting(ofTopic(`a${i}`));
    topics.fullOf(`a${i}`)!.wait({ ...publisher('a', () => {}), retry: () => tries++ });
  }
  mock.timers.tick(100);
  assert.equal(tries, 50);
});
