import type { BrokerModel, PolicyEntryModel } from '../config/activemq/model.ts';
import { DestinationPolicies, type DestinationPolicy } from '../core/destination-policies.ts';
import { swapName } from '../protocols/openwire/destination.ts';

/** The file's policy entries for topics. Those for queues say nothing about them, and there are no temporary topics. */
export function destinationPolicies({ policyEntries, defaultPolicyEntry }: BrokerModel): DestinationPolicies {
  const forTopics = policyEntries.filter(({ destination }) => destination.kind === 'topic');
  return new DestinationPolicies(
    forTopics.map((entry) => [swapName(entry.destination.physicalName), policyOf(entry)]),
    defaultPolicyEntry === null ? null : policyOf(defaultPolicyEntry),
  );
}

function policyOf({ destination }: PolicyEntryModel): DestinationPolicy {
  return { destination: destination.physicalName };
}
