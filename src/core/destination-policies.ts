import type { AdvisoryRule } from './advisories.ts';
import type { DeadLetterRule } from './dead-letters.ts';
import type { SlowConsumerStrategy } from './slow-consumers.ts';
import { WARNING_INTERVAL_MS } from './usage.ts';

/** What a `policyEntry` of the file asks for the topics that it names. */
export interface DestinationPolicy {
  /** The topics, in ActiveMQ's spelling as the file has it: `>`, `orders.*`. For the log. */
  readonly destination: string;
  /** QoS 0 messages that may wait for one subscriber that does not keep up; Infinity: as many as `Limits.connectionQueueBytes` holds. */
  readonly pendingMessageLimit: number;
  /**
   * QoS 1 and 2 messages that may be in flight to, and wait for, a session that ends with its connection; Infinity: as `Limits` says. Beyond
   * it what waits longest goes.
   */
  readonly owedMessageLimit: number;
  /** Beyond `pendingMessageLimit` goes first what a newer message with the same value of this User Property replaces; null: the oldest. */
  readonly uniqueProperty: string | null;
  /** Of more than so many that wait expired ones go first. */
  readonly evictExpiredMessagesHighWatermark: number;
  /** QoS 1 and 2 messages in flight to a client with a subscription below it; Infinity: as many as `Limits.inflightMessages`. */
  readonly topicPrefetch: number;
  /** The same for a session that outlives its connections. */
  readonly durableTopicPrefetch: number;
  /** null: a client may be as slow as it is. */
  readonly slowConsumerStrategy: SlowConsumerStrategy | null;
  /** Whether who publishes waits while memory is full; for room in the store it waits in any case. */
  readonly producerFlowControl: boolean;
  /** Whether it is refused instead, if it can be told; null: as `UsageLimits` says. */
  readonly sendFailIfNoSpace: boolean | null;
  /** ...or when it has waited for so long, in milliseconds; 0: it is not; null: as `UsageLimits` says. */
  readonly sendFailIfNoSpaceAfterTimeoutMs: number | null;
  /** Bytes of memory for what waits for subscribers, for each topic; Infinity: as many as there are for all. */
  readonly memoryLimitBytes: number;
  /** Between two lines in the log while publishers wait because of `memoryLimitBytes`, in milliseconds; 0: there is none. */
  readonly blockedProducerWarningIntervalMs: number;
  /** How often messages that have expired are looked for, in milliseconds; Infinity: never. */
  readonly expireMessagesPeriodMs: number;
  /** null: what is not delivered is gone. */
  readonly deadLetters: DeadLetterRule | null;
  /** null: it asks for none. */
  readonly advisories: AdvisoryRule | null;
}

/** Nothing is asked for. */
export const NO_POLICY: DestinationPolicy = {
  destination: '>',
  pendingMessageLimit: Number.POSITIVE_INFINITY,
  owedMessageLimit: Number.POSITIVE_INFINITY,
  uniqueProperty: null,
  evictExpiredMessagesHighWatermark: Number.POSITIVE_INFINITY,
  topicPrefetch: Number.POSITIVE_INFINITY,
  durableTopicPrefetch: Number.POSITIVE_INFINITY,
  slowConsumerStrategy: null,
  producerFlowControl: true,
  sendFailIfNoSpace: null,
  sendFailIfNoSpaceAfterTimeoutMs: null,
  memoryLimitBytes: Number.POSITIVE_INFINITY,
  blockedProducerWarningIntervalMs: WARNING_INTERVAL_MS,
  expireMessagesPeriodMs: Number.POSITIVE_INFINITY,
  deadLetters: null,
  advisories: null,
};

interface Level {
  readonly below: Map<string, Level>;
  policy: DestinationPolicy | null;
}

/**
 * From a topic to its policy: the entry that names it most closely, level by level.
 *
 *     entries               topic      entry
 *     #  a/#  a/+  a/b/c    a/b/c      a/b/c    a name before + before #
 *                           a/b        a/+
 *                           a/b/d      a/#
 *                           a          a/#      as a filter, an entry for all below a level is for the level too
 *                           $x  x      #        unlike a filter, one for all levels is for all topics
 *
 * ActiveMQ's DestinationMap likewise takes one entry for a destination and none of the others' attributes. Its wildcards `*` and `>` are
 * `+` and `#` here.
 */
export class DestinationPolicies {
  readonly #root: Level = level();
  readonly #default: DestinationPolicy | null;
  readonly #all: DestinationPolicy[] = [];
  /** Whether some policy asks for advisories of messages that clients have acknowledged. */
  readonly adviseOfConsumed: boolean;

  /**
   * @param entries by pattern, in MQTT's spelling; the first of two with one pattern counts
   * @param defaultPolicy of topics that no entry names; null: they have none
   */
  constructor(entries: Iterable<readonly [pattern: string, policy: DestinationPolicy]>, defaultPolicy: DestinationPolicy | null) {
    for (const [pattern, policy] of entries) {
      let at = this.#root;
      for (const name of pattern.split('/')) {
        const next = at.below.get(name) ?? level();
        at.below.set(name, next);
        at = next;
        if (name === '#') break;
      }
      if (at.policy === null) {
        at.policy = policy;
        this.#all.push(policy);
      }
    }
    this.#default = defaultPolicy;
    if (defaultPolicy !== null) this.#all.push(defaultPolicy);
    this.adviseOfConsumed = this.#all.some(({ advisories }) => advisories?.forConsumed === true);
  }

  /** Every policy that counts for some topic. */
  get all(): readonly DestinationPolicy[] {
    return this.#all;
  }

  /**
   * The policy of a topic, or of what a filter may match; null: nothing is asked for. Walks through the entries: who asks for every message
   * takes `Routes.policy`, where the answer is remembered.
   */
  of(topic: string): DestinationPolicy | null {
    if (this.#root.below.size === 0) return this.#default;
    return find(this.#root, topic.split('/'), 0) ?? this.#default;
  }
}

/** For a broker without a file. */
export const NO_POLICIES = new DestinationPolicies([], null);

function level(): Level {
  return { below: new Map(), policy: null };
}

function find(at: Level, names: readonly string[], depth: number): DestinationPolicy | null {
  const all = at.below.get('#')?.policy ?? null;
  if (depth === names.length) return at.policy ?? all;
  const named = at.below.get(names[depth]!);
  const any = at.below.get('+');
  return (named && find(named, names, depth + 1)) ?? (any && find(any, names, depth + 1)) ?? all;
}
