import type { QoS } from './message.ts';
import { type GroupWatcher, SharedGroup } from './shared-group.ts';
import type { Route, Routes, Subscriber, Subscription } from './subscription.ts';
import { hasWildcard, topicMatches } from './topic-filter.ts';

/** Is told of every subscription that comes and goes, after it has taken effect. */
export interface SubscriptionWatcher extends GroupWatcher {
  subscribed(subscription: Subscription): void;
  unsubscribed(subscription: Subscription): void;
}

/** All subscriptions with one filter. */
interface FilterEntry {
  readonly filter: string;
  /** The ordinary ones. */
  readonly subscriptions: Subscription[];
  /** The `$share` groups, by name; null while there are none. */
  groups: Map<string, SharedGroup> | null;
}

/** A level of the wildcard filters' tree. `a/+/#` is root → a → + → #. */
interface Node {
  children: Map<string, Node> | null;
  entry: FilterEntry | null;
}

/** Longest topic whose routes are remembered, in characters: the cache is bounded in topics, which must not mean 64 KB each. */
const CACHED_TOPIC_LENGTH_MAX = 1_024;

const NO_ROUTES: Routes = { direct: [], shared: [] };
const NO_IDENTIFIERS: readonly number[] = [];

/**
 * From topic to receivers.
 *
 * Filters without wildcards stand in a map, those with wildcards in a tree by level. What a topic resolves to is remembered until a
 * subscription changes that could match it: one without wildcards forgets its topic, one with a literal first level forgets the topics
 * that start with that level, and only `+/...` and `#` forget everything.
 */
export class Router {
  readonly #exact = new Map<string, FilterEntry>();
  readonly #root: Node = { children: null, entry: null };
  readonly #watchers: SubscriptionWatcher[] = [];
  readonly #cache = new Map<string, Routes>();
  /** Cached topics by their first level; what a wildcard filter's change looks through. */
  readonly #cachedByFirstLevel = new Map<string, Set<string>>();
  readonly #cacheTopicsMax: number;
  #wildcardFilters = 0;
  #size = 0;

  constructor(cacheTopicsMax: number) {
    this.#cacheTopicsMax = cacheTopicsMax;
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
    const entry = this.#entryFor(subscription.filter);
    const replaced = subscription.group === null ? this.#put(entry, subscription) : this.#join(entry, subscription.group, subscription);
    if (replaced === null) {
      this.#size++;
      for (const watcher of this.#watchers) watcher.subscribed(subscription);
    }
    return replaced;
  }

  /** Takes a subscription away; returns it, or null when there was none. */
  unsubscribe(filter: string, group: string | null, subscriber: Subscriber): Subscription | null {
    const entry = this.#find(filter);
    if (!entry) return null;
    const removed = group === null ? this.#take(entry, subscriber) : this.#leave(entry, group, subscriber);
    if (removed === null) return null;
    this.#size--;
    if (entry.subscriptions.length === 0 && entry.groups === null) this.#removeEntry(filter);
    for (const watcher of this.#watchers) watcher.unsubscribed(removed);
    return removed;
  }

  /** The members of `$share/{name}/{filter}`; null when there are none. */
  group(filter: string, name: string): SharedGroup | null {
    return this.#find(filter)?.groups?.get(name) ?? null;
  }

  /** Who receives `topic` [MQTT-3.3.2-3]. The answer is shared and must not be changed. */
  match(topic: string): Routes {
    return this.#cache.get(topic) ?? this.#resolve(topic);
  }

  /** Every subscription, in no particular order. */
  *subscriptions(): Generator<Subscription> {
    for (const entry of this.#exact.values()) yield* of(entry);
    yield* below(this.#root);
  }

  #put(entry: FilterEntry, subscription: Subscription): Subscription | null {
    const at = indexOf(entry.subscriptions, subscription.subscriber);
    const replaced = at < 0 ? null : entry.subscriptions[at]!;
    entry.subscriptions[at < 0 ? entry.subscriptions.length : at] = subscription;
    this.#forget(entry.filter);
    return replaced;
  }

  #take(entry: FilterEntry, subscriber: Subscriber): Subscription | null {
    const at = indexOf(entry.subscriptions, subscriber);
    if (at < 0) return null;
    const [subscription] = entry.subscriptions.splice(at, 1);
    this.#forget(entry.filter);
    return subscription!;
  }

  /** Routes name the group and not its members: they are forgotten only when a group begins or ends. */
  #join(entry: FilterEntry, name: string, subscription: Subscription): Subscription | null {
    entry.groups ??= new Map();
    let group = entry.groups.get(name);
    if (group === undefined) {
      group = new SharedGroup(entry.filter, name, this.#watchers);
      entry.groups.set(name, group);
      this.#forget(entry.filter);
    }
    return group.add(subscription);
  }

  #leave(entry: FilterEntry, name: string, subscriber: Subscriber): Subscription | null {
    const group = entry.groups?.get(name);
    const removed = group?.remove(subscriber) ?? null;
    if (removed !== null && group!.size === 0) {
      entry.groups!.delete(name);
      if (entry.groups!.size === 0) entry.groups = null;
      this.#forget(entry.filter);
    }
    return removed;
  }

  #find(filter: string): FilterEntry | null | undefined {
    return hasWildcard(filter) ? this.#findNode(filter)?.entry : this.#exact.get(filter);
  }

