/** What the averages are taken over, in minutes, and how `$SYS` calls it. */
export const LOAD_PERIODS = [
  { name: '1min', minutes: 1 },
  { name: '5min', minutes: 5 },
  { name: '15min', minutes: 15 },
] as const;

/** How fast a count grows, in units a minute: exponentially weighted moving averages over 1, 5 and 15 minutes, as Unix's load has them. */
export class LoadAverage {
  /** In the order of `LOAD_PERIODS`. */
  readonly perMinute: number[] = LOAD_PERIODS.map(() => 0);
  #last = 0;

  /** The count is `total` now, `elapsedMs` after the last update. */
  update(total: number, elapsedMs: number): void {
    const minutes = elapsedMs / 60_000;
    if (minutes <= 0) return;
    const rate = (total - this.#last) / minutes;
    this.#last = total;
    for (const [i, period] of LOAD_PERIODS.entries()) {
      const kept = Math.exp(-minutes / period.minutes);
      this.perMinute[i] = rate + (this.perMinute[i]! - rate) * kept;
    }
  }
}
