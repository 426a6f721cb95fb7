import type { BrokerModel, PolicyEntryModel } from '../config/activemq/model.ts';
import { DestinationPolicies, type DestinationPolicy } from '../core/destination-policies.ts';
import { swapName } from '../protocols/openwire/destination.ts';

/** Messages that ActiveMQ sends a topic's subscriber ahead of its acknowledgements, unless the file says otherwise. */
const TOPIC_PREFETCH = 32_767;

/** ActiveMQ's default of how many waiting messages make expired ones go first. */
const EVICT_EXPIRED_HIGH_WATERMARK = 1_000;

/** The file's policy entries for topics. Those for queues say nothing about them, and there are no temporary topics. */
export function destinationPolicies({ policyEntries, defaultPolicyEntry }: BrokerModel): DestinationPolicies {
  const forTopics = policyEntries.filter(({ destination }) => destination.kind === 'topic');
  return new DestinationPolicies(
    forTopics.map((entry) => [swapName(entry.destination.physicalName), policyOf(entry)]),
    defaultPolicyEntry === null ? null : policyOf(defaultPolicyEntry),
  );
}

function policyOf(entry: PolicyEntryModel): DestinationPolicy {
  const { messageEvictionStrategy: eviction } = entry;
  return {
    destination: entry.destination.physicalName,
    pendingMessageLimit: pendingMessageLimit(entry),
    uniqueProperty: eviction?.kind === 'uniqueProperty' ? eviction.propertyName : null,
    evictExpiredMessagesHighWatermark: eviction?.evictExpiredMessagesHighWatermark ?? EVICT_EXPIRED_HIGH_WATERMARK,
  };
}

function pendingMessageLimit({ pendingMessageLimitStrategy: strategy, attributes }: PolicyEntryModel): number {
  if (strategy === null) return Number.POSITIVE_INFINITY;
  if (strategy.kind === 'constant') return strategy.limit === -1 ? Number.POSITIVE_INFINITY : strategy.limit;
  return Math.floor(strategy.multiplier * Number(attributes.topicPrefetch ?? TOPIC_PREFETCH));
}
