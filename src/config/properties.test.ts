// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders are what is tested
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EXPANDED_LENGTH_MAX, EXPANSIONS_MAX, expandPlaceholders, type PlaceholderLookup, parseProperties } from './properties.ts';

function values(text: string): Record<string, string> {
  return Object.fromEntries([...parseProperties(text).properties].map(([name, { value }]) => [name, value]));
}

for (const [text, expected] of [
  ['a=1', { a: '1' }],
  ['a:1', { a: '1' }],
  ['a 1', { a: '1' }],
  ['  a\t=  1 2  ', { a: '1 2  ' }],
  ['a = = b', { a: '= b' }],
  ['a', { a: '' }],
  ['=x', { '': 'x' }],
  ['# a=1\n ! b=2\n\n c=3', { c: '3' }],
  ['a=1\r\nb=2\rc=3', { a: '1', b: '2', c: '3' }],
  ['a=1\\\n   2\\\n\t3', { a: '123' }],
  ['a=1\\\\\nb=2', { a: '1\\', b: '2' }],
  ['a=1\\', { a: '1' }],
  ['a\\ b\\=c\\:d=1', { 'a b=c:d': '1' }],
  ['a=\\t\\n\\r\\f\\q\\\\', { a: '\t\n\r\fq\\' }],
  ['a=\\u00e9\\u65e5', { a: 'é日' }],
  ['a=C:\\\\x # no comment', { a: 'C:\\x # no comment' }],
  ['\ufeffa=1', { a: '1' }],
  [
    'activemq.username=system\nactivemq.password=manager\nguest.password=password',
    { 'activemq.username': 'system', 'activemq.password': 'manager', 'guest.password': 'password' },
  ],
] as const) {
  test(`properties ${JSON.stringify(text)} are ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(values(text), expected);
  });
}

test('the last of several definitions counts, and knows its line', () => {
  assert.deepEqual(parseProperties('a=1\n\na=2\\\n3').properties.get('a'), { value: '23', line: 3 });
});

test('\\u without four digits is a problem of its line', () => {
  assert.deepEqual(parseProperties('a=1\nb=\\u00e').problems, [{ line: 2, message: '\\u must be followed by four hexadecimal digits' }]);
  assert.deepEqual(parseProperties('b=\\\\u00e').problems, []);
});

test('any text is read without an exception', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme-ascii' }), (text) => parseProperties(text).properties.size >= 0));
});

const NAMES: Readonly<Record<string, string>> = {
  data: '/data',
  name: 'data',
  nested: '${data}/x',
  a: '${b}',
  b: '${a}',
  'with:colon': 'whole',
  empty: '',
};
const lookup: PlaceholderLookup = (name) => (Object.hasOwn(NAMES, name) ? { value: NAMES[name]! } : null);

for (const [text, expected] of [
  ['', ''],
  ['no placeholder $ { }', 'no placeholder $ { }'],
  ['${data}', '/data'],
  ['<${data}/kahadb>', '</data/kahadb>'],
  ['${data}${data}', '/data/data'],
  ['${missing:fallback}', 'fallback'],
  ['${missing:}', ''],
  ['${data:fallback}', '/data'],
  ['${missing:a:b}', 'a:b'],
  ['${with:colon}', 'whole'],
  ['${missing:${data}}', '/data'],
  ['${${name}}', '/data'],
  ['${nested}', '/data/x'],
  ['${empty}', ''],
] as const) {
  test(`"${text}" becomes "${expected}"`, () => {
    const expanded = expandPlaceholders(text, lookup);
    assert.deepEqual([expanded.text, expanded.problems], [expected, []]);
  });
}

for (const [text, problem] of [
  ['x${missing}', { index: 1, name: 'missing', isUndefined: true, message: '${missing} is not defined' }],
  ['${data}/${nested${missing}}', { index: 8, name: 'missing', isUndefined: true, message: '${missing} is not defined' }],
  ['x${data', { index: 1, name: '', isUndefined: false, message: 'the placeholder that begins here has no closing "}"' }],
  ['${a}', { index: 0, name: 'a', isUndefined: false, message: '${a} refers to itself' }],
] as const) {
  test(`"${text}" is a problem at its place, and stays as it is`, () => {
    const expanded = expandPlaceholders(text, lookup);
    assert.deepEqual(expanded.problems, [problem]);
    assert.equal(expanded.text.slice(-4), text.slice(-4));
  });
}

test('a problem of the lookup is passed on', () => {
  const { problems } = expandPlaceholders('${x}', () => ({ problem: 'is encrypted' }));
  assert.deepEqual(problems, [{ index: 0, name: 'x', isUndefined: false, message: 'is encrypted' }]);
});

test('every character of the result knows where it comes from', () => {
  const expanded = expandPlaceholders('ab${data}cd${name}e', lookup);
  assert.equal(expanded.text, 'ab/datacddatae');
  assert.deepEqual(
    [...expanded.text, ''].map((_, i) => expanded.sourceIndex(i)),
    [0, 1, 2, 2, 2, 2, 2, 9, 10, 11, 11, 11, 11, 18, 19],
  );
});

test('definitions that double each other end, whether they grow or not', () => {
  const doubling: PlaceholderLookup = (name) => ({ value: name === '0' ? 'xx' : `\${${Number(name) - 1}}\${${Number(name) - 1}}` });
  assert.match(expandPlaceholders('${60}', doubling).problems[0]!.message, new RegExp(`more than ${EXPANSIONS_MAX} placeholders`));
  const long: PlaceholderLookup = () => ({ value: 'x'.repeat(EXPANDED_LENGTH_MAX + 1) });
  assert.match(expandPlaceholders('${x}', long).problems[0]!.message, new RegExp(`more than ${EXPANDED_LENGTH_MAX} characters`));
});

test('placeholders nested in each other without end are refused', () => {
  const deep = '${'.repeat(20_000) + '}'.repeat(20_000);
  assert.match(expandPlaceholders(deep, lookup).problems[0]!.message, new RegExp(`more than ${EXPANSIONS_MAX} placeholders`));
  assert.match(expandPlaceholders(`\${${'x'.repeat(EXPANDED_LENGTH_MAX)}}`, lookup).problems[0]!.message, /at most \d+ characters/);
});
