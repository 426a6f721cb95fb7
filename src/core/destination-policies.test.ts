import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DestinationPolicies, type DestinationPolicy, NO_POLICIES, NO_POLICY } from './destination-policies.ts';
import { Router } from './router.ts';

const policy = (destination: string): DestinationPolicy => ({ ...NO_POLICY, destination });

function policies(patterns: string, defaultPolicy: DestinationPolicy | null = null): DestinationPolicies {
  return new DestinationPolicies(
    patterns.split(' ').map((pattern) => [pattern, policy(pattern)] as const),
    defaultPolicy,
  );
}

for (const [patterns, topic, expected] of [
  ['#', 'a', '#'],
  ['#', '/', '#'],
  ['#', '$SYS/broker/uptime', '#'],
  ['+', '$x', '+'],
  ['a/#', 'a', 'a/#'],
  ['a/#', 'a/b/c', 'a/#'],
  ['a/#', 'ab', null],
  ['a/+', 'a', null],
  ['a/+', 'a/b', 'a/+'],
  ['a/+', 'a/b/c', null],
  ['# a/# a/+ a/b', 'a/b', 'a/b'],
  ['a/b a/+ a/# #', 'a/b', 'a/b'],
  ['# a/# a/+ a/b', 'a/c', 'a/+'],
  ['# a/# a/+ a/b', 'a', 'a/#'],
  ['# a/# a/+ a/b', 'a/b/c', 'a/#'],
  ['a a/#', 'a', 'a'],
  // A name at the first level where two differ counts for more than names further down.
  ['a/# +/b', 'a/b', 'a/#'],
  ['a/+/d +/b/c', 'a/b/c', '+/b/c'],
  ['a/b/x a/+/c', 'a/b/c', 'a/+/c'],
  ['#', 'a/+/#', '#'],
  ['a/# a/b', 'a/#', 'a/#'],
] as const) {
  test(`of ${patterns} the policy of ${topic} is ${expected}`, () => {
    assert.equal(policies(patterns).of(topic)?.destination ?? null, expected);
  });
}

test('the default policy is for topics that no entry names', () => {
  const some = policies('a/#', policy('default'));
  assert.equal(some.of('b')!.destination, 'default');
  assert.equal(some.of('a')!.destination, 'a/#');
  assert.equal(NO_POLICIES.of('a'), null);
  assert.equal(new DestinationPolicies([], policy('default')).of('a')!.destination, 'default');
});

test('the first of two entries with one pattern counts', () => {
  const [first, second] = [policy('first'), policy('second')];
  const both = new DestinationPolicies(
    [
      ['a/#', first],
      ['a/#', second],
    ],
    null,
  );
  assert.equal(both.of('a/b'), first);
});

test("the router's answer has the topic's policy, looked for once while the topic is remembered", () => {
  let looked = 0;
  const all = policies('#');
  const counting = {
    of: (topic: string) => {
      looked++;
      return all.of(topic);
    },
  };
  const router = new Router(100, counting);
  for (let i = 0; i < 5; i++) assert.equal(router.match('a/b').policy!.destination, '#');
  assert.equal(looked, 1);
});
