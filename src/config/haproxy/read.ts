import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { evaluateCondition } from './conditions.ts';
import { checkConsistency } from './consistency.ts';
import { finishProxy, type GlobalDraft, newGlobalDraft, type ProxyDraft } from './drafts.ts';
import { readGlobalLine } from './global.ts';
import type { OtherSection } from './keywords.ts';
import { decodeBytes, describeLexicalError, encodeBytes, isBlank, printableExcerpt, splitLine, type Variables } from './lexer.ts';
import type { GlobalSection, Place, ProxyModel } from './model.ts';
import { openProxy, readProxyLine } from './proxy.ts';
import { type Modifier, Reading, Statement, type UserDatabase } from './reading.ts';
import type { HAProxyDiagnostic } from './report.ts';
import { findOtherSection, openOtherSection, readOtherLine } from './sections.ts';

/** The HAProxy whose files are read, for `version_atleast()` and its kin. */
export const HAPROXY_VERSION = '2.6.12';

/** Names that `feature()` answers with true: what a configuration may rely on here. */
export const HAPROXY_FEATURES: ReadonlySet<string> = new Set(['GETADDRINFO', 'ACCEPT4']);

/** Fatal messages after which HAProxy reads no further. */
const FATAL_MAX = 50;
/** `.if` within `.if`, at most. */
const NESTED_CONDITIONS_MAX = 16;
/** Characters of a condition that are shown around a mistake. */
const CONDITION_EXCERPT_WIDTH = 76;

export interface ConfigFile {
  /** As it was named; used in messages. */
  readonly file: string;
  readonly text: string | Buffer;
}

export interface ReadOptions {
  /** Default: the process's environment. It is not changed. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Addresses of host names, null for one that cannot be resolved. A name that is missing stays a name in the model. */
  readonly hosts?: ReadonlyMap<string, string | null>;
  /** Default: /etc/passwd and /etc/group. */
  readonly users?: UserDatabase;
  /** Default: the name of this machine. */
  readonly hostName?: string;
  /** Servers whose names cannot be resolved are disabled: HAProxy's `-dr`. */
  readonly toleratesUnresolved?: boolean;
}

export interface ReadResult {
  /** null when there is any error. */
  readonly model: ProxyModel | null;
  /** In HAProxy's order. */
  readonly diagnostics: readonly HAProxyDiagnostic[];
  /** Host names whose addresses the file needs; see `loadHAProxy`. */
  readonly hostNames: readonly string[];
  /** Whether anything would listen: HAProxy does not start otherwise. */
  readonly hasListener: boolean;
  /** `zero-warning` in the global section. */
  readonly zeroWarning: boolean;
}

/**
 * Reads haproxy.cfg files as HAProxy 2.6 would, one after the other, into one model.
 *
 * Never throws for anything that a file may hold: all of it becomes a diagnostic. Names of hosts are not resolved, see `loadHAProxy`.
 */
export function readHAProxy(files: readonly ConfigFile[], options: ReadOptions = {}): ReadResult {
  const environment = new Map<string, string>();
  for (const [name, value] of Object.entries(options.environment ?? process.env)) {
    if (value !== undefined) environment.set(name, value);
  }
  const reading = new Reading(
    newGlobalDraft(),
    options.users ?? systemUsers,
    environment,
    options.hosts ?? new Map(),
    options.hostName ?? hostname(),
  );
  for (const [unit, file] of files.entries()) {
    reading.report.enterUnit(unit);
    new FileReader(reading, file).read();
    if (reading.report.aborted) break;
  }
  reading.report.enterUnit(-1);
  if (reading.report.fatalCount === 0) checkConsistency(reading, options.toleratesUnresolved ?? false);

  const failed = reading.report.fatalCount + reading.report.refusalCount > 0;
  return {
    model: failed ? null : { global: finishGlobal(reading.global), proxies: reading.proxies.map(finishProxy) },
    diagnostics: reading.report.diagnostics,
    hostNames: [...reading.hostNames],
    hasListener: reading.proxies.some((proxy) => !proxy.disabled && proxy.kind !== 'backend' && proxy.binds.length > 0),
    zeroWarning: reading.global.zeroWarning,
  };
}

