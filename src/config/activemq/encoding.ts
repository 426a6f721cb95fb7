import type { Place } from './model.ts';

/** Characters in which an XML declaration must name its encoding. */
const DECLARATION_LENGTH_MAX = 256;

export type Decoded =
  | { readonly text: string; readonly problem: null }
  | { readonly text: null; readonly problem: { readonly place: Place; readonly message: string } };

/** Turns a file's bytes into text by its byte order mark, its XML declaration, or else UTF-8. */
export function decode(input: string | Uint8Array, file: string): Decoded {
  if (typeof input === 'string') return { text: input, problem: null };
  const label = markedEncoding(input) ?? declaredEncoding(input) ?? 'utf-8';
  if (!isKnownEncoding(label)) {
    const message = `the encoding "${label}" is not known: save the file as UTF-8`;
    return { text: null, problem: { place: { file, line: 1, column: 0 }, message } };
  }
  const text = decodeStrictly(input, label);
  if (text !== null) return { text, problem: null };
  const message = `bytes that are not ${label.toUpperCase()}: save the file as UTF-8, or name its encoding in <?xml version="1.0" encoding="..."?>`;
  return { text: null, problem: { place: firstBadPlace(input, label, file), message } };
}

function isKnownEncoding(label: string): boolean {
  try {
    new TextDecoder(label);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** The text of some bytes, or null when they are none in this encoding. With `more`, a character may be cut at the end. */
function decodeStrictly(bytes: Uint8Array, label: string, more = false): string | null {
  try {
    return new TextDecoder(label, { fatal: true, ignoreBOM: true }).decode(bytes, { stream: more });
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/** By byte order mark, or by where the zero bytes of `<` stand. Extensible Markup Language 1.0, appendix F. */
function markedEncoding(bytes: Uint8Array): string | null {
  const [a, b, c] = bytes;
  if (a === 0xef && b === 0xbb && c === 0xbf) return 'utf-8';
  if (a === 0xff && b === 0xfe) return 'utf-16le';
  if (a === 0xfe && b === 0xff) return 'utf-16be';
  if (a === 0x3c && b === 0) return 'utf-16le';
  if (a === 0 && b === 0x3c) return 'utf-16be';
  return null;
}

function declaredEncoding(bytes: Uint8Array): string | null {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, DECLARATION_LENGTH_MAX)).toString('latin1');
  return /^<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)["']/.exec(start)?.[1] ?? null;
}

/** Line and column of the first character that cannot be decoded: line by line, since a line end never is part of another character. */
function firstBadPlace(bytes: Uint8Array, label: string, file: string): Place {
  if (label.startsWith('utf-16')) return { file, line: 0, column: 0 };
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline < 0 ? bytes.length : newline + 1;
    if (decodeStrictly(bytes.subarray(start, end), label) === null) {
      let good = 0;
      let bad = end - start;
      while (bad - good > 1) {
        const middle = (good + bad) >> 1;
        if (decodeStrictly(bytes.subarray(start, start + middle), label, true) === null) bad = middle;
        else good = middle;
      }
      const before = decodeStrictly(bytes.subarray(start, start + good), label, true) ?? '';
      return { file, line, column: [...before].length + 1 };
    }
    start = end;
  }
  return { file, line: 0, column: 0 };
}
