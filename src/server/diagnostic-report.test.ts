import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Diagnostic, Severity } from '../config/diagnostic.ts';
import { renderDiagnostics, sortDiagnostics, summarize } from './diagnostic-report.ts';

function diagnostic(file: string, line: number, severity: Severity, message: string, column = 1): Diagnostic {
  return { severity, file, line, column, keyword: '', message };
}

test('diagnostics stand by file as the files were given, and by place in each', () => {
  const sorted = sortDiagnostics(
    [
      diagnostic('b.cfg', 3, 'note', 'n'),
      diagnostic('credentials.properties', 0, 'warning', 'other'),
      diagnostic('a.xml', 9, 'warning', 'late'),
      diagnostic('a.xml', 2, 'note', 'second', 7),
      diagnostic('a.xml', 2, 'error', 'first', 3),
    ],
    ['a.xml', 'b.cfg'],
  );
  assert.deepEqual(
    sorted.map((d) => d.message),
    ['first', 'second', 'late', 'n', 'other'],
  );
});

test('what is said twice is shown once', () => {
  const twice = [diagnostic('a.xml', 1, 'note', 'x'), diagnostic('a.xml', 1, 'note', 'x')];
  assert.equal(sortDiagnostics(twice, []).length, 1);
});

test('a line has the form that editors can jump to, and files are set apart', () => {
  const text = renderDiagnostics([diagnostic('a.xml', 2, 'error', 'bad', 3), diagnostic('b.cfg', 4, 'note', 'hm', 0)], false);
  assert.equal(text, 'a.xml:2:3: error: bad\n\nb.cfg:4: note: hm\n');
});

test('colours mark place and severity', () => {
  const ESC = '\u001b';
  const text = renderDiagnostics([diagnostic('a.xml', 2, 'error', 'bad: error: x', 3)], true);
  assert.equal(text, `${ESC}[1ma.xml:2:3${ESC}[22m: ${ESC}[31merror${ESC}[39m: bad: error: x\n`);
});

test('the summary counts, and only errors make the files not valid', () => {
  assert.equal(summarize([], 1), '1 file: 0 errors, 0 warnings, 0 notes: valid');
  assert.equal(
    summarize([diagnostic('a', 1, 'error', ''), diagnostic('a', 1, 'warning', ''), diagnostic('a', 1, 'warning', '')], 3),
    '3 files: 1 error, 2 warnings, 0 notes: not valid',
  );
});
