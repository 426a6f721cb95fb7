import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { REPOSITORY_ROOT } from '../harness/repository-root.ts';

/**
 * An id as sources and tests write it: `[MQTT-3.1.2-22]` is a statement of MQTT 5.0, `[MQTT3-3.1.2-22]` one of MQTT 3.1.1; with `!` in
 * front it is one that is knowingly not obeyed.
 */
const CITATION = /(!?)\[(MQTT3?-[^\]\s\\]*)\]/g;

/** A statement cited by a line of the program. */
export interface SourceCitation {
  readonly id: string;
  /** From the repository's root. */
  readonly file: string;
  /** Why it is not obeyed: what follows `![...]: ` up to the end of the sentence. null: it is obeyed. */
  readonly exception: string | null;
}

/** A test of the repository by its name. */
export interface NamedTest {
  /** The statements in its name. */
  readonly ids: readonly string[];
  /** The section in its name, `(section 3.8.3.1)`: a rule of MQTT 5.0 that has no number. null: none. */
  readonly section: string | null;
  /** From the repository's root. */
  readonly file: string;
  /** Without ids and section; `...` stands for what differs from one test to the next of a loop. */
  readonly name: string;
  /** Whether it speaks MQTT 3.1.1, or no version of the protocol at all. */
  readonly coversMqtt3: boolean;
}

