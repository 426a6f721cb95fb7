import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RoundRobin } from './roundrobin.ts';

interface Seat {
  readonly id: number;
  readonly weight: number;
}

function servers(weights: readonly number[]): Seat[] {
  return weights.map((weight, index) => ({ id: index + 1, weight }));
}

function sequence(weights: readonly number[], length: number): string {
  const balance = new RoundRobin(servers(weights));
  return Array.from({ length }, () => balance.next(() => true)?.id ?? '-').join('');
}

// Recorded from HAProxy 2.6.12.
const RECORDED: readonly (readonly [readonly number[], string])[] = [
  [[1, 1], '12121212'],
  [[1, 1, 1], '123123123'],
  [[3, 1], '11121112'],
  [[5, 3, 1], '112132112112132112'],
  [[0, 1, 2], '332332332'],
];

for (const [weights, order] of RECORDED) {
  test(`weights ${weights.join(':')} are used in the order ${order}`, () => {
    assert.equal(sequence(weights, order.length), order);
  });
}

test('a server of weight 0 is never chosen, and none at all when every weight is 0', () => {
  assert.equal(sequence([0, 0], 3), '---');
  assert.equal(sequence([], 3), '---');
});

test('a server that is passed over keeps its turn', () => {
  const balance = new RoundRobin(servers([1, 1]));
  assert.equal(balance.next((s) => s.id !== 1)?.id, 2);
  assert.equal(balance.next(() => true)?.id, 1);
});

test('nothing usable gives null, and the next call works again', () => {
  const balance = new RoundRobin(servers([2, 1]));
  assert.equal(
    balance.next(() => false),
    null,
  );
  const after = Array.from({ length: 9 }, () => balance.next(() => true)?.id);
  assert.equal(after.filter((id) => id === 1).length, 6);
});

test('over any whole number of rounds each server is used in proportion to its weight', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 256 }), { minLength: 1, maxLength: 8 }), (weights) => {
      const balance = new RoundRobin(servers(weights));
      const round = weights.reduce((a, b) => a + b, 0);
      const used = weights.map(() => 0);
      for (let i = 0; i < round * 2; i++) used[balance.next(() => true)!.id - 1]!++;
      for (const [index, weight] of weights.entries()) assert.ok(Math.abs(used[index]! - 2 * weight) <= 2, `${weights} gave ${used}`);
    }),
    { numRuns: 100 },
  );
});

test('whatever is passed over, every usable server is found and nothing else', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 6 }),
      fc.array(fc.nat(63), { minLength: 1, maxLength: 100 }),
      (weights, masks) => {
        const balance = new RoundRobin(servers(weights));
        for (const mask of masks) {
          const usable = (s: Seat): boolean => (mask & (1 << (s.id - 1))) !== 0;
          const chosen = balance.next(usable);
          const possible = servers(weights).some((s) => s.weight > 0 && usable(s));
          assert.equal(chosen !== null, possible);
          if (chosen !== null) assert.ok(chosen.weight > 0 && usable(chosen));
        }
      },
    ),
  );
});
