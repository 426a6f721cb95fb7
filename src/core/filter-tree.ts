import { Alike, EdgeTable, type Filtered, type Reference } from './edge-table.ts';
import { grown } from './grown.ts';
import { END, isText, LevelHashes, PLUS, REST } from './level-hashes.ts';

/** The node that all filters stand below. */
const ROOT = 1;

/** A node is a number of its own kind: a bit each for edges by PLUS, REST and END, and above them how many edges there are by text. */
const TEXT_EDGE = 8;

/**
 * A value for each topic filter, and all values whose filters match a topic. Made for millions: a filter takes an edge of 16 bytes and,
 * where it shares its beginning with others, its part of a node of 4 bytes and that one's edge.
 *
 * The tree goes level by level, and all its edges are in one table. A value hangs as high as its filter is alone there, and moves down when
 * another one comes the same way:
 *
 *     fleet/+/d17/cmd/#                         fleet/+/d17/cmd/#  and  fleet/+/d18/+  and  fleet/+
 *
 *     ROOT ─fleet─► fleet/+/d17/cmd/#           ROOT ─fleet─► 2 ─PLUS─► 3 ─d17─► fleet/+/d17/cmd/#
 *                                                                         ─d18─► fleet/+/d18/+
 *                                                                         ─END─► fleet/+
 *
 * Edges know levels by their hashes alone, and a value may hang above its last level: what a walk finds is compared with the topic as text
 * in the end, as it is [MQTT-4.7.3-4]. Different filters that have the same hashes all along hang together.
 *
 * A node lives until nothing is below it. One that is left with a single filter is not taken back: filters that come and go would move
 * their neighbours up and down.
 */
export class FilterTree<Value extends Filtered> {
  readonly #edges: EdgeTable<Value>;
  readonly #name: LevelHashes;
  /** The filter of a value that has to move down. */
  readonly #other: LevelHashes;
  /** By number. Those given back are a chain: each has the number of the next; 0: none. */
  #nodes = new Int32Array(8);
  #nodesMade = ROOT + 1;
  #freeNode = 0;
  #size = 0;
  /** `delete`: nodes on the way. `match`: nodes that wait for their visit, each with its level. */
  #path = new Int32Array(32);

  /**
   * @param seed 32 bits, secret
   * @param hashMask bits of a level's hash that count; for tests
   * @param pageSlots slots of a page of the table of edges; for tests
   */
  constructor(seed: number, hashMask?: number, pageSlots?: number) {
    this.#edges = new EdgeTable(pageSlots);
    this.#name = new LevelHashes(seed, hashMask);
    this.#other = new LevelHashes(seed, hashMask);
  }

  /** Number of filters. */
  get size(): number {
    return this.#size;
  }

