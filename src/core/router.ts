import { randomInt } from 'node:crypto';
import { type DestinationPolicies, NO_POLICIES } from './destination-policies.ts';
import { FilterEntry } from './filter-entry.ts';
import { FilterTree } from './filter-tree.ts';
import { mergeRoutes } from './matched-routes.ts';
import { RouteCache } from './route-cache.ts';
import { type GroupWatcher, SharedGroup } from './shared-group.ts';
import { type Routes, type Subscriber, Subscription } from './subscription.ts';

/** Is told of every subscription that comes and goes, after it has taken effect. */
export interface SubscriptionWatcher extends GroupWatcher {
  subscribed(subscription: Subscription): void;
  unsubscribed(subscription: Subscription): void;
}

/**
 * From topic to receivers.
 *
 *     subscribe ──► FilterTree   a lone subscription, or the FilterEntry of several, for each filter
 *     match ──► RouteCache ──► FilterTree ──► mergeRoutes
 */
export class Router {
  readonly #tree: FilterTree<Subscription | FilterEntry>;
  readonly #cache: RouteCache;
  readonly #watchers: SubscriptionWatcher[] = [];
  readonly #found: (Subscription | FilterEntry)[] = [];
  readonly #policies: Pick<DestinationPolicies, 'of'>;
  #size = 0;

  constructor(cacheTopicsMax: number, policies: Pick<DestinationPolicies, 'of'> = NO_POLICIES) {
    this.#policies = policies;
    this.#tree = new FilterTree(randomInt(2 ** 32));
    this.#cache = new RouteCache(cacheTopicsMax);
  }

  /** Number of subscriptions. */
  get size(): number {
    return this.#size;
  }

  watch(watcher: SubscriptionWatcher): void {
    this.#watchers.push(watcher);
  }

  /** Adds a subscription. The same subscriber's earlier one with the same filter and group is replaced; returns it, or null. */
  subscribe(subscription: Subscription): Subscription | null {
    const replaced = subscription.group === null ? this.#put(subscription) : this.#join(subscription.group, subscription);
    if (replaced !== null) return replaced;
    this.#size++;
    for (const watcher of this.#watchers) watcher.subscribed(subscription);
    return null;
  }

  /** Takes a subscription away; returns it, or null when there was none. */
  unsubscribe(filter: string, group: string | null, subscriber: Subscriber): Subscription | null {
    const removed = group === null ? this.#remove(filter, subscriber) : this.#leave(filter, group, subscriber);
    if (removed === null) return null;
    this.#size--;
    for (const watcher of this.#watchers) watcher.unsubscribed(removed);
    return removed;
  }

  /** The members of `$share/{name}/{filter}`; null when there are none. */
  group(filter: string, name: string): SharedGroup | null {
    const known = this.#tree.get(filter);
    return known instanceof FilterEntry ? known.group(name) : null;
  }

  /** Who receives `topic` [MQTT-3.3.2-3]. The answer is shared and must not be changed. */
  match(topic: string): Routes {
    return this.#cache.get(topic) ?? this.#resolve(topic);
  }

  /** Every subscription, in no particular order. */
  *subscriptions(): Generator<Subscription> {
    for (const value of this.#tree.values()) {
      if (value instanceof Subscription) yield value;
      else yield* value.subscriptions();
    }
  }

  #put(subscription: Subscription): Subscription | null {
    const { filter } = subscription;
    this.#cache.changed(filter);
    const known = this.#tree.add(subscription);
    if (known === null) return null;
    if (known instanceof FilterEntry) return known.put(subscription);
    if (known.subscriber === subscription.subscriber) {
      this.#tree.set(subscription);
      return known;
    }
    this.#tree.set(new FilterEntry(filter, [known, subscription]));
    return null;
  }

  #remove(filter: string, subscriber: Subscriber): Subscription | null {
    const known = this.#tree.get(filter);
    let removed: Subscription | null = null;
    if (known instanceof FilterEntry) {
      removed = known.remove(subscriber);
      this.#tidy(filter, known);
    } else if (known?.subscriber === subscriber) {
      removed = known;
      this.#tree.delete(filter);
    }
    if (removed !== null) this.#cache.changed(filter);
    return removed;
  }

  /** Routes name a group and not its members: they change only when it begins or ends. */
  #join(name: string, subscription: Subscription): Subscription | null {
    const { filter } = subscription;
    let known = this.#tree.get(filter);
    if (!(known instanceof FilterEntry)) {
      known = new FilterEntry(filter, known === null ? [] : [known]);
      this.#tree.set(known);
    }
    let group = known.group(name);
    if (group === null) {
      group = new SharedGroup(filter, name, this.#watchers);
      known.addGroup(group);
      this.#cache.changed(filter);
    }
    return group.add(subscription);
  }

  #leave(filter: string, name: string, subscriber: Subscriber): Subscription | null {
    const known = this.#tree.get(filter);
    const entry = known instanceof FilterEntry ? known : null;
    const group = entry?.group(name) ?? null;
    const removed = group?.remove(subscriber) ?? null;
    if (removed !== null && group!.size === 0) {
      entry!.removeGroup(name);
      this.#tidy(filter, entry!);
      this.#cache.changed(filter);
    }
    return removed;
  }

  /** What an entry has lost may have been its last, or last but one. */
  #tidy(filter: string, entry: FilterEntry): void {
    if (entry.empty) this.#tree.delete(filter);
    else if (entry.only !== null) this.#tree.set(entry.only);
  }

  #resolve(topic: string): Routes {
    const found = this.#found;
    found.length = 0;
    const hash = this.#tree.match(topic, found);
    const routes = mergeRoutes(found, this.#cache.generation, this.#policies.of(topic));
    this.#cache.put(topic, hash, routes);
    return routes;
  }
}
