import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brokerFile, readText } from '../../test/harness/activemq-file.ts';
import { type DestinationPolicies, type DestinationPolicy, NO_POLICY } from '../core/destination-policies.ts';
import { destinationPolicies } from './destination-policies.ts';

function policiesOf(entries: string, rest = ''): DestinationPolicies {
  const { model, diagnostics } = readText(
    brokerFile(`<destinationPolicy><policyMap><policyEntries>${entries}</policyEntries>${rest}</policyMap></destinationPolicy>`),
  );
  assert.deepEqual(diagnostics, []);
  return destinationPolicies(model!);
}

test("a file's entries are for MQTT's topics: . stands for /, * for one level, > for all below", () => {
  const policies = policiesOf('<policyEntry topic=">"/><policyEntry topic="orders.*"/><policyEntry topic="a/b.c"/>');
  assert.equal(policies.of('orders/1')!.destination, 'orders.*');
  assert.equal(policies.of('orders/1/2')!.destination, '>');
  assert.equal(policies.of('a.b/c')!.destination, 'a/b.c');
});

test('a name with commas is an entry for each', () => {
  const policies = policiesOf('<policyEntry topic="a,b.>"/>');
  assert.equal(policies.of('a')!.destination, 'a');
  assert.equal(policies.of('b/c')!.destination, 'b.>');
  assert.equal(policies.of('c'), null);
});

test('entries for queues and temporary destinations say nothing about topics', () => {
  assert.equal(policiesOf('<policyEntry queue=">"/><policyEntry tempTopic="true"/>').of('a'), null);
});

test('the default entry is for topics that no other names', () => {
  const policies = policiesOf('<policyEntry topic="a"/>', '<defaultEntry><policyEntry/></defaultEntry>');
  assert.equal(policies.of('a')!.destination, 'a');
  assert.equal(policies.of('b')!.destination, '>');
});

function policyOf(attributes: string, inside = ''): DestinationPolicy {
  return policiesOf(`<policyEntry topic=">"${attributes}>${inside}</policyEntry>`).of('a')!;
}

test('an entry that asks for nothing bounds nothing', () => {
  assert.deepEqual(policyOf(''), { ...NO_POLICY, evictExpiredMessagesHighWatermark: 1_000, expireMessagesPeriodMs: 30_000 });
  assert.equal(policyOf(' expireMessagesPeriod="0"').expireMessagesPeriodMs, Number.POSITIVE_INFINITY);
  assert.equal(policyOf(' expireMessagesPeriod="5000"').expireMessagesPeriodMs, 5_000);
});

test('a pending limit is a number, or a share of the prefetch', () => {
  const both = (strategy: string, attributes = '') => {
    const policy = policyOf(attributes, `<pendingMessageLimitStrategy>${strategy}</pendingMessageLimitStrategy>`);
    return [policy.pendingMessageLimit, policy.owedMessageLimit];
  };
  const limit = (strategy: string, attributes = '') => both(strategy, attributes)[0];
  assert.deepEqual(both('<constantPendingMessageLimitStrategy limit="1000"/>'), [1_000, 33_767]);
  assert.deepEqual(both('<constantPendingMessageLimitStrategy limit="1000"/>', ' topicPrefetch="50"'), [1_000, 1_050]);
  assert.equal(limit('<constantPendingMessageLimitStrategy limit="1000"/>'), 1_000);
  assert.equal(limit('<constantPendingMessageLimitStrategy limit="0"/>'), 0);
  assert.equal(limit('<constantPendingMessageLimitStrategy limit="-1"/>'), Number.POSITIVE_INFINITY);
  assert.equal(limit('<prefetchRatePendingMessageLimitStrategy/>'), 16_383);
  assert.equal(limit('<prefetchRatePendingMessageLimitStrategy multiplier="2.5"/>', ' topicPrefetch="101"'), 252);
});

test('an eviction strategy says what goes first', () => {
  const eviction = (strategy: string) => {
    const { uniqueProperty, evictExpiredMessagesHighWatermark } = policyOf(
      '',
      `<messageEvictionStrategy>${strategy}</messageEvictionStrategy>`,
    );
    return [uniqueProperty, evictExpiredMessagesHighWatermark];
  };
  assert.deepEqual(eviction('<oldestMessageEvictionStrategy evictExpiredMessagesHighWatermark="5"/>'), [null, 5]);
  assert.deepEqual(eviction('<oldestMessageWithLowestPriorityEvictionStrategy/>'), [null, 1_000]);
  assert.deepEqual(eviction('<uniquePropertyMessageEvictionStrategy propertyName="device"/>'), ['device', 1_000]);
});

test('publishers wait or are refused as the entry says', () => {
  const { producerFlowControl, sendFailIfNoSpace } = policyOf(' producerFlowControl="false" sendFailIfNoSpace="true"');
  assert.deepEqual([producerFlowControl, sendFailIfNoSpace], [false, true]);
});

