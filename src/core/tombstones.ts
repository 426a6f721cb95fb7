import { Fifo } from './fifo.ts';
import type { Stamp } from './hybrid-clock.ts';

/** Bounds on what is remembered: see `Limits`. */
export interface TombstoneBounds {
  readonly retainedTombstones: number;
  readonly retainedTombstoneBytes: number;
  readonly retainedTombstoneMs: number;
}

/** Entries of the queue that stand for nothing, from which on they are cleared away. */
const PASSED_OVER_MIN = 1_024;

/**
 * Removals of retained messages that are remembered, each with its stamp. The oldest are forgotten first, which takes the same time however
 * many there are: a Map alone would look again each time at all that it has forgotten.
 *
 *     order    a  b  a  c        `a` was removed, kept anew and removed again: its first entry stands for nothing
 */
export class Tombstones {
  readonly #stamps = new Map<string, Stamp>();
  #order = new Fifo<{ readonly topic: string; readonly stamp: Stamp }>();
  /** Of the topics, in characters. */
  #bytes = 0;
  readonly #bounds: TombstoneBounds;

  constructor(bounds: TombstoneBounds) {
    this.#bounds = bounds;
  }

  get(topic: string): Stamp | undefined {
    return this.#stamps.get(topic);
  }

  /** In no particular order. */
  entries(): IterableIterator<[string, Stamp]> {
    return this.#stamps.entries();
  }

  add(topic: string, stamp: Stamp): void {
    if (!this.#stamps.has(topic)) this.#bytes += topic.length;
    this.#stamps.set(topic, stamp);
    this.#order.push({ topic, stamp });
    if (this.#order.length > 2 * this.#stamps.size + PASSED_OVER_MIN) this.#clearOrder();
  }

  delete(topic: string): void {
    if (this.#stamps.delete(topic)) this.#bytes -= topic.length;
  }

  /** Forgets one that is beyond the bounds. @returns its topic; null: there is none */
  forgetOne(nowMs: number): string | null {
    const { retainedTombstones, retainedTombstoneBytes, retainedTombstoneMs } = this.#bounds;
    for (let first = this.#order.peek(); first !== undefined; first = this.#order.peek()) {
      const { topic, stamp } = first;
      if (this.#stamps.get(topic) === stamp) {
        const fits = this.#stamps.size <= retainedTombstones && this.#bytes <= retainedTombstoneBytes;
        if (fits && stamp.wallMs >= nowMs - retainedTombstoneMs) return null;
        this.delete(topic);
        this.#order.shift();
        return topic;
      }
      this.#order.shift();
    }
    return null;
  }

  /** Once for as many additions as there are entries. */
  #clearOrder(): void {
    const order = this.#order;
    this.#order = new Fifo();
    for (let entry = order.shift(); entry !== undefined; entry = order.shift())
      if (this.#stamps.get(entry.topic) === entry.stamp) this.#order.push(entry);
  }
}
