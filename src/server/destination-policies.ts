import type { BrokerModel, PolicyEntryModel } from '../config/activemq/model.ts';
import type { AdvisoryRule } from '../core/advisories.ts';
import type { DeadLetterRule } from '../core/dead-letters.ts';
import { DestinationPolicies, type DestinationPolicy } from '../core/destination-policies.ts';
import type { SlowConsumerStrategy } from '../core/slow-consumers.ts';
import { WARNING_INTERVAL_MS } from '../core/usage.ts';
import { swapName } from '../protocols/openwire/destination.ts';

/** Messages that ActiveMQ sends a topic's subscriber ahead of its acknowledgements, unless the file says otherwise. */
const TOPIC_PREFETCH = 32_767;

/** ActiveMQ's default of how many waiting messages make expired ones go first. */
const EVICT_EXPIRED_HIGH_WATERMARK = 1_000;

/** ActiveMQ's default of how often expired messages are looked for. */
export const EXPIRE_MESSAGES_PERIOD_MS = 30_000;

/** ActiveMQ's default of the times of `slowConsumerStrategy`, in milliseconds. */
const SLOW_CONSUMER_MS = 30_000;

/** The longest that a timer of Node waits, in milliseconds. */
const TIMER_MS_MAX = 2 ** 31 - 1;

type AttributeValue = string | number | boolean | undefined;

/** The file's policy entries for topics. Those for queues say nothing about them, and there are no temporary topics. */
export function destinationPolicies({ policyEntries, defaultPolicyEntry }: BrokerModel): DestinationPolicies {
  const forTopics = policyEntries.filter(({ destination }) => destination.kind === 'topic');
  return new DestinationPolicies(
    forTopics.map((entry) => [swapName(entry.destination.physicalName), policyOf(entry)]),
    defaultPolicyEntry === null ? null : policyOf(defaultPolicyEntry),
  );
}

function policyOf(entry: PolicyEntryModel): DestinationPolicy {
  const { messageEvictionStrategy: eviction, attributes } = entry;
  const { topicPrefetch, durableTopicPrefetch, producerFlowControl, sendFailIfNoSpace, sendFailIfNoSpaceAfterTimeout } = attributes;
  const limit = pendingMessageLimit(entry);
  return {
    destination: entry.destination.physicalName,
    pendingMessageLimit: limit,
    // In ActiveMQ the limit begins behind the prefetch, which acknowledgements make room in.
    owedMessageLimit: limit + Number(topicPrefetch ?? TOPIC_PREFETCH),
    uniqueProperty: eviction?.kind === 'uniqueProperty' ? eviction.propertyName : null,
    evictExpiredMessagesHighWatermark: eviction?.evictExpiredMessagesHighWatermark ?? EVICT_EXPIRED_HIGH_WATERMARK,
    topicPrefetch: prefetchOf(topicPrefetch),
    durableTopicPrefetch: prefetchOf(durableTopicPrefetch),
    slowConsumerStrategy: slowConsumerStrategy(entry),
    producerFlowControl: producerFlowControl !== false,
    sendFailIfNoSpace: typeof sendFailIfNoSpace === 'boolean' ? sendFailIfNoSpace : null,
    sendFailIfNoSpaceAfterTimeoutMs: Number(sendFailIfNoSpaceAfterTimeout ?? -1) < 0 ? null : Number(sendFailIfNoSpaceAfterTimeout),
    memoryLimitBytes: positive(attributes.memoryLimit),
    blockedProducerWarningIntervalMs: warningIntervalMs(attributes.blockedProducerWarningInterval),
    expireMessagesPeriodMs: positive(attributes.expireMessagesPeriod ?? EXPIRE_MESSAGES_PERIOD_MS),
    deadLetters: deadLetterRule(entry),
    advisories: advisoryRule(entry),
  };
}

/** Where the file does not say it the broker's own bound is the smaller one. */
function prefetchOf(prefetch: AttributeValue): number {
  return prefetch === undefined ? Number.POSITIVE_INFINITY : Math.max(1, Number(prefetch));
}

function slowConsumerStrategy({ slowConsumerStrategy: strategy }: PolicyEntryModel): SlowConsumerStrategy | null {
  if (strategy === null) return null;
  const { kind, attributes } = strategy;
  const { checkPeriod, maxSlowDuration, maxSlowCount, maxTimeSinceLastAck } = attributes;
  return {
    kind,
    checkPeriodMs: Number(checkPeriod ?? SLOW_CONSUMER_MS),
    maxSlowDurationMs: positive(maxSlowDuration ?? SLOW_CONSUMER_MS),
    maxSlowCount: positive(maxSlowCount),
    maxTimeSinceLastAckMs: positive(maxTimeSinceLastAck ?? SLOW_CONSUMER_MS),
  };
}

/** Dead letters on topics; those in queues, and none, are no rule. */
function deadLetterRule({ deadLetterStrategy: strategy }: PolicyEntryModel): DeadLetterRule | null {
  if (strategy === null || strategy.topic === null) return null;
  const { processExpired = true, processNonPersistent = false, expiration = 0 } = strategy.attributes;
  return {
    topic: swapName(strategy.topic),
    isShared: strategy.kind === 'shared',
    suffix: swapName(String(strategy.attributes.topicSuffix ?? '')),
    processExpired: processExpired === true,
    processNonPersistent: processNonPersistent === true,
    expirationMs: Math.max(0, Number(expiration)),
  };
}

function advisoryRule({ attributes }: PolicyEntryModel): AdvisoryRule | null {
  const rule = {
    forDelivery: attributes.advisoryForDelivery === true,
    forConsumed: attributes.advisoryForConsumed === true,
    forDiscardingMessages: attributes.advisoryForDiscardingMessages === true,
    forSlowConsumers: attributes.advisoryForSlowConsumers === true,
    forFastProducers: attributes.advisoryForFastProducers === true,
    whenFull: attributes.advisoryWhenFull === true,
    ifNoConsumers: attributes.sendAdvisoryIfNoConsumers === true,
  };
  return Object.values(rule).includes(true) ? { ...rule, includeBody: attributes.includeBodyForAdvisory === true } : null;
}

/** 0 and less mean that there is no line. */
function warningIntervalMs(value: AttributeValue): number {
  return Math.min(Math.max(0, Number(value ?? WARNING_INTERVAL_MS)), TIMER_MS_MAX);
}

/** 0 and less mean that there is no bound. */
function positive(value: AttributeValue): number {
  const bound = Number(value ?? -1);
  return bound > 0 ? bound : Number.POSITIVE_INFINITY;
}

function pendingMessageLimit({ pendingMessageLimitStrategy: strategy, attributes }: PolicyEntryModel): number {
  if (strategy === null) return Number.POSITIVE_INFINITY;
  if (strategy.kind === 'constant') return strategy.limit === -1 ? Number.POSITIVE_INFINITY : strategy.limit;
  return Math.floor(strategy.multiplier * Number(attributes.topicPrefetch ?? TOPIC_PREFETCH));
}
