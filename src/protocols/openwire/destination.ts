import { TOPIC_BYTES_MAX, topicNameFault } from '../../core/topic-filter.ts';

/**
 * MQTT's names and ActiveMQ's, character by character and both ways (OpenWire specification section 17.1):
 *
 *     MQTT    a/b     a/+/c   a/#   a.b   x*y
 *     JMS     a.b     a.*.c   a.>   a/b   x+y
 *
 * Each character is swapped with its partner, so the same function converts either way and nothing is lost.
 */
const SWAPPED = /[/.+*#>]/g;

const PARTNERS: Readonly<Record<string, string>> = { '/': '.', '.': '/', '+': '*', '*': '+', '#': '>', '>': '#' };

/** From an MQTT topic name or filter to a physical name, and back. */
export function swapName(name: string): string {
  return name.replace(SWAPPED, (character) => PARTNERS[character]!);
}

/** Topics under which a broker tells of its consumers (OpenWire specification section 14). */
export const CONSUMER_ADVISORY_PREFIX = 'ActiveMQ.Advisory.Consumer.Topic.';

/** Topics under which brokers tell of anything: never data. */
export const ADVISORY_PREFIX = 'ActiveMQ.Advisory.';

/** The advisory topic of a topic's consumers. A comma would make it a composite name, so it is written in another way. */
export function consumerAdvisoryTopic(physicalName: string): string {
  return CONSUMER_ADVISORY_PREFIX + physicalName.replaceAll(',', '&sbquo;');
}

/**
 * Whether MQTT can carry this topic name, in its own spelling: what comes as a property may be of any length.
 * `levelsMax`: levels that a topic name may have.
 */
export function isTopicName(name: string, levelsMax: number): boolean {
  return topicNameFault(name, { topicLevels: levelsMax, topicBytes: TOPIC_BYTES_MAX }) === null;
}
