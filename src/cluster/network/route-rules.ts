import type { Message } from '../../core/message.ts';
import { topicMatches } from '../../core/topic-filter.ts';
import { swapName } from '../../protocols/openwire/destination.ts';
import type { DestinationPattern, LinkSettings } from './link-settings.ts';

/** What a broker says of itself alone: another broker's clients would mistake it for their own's. It neither leaves nor is taken. */
export function isOwnStatistics(topic: string): boolean {
  return topic.charCodeAt(0) === 0x24 && topic.startsWith('$SYS/broker/');
}

/** A bound that -1 lifts. */
function exceeds(length: number, ttl: number): boolean {
  return ttl > -1 && length >= ttl;
}

/** What crosses one direction of a link, and how far (OpenWire specification sections 15.3, 15.4 and 15.6). */
export class RouteRules {
  readonly settings: LinkSettings;
  readonly #excluded: readonly string[];
  readonly #included: readonly string[];
  /** Filters that cross without being asked for. */
  readonly staticFilters: readonly string[];
  /** No rule looks at names: the usual case, which then costs nothing. */
  readonly #allNames: boolean;

  constructor(settings: LinkSettings) {
    this.settings = settings;
    this.#excluded = topicFilters(settings.excludedDestinations);
    this.#included = topicFilters(settings.dynamicallyIncludedDestinations);
    this.staticFilters = topicFilters(settings.staticallyIncludedDestinations);
    const { excludedDestinations, dynamicallyIncludedDestinations } = settings;
    this.#allNames = excludedDestinations.length === 0 && dynamicallyIncludedDestinations.length === 0;
  }

  /** Whether this message goes on to the peer: not where it came from or has been, not too far, not what is excluded. */
  forwards(message: Message, peerId: string): boolean {
    return this.forwardsTo(message, peerId, 1);
  }

  /** The same for a message that is for members of a shared subscription this many links away, the peer's being 1. */
  forwardsTo(message: Message, peerId: string, links: number): boolean {
    const { transit, topic } = message;
    if (exceeds((transit === null ? 0 : transit.brokerPath.length) + links - 1, this.settings.messageTTL)) return false;
    if (transit?.brokerPath.includes(peerId)) return false;
    return this.permits(topic);
  }

  /** Whether messages on this topic cross. Excluded wins over statically included, that over dynamically included. */
  permits(topic: string): boolean {
    if (isOwnStatistics(topic)) return false;
    if (this.#allNames) return true;
    if (matchesAny(this.#excluded, topic)) return false;
    if (matchesAny(this.staticFilters, topic)) return true;
    return this.settings.dynamicallyIncludedDestinations.length === 0 || matchesAny(this.#included, topic);
  }

  /** Whether a wish that came through these brokers is still near enough. `ownId`: not our own wish coming back. */
  acceptsDemand(brokerPath: readonly string[], ownId: string): boolean {
    return !this.settings.staticBridge && !exceeds(brokerPath.length, this.settings.consumerTTL) && !brokerPath.includes(ownId);
  }
}

/** Patterns for topics as MQTT filters; those for queues say nothing about topics. */
function topicFilters(patterns: readonly DestinationPattern[]): string[] {
  return patterns.filter(({ kind }) => kind === 'topic').map(({ physicalName }) => swapName(physicalName));
}

function matchesAny(filters: readonly string[], topic: string): boolean {
  for (const filter of filters) if (topicMatches(filter, topic)) return true;
  return false;
}
