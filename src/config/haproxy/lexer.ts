/**
 * One line of haproxy.cfg to words, as HAProxy 2.6 splits it (configuration manual sections 2.2 and 2.3).
 *
 * A line is handled as bytes, one JavaScript character a byte (`latin1`), because HAProxy counts positions in bytes;
 * `decodeBytes` turns a finished word into text.
 *
 * ```
 * server s1 10.0.0.1:1883 # comment      -> server, s1, 10.0.0.1:1883
 * frontend mqtt#x                        -> frontend, mqtt          a comment needs no space before it
 * log "${TARGET-127.0.0.1}" local0       -> log, 127.0.0.1, local0  variables only inside "..."
 * acl a path /x\ y '#"$'                 -> acl, a, path, /x y, #"$
 * ```
 */

/** Words in a line, at most. HAProxy's MAX_LINE_ARGS. */
export const WORDS_PER_LINE_MAX = 64;

/** What HAProxy calls a fault of the line itself; each is fatal for the line. */
export type LexicalFault = 'quote' | 'brace' | 'variable-name' | 'hexadecimal' | 'word-expansion' | 'too-many-words';

export interface LexicalError {
  readonly fault: LexicalFault;
  /** 0-based offset in the line where it went wrong. */
  readonly position: number;
  /** The words up to the limit, for `too-many-words`. */
  readonly words: readonly string[];
  /**
   * Where HAProxy's own copy of the line ends: it cuts it at the brace behind a default value,
   * and behind a pseudo-variable it does not know. -1: at its end.
   */
  readonly cutAt: number;
}

export interface SplitLine {
  readonly words: readonly string[];
  readonly error: LexicalError | null;
  /** Names of variables that were asked for, are not set and have no default: HAProxy puts nothing in their place. */
  readonly unsetVariables: readonly string[];
}

/** Where variables and the pseudo-variables `.FILE`, `.LINE` and `.SECTION` come from. */
export interface Variables {
  get(name: string): string | undefined;
}

const FAULT_TEXT: Readonly<Record<Exclude<LexicalFault, 'too-many-words'>, string>> = {
  quote: 'unmatched quote',
  brace: 'unmatched brace in environment variable name',
  'variable-name': 'forbidden first char in environment variable name',
  hexadecimal: 'truncated or invalid hexadecimal sequence',
  'word-expansion': 'truncated or invalid word expansion sequence',
};

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = { ' ': ' ', '\\': '\\', '#': '#', t: '\t', n: '\n', r: '\r' };

/** Splits one line, without its line feed and without leading blanks, into words. */
export function splitLine(line: string, variables: Variables): SplitLine {
  return new LineSplitter(line, variables).split();
}

class LineSplitter {
  readonly #line: string;
  readonly #variables: Variables;
  readonly #words: string[] = [];
  readonly #unset: string[] = [];
  #word = '';
  #at = 0;
  #error: LexicalError | null = null;
  #cutAt = -1;
  /** Offset of the quote that is open, or -1. */
  #doubleQuote = -1;
  #singleQuote = -1;

  constructor(line: string, variables: Variables) {
    this.#line = line;
    this.#variables = variables;
  }

