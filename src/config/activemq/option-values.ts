import type { UriOption } from '../connector-uri.ts';
import { type Disposition, describe, type Rules } from './dispositions.ts';
import type { NetworkModel } from './model.ts';
import type { Reading } from './reading.ts';
import type { LocatedText } from './source-text.ts';
import { didYouMean, listed } from './suggestion.ts';
import { parseInteger, parseValue } from './values.ts';

export type OptionValue = string | number | boolean | readonly NetworkModel[];

/** Reads the text of an option. A problem continues a sentence that begins with the option's name. */
export type ValueReader = (text: string) => { readonly value: OptionValue } | { readonly problem: string };

/** What a URI's options may be. */
export interface OptionTable {
  readonly rules: Rules;
  /** How honoured options are read; those that are not here are text. */
  readonly values: Readonly<Record<string, ValueReader>>;
  /** What becomes of all options that begin with a prefix, by prefix. */
  readonly families?: Rules;
}

/** A whole number in decimal, or in hexadecimal with `0x`. */
export function integer(min: number, max: number): ValueReader {
  return (text) => {
    const parsed = parseInteger(text, min, max);
    const hasUnit = /^\s*\d+\s*[kmg]?b?\s*$/i.test(text) && !/^\s*\d+\s*$/.test(text);
    return 'problem' in parsed && hasUnit ? { problem: `${parsed.problem} (options take no units)` } : parsed;
  };
}

/** `true` or `false`. */
export const flag: ValueReader = (text) => parseValue({ kind: 'boolean', strict: true }, text);

/** One of these words. */
export function word(...words: readonly string[]): ValueReader {
  return (text) => (words.includes(text) ? { value: text } : { problem: `expected ${listed(words, 'or')}, found "${text}"` });
}

/** The honoured options of one URI. Of several names the first that is given counts. */
export class OptionValues {
  readonly #values: ReadonlyMap<string, OptionValue>;

  constructor(values: ReadonlyMap<string, OptionValue>) {
    this.#values = values;
  }

  number(fallback: number, ...names: readonly string[]): number {
    const value = this.#first(names);
    return typeof value === 'number' ? value : fallback;
  }

  numberOrNull(...names: readonly string[]): number | null {
    const value = this.#first(names);
    return typeof value === 'number' ? value : null;
  }

  flag(fallback: boolean, ...names: readonly string[]): boolean {
    const value = this.#first(names);
    return typeof value === 'boolean' ? value : fallback;
  }

  text<T extends string | null>(fallback: T, ...names: readonly string[]): string | T {
    const value = this.#first(names);
    return typeof value === 'string' ? value : fallback;
  }

  /** null: not given. */
  networks(...names: readonly string[]): readonly NetworkModel[] | null {
    const value = this.#first(names);
    return typeof value === 'object' ? value : null;
  }

  #first(names: readonly string[]): OptionValue | undefined {
    return names.map((name) => this.#values.get(name)).find((value) => value !== undefined);
  }
}

/** Honoured options that a message about an unknown one names; the reference has them all. */
const EXAMPLES_MAX = 6;

/**
 * Judges the options of one URI.
 *
 * @param uri the URI's whole text, that the options' indexes point into
 */
export function readOptions(options: readonly UriOption[], table: OptionTable, uri: LocatedText, reading: Reading): OptionValues {
  const values = new Map<string, OptionValue>();
  const seen = new Set<string>();
  for (const option of options) {
    const place = uri.at(option.nameIndex);
    const name = option.name.startsWith('wireformat.') ? `wireFormat.${option.name.slice('wireformat.'.length)}` : option.name;
    const disposition = ruleOf(table, name);
    if (disposition === undefined) {
      reading.error(place, option.name, describeUnknown(option.name, name, table));
      continue;
    }
    if (name !== option.name) reading.warn(place, option.name, `option ${option.name} is read as ${name}, its spelling since ActiveMQ 5.9`);
    if (seen.has(name)) reading.warn(place, name, `option ${name} is given twice; the last one counts`);
    seen.add(name);
    if (disposition.kind === 'refused') reading.error(place, name, describe(`option ${name}`, disposition));
    if (disposition.kind === 'inert') reading.warn(place, name, describe(`option ${name}`, disposition));
    if (disposition.kind !== 'honoured') continue;
    const parsed = table.values[name]?.(option.value) ?? { value: option.value };
    if ('problem' in parsed) reading.error(uri.at(option.valueIndex), name, `${name}: ${parsed.problem}`);
    else values.set(name, parsed.value);
  }
  return new OptionValues(values);
}

function describeUnknown(written: string, name: string, table: OptionTable): string {
  const names = Object.keys(table.rules);
  const honouredNames = names.filter((known) => table.rules[known]!.kind === 'honoured').slice(0, EXAMPLES_MAX);
  const expected = listed(
    [...honouredNames, `${honouredNames.length === 0 ? 'one' : 'another'} that docs/reference/activemq-xml.md lists`],
    'or',
  );
  return `unknown option ${written} (ActiveMQ: "Invalid connect parameters"): expected ${expected}${didYouMean(name, names)}`;
}

function ruleOf({ rules, families = {} }: OptionTable, name: string): Disposition | undefined {
  if (Object.hasOwn(rules, name)) return rules[name];
  const prefix = Object.keys(families).find((begin) => name.startsWith(begin));
  return prefix === undefined ? undefined : families[prefix];
}
