/**
 * The expressions of `.if` and `.elif` (configuration manual section 2.4), as HAProxy 2.6 evaluates them.
 *
 * ```
 * version_atleast(2.4) && !defined(DEBUG)
 * streq("$ENV",prod) || (feature(OPENSSL) && 1)
 * ```
 */

export interface ConditionFacts {
  /** Value of an environment variable, undefined when unset. */
  readonly variable: (name: string) => string | undefined;
  /** The HAProxy version whose behaviour is offered, such as `2.6.12`. */
  readonly version: string;
  /** Upper-case names that `feature()` answers with true. */
  readonly features: ReadonlySet<string>;
}

export type ConditionResult =
  | { readonly value: boolean }
  /** `position` is the 0-based offset in the expression. */
  | { readonly error: string; readonly position: number };

class ConditionError extends Error {
  readonly position: number;
  constructor(message: string, position: number) {
    super(message);
    this.position = position;
  }
}

/** Depth of brackets and negations, far beyond any real file: keeps the stack bounded. */
const NESTING_MAX = 1024;

/** Evaluates the words after `.if`, joined by single spaces. An empty expression is false. */
export function evaluateCondition(expression: string, facts: ConditionFacts): ConditionResult {
  try {
    const parser = new ConditionParser(expression, facts);
    return { value: parser.run() };
  } catch (error) {
    if (error instanceof ConditionError) return { error: error.message, position: error.position };
    throw error;
  }
}

class ConditionParser {
  readonly #text: string;
  readonly #facts: ConditionFacts;
  #at = 0;
  #depth = 0;

  constructor(text: string, facts: ConditionFacts) {
    this.#text = text;
    this.#facts = facts;
  }

  run(): boolean {
    this.#skipBlanks();
    if (this.#at >= this.#text.length) return false;
    const value = this.#either();
    this.#skipBlanks();
    if (this.#at < this.#text.length) {
      throw new ConditionError(
        `unexpected character '${this.#text[this.#at]}' at the end of conditional expression '${this.#text}'`,
        this.#at,
      );
    }
    return value;
  }

  #either(): boolean {
    let value = this.#both();
    while (this.#take('||')) {
      // Both sides are read: a mistake on the right is reported although the left decides.
      const right = this.#both();
      value = value || right;
    }
    return value;
  }