  split(): SplitLine {
    const line = this.#line;
    while (this.#at < line.length && this.#error === null) {
      const c = line[this.#at]!;
      if (c === '\0' || c === '\n' || c === '\r') break;
      const quoted = this.#doubleQuote >= 0 || this.#singleQuote >= 0;
      if (c === '#' && !quoted) break;
      if (c === '"' && this.#singleQuote < 0) {
        this.#doubleQuote = this.#doubleQuote >= 0 ? -1 : this.#at;
        this.#at++;
      } else if (c === "'" && this.#doubleQuote < 0) {
        this.#singleQuote = this.#singleQuote >= 0 ? -1 : this.#at;
        this.#at++;
      } else if (c === '\\' && this.#singleQuote < 0) {
        this.#escape();
      } else if (isBlank(c) && !quoted) {
        while (this.#at < line.length && isBlank(line[this.#at]!)) this.#at++;
        this.#endWord();
      } else if (c === '$' && this.#doubleQuote >= 0) {
        this.#expand();
      } else {
        this.#word += c;
        this.#at++;
      }
    }
    this.#words.push(this.#word);
    const open = Math.max(this.#doubleQuote, this.#singleQuote);
    if (this.#error === null && open >= 0) this.#fail('quote', open);
    if (this.#error === null && this.#words.length > WORDS_PER_LINE_MAX) {
      this.#error = {
        fault: 'too-many-words',
        position: this.#tooManyAt,
        words: this.#words.slice(0, WORDS_PER_LINE_MAX),
        cutAt: this.#cutAt,
      };
    }
    return { words: this.#words, error: this.#error, unsetVariables: this.#unset };
  }

  /** Offset just after the last word that was still accepted. */
  #tooManyAt = 0;

  #endWord(): undefined {
    this.#words.push(this.#word);
    if (this.#words.length === WORDS_PER_LINE_MAX) this.#tooManyAt = this.#at;
    this.#word = '';
  }

  #fail(fault: LexicalFault, position: number): undefined {
    this.#error = { fault, position, words: [], cutAt: this.#cutAt };
  }

  /** Sequences that mean nothing keep their backslash. */
  #escape(): undefined {
    const next = this.#line[this.#at + 1] ?? '';
    if (next === 'x') {
      const digits = this.#line.slice(this.#at + 2, this.#at + 4);
      if (!/^[0-9a-fA-F]{2}$/.test(digits)) return this.#fail('hexadecimal', this.#at);
      this.#word += String.fromCharCode(Number.parseInt(digits, 16));
      this.#at += 4;
      return;
    }
    const plain = SIMPLE_ESCAPES[next] ?? (next === '"' || next === "'" || (next === '$' && this.#doubleQuote >= 0) ? next : null);
    if (plain === null) {
      this.#word += '\\';
      this.#at++;
    } else {
      this.#word += plain;
      this.#at += 2;
    }
  }

  /** `$NAME`, `${NAME}`, `${NAME-default}`, and `${NAME[*]}`, which makes several words of the value. */
  #expand(): undefined {
    const line = this.#line;
    this.#at++;
    const brace = line[this.#at] === '{' ? this.#at++ : -1;
    const name = /^\.?[A-Za-z_][A-Za-z0-9_]*|^\./.exec(line.slice(this.#at))?.[0];
    if (name === undefined) return this.#fail('variable-name', this.#at);
    const nameAt = this.#at;
    this.#at += name.length;
    let value = this.#variables.get(name);
    if (value === undefined && name.startsWith('.')) {
      if (this.#cutAt < 0) this.#cutAt = this.#at;
      return this.#fail('variable-name', nameAt);
    }

    let splitsWords = false;
    if (brace >= 0 && line[this.#at] === '[') {
      if (line.slice(this.#at, this.#at + 3) !== '[*]') return this.#fail('word-expansion', this.#at);
      splitsWords = true;
      this.#at += 3;
    }
    let hasDefault = false;
    if (brace >= 0) {
      if (line[this.#at] === '-') {
        const close = line.indexOf('}', this.#at);
        if (close < 0) return this.#fail('brace', brace);
        hasDefault = true;
        value ??= line.slice(this.#at + 1, close);
        if (this.#cutAt < 0) this.#cutAt = close;
        this.#at = close;
      } else if (line[this.#at] !== '}') {
        return this.#fail('brace', brace);
      }
      this.#at++;
    }
    if (value === undefined && !hasDefault) this.#unset.push(name);
    for (const [index, part] of (splitsWords ? (value ?? '').split(/[ \t\n\v\f\r]+/) : [value ?? '']).entries()) {
      if (index > 0) this.#endWord();
      this.#word += part;
    }
  }
}

/**
 * HAProxy's words for a faulty line, with the line and a caret below.
 *
 * @param indent blanks in front of `line`, which count for the position and are not shown
 */
export function describeLexicalError(error: LexicalError, line: string, indent = 0): string {
  if (error.fault === 'too-many-words') {
    const last = error.words[WORDS_PER_LINE_MAX - 1] ?? '';
    return `too many words, truncating after word ${WORDS_PER_LINE_MAX}, position ${indent + error.position + 1}: <${last}>.`;
  }
  const shown = error.cutAt < 0 ? line : line.slice(0, error.cutAt);
  const excerpt = printableExcerpt(shown, error.position, EXCERPT_WIDTH);
  const caret = '^'.padStart(excerpt.caret + 1);
  return `${FAULT_TEXT[error.fault]} at position ${indent + error.position + 1}:\n  ${excerpt.text}\n  ${caret}`;
}

/** Characters of a source line that are shown around a fault. */
const EXCERPT_WIDTH = 80;

/**
 * What HAProxy shows of a line around a position, and where the position is in that: the first `width` characters, or, for a position
 * beyond them, as many with the position in the middle and dots at both ends. What cannot be printed is shown as `?`.
 */
export function printableExcerpt(line: string, position: number, width: number): { readonly text: string; readonly caret: number } {
  const printable = line.replace(/[\t-\r]/g, ' ').replace(/[^ -~]/g, '?');
  if (position < width) return { text: printable.slice(0, width), caret: position };
  const shift = position - width / 2;
  return { text: `...${printable.slice(shift + DOTS, shift + width - DOTS)}...`, caret: width / 2 };
}

/** Characters of `...`. */
const DOTS = 3;

/** Bytes to one character each. */
export function encodeBytes(text: string | Buffer): string {
  return (typeof text === 'string' ? Buffer.from(text, 'utf8') : text).toString('latin1');
}

/** One character a byte back to text. Bytes that are not UTF-8 become U+FFFD. */
export function decodeBytes(bytes: string): string {
  for (let i = 0; i < bytes.length; i++) {
    if (bytes.charCodeAt(i) > 0x7f) return Buffer.from(bytes, 'latin1').toString('utf8');
  }
  return bytes;
}

/** What C's isspace() takes for blank. */
export function isBlank(c: string): boolean {
  return c === ' ' || (c >= '\t' && c <= '\r');
}
