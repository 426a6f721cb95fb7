import type { Place } from './model.ts';

/** A file's text, and the line and column of every place in it. */
export class SourceText {
  readonly file: string;
  readonly text: string;
  /** Offset of each line's first character. */
  readonly #lineStarts: number[] = [0];

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (c === 0x0a || (c === 0x0d && text.charCodeAt(i + 1) !== 0x0a)) this.#lineStarts.push(i + 1);
    }
  }

  /** The place of the character at an offset in UTF-16 units. Columns count characters from 1; a byte order mark is none. */
  place(offset: number): Place {
    const at = Math.max(0, Math.min(offset, this.text.length));
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#lineStarts[middle]! <= at) low = middle;
      else high = middle - 1;
    }
    let start = this.#lineStarts[low]!;
    if (start === 0 && this.text.charCodeAt(0) === 0xfeff) start = Math.min(1, at);
    let column = 1;
    for (let i = start; i < at; i++) {
      const c = this.text.charCodeAt(i);
      const isLowSurrogate = c >= 0xdc00 && c <= 0xdfff;
      if (!isLowSurrogate) column++;
    }
    return { file: this.file, line: low + 1, column };
  }
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
