// Writes src/config/activemq/vocabulary.ts from the table of ActiveMQ's XML vocabulary in test/fixtures/activemq.
import { readFileSync, writeFileSync } from 'node:fs';

const table = new URL('../test/fixtures/activemq/xbean-5.17.2.tsv', import.meta.url);
const target = new URL('../src/config/activemq/vocabulary.ts', import.meta.url);
const PLAIN_TYPES = new Set(['boolean', 'Boolean', 'short', 'int', 'long', 'float', 'double', 'String', 'File', 'URI']);

/** Characters of a default worth printing; longer ones are SQL. */
const DEFAULT_LENGTH_MAX = 48;

/** A default worth printing: that of a plain value, whole, and the same on every machine. */
function printableDefault(type, text) {
  if (!PLAIN_TYPES.has(type) || /^(null|\?|\(lazy\)|!.*)?$/.test(text) || text.length > DEFAULT_LENGTH_MAX) return '';
  return ` ${text}`;
}

const lines = [];
for (const row of readFileSync(table, 'utf8').replace(/\n$/, '').split('\n')) {
  const [element, property, type, defaultText, editor] = row.split('\t');
  if (property === '*' || property === '-') lines.push(`${element} ${type}`);
  else lines.push(` ${property} ${type}${editor === '' ? '' : `/${editor}`}${printableDefault(type, defaultText)}`);
}

const escaped = lines.join('\n').replaceAll('\\', '\\\\').replaceAll('`', '\\`').replaceAll('${', '\\${');
writeFileSync(
  target,
  `// Written by scripts/activemq-vocabulary.mjs; do not edit.

/**
 * The elements of ActiveMQ 5.17.2's XML vocabulary. A line without indent is an element and its Java class; the
 * indented lines below it are its properties: name, Java type (and the property editor that reads it), default.
 */
export const VOCABULARY_TABLE = \`
${escaped}
\`;
`,
);