  /** Number of nodes: what filters that begin alike take besides their own edges. */
  get nodes(): number {
    let free = 0;
    for (let node = this.#freeNode; node !== 0; node = this.#nodes[node]!) free++;
    return this.#nodesMade - ROOT - free;
  }

  get(filter: string): Value | null {
    const name = this.#name;
    name.read(filter);
    let to: Reference<Value> = ROOT;
    for (let at = 0; typeof to === 'number'; at++) {
      if (to === 0) return null;
      to = this.#edges.get(to, name.levels[at]!);
    }
    return among(to, filter);
  }

  /** Adds a value, unless its filter has one: returns that. */
  add(value: Value): Value | null {
    return this.#put(value, false);
  }

  /** Puts a value in the place of the one that its filter has, or adds it. */
  set(value: Value): void {
    this.#put(value, true);
  }

  /** Takes a filter's value away; returns it, or null when there was none. */
  delete(filter: string): Value | null {
    const name = this.#name;
    name.read(filter);
    if (this.#path.length <= name.length) this.#path = new Int32Array(name.length * 2);
    const path = this.#path;
    let to: Reference<Value> = ROOT;
    let at = -1;
    while (typeof to === 'number') {
      if (to === 0) return null;
      path[++at] = to;
      to = this.#edges.get(to, name.levels[at]!);
    }
    const value = among(to, filter);
    if (value === null) return null;
    this.#size--;
    if (to instanceof Alike) {
      const others = to.values.filter((each) => each !== value);
      this.#edges.set(path[at]!, name.levels[at]!, others.length > 1 ? new Alike(others) : others[0]!);
      return value;
    }
    this.#cut(path[at]!, name.levels[at]!);
    for (; at > 0 && this.#nodes[path[at]!] === 0; at--) {
      this.#giveBack(path[at]!);
      this.#cut(path[at - 1]!, name.levels[at - 1]!);
    }
    return value;
  }

  /**
   * Adds to `found` the values whose filters match a valid topic name.
   * @returns a hash of the topic: 32 bits, the same each time
   */
  match(topic: string, found: Value[]): number {
    const name = this.#name;
    name.read(topic);
    const { levels, length } = name;
    // At each level one node at most has to wait: the one below `+` is visited after the one below text.
    if (this.#path.length < 2 * length) this.#path = new Int32Array(3 * length);
    const waiting = this.#path;
    const nodes = this.#nodes;
    const edges = this.#edges;
    let wild = topic.charCodeAt(0) !== 0x24; // at the front, a wildcard does not match `$` [MQTT-4.7.2-1] [MQTT3-3.8.3-2]
    let waits = 0;
    let node = ROOT;
    let at = 0;
    for (;;) {
      const has = nodes[node]!;
      let next = 0;
      if (wild && (has & (1 << REST)) !== 0) edges.follow(node, REST, topic, found);
      if (at === length) {
        if ((has & (1 << END)) !== 0) edges.follow(node, END, topic, found);
      } else {
        if (wild && (has & (1 << PLUS)) !== 0) {
          const any = edges.follow(node, PLUS, topic, found);
          if (any !== 0) {
            waiting[waits++] = any;
            waiting[waits++] = at + 1;
          }
        }
        if (has >= TEXT_EDGE) next = edges.follow(node, levels[at]!, topic, found);
      }
      wild = true;
      if (next !== 0) {
        node = next;
        at++;
      } else if (waits !== 0) {
        at = waiting[--waits]!;
        node = waiting[--waits]!;
      } else {
        return name.whole;
      }
    }
  }

  /** All values, in no particular order. The tree must not change meanwhile. */
  values(): Generator<Value> {
    return this.#edges.values();
  }

  #put(value: Value, replace: boolean): Value | null {
    const { filter } = value;
    const name = this.#name;
    name.read(filter);
    const edges = this.#edges;
    let node = ROOT;
    let moving: Value | null = null;
    for (let at = 0; ; at++) {
      const level = name.levels[at]!;
      const to = edges.get(node, level);
      if (to === 0) {
        this.#lead(node, level, value);
        this.#size++;
        return null;
      }
      if (typeof to === 'number') {
        node = to;
        continue;
      }
      const known = among(to, filter);
      if (known !== null) {
        if (replace)
          edges.set(node, level, to instanceof Alike ? new Alike(to.values.map((each) => (each === known ? value : each))) : value);
        return known;
      }
      if (to instanceof Alike || level === REST || level === END) {
        edges.set(node, level, new Alike(to instanceof Alike ? [...to.values, value] : [to, value]));
        this.#size++;
        return null;
      }
      // Another filter's value hangs here: it moves down by a level.
      if (moving !== to) this.#other.read(to.filter);
      moving = to;
      const between = this.#makeNode();
      edges.set(node, level, between);
      this.#lead(between, this.#other.levels[at + 1]!, to);
      node = between;
    }
  }

  /** Makes a level lead somewhere that led nowhere. */
  #lead(node: number, level: number, to: Value): void {
    this.#nodes[node]! += isText(level) ? TEXT_EDGE : 1 << level;
    this.#edges.set(node, level, to);
  }

  /** Makes a level lead nowhere. */
  #cut(node: number, level: number): void {
    this.#nodes[node]! -= isText(level) ? TEXT_EDGE : 1 << level;
    this.#edges.delete(node, level);
  }

  #makeNode(): number {
    const free = this.#freeNode;
    if (free !== 0) {
      this.#freeNode = this.#nodes[free]!;
      this.#nodes[free] = 0;
      return free;
    }
    if (this.#nodesMade === this.#nodes.length) this.#nodes = grown(this.#nodes);
    return this.#nodesMade++;
  }

  #giveBack(node: number): void {
    this.#nodes[node] = this.#freeNode;
    this.#freeNode = node;
  }
}

/** The value with this filter among what hangs together. */
function among<Value extends Filtered>(hung: Value | Alike<Value>, filter: string): Value | null {
  if (hung instanceof Alike) return hung.values.find((value) => value.filter === filter) ?? null;
  return hung.filter === filter ? hung : null;
}
