import type { Facts, Log } from '../telemetry/log.ts';
import type { BrokerCounters } from './counters.ts';
import type { RefusingLimit } from './limits.ts';

/** A limit that refused nobody for this long, in milliseconds, counts as kept again: the next time it is said anew. */
export const QUIET_MS = 60_000;

/**
 * Counts what limits refuse, and says so: one line when a limit begins to refuse, none for each time, and one when it begins again after a
 * quiet minute, with how many there have been.
 */
export class LimitWatch {
  readonly #counters: BrokerCounters;
  readonly #log: Log;
  readonly #wallNow: () => number;
  readonly #lastMs = new Map<RefusingLimit, number>();

  constructor(counters: BrokerCounters, log: Log, wallNow: () => number) {
    this.#counters = counters;
    this.#log = log;
    this.#wallNow = wallNow;
  }

  /** @param facts who was refused what, the first time */
  refused(limit: RefusingLimit, facts: Facts): void {
    const refusals = ++this.#counters.refusedBy[limit];
    const now = this.#wallNow();
    const last = this.#lastMs.get(limit);
    this.#lastMs.set(limit, now);
    if (last !== undefined && Math.abs(now - last) < QUIET_MS) return;
    this.#log.warn('a limit is reached', { limit, refusals, ...facts });
  }
}
