import { Alike, EdgeTable, type Filtered, type Reference } from './edge-table.ts';
import { grown } from './grown.ts';
import { END, isText, LevelHashes, PLUS, REST } from './level-hashes.ts';

/** The node that all filters stand below. */
const ROOT = 1;

/** What a node has is a number: a bit each for edges by PLUS, REST and END, and above them how many edges there are by text. */
const TEXT_EDGE = 8;

/** Edges by PLUS, REST and END, in what a node has and in its summary. */
const WILD_EDGES = 7;

/** Bits of a summary that tell of edges by text. With the three of the others it stays a small integer. */
const TEXT_BITS = 28;

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
 * The edge to a node has a summary of it as its hint: a bit for each of PLUS, REST and END, and a bit for the hashes of text that have
 * it in common. A device with five filters is so known not to have a sixth kind, nearly always, without a look for that edge. A bit for
 * text may stay when its edge has gone: it costs a look.
 *
 * A node lives until nothing is below it. One that is left with a single filter is not taken back: filters that come and go would move
 * their neighbours up and down.
 */
export class FilterTree<Value extends Filtered> {
  readonly #edges: EdgeTable<Value>;
  readonly #name: LevelHashes;
  /** The filter of a value that has to move down. */
  readonly #other: LevelHashes;
  /** What each has, by number. Those given back are a chain: each has the number of the next; 0: none. */
  #nodes = new Int32Array(8);
  #nodesMade = ROOT + 1;
  #freeNode = 0;
  #rootSummary = 0;
  #size = 0;
  /** Changes: nodes on the way. `match`: nodes that wait for their visit, each with its level and its summary. */
  #path = new Int32Array(64);

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
    const path = this.#pathFor(name.length + 1);
    let to: Reference<Value> = ROOT;
    let summary = this.#rootSummary;
    let at = -1;
    while (typeof to === 'number') {
      if (to === 0) return null;
      if (++at > 0) summary = this.#edges.hint;
      path[at] = to;
      to = this.#edges.get(to, name.levels[at]!);
    }
    const value = among(to, filter);
    if (value === null) return null;
    this.#size--;
    if (to instanceof Alike) {
      const others = to.values.filter((each) => each !== value);
      this.#edges.set(path[at]!, name.levels[at]!, others.length > 1 ? new Alike(others) : others[0]!, REST);
      return value;
    }
    this.#cut(path[at]!, name.levels[at]!);
    for (; at > 0 && this.#nodes[path[at]!] === 0; at--) {
      this.#giveBack(path[at]!);
      this.#cut(path[at - 1]!, name.levels[at - 1]!);
      summary = at > 1 ? this.#summaryOf(path[at - 2]!, name.levels[at - 2]!) : this.#rootSummary;
    }
    const has = this.#nodes[path[at]!]!;
    const left = (has & WILD_EDGES) | (has < TEXT_EDGE ? 0 : summary & ~WILD_EDGES);
    if (left !== summary) this.#summarize(at, left);
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
    const waiting = this.#pathFor(3 * length);
    const edges = this.#edges;
    let wild = topic.charCodeAt(0) !== 0x24; // at the front, a wildcard does not match `$` [MQTT-4.7.2-1] [MQTT3-3.8.3-2]
    let waits = 0;
    let node = ROOT;
    let summary = this.#rootSummary;
    let at = 0;
    for (;;) {
      let next = 0;
      if (wild && (summary & (1 << REST)) !== 0) edges.follow(node, REST, END);
      if (at === length) {
        if ((summary & (1 << END)) !== 0) edges.follow(node, END, END);
      } else {
        const level = levels[at]!;
        const after = levels[at + 1]!;
        if (wild && (summary & (1 << PLUS)) !== 0) {
          const any = edges.follow(node, PLUS, after);
          if (any !== 0) {
            waiting[waits++] = any;
            waiting[waits++] = edges.hint;
            waiting[waits++] = at + 1;
          }
        }
        if ((summary & bitOf(level)) !== 0) next = edges.follow(node, level, after);
      }
      wild = true;
      if (next !== 0) {
        node = next;
        summary = edges.hint;
        at++;
      } else if (waits !== 0) {
        at = waiting[--waits]!;
        summary = waiting[--waits]!;
        node = waiting[--waits]!;
      } else {
        break;
      }
    }
    edges.compare(topic, found);
    return name.whole;
  }

  /** All values, in no particular order. The tree must not change meanwhile. */
  values(): Generator<Value> {
    return this.#edges.values();
  }

  #put(value: Value, replace: boolean): Value | null {
    const { filter } = value;
    const name = this.#name;
    name.read(filter);
    const { levels } = name;
    const path = this.#pathFor(name.length + 1);
    const edges = this.#edges;
    let node = ROOT;
    let summary = this.#rootSummary;
    let moving: Value | null = null;
    for (let at = 0; ; at++) {
      path[at] = node;
      const level = levels[at]!;
      const to = edges.get(node, level);
      if (to === 0) {
        this.#lead(node, level, value, nextOf(levels, at));
        const more = summary | bitOf(level);
        if (more !== summary) this.#summarize(at, more);
        this.#size++;
        return null;
      }
      if (typeof to === 'number') {
        node = to;
        summary = edges.hint;
        continue;
      }
      const { hint } = edges;
      const known = among(to, filter);
      if (known !== null) {
        if (replace)
          edges.set(node, level, to instanceof Alike ? new Alike(to.values.map((each) => (each === known ? value : each))) : value, hint);
        return known;
      }
      if (to instanceof Alike || level === REST || level === END) {
        edges.set(node, level, new Alike(to instanceof Alike ? [...to.values, value] : [to, value]), REST);
        this.#size++;
        return null;
      }
      // Another filter's value hangs here: it moves down by a level.
      if (moving !== to) this.#other.read(to.filter);
      moving = to;
      const between = this.#makeNode();
      summary = bitOf(hint);
      edges.set(node, level, between, summary);
      this.#lead(between, hint, to, nextOf(this.#other.levels, at + 1));
      node = between;
    }
  }

  /** Makes a level lead to a value where it led nowhere. */
  #lead(node: number, level: number, to: Value, next: number): void {
    this.#nodes[node]! += isText(level) ? TEXT_EDGE : 1 << level;
    this.#edges.set(node, level, to, next);
  }

  /** Makes a level lead nowhere. */
  #cut(node: number, level: number): void {
    this.#nodes[node]! -= isText(level) ? TEXT_EDGE : 1 << level;
    this.#edges.delete(node, level);
  }

  /** Gives the node at a place of the path another summary. */
  #summarize(at: number, summary: number): void {
    if (at === 0) this.#rootSummary = summary;
    else this.#edges.set(this.#path[at - 1]!, this.#name.levels[at - 1]!, this.#path[at]!, summary);
  }

  /** The summary of the node that an edge leads to. */
  #summaryOf(node: number, level: number): number {
    this.#edges.get(node, level);
    return this.#edges.hint;
  }

  #pathFor(length: number): Int32Array {
    if (this.#path.length < length) this.#path = new Int32Array(2 * length);
    return this.#path;
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

/** The bit of a summary that tells of edges by a level. */
function bitOf(level: number): number {
  return isText(level) ? 8 << (((level >>> 16) * TEXT_BITS) >>> 16) : 1 << level;
}

/** The hint of a value that hangs at a level of its filter. */
function nextOf(levels: Int32Array, at: number): number {
  const level = levels[at]!;
  return level === REST || level === END ? REST : levels[at + 1]!;
}

/** The value with this filter among what hangs together. */
function among<Value extends Filtered>(hung: Value | Alike<Value>, filter: string): Value | null {
  if (hung instanceof Alike) return hung.values.find((value) => value.filter === filter) ?? null;
  return hung.filter === filter ? hung : null;
}
