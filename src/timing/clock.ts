import { performance } from 'node:perf_hooks';

/** Time as the program sees it. Injected, so that tests move it by hand. */
export interface Clock {
  /** Milliseconds since an arbitrary point; never steps back. For durations and deadlines. */
  monotonicMs(): number;
  /** Milliseconds since 1970-01-01 UTC; steps when an operator or NTP sets the clock. For what people read. */
  wallMs(): number;
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
};

/** A clock that stands still until it is told to go on. */
export class FakeClock implements Clock {
  #monotonicMs = 0;
  #wallMs: number;

  constructor(wallMs = Date.UTC(2026, 0, 1)) {
    this.#wallMs = wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  wallMs(): number {
    return this.#wallMs;
  }

  /** Lets `ms` milliseconds pass on both scales. */
  advance(ms: number): void {
    this.#monotonicMs += ms;
    this.#wallMs += ms;
  }

  /** Sets the wall clock alone, as NTP does. */
  setWall(wallMs: number): void {
    this.#wallMs = wallMs;
  }
}
