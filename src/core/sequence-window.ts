/** Numbers that a window tells apart. A power of two. */
export const WINDOW_NUMBERS = 65_536;

/** Bytes of a window: the highest number and one more, then a bit for each number. */
export const WINDOW_BYTES = 8 + WINDOW_NUMBERS / 8;

/**
 * Which numbers of a row were here: the last 65,536 of them, one bit each. What is older is not known. All of it is in the bytes, which may
 * be stored at any time.
 */
export class SequenceWindow {
  readonly bytes: Buffer;
  #highest: number;

  /** @param bytes WINDOW_BYTES of an earlier window, or of zeros */
  constructor(bytes: Buffer = Buffer.alloc(WINDOW_BYTES)) {
    this.bytes = bytes;
    this.#highest = bytes.readDoubleBE(0) - 1;
  }

  /** @returns `new` the first time, `seen` after that, `old` when it is too old to tell */
  note(sequence: number): 'new' | 'seen' | 'old' {
    if (sequence < 0 || !Number.isSafeInteger(sequence)) return 'old'; // counted from 0 and never so high: there is nothing to tell it by
    if (sequence > this.#highest) {
      this.#advance(sequence);
      this.#set(sequence);
      return 'new';
    }
    if (sequence <= this.#highest - WINDOW_NUMBERS) return 'old';
    const at = sequence % WINDOW_NUMBERS;
    if ((this.bytes[8 + (at >>> 3)]! & (1 << (at & 7))) !== 0) return 'seen';
    this.#set(sequence);
    return 'new';
  }

  /** Forgets the numbers whose places those up to `sequence` take. */
  #advance(sequence: number): void {
    if (this.#highest < 0 || sequence - this.#highest >= WINDOW_NUMBERS) {
      this.bytes.fill(0, 8);
    } else {
      for (let n = this.#highest + 1; n < sequence; n++) this.#clear(n);
    }
    this.#highest = sequence;
    this.bytes.writeDoubleBE(sequence + 1, 0);
  }

  #set(sequence: number): void {
    const at = sequence % WINDOW_NUMBERS;
    this.bytes[8 + (at >>> 3)]! |= 1 << (at & 7);
  }

  #clear(sequence: number): void {
    const at = sequence % WINDOW_NUMBERS;
    this.bytes[8 + (at >>> 3)]! &= ~(1 << (at & 7));
  }
}
