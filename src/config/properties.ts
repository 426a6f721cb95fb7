/** Characters of the longest text with placeholders, before and after they are replaced: definitions that double each other must not fill the memory. */
export const EXPANDED_LENGTH_MAX = 65_536;
/** Placeholders replaced for one text, at most, those inside values counted: definitions that double each other must not take for ever. */
export const EXPANSIONS_MAX = 1000;

export interface Property {
  readonly value: string;
  /** 1-based line of its key. */
  readonly line: number;
}

export interface PropertiesText {
  /** The last of several definitions of one key, as in Java. */
  readonly properties: ReadonlyMap<string, Property>;
  readonly problems: readonly { readonly line: number; readonly message: string }[];
}

/**
 * Reads a Java properties file: `key=value`, `key: value` or `key value`, `#` and `!` comments, `\` at a line's end to
 * go on in the next, `\t \n \r \f \uXXXX` and any other character behind a `\` as itself.
 */
export function parseProperties(text: string): PropertiesText {
  const properties = new Map<string, Property>();
  const problems: { line: number; message: string }[] = [];
  const lines = text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/);
  for (let i = 0; i < lines.length; i++) {
    const line = i + 1;
    let logical = lines[i]!.replace(/^[ \t\f]+/, '');
    if (logical === '' || logical.startsWith('#') || logical.startsWith('!')) continue;
    while (endsInOddBackslashes(logical) && i + 1 < lines.length) {
      i++;
      logical = logical.slice(0, -1) + lines[i]!.replace(/^[ \t\f]+/, '');
    }
    const keyLength = /^(?:\\.|[^\\=: \t\f])*/s.exec(logical)![0].length;
    const valueStart = keyLength + /^[ \t\f]*[=:]?[ \t\f]*/.exec(logical.slice(keyLength))![0].length;
    const malformed = /(?<!\\)(?:\\\\)*\\u(?![0-9a-fA-F]{4})/.exec(logical);
    if (malformed !== null) problems.push({ line, message: '\\u must be followed by four hexadecimal digits' });
    properties.set(unescaped(logical.slice(0, keyLength)), { value: unescaped(logical.slice(valueStart)), line });
  }
  return { properties, problems };
}

function endsInOddBackslashes(line: string): boolean {
  return /\\*$/.exec(line)![0].length % 2 === 1;
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' };

function unescaped(text: string): string {
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|(.)|$)/gs, (_, hex: string | undefined, other: string | undefined) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    return other === undefined ? '' : (ESCAPES[other] ?? other);
  });
}

/** What is known of a name: its value, why it cannot be had, or null when nobody defines it. */
export type PlaceholderLookup = (name: string) => { readonly value: string } | { readonly problem: string } | null;

export interface PlaceholderProblem {
  /** Of the placeholder's `$` in the source. */
  readonly index: number;
  /** The name that makes the trouble; empty when it is not one name's. */
  readonly name: string;
  /** Nobody defines the name; otherwise something else is wrong. */
  readonly isUndefined: boolean;
  readonly message: string;
}

export interface Expanded {
  readonly text: string;
  readonly problems: readonly PlaceholderProblem[];
  /** Where in the source the character at an index of `text` comes from: itself, or the `$` of the placeholder that gave it. */
  sourceIndex(index: number): number;
}

/**
 * Replaces `${name}` and `${name:default}`, also inside each other and inside the values they stand for (Spring's
 * rules: the whole of `name:default` is first tried as a name).
 *
 * A placeholder that cannot be replaced stays as it is and is reported with its index.
 */