test('waiting publishers are bounded by the memory of their topic and in time; 0 and less lift a bound of memory', () => {
  const waiting = (attributes: string) => {
    const { memoryLimitBytes, sendFailIfNoSpaceAfterTimeoutMs, blockedProducerWarningIntervalMs } = policyOf(attributes);
    return [memoryLimitBytes, sendFailIfNoSpaceAfterTimeoutMs, blockedProducerWarningIntervalMs];
  };
  assert.deepEqual(waiting(''), [Number.POSITIVE_INFINITY, null, 30_000]);
  assert.deepEqual(waiting(' memoryLimit="1 mb" sendFailIfNoSpaceAfterTimeout="5000" blockedProducerWarningInterval="99999999999"'), [
    1024 * 1024,
    5_000,
    2 ** 31 - 1,
  ]);
  assert.deepEqual(waiting(' memoryLimit="0" sendFailIfNoSpaceAfterTimeout="0" blockedProducerWarningInterval="0"'), [
    Number.POSITIVE_INFINITY,
    0,
    0,
  ]);
  assert.deepEqual(waiting(' sendFailIfNoSpaceAfterTimeout="-1" blockedProducerWarningInterval="-1"'), [Number.POSITIVE_INFINITY, null, 0]);
});

test('prefetches bound what is in flight', () => {
  const { topicPrefetch, durableTopicPrefetch } = policyOf(' topicPrefetch="7" durableTopicPrefetch="3"');
  assert.deepEqual([topicPrefetch, durableTopicPrefetch], [7, 3]);
});

test('slow consumer strategies have the defaults of ActiveMQ, where 0 and less lift a bound', () => {
  const strategy = (element: string) => policyOf('', `<slowConsumerStrategy>${element}</slowConsumerStrategy>`).slowConsumerStrategy;
  assert.deepEqual(strategy('<abortSlowConsumerStrategy/>'), {
    kind: 'abortSlow',
    checkPeriodMs: 30_000,
    maxSlowDurationMs: 30_000,
    maxSlowCount: Number.POSITIVE_INFINITY,
    maxTimeSinceLastAckMs: 30_000,
  });
  assert.deepEqual(
    strategy('<abortSlowAckConsumerStrategy checkPeriod="1000" maxSlowDuration="-1" maxSlowCount="4" maxTimeSinceLastAck="5000"/>'),
    {
      kind: 'abortSlowAck',
      checkPeriodMs: 1_000,
      maxSlowDurationMs: Number.POSITIVE_INFINITY,
      maxSlowCount: 4,
      maxTimeSinceLastAckMs: 5_000,
    },
  );
});

test('dead letters go to topics where the file names some, else nowhere', () => {
  const rule = (strategy: string) => policyOf('', `<deadLetterStrategy>${strategy}</deadLetterStrategy>`).deadLetters;
  const defaults = { suffix: '', processExpired: true, processNonPersistent: false, expirationMs: 0 };
  assert.deepEqual(rule('<discarding/>'), null);
  assert.deepEqual(rule('<individualDeadLetterStrategy useQueueForTopicMessages="false"/>'), {
    ...defaults,
    topic: 'ActiveMQ/DLQ/Topic/',
    isShared: false,
  });
  assert.deepEqual(
    rule(
      '<sharedDeadLetterStrategy processExpired="false" processNonPersistent="true" expiration="5000"><deadLetterQueue><topic physicalName="dead.letters"/></deadLetterQueue></sharedDeadLetterStrategy>',
    ),
    { topic: 'dead/letters', isShared: true, suffix: '', processExpired: false, processNonPersistent: true, expirationMs: 5_000 },
  );
});

test('advisories are those that the entry asks for', () => {
  assert.equal(policyOf('').advisories, null);
  assert.equal(policyOf(' advisoryForSlowConsumers="false"').advisories, null);
  assert.equal(policyOf(' includeBodyForAdvisory="true"').advisories, null, 'it asks for none by itself');
  const none = {
    forDelivery: false,
    forConsumed: false,
    forDiscardingMessages: false,
    forSlowConsumers: false,
    forFastProducers: false,
    whenFull: false,
    ifNoConsumers: false,
    includeBody: false,
  };
  const slowOrFull = policyOf(' advisoryForSlowConsumers="true" advisoryWhenFull="true"').advisories;
  assert.deepEqual(slowOrFull, { ...none, forSlowConsumers: true, whenFull: true });
  const each = policyOf(' advisoryForDelivery="true" advisoryForConsumed="true" includeBodyForAdvisory="true"').advisories;
  assert.deepEqual(each, { ...none, forDelivery: true, forConsumed: true, includeBody: true });
});
