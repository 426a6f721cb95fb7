import { compareStamps, type Stamp } from './hybrid-clock.ts';
import type { Limits } from './limits.ts';
import type { Message } from './message.ts';
import { Tombstones } from './tombstones.ts';
import { hasWildcard, isBrokerTopic } from './topic-filter.ts';
import type { Usage } from './usage.ts';

/** Least time between two searches for expired messages, in milliseconds. */
const SWEEP_INTERVAL_MS = 10_000;

/** Beside half of all, so many children of a level may have nothing. */
const IDLE_MIN = 16;

interface Node {
  children: Level | null;
  message: Message | null;
}

/**
 * The children of a node. One that has nothing any more, which is to say neither message nor children, stays for a while: a Map keeps what is
 * deleted from it until it is built anew, and a topic that is set and cleared again and again would walk past all its earlier selves.
 */
class Level extends Map<string, Node> {
  /** Children that have nothing; fewer than all. */
  idle = 0;
}

/** A message that has expired, with its stamp; or (null) a removal that is not remembered any longer. */
export interface Dropped {
  readonly topic: string;
  readonly expiredAt: Stamp | null;
}

/**
 * The retained message of each topic. Every write carries a stamp and the newest stamp wins, whatever order writes arrive in, so that
 * brokers which exchange their writes end with the same content. A removal is remembered for a while (a tombstone) for the same reason.
 */
export class RetainedMessages {
  readonly #root: Node = { children: null, message: null };
  readonly #tombstones: Tombstones;
  readonly #limits: Limits;
  readonly #wallNow: () => number;
  readonly #usage: Usage;
  #size = 0;
  #bytes = 0;
  /** Of these, what the broker says of itself: limits are for what clients retain. */
  #ownSize = 0;
  #ownBytes = 0;
  /** Of these, those that expire. */
  #expiring = 0;
  /** Where the search for expired ones is; null: between two. */
  #search: Generator<Message, void> | null = null;
  #sweptAtMs = Number.NEGATIVE_INFINITY;
  /** What it has let go of by itself and its store does not know. */
  #dropped: Dropped[] = [];

  constructor(limits: Limits, wallNow: () => number, usage: Usage) {
    this.#limits = limits;
    this.#wallNow = wallNow;
    this.#tombstones = new Tombstones(limits);
    this.#usage = usage;
  }

  /** Number of retained messages. */
  get size(): number {
    return this.#size;
  }

