import type { GlobalDraft, ProxyDraft } from './drafts.ts';
import type { Place } from './model.ts';
import { Report } from './report.ts';

/** A `no` or `default` in front of a statement. */
export type Modifier = 'none' | 'no' | 'default';

/** One line, split into words. */
export class Statement {
  readonly place: Place;
  readonly modifier: Modifier;
  readonly words: readonly string[];

  constructor(place: Place, words: readonly string[], modifier: Modifier) {
    this.place = place;
    this.words = words;
    this.modifier = modifier;
  }

  /** The keyword. */
  get keyword(): string {
    return this.word(0);
  }

  /** Word `index`, the keyword being 0; empty when the line has no such word. */
  word(index: number): string {
    return this.words[index] ?? '';
  }
}

export interface UserDatabase {
  /** Numeric id, or null when there is no such user. */
  user(name: string): number | null;
  group(name: string): number | null;
}

/** What the sections share while files are read. */
export class Reading {
  readonly report = new Report();
  readonly global: GlobalDraft;
  readonly proxies: ProxyDraft[] = [];
  /** Named and unnamed `defaults`, in file order. */
  readonly defaults: ProxyDraft[] = [];
  readonly users: UserDatabase;
  /** Environment as the file may change it with `setenv` and its kin. */
  readonly environment: Map<string, string>;
  /** Answers for host names; null: cannot be resolved; missing: not asked yet. */
  readonly hosts: ReadonlyMap<string, string | null>;
  /** Host names that the file needs resolved. */
  readonly hostNames = new Set<string>();
  /** Names of `resolvers` sections; HAProxy makes one called `default` itself. */
  readonly resolvers = new Set<string>(['default']);
  /** Name of this machine, for `stats show-node`. */
  readonly hostName: string;
  /** Words of a section name, as messages call it; empty before the first. */
  section = '';
  place: Place = { file: '', line: 0 };

  constructor(
    global: GlobalDraft,
    users: UserDatabase,
    environment: Map<string, string>,
    hosts: ReadonlyMap<string, string | null>,
    hostName: string,
  ) {
    this.global = global;
    this.users = users;
    this.environment = environment;
    this.hosts = hosts;
    this.hostName = hostName;
  }

  /** Environment variables, and HAProxy's pseudo-variables. */
  variable(name: string): string | undefined {
    if (name === '.FILE') return this.place.file;
    if (name === '.LINE') return String(this.place.line);
    if (name === '.SECTION') return this.section;
    return this.environment.get(name);
  }

  /**
   * Address of a host name, when it was resolved before; the name itself as long as nobody was asked; null when it cannot be resolved.
   * Notes the name either way, behind `ipv4@` or `ipv6@` where only such an address will do.
   */
  resolve(name: string, version: 4 | 6 | null = null): string | null {
    const key = version === null ? name : `ipv${version}@${name}`;
    this.hostNames.add(key);
    const answer = this.hosts.get(key);
    return answer === undefined ? name : answer;
  }

  /** Reports words beyond `count` after the keyword (and `index` words of sub-keywords); true when there are any. */
  hasTooManyWords(statement: Statement, count: number, index = 0): boolean {
    const extra = statement.words[index + count + 1];
    if (extra === undefined || extra === '') return false;
    const shown = statement.words.slice(0, index + 1).join(' ');
    this.report.alert(statement.place, `'${shown}' cannot handle unexpected argument '${extra}'.`, { keyword: statement.keyword });
    return true;
  }

  /** Says that a variable in an address or between quotes is not set. */
  cautionUnset(place: Place, names: readonly string[]): void {
    for (const name of new Set(names)) {
      this.report.caution(place, `the environment variable '${name}' is not set, and nothing takes its place.`, {
        keyword: name,
      });
    }
  }
}
