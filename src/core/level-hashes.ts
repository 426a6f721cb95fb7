import { grown } from './grown.ts';

/** What stands for a level that is not text: the wildcards, and the end of a filter without `#`. No hash has these values. */
export const PLUS = 0;
export const REST = 1;
export const END = 2;

/** Set in the hash of every level of text, and in none of those. */
const TEXT = 4;

export function isText(level: number): boolean {
  return (level & TEXT) !== 0;
}

const FNV_PRIME = 0x0100_0193;

/**
 * A topic name or filter as the tree sees it: a number for each level. One object reads name after name.
 *
 *     fleet/+/d17/#      levels [ h(fleet), PLUS, h(d17), REST ]
 *     fleet/+/d17        levels [ h(fleet), PLUS, h(d17), END ]
 *
 * Levels that differ may have the same hash: who finds something by hashes compares text in the end. The seed is secret, so that no client
 * can choose names that all have the same.
 */
export class LevelHashes {
  levels = new Int32Array(16);
  /** Levels of the name; `levels` has one more when it does not end with `#`. */
  length = 0;
  /** Hash of the whole name. */
  whole = 0;
  readonly #seed: number;
  readonly #mask: number;

  /** @param mask bits of a hash that count: fewer in tests, where many levels shall have the same */
  constructor(seed: number, mask = -1) {
    this.#seed = seed;
    this.#mask = mask;
  }

  read(name: string): void {
    const seed = this.#seed;
    const mask = this.#mask;
    const nameLength = name.length;
    let levels = this.levels;
    let hash = seed;
    let whole = seed;
    let length = 0;
    let start = 0;
    for (let i = 0; i <= nameLength; i++) {
      const c = i < nameLength ? name.charCodeAt(i) : 0x2f;
      if (c !== 0x2f) {
        hash = Math.imul(hash ^ c, FNV_PRIME);
        continue;
      }
      let level = ((hash ^ (hash >>> 15)) & mask) | TEXT;
      if (i === start + 1) {
        const only = name.charCodeAt(start);
        if (only === 0x2b) level = PLUS;
        else if (only === 0x23) level = REST;
      }
      if (length + 1 >= levels.length) levels = this.levels = grown(levels);
      levels[length++] = level;
      whole = Math.imul(whole ^ level, FNV_PRIME);
      hash = seed;
      start = i + 1;
    }
    levels[length] = END;
    this.length = length;
    this.whole = (whole ^ (whole >>> 15)) & mask;
  }
}
