import { beanOf, booleanOf, numberOf, plainAttributes, textOf } from './bean-values.ts';
import type { Bean } from './bind.ts';
import type { DestinationModel, PolicyEntryModel } from './model.ts';
import { readDestinations, readEntryDestinations } from './read-destinations.ts';
import type { Reading } from './reading.ts';

/** Properties that say which destinations an entry is for. */
const DESTINATION_PROPERTIES = ['queue', 'topic', 'tempQueue', 'tempTopic'];

const EVICTION_KINDS = {
  oldestMessageEvictionStrategy: 'oldest',
  oldestMessageWithLowestPriorityEvictionStrategy: 'oldestWithLowestPriority',
  uniquePropertyMessageEvictionStrategy: 'uniqueProperty',
} as const;

const DEAD_LETTER_KINDS = {
  sharedDeadLetterStrategy: 'shared',
  individualDeadLetterStrategy: 'individual',
  discarding: 'discarding',
} as const;

const SLOW_CONSUMER_KINDS = {
  abortSlowConsumerStrategy: 'abortSlow',
  abortSlowAckConsumerStrategy: 'abortSlowAck',
} as const;

/** ActiveMQ's default of how many waiting messages make expired ones go first. */
const EVICT_EXPIRED_HIGH_WATERMARK = 1000;
/** What ActiveMQ puts before the topics of dead letters. */
const DEAD_LETTER_TOPIC_PREFIX = 'ActiveMQ.DLQ.Topic.';
/** ActiveMQ's default share of the prefetch. */
const PREFETCH_MULTIPLIER = 0.5;

/** @param bean the `<policyMap>`; undefined when the file has none */
export function readPolicyEntries(bean: Bean | undefined, reading: Reading): PolicyEntryModel[] {
  const named = new Set<string>();
  return (bean?.beans.get('policyEntries')?.items ?? []).flatMap((entry) => {
    const destinations = readEntryDestinations(entry, reading);
    if (destinations.length === 0 && !entry.values.has('queue') && !entry.values.has('topic') && !entry.beans.has('destination')) {
      reading.error(entry.place, 'policyEntry', '<policyEntry> needs a destination, such as topic=">" or queue="orders.>"');
    }
    for (const { kind, physicalName } of destinations) {
      if (named.has(`${kind}://${physicalName}`)) {
        reading.warn(entry.place, 'policyEntry', `${kind} "${physicalName}" has an entry before this one, which alone has an effect on it`);
      }
      named.add(`${kind}://${physicalName}`);
    }
    return destinations.map((destination) => readEntry(entry, destination, reading));
  });
}

/** The entry for what no other names; its own destination, if it has one, means nothing. */
export function readDefaultEntry(bean: Bean | undefined, reading: Reading): PolicyEntryModel | null {
  const entry = bean === undefined ? undefined : beanOf(bean, 'defaultEntry');
  return entry === undefined ? null : readEntry(entry, { kind: 'topic', physicalName: '>' }, reading);
}

function readEntry(bean: Bean, destination: DestinationModel, reading: Reading): PolicyEntryModel {
  for (const name of ['topicPrefetch', 'durableTopicPrefetch']) checkPrefetch(bean, name, reading);
  return {
    place: bean.place,
    destination,
    attributes: plainAttributes(bean, DESTINATION_PROPERTIES),
    pendingMessageLimitStrategy: readPendingLimit(bean, reading),
    messageEvictionStrategy: readEviction(bean, reading),
    deadLetterStrategy: readDeadLetter(bean, destination, reading),
    slowConsumerStrategy: readSlowConsumer(bean, reading),
  };
}

function checkPrefetch(bean: Bean, name: string, reading: Reading): void {
  const prefetch = numberOf(bean, name, 1);
  const place = bean.values.get(name)?.text.at(0) ?? bean.place;
  if (prefetch < 0) reading.error(place, name, `${name}: expected 1 or more, found ${prefetch}`);
  if (prefetch !== 0) return;
  reading.warn(place, name, `${name}="0" lets JMS clients fetch their messages; MQTT clients cannot, so that it counts as 1 for them`);
}

