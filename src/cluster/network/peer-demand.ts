import type { Router } from '../../core/router.ts';
import { type Route, type Subscriber, Subscription, UNREACHABLE } from '../../core/subscription.ts';
import { TOPIC_BYTES_MAX, topicFilterFault } from '../../core/topic-filter.ts';
import { type Advert, type Demand, type GroupDemand, isSameDemand } from './demand.ts';
import { PEER_DEMAND_MAX } from './link-limits.ts';
import type { Way } from './peer-groups.ts';

interface PeerConsumer {
  readonly filters: readonly string[];
  /** To the members of the shared subscription that it stands for; null where it is an ordinary one. */
  readonly way: Way | null;
  /** What we pass on of it to other brokers. */
  readonly relayed: readonly Advert[];
  /** What is kept of it in the store while it is durable; null where it is a setting of ours. */
  readonly wish: string | null;
  /** Whether messages for it are kept without limit of time. */
  isDurable: boolean;
  /** Told before the present link came up, and not told again since. */
  stale: boolean;
}

/** Keeps wishes for the next start, when the peer may be away. */
export interface WishKeeper {
  keep(wish: string): void;
  drop(wish: string): void;
}

/** The Subscription Identifier of filters by which messages are to be kept without limit of time; all others have none. */
const DURABLE = 1;

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
  readonly #keeper: WishKeeper;
  readonly #consumers = new Map<string, PeerConsumer>();
  /** Ordinary consumers on each filter, and how many of them are durable. */
  readonly #filters = new Map<string, { consumers: number; durable: number }>();
  /** Consumers for which each wish is kept: after a restart the same one comes under another name. */
  readonly #kept = new Map<string, number>();
  /** Consumers that are shared subscriptions. */
  readonly #groups = new Set<PeerConsumer>();
  /** Whether the link with the peer stands: what is passed on of its groups says so. */
  #isReachable = true;

  constructor(subscriber: Subscriber, router: Router, demand: Demand, levelsMax: number, ways: Ways, keeper: WishKeeper) {
    this.#subscriber = subscriber;
    this.#router = router;
    this.#demand = demand;
    this.#levelsMax = levelsMax;
    this.#ways = ways;
    this.#keeper = keeper;
  }

  /** Whether a message that is delivered by these subscriptions of the peer is to be kept without limit of time. */
  static isDurable({ identifiers }: Route): boolean {
    return identifiers.length > 0;
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
   * @param isDurable whether messages for it are kept without limit of time
   * @returns false when the peer asks for more than we keep
   */
  add(
    key: string,
    filters: readonly string[],
    brokerPath: readonly string[] | null,
    group: GroupDemand | null = null,
    isDurable = false,
  ): boolean {
    const known = this.#consumers.get(key);
    if (known !== undefined) {
      known.stale = false;
      if (group !== null) this.#change(known, group);
      this.#setDurability(known, isDurable);
      return true;
    }
    if (this.#consumers.size >= PEER_DEMAND_MAX) return false;
    const bounds = { topicLevels: this.#levelsMax, topicBytes: TOPIC_BYTES_MAX };
    const valid = filters.filter((filter) => topicFilterFault(filter, bounds) === null);
    const relayed =
      brokerPath === null
        ? []
        : valid.map((filter) => this.#demand.relay(filter, brokerPath, group === null ? null : this.#passedOn(group), isDurable));
    const wish = brokerPath === null || valid.length === 0 ? null : JSON.stringify([valid, brokerPath, group?.name ?? null]);
    if (group !== null && brokerPath !== null && valid.length > 0) {
      const way = this.#ways.add(valid[0]!, brokerPath, group);
      const consumer = { filters: [], way, relayed, wish, isDurable: false, stale: false };
      this.#groups.add(consumer);
      this.#consumers.set(key, consumer);
      this.#setDurability(consumer, isDurable);
    } else {
      const consumer = { filters: valid, way: null, relayed, wish, isDurable, stale: false };
      this.#consumers.set(key, consumer);
      for (const filter of valid) this.#subscribe(filter, isDurable);
      if (isDurable) this.#keep(consumer);
    }
    return true;
  }

  /** Takes up what was kept before we were started anew: the peer tells whether it still holds. */
  restore(wishes: Iterable<string>): void {
    for (const wish of wishes) {
      const [filters, brokerPath, name] = JSON.parse(wish) as [string[], string[], string | null];
      const group: GroupDemand | null = name === null ? null : { name, members: 1, readiness: UNREACHABLE, isDurable: true };
      this.add(wish, filters, brokerPath, group, true);
    }
    this.markStale();
  }

  remove(key: string): void {
    const consumer = this.#consumers.get(key);
    if (consumer === undefined) return;
    this.#consumers.delete(key);
    for (const filter of consumer.filters) this.#unsubscribe(filter, consumer.isDurable);
    if (consumer.isDurable) this.#drop(consumer);
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

  /** Removes what is not kept without limit of time. */
  removeVolatile(): void {
    for (const [key, consumer] of this.#consumers) if (!consumer.isDurable) this.remove(key);
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
    if (isSameDemand(way.told, group)) return;
    way.told = group;
    for (const advert of relayed) this.#demand.changeRelayed(advert, this.#passedOn(group));
  }

  /** What other brokers are told of a group of the peer. */
  #passedOn(group: GroupDemand): GroupDemand {
    return this.#isReachable || group.readiness <= UNREACHABLE ? group : { ...group, readiness: UNREACHABLE };
  }

  #setDurability(consumer: PeerConsumer, isDurable: boolean): void {
    if (consumer.isDurable === isDurable) return;
    consumer.isDurable = isDurable;
    for (const filter of consumer.filters) this.#count(filter, 0, isDurable ? 1 : -1);
    if (consumer.way === null) for (const advert of consumer.relayed) this.#demand.changeDurability(advert, isDurable);
    if (isDurable) this.#keep(consumer);
    else this.#drop(consumer);
  }

  #keep({ wish }: PeerConsumer): void {
    if (wish === null) return;
    const consumers = this.#kept.get(wish) ?? 0;
    this.#kept.set(wish, consumers + 1);
    if (consumers === 0) this.#keeper.keep(wish);
  }

  #drop({ wish }: PeerConsumer): void {
    if (wish === null) return;
    const consumers = this.#kept.get(wish)! - 1;
    if (consumers > 0) {
      this.#kept.set(wish, consumers);
      return;
    }
    this.#kept.delete(wish);
    this.#keeper.drop(wish);
  }

  #subscribe(filter: string, isDurable: boolean): void {
    this.#count(filter, 1, isDurable ? 1 : 0);
  }

  #unsubscribe(filter: string, isDurable: boolean): void {
    this.#count(filter, -1, isDurable ? -1 : 0);
  }

  /** So many more consumers want a filter, and so many more durable ones. */
  #count(filter: string, consumers: number, durable: number): void {
    const before = this.#filters.get(filter) ?? { consumers: 0, durable: 0 };
    const now = { consumers: before.consumers + consumers, durable: before.durable + durable };
    if (now.consumers === 0) {
      this.#filters.delete(filter);
      this.#router.unsubscribe(filter, null, this.#subscriber);
      return;
    }
    this.#filters.set(filter, now);
    if (before.consumers > 0 && before.durable > 0 === now.durable > 0) return;
    this.#router.subscribe(
      new Subscription({
        filter,
        group: null,
        subscriber: this.#subscriber,
        qos: 2, // what the subscribers behind it want is applied there
        noLocal: true,
        retainAsPublished: true,
        identifier: now.durable > 0 ? DURABLE : 0,
      }),
    );
  }
}