  /** Payload, topic and properties of all, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  has(topic: string): boolean {
    return this.#find(topic)?.message != null;
  }

  /** The limit that keeps this message out, or null when it fits: in the place of the one kept for its topic, or of ones that have expired. */
  fullFor(message: Message): 'retainedMessages' | 'retainedBytes' | null {
    if (this.#limitFor(message) === null) return null;
    this.#removeExpired();
    return this.#limitFor(message);
  }

  #limitFor(message: Message): 'retainedMessages' | 'retainedBytes' | null {
    const kept = this.#find(message.topic)?.message ?? null;
    if (kept === null && this.#size - this.#ownSize >= this.#limits.retainedMessages) return 'retainedMessages';
    return this.#bytes - this.#ownBytes - (kept?.size ?? 0) + message.size > this.#limits.retainedBytes ? 'retainedBytes' : null;
  }

  get(topic: string): Message | null {
    const message = this.#find(topic)?.message ?? null;
    return message === null || this.#expired(message) ? null : message;
  }

  /**
   * Keeps `message` (or, with null, removes what is kept) for `topic`, unless something newer is known.
   * @returns false when a newer write is known: nothing changed
   */
  put(topic: string, message: Message | null, stamp: Stamp): boolean {
    if (message !== null) message.retainedAt = stamp;
    const known = this.stampOf(topic);
    if (known !== null && compareStamps(known, stamp) >= 0) return false;
    if (message === null) {
      this.#remove(topic);
      this.#bury(topic, stamp);
    } else {
      this.#tombstones.delete(topic);
      this.#insert(topic, message.keep());
    }
    return true;
  }

  /** What it has let go of by itself since the last call, for the store to be told: after `fullFor`, `searchExpired` and `put`. */
  takeDropped(): readonly Dropped[] {
    const dropped = this.#dropped;
    if (dropped.length > 0) this.#dropped = [];
    return dropped;
  }

  /** Of the newest write to a topic that is known, a removal among them; null: none is. */
  stampOf(topic: string): Stamp | null {
    return this.#find(topic)?.message?.retainedAt ?? this.#tombstones.get(topic) ?? null;
  }

  /** The retained messages whose topics match a valid filter. */
  match(filter: string): Message[] {
    if (!hasWildcard(filter)) {
      const message = this.get(filter);
      return message ? [message] : [];
    }
    const found: Message[] = [];
    collect(this.#root, filter.split('/'), 0, found);
    return found.filter((message) => !this.#expired(message));
  }

  /** Every retained message and, with `message` null, every removal still remembered. */
  *entries(): Generator<{ topic: string; message: Message | null; stamp: Stamp }> {
    for (const message of walk(this.#root)) yield { topic: message.topic, message, stamp: message.retainedAt! };
    for (const [topic, stamp] of this.#tombstones.entries()) yield { topic, message: null, stamp };
  }

  /** Removes all that has expired, now and then: while the store is full this would otherwise be done for every message. */
  #removeExpired(): void {
    const now = this.#wallNow();
    if (Math.abs(now - this.#sweptAtMs) < SWEEP_INTERVAL_MS) return;
    this.#sweptAtMs = now;
    const expired = [...walk(this.#root)].filter((message) => this.#expired(message));
    for (const message of expired) this.#drop(message);
  }

  /**
   * Looks at so many messages, from where the last call has left off, and removes those that have expired.
   * @returns whether that was the last of them: the next call begins anew
   */
  searchExpired(count: number): boolean {
    if (this.#expiring === 0) this.#search = null;
    else this.#search ??= walk(this.#root);
    if (this.#search === null) return true;
    for (let looked = 0; looked < count; looked++) {
      const { done, value } = this.#search.next();
      if (done === true) {
        this.#search = null;
        return true;
      }
      if (this.#expired(value)) this.#drop(value);
    }
    return false;
  }

  #drop({ topic, retainedAt }: Message): void {
    this.#remove(topic);
    this.#dropped.push({ topic, expiredAt: retainedAt! });
    this.#bury(topic, retainedAt!);
  }

  #expired(message: Message): boolean {
    return message.expiresAtMs !== 0 && message.expiresAtMs <= this.#wallNow();
  }

  #find(topic: string): Node | null {
    let node: Node | undefined = this.#root;
    for (const level of topic.split('/')) {
      node = node.children?.get(level);
      if (!node) return null;
    }
    return node;
  }

  #insert(topic: string, message: Message): void {
    let node = this.#root;
    for (const name of topic.split('/')) {
      node.children ??= new Level();
      let child = node.children.get(name);
      if (child === undefined) {
        child = { children: null, message: null };
        node.children.set(name, child);
      } else if (isIdle(child)) {
        node.children.idle--;
      }
      node = child;
    }
    if (node.message !== null) this.#count(node.message, -1);
    this.#count(message, 1);
    node.message = message;
  }

  #count(message: Message, difference: 1 | -1): void {
    const bytes = message.size * difference;
    this.#size += difference;
    this.#bytes += bytes;
    if (message.expiresAtMs !== 0) this.#expiring += difference;
    if (difference === 1) this.#usage.hold(message);
    else this.#usage.release(message);
    if (!isBrokerTopic(message.topic)) return;
    this.#ownSize += difference;
    this.#ownBytes += bytes;
  }

  #remove(topic: string): void {
    const path: Node[] = [];
    let node: Node | undefined = this.#root;
    for (const name of topic.split('/')) {
      path.push(node);
      node = node.children?.get(name);
      if (!node) return;
    }
    if (node.message === null) return;
    this.#count(node.message, -1);
    node.message = null;
    for (let parent = path.pop(); parent !== undefined && isIdle(node); parent = path.pop()) {
      addIdle(parent);
      node = parent;
    }
  }

  /** Remembers a removal, and forgets the oldest ones beyond the bounds. */
  #bury(topic: string, stamp: Stamp): void {
    this.#tombstones.add(topic, stamp);
    const now = this.#wallNow();
    for (let forgotten = this.#tombstones.forgetOne(now); forgotten !== null; forgotten = this.#tombstones.forgetOne(now))
      this.#dropped.push({ topic: forgotten, expiredAt: null });
  }
}

function isIdle({ children, message }: Node): boolean {
  return children === null && message === null;
}

/** One more child has nothing. */
function addIdle(parent: Node): void {
  const children = parent.children!;
  const { size } = children;
  const idle = ++children.idle;
  if (idle === size) {
    parent.children = null;
  } else if (idle > IDLE_MIN + size / 2) {
    parent.children = new Level();
    for (const [name, child] of children) if (!isIdle(child)) parent.children.set(name, child);
  }
}

function* walk(node: Node): Generator<Message> {
  if (node.message) yield node.message;
  if (node.children) for (const child of node.children.values()) yield* walk(child);
}

function collect(node: Node, levels: readonly string[], at: number, found: Message[]): void {
  const level = levels[at];
  if (level === undefined) {
    if (node.message) found.push(node.message);
    return;
  }
  if (level === '#') {
    if (node.message) found.push(node.message); // `a/#` also matches `a`
    if (node.children)
      for (const [name, child] of node.children) if (at > 0 || name.charCodeAt(0) !== 0x24) for (const m of walk(child)) found.push(m);
    return;
  }
  if (!node.children) return;
  if (level === '+') {
    for (const [name, child] of node.children) if (at > 0 || name.charCodeAt(0) !== 0x24) collect(child, levels, at + 1, found); // [MQTT-4.7.2-1]
    return;
  }
  const child = node.children.get(level);
  if (child) collect(child, levels, at + 1, found);
}
