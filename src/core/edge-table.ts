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

/** Slots of a page. A power of two: 96 KB, which are split in some 200 µs. */
const PAGE_SLOTS = 4_096;

/** Part of its slots that a page fills before it is split: beyond it searches get long. */
const FULL = 0.7;

/** Part of one page that two halves fill together before they become one again. Far from FULL, so that they do not go to and fro. */
const SPARSE = 0.25;

/** Top bits of a hash that choose a page, at most. A page whose edges still have them all in common grows. */
const DEPTH_MAX = 20;

class Page<Value extends Filtered> {
  /** Node and level of each slot. */
  readonly keys: Int32Array;
  readonly references: Reference<Value>[];
  /** Filters of the values that hang there. They are in `references` too, but behind another access to memory: see `follow`. */
  readonly filters: string[];
  readonly mask: number;
  /** How many of the top bits of their hashes its edges have in common. */
  readonly depth: number;
  used = 0;

  constructor(slots: number, depth: number) {
    this.keys = new Int32Array(slots * 2);
    this.references = new Array<Reference<Value>>(slots).fill(0);
    this.filters = new Array<string>(slots).fill('');
    this.mask = slots - 1;
    this.depth = depth;
  }

  get full(): boolean {
    return this.used >= this.references.length * FULL;
  }

  /** The slot of the edge, or the one where it would be put. */
  find(hash: number, node: number, level: number): number {
    const { keys, references, mask } = this;
    let slot = hash & mask;
    while (!(keys[slot * 2 + 1] === level && keys[slot * 2] === node) && references[slot] !== 0) slot = (slot + 1) & mask;
    return slot;
  }

  write(slot: number, node: number, level: number, to: Reference<Value>): void {
    this.keys[slot * 2] = node;
    this.keys[slot * 2 + 1] = level;
    this.references[slot] = to;
    this.filters[slot] = typeof to === 'number' || to instanceof Alike ? '' : to.filter;
  }

  /** Adds an edge that is not there. */
  add(hash: number, node: number, level: number, to: Reference<Value>): void {
    this.write(this.find(hash, node, level), node, level, to);
    this.used++;
  }

  /** Takes the edge in a slot away. Those behind that were pushed past the slot move up. */
  clear(slot: number): void {
    const { keys, references, mask } = this;
    let gap = slot;
    for (let i = (gap + 1) & mask; references[i] !== 0; i = (i + 1) & mask) {
      const node = keys[i * 2]!;
      const level = keys[i * 2 + 1]!;
      if (((i - hashOf(node, level)) & mask) < ((i - gap) & mask)) continue;
      this.write(gap, node, level, references[i]!);
      gap = i;
    }
    this.write(gap, 0, 0, 0);
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
 *     directory   00 ──► page (depth 2)       page   keys        | node level | node level |  0 0  | ...
 *                 01 ──► page (depth 2)              references  |     7      |   value    |   0   | ...
 *                 10 ─┬► page (depth 1)              filters     |            |  its filter |       | ...
 *                 11 ─┘
 */
export class EdgeTable<Value extends Filtered> {
  #directory: Page<Value>[];
  #depth = 0;
  readonly #pageSlots: number;

  /** @param pageSlots a power of two, 4 at least; small in tests */
  constructor(pageSlots = PAGE_SLOTS) {
    this.#pageSlots = pageSlots;
    this.#directory = [new Page<Value>(pageSlots, 0)];
  }

  get(node: number, level: number): Reference<Value> {
    const hash = hashOf(node, level);
    const page = this.#pageOf(hash);
    return page.references[page.find(hash, node, level)]!;
  }

  /**
   * Goes on by an edge, for a topic: returns the node it leads to, or 0. A value that hangs there is added to `found` if its filter matches.
   *
   * With a million filters each access to memory waits for it: the value and the text of its filter are therefore asked for at the same time
   * and not one by the other.
   */
  follow(node: number, level: number, topic: string, found: Value[]): number {
    const hash = hashOf(node, level);
    const page = this.#pageOf(hash);
    const slot = page.find(hash, node, level);
    const to = page.references[slot]!;
    if (typeof to === 'number') return to;
    const filter = page.filters[slot]!;
    if (to instanceof Alike) {
      for (const value of to.values) if (topicMatches(value.filter, topic)) found.push(value);
    } else if (topicMatches(filter, topic)) {
      found.push(to);
    }
    return 0;
  }

  /** Adds the edge, or leads it elsewhere. `to` is not 0. */
  set(node: number, level: number, to: Reference<Value>): void {
    const hash = hashOf(node, level);
    let page = this.#pageOf(hash);
    const slot = page.find(hash, node, level);
    if (page.references[slot] !== 0) {
      page.write(slot, node, level, to);
      return;
    }
    while (page.full) {
      this.#makeRoom(page, hash);
      page = this.#pageOf(hash);
    }
    page.add(hash, node, level, to);
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
      for (const to of page.references) {
        if (to instanceof Alike) yield* to.values;
        else if (typeof to !== 'number') yield to;
      }
    }
  }

  #pageOf(hash: number): Page<Value> {
    return this.#directory[topBits(hash, this.#depth)]!;
  }

  #makeRoom(page: Page<Value>, hash: number): void {
    if (page.depth === DEPTH_MAX) {
      const grown = new Page<Value>(page.references.length * 2, page.depth);
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
  const { keys, references } = page;
  for (let slot = 0; slot < references.length; slot++) {
    const to = references[slot]!;
    if (to === 0) continue;
    const node = keys[slot * 2]!;
    const level = keys[slot * 2 + 1]!;
    const hash = hashOf(node, level);
    (topBits(hash, low.depth) & 1 ? high : low).add(hash, node, level, to);
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
