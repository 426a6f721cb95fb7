/**
 * What a reader has to say of one place in a file.
 *
 * - `error`   the file cannot be used.
 * - `warning` the word is known and has no effect here, or is likely not what its author wanted.
 * - `note`    worth knowing; nothing to do.
 */
export type Severity = 'error' | 'warning' | 'note';

export interface Diagnostic {
  readonly severity: Severity;
  readonly file: string;
  /** 1-based; 0 when the whole file is meant. */
  readonly line: number;
  /** 1-based, in characters; 0 when the whole line is meant. */
  readonly column: number;
  /** The element, attribute or keyword it is about; empty when there is none. */
  readonly keyword: string;
  /** One sentence: what was found, what was expected, what to do. */
  readonly message: string;
}

/** `activemq.xml:74:12: error: message`, the form that editors can jump to. */
export function formatDiagnostic(d: Diagnostic): string {
  const place = d.line === 0 ? d.file : d.column === 0 ? `${d.file}:${d.line}` : `${d.file}:${d.line}:${d.column}`;
  return `${place}: ${d.severity}: ${d.message}`;
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((d) => d.severity === 'error');
}