/** TypeScript below `folder`, from the repository's root. */
function listSources(folder: string): string[] {
  return readdirSync(join(REPOSITORY_ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((path) => `${folder}/${path.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.ts'))
    .sort();
}

function read(file: string): string {
  return readFileSync(join(REPOSITORY_ROOT, file), 'utf8');
}

/** What the program cites. */
export function sourceCitations(): SourceCitation[] {
  return listSources('src')
    .filter((file) => !file.endsWith('.test.ts'))
    .flatMap((file) => citationsIn(file, read(file)));
}

/** All tests by name. */
export function namedTests(): NamedTest[] {
  return testFiles().flatMap((file) => testsIn(file, read(file)));
}

/** Every id that stands anywhere in a test, in its name or not. */
export function idsInTests(): { id: string; file: string }[] {
  return testFiles()
    .filter((file) => !file.startsWith('test/conformance/'))
    .flatMap((file) => [...read(file).matchAll(CITATION)].map(([, , id]) => ({ id: id!, file })));
}

function testFiles(): string[] {
  return [
    ...listSources('src').filter((file) => file.endsWith('.test.ts')),
    ...listSources('test').filter((file) => file.endsWith('.test.ts')),
  ];
}

/** @throws Error when an exception has no reason */
export function citationsIn(file: string, text: string): SourceCitation[] {
  return [...text.matchAll(CITATION)].map((match) => {
    const [whole, mark, id] = match;
    const exception = mark === '' ? null : reasonAfter(text, match.index + whole.length);
    if (exception === '') throw new Error(`${file}: ![${id}] is to be followed by ': ' and the reason, a sentence`);
    return { id: id!, file, exception };
  });
}

/** The sentence behind `: ` in the rest of a comment; empty when there is none. */
function reasonAfter(text: string, at: number): string {
  if (!text.startsWith(': ', at)) return '';
  const lines = text.slice(at + 2).split('\n');
  const isLineComment = text.slice(text.lastIndexOf('\n', at) + 1, at).includes('//');
  const comment = [lines[0]!];
  for (const line of lines.slice(1)) {
    if (comment.at(-1)!.includes('*/') || (isLineComment && !/^\s*\/\//.test(line))) break;
    comment.push(line.replace(/^\s*(\/\/|\*(?!\/))\s?/, ''));
  }
  const prose = comment
    .join(' ')
    .replace(/\*\/.*/, '')
    .replace(/\s+/g, ' ')
    .trim();
  return /^.*?\.(?= |$)/.exec(prose)?.[0] ?? '';
}

/** The tests of a file. Of those whose names a loop over a table puts together, one for each row that cites a statement or a section. */
export function testsIn(file: string, text: string): NamedTest[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const speaksMqtt = /harness\/mqtt-(broker|peer|programs)/.test(text);
  const found: NamedTest[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'test' && node.arguments[0]) {
      const outermost = statementAround(node).getText();
      for (const { name, row } of namesOf(node.arguments[0]))
        found.push({
          ids: [...name.matchAll(CITATION)].map(([, , id]) => id!),
          section: SECTION.exec(name)?.[1] ?? null,
          file,
          name: name.replace(CITATION, '').replace(SECTION, '').replace(/\s+/g, ' ').trim(),
          coversMqtt3: !speaksMqtt || (row === null ? SPEAKS_MQTT_3.test(outermost) : speaksInRow(row, outermost)),
        });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

const SECTION = /\(section ([\d.]+)\)/;

/** How a test shows that one of its clients is of MQTT 3.1.1: it asks for level 4, for the harness's default, or for every level or version. */
const SPEAKS_MQTT_3 = /\bclient\(4\b|\bdial\(\)|\bLEVELS\b|\[4, v4\]|\blevel of \[[^\]]*\b4\b|\blevel: 4\b|\bVERSIONS\b/;

/** A row of a table with packets by version has them as `v4` and `v5`. */
function speaksInRow(row: ts.Expression, test: string): boolean {
  const columns = ts.isObjectLiteralExpression(row) ? row.properties.map((property) => property.name?.getText()) : [];
  return columns.includes('v4') || columns.includes('v5') ? columns.includes('v4') : SPEAKS_MQTT_3.test(test);
}

/** The statement of the file's top level that a node is in. */
function statementAround(node: ts.Node): ts.Node {
  let at = node;
  while (!ts.isSourceFile(at.parent)) at = at.parent;
  return at;
}

/** A name as it is written, and for each row of a table that puts an id into it, the name with that row's text. */
function namesOf(argument: ts.Expression): { name: string; row: ts.Expression | null }[] {
  if (ts.isStringLiteralLike(argument)) return [{ name: argument.text, row: null }];
  if (!ts.isTemplateExpression(argument)) return [];
  const written = (substituted: number, text: string) =>
    argument.head.text + argument.templateSpans.map(({ literal }, i) => (i === substituted ? text : '...') + literal.text).join('');
  const names: { name: string; row: ts.Expression | null }[] = [{ name: written(-1, ''), row: null }];
  for (const [i, { expression }] of argument.templateSpans.entries()) {
    if (!ts.isIdentifier(expression)) continue;
    for (const { row, text } of columnOf(expression))
      if (text.includes('[MQTT') || SECTION.test(text)) names.push({ name: written(i, text), row });
  }
  return names;
}

/** The texts of one column of the table that `for (const { column } of TABLE)` or `for (const [column] of TABLE)` goes over. */
function columnOf(column: ts.Identifier): { row: ts.Expression; text: string }[] {
  for (let node: ts.Node = column; !ts.isSourceFile(node); node = node.parent) {
    if (!ts.isForOfStatement(node) || !ts.isVariableDeclarationList(node.initializer)) continue;
    const binding = node.initializer.declarations[0]!.name;
    if (ts.isIdentifier(binding)) continue;
    const at = binding.elements.findIndex((element) => ts.isBindingElement(element) && element.name.getText() === column.text);
    if (at < 0) continue;
    return rowsOf(node.expression).flatMap((row) => {
      const cell = cellOf(row, column.text, at);
      return cell && ts.isStringLiteralLike(cell) ? [{ row, text: cell.text }] : [];
    });
  }
  return [];
}

/** One cell of a row that is an object or a list. */
function cellOf(row: ts.Expression, column: string, at: number): ts.Expression | undefined {
  if (ts.isArrayLiteralExpression(row)) return row.elements[at];
  if (!ts.isObjectLiteralExpression(row)) return undefined;
  const property = row.properties.find(({ name }) => name?.getText() === column);
  return property && ts.isPropertyAssignment(property) ? property.initializer : undefined;
}

/** The elements of an array that stands in the file. */
function rowsOf(table: ts.Expression): readonly ts.Expression[] {
  if (ts.isAsExpression(table)) return rowsOf(table.expression);
  if (ts.isArrayLiteralExpression(table)) return table.elements;
  if (!ts.isIdentifier(table)) return [];
  for (const statement of table.getSourceFile().statements) {
    if (!ts.isVariableStatement(statement)) continue;
    for (const { name, initializer } of statement.declarationList.declarations)
      if (initializer && name.getText() === table.text) return rowsOf(initializer);
  }
  return [];
}