  #both(): boolean {
    let value = this.#term();
    while (this.#take('&&')) {
      const right = this.#term();
      value = value && right;
    }
    return value;
  }

  #take(operator: string): boolean {
    const before = this.#at;
    this.#skipBlanks();
    if (!this.#text.startsWith(operator, this.#at)) {
      this.#at = before;
      return false;
    }
    this.#at += operator.length;
    this.#skipBlanks();
    return true;
  }

  #term(): boolean {
    if (++this.#depth > NESTING_MAX) throw new ConditionError('expression nested too deeply', this.#at);
    try {
      this.#skipBlanks();
      let negated = false;
      while (this.#text[this.#at] === '!') {
        negated = !negated;
        this.#at++;
        this.#skipBlanks();
      }
      return this.#operand() !== negated;
    } finally {
      this.#depth--;
    }
  }

  #operand(): boolean {
    const start = this.#at;
    const rest = this.#text.slice(start);
    if (rest.startsWith('(')) {
      this.#at++;
      const value = this.#either();
      this.#skipBlanks();
      if (this.#text[this.#at] !== ')') throw new ConditionError(`expected ')' after conditional expression '${rest}'`, start);
      this.#at++;
      return value;
    }
    const number = /^[-+]?(0[xX][0-9a-fA-F]+|[0-9]+)/.exec(rest);
    if (number) {
      this.#at += number[0].length;
      return !/^[-+]?(0[xX])?0*$/.test(number[0]);
    }
    const name = /^[A-Za-z0-9_]*/.exec(rest)?.[0] ?? '';
    const predicate = PREDICATES[name];
    if (predicate === undefined) throw new ConditionError(`unparsable conditional expression '${rest}'`, start);
    this.#at += name.length;
    return predicate.test(this.#arguments(name, predicate.arity), this.#facts);
  }

  /** `(a,b)`; without brackets there are no arguments, which is an error only where two are needed. */
  #arguments(name: string, arity: 1 | 2): readonly string[] {
    const fail = (message: string, position: number): never => {
      throw new ConditionError(`${message} in argument 1 of predicate '${name}' used in conditional expression`, position);
    };
    const missing = (got: number): string => `missing arguments (got ${got}/${arity}), type 'string' expected`;
    if (this.#text[this.#at] !== '(') {
      if (arity === 2) fail(missing(1), this.#at);
      return [''];
    }
    const values: string[] = [];
    let value = '';
    this.#at++;
    for (let quote = ''; ; this.#at++) {
      const c = this.#text[this.#at];
      if (c === undefined) {
        if (values.length + 1 < arity) fail(missing(values.length + 1), this.#at);
        fail("expected ')'", this.#at);
      }
      if (quote !== '') {
        if (c === quote) quote = '';
        else value += c;
      } else if (c === '"' || c === "'") {
        quote = c;
      } else if (c === '\\' && this.#at + 1 < this.#text.length) {
        value += this.#text[++this.#at];
      } else if (c === ',' || c === ')') {
        values.push(value);
        value = '';
        if (c === ')') break;
        if (values.length === arity) fail(`expected ')' before '${this.#text.slice(this.#at)}'`, this.#at);
      } else {
        value += c;
      }
    }
    if (values.length < arity) fail(missing(values.length), this.#at);
    this.#at++;
    return values;
  }

  #skipBlanks(): void {
    while (this.#text[this.#at] === ' ' || this.#text[this.#at] === '\t') this.#at++;
  }
}

interface Predicate {
  readonly arity: 1 | 2;
  readonly test: (values: readonly string[], facts: ConditionFacts) => boolean;
}

/** The predicates of 2.6. Those about OpenSSL ask for the library behind Node: it is an OpenSSL 3. */
const PREDICATES: Readonly<Record<string, Predicate>> = Object.assign(Object.create(null), {
  defined: { arity: 1, test: ([name = ''], facts) => facts.variable(name) !== undefined },
  feature: { arity: 1, test: ([name = ''], facts) => name === '' || facts.features.has(name) },
  streq: { arity: 2, test: ([a, b]) => a === b },
  strneq: { arity: 2, test: ([a, b]) => a !== b },
  version_atleast: { arity: 1, test: ([version = ''], facts) => compareVersions(facts.version, version) >= 0 },
  version_before: { arity: 1, test: ([version = ''], facts) => compareVersions(facts.version, version) < 0 },
  openssl_version_atleast: { arity: 1, test: ([version = '']) => compareVersions(process.versions.openssl, version) >= 0 },
  openssl_version_before: { arity: 1, test: ([version = '']) => compareVersions(process.versions.openssl, version) < 0 },
  ssllib_name_startswith: { arity: 1, test: ([prefix = '']) => 'OpenSSL'.startsWith(prefix) },
} satisfies Record<string, Predicate>);

/**
 * Orders two versions of the form `2.6`, `2.6.12`, `2.6-dev3` or `2.6.12-4`. A `-dev` version is before the one it leads to,
 * a number after `-` counts commits after a release. What cannot be read counts as 0.
 */
export function compareVersions(a: string, b: string): number {
  const left = versionNumbers(a);
  const right = versionNumbers(b);
  for (let i = 0; i < left.length; i++) {
    const difference = left[i]! - right[i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

function versionNumbers(version: string): readonly [number, number, number, number, number] {
  const match = /^(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-(dev|rc)(\d*))?(?:-(\d+)(?![\d+]))?/.exec(version);
  if (!match) return [0, 0, 0, 0, 0];
  const [, major, minor, patch, stage, stageNumber, commits] = match;
  const stageRank = stage === 'dev' ? -2000 + Number(stageNumber ?? 0) : stage === 'rc' ? -1000 + Number(stageNumber ?? 0) : 0;
  return [Number(major), Number(minor ?? 0), Number(patch ?? 0), stageRank, Number(commits ?? 0)];
}
