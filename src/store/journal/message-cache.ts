import type { Message } from '../../core/message.ts';

/** Slots for the newest messages, a power of two: more than are mostly under way at a time. */
const RECENT = 16_384;
const MASK = RECENT - 1;

/**
 * Messages in memory, by number. Numbers come in order, and most messages soon go again: each has the slot `number & MASK` of a table. What
 * is still there when a newer one needs its slot moves on to a map.
 *
 *     number   3 . 7           20003 . 20005 20006
 *              older (a map)   recent (a table)
 */
export class MessageCache {
  readonly #recent: (Message | undefined)[] = new Array(RECENT).fill(undefined);
  readonly #numbers = new Float64Array(RECENT);
  /** In order of their numbers. */
  readonly #older = new Map<number, Message>();
  /**
   * Their numbers from `#head` on, some that are gone among them: a Map whose first entries are deleted looks at each of them whenever it is
   * asked for the first that is there.
   */
  #order: number[] = [];
  #head = 0;
  /** No message with a lower number is in the table. */
  #firstRecent = 0;
  #next = 0;

  get(number: number): Message | undefined {
    const slot = number & MASK;
    if (this.#numbers[slot] === number) return this.#recent[slot];
    return this.#older.size === 0 ? undefined : this.#older.get(number);
  }

  /** @param number the one behind that of the message added before */
  add(number: number, message: Message): void {
    const slot = number & MASK;
    const before = this.#recent[slot];
    if (before !== undefined) this.#moveOn(this.#numbers[slot]!, before);
    this.#recent[slot] = message;
    this.#numbers[slot] = number;
    this.#next = number + 1;
  }

  /** @returns what was there */
  remove(number: number): Message | undefined {
    const slot = number & MASK;
    if (this.#numbers[slot] === number) {
      const message = this.#recent[slot];
      this.#recent[slot] = undefined;
      return message;
    }
    if (this.#older.size === 0) return undefined;
    const message = this.#older.get(number);
    this.#older.delete(number);
    return message;
  }

  /** Number of the oldest message; Infinity when there is none. */
  oldest(): number {
    for (; this.#head < this.#order.length; this.#head++) if (this.#older.has(this.#order[this.#head]!)) return this.#order[this.#head]!;
    this.#firstRecent = Math.max(this.#firstRecent, this.#next - RECENT);
    for (; this.#firstRecent < this.#next; this.#firstRecent++) if (this.get(this.#firstRecent) !== undefined) return this.#firstRecent;
    return Number.POSITIVE_INFINITY;
  }

  #moveOn(number: number, message: Message): void {
    this.#older.set(number, message);
    this.#order.push(number);
    if (this.#order.length <= 2 * this.#older.size + RECENT) return;
    this.#order = [...this.#older.keys()];
    this.#head = 0;
  }
}
