import type { SharedGroup } from './shared-group.ts';
import type { Subscriber, Subscription } from './subscription.ts';

/** Up to so many subscriptions are looked at one by one; more have a Map, which takes some 40 bytes for each. */
const SEARCHED_MAX = 16;

const NO_GROUPS: readonly SharedGroup[] = [];

/**
 * All subscriptions with one filter: two or ten thousand, and the `$share` groups on it.
 *
 * Who asks for `direct` is lent the list itself, and the next change begins a copy: so a list is copied at most once for each message that
 * goes to all of it, and never while nobody publishes.
 */
export class FilterEntry {
  readonly filter: string;
  #direct: readonly Subscription[];
  #lent = true;
  /** Where each subscriber stands in the list; null while they are few. */
  #places: Map<Subscriber, number> | null = null;
  #groups: Map<string, SharedGroup> | null = null;

  /** @param direct subscriptions of different subscribers; few */
  constructor(filter: string, direct: readonly Subscription[]) {
    this.filter = filter;
    this.#direct = direct;
  }

  /** The ordinary subscriptions. This list does not change any more. */
  get direct(): readonly Subscription[] {
    this.#lent = true;
    return this.#direct;
  }

  get shared(): readonly SharedGroup[] {
    return this.#groups === null ? NO_GROUPS : [...this.#groups.values()];
  }

  get empty(): boolean {
    return this.#direct.length === 0 && this.#groups === null;
  }

  /** The one ordinary subscription that is all there is; null when there is more, or nothing. */
  get only(): Subscription | null {
    return this.#direct.length === 1 && this.#groups === null ? this.#direct[0]! : null;
  }

  *subscriptions(): Generator<Subscription> {
    yield* this.#direct;
    for (const group of this.shared) yield* group.subscriptions();
  }

  /** Where in `direct` a subscriber's subscription stands; -1 when there is none. */
  indexOf(subscriber: Subscriber): number {
    if (this.#places !== null) return this.#places.get(subscriber) ?? -1;
    const list = this.#direct;
    for (let i = 0; i < list.length; i++) if (list[i]!.subscriber === subscriber) return i;
    return -1;
  }

  /** Adds an ordinary subscription, or puts it in the place of the same subscriber's earlier one; returns that, or null. */
  put(subscription: Subscription): Subscription | null {
    const count = this.#direct.length;
    const at = this.indexOf(subscription.subscriber);
    if (at >= 0) {
      const replaced = this.#direct[at]!;
      this.#changeable()[at] = subscription;
      return replaced;
    }
    if (this.#places === null && count < SEARCHED_MAX) {
      // Unlike push(), this leaves no room to grow: there may be very many short lists.
      this.#direct = this.#direct.concat(subscription);
      this.#lent = false;
      return null;
    }
    this.#places ??= new Map(this.#direct.map(({ subscriber }, i) => [subscriber, i]));
    this.#places.set(subscription.subscriber, count);
    this.#changeable().push(subscription);
    return null;
  }

  /** Takes a subscriber's ordinary subscription away; returns it, or null when there is none. */
  remove(subscriber: Subscriber): Subscription | null {
    const at = this.indexOf(subscriber);
    if (at < 0) return null;
    const list = this.#changeable();
    const removed = list[at]!;
    const last = list.pop()!;
    if (at < list.length) {
      list[at] = last;
      this.#places?.set(last.subscriber, at);
    }
    this.#places?.delete(subscriber);
    if (list.length <= SEARCHED_MAX / 2) this.#places = null;
    return removed;
  }

  group(name: string): SharedGroup | null {
    return this.#groups?.get(name) ?? null;
  }

  addGroup(group: SharedGroup): void {
    this.#groups ??= new Map();
    this.#groups.set(group.name, group);
  }

  removeGroup(name: string): void {
    this.#groups?.delete(name);
    if (this.#groups?.size === 0) this.#groups = null;
  }

  /** The list, for a change: a copy if somebody has it. */
  #changeable(): Subscription[] {
    if (this.#lent) this.#direct = this.#direct.slice();
    this.#lent = false;
    return this.#direct as Subscription[];
  }
}
