import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_POLICY } from '../../src/core/destination-policies.ts';
import type { Message } from '../../src/core/message.ts';
import { type Subscriber, Subscription } from '../../src/core/subscription.ts';
import { TopicMemory } from '../../src/core/topic-memory.ts';
import { MEMORY } from '../../src/core/usage.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { linked, staticConnector, TestBroker, until } from '../harness/linked-broker.ts';

const MESSAGES = 300;

/** A subscriber that keeps what it gets, in the memory of its broker, until it is told to let go. */
class Keeper implements Subscriber {
  readonly id = 'keeper';
  readonly kind = 'client';
  readonly publisher = this;
  readonly kept: Message[] = [];
  readonly #at: TestBroker;

  constructor(at: TestBroker, filter = 't') {
    this.#at = at;
    at.broker.subscribe(
      new Subscription({ filter, group: null, subscriber: this, qos: 1, noLocal: false, retainAsPublished: false, identifier: 0 }),
    );
  }

  spaceNeeded(): number {
    return MEMORY;
  }

  deliver(message: Message): void {
    this.#at.broker.usage.holdWaiting(message.keep());
    this.kept.push(message);
  }

  letGo(): void {
    for (const message of this.kept) this.#at.broker.usage.releaseWaiting(message);
  }
}

test('a linked broker is slowed and never refused: what there is no room for is taken, and answered when there is room', async () => {
  const a = await TestBroker.start();
  const b = await TestBroker.start({ connectors: [staticConnector([a.port])] });
  try {
    await linked(a, b);
    const { usage } = b.broker;
    usage.limits = { ...usage.limits, memoryBytes: 50_000 };
    const keeper = new Keeper(b);
    await b.network.demandKnown();
    const client = a.client();
    for (let i = 0; i < MESSAGES; i++) client.publish('t', `${i}`, 1);
    await until(() => keeper.kept.length === MESSAGES, 'all of them');
    assert.equal(usage.memory.isFull, true);
    assert.equal(usage.waiting, 1);
    const unanswered = () => a.network.links()[0]!.outboxMessages;
    await until(() => unanswered() < MESSAGES, 'those within the limit to be answered');
    assert.ok(unanswered() > MESSAGES / 2, `${unanswered()} are not, those beyond it`);
    assert.ok(a.broker.usage.memory.bytes > 0, 'which is memory of the broker that they came from');

    keeper.letGo();
    await until(() => unanswered() === 0, 'the answers');
    assert.equal(a.broker.usage.memory.bytes, 0);
    assert.deepEqual(
      keeper.kept.map(({ payload }) => payload.toString()),
      Array.from({ length: MESSAGES }, (_, i) => `${i}`),
      'each once, in order',
    );
  } finally {
    await a.stop();
    await b.stop();
    b.broker.usage.close();
  }
});

test('a topic at its memoryLimit holds back no answer to a linked broker, whose other topics would wait, too; clients wait for it', async () => {
  const a = await TestBroker.start();
  const b = await TestBroker.start({ connectors: [staticConnector([a.port])] });
  try {
    const { usage, counters } = b.broker;
    usage.topics = new TopicMemory(
      () => ({ ...NO_POLICY, memoryLimitBytes: 50_000 }),
      counters,
      silentLog,
      () => usage.turned(),
    );
    await linked(a, b);
    const keeper = new Keeper(b);
    await b.network.demandKnown();
    const client = a.client();
    for (let i = 0; i < MESSAGES; i++) client.publish('t', `${i}`, 1);
    await until(() => keeper.kept.length === MESSAGES, 'all of them');
    await until(() => a.network.links()[0]!.outboxMessages === 0, 'the answers');
    assert.equal(usage.waiting, 0);
    assert.equal(b.broker.shortage('t', 1, false)?.name, 'memoryLimit');
    assert.equal(b.broker.shortage('other', 1, false), null);
    keeper.letGo();
    assert.deepEqual([usage.isShort, usage.topics.size, usage.memory.bytes], [false, 0, 0]);
  } finally {
    await a.stop();
    await b.stop();
    b.broker.usage.close();
  }
});

test('two linked brokers whose memory is full of what they wait for each other’s answers to come free again', async () => {
  const a = await TestBroker.start();
  const b = await TestBroker.start({ connectors: [staticConnector([a.port])] });
  try {
    await linked(a, b);
    const sides = [
      { at: a, topic: 'at b', keeper: new Keeper(a, 'at a') },
      { at: b, topic: 'at a', keeper: new Keeper(b, 'at b') },
    ];
    for (const { at } of sides) at.broker.usage.limits = { ...at.broker.usage.limits, memoryBytes: 20_000 };
    for (const { at } of sides) await at.network.demandKnown();
    for (const { at, topic } of sides) {
      const client = at.client();
      for (let i = 0; i < MESSAGES; i++) client.publish(topic, `${i}`, 1);
    }
    await until(() => sides.every(({ keeper }) => keeper.kept.length === MESSAGES), 'all of them');
    await until(() => sides.every(({ at }) => at.broker.counters.refusedBy.memoryUsage > 0), 'both to wait');
    for (const { keeper } of sides) keeper.letGo();
    await until(() => sides.every(({ at }) => at.network.links()[0]!.outboxMessages === 0), 'the answers');
    assert.deepEqual(
      sides.map(({ at }) => at.broker.usage.memory.bytes),
      [0, 0],
    );
  } finally {
    await a.stop();
    await b.stop();
    for (const { broker } of [a, b]) broker.usage.close();
  }
});
