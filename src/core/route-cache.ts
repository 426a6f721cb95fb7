import type { MatchedRoutes } from './matched-routes.ts';
import { topicMatches } from './topic-filter.ts';

/** Longest topic whose routes are remembered, in characters: the cache is bounded in topics, which must not mean 64 KB each. */
const TOPIC_LENGTH_MAX = 1_024;

/** Routes remembered, over all topics: a few topics that each go to ten thousand receivers must not fill the memory. */
const ROUTES_MAX = 1_000_000;

/**
 * Changes remembered. Beyond it a topic is resolved anew, which takes as long as looking at some fifty filters. A power of two.
 */
const CHANGES = 32;

/** One in so many newcomers is remembered at once: two topics whose hashes meet at one place must not keep each other out for ever. */
const LUCKY = 64;

/**
 * What topics resolve to.
 *
 * A change of subscriptions touches nothing here but a number, the generation, and a short list of the filters that changed last. It is the
 * next look at a topic that asks whether one of those matches: so changes cost the same however many topics are remembered, and a filter such
 * as `#` or `+/x` is no worse than any other.
 *
 *     generation    ...  57       58        59        60                    topic a/b, right at 57: does one of 58, 59 and 60 match?
 *     changed           x/y/+    a/c/#     +/b/c     a/+/q                  no: it is right at 60
 *
 * Topics are in two maps. When `recent` is full it becomes `older`, and the former `older` goes: what is asked for again moves back to
 * `recent`, what is not goes in the end. Once there is no room a topic is remembered from its second time on: those that come once and not
 * again then push nothing out, and leave nothing behind that the garbage collector would have to carry about.
 */
export class RouteCache {
  /** Counts the changes of subscriptions. Routes found at one generation are right until the next. */
  generation = 0;
  readonly #changed: string[] = new Array<string>(CHANGES).fill('');
  readonly #topicsMax: number;
  #recent = new Map<string, MatchedRoutes>();
  #older = new Map<string, MatchedRoutes>();
  /** Routes in lists that no other topic shares, of the topics in `recent`. */
  #recentRoutes = 0;
  /** Hashes of newcomers, each at the place that its last bits say. */
  readonly #asked: Int32Array;
  #newcomers = 0;

  /** @param topicsMax topics remembered; each map has half of them */
  constructor(topicsMax: number) {
    this.#topicsMax = Math.ceil(topicsMax / 2);
    this.#asked = new Int32Array(2 ** Math.ceil(Math.log2(topicsMax + 1)));
  }

  /** Topics remembered. */
  get size(): number {
    return this.#recent.size + this.#older.size;
  }

  /** The subscriptions with this filter are others now. */
  changed(filter: string): void {
    this.generation++;
    this.#changed[this.generation & (CHANGES - 1)] = filter;
  }

  /** The routes of a topic as they are now, if they are known. */
  get(topic: string): MatchedRoutes | undefined {
    const routes = this.#recent.get(topic);
    if (routes !== undefined) return routes.generation === this.generation || this.#stillRight(topic, routes) ? routes : undefined;
    const older = this.#older.get(topic);
    if (older === undefined || !this.#stillRight(topic, older)) return undefined;
    this.#keep(topic, older);
    return older;
  }

  /** @param hash of the topic */
  put(topic: string, hash: number, routes: MatchedRoutes): void {
    if (topic.length > TOPIC_LENGTH_MAX) return;
    if (this.#older.size > 0 && !this.#mayStay(hash)) return;
    this.#keep(topic, routes);
  }

  /** Whether a topic that is not remembered has been asked for before, as far as can be told. */
  #mayStay(hash: number): boolean {
    const place = hash & (this.#asked.length - 1);
    if (this.#asked[place] === hash) return true;
    this.#asked[place] = hash;
    return ++this.#newcomers % LUCKY === 0;
  }

  #keep(topic: string, routes: MatchedRoutes): void {
    if (this.#recent.size >= this.#topicsMax || this.#recentRoutes >= ROUTES_MAX / 2) {
      this.#older = this.#recent;
      this.#recent = new Map();
      this.#recentRoutes = 0;
    }
    this.#recent.set(topic, routes);
    if (routes.merged) this.#recentRoutes += routes.direct.length;
  }

  #stillRight(topic: string, routes: MatchedRoutes): boolean {
    if (this.generation - routes.generation > CHANGES) return false;
    for (let g = routes.generation + 1; g <= this.generation; g++) if (topicMatches(this.#changed[g & (CHANGES - 1)]!, topic)) return false;
    routes.generation = this.generation;
    return true;
  }
}
