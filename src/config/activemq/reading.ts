import type { Diagnostic, Severity } from '../diagnostic.ts';
import { expandPlaceholders, type PlaceholderLookup } from '../properties.ts';
import type { Place } from './model.ts';
import type { LocatedText } from './source-text.ts';

/** Diagnostics shown for one file: a file of the wrong kind must not bury its first message. */
export const DIAGNOSTICS_MAX = 200;

/** What stands behind the placeholders of one file. */
export interface Placeholders {
  readonly lookup: PlaceholderLookup;
  /** Where a name nobody defines was looked for. */
  readonly explain: (name: string) => string;
  /** A placeholder nobody defines stays in the text, with a warning. */
  readonly ignoresUndefined: boolean;
}

/** What the readers of one file share: the diagnostics they add to, and the placeholders they resolve. */
export class Reading {
  readonly file: string;
  /** Folder that relative paths are relative to. */
  readonly workingDirectory: string;
  readonly hostname: string;
  readonly #diagnostics: Diagnostic[] = [];
  readonly #seen = new Set<string>();
  #placeholders: Placeholders = { lookup: () => null, explain: () => '', ignoresUndefined: false };

  constructor(file: string, workingDirectory: string, hostname: string) {
    this.file = file;
    this.workingDirectory = workingDirectory;
    this.hostname = hostname;
  }

  usePlaceholders(placeholders: Placeholders): void {
    this.#placeholders = placeholders;
  }

  error(place: Place, keyword: string, message: string): void {
    this.#add('error', place, keyword, message);
  }

  warn(place: Place, keyword: string, message: string): void {
    this.#add('warning', place, keyword, message);
  }

  get hasErrors(): boolean {
    return this.#diagnostics.some(({ severity }) => severity === 'error');
  }

  /** In file order; of more than DIAGNOSTICS_MAX the errors first, and at the end one that says how many more there are. */
  diagnostics(): Diagnostic[] {
    const sorted = this.#diagnostics.toSorted((a, b) => a.line - b.line || a.column - b.column);
    if (sorted.length <= DIAGNOSTICS_MAX) return sorted;
    // An error must not be among those left out: it is why the file cannot be used.
    const shown = [...sorted.filter((d) => d.severity === 'error'), ...sorted.filter((d) => d.severity !== 'error')].slice(
      0,
      DIAGNOSTICS_MAX,
    );
    const message = `${sorted.length - DIAGNOSTICS_MAX} more problems are not shown`;
    const severity: Severity = this.hasErrors ? 'error' : 'warning';
    return [...shown, { severity, file: this.file, line: 0, column: 0, keyword: '', message }];
  }

  /** The text with its placeholders replaced, each of whose characters still can be pointed at. */
  resolve(source: LocatedText): LocatedText {
    const expression = source.text.indexOf('#{');
    if (expression >= 0) {
      this.error(source.at(expression), '#{', 'Spring expressions #{...} are not evaluated here: write the value itself');
      return source;
    }
    if (!source.text.includes('${')) return source;
    const { lookup, explain, ignoresUndefined } = this.#placeholders;
    const expanded = expandPlaceholders(source.text, lookup);
    for (const { index, name, isUndefined, message } of expanded.problems) {
      if (isUndefined && ignoresUndefined) this.warn(source.at(index), name, `${message} and stays as it is`);
      else this.error(source.at(index), name, isUndefined ? `${message}${explain(name)}` : message);
    }
    return { text: expanded.text, at: (index) => source.at(expanded.sourceIndex(index)) };
  }

  #add(severity: Severity, place: Place, keyword: string, message: string): void {
    const diagnostic = { severity, file: place.file, line: place.line, column: place.column, keyword, message };
    const key = JSON.stringify(diagnostic);
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.#diagnostics.push(diagnostic);
  }
}
