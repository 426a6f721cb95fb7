/** How many strings are remembered; a power of two. */
const SLOTS = 256;

/** Longest string remembered: ids, names and topics; longer ones seldom repeat. */
const LENGTH_MAX = 96;

/**
 * Remembers short ASCII strings by their bytes: the ids and names that come again in every message need not be made again, and are
 * the same string each time, which makes comparing them cheap. Each string has one place; another one takes it when they collide.
 */
export class StringMemo {
  readonly #strings: string[] = new Array<string>(SLOTS).fill('');

  /** The text of `buffer[start, end)`, or null when it is not short ASCII. */
  ascii(buffer: Buffer, start: number, end: number): string | null {
    const length = end - start;
    if (length > LENGTH_MAX) return null;
    if (length === 0) return '';
    const place = (length * 31 + buffer[start]! * 13 + buffer[start + (length >> 1)]! * 61 + buffer[end - 1]! * 7) & (SLOTS - 1);
    const known = this.#strings[place]!;
    if (known.length === length && equals(known, buffer, start)) return known;
    for (let at = start; at < end; at++) if (buffer[at]! > 0x7f) return null;
    const text = buffer.toString('latin1', start, end);
    this.#strings[place] = text;
    return text;
  }
}

function equals(text: string, buffer: Buffer, start: number): boolean {
  for (let i = text.length - 1; i >= 0; i--) if (text.charCodeAt(i) !== buffer[start + i]) return false;
  return true;
}
