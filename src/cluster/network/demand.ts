import type { SubscriptionWatcher } from '../../core/router.ts';
import type { Subscription } from '../../core/subscription.ts';

/** One wish we tell the other brokers of: messages that match `filter`. */
export interface Advert {
  /** Its name on the links, counted up; never used twice. */
  readonly number: number;
  readonly filter: string;
  /** The brokers the wish came through, the one with the client first; empty for our own clients. */
  readonly brokerPath: readonly string[];
}

export interface DemandListener {
  demandGained(advert: Advert): void;
  demandLost(advert: Advert): void;
}

/**
 * What this broker wants to hear of from others.
 *
 * All clients here that subscribe to one filter are one advert (a conduit): the first brings it, the last takes it along, and a message
 * crosses a link once however many want it. What other brokers asked us for is passed on as it came, one advert each, with the way it
 * took: so it goes away with its origin even where links form a ring.
 */
export class Demand implements SubscriptionWatcher {
  readonly #local = new Map<string, { readonly advert: Advert; subscriptions: number }>();
  readonly #relayed = new Set<Advert>();
  readonly #listener: DemandListener;
  #lastNumber = 0;

  constructor(listener: DemandListener) {
    this.#listener = listener;
  }

  /** Number of filters our own clients want. */
  get size(): number {
    return this.#local.size;
  }

  subscribed({ filter, subscriber }: Subscription): void {
    if (subscriber.kind === 'peer') return;
    const known = this.#local.get(filter);
    if (known !== undefined) {
      known.subscriptions++;
      return;
    }
    const advert = { number: ++this.#lastNumber, filter, brokerPath: [] };
    this.#local.set(filter, { advert, subscriptions: 1 });
    this.#listener.demandGained(advert);
  }

  unsubscribed({ filter, subscriber }: Subscription): void {
    if (subscriber.kind === 'peer') return;
    const known = this.#local.get(filter);
    if (known === undefined || --known.subscriptions > 0) return;
    this.#local.delete(filter);
    this.#listener.demandLost(known.advert);
  }

  /** Passes on what a linked broker asked for. `brokerPath` ends with that broker. */
  relay(filter: string, brokerPath: readonly string[]): Advert {
    const advert = { number: ++this.#lastNumber, filter, brokerPath };
    this.#relayed.add(advert);
    this.#listener.demandGained(advert);
    return advert;
  }

  /** The linked broker wants it no longer. */
  unrelay(advert: Advert): void {
    if (this.#relayed.delete(advert)) this.#listener.demandLost(advert);
  }

  /** All there is. What comes while somebody walks through is visited too; what goes is not. */
  *adverts(): Generator<Advert> {
    for (const { advert } of this.#local.values()) yield advert;
    yield* this.#relayed;
  }
}
