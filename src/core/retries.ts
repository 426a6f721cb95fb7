import type { WaitingPublisher } from './usage.ts';

/** Between two tries of those who wait while there is no room, in milliseconds: ActiveMQ's `pollingTime`. */
const RETRY_INTERVAL_MS = 100;

/** Of them so many have a try at once: a few milliseconds' work. */
const RETRIES_MAX = 50;

/**
 * Those who wait, and may need room no more although there is none: receivers that have caught up or gone may take at once what would have
 * had to be kept.
 */
export class Retries {
  readonly #waiting = new Set<WaitingPublisher>();
  /** While somebody waits. */
  #timer: NodeJS.Timeout | null = null;
  /** Who has the next try, counted from the one who has waited longest. */
  #next = 0;

  add(publisher: WaitingPublisher): void {
    this.#waiting.add(publisher);
    this.#timer ??= setInterval(() => this.#tryAgain(), RETRY_INTERVAL_MS).unref();
  }

  delete(publisher: WaitingPublisher): void {
    this.#waiting.delete(publisher);
  }

  close(): void {
    this.#waiting.clear();
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #tryAgain(): void {
    if (this.#waiting.size === 0) {
      this.close();
      return;
    }
    const waiting = [...this.#waiting];
    const first = this.#next < waiting.length ? this.#next : 0;
    this.#next = first + RETRIES_MAX;
    for (const publisher of waiting.slice(first, this.#next)) if (this.#waiting.has(publisher)) publisher.retry?.();
  }
}
