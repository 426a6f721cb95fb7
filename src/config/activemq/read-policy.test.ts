import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brokerFile, readText, saidOfBroker } from '../../../test/harness/activemq-file.ts';
import { formatDiagnostic } from '../diagnostic.ts';
import type { PolicyEntryModel } from './model.ts';

const policy = (entries: string, rest = '') =>
  `<destinationPolicy><policyMap><policyEntries>\n${entries}</policyEntries>${rest}</policyMap></destinationPolicy>`;

function readAll(entries: string): readonly PolicyEntryModel[] {
  const { model, diagnostics } = readText(brokerFile(policy(entries)));
  assert.deepEqual(diagnostics, []);
  return model!.policyEntries;
}

function saidOf(entries: string): string[] {
  return saidOfBroker(policy(entries)).map((line) => line.replace('broker.xml:', ''));
}

const EMPTY = {
  attributes: {},
  pendingMessageLimitStrategy: null,
  messageEvictionStrategy: null,
  deadLetterStrategy: null,
  slowConsumerStrategy: null,
};

test('an entry is for a queue, a topic, all temporary ones, or a destination inside', () => {
  const destinations =
    readAll(`<policyEntry topic="a.>"/><policyEntry queue="queue://q.*"/><policyEntry tempTopic="true"/><policyEntry tempQueue="true"/>
    <policyEntry><destination><topic physicalName="topic://t"/></destination></policyEntry>`).map(({ destination }) => destination);
  assert.deepEqual(destinations, [
    { kind: 'topic', physicalName: 'a.>' },
    { kind: 'queue', physicalName: 'q.*' },
    { kind: 'tempTopic', physicalName: '>' },
    { kind: 'tempQueue', physicalName: '>' },
    { kind: 'topic', physicalName: 't' },
  ]);
});

test('a name with commas makes an entry for each', () => {
  const entries = readAll('<policyEntry topic="a, b.>" producerFlowControl="false"/>');
  const place = { file: 'broker.xml', line: 3, column: 1 };
  assert.deepEqual(entries, [
    { ...EMPTY, place, destination: { kind: 'topic', physicalName: 'a' }, attributes: { producerFlowControl: false } },
    { ...EMPTY, place, destination: { kind: 'topic', physicalName: 'b.>' }, attributes: { producerFlowControl: false } },
  ]);
});

test('plain attributes are typed', () => {
  const [entry] = readAll(
    '<policyEntry topic=">" producerFlowControl="true" topicPrefetch="100" sendFailIfNoSpace="false" expireMessagesPeriod="3000"/>',
  );
  assert.deepEqual(entry!.attributes, {
    producerFlowControl: true,
    topicPrefetch: 100,
    sendFailIfNoSpace: false,
    expireMessagesPeriod: 3000,
  });
});

test('strategies are read with their defaults', () => {
  const inside = (property: string, element: string) => `<policyEntry topic=">"><${property}>${element}</${property}></policyEntry>`;
  const one = (property: string, element: string) => readAll(inside(property, element))[0]!;
  assert.deepEqual(one('pendingMessageLimitStrategy', '<constantPendingMessageLimitStrategy limit="0"/>').pendingMessageLimitStrategy, {
    kind: 'constant',
    limit: 0,
  });
  assert.deepEqual(one('pendingMessageLimitStrategy', '<constantPendingMessageLimitStrategy/>').pendingMessageLimitStrategy, {
    kind: 'constant',
    limit: -1,
  });
  assert.deepEqual(one('pendingMessageLimitStrategy', '<prefetchRatePendingMessageLimitStrategy/>').pendingMessageLimitStrategy, {
    kind: 'prefetchRate',
    multiplier: 0.5,
  });
  assert.deepEqual(
    one('pendingMessageLimitStrategy', '<prefetchRatePendingMessageLimitStrategy multiplier="2.5"/>').pendingMessageLimitStrategy,
    { kind: 'prefetchRate', multiplier: 2.5 },
  );
  assert.deepEqual(one('messageEvictionStrategy', '<oldestMessageEvictionStrategy/>').messageEvictionStrategy, {
    kind: 'oldest',
    propertyName: null,
    evictExpiredMessagesHighWatermark: 1000,
  });
  assert.deepEqual(
    one('messageEvictionStrategy', '<oldestMessageWithLowestPriorityEvictionStrategy evictExpiredMessagesHighWatermark="5"/>')
      .messageEvictionStrategy,
    { kind: 'oldestWithLowestPriority', propertyName: null, evictExpiredMessagesHighWatermark: 5 },
  );
  assert.deepEqual(
    one('messageEvictionStrategy', '<uniquePropertyMessageEvictionStrategy propertyName="STOCK"/>').messageEvictionStrategy,
    { kind: 'uniqueProperty', propertyName: 'STOCK', evictExpiredMessagesHighWatermark: 1000 },
  );
  assert.deepEqual(
    one('deadLetterStrategy', '<individualDeadLetterStrategy topicPrefix="DLQ." useQueueForTopicMessages="false"/>').deadLetterStrategy,
    { kind: 'individual', topic: 'DLQ.', attributes: { topicPrefix: 'DLQ.', useQueueForTopicMessages: false } },
  );
  assert.deepEqual(
    one(
      'deadLetterStrategy',
      '<sharedDeadLetterStrategy processExpired="false"><deadLetterQueue><topic physicalName="DEAD"/></deadLetterQueue></sharedDeadLetterStrategy>',
    ).deadLetterStrategy,
    { kind: 'shared', topic: 'DEAD', attributes: { processExpired: false } },
  );
  assert.deepEqual(one('deadLetterStrategy', '<discarding/>').deadLetterStrategy, { kind: 'discarding', topic: null, attributes: {} });
  assert.deepEqual(one('slowConsumerStrategy', '<abortSlowConsumerStrategy maxSlowDuration="10000"/>').slowConsumerStrategy, {
    kind: 'abortSlow',
    attributes: { maxSlowDuration: 10_000 },
  });
  assert.deepEqual(one('slowConsumerStrategy', '<abortSlowAckConsumerStrategy maxTimeSinceLastAck="1000"/>').slowConsumerStrategy, {
    kind: 'abortSlowAck',
    attributes: { maxTimeSinceLastAck: 1000 },
  });
});

