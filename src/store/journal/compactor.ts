import type { Segment } from './segment.ts';
import type { JournalStore } from './store.ts';

/** Journal files beside those that hold what lives, which may be there before living messages are moved to free one. */
const SPARE_SEGMENTS = 4;

/** A file is emptied when this share of its messages lives at the most: what is moved is written twice. */
const LIVE_SHARE_MAX = 0.25;

/** Bytes of journal read and written anew before everybody else has a turn: some thousand small messages. */
const MOVED_BYTES_AT_ONCE = 128 * 1024;

/** Messages looked at, of those that were moved before, likewise. */
const LOOKED_AT_ONCE = 10_000;

/** Frees journal files: those that nobody needs, and those that only a few messages keep, which are moved on. */
export class Compactor {
  readonly #store: JournalStore;
  /** Position of the log at which everybody else has a turn. */
  #movesUpTo = 0;

  constructor(store: JournalStore) {
    this.#store = store;
  }

  /**
   * @param spare files that may be there before one is emptied
   * @param shareMax the share of messages that may live in it
   */
  async run(spare = SPARE_SEGMENTS, shareMax = LIVE_SHARE_MAX): Promise<void> {
    await this.removeDead();
    const segment = this.#worthEmptying(spare, shareMax);
    if (segment !== null) await this.#empty(segment);
  }

  /** Removes files without a living message that no checkpoint needs for reading on. */
  async removeDead(): Promise<void> {
    const { messages, checkpoint } = this.#store;
    const keptFrom = checkpoint.previousSegment || checkpoint.segmentNumber;
    const dead = messages.segments.filter((segment) => segment.number < keptFrom && !segment.isPinned);
    if (dead.length === 0) return;
    await this.#store.safe(); // what took the place of its messages, or says that they are done with
    for (const segment of dead) await this.#store.release(segment);
  }

  #worthEmptying(spare: number, shareMax: number): Segment | null {
    const { messages, checkpoint } = this.#store;
    const sealed = messages.segments.filter(({ number }) => number < checkpoint.segmentNumber);
    if (sealed.length <= spare) return null;
    let best: Segment | null = null;
    let bestShare = shareMax;
    for (const segment of sealed) {
      if (!segment.isPinned) continue; // goes by itself
      const share = segment.liveShare;
      if (share > bestShare) continue;
      best = segment;
      bestShare = share;
    }
    return best;
  }

  async #empty(segment: Segment): Promise<void> {
    const { messages } = this.#store;
    for (let i = 0; i < segment.count; i++) if (segment.table.referencesAt(i) > 0) await this.#move(segment.firstMessage + i);
    if (segment.moved > 0) {
      let looked = 0;
      for (const [number, moved] of messages.movedEntries) {
        if (moved.segment === segment) await this.#move(number);
        else if (++looked % LOOKED_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    }
    await this.#store.flushed();
  }

  async #move(number: number): Promise<void> {
    this.#store.move(number);
    if (this.#store.appendedBytes < this.#movesUpTo) return;
    await this.#store.flushed();
    this.#movesUpTo = this.#store.appendedBytes + MOVED_BYTES_AT_ONCE;
  }
}
