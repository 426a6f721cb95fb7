import { type NamedTest, namedTests, type SourceCitation, sourceCitations } from './citations.ts';
import { MQTT_3_1_1 } from './mqtt-3.1.1.ts';
import { MQTT_5_0 } from './mqtt-5.0.ts';
import type { Statement } from './statement.ts';

/** What stands for a statement in the repository. */
export interface Coverage {
  readonly statement: Statement;
  /** Files with a line that obeys it, sorted. */
  readonly files: readonly string[];
  readonly tests: readonly NamedTest[];
  /** Why it is knowingly not obeyed, or not wholly; empty otherwise. */
  readonly exceptions: readonly string[];
}

export interface Version {
  readonly title: string;
  readonly coverage: readonly Coverage[];
}

/** The statements of both versions with what obeys and tests them. */
export function coverage(): { readonly versions: readonly Version[]; readonly tests: readonly NamedTest[] } {
  const citations = sourceCitations();
  const tests = namedTests();
  const versions = [
    { title: 'MQTT 5.0', statements: MQTT_5_0 },
    { title: 'MQTT 3.1.1', statements: MQTT_3_1_1 },
  ].map(({ title, statements }) => ({
    title,
    coverage: statements.map((statement) => coverageOf(statement, citations, tests)),
  }));
  return { versions, tests };
}

/** What a statement of MQTT 3.1.1 shares with one of MQTT 5.0 is obeyed by the same line; its test has to speak MQTT 3.1.1. */
function coverageOf(statement: Statement, citations: readonly SourceCitation[], tests: readonly NamedTest[]): Coverage {
  const ids = [statement.id, ...statement.same];
  const cited = citations.filter(({ id }) => ids.includes(id));
  const obeyed = cited.filter(({ exception }) => exception === null);
  return {
    statement,
    files: [...new Set(obeyed.map(({ file }) => file))].sort(),
    tests: tests.filter(
      (test) => test.ids.includes(statement.id) || (test.coversMqtt3 && statement.same.some((id) => test.ids.includes(id))),
    ),
    exceptions: cited.flatMap(({ exception }) => exception ?? []),
  };
}

/** Whether a server has to do with the statement at all. */
export function bindsServer({ binds }: Statement): boolean {
  return binds !== 'client';
}

/** What is missing for a statement that has to do with servers: a line that obeys it or an exception, and a test. null: nothing is. */
export function gapOf({ statement, files, tests, exceptions }: Coverage): string | null {
  if (!bindsServer(statement)) return null;
  const missing = [files.length + exceptions.length === 0 ? 'no line' : '', tests.length === 0 ? 'no test' : ''].filter(
    (what) => what !== '',
  );
  return missing.length === 0 ? null : `${statement.id}: ${missing.join(' and ')}`;
}
