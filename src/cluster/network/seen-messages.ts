import { SEEN_MESSAGES } from './link-limits.ts';

/** Brokers whose messages are remembered; the one not heard of for longest goes first. */
const ORIGINS_MAX = 256;

/**
 * Which messages were here before, by who published them and their number there. In a ring or a mesh with a TTL above 1 the same message
 * comes by several ways; the first one counts.
 *
 * Of each publisher the last 65,536 numbers are remembered, one bit each. What is older is not known.
 */
export class SeenMessages {
  readonly #origins = new Map<string, Window>();
  #lastOrigin = '';
  #lastWindow: Window | null = null;

  /** @returns `new` the first time, `seen` after that, `old` when it is too old to tell */
  note(origin: string, sequence: number): 'new' | 'seen' | 'old' {
    if (this.#lastWindow === null || origin !== this.#lastOrigin) this.#select(origin);
    return this.#lastWindow!.note(sequence);
  }

  #select(origin: string): void {
    const window = this.#origins.get(origin) ?? new Window();
    this.#origins.delete(origin);
    this.#origins.set(origin, window); // a Map keeps the order of insertion: the oldest is first
    if (this.#origins.size > ORIGINS_MAX) this.#origins.delete(this.#origins.keys().next().value!);
    this.#lastOrigin = origin;
    this.#lastWindow = window;
  }
}

class Window {
  readonly #bits = new Uint32Array(SEEN_MESSAGES / 32);
  #highest = -1;

  note(sequence: number): 'new' | 'seen' | 'old' {
    if (sequence < 0 || !Number.isSafeInteger(sequence)) return 'old'; // counted from 0 and never so high: there is nothing to tell it by
    if (sequence > this.#highest) {
      this.#advance(sequence);
      this.#set(sequence);
      return 'new';
    }
    if (sequence <= this.#highest - SEEN_MESSAGES) return 'old';
    const at = sequence % SEEN_MESSAGES;
    if ((this.#bits[at >>> 5]! & (1 << (at & 31))) !== 0) return 'seen';
    this.#set(sequence);
    return 'new';
  }

  /** Forgets the numbers whose places those up to `sequence` take. */
  #advance(sequence: number): void {
    if (this.#highest < 0 || sequence - this.#highest >= SEEN_MESSAGES) {
      this.#bits.fill(0);
    } else {
      for (let n = this.#highest + 1; n < sequence; n++) this.#clear(n);
    }
    this.#highest = sequence;
  }

  #set(sequence: number): void {
    const at = sequence % SEEN_MESSAGES;
    this.#bits[at >>> 5]! |= 1 << (at & 31);
  }

  #clear(sequence: number): void {
    const at = sequence % SEEN_MESSAGES;
    this.#bits[at >>> 5]! &= ~(1 << (at & 31));
  }
}
