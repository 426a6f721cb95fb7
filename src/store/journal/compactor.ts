import type { Segment } from './segment.ts';
import type { JournalStore } from './store.ts';

/** Journal files beside those that hold what lives, which may be there before living messages are moved to free one. */
const SPARE_SEGMENTS = 4;

/** A file is emptied when this share of its messages lives at the most: what is moved is written twice. */
const LIVE_SHARE_MAX = 0.25;

/** Bytes of journal read and written anew before everybody else has a turn. */
const MOVED_BYTES_AT_ONCE = 256 * 1024;

/** Frees journal files: those that nobody needs, and those that only a few messages keep, which are moved on. */
export class Compactor {
  readonly #store: JournalStore;
  readonly #release: (name: string) => Promise<void>;

  /** @param release takes a file that nobody needs out of the folder */
  constructor(store: JournalStore, release: (name: string) => Promise<void>) {
    this.#store = store;
    this.#release = release;
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
      await this.#release(segment.name);
      messages.drop(segment);
      await this.#store.closeFile(segment);
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
      const share = segment.liveShare;
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
    let upTo = this.#store.position + MOVED_BYTES_AT_ONCE;
    for (const number of numbers) {
      if (messages.referencesTo(number) > 0) this.#store.move(number);
      if (this.#store.position < upTo) continue;
      await this.#store.flushed();
      upTo = this.#store.position + MOVED_BYTES_AT_ONCE;
    }
    await this.#store.flushed();
  }
}
