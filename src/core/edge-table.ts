import { END, PLUS, REST } from './level-hashes.ts';
import { topicMatches } from './topic-filter.ts';

/** What hangs in the tree: it knows its filter. */
export interface Filtered {
  readonly filter: string;
}

/** Values whose filters are different and cannot be told apart by hashes. */
export class Alike<Value extends Filtered> {
  readonly values: readonly Value[];

  constructor(values: readonly Value[]) {
    this.values = values;
  }
}

/** What an edge leads to: the number of a node, from 1 on, or what hangs there. 0: there is no edge. */
export type Reference<Value extends Filtered> = number | Value | Alike<Value>;

/** Slots of a page. A power of two: 128 KB, which are split in some 200 µs. */
const PAGE_SLOTS = 4_096;

/** Part of its slots that a page fills before it is split: beyond it searches get long. */
const FULL = 0.7;

/** Part of one page that two halves fill together before they become one again. Far from FULL, so that they do not go to and fro. */
const SPARSE = 0.25;

/** Top bits of a hash that choose a page, at most. A page whose edges still have them all in common grows. */
const DEPTH_MAX = 20;

/** Numbers of a slot in `Page.edges`: 16 bytes, so that no slot lies in two lines of the processor's cache. */
const NODE = 0;
const LEVEL = 1;
const TO = 2;
const HINT = 3;
const STRIDE = 4;

/** What TO says of an edge that leads to no node but has something hanging there. */
const HUNG = -1;

class Page<Value extends Filtered> {
  readonly edges: Int32Array;
  /** For each slot what hangs there, and the filter of a value: it knows it too, but behind another access to memory. See `follow`. */
  readonly hung: (Value | Alike<Value> | string | null)[];
  readonly slots: number;
  /** Of a place in `edges`. */
  readonly mask: number;
  /** How many of the top bits of their hashes its edges have in common. */
  readonly depth: number;
  used = 0;

  constructor(slots: number, depth: number) {
    this.edges = new Int32Array(slots * STRIDE);
    this.hung = new Array<Value | Alike<Value> | string | null>(slots * 2).fill(null);
    this.slots = slots;
    this.mask = slots * STRIDE - 1;
    this.depth = depth;
  }

  get full(): boolean {
    return this.used >= this.slots * FULL;
  }

  /** Where in `edges` the edge begins, or would be put. */
  find(hash: number, node: number, level: number): number {
    const { edges, mask } = this;
    let at = (hash * STRIDE) & mask;
    for (let of = edges[at]!; of !== 0 && !(of === node && edges[at + LEVEL] === level); of = edges[at]!) at = (at + STRIDE) & mask;
    return at;
  }

  read(at: number): Reference<Value> {
    const to = this.edges[at + TO]!;
    return to === HUNG ? (this.hung[at / 2] as Value | Alike<Value>) : to;
  }

  write(at: number, node: number, level: number, to: Reference<Value>, hint: number): void {
    const { edges, hung } = this;
    const isNode = typeof to === 'number';
    edges[at + NODE] = node;
    edges[at + LEVEL] = level;
    edges[at + TO] = isNode ? to : HUNG;
    edges[at + HINT] = hint;
    hung[at / 2] = isNode ? null : to;
    hung[at / 2 + 1] = isNode || to instanceof Alike ? null : to.filter;
  }

  /** Adds an edge that is not there. */
  add(hash: number, node: number, level: number, to: Reference<Value>, hint: number): void {
    this.write(this.find(hash, node, level), node, level, to, hint);
    this.used++;
  }

  /** Takes an edge away. Those behind that were pushed past its slot move up. */
  clear(edge: number): void {
    const { edges, mask } = this;
    let gap = edge;
    for (let at = (gap + STRIDE) & mask; edges[at] !== 0; at = (at + STRIDE) & mask) {
      const node = edges[at + NODE]!;
      const level = edges[at + LEVEL]!;
      if (((at - hashOf(node, level) * STRIDE) & mask) < ((at - gap) & mask)) continue;
      this.write(gap, node, level, this.read(at), edges[at + HINT]!);
      gap = at;
    }
    this.write(gap, 0, 0, 0, 0);
    this.used--;
  }
}

/**
 * The edges of a tree: from a node, by a number that stands for a level, to what is below.
 *
 * A hash table in pages. The top bits of an edge's hash choose the page, its low bits the slot where the search begins; who finds a slot
 * taken takes the next. A full page is split by one more bit, so that a change never moves more than one page: a table that doubles as a
 * whole stops everybody for a tenth of a second when it has a million.
 *
 *     directory   00 ──► page (depth 2)       page   edges   | node level to hint | node level to hint |  0 0 0 0  | ...
 *                 01 ──► page (depth 2)              hung    |     -        -     |   value  filter    |   -   -   | ...
 *                 10 ─┬► page (depth 1)
 *                 11 ─┘
 *
 * With a million filters nearly each slot that is looked at lies in memory that no cache of the processor holds. So an edge carries a hint
 * of what is behind it, and most of what does not lead on is known without another look:
 *
 *     to a node    what edges that one may have: the tree's business
 *     to a value   the level that its filter has next; REST: none, or whatever hangs there is to be compared
 */
export class EdgeTable<Value extends Filtered> {
  /** The hint of the edge that was read or followed last. */
  hint = 0;
  #directory: Page<Value>[];
  #depth = 0;
  readonly #pageSlots: number;
  /** What waits to be compared: pages, and places in their `hung`. A page that is no more is kept from being freed until another waits there. */
  readonly #pages: Page<Value>[] = [];
  readonly #places: number[] = [];
  #waiting = 0;

