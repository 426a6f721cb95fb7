import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TokenBucket } from './token-bucket.ts';

test('a burst is there at once, then what the rate brings', () => {
  const bucket = new TokenBucket(2, 3, 1_000);
  assert.deepEqual(
    [1_000, 1_000, 1_000, 1_000, 1_499, 1_500, 1_500].map((at) => bucket.tryTake(at)),
    [true, true, true, false, false, true, false],
  );
  assert.deepEqual(
    [60_000, 60_000, 60_000, 60_000].map((at) => bucket.tryTake(at)),
    [true, true, true, false],
    'no more than the burst is saved up',
  );
});

test('a debt says how long it takes to pay', () => {
  const bucket = new TokenBucket(10, 10, 0);
  assert.deepEqual([bucket.spend(10, 0), bucket.spend(5, 0), bucket.spend(0, 400), bucket.spend(0, 500)], [0, 500, 100, 0]);
});

test('whoever pays each debt before spending again has spent no more than the burst and the rate allow, but for the last one', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000 }), fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1 }), (rate, amounts) => {
      const bucket = new TokenBucket(rate, rate, 0);
      let now = 0;
      let spent = 0;
      for (const amount of amounts) {
        assert.ok(spent <= rate + (now * rate) / 1000 + 1e-6 * spent, `${spent} by ${now} ms`);
        spent += amount;
        now += bucket.spend(amount, now);
      }
    }),
  );
});
