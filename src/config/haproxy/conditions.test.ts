import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareVersions, evaluateCondition } from './conditions.ts';

const VARIABLES: Readonly<Record<string, string>> = { HOME: '/root', EMPTY: '' };
const evaluate = (expression: string) =>
  evaluateCondition(expression, {
    variable: (name) => VARIABLES[name],
    version: '2.6.12',
    features: new Set(['GETADDRINFO']),
  });

// The answers are those of HAProxy 2.6.12.
for (const [expression, value] of [
  ['', false],
  ['1', true],
  ['0', false],
  ['007', true],
  ['-5', true],
  ['0x1', true],
  ['0x0', false],
  ['(1)', true],
  ['((1) && (0))', false],
  ['!1', false],
  ['! 1', false],
  ['!!1', true],
  ['1 || 0 && 0', true],
  ['0 && 0 || 1', true],
  ['defined(HOME)', true],
  ['defined("HOME")', true],
  ['defined( HOME )', false],
  ['defined(EMPTY)', true],
  ['defined(NOPE)', false],
  ['defined()', false],
  ['streq(a b,a b)', true],
  ['streq(a , a )', false],
  ['strneq(a,b)', true],
  ['feature(GETADDRINFO)', true],
  ['feature(getaddrinfo)', false],
  ['feature(FOO) || feature(GETADDRINFO)', true],
  ['version_atleast(2.6-dev1)', true],
  ['version_atleast(2.6.12)', true],
  ['version_atleast(2.6.13)', false],
  ['version_atleast(2.6.12-1)', false],
  ['version_atleast()', true],
  ['version_before(2.7)', true],
  ['ssllib_name_startswith(OpenSSL)', true],
  ['openssl_version_atleast(1.1.1)', true],
] as const) {
  test(`'${expression}' is ${value}`, () => assert.deepEqual(evaluate(expression), { value }));
}

for (const [expression, error, position] of [
  ['foo', "unparsable conditional expression 'foo'", 0],
  ['1 foo', "unexpected character 'f' at the end of conditional expression '1 foo'", 2],
  ['1)', "unexpected character ')' at the end of conditional expression '1)'", 1],
  ['(1', "expected ')' after conditional expression '(1'", 0],
  ['1 & 1', "unexpected character '&' at the end of conditional expression '1 & 1'", 2],
  ['defined(HOME', "expected ')' in argument 1 of predicate 'defined' used in conditional expression", 12],
  ['defined(A,B)', "expected ')' before ',B)' in argument 1 of predicate 'defined' used in conditional expression", 9],
  ['streq(a)', "missing arguments (got 1/2), type 'string' expected in argument 1 of predicate 'streq' used in conditional expression", 7],
  [
    'streq (a,a)',
    "missing arguments (got 1/2), type 'string' expected in argument 1 of predicate 'streq' used in conditional expression",
    5,
  ],
  ['nope(2)', "unparsable conditional expression 'nope(2)'", 0],
  ['constructor', "unparsable conditional expression 'constructor'", 0],
] as const) {
  test(`'${expression}' cannot be read`, () => assert.deepEqual(evaluate(expression), { error, position }));
}

test('a condition nested without end is an error, not a full stack', () => {
  const result = evaluate('('.repeat(100_000));
  assert.ok('error' in result);
});

test('a development version is before the one it leads to', () => {
  assert.ok(compareVersions('2.6-dev3', '2.6.0') < 0);
  assert.ok(compareVersions('2.6-dev3', '2.6-dev4') < 0);
  assert.ok(compareVersions('2.6.2', '2.6.12') < 0);
  assert.equal(compareVersions('2.6', '2.6.0'), 0);
});
