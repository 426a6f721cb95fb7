import { type Diagnostic, formatDiagnostic, type Severity } from '../config/diagnostic.ts';
import { type Colour, paint, wantsColours } from './terminal-colours.ts';

const SEVERITY_COLOURS: Readonly<Record<Severity, Colour>> = { error: 'red', warning: 'yellow', note: 'cyan' };
const RANK: Readonly<Record<Severity, number>> = { error: 0, warning: 1, note: 2 };

/** Diagnostics by file in the order of `files`, in each by place; others' files after them. What is said twice is kept once. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[], files: readonly string[]): Diagnostic[] {
  const order = (file: string) => {
    const at = files.indexOf(file);
    return at < 0 ? files.length : at;
  };
  const seen = new Set<string>();
  return diagnostics
    .filter((d) => {
      const text = formatDiagnostic(d);
      return !seen.has(text) && seen.add(text);
    })
    .sort(
      (a, b) =>
        order(a.file) - order(b.file) ||
        (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) ||
        a.line - b.line ||
        a.column - b.column ||
        RANK[a.severity] - RANK[b.severity],
    );
}

/** One line a diagnostic, in the form that editors can jump to; an empty line between files. Sorted ones in, text with its line end out. */
export function renderDiagnostics(diagnostics: readonly Diagnostic[], colours: boolean): string {
  let text = '';
  let file: string | null = null;
  for (const d of diagnostics) {
    if (file !== null && d.file !== file) text += '\n';
    file = d.file;
    text += `${colours ? highlight(d) : formatDiagnostic(d)}\n`;
  }
  return text;
}

function highlight(d: Diagnostic): string {
  const marked = `: ${d.severity}: `;
  const line = formatDiagnostic(d);
  const at = line.indexOf(marked);
  return `${paint('bold', line.slice(0, at))}: ${paint(SEVERITY_COLOURS[d.severity], d.severity)}: ${line.slice(at + marked.length)}`;
}

/** `3 files: 0 errors, 5 warnings, 7 notes: valid` */
export function summarize(diagnostics: readonly Diagnostic[], fileCount: number): string {
  const count = (severity: Severity) => diagnostics.filter((d) => d.severity === severity).length;
  const errors = count('error');
  return `${counted(fileCount, 'file')}: ${counted(errors, 'error')}, ${counted(count('warning'), 'warning')}, ${counted(count('note'), 'note')}: ${
    errors > 0 ? 'not valid' : 'valid'
  }`;
}

function counted(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

/**
 * What a command that goes on to run something says on standard error: errors and warnings. Notes are for `roundhouse check`, of which
 * it reminds.
 */
export function printDiagnostics(diagnostics: readonly Diagnostic[], files: readonly string[]): void {
  const sorted = sortDiagnostics(diagnostics, files);
  const said = sorted.filter((d) => d.severity !== 'note');
  const notes = sorted.length - said.length;
  process.stderr.write(renderDiagnostics(said, wantsColours(process.stderr, process.env)));
  if (notes > 0) process.stderr.write(`${counted(notes, 'note')} more: roundhouse check ${files.join(' ')}\n`);
}
