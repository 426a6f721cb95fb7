import type { NamedTest } from './citations.ts';
import { bindsServer, type Coverage, coverage, gapOf, type Version } from './coverage.ts';
import { MQTT_3_1, type UnnumberedRule } from './mqtt-3.1.ts';
import type { Binds } from './statement.ts';

const INTRODUCTION = `<!-- Written by scripts/mqtt-conformance.mjs from the ids in sources and tests; do not edit. -->

# MQTT conformance

Every numbered normative statement of MQTT 5.0 and MQTT 3.1.1 (appendix B of each), in words of our own, with the files that have a line
which obeys it and the tests that hold it. A statement is cited as \`[MQTT-3.1.2-22]\` for MQTT 5.0 and \`[MQTT3-3.1.2-22]\` for MQTT 3.1.1,
since a number may mean different things in the two. Where MQTT 3.1.1 says what MQTT 5.0 says, the line is cited with the number of
MQTT 5.0, and only tests that speak MQTT 3.1.1 count for it. \`![MQTT-...]\` marks where it is knowingly done otherwise, with the reason.

A statement binds the *server*, *both* sides or the *client*. *Client, checked* is a statement that binds clients and whose breach the
server finds out: it says so where the version has a way to, and ends the connection.
`;

const BINDS: Readonly<Record<Binds, string>> = { server: 'server', both: 'both', checked: 'client, checked', client: 'client' };

/** The text of docs/reference/mqtt-conformance.md. */
export function renderConformancePage(): string {
  const { versions, tests } = coverage();
  return [INTRODUCTION, renderSummary(versions), ...versions.map(renderVersion), renderSections(tests), renderMqtt31(tests)].join('\n');
}

function renderSummary(versions: readonly Version[]): string {
  const rows = versions.map(({ title, coverage }) => {
    const server = coverage.filter(({ statement }) => bindsServer(statement));
    const exceptions = server.filter((row) => row.exceptions.length > 0);
    const gaps = server.filter((row) => gapOf(row) !== null);
    return [
      title,
      `${coverage.length}`,
      `${coverage.length - server.length}`,
      `${server.length}`,
      `${server.length - gaps.length}`,
      `${exceptions.length}`,
    ];
  });
  const head = [
    'Version',
    'Statements',
    'Bind clients alone',
    'Have to do with servers',
    'Obeyed and tested, or an exception',
    'Exceptions',
  ];
  const exceptions = versions.flatMap(({ coverage }) =>
    coverage.flatMap(({ statement, exceptions }) => exceptions.map((reason) => `- \`${statement.id}\` ${statement.rule} Here: ${reason}`)),
  );
  return `${table(head, rows)}\n## Exceptions\n\n${exceptions.join('\n')}\n`;
}

function renderVersion({ title, coverage }: Version): string {
  const rows = coverage.map((row) => [
    `\`${row.statement.id}\``,
    row.statement.rule,
    BINDS[row.statement.binds],
    obeyedAt(row),
    row.tests.map(testCell).join('<br>'),
  ]);
  return `## ${title}\n\n${table(['Statement', 'Rule', 'Binds', 'Obeyed at', 'Tested by'], rows)}`;
}

function obeyedAt({ statement, files, exceptions }: Coverage): string {
  if (!bindsServer(statement)) return 'binds clients only';
  const same = statement.same.length === 0 ? [] : [`as ${statement.same.map((id) => `\`${id}\``).join(', ')}`];
  const exception = exceptions.length === 0 ? [] : ['**exception**, see above'];
  return [...same, ...files.map((file) => `\`${file.replace(/^src\//, '')}\``), ...exception].join('<br>');
}

function testCell({ file, name }: NamedTest): string {
  return `\`${shortName(file)}\`: ${name}`;
}

function shortName(file: string): string {
  return file.replace(/^test\/|^src\//, '').replace(/\.test\.ts$/, '');
}

function renderSections(tests: readonly NamedTest[]): string {
  const rows = tests
    .filter(({ section }) => section !== null)
    .map((test) => [test.section!, testCell(test)])
    .sort(([a], [b]) => a!.localeCompare(b!, 'en', { numeric: true }));
  return `## Rules of MQTT 5.0 without a number\n\n${table(['Section', 'Tested by'], rows)}`;
}

function renderMqtt31(tests: readonly NamedTest[]): string {
  const rows = MQTT_3_1.map((rule) => [rule.section, rule.rule, testCell(testOf(rule, tests))]);
  const introduction = `## MQTT 3.1

MQTT 3.1 (\`MQIsdp\`, protocol level 3) has no numbered statements. A client of it is served as one of MQTT 3.1.1, whose tests mostly run
for both; what differs:
`;
  return `${introduction}\n${table(['Section', 'Rule', 'Tested by'], rows)}`;
}

/** @throws Error when there is no such test */
function testOf({ test }: UnnumberedRule, tests: readonly NamedTest[]): NamedTest {
  const found = tests.find(({ name }) => name === test);
  if (found === undefined) throw new Error(`mqtt-3.1.ts names a test that there is not: ${test}`);
  return found;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cellText).join(' | ')} |`;
  return `${[line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')}\n`;
}

/** Text that Markdown shows as it is: no cell ends at a `|`, no `<` but that of our own line breaks begins a tag, no `*` or `_` emphasis. */
function cellText(text: string): string {
  return text
    .replaceAll('|', '\\|')
    .replace(/<(?!br>)/g, '&lt;')
    .replace(/(?<!\*)\*(?!\*)/g, '\\*');
}