test('the default entry is apart, with or without a destination of its own', () => {
  for (const attribute of ['', ' topic=">"']) {
    const { model, diagnostics } = readText(
      brokerFile(policy('', `<defaultEntry><policyEntry${attribute} producerFlowControl="false"/></defaultEntry>`)),
    );
    assert.deepEqual(diagnostics, []);
    assert.deepEqual(model!.policyEntries, []);
    assert.deepEqual(model!.defaultPolicyEntry!.attributes, { producerFlowControl: false });
  }
});

test('the policy map may be left out', () => {
  const { model, diagnostics } = readText(
    brokerFile('<destinationPolicy><policyEntries><policyEntry topic="a"/></policyEntries></destinationPolicy>'),
  );
  assert.deepEqual(diagnostics, []);
  assert.deepEqual(model!.policyEntries[0]!.destination, { kind: 'topic', physicalName: 'a' });
});

for (const [entry, expected] of [
  ['<policyEntry/>', '3:1: error: <policyEntry> needs a destination, such as topic=">" or queue="orders.>"'],
  ['<policyEntry topic="a" queue="b"/>', '3:1: error: <policyEntry> is for one destination: give queue or topic, not both'],
  ['<policyEntry topic=""/>', '3:21: error: topic: a destination needs a name'],
  ['<policyEntry topic="a,"/>', '3:23: error: topic: a destination needs a name'],
  ['<policyEntry topic="queue://a"/>', '3:21: error: "queue://a" is a queue, expected a topic'],
  [
    '<policyEntry topic="a.>.b"/>',
    '3:23: warning: ">" means this level and all below it, at the end of a name only; "*" stands for one level',
  ],
  [
    '<policyEntry topic="a"/><policyEntry queue="a"/><policyEntry topic="b,a"/>',
    '3:49: warning: topic "a" has an entry before this one, which alone has an effect on it',
  ],
  ['<policyEntry topic="a?consumer.prefetchSize=1"/>', '3:22: warning: options behind a destination name have no effect here'],
  [
    '<policyEntry topic=">" storeUsageHighWaterMark="90"/>',
    '3:24: warning: storeUsageHighWaterMark: in ActiveMQ it is the share of the store limit at which it counts as reached; it counts as reached when it is, so it has no effect',
  ],
  [
    '<policyEntry topic=">" memoryLimits="1mb"/>',
    '3:24: error: unknown attribute memoryLimits of <policyEntry>: it is none of the 67 that docs/reference/activemq-xml.md lists; did you mean memoryLimit?',
  ],
  ['<policyEntry topic=">" topicPrefetch="1.5"/>', '3:39: error: topicPrefetch: expected a whole number, found "1.5"'],
  [
    '<policyEntry topic=">" optimizedDispatch="true"/>',
    "3:24: warning: optimizedDispatch: in ActiveMQ it tunes the destination's threads; there are no Java threads here, so it has no effect",
  ],
  [
    '<policyEntry topic=">"><deadLetterStrategy><sharedDeadLetterStrategy/></deadLetterStrategy></policyEntry>',
    '3:44: warning: dead letters of topics would go to a queue, and there are no queues yet: they are dropped; a <topic> in deadLetterQueue sends them to a topic',
  ],
  [
    '<policyEntry topic=">"><deadLetterStrategy><individualDeadLetterStrategy/></deadLetterStrategy></policyEntry>',
    '3:44: warning: dead letters of topics would go to a queue, and there are no queues yet: they are dropped; useQueueForTopicMessages="false" sends them to a topic',
  ],
  ['<policyEntry topic=">" topicPrefetch="-1"/>', '3:39: error: topicPrefetch: expected 1 or more, found -1'],
  [
    '<policyEntry topic=">" durableTopicPrefetch="0"/>',
    '3:46: warning: durableTopicPrefetch="0" lets JMS clients fetch their messages; MQTT clients cannot, so that it counts as 1 for them',
  ],
  [
    '<policyEntry topic=">"><slowConsumerStrategy><abortSlowConsumerStrategy checkPeriod="0"/></slowConsumerStrategy></policyEntry>',
    '3:86: error: checkPeriod: expected 1 or more, found 0',
  ],
  [
    '<policyEntry topic=">" maxDestinations="10"/>',
    '3:24: warning: maxDestinations: in ActiveMQ it bounds the number of destinations; a topic is nothing that exists by itself: subscriptions and retained messages have limits of their own, so it has no effect',
  ],
  [
    '<policyEntry topic=">"><pendingMessageLimitStrategy><constantPendingMessageLimitStrategy limit="-2"/></pendingMessageLimitStrategy></policyEntry>',
    '3:97: error: limit: expected 0 or more, or -1 for no limit, found -2',
  ],
  [
    '<policyEntry topic=">"><pendingMessageLimitStrategy><prefetchRatePendingMessageLimitStrategy multiplier="lots"/></pendingMessageLimitStrategy></policyEntry>',
    '3:106: error: multiplier: expected a number, found "lots"',
  ],
  [
    '<policyEntry topic=">"><messageEvictionStrategy><uniquePropertyMessageEvictionStrategy/></messageEvictionStrategy></policyEntry>',
    '3:49: error: <uniquePropertyMessageEvictionStrategy> needs a propertyName',
  ],
  [
    '<policyEntry topic=">"><pendingMessageLimitStrategy/></policyEntry>',
    '3:24: warning: <pendingMessageLimitStrategy> is empty: expected <constantPendingMessageLimitStrategy> or <prefetchRatePendingMessageLimitStrategy>',
  ],
  [
    '<policyEntry topic=">"><pendingMessageLimitStrategy limit="5"/></policyEntry>',
    '3:53: error: <pendingMessageLimitStrategy> takes no attributes: expected <constantPendingMessageLimitStrategy> or <prefetchRatePendingMessageLimitStrategy> inside it',
  ],
  [
    '<policyEntry topic=">"><dispatchPolicy><strictOrderDispatchPolicy/></dispatchPolicy></policyEntry>',
    '3:24: warning: <dispatchPolicy>: in ActiveMQ it says in which order subscribers get a message; every subscriber of a topic gets it in the order of arrival, so it has no effect',
  ],
  [
    '<policyEntry topic=">"><subscriptionRecoveryPolicy><timedSubscriptionRecoveryPolicy recoverDuration="360000"/></subscriptionRecoveryPolicy></policyEntry>',
    '3:24: warning: <subscriptionRecoveryPolicy>: in ActiveMQ it gives late subscribers earlier messages; MQTT has retained messages instead, which are always there, so it has no effect',
  ],
] as const) {
  test(`${entry.slice(0, 80)} gets its message`, () => {
    assert.deepEqual(saidOf(entry), [expected]);
  });
}

test('a value that is none is wrong, also where it has no effect', () => {
  const [, fault] = saidOf('<policyEntry topic=">" maxDestinations="many"/>');
  assert.equal(fault, '3:41: error: maxDestinations: expected a whole number, found "many"');
  assert.deepEqual(saidOf('<policyEntry topic=">" memoryLimit="1tb"/>'), [
    '3:37: error: memoryLimit: unit must be b, kb, mb or gb, found "tb"',
  ]);
});

test('destinations are there from the start', () => {
  const { model } = readText(brokerFile('<destinations><queue physicalName="FOO.BAR"/><topic physicalName="SOME.TOPIC"/></destinations>'));
  assert.deepEqual(model!.destinations, [
    { kind: 'queue', physicalName: 'FOO.BAR' },
    { kind: 'topic', physicalName: 'SOME.TOPIC' },
  ]);
  assert.deepEqual(readText(brokerFile('<destinations>\n<queue/></destinations>')).diagnostics.map(formatDiagnostic), [
    'broker.xml:3:1: error: <queue> needs a physicalName',
  ]);
});
