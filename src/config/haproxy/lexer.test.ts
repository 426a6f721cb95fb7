// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are variables of haproxy.cfg
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBytes, describeLexicalError, encodeBytes, printableExcerpt, splitLine, WORDS_PER_LINE_MAX } from './lexer.ts';

const VARIABLES: Readonly<Record<string, string>> = { HOST: '10.0.0.1', EMPTY: '', LIST: 'a  b c' };
const split = (line: string) => splitLine(encodeBytes(line), { get: (name) => VARIABLES[name] });
const words = (line: string) => split(line).words.map(decodeBytes);

for (const [line, expected] of [
  ['server s1 1.2.3.4:1883', ['server', 's1', '1.2.3.4:1883']],
  ['a\t \tb', ['a', 'b']],
  ['a b ', ['a', 'b', '']],
  ['frontend mqtt # a comment', ['frontend', 'mqtt', '']],
  ['frontend mqtt#glued', ['frontend', 'mqtt']],
  ['frontend mqtt #中文', ['frontend', 'mqtt', '']],
  ['a "b # c"', ['a', 'b # c']],
  ["a 'b # c'", ['a', 'b # c']],
  ['a "b"c"d"', ['a', 'bcd']],
  [`a "it's" 'say "x"'`, ['a', "it's", 'say "x"']],
  ['a b\\ c \\#d \\\\ \\" \\\'', ['a', 'b c', '#d', '\\', '"', "'"]],
  ['a \\n\\r\\t', ['a', '\n\r\t']],
  ['a \\x41\\x7a', ['a', 'Az']],
  ['a \\1 \\q', ['a', '\\1', '\\q']],
  ['a ends\\', ['a', 'ends\\']],
  ["a '\\x41'", ['a', '\\x41']],
  ['a é"ü "', ['a', 'éü ']],
  ['a\r\nb', ['a']],
  ['a "" b', ['a', '', 'b']],
] as const) {
  test(`the line ${JSON.stringify(line)} has the words ${JSON.stringify(expected)}`, () => {
    const result = split(line);
    assert.equal(result.error, null);
    assert.deepEqual(words(line), expected);
  });
}

for (const [line, expected, unset] of [
  ['a "$HOST"', ['a', '10.0.0.1'], []],
  ['a "${HOST}:80"', ['a', '10.0.0.1:80'], []],
  ['a ${HOST}', ['a', '${HOST}'], []],
  ["a '$HOST'", ['a', '$HOST'], []],
  ['a "\\$HOST"', ['a', '$HOST'], []],
  ['a "${NOPE}"', ['a', ''], ['NOPE']],
  ['a "${NOPE-x y}"', ['a', 'x y'], []],
  ['a "${EMPTY-x}"', ['a', ''], []],
  ['a "${HOST-x}"', ['a', '10.0.0.1'], []],
  ['a "${LIST[*]}"', ['a', 'a', 'b', 'c'], []],
  ['a "${LIST}"', ['a', 'a  b c'], []],
] as const) {
  test(`variables: ${line} has the words ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(words(line), expected);
    assert.deepEqual(split(line).unsetVariables, unset);
  });
}

for (const [line, message] of [
  ['node "abc', 'unmatched quote at position 6:\n  node "abc\n       ^'],
  ["node 'abc", "unmatched quote at position 6:\n  node 'abc\n       ^"],
  ['node "${HOST', 'unmatched brace in environment variable name at position 8:\n  node "${HOST\n         ^'],
  ['node "$1"', 'forbidden first char in environment variable name at position 8:\n  node "$1"\n         ^'],
  ['node \\x4', 'truncated or invalid hexadecimal sequence at position 6:\n  node \\x4\n       ^'],
  ['node \\xZZ', 'truncated or invalid hexadecimal sequence at position 6:\n  node \\xZZ\n       ^'],
  ['node "${A[x]}"', 'truncated or invalid word expansion sequence at position 10:\n  node "${A[x]}"\n           ^'],
  ['node "ü', 'unmatched quote at position 6:\n  node "??\n       ^'],
] as const) {
  test(`a faulty line is shown with a caret: ${line}`, () => {
    const { error } = split(line);
    assert.ok(error);
    assert.equal(describeLexicalError(error, encodeBytes(line)), message);
  });
}

test('positions count the indentation, which is not shown', () => {
  const { error } = split('a "b');
  assert.equal(describeLexicalError(error!, 'a "b', 4), 'unmatched quote at position 7:\n  a "b\n    ^');
});

test('a line of more than 64 words is refused at the last one that counts', () => {
  const line = Array.from({ length: WORDS_PER_LINE_MAX + 1 }, (_, i) => `w${i}`).join(' ');
  const { error } = split(line);
  assert.match(describeLexicalError(error!, line), /^too many words, truncating after word 64, position \d+: <w63>\.$/);
  assert.equal(split(line.slice(0, line.lastIndexOf(' '))).error, null);
});

test('a long line is cut around the position, as HAProxy cuts it', () => {
  const line = 'x'.repeat(200);
  assert.deepEqual(printableExcerpt(line, 10, 80), { text: 'x'.repeat(80), caret: 10 });
  const far = printableExcerpt(line, 150, 80);
  assert.equal(far.caret, 40);
  assert.equal(far.text, `...${'x'.repeat(74)}...`);
});
