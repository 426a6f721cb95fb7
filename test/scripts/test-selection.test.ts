import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadTestSelection } from './script-modules.ts';

const { selectArguments, selectTests } = await loadTestSelection();

const PATHS = [
  'dist/test/mqtt/3.1-connect.test.js',
  'dist/src/core/router.test.js',
  'dist/src/core/router.js',
  'dist/src/core/router.test.js.map',
];

test('without words every compiled test file runs, in order, and nothing else', () => {
  assert.deepEqual(selectTests(PATHS, []), ['dist/src/core/router.test.js', 'dist/test/mqtt/3.1-connect.test.js']);
});

test('a word selects by any part of the path, the source path included', () => {
  assert.deepEqual(selectTests(PATHS, ['mqtt/']), ['dist/test/mqtt/3.1-connect.test.js']);
  assert.deepEqual(selectTests(PATHS, ['src/core/router.test.ts']), ['dist/src/core/router.test.js']);
  assert.deepEqual(selectTests(PATHS, ['nothing like it']), []);
});

test('words that begin with a dash go to node, --no-apt and ROUNDHOUSE_NO_APT=1 stay with us', () => {
  assert.deepEqual(selectArguments(['core', '--test-only', '--no-apt'], {}), {
    words: ['core'],
    nodeOptions: ['--test-only'],
    mayInstall: false,
  });
  assert.equal(selectArguments([], {}).mayInstall, true);
  assert.equal(selectArguments([], { ROUNDHOUSE_NO_APT: '1' }).mayInstall, false);
});