  #resolve(topic: string): Routes {
    const entries: FilterEntry[] = [];
    const exact = this.#exact.get(topic);
    if (exact) entries.push(exact);
    // Levels are compared as they are [MQTT-4.7.3-4]; wildcards are served [MQTT3-3.8.3-2].
    if (this.#wildcardFilters > 0) collect(this.#root, topic.split('/'), 0, topic.charCodeAt(0) === 0x24, entries);
    const routes = entries.length === 0 ? NO_ROUTES : mergeRoutes(entries);
    this.#remember(topic, routes);
    return routes;
  }

  #remember(topic: string, routes: Routes): void {
    if (topic.length > CACHED_TOPIC_LENGTH_MAX) return;
    if (this.#cache.size >= this.#cacheTopicsMax) {
      this.#cache.clear();
      this.#cachedByFirstLevel.clear();
    }
    this.#cache.set(topic, routes);
    const level = firstLevel(topic);
    const topics = this.#cachedByFirstLevel.get(level);
    if (topics) topics.add(topic);
    else this.#cachedByFirstLevel.set(level, new Set([topic]));
  }

  #forget(filter: string): void {
    if (this.#cache.size === 0) return;
    const level = firstLevel(filter);
    if (level === '#' || level === '+') {
      this.#cache.clear();
      this.#cachedByFirstLevel.clear();
      return;
    }
    const topics = this.#cachedByFirstLevel.get(level);
    if (!topics) return;
    if (hasWildcard(filter)) {
      for (const topic of topics) {
        if (topicMatches(filter, topic)) this.#forgetTopic(topic, level, topics);
      }
    } else if (this.#cache.has(filter)) {
      this.#forgetTopic(filter, level, topics);
    }
  }

  #forgetTopic(topic: string, level: string, topics: Set<string>): void {
    this.#cache.delete(topic);
    topics.delete(topic);
    if (topics.size === 0) this.#cachedByFirstLevel.delete(level);
  }

  #entryFor(filter: string): FilterEntry {
    if (!hasWildcard(filter)) {
      let entry = this.#exact.get(filter);
      if (!entry) {
        entry = { filter, subscriptions: [], groups: null };
        this.#exact.set(filter, entry);
      }
      return entry;
    }
    let node = this.#root;
    for (const level of filter.split('/')) {
      node.children ??= new Map();
      let child = node.children.get(level);
      if (!child) {
        child = { children: null, entry: null };
        node.children.set(level, child);
      }
      node = child;
    }
    if (!node.entry) {
      node.entry = { filter, subscriptions: [], groups: null };
      this.#wildcardFilters++;
    }
    return node.entry;
  }

  #findNode(filter: string): Node | null {
    let node: Node | undefined = this.#root;
    for (const level of filter.split('/')) {
      node = node.children?.get(level);
      if (!node) return null;
    }
    return node;
  }

  #removeEntry(filter: string): void {
    if (!hasWildcard(filter)) {
      this.#exact.delete(filter);
      return;
    }
    const path: { parent: Node; level: string }[] = [];
    let node = this.#root;
    for (const level of filter.split('/')) {
      path.push({ parent: node, level });
      node = node.children!.get(level)!;
    }
    node.entry = null;
    this.#wildcardFilters--;
    for (let i = path.length - 1; i >= 0 && node.entry === null && node.children === null; i--) {
      const { parent, level } = path[i]!;
      parent.children!.delete(level);
      if (parent.children!.size === 0) parent.children = null;
      node = parent;
    }
  }
}

