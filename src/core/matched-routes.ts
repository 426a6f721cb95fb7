import type { DestinationPolicy } from './destination-policies.ts';
import type { FilterEntry } from './filter-entry.ts';
import type { QoS } from './message.ts';
import type { SharedGroup } from './shared-group.ts';
import { type Route, type Routes, type Subscriber, Subscription } from './subscription.ts';

/** More routes than this are searched by a Map for the one of a subscriber. */
const SEARCHED_MAX = 16;

const NO_ROUTES: readonly Route[] = [];
const NO_SHARED: readonly SharedGroup[] = [];

/** Who receives one topic. */
export class MatchedRoutes implements Routes {
  readonly direct: readonly Route[];
  readonly shared: readonly SharedGroup[];
  readonly policy: DestinationPolicy | null;
  /** Whether `direct` is a list of its own and not one that many topics share. */
  readonly merged: boolean;
  /** The router's generation up to which this is known to be right. The router's business. */
  generation: number;

  constructor(
    direct: readonly Route[],
    shared: readonly SharedGroup[],
    merged: boolean,
    generation: number,
    policy: DestinationPolicy | null = null,
  ) {
    this.direct = direct;
    this.shared = shared;
    this.policy = policy;
    this.merged = merged;
    this.generation = generation;
  }
}

/** Several matching subscriptions of one subscriber. */
class MergedRoute implements Route {
  readonly subscriber: Subscriber;
  readonly qos: QoS;
  readonly noLocal: boolean;
  readonly own: Route | null;
  readonly retainAsPublished: boolean;
  readonly identifiers: readonly number[];
  readonly sharedGroup = null;
  readonly subscription: Subscription;

  constructor(route: Route, other: Subscription) {
    this.subscriber = route.subscriber;
    this.qos = Math.max(route.qos, other.qos) as QoS;
    this.noLocal = route.noLocal || other.noLocal;
    this.own = ownOf(route, other);
    this.retainAsPublished = route.retainAsPublished || other.retainAsPublished;
    this.identifiers = route.identifiers.concat(other.identifiers);
    this.subscription = namedLength(other.filter) > namedLength(route.subscription.filter) ? other : route.subscription;
  }
}

/** How much of a filter stands before its first wildcard. */
function namedLength(filter: string): number {
  const wild = filter.search(/[+#]/);
  return wild < 0 ? filter.length : wild;
}

/** What the subscriber gets of what it publishes itself: by the subscriptions without No Local. */
function ownOf(route: Route, other: Subscription): Route | null {
  if (!route.noLocal) return other.noLocal ? route : null;
  if (other.noLocal) return route.own;
  return route.own === null ? other : new MergedRoute(route.own, other);
}

/**
 * Merges what matches a topic: one route a subscriber. A client with overlapping subscriptions gets one copy, at their highest QoS
 * [MQTT-3.3.4-2] [MQTT-3.3.4-4].
 *
 * @param found a lone ordinary subscription stands for its filter's entry
 */
export function mergeRoutes(
  found: readonly (Subscription | FilterEntry)[],
  generation: number,
  policy: DestinationPolicy | null = null,
): MatchedRoutes {
  if (found.length === 0) return new MatchedRoutes(NO_ROUTES, NO_SHARED, false, generation, policy);
  if (found.length === 1) {
    const only = found[0]!;
    if (only instanceof Subscription) return new MatchedRoutes([only], NO_SHARED, true, generation, policy);
    return new MatchedRoutes(only.direct, only.shared, false, generation, policy);
  }
  // Begun with the longest list as it is: of ten thousand subscribers and one other only the other is looked for.
  let longest: FilterEntry | null = null;
  for (const each of found) if (!(each instanceof Subscription) && each.direct.length > (longest?.direct.length ?? 0)) longest = each;
  const direct = new Merging(longest);
  let shared = NO_SHARED;
  for (const each of found) {
    if (each instanceof Subscription) {
      direct.add(each);
      continue;
    }
    if (each !== longest) for (const subscription of each.direct) direct.add(subscription);
    if (each.shared.length > 0) shared = shared.concat(each.shared);
  }
  return new MatchedRoutes(direct.routes, shared, true, generation, policy);
}

class Merging {
  readonly routes: Route[];
  readonly #base: FilterEntry | null;
  readonly #baseLength: number;
  /** Where those that the base does not have stand; null while they are few. */
  #places: Map<Subscriber, number> | null = null;

  constructor(base: FilterEntry | null) {
    this.#base = base;
    this.routes = base === null ? [] : base.direct.slice();
    this.#baseLength = this.routes.length;
  }

  add(subscription: Subscription): void {
    const at = this.#indexOf(subscription.subscriber);
    if (at >= 0) {
      this.routes[at] = new MergedRoute(this.routes[at]!, subscription);
      return;
    }
    this.#places?.set(subscription.subscriber, this.routes.length);
    this.routes.push(subscription);
    if (this.#places === null && this.routes.length - this.#baseLength > SEARCHED_MAX) this.#makePlaces();
  }

  #indexOf(subscriber: Subscriber): number {
    const at = this.#base === null ? -1 : this.#base.indexOf(subscriber);
    if (at >= 0) return at;
    if (this.#places !== null) return this.#places.get(subscriber) ?? -1;
    for (let i = this.#baseLength; i < this.routes.length; i++) if (this.routes[i]!.subscriber === subscriber) return i;
    return -1;
  }

  #makePlaces(): void {
    this.#places = new Map();
    for (let i = this.#baseLength; i < this.routes.length; i++) this.#places.set(this.routes[i]!.subscriber, i);
  }
}
