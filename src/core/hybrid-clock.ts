/**
 * A point in a hybrid logical clock: wall time in milliseconds, a counter for what happened within one, and the broker that says so.
 * Any two stamps of a network compare the same way on every broker, so "the last writer" is one and the same everywhere.
 */
export interface Stamp {
  readonly wallMs: number;
  readonly counter: number;
  readonly brokerId: string;
}

/** Negative when `a` is older than `b`, 0 when they are the same stamp, positive when `a` is newer. */
export function compareStamps(a: Stamp, b: Stamp): number {
  if (a.wallMs !== b.wallMs) return a.wallMs - b.wallMs;
  if (a.counter !== b.counter) return a.counter - b.counter;
  return a.brokerId < b.brokerId ? -1 : a.brokerId > b.brokerId ? 1 : 0;
}

/**
 * How far ahead of our own wall clock a peer's stamp may be before its time is not taken over, in milliseconds.
 * One broker with a clock set to next year must not move everybody's clock there.
 */
export const CLOCK_SKEW_MAX_MS = 60_000;

export class HybridClock {
  readonly #brokerId: string;
  readonly #wallNow: () => number;
  #wallMs = 0;
  #counter = 0;

  constructor(brokerId: string, wallNow: () => number) {
    this.#brokerId = brokerId;
    this.#wallNow = wallNow;
  }

  /** A stamp newer than every stamp given or seen before, also when the wall clock steps back. */
  next(): Stamp {
    const now = this.#wallNow();
    if (now > this.#wallMs) {
      this.#wallMs = now;
      this.#counter = 0;
    } else {
      this.#counter++;
    }
    return { wallMs: this.#wallMs, counter: this.#counter, brokerId: this.#brokerId };
  }

  /** A stamp that is newer than `seen`, too, which may be too far ahead of the wall clock to be taken over. */
  nextAfter(seen: Stamp | null): Stamp {
    const stamp = this.next();
    if (seen === null || compareStamps(stamp, seen) > 0) return stamp;
    return { wallMs: seen.wallMs, counter: seen.counter + 1, brokerId: this.#brokerId };
  }

  /** Moves on to a stamp seen from a peer, so that what we write after having seen it counts as later. */
  observe(stamp: Stamp): void {
    if (stamp.wallMs > this.#wallNow() + CLOCK_SKEW_MAX_MS) return;
    if (stamp.wallMs > this.#wallMs) {
      this.#wallMs = stamp.wallMs;
      this.#counter = stamp.counter;
    } else if (stamp.wallMs === this.#wallMs && stamp.counter > this.#counter) {
      this.#counter = stamp.counter;
    }
  }
}
