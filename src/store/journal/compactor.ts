import type { StoreFiles } from './files.ts';
import type { Segment } from './segment.ts';
import type { JournalStore } from './store.ts';

/** Journal files beside those that hold what lives, which may be there before living messages are moved to free one. */
const SPARE_SEGMENTS = 4;

/** A file is emptied when this share of its messages lives at the most: what is moved is written twice. */
const LIVE_SHARE_MAX = 0.25;

/** Messages moved before others have their turn. */
const MOVED_AT_ONCE = 500;

/** Frees journal files: those that nobody needs, and those that only a few messages keep, which are moved on. */
export class Compactor {
  readonly #store: JournalStore;
  readonly #files: StoreFiles;

  constructor(store: JournalStore, files: StoreFiles) {
    this.#store = store;
    this.#files = files;
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
    for (const segment of dead) {
      messages.drop(segment);
      await this.#store.closeFile(segment);
      await this.#files.remove(segment.name);
    }
  }

  #worthEmptying(spare: number, shareMax: number): Segment | null {
    const { messages, checkpoint } = this.#store;
    const sealed = messages.segments.filter(({ number }) => number < checkpoint.segmentNumber);
    if (sealed.length <= spare) return null;
    let best: Segment | null = null;
    let bestShare = shareMax;
    for (const segment of sealed) {
      if (!segment.isPinned) continue; // goes by itself
      const share = (segment.live + segment.moved) / Math.max(1, segment.count + segment.moved);
      if (share > bestShare) continue;
      best = segment;
      bestShare = share;
    }
    return best;
  }

  async #empty(segment: Segment): Promise<void> {
    const { messages } = this.#store;
    const numbers: number[] = [];
    for (let i = 0; i < segment.count; i++) if (segment.references[i]! > 0) numbers.push(segment.firstMessage + i);
    for (const [number, moved] of messages.movedEntries) if (moved.segment === segment) numbers.push(number);
    for (let from = 0; from < numbers.length; from += MOVED_AT_ONCE) {
      for (const number of numbers.slice(from, from + MOVED_AT_ONCE)) if (messages.referencesTo(number) > 0) this.#store.move(number);
      await this.#store.flushed();
    }
  }
}