function indexOf(list: readonly Subscription[], subscriber: Subscriber): number {
  for (let i = 0; i < list.length; i++) if (list[i]!.subscriber === subscriber) return i;
  return -1;
}

function firstLevel(name: string): string {
  const end = name.indexOf('/');
  return end < 0 ? name : name.slice(0, end);
}

function* of({ subscriptions, groups }: FilterEntry): Generator<Subscription> {
  yield* subscriptions;
  if (groups !== null) for (const group of groups.values()) yield* group.subscriptions();
}

function* below(node: Node): Generator<Subscription> {
  if (node.entry) yield* of(node.entry);
  if (node.children) for (const child of node.children.values()) yield* below(child);
}

/** Adds the entries below `node` that match `levels[at...]`. `reserved`: the topic starts with `$`, which no leading wildcard matches. */
function collect(node: Node, levels: readonly string[], at: number, reserved: boolean, found: FilterEntry[]): void {
  const children = node.children;
  if (children === null) return;
  const wild = !(reserved && at === 0); // [MQTT-4.7.2-1]
  if (wild) {
    const rest = children.get('#');
    if (rest?.entry) found.push(rest.entry);
  }
  if (at === levels.length) return;
  const literal = children.get(levels[at]!);
  if (literal) descend(literal, levels, at + 1, reserved, found);
  if (wild) {
    const any = children.get('+');
    if (any) descend(any, levels, at + 1, reserved, found);
  }
}

function descend(node: Node, levels: readonly string[], at: number, reserved: boolean, found: FilterEntry[]): void {
  if (at === levels.length && node.entry) found.push(node.entry);
  collect(node, levels, at, reserved, found);
}

/** One route a subscriber: a client with overlapping subscriptions gets one copy, at their highest QoS [MQTT-3.3.4-2] [MQTT-3.3.4-4]. */
function mergeRoutes(entries: readonly FilterEntry[]): Routes {
  const direct: Route[] = [];
  const shared: SharedGroup[] = [];
  const seen = entries.length > 1 ? new Map<Subscriber, number>() : null;
  for (const { subscriptions, groups } of entries) {
    for (const s of subscriptions) {
      const at = seen?.get(s.subscriber);
      if (at === undefined) {
        seen?.set(s.subscriber, direct.length);
        direct.push(toRoute(s));
      } else {
        direct[at] = merge(direct[at]!, s);
      }
    }
    if (groups !== null) shared.push(...groups.values());
  }
  return { direct, shared };
}

function toRoute(s: Subscription): Route {
  return {
    subscriber: s.subscriber,
    qos: s.qos,
    noLocal: s.noLocal,
    own: null,
    retainAsPublished: s.retainAsPublished,
    identifiers: s.identifier === 0 ? NO_IDENTIFIERS : [s.identifier], // [MQTT-3.3.4-5]
    group: null,
  };
}

function merge(route: Route, s: Subscription): Route {
  return {
    subscriber: route.subscriber,
    qos: Math.max(route.qos, s.qos) as QoS,
    noLocal: route.noLocal || s.noLocal,
    own: mergeOwn(route, s),
    retainAsPublished: route.retainAsPublished || s.retainAsPublished,
    identifiers: s.identifier === 0 ? route.identifiers : [...route.identifiers, s.identifier],
    group: null,
  };
}

/** What the subscriber gets of what it publishes itself: by the subscriptions without No Local. */
function mergeOwn(route: Route, s: Subscription): Route | null {
  if (!route.noLocal) return s.noLocal ? route : null;
  if (s.noLocal) return route.own;
  return route.own === null ? toRoute(s) : merge(route.own, s);
}
