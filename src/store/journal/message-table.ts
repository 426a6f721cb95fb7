/** Messages in one block: a power of two. */
const BLOCK_MESSAGES = 4_096;
const SHIFT = 12;
const MASK = BLOCK_MESSAGES - 1;

/** Blocks kept for the next tables, 8 MB: as many as the messages of a few journal files take. */
const FREE_BLOCKS_MAX = 256;

const free: Uint32Array[] = [];

/**
 * For each message of a journal file: where it stands there, and how many references there are to it, side by side.
 *
 *     block 0                       block 1
 *     place, references, place ...  place, references ...
 *
 * Blocks are used again by other tables, since the runtime collects its garbage when much of such memory comes and goes.
 */
export class MessageTable {
  readonly #blocks: Uint32Array[] = [];
  /** Messages in it. */
  count = 0;

  /** @param place 0: there is no such message */
  setPlace(index: number, place: number): void {
    while (index >>> SHIFT >= this.#blocks.length) this.#blocks.push(takeBlock());
    this.#blocks[index >>> SHIFT]![(index & MASK) << 1] = place;
    if (index >= this.count) this.count = index + 1;
  }

  /** @param index below `count`, as everywhere here */
  placeAt(index: number): number {
    return this.#blocks[index >>> SHIFT]![(index & MASK) << 1]!;
  }

  referencesAt(index: number): number {
    return this.#blocks[index >>> SHIFT]![((index & MASK) << 1) + 1]!;
  }

  setReferences(index: number, references: number): void {
    this.#blocks[index >>> SHIFT]![((index & MASK) << 1) + 1] = references;
  }

  /** Gives everything back. */
  clear(): void {
    for (const block of this.#blocks.splice(0)) if (free.length < FREE_BLOCKS_MAX) free.push(block);
    this.count = 0;
  }
}

function takeBlock(): Uint32Array {
  return free.pop()?.fill(0) ?? new Uint32Array(BLOCK_MESSAGES * 2);
}
