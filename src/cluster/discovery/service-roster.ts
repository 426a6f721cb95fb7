/** Intervals without an announcement after which a service counts as gone (OpenWire specification section 16.2). */
export const MISSED_INTERVALS_MAX = 10;

/** Services remembered: anybody on the network can announce anything, and what is announced must not fill the memory. */
export const SERVICES_MAX = 1_000;

/** Who has been heard of lately. Knows no socket and no clock. */
export class ServiceRoster {
  /** When each was last heard, in milliseconds of a clock that never steps back. */
  readonly #heardAtMs = new Map<string, number>();
  readonly #silenceMaxMs: number;

  constructor(keepAliveIntervalMs: number) {
    this.#silenceMaxMs = keepAliveIntervalMs * MISSED_INTERVALS_MAX;
  }

  /** @returns `new` at the first sign of life, `known` at a later one, `refused` when there are too many services already */
  alive(service: string, nowMs: number): 'new' | 'known' | 'refused' {
    const known = this.#heardAtMs.has(service);
    if (!known && this.#heardAtMs.size >= SERVICES_MAX) return 'refused';
    this.#heardAtMs.set(service, nowMs);
    return known ? 'known' : 'new';
  }

  /** @returns whether it was known */
  dead(service: string): boolean {
    return this.#heardAtMs.delete(service);
  }

  /** Forgets and returns those that were silent for too long. */
  expire(nowMs: number): string[] {
    const silent: string[] = [];
    for (const [service, heardAtMs] of this.#heardAtMs) {
      if (nowMs - heardAtMs > this.#silenceMaxMs) silent.push(service);
    }
    for (const service of silent) this.#heardAtMs.delete(service);
    return silent;
  }
}
