import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atol, isWholeNumber, parseSize, parseTime } from './durations.ts';

for (const [text, ms] of [
  ['5', 5],
  ['5us', 1],
  ['1500us', 2],
  ['0us', 0],
  ['5ms', 5],
  ['5s', 5_000],
  ['2m', 120_000],
  ['1h', 3_600_000],
  ['24d', 2_073_600_000],
  ['2147483647', 2_147_483_647],
] as const) {
  test(`${text} is ${ms} ms`, () => assert.deepEqual(parseTime(text), { kind: 'time', value: ms, trailing: null }));
}

for (const text of ['2147483648', '25d', '99999999999999999999']) {
  test(`${text} is more than a timer can hold`, () => assert.deepEqual(parseTime(text), { kind: 'overflow' }));
}

for (const [text, character] of [
  ['5S', 'S'],
  ['1.5s', '.'],
  ['5u', 'u'],
  ['5uS', 'u'],
  ['abc', 'a'],
  ['-1', '-'],
  ['+5', '+'],
  ['5 s', ' '],
  ['', ''],
  ['s', 's'],
] as const) {
  test(`in ${JSON.stringify(text)} the character '${character}' is unexpected`, () =>
    assert.deepEqual(parseTime(text), { kind: 'unexpected', character }));
}

test('a character after the unit is let pass and told', () =>
  assert.deepEqual(parseTime('5sx'), { kind: 'time', value: 5_000, trailing: 'x' }));

test('a time in seconds is rounded up', () => {
  assert.deepEqual(parseTime('30', 's'), { kind: 'time', value: 30, trailing: null });
  assert.deepEqual(parseTime('500ms', 's'), { kind: 'time', value: 1, trailing: null });
  assert.deepEqual(parseTime('2m', 's'), { kind: 'time', value: 120, trailing: null });
});

for (const [text, bytes] of [
  ['100', 100],
  ['4k', 4_096],
  ['4K', 4_096],
  ['1m', 1_048_576],
  ['2G', 2_147_483_648],
] as const) {
  test(`${text} is ${bytes} bytes`, () => assert.deepEqual(parseSize(text), { kind: 'size', bytes }));
}

test('a size with another unit is unexpected', () => assert.deepEqual(parseSize('4kb'), { kind: 'unexpected', character: 'b' }));

for (const [text, number, whole] of [
  ['12', 12, true],
  ['-3', -3, true],
  ['  7x', 7, false],
  ['abc', 0, false],
  ['', 0, false],
] as const) {
  test(`atol takes ${JSON.stringify(text)} for ${number}`, () => {
    assert.equal(atol(text), number);
    assert.equal(isWholeNumber(text), whole);
  });
}
