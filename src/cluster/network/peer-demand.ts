import type { Router } from '../../core/router.ts';
import type { Subscriber } from '../../core/subscription.ts';
import { TOPIC_BYTES_MAX, topicFilterFault } from '../../core/topic-filter.ts';
import type { Advert, Demand } from './demand.ts';
import { PEER_DEMAND_MAX } from './link-limits.ts';

interface PeerConsumer {
  readonly filters: readonly string[];
  /** What we pass on of it to other brokers. */
  readonly relayed: readonly Advert[];
  /** Told before the present link came up, and not told again since. */
  stale: boolean;
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
  readonly #consumers = new Map<string, PeerConsumer>();
  /** Consumers on each filter. */
  readonly #filters = new Map<string, number>();

  constructor(subscriber: Subscriber, router: Router, demand: Demand, levelsMax: number) {
    this.#subscriber = subscriber;
    this.#router = router;
    this.#demand = demand;
    this.#levelsMax = levelsMax;
  }

  /** Number of filters asked for. */
  get size(): number {
    return this.#filters.size;
  }

  /**
   * A consumer of the peer. The same one told again changes nothing.
   *
   * @param brokerPath how the wish came to us, ending with the peer; null when it is not to be passed on
   * @returns false when the peer asks for more than we keep
   */
  add(key: string, filters: readonly string[], brokerPath: readonly string[] | null): boolean {
    const known = this.#consumers.get(key);
    if (known !== undefined) {
      known.stale = false;
      return true;
    }
    if (this.#consumers.size >= PEER_DEMAND_MAX) return false;
    const bounds = { topicLevels: this.#levelsMax, topicBytes: TOPIC_BYTES_MAX };
    const valid = filters.filter((filter) => topicFilterFault(filter, bounds) === null);
    const relayed = brokerPath === null ? [] : valid.map((filter) => this.#demand.relay(filter, brokerPath));
    this.#consumers.set(key, { filters: valid, relayed, stale: false });
    for (const filter of valid) this.#subscribe(filter);
    return true;
  }

  remove(key: string): void {
    const consumer = this.#consumers.get(key);
    if (consumer === undefined) return;
    this.#consumers.delete(key);
    for (const filter of consumer.filters) this.#unsubscribe(filter);
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

  #subscribe(filter: string): void {
    const consumers = this.#filters.get(filter) ?? 0;
    this.#filters.set(filter, consumers + 1);
    if (consumers > 0) return;
    this.#router.subscribe({
      filter,
      group: null,
      subscriber: this.#subscriber,
      qos: 2, // what the subscribers behind it want is applied there
      noLocal: true,
      retainAsPublished: true,
      identifier: 0,
    });
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
