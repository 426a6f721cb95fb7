import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CLOCK_SKEW_MAX_MS, compareStamps, HybridClock, type Stamp } from './hybrid-clock.ts';

const stamp: fc.Arbitrary<Stamp> = fc.record({ wallMs: fc.nat(3), counter: fc.nat(2), brokerId: fc.constantFrom('a', 'b', 'c') });

test('stamps have one order on every broker', () => {
  fc.assert(
    fc.property(stamp, stamp, stamp, (a, b, c) => {
      assert.equal(Math.sign(compareStamps(a, b)) + Math.sign(compareStamps(b, a)), 0);
      assert.equal(compareStamps(a, b) === 0, a.wallMs === b.wallMs && a.counter === b.counter && a.brokerId === b.brokerId);
      if (compareStamps(a, b) <= 0 && compareStamps(b, c) <= 0) assert.ok(compareStamps(a, c) <= 0);
    }),
  );
});

test('each stamp is newer than all given and seen before, also when the wall clock steps back', () => {
  const event = fc.oneof(fc.record({ now: fc.nat(20) }), fc.record({ seen: stamp.map((s) => ({ ...s, wallMs: s.wallMs * 10 })) }));
  fc.assert(
    fc.property(fc.array(event, { maxLength: 30 }), (events) => {
      let now = 0;
      const clock = new HybridClock('me', () => now);
      let newest: Stamp | null = null;
      for (const what of events) {
        if ('now' in what) now = what.now;
        else {
          clock.observe(what.seen);
          if (newest === null || compareStamps(newest, what.seen) < 0) newest = what.seen;
        }
        const next = clock.next();
        if (newest !== null) assert.ok(compareStamps(newest, next) < 0, JSON.stringify([newest, next]));
        assert.ok(next.wallMs >= now);
        newest = next;
      }
    }),
  );
});

test('a stamp too far ahead of our own clock is not followed', () => {
  const clock = new HybridClock('me', () => 1_000);
  clock.observe({ wallMs: 1_001 + CLOCK_SKEW_MAX_MS, counter: 0, brokerId: 'x' });
  assert.equal(clock.next().wallMs, 1_000);
  clock.observe({ wallMs: 1_000 + CLOCK_SKEW_MAX_MS, counter: 7, brokerId: 'x' });
  assert.deepEqual(clock.next(), { wallMs: 1_000 + CLOCK_SKEW_MAX_MS, counter: 8, brokerId: 'me' });
});
