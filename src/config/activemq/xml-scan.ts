import type { Diagnostic } from '../diagnostic.ts';
import type { SourceText } from './source-text.ts';

/** Problems reported at most: a text with no XML in mind may have one in every line. */
export const MARKUP_PROBLEMS_MAX = 200;

const PREDEFINED = new Set(['amp', 'lt', 'gt', 'quot', 'apos']);

/** Markup that runs to a closing mark, and what it is called. */
const RUNS = [
  { open: '<!--', close: '-->', name: 'comment' },
  { open: '<![CDATA[', close: ']]>', name: 'CDATA section' },
  { open: '<?', close: '?>', name: 'processing instruction' },
] as const;

/**
 * Finds what the parser reports at the wrong place or would allow: a bare `&`, an entity of one's own, a document
 * type, a comment without end.
 */
export function findMarkupProblems(source: SourceText): Diagnostic[] {
  const { text } = source;
  const problems: Diagnostic[] = [];
  const problem = (offset: number, keyword: string, message: string) =>
    problems.push({ severity: 'error', ...source.place(offset), keyword, message });
  const interesting = /[<&]/g;
  for (;;) {
    const found = interesting.exec(text);
    if (found === null || problems.length >= MARKUP_PROBLEMS_MAX) return problems;
    const offset = found.index;
    if (found[0] === '&') {
      const message = entityProblem(text, offset);
      if (message !== null) problem(offset, '&', message);
      continue;
    }
    const run = RUNS.find(({ open }) => text.startsWith(open, offset));
    if (run !== undefined) {
      const end = text.indexOf(run.close, offset + run.open.length);
      if (end < 0) {
        problem(offset, '', `the ${run.name} that begins here has no end (${run.close}): is the file cut off?`);
        return problems;
      }
      interesting.lastIndex = end + run.close.length;
    } else if (/^<!DOCTYPE/i.test(text.slice(offset, offset + 9))) {
      problem(offset, 'DOCTYPE', 'a document type (DTD) is refused, since it can name other files: remove the <!DOCTYPE ...> declaration');
      return problems;
    }
  }
}

/** What is wrong with the `&` at an offset; null when it begins a reference that XML itself defines. */
function entityProblem(text: string, offset: number): string | null {
  const rest = text.slice(offset + 1, offset + 64);
  const reference = /^(#x[0-9a-fA-F]+|#[0-9]+|[\p{L}_:][\p{L}\p{N}_:.-]*);/u.exec(rest)?.[1];
  if (reference === undefined) {
    const endsHere = offset + 1 + rest.length >= text.length && /^[#\p{L}\p{N}_:.-]*\s*$/u.test(rest);
    return endsHere ? null : 'a bare "&" is not allowed in XML: write &amp; (also between the options of a URI)';
  }
  if (reference.startsWith('#')) {
    const code = reference[1] === 'x' ? Number.parseInt(reference.slice(2), 16) : Number.parseInt(reference.slice(1), 10);
    return isXmlCharacter(code) ? null : `&${reference}; is not a character that XML allows`;
  }
  if (PREDEFINED.has(reference)) return null;
  return `the entity &${reference}; is not defined: XML knows &amp; &lt; &gt; &quot; &apos; and others would need a DTD, which is refused; write &amp; where "&" is meant`;
}

/** Extensible Markup Language 1.0, production 2. */
function isXmlCharacter(code: number): boolean {
  return (
    code === 0x9 ||
    code === 0xa ||
    code === 0xd ||
    (code >= 0x20 && code <= 0xd7ff) ||
    (code >= 0xe000 && code <= 0xfffd) ||
    (code >= 0x10000 && code <= 0x10ffff)
  );
}
