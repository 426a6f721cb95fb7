import assert from 'node:assert/strict';
import { test } from 'node:test';
import { didYouMean, listed, suggest } from './suggestion.ts';

const NAMES = ['brokerName', 'brokerId', 'dataDirectory', 'persistent', 'useJmx', 'uri', 'name'];

for (const [word, expected] of [
  ['brokerNam', ['brokerName']],
  ['brokername', ['brokerName']],
  ['rbokerName', ['brokerName']],
  ['datadirectoy', ['dataDirectory']],
  ['url', ['uri']],
  ['nam', ['name']],
  ['useJMX', ['useJmx']],
  ['x', []],
  ['somethingElse', []],
] as const) {
  test(`"${word}" was likely meant to be ${expected.length === 0 ? 'nothing known' : expected.join()}`, () => {
    assert.deepEqual(suggest(word, NAMES), expected);
  });
}

test('the nearest come first, three at most', () => {
  assert.deepEqual(suggest('cat', ['cats', 'bat', 'cat2', 'cot', 'dog']), ['cats', 'bat', 'cat2']);
  assert.deepEqual(suggest('Static', ['statics', 'statix', 'static']), ['static']);
});

test('a suggestion is a question at the end of a sentence', () => {
  assert.equal(
    didYouMean('brokerNam', NAMES, (name) => `<${name}>`),
    '; did you mean <brokerName>?',
  );
  assert.equal(didYouMean('quite other', NAMES), '');
  assert.equal(listed(['a', 'b', 'c'], 'or'), 'a, b or c');
  assert.equal(listed(['a', 'b'], 'and'), 'a and b');
  assert.equal(listed([], 'or'), '');
});
