import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import ts from 'typescript';
import { REPOSITORY_ROOT } from '../test/harness/repository-root.ts';

test('docs/reference/errors.md lists every error code that the program raises, and no other', () => {
  const raised = new Set<string>();
  for (const path of readdirSync(join(REPOSITORY_ROOT, 'src'), { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('.ts') || path.endsWith('.test.ts')) continue;
    for (const code of codesIn(path, readFileSync(join(REPOSITORY_ROOT, 'src', path), 'utf8'))) raised.add(code);
  }
  const page = readFileSync(join(REPOSITORY_ROOT, 'docs', 'reference', 'errors.md'), 'utf8');
  const listed = [...page.matchAll(/^\| `([A-Z][A-Z0-9_]+)` \|/gm)].map(([, code]) => code!);
  assert.deepEqual(listed.toSorted(), [...raised].toSorted());
});

test('a code is found wherever an error is made', () => {
  const text = `
    throw new ConfigError('ONE', 'message');
    throw new ProtocolError(taken ? 'TWO' : 'THREE', 'message', 1);
    class Special extends CodedError { constructor() { super('FOUR', 'message', 'client'); } }
    new Map('FIVE');`;
  assert.deepEqual(codesIn('x.ts', text), ['ONE', 'TWO', 'THREE', 'FOUR']);
});

/** Codes are the string literals in the first argument of `new ...Error(...)` and `super(...)`. */
function codesIn(file: string, text: string): string[] {
  const codes: string[] = [];
  const collect = (node: ts.Node): void => {
    if (ts.isStringLiteral(node) && /^[A-Z][A-Z0-9_]+$/.test(node.text)) codes.push(node.text);
    else ts.forEachChild(node, collect);
  };
  const visit = (node: ts.Node): void => {
    const makesError = ts.isNewExpression(node) && ts.isIdentifier(node.expression) && node.expression.text.endsWith('Error');
    const callsSuper = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.SuperKeyword;
    if ((makesError || callsSuper) && node.arguments?.[0]) collect(node.arguments[0]);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  return codes;
}
