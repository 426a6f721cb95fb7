import type { Router } from '../../core/router.ts';
import { type Subscriber, Subscription, UNREACHABLE } from '../../core/subscription.ts';
import { TOPIC_BYTES_MAX, topicFilterFault } from '../../core/topic-filter.ts';
import type { Advert, Demand, GroupDemand } from './demand.ts';
import { PEER_DEMAND_MAX } from './link-limits.ts';
import type { Way } from './peer-groups.ts';

interface PeerConsumer {
  readonly filters: readonly string[];
  /** To the members of the shared subscription that it stands for; null where it is an ordinary one. */
  readonly way: Way | null;
  /** What we pass on of it to other brokers. */
  readonly relayed: readonly Advert[];
  /** Told before the present link came up, and not told again since. */
  stale: boolean;
}

/** Where the members of shared subscriptions at other brokers are known. */
export interface Ways {
  add(filter: string, brokerPath: readonly string[], group: GroupDemand): Way;
  remove(way: Way): void;
}

/**
 * What one linked broker wants of us. Its consumers on one filter share one subscription in our router (a conduit): it gets one copy and
 * hands it out itself.
 */
export class PeerDemand {
  readonly #router: Router;
  readonly #subscriber: Subscriber;
  readonly #demand: Demand;
  readonly #levelsMax: number;
  readonly #ways: Ways;
  readonly #consumers = new Map<string, PeerConsumer>();
  /** Ordinary consumers on each filter. */
  readonly #filters = new Map<string, number>();
  /** Consumers that are shared subscriptions. */
  readonly #groups = new Set<PeerConsumer>();
  /** Whether the link with the peer stands: what is passed on of its groups says so. */
  #isReachable = true;

  constructor(subscriber: Subscriber, router: Router, demand: Demand, levelsMax: number, ways: Ways) {
    this.#subscriber = subscriber;
    this.#router = router;
    this.#demand = demand;
    this.#levelsMax = levelsMax;
    this.#ways = ways;
  }

  /** Number of filters and shared subscriptions asked for. */
  get size(): number {
    return this.#filters.size + this.#groups.size;
  }

  /**
   * A consumer of the peer. The same one told again changes nothing but what is said of a group.
   *
   * @param brokerPath how the wish came to us, ending with the peer; null when it is not to be passed on
   * @param group the shared subscription that it is
   * @returns false when the peer asks for more than we keep
   */
  add(key: string, filters: readonly string[], brokerPath: readonly string[] | null, group: GroupDemand | null = null): boolean {
    const known = this.#consumers.get(key);
    if (known !== undefined) {
      known.stale = false;
      if (group !== null) this.#change(known, group);
      return true;
    }
    if (this.#consumers.size >= PEER_DEMAND_MAX) return false;
    const bounds = { topicLevels: this.#levelsMax, topicBytes: TOPIC_BYTES_MAX };
    const valid = filters.filter((filter) => topicFilterFault(filter, bounds) === null);
    const relayed =
      brokerPath === null
        ? []
        : valid.map((filter) => this.#demand.relay(filter, brokerPath, group === null ? null : this.#passedOn(group)));
    if (group !== null && brokerPath !== null && valid.length > 0) {
      const consumer = { filters: [], way: this.#ways.add(valid[0]!, brokerPath, group), relayed, stale: false };
      this.#groups.add(consumer);
      this.#consumers.set(key, consumer);
    } else {
      this.#consumers.set(key, { filters: valid, way: null, relayed, stale: false });
      for (const filter of valid) this.#subscribe(filter);
    }
    return true;
  }

  remove(key: string): void {
    const consumer = this.#consumers.get(key);
    if (consumer === undefined) return;
    this.#consumers.delete(key);
    for (const filter of consumer.filters) this.#unsubscribe(filter);
    if (consumer.way !== null) {
      this.#ways.remove(consumer.way);
      this.#groups.delete(consumer);
    }
    for (const advert of consumer.relayed) this.#demand.unrelay(advert);
  }

  /** A new link begins: what the peer does not tell again on it is no longer wanted. */
  markStale(): void {
    for (const consumer of this.#consumers.values()) consumer.stale = true;
  }

  /** The peer has told all it wants. */
  removeStale(): void {
    for (const [key, consumer] of this.#consumers) if (consumer.stale) this.remove(key);
  }

  clear(): void {
    for (const key of this.#consumers.keys()) this.remove(key);
  }

  /** The link with the peer is lost or silent, or is back: brokers that reach its groups through us are told. */
  setReachable(isReachable: boolean): void {
    if (isReachable === this.#isReachable) return;
    this.#isReachable = isReachable;
    for (const { way, relayed } of this.#groups)
      for (const advert of relayed) this.#demand.changeRelayed(advert, this.#passedOn(way!.told));
  }

  #change({ way, relayed }: PeerConsumer, group: GroupDemand): void {
    if (way === null || way.told.name !== group.name) return;
    if (way.told.members === group.members && way.told.readiness === group.readiness) return;
    way.told = group;
    for (const advert of relayed) this.#demand.changeRelayed(advert, this.#passedOn(group));
  }

  /** What other brokers are told of a group of the peer. */
  #passedOn(group: GroupDemand): GroupDemand {
    return this.#isReachable || group.readiness <= UNREACHABLE ? group : { ...group, readiness: UNREACHABLE };
  }

  #subscribe(filter: string): void {
    const consumers = this.#filters.get(filter) ?? 0;
    this.#filters.set(filter, consumers + 1);
    if (consumers > 0) return;
    this.#router.subscribe(
      new Subscription({
        filter,
        group: null,
        subscriber: this.#subscriber,
        qos: 2, // what the subscribers behind it want is applied there
        noLocal: true,
        retainAsPublished: true,
        identifier: 0,
      }),
    );
  }

  #unsubscribe(filter: string): void {
    const consumers = this.#filters.get(filter)! - 1;
    if (consumers > 0) {
      this.#filters.set(filter, consumers);
      return;
    }
    this.#filters.delete(filter);
    this.#router.unsubscribe(filter, null, this.#subscriber);
  }
}