function readPendingLimit(entry: Bean, reading: Reading): PolicyEntryModel['pendingMessageLimitStrategy'] {
  const bean = beanOf(entry, 'pendingMessageLimitStrategy');
  if (bean === undefined) return null;
  if (bean.name === 'prefetchRatePendingMessageLimitStrategy') {
    const multiplier = numberOf(bean, 'multiplier', PREFETCH_MULTIPLIER);
    if (multiplier >= 0) return { kind: 'prefetchRate', multiplier };
    reading.error(bean.values.get('multiplier')!.text.at(0), 'multiplier', `multiplier: expected 0 or more, found ${multiplier}`);
    return null;
  }
  const limit = numberOf(bean, 'limit', -1);
  if (limit >= -1) return { kind: 'constant', limit };
  reading.error(bean.values.get('limit')!.text.at(0), 'limit', `limit: expected 0 or more, or -1 for no limit, found ${limit}`);
  return null;
}

function readEviction(entry: Bean, reading: Reading): PolicyEntryModel['messageEvictionStrategy'] {
  const bean = beanOf(entry, 'messageEvictionStrategy');
  if (bean === undefined) return null;
  const kind = EVICTION_KINDS[bean.name as keyof typeof EVICTION_KINDS];
  const propertyName = textOf(bean, 'propertyName', '');
  if (kind === 'uniqueProperty' && propertyName === '') {
    reading.error(bean.place, 'propertyName', `<${bean.name}> needs a propertyName`);
  }
  return {
    kind,
    propertyName: propertyName === '' ? null : propertyName,
    evictExpiredMessagesHighWatermark: numberOf(bean, 'evictExpiredMessagesHighWatermark', EVICT_EXPIRED_HIGH_WATERMARK),
  };
}

function readDeadLetter(entry: Bean, destination: DestinationModel, reading: Reading): PolicyEntryModel['deadLetterStrategy'] {
  const bean = beanOf(entry, 'deadLetterStrategy');
  if (bean === undefined) return null;
  const kind = DEAD_LETTER_KINDS[bean.name as keyof typeof DEAD_LETTER_KINDS];
  const topic = kind === 'discarding' ? null : deadLetterTopic(bean, kind, reading);
  if (topic === null && kind !== 'discarding' && destination.kind === 'topic') {
    const instead = kind === 'shared' ? 'a <topic> in deadLetterQueue' : 'useQueueForTopicMessages="false"';
    const message = `dead letters of topics would go to a queue, and there are no queues yet: they are dropped; ${instead} sends them to a topic`;
    reading.warn(bean.place, bean.name, message);
  }
  return { kind, topic, attributes: plainAttributes(bean, ['deadLetterQueue']) };
}

/** null: a queue. */
function deadLetterTopic(bean: Bean, kind: 'shared' | 'individual', reading: Reading): string | null {
  if (kind === 'individual')
    return booleanOf(bean, 'useQueueForTopicMessages', true) ? null : textOf(bean, 'topicPrefix', DEAD_LETTER_TOPIC_PREFIX);
  const inside = bean.beans.get('deadLetterQueue')?.items;
  if (inside !== undefined) return readDestinations(inside, reading).find((found) => found.kind === 'topic')?.physicalName ?? null;
  const written = textOf(bean, 'deadLetterQueue', '');
  return written.startsWith('topic://') ? written.slice('topic://'.length) : null;
}

function readSlowConsumer(entry: Bean, reading: Reading): PolicyEntryModel['slowConsumerStrategy'] {
  const bean = beanOf(entry, 'slowConsumerStrategy');
  if (bean === undefined) return null;
  const checkPeriod = numberOf(bean, 'checkPeriod', 1);
  if (checkPeriod < 1)
    reading.error(bean.values.get('checkPeriod')!.text.at(0), 'checkPeriod', `checkPeriod: expected 1 or more, found ${checkPeriod}`);
  return { kind: SLOW_CONSUMER_KINDS[bean.name as keyof typeof SLOW_CONSUMER_KINDS], attributes: plainAttributes(bean) };
}