  /** @param pageSlots a power of two, 4 at least; small in tests */
  constructor(pageSlots = PAGE_SLOTS) {
    this.#pageSlots = pageSlots;
    this.#directory = [new Page<Value>(pageSlots, 0)];
  }

  get(node: number, level: number): Reference<Value> {
    const hash = hashOf(node, level);
    const page = this.#pageOf(hash);
    const at = page.find(hash, node, level);
    this.hint = page.edges[at + HINT]!;
    return page.read(at);
  }

  /**
   * Goes on by an edge, for a topic: returns the node it leads to, or 0. What hangs there waits to be compared with the topic.
   * @param next the topic's next level
   */
  follow(node: number, level: number, next: number): number {
    const hash = hashOf(node, level);
    const page = this.#pageOf(hash);
    const at = page.find(hash, node, level);
    const to = page.edges[at + TO]!;
    const hint = page.edges[at + HINT]!;
    if (to !== HUNG) {
      this.hint = hint;
      return to;
    }
    if (hint !== next && hint !== REST && (hint !== PLUS || next === END)) return 0;
    this.#pages[this.#waiting] = page;
    this.#places[this.#waiting++] = at / 2;
    return 0;
  }

  /**
   * Compares what waits: adds to `found` the values whose filters match. Apart from the walk, so that the processor has the walk's other
   * accesses to memory under way and not one behind the comparison with what another found.
   */
  compare(topic: string, found: Value[]): void {
    for (let i = 0; i < this.#waiting; i++) {
      const { hung } = this.#pages[i]!;
      const place = this.#places[i]!;
      const each = hung[place] as Value | Alike<Value>;
      const filter = hung[place + 1] as string;
      // Looking at its kind fetches the value, which whoever finds it needs, while its filter is on the way.
      if (each instanceof Alike) {
        for (const value of each.values) if (topicMatches(value.filter, topic)) found.push(value);
      } else if (topicMatches(filter, topic)) {
        found.push(each);
      }
    }
    this.#waiting = 0;
  }

  /** Adds the edge, or leads it elsewhere. `to` is not 0. */
  set(node: number, level: number, to: Reference<Value>, hint: number): void {
    const hash = hashOf(node, level);
    let page = this.#pageOf(hash);
    const at = page.find(hash, node, level);
    if (page.edges[at] !== 0) {
      page.write(at, node, level, to, hint);
      return;
    }
    while (page.full) {
      this.#makeRoom(page, hash);
      page = this.#pageOf(hash);
    }
    page.add(hash, node, level, to, hint);
  }

  /** Takes away an edge that is there. */
  delete(node: number, level: number): void {
    const hash = hashOf(node, level);
    const page = this.#pageOf(hash);
    page.clear(page.find(hash, node, level));
    if (page.depth > 0) this.#mergeIfSparse(page, hash);
  }

  /** All values, in no particular order. The table must not change meanwhile. */
  *values(): Generator<Value> {
    for (const page of new Set(this.#directory)) {
      for (const hung of page.hung) {
        if (hung instanceof Alike) yield* hung.values;
        else if (hung !== null && typeof hung !== 'string') yield hung;
      }
    }
  }

  #pageOf(hash: number): Page<Value> {
    return this.#directory[topBits(hash, this.#depth)]!;
  }

  #makeRoom(page: Page<Value>, hash: number): void {
    if (page.depth === DEPTH_MAX) {
      const grown = new Page<Value>(page.slots * 2, page.depth);
      move(page, grown, grown);
      this.#place(hash, page.depth, grown);
      return;
    }
    const depth = page.depth + 1;
    if (depth > this.#depth) {
      this.#directory = this.#directory.flatMap((each) => [each, each]);
      this.#depth = depth;
    }
    const low = new Page<Value>(this.#pageSlots, depth);
    const high = new Page<Value>(this.#pageSlots, depth);
    move(page, low, high);
    const bit = 1 << (32 - depth);
    this.#place(hash & ~bit, depth, low);
    this.#place(hash | bit, depth, high);
  }

  #mergeIfSparse(page: Page<Value>, hash: number): void {
    const other = this.#pageOf(hash ^ (1 << (32 - page.depth)));
    if (other.depth !== page.depth || page.used + other.used > this.#pageSlots * SPARSE) return;
    const merged = new Page<Value>(this.#pageSlots, page.depth - 1);
    move(page, merged, merged);
    move(other, merged, merged);
    this.#place(hash, merged.depth, merged);
  }

  /** Makes `page` the one of all hashes that have the first `depth` bits in common with `hash`. */
  #place(hash: number, depth: number, page: Page<Value>): void {
    const places = 1 << (this.#depth - depth);
    const first = topBits(hash, depth) * places;
    this.#directory.fill(page, first, first + places);
  }
}

/** Moves all edges of `page` to `low` or `high`, by the last of the bits that those have in common. */
function move<Value extends Filtered>(page: Page<Value>, low: Page<Value>, high: Page<Value>): void {
  const { edges } = page;
  for (let at = 0; at < edges.length; at += STRIDE) {
    const node = edges[at + NODE]!;
    if (node === 0) continue;
    const level = edges[at + LEVEL]!;
    const hash = hashOf(node, level);
    (topBits(hash, low.depth) & 1 ? high : low).add(hash, node, level, page.read(at), edges[at + HINT]!);
  }
}

/** A shift by 32 is none in JavaScript. */
function topBits(hash: number, count: number): number {
  return count === 0 ? 0 : hash >>> (32 - count);
}

/** Spreads well in its first and in its last bits. The constants are those of MurmurHash3's last step. */
function hashOf(node: number, level: number): number {
  let h = Math.imul(node, 0x9e37_79b1) ^ level;
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
  return h ^ (h >>> 16);
}
