import type { SharedGroup } from '../../core/shared-group.ts';
import { AWAY, READY } from '../../core/subscription.ts';
import { type Advert, demandOf, isSameDemand } from './demand.ts';
import { GROUP_NEWS_MS } from './link-limits.ts';

/**
 * Tells linked brokers how many members our groups have and how well they are prepared: the first change at once, then together what changed
 * in a period. Members that come by the thousand, or a group that is ready and behind in turn, so cost a few commands.
 *
 * Nobody says when members that are behind have caught up: they are looked at once in a period.
 */
export class GroupNews {
  readonly #changed = new Map<Advert, SharedGroup>();
  readonly #behind = new Map<Advert, SharedGroup>();
  readonly #tell: (advert: Advert) => void;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  /** `tell` is called when an advert's `group` has been replaced. */
  constructor(tell: (advert: Advert) => void) {
    this.#tell = tell;
  }

  changed(advert: Advert, group: SharedGroup): void {
    this.#changed.set(advert, group);
    if (this.#timer === null) this.#schedule(0);
  }

  lost(advert: Advert): void {
    this.#changed.delete(advert);
    this.#behind.delete(advert);
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #schedule(ms: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => this.#period(), ms);
    this.#timer.unref();
  }

  #period(): void {
    this.#timer = null;
    for (const group of this.#behind.values()) group.refresh(); // says what has changed
    const news = [...this.#changed];
    this.#changed.clear();
    for (const [advert, group] of news) {
      const now = demandOf(group);
      const { readiness } = now;
      if (!isSameDemand(advert.group!, now)) {
        advert.group = now;
        this.#tell(advert);
      }
      if (readiness === READY || readiness === AWAY) this.#behind.delete(advert);
      else this.#behind.set(advert, group);
    }
    if (news.length > 0 || this.#behind.size > 0) this.#schedule(GROUP_NEWS_MS);
  }
}