export function expandPlaceholders(source: string, lookup: PlaceholderLookup): Expanded {
  if (source.length > EXPANDED_LENGTH_MAX && source.includes('${')) {
    const message = `a text with placeholders has at most ${EXPANDED_LENGTH_MAX} characters`;
    return {
      text: source,
      problems: [{ index: source.indexOf('${'), name: '', isUndefined: false, message }],
      sourceIndex: (index) => index,
    };
  }
  const expander = new Expander(lookup);
  const problems: PlaceholderProblem[] = [];
  const pieces: { readonly at: number; readonly from: number; readonly isLiteral: boolean }[] = [];
  let text = '';
  for (let i = 0; i < source.length; ) {
    const start = source.indexOf('${', i);
    const literalEnd = start < 0 ? source.length : start;
    if (literalEnd > i) {
      pieces.push({ at: text.length, from: i, isLiteral: true });
      text += source.slice(i, literalEnd);
    }
    if (start < 0) break;
    const end = closingBrace(source, start + 2);
    pieces.push({ at: text.length, from: start, isLiteral: false });
    if (end < 0) {
      problems.push({ index: start, name: '', isUndefined: false, message: 'the placeholder that begins here has no closing "}"' });
      text += source.slice(start);
      break;
    }
    const value = expander.resolve(source.slice(start + 2, end), []);
    if ('problem' in value) {
      const { name, problem } = value;
      problems.push({ index: start, name, isUndefined: value.isUndefined === true, message: problem });
    }
    text += 'problem' in value ? source.slice(start, end + 1) : value.value;
    i = end + 1;
  }
  return {
    text,
    problems,
    sourceIndex(index) {
      const piece = pieces.findLast(({ at }) => at <= index);
      if (piece === undefined) return index;
      return piece.isLiteral ? piece.from + index - piece.at : index >= text.length ? source.length : piece.from;
    },
  };
}

type Resolution = { readonly value: string } | { readonly problem: string; readonly name: string; readonly isUndefined?: boolean };

/** Resolves the placeholders of one text, and counts them. */
class Expander {
  readonly #lookup: PlaceholderLookup;
  #expansions = 0;

  constructor(lookup: PlaceholderLookup) {
    this.#lookup = lookup;
  }

  /**
   * @param content what stands between the braces
   * @param within names being resolved, outermost first: one that comes again refers to itself
   */
  resolve(content: string, within: readonly string[]): Resolution {
    if (++this.#expansions > EXPANSIONS_MAX) {
      return { name: '', problem: `more than ${EXPANSIONS_MAX} placeholders are needed for this text` };
    }
    const inner = this.#expand(content, within);
    if ('problem' in inner) return inner;
    const whole = inner.value;
    const colon = whole.indexOf(':');
    const name = colon < 0 ? whole : whole.slice(0, colon);
    if (within.includes(whole)) return { name: whole, problem: `\${${whole}} refers to itself` };
    const found = this.#lookup(whole) ?? (colon < 0 ? null : this.#lookup(name));
    if (found === null && colon >= 0) return { value: whole.slice(colon + 1) };
    if (found === null) return { name, problem: `\${${name}} is not defined`, isUndefined: true };
    if ('problem' in found) return { name, problem: found.problem };
    return this.#expand(found.value, [...within, whole]);
  }

  /** Replaces the placeholders inside a name or a value. */
  #expand(value: string, within: readonly string[]): Resolution {
    let text = '';
    for (let i = 0; i < value.length; ) {
      const start = value.indexOf('${', i);
      const end = start < 0 ? -1 : closingBrace(value, start + 2);
      if (end < 0) {
        text += value.slice(i);
        break;
      }
      const resolved = this.resolve(value.slice(start + 2, end), within);
      if ('problem' in resolved) return resolved;
      text += value.slice(i, start) + resolved.value;
      if (text.length > EXPANDED_LENGTH_MAX) break;
      i = end + 1;
    }
    if (text.length <= EXPANDED_LENGTH_MAX) return { value: text };
    return { name: '', problem: `its placeholders make a text of more than ${EXPANDED_LENGTH_MAX} characters` };
  }
}

/** Index of the `}` that closes a `${` whose content begins at `start`; -1 when there is none. */
function closingBrace(text: string, start: number): number {
  let depth = 1;
  for (let i = start; i < text.length; i++) {
    if (text.startsWith('${', i)) {
      depth++;
      i++;
    } else if (text[i] === '}' && --depth === 0) {
      return i;
    }
  }
  return -1;
}