function finishGlobal(draft: GlobalDraft): GlobalSection {
  const { zeroWarning: _, quiet: __, logSendHostname: ___, ulimitSet: ____, ...section } = draft;
  return section;
}

/** What an `.if` block does with the lines in it. */
type Branch =
  /** Lines count. */
  | 'taken'
  /** Lines do not count; an `.elif` or `.else` may still. */
  | 'open'
  /** A branch was taken before, or the block stands in one that does not count. */
  | 'done';

interface ConditionBlock {
  branch: Branch;
  inElse: boolean;
}

/** Reads one file, line by line. */
class FileReader {
  readonly #reading: Reading;
  readonly #file: ConfigFile;
  readonly #blocks: ConditionBlock[] = [];
  /** Stops reading this file. */
  #stopped = false;
  /** `broken`: a proxy whose head could not be read. */
  #section: ProxyDraft | OtherSection | 'global' | 'broken' | null = null;
  readonly #variables: Variables;

  constructor(reading: Reading, file: ConfigFile) {
    this.#reading = reading;
    this.#file = file;
    this.#variables = {
      get: (name) => {
        const value = reading.variable(decodeBytes(name));
        return value === undefined ? undefined : encodeBytes(value);
      },
    };
  }

  read(): undefined {
    const { report } = this.#reading;
    const text = encodeBytes(this.#file.text);
    let fatalLines = 0;
    let place: Place = { file: this.#file.file, line: 0 };
    for (let start = 0, line = 1; start < text.length && !this.#stopped; line++) {
      const end = text.indexOf('\n', start);
      const raw = text.slice(start, end < 0 ? text.length : end);
      const nul = raw.indexOf('\0');
      // A NUL ends the line as C sees it: the line feed behind it is missing.
      const truncatedAt = nul >= 0 ? nul : end < 0 ? raw.length : -1;
      place = { file: this.#file.file, line };
      this.#reading.place = place;
      start = end < 0 ? text.length : end + 1;

      if (fatalLines >= FATAL_MAX) {
        report.alert(place, `too many fatal errors (${fatalLines}), stopping now.`, { form: 'parsing []: ', fatal: false });
        return;
      }
      const before = report.fatalCount;
      this.#readLine(nul >= 0 ? raw.slice(0, nul) : raw, place);
      if (report.fatalCount > before) fatalLines++;
      if (truncatedAt < 0) continue;
      if (start < text.length) {
        const next = { file: this.#file.file, line };
        report.alert(next, `Stray NUL character at position ${truncatedAt + 1}.`, { form: 'parsing []: ' });
      } else {
        report.alert(place, `Missing LF on last line, file might have been truncated at position ${truncatedAt + 1}.`, {
          form: 'parsing []: ',
        });
      }
      break;
    }
    if (this.#blocks.length > 0 && !this.#stopped) {
      report.alert(place, "non-terminated '.if' block.", { form: 'parsing []: ', abort: true });
    }
  }

  #readLine(raw: string, place: Place): undefined {
    const { report } = this.#reading;
    let indent = 0;
    while (indent < raw.length && isBlank(raw[indent]!)) indent++;
    const line = raw.slice(indent);
    if (line.startsWith('[')) return this.#readScope(line, place);

    const { words: byteWords, error, unsetVariables } = splitLine(line, this.#variables);
    if (error !== null) {
      // HAProxy counts positions from the start of the line, and shows the line without its indentation.
      const message = describeLexicalError(error, line, indent);
      return report.alert(place, decodeBytes(message), { form: 'parsing []: ', column: indent + error.position + 1 });
    }
    const first = byteWords[0] ?? '';
    if (first === '') return;
    if (first.startsWith('.')) return this.#readDirective(byteWords, place);
    if (this.#isSkipping()) return;
    this.#reading.cautionUnset(place, unsetVariables.map(decodeBytes));

    const words = byteWords.map(decodeBytes);
    let modifier: Modifier = 'none';
    if (words[0] === 'no' || (words[0] === 'default' && words.length > 1)) {
      modifier = words.shift() as Modifier;
      if (!NEGATABLE.has(words[0] ?? '')) {
        report.alert(
          place,
          'negation/default currently supported only for options, log, busy-polling, set-dumpable, strict-limits, ' +
            'insecure-fork-wanted and numa-cpu-mapping.',
          { form: 'parsing []: ', keyword: modifier },
        );
      }
    }
    this.#readStatement(new Statement(place, words, modifier));
  }

  #readStatement(statement: Statement): undefined {
    const reading = this.#reading;
    const { keyword } = statement;
    const other = findOtherSection(keyword);
    if (keyword === 'global') {
      this.#section = 'global';
      reading.section = keyword;
      return readGlobalLine(reading, statement);
    }
    if (keyword === 'defaults' || keyword === 'frontend' || keyword === 'backend' || keyword === 'listen') {
      reading.section = keyword;
      this.#section = openProxy(reading, statement) ?? 'broken';
      if (reading.report.aborted) this.#stopped = true;
      return;
    }
    if (other !== null) {
      this.#section = other;
      reading.section = keyword;
      return openOtherSection(reading, statement, other);
    }
    const section = this.#section;
    if (section === null) {
      return reading.report.alert(statement.place, `unknown keyword '${keyword}' out of section.`, { form: 'parsing []: ', keyword });
    }
    if (section === 'global') readGlobalLine(reading, statement);
    else if (section === 'broken') reading.report.alert(statement.place, "'listen' or 'defaults' expected.", { keyword });
    else if ('keywords' in section) readOtherLine(reading, statement, section);
    else readProxyLine(reading, statement, section);
    if (reading.report.aborted) this.#stopped = true;
  }

  /** `[NAME]`: HAProxy's scopes, which nothing uses. */
  #readScope(line: string, place: Place): undefined {
    const { report } = this.#reading;
    const close = line.indexOf(']');
    const name = line.slice(1, close);
    if (close <= 1) return report.alert(place, 'empty scope name is forbidden.');
    const forbidden = /[^A-Za-z0-9_.:-]/.exec(name)?.[0];
    if (forbidden !== undefined) return report.alert(place, `character '${forbidden}' is not permitted in a scope name.`, { abort: true });
    const rest = line.slice(close + 1).trimStart();
    if (rest !== '' && !rest.startsWith('#')) {
      report.alert(place, `character '${rest[0]}' is not permitted after scope declaration.`, { abort: true });
    }
  }

  #isSkipping(): boolean {
    return this.#blocks.length > 0 && this.#blocks.at(-1)!.branch !== 'taken';
  }

  /** `.if`, `.elif`, `.else`, `.endif`, and messages. A mistake in one of these ends the reading. */
  #readDirective(byteWords: readonly string[], place: Place): undefined {
    const { report } = this.#reading;
    const words = byteWords.map(decodeBytes);
    const [name = '', argument = ''] = words;
    const block = this.#blocks.at(-1);
    const stop = (message: string): undefined => {
      report.alert(place, message, { form: 'parsing []: ', abort: true, keyword: name });
      this.#stopped = true;
    };
    /** HAProxy still looks whether blocks are left open after this kind of mistake. */
    const stopInBlock = (message: string): undefined => {
      stop(message);
      if (this.#blocks.length > 0) report.alert(place, "non-terminated '.if' block.", { form: 'parsing []: ', abort: true });
    };

    switch (name) {
      case '.if': {
        if (this.#blocks.length + 1 >= NESTED_CONDITIONS_MAX) {
          return stop(`too many nested '.if', max is ${NESTED_CONDITIONS_MAX}.`);
        }
        if (this.#isSkipping()) {
          this.#blocks.push({ branch: 'done', inElse: false });
          return;
        }
        const value = this.#evaluate(byteWords, place);
        if (value === null) return;
        this.#blocks.push({ branch: value ? 'taken' : 'open', inElse: false });
        return;
      }
      case '.elif': {
        if (block === undefined) return stop("lone '.elif' with no matching '.if'.");
        if (block.inElse) return stop("'.elif' after '.else' is not permitted.");
        if (block.branch !== 'open') {
          block.branch = 'done';
          return;
        }
        const value = this.#evaluate(byteWords, place);
        if (value) block.branch = 'taken';
        return;
      }
      case '.else':
        if (argument !== '') return stopInBlock(`Unexpected argument '${argument}' for '.else'.`);
        if (block === undefined) return stop("lone '.else' with no matching '.if'.");
        if (block.inElse) return stop("'.else' after '.else' is not permitted.");
        block.inElse = true;
        block.branch = block.branch === 'open' ? 'taken' : 'done';
        return;
      case '.endif':
        if (argument !== '') return stopInBlock(`Unexpected argument '${argument}' for '.endif'.`);
        if (block === undefined) return stop("lone '.endif' with no matching '.if'.");
        this.#blocks.pop();
        return;
    }
    if (this.#isSkipping()) return;

    const level = MESSAGE_DIRECTIVES[name];
    if (level === undefined) {
      this.#stopped = true;
      return report.alert(place, `unknown directive '${name}'.`, { form: 'parsing []: ', keyword: name });
    }
    const extra = words[2] ?? '';
    if (extra !== '') {
      const message = `Unexpected argument '${extra}' for '${name}'. Use quotes if the message should contain spaces.`;
      return report.alert(place, message, { form: 'parsing []: ', keyword: name });
    }
    const options = { form: 'parsing []: ', keyword: name } as const;
    if (level === 'alert') return stop(`'${argument}'.`);
    report[level](place, `'${argument}'.`, options);
  }

  /** Value of the expression after `.if` or `.elif`; null after a mistake, which ends the reading. */
  #evaluate(byteWords: readonly string[], place: Place): boolean | null {
    const name = byteWords[0]!;
    const expression = byteWords.slice(1).join(' ');
    const result = evaluateCondition(expression, {
      variable: (variable) => this.#variables.get(variable),
      version: HAPROXY_VERSION,
      features: HAPROXY_FEATURES,
    });
    if ('value' in result) return result.value;
    const { text, caret } = printableExcerpt(expression, result.position, CONDITION_EXCERPT_WIDTH);
    const pointer = '^'.padStart(caret + name.length + 4);
    this.#reading.report.alert(
      place,
      decodeBytes(`${result.error} in '${name}' at position ${result.position + 1}:\n  ${name} ${text}\n${pointer}`),
      { form: 'parsing []: ', abort: true, keyword: name },
    );
    this.#stopped = true;
    return null;
  }
}

const MESSAGE_DIRECTIVES: Readonly<Record<string, 'alert' | 'warn' | 'notice' | 'diag'>> = Object.assign(Object.create(null), {
  '.alert': 'alert',
  '.warning': 'warn',
  '.notice': 'notice',
  '.diag': 'diag',
} as const);

/** Statements that `no` and `default` may precede. */
const NEGATABLE: ReadonlySet<string> = new Set([
  'option',
  'log',
  'busy-polling',
  'set-dumpable',
  'strict-limits',
  'insecure-fork-wanted',
  'numa-cpu-mapping',
]);

/** Accounts of this machine, as its files list them. */
export const systemUsers: UserDatabase = {
  user: (name) => lookUp('/etc/passwd', name),
  group: (name) => lookUp('/etc/group', name),
};

function lookUp(file: string, name: string): number | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // A system without this file has no accounts that could be named here.
    return null;
  }
  for (const line of text.split('\n')) {
    const [account, , id] = line.split(':');
    if (account === name && name !== '' && id !== undefined) return Number(id);
  }
  return null;
}
