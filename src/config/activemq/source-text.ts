import type { Place } from './model.ts';

/** A file's text, and the line and column of every place in it. */
export class SourceText {
  readonly file: string;
  readonly text: string;
  /** Offset of each line's first character. */
  readonly #lineStarts: number[] = [0];
  /** Offsets of the second halves of characters beyond U+FFFF, which make no column of their own. */
  readonly #secondHalves: number[] = [];

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (c === 0x0a || (c === 0x0d && text.charCodeAt(i + 1) !== 0x0a)) this.#lineStarts.push(i + 1);
      else if (c >= 0xdc00 && c <= 0xdfff) this.#secondHalves.push(i);
    }
  }

  /** The place of the character at an offset in UTF-16 units. Columns count characters from 1; a byte order mark is none. */
  place(offset: number): Place {
    const at = Math.max(0, Math.min(offset, this.text.length));
    const line = countUpTo(this.#lineStarts, at);
    const start = this.#lineStarts[line - 1]!;
    const halves = countUpTo(this.#secondHalves, at - 1) - countUpTo(this.#secondHalves, start - 1);
    const mark = start === 0 && at > 0 && this.text.charCodeAt(0) === 0xfeff ? 1 : 0;
    return { file: this.file, line, column: at - start - halves - mark + 1 };
  }
}

/** How many of some ascending numbers are not above a limit. */
function countUpTo(ascending: readonly number[], limit: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A piece of text whose characters can each be pointed at in the file they came from. */
export interface LocatedText {
  readonly text: string;
  /** Place of the character at an index of `text`; its end for the index behind the last. */
  at(index: number): Place;
}

/** A located text without its leading and trailing white space. */
export function trimmed(source: LocatedText): LocatedText {
  const start = source.text.length - source.text.trimStart().length;
  return slice(source, start, start + source.text.trim().length);
}

/** Part of a located text. */
export function slice(source: LocatedText, start: number, end: number = source.text.length): LocatedText {
  return { text: source.text.slice(start, end), at: (index) => source.at(start + index) };
}

/** The parts between separators, each trimmed; empty ones included. */
export function split(source: LocatedText, separator: string): LocatedText[] {
  const parts: LocatedText[] = [];
  let start = 0;
  for (;;) {
    const end = source.text.indexOf(separator, start);
    if (end < 0) break;
    parts.push(trimmed(slice(source, start, end)));
    start = end + separator.length;
  }
  parts.push(trimmed(slice(source, start)));
  return parts;
}
