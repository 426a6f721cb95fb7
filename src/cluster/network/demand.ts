import type { SubscriptionWatcher } from '../../core/router.ts';
import type { SharedGroup } from '../../core/shared-group.ts';
import type { Readiness, Subscription } from '../../core/subscription.ts';

/** The members of a shared subscription at one broker, as it tells others of them. */
export interface GroupDemand {
  readonly name: string;
  /** How many turns they have: see `SharedGroup.memberCount`. */
  readonly members: number;
  readonly readiness: Readiness;
  /** Whether messages for one of them are kept there also while that broker is not running. */
  readonly isDurable: boolean;
}

/** One wish we tell the other brokers of: messages that match `filter`. */
export interface Advert {
  /** Its name on the links, counted up; never used twice. */
  readonly number: number;
  readonly filter: string;
  /** The brokers the wish came through, the one with the client first; empty for our own clients. */
  readonly brokerPath: readonly string[];
  /** null: every message is wanted; else each goes to one broker of those with members. Replaced when it changes. */
  group: GroupDemand | null;
  /** Whether somebody who wants them keeps what waits for it also while its broker is not running: then we are to keep it so long, too. */
  isDurable: boolean;
}

/** What all clients here want that subscribe to one filter: one object, for there may be a million. */
interface LocalAdvert extends Advert {
  subscriptions: number;
  /** Those of persistent sessions. */
  durable: number;
}

const NO_PATH: readonly string[] = [];

export interface DemandListener {
  demandGained(advert: Advert): void;
  /** Its `isDurable` is another one. */
  durabilityChanged(advert: Advert): void;
  demandLost(advert: Advert): void;
  /** Members of a shared subscription here are more, fewer, or otherwise prepared than the advert says. Called often. */
  groupChanged(advert: Advert, group: SharedGroup): void;
  /** What another broker said of its group, and we pass on, has changed. */
  relayedGroupChanged(advert: Advert): void;
}

/**
 * What this broker wants to hear of from others.
 *
 * All clients here that subscribe to one filter are one advert (a conduit): the first brings it, the last takes it along, and a message
 * crosses a link once however many want it. A shared subscription is an advert of its own. What other brokers asked us for is passed on as
 * it came, one advert each, with the way it took: so it goes away with its origin even where links form a ring.
 */
export class Demand implements SubscriptionWatcher {
  readonly #local = new Map<string, LocalAdvert>();
  readonly #groups = new Map<SharedGroup, Advert>();
  readonly #relayed = new Set<Advert>();
  readonly #listener: DemandListener;
  #lastNumber = 0;

  constructor(listener: DemandListener) {
    this.#listener = listener;
  }

  /** Number of filters and shared subscriptions our own clients want. */
  get size(): number {
    return this.#local.size + this.#groups.size;
  }

  subscribed({ filter, group, subscriber }: Subscription): void {
    if (group !== null || subscriber.kind === 'peer') return;
    const isDurable = subscriber.outlivesProcess === true;
    const known = this.#local.get(filter);
    if (known !== undefined) {
      known.subscriptions++;
      if (isDurable) known.durable++;
      this.changeDurability(known, known.durable > 0);
      return;
    }
    const number = ++this.#lastNumber;
    const durable = isDurable ? 1 : 0;
    const advert: LocalAdvert = { number, filter, brokerPath: NO_PATH, group: null, isDurable, subscriptions: 1, durable };
    this.#local.set(filter, advert);
    this.#listener.demandGained(advert);
  }

  unsubscribed({ filter, group, subscriber }: Subscription): void {
    if (group !== null || subscriber.kind === 'peer') return;
    const known = this.#local.get(filter);
    if (known === undefined) return;
    if (subscriber.outlivesProcess === true) known.durable--;
    if (--known.subscriptions > 0) {
      this.changeDurability(known, known.durable > 0);
      return;
    }
    this.#local.delete(filter);
    this.#listener.demandLost(known);
  }

  groupChanged(group: SharedGroup): void {
    const known = this.#groups.get(group);
    if (group.memberCount === 0) {
      if (known === undefined) return;
      this.#groups.delete(group);
      this.#listener.demandLost(known);
    } else if (known === undefined) {
      const advert = this.#createAdvert(group.filter, NO_PATH, demandOf(group), false);
      this.#groups.set(group, advert);
      this.#listener.demandGained(advert);
      this.#listener.groupChanged(advert, group);
    } else {
      this.#listener.groupChanged(known, group);
    }
  }

  /** Passes on what a linked broker asked for. `brokerPath` ends with that broker. */
  relay(filter: string, brokerPath: readonly string[], group: GroupDemand | null, isDurable: boolean): Advert {
    const advert = this.#createAdvert(filter, brokerPath, group, isDurable);
    this.#relayed.add(advert);
    this.#listener.demandGained(advert);
    return advert;
  }

  /** The linked broker says something else of its group now. */
  changeRelayed(advert: Advert, group: GroupDemand): void {
    advert.group = group;
    this.#listener.relayedGroupChanged(advert);
  }

  /** Persistent subscribers behind the linked broker have come, or gone. */
  changeDurability(advert: Advert, isDurable: boolean): void {
    if (advert.isDurable === isDurable) return;
    advert.isDurable = isDurable;
    this.#listener.durabilityChanged(advert);
  }

  /** The linked broker wants it no longer. */
  unrelay(advert: Advert): void {
    if (this.#relayed.delete(advert)) this.#listener.demandLost(advert);
  }

  /** All there is. What comes while somebody walks through is visited too; what goes is not. */
  *adverts(): Generator<Advert> {
    yield* this.#local.values();
    yield* this.#groups.values();
    yield* this.#relayed;
  }

  #createAdvert(filter: string, brokerPath: readonly string[], group: GroupDemand | null, isDurable: boolean): Advert {
    return { number: ++this.#lastNumber, filter, brokerPath, group, isDurable };
  }
}

/** What there is to say of a group's members here. */
export function demandOf({ name, memberCount, readiness, isDurable }: SharedGroup): GroupDemand {
  return { name, members: memberCount, readiness, isDurable };
}

/** Of the same group. */
export function isSameDemand(a: GroupDemand, b: GroupDemand): boolean {
  return a.members === b.members && a.readiness === b.readiness && a.isDurable === b.isDurable;
}
