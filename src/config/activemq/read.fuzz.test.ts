// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders are part of what is mixed
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { readText } from '../../../test/harness/activemq-file.ts';
import { REPOSITORY_ROOT } from '../../../test/harness/repository-root.ts';
import { hasErrors } from '../diagnostic.ts';
import { ELEMENTS } from './schema.ts';

const CLASSIC = readFileSync(join(REPOSITORY_ROOT, 'test/fixtures/classic/activemq-2.xml'));
const TEXT = CLASSIC.toString();

/** Reads it, and holds what is promised of any result: errors and a model exclude each other, and every place is in the file. */
function read(input: string | Uint8Array) {
  const result = readText(input);
  assert.equal(result.model === null, hasErrors(result.diagnostics));
  assert.equal(result.source === null, result.model === null);
  const lines = (typeof input === 'string' ? input : Buffer.from(input).toString('latin1')).split(/\r\n|\n|\r/).length;
  for (const { line, column, message, file } of result.diagnostics) {
    assert.ok(message.length > 0);
    assert.ok(file === 'broker.xml' && line >= 0 && line <= lines && column >= 0, `${line}:${column} of ${lines} lines: ${message}`);
  }
  return result;
}

test('a classic file that is cut anywhere is refused with a message, unless all of its beans are there', () => {
  const complete = TEXT.indexOf('</beans>') + '</beans>'.length;
  for (let length = 0; length < CLASSIC.length; length++) {
    const { model, diagnostics } = read(CLASSIC.subarray(0, length));
    const rest = TEXT.slice(complete, length).trim();
    if (length >= complete && (rest === '' || rest.endsWith('-->'))) {
      assert.ok(model, `cut at ${length}`);
      continue;
    }
    assert.equal(model, null, `cut at ${length}`);
    const [first] = diagnostics;
    assert.match(first!.message, /cut off\?$|^the file is empty|is not XML/, `cut at ${length}: ${first!.message}`);
  }
});

test('any bytes are read without an exception', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => read(bytes) !== null));
});

test('any text in angle brackets is read without an exception', () => {
  const piece = fc.constantFrom(
    '<',
    '>',
    '</',
    '/>',
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    '<?',
    '?>',
    '<!DOCTYPE',
    '&',
    '&amp;',
    ';',
    '"',
    "'",
    '=',
    ' ',
    '\n',
    'a',
    'x:a',
    'xmlns',
    '${',
    '}',
    '\u0000',
    '😀',
    '\ufeff',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => read(pieces.join('')) !== null),
    { numRuns: 500 },
  );
});

test('a classic file with pieces put in, taken out or exchanged is read without an exception', () => {
  const words = fc.constantFrom(
    ...ELEMENTS.keys(),
    'uri',
    'name',
    '"',
    '<',
    '>',
    '/>',
    '</broker>',
    '<broker',
    '&',
    '&#0;',
    '${x',
    '#{',
    '-->',
    '<!--',
    'xmlns',
    '-1',
    '99999999999999999999',
    '100 tb',
    'static:(',
    ')',
    '?',
    '=',
    '\u0000',
  );
  const edit = fc.record({ at: fc.nat(TEXT.length), drop: fc.nat(40), put: words });
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      let text = TEXT;
      for (const { at, drop, put } of edits) text = text.slice(0, at) + put + text.slice(at + drop);
      return read(text) !== null;
    }),
    { numRuns: 400 },
  );
});

/** Elements of the vocabulary with properties of their own or of others, nested at will. */
const { tree } = fc.letrec<{ tree: string; property: string }>((tie) => {
  const elementNames = fc.constantFrom(...ELEMENTS.keys());
  const propertyNames = fc.constantFrom(
    ...new Set([...ELEMENTS.values()].flatMap(({ properties }) => [...properties.keys()])),
    'constructor',
    '__proto__',
    'toString',
  );
  const value = fc.constantFrom(
    'true',
    '1',
    '-1',
    'x',
    '',
    '64mb',
    '#a',
    '${a}',
    'static:(tcp://h:1)',
    'multicast://default',
    'mqtt://h:1?x=1',
    'a,b.>',
    'queue://q',
  );
  const attributes = fc
    .uniqueArray(fc.tuple(propertyNames, value), { maxLength: 3, selector: ([name]) => name })
    .map((list) => list.map(([name, text]) => ` ${name}="${text}"`).join(''));
  return {
    tree: fc
      .tuple(elementNames, attributes, fc.array(fc.oneof({ maxDepth: 4 }, value, tie('property')), { maxLength: 3 }))
      .map(([name, given, inside]) => `<${name}${given}>${inside.join('')}</${name}>`),
    property: fc
      .tuple(propertyNames, fc.array(fc.oneof({ maxDepth: 4 }, value, tie('tree')), { maxLength: 2 }))
      .map(([name, inside]) => `<${name}>${inside.join('')}</${name}>`),
  };
});

test('any elements of the vocabulary in any place are read without an exception', () => {
  fc.assert(
    fc.property(fc.array(tree, { maxLength: 3 }), tree, (beside, inside) => {
      const text = `<beans xmlns="http://www.springframework.org/schema/beans"><a xmlns="http://activemq.apache.org/schema/core">${beside.join('')}</a>
<broker xmlns="http://activemq.apache.org/schema/core"><persistenceAdapter>${inside}</persistenceAdapter>${inside}</broker></beans>`;
      return read(text) !== null;
    }),
    { numRuns: 500 },
  );
});
