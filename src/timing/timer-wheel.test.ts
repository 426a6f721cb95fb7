import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FakeClock } from './clock.ts';
import { TICK_MS, TimerEntry, TimerWheel } from './timer-wheel.ts';

function setUp(): { clock: FakeClock; wheel: TimerWheel; fired: string[]; entry: (name: string) => TimerEntry<string> } {
  const clock = new FakeClock();
  const fired: string[] = [];
  return {
    clock,
    wheel: new TimerWheel({ clock }),
    fired,
    entry: (name) => new TimerEntry(name, (owner) => fired.push(owner)),
  };
}

test('an entry fires once, not before its time and within one tick of it', () => {
  const { clock, wheel, fired, entry } = setUp();
  wheel.schedule(entry('a'), 250);
  clock.advance(249);
  wheel.advance();
  assert.deepEqual(fired, []);
  clock.advance(1 + TICK_MS);
  wheel.advance();
  assert.deepEqual(fired, ['a']);
  clock.advance(100_000);
  wheel.advance();
  assert.deepEqual(fired, ['a']);
  assert.equal(wheel.size, 0);
});

test('a cancelled entry does not fire, and cancelling twice is harmless', () => {
  const { clock, wheel, fired, entry } = setUp();
  const a = entry('a');
  wheel.schedule(a, 100);
  assert.equal(a.scheduled, true);
  wheel.cancel(a);
  wheel.cancel(a);
  assert.equal(a.scheduled, false);
  clock.advance(10_000);
  wheel.advance();
  assert.deepEqual(fired, []);
});

test('scheduling an entry again moves it', () => {
  const { clock, wheel, fired, entry } = setUp();
  const a = entry('a');
  wheel.schedule(a, 1_000);
  wheel.schedule(a, 100_000);
  assert.equal(wheel.size, 1);
  clock.advance(50_000);
  wheel.advance();
  assert.deepEqual(fired, []);
  clock.advance(50_100);
  wheel.advance();
  assert.deepEqual(fired, ['a']);
});

test('an entry may schedule itself and cancel a neighbour while it fires', () => {
  const { clock, wheel, fired, entry } = setUp();
  const victim = entry('victim');
  let rounds = 0;
  const again: TimerEntry<null> = new TimerEntry(null, () => {
    wheel.cancel(victim);
    if (++rounds < 3) wheel.schedule(again, 0);
  });
  wheel.schedule(again, 100);
  wheel.schedule(victim, 100);
  for (let i = 0; i < 4; i++) {
    clock.advance(TICK_MS);
    wheel.advance();
  }
  assert.equal(rounds, 3);
  assert.deepEqual(fired, []);
  assert.equal(wheel.size, 0);
});

test('delays from nothing to weeks fire in the order in which they are due', () => {
  const { clock, wheel, fired, entry } = setUp();
  const day = 86_400_000;
  const delays = [0, 6_300, 6_400, 6_500, 409_500, 409_700, 7 * 3_600_000, 8 * 3_600_000, 19 * day, 20 * day];
  for (const delay of [...delays].reverse()) wheel.schedule(entry(String(delay)), delay);
  for (const delay of delays) {
    clock.advance(delay - clock.monotonicMs());
    wheel.advance();
    clock.advance(TICK_MS);
    wheel.advance();
  }
  assert.deepEqual(fired, delays.map(String));
});

test('what is due beyond the horizon of the wheel waits and is not lost', () => {
  const { clock, wheel, fired, entry } = setUp();
  const horizonMs = 64 ** 5 * TICK_MS;
  wheel.schedule(entry('far'), horizonMs * 1.01);
  // Steps over the whole wheel would take minutes: an empty wheel jumps, so the clock moves with nothing else scheduled.
  assert.equal(wheel.size, 1);
  clock.advance(60_000);
  wheel.advance();
  assert.deepEqual(fired, []);
  assert.equal(wheel.size, 1);
});

test('after a long sleep of the machine everything due fires at once', () => {
  const { clock, wheel, fired, entry } = setUp();
  wheel.schedule(entry('b'), 400_000);
  wheel.schedule(entry('a'), 5_000);
  clock.advance(3_600_000);
  wheel.advance();
  assert.deepEqual(fired, ['a', 'b']);
});

test('a wheel that was empty for long starts again at the present', () => {
  const { clock, wheel, fired, entry } = setUp();
  clock.advance(1_000_000_000);
  wheel.schedule(entry('a'), 100);
  clock.advance(200);
  wheel.advance();
  assert.deepEqual(fired, ['a']);
});

test('clear forgets everything', () => {
  const { clock, wheel, fired, entry } = setUp();
  const a = entry('a');
  wheel.schedule(a, 100);
  wheel.schedule(entry('b'), 1_000_000);
  wheel.clear();
  assert.equal(wheel.size, 0);
  assert.equal(a.scheduled, false);
  clock.advance(2_000_000);
  wheel.advance();
  assert.deepEqual(fired, []);
});

test('its own timer fires entries by the real clock', async () => {
  const wheel = new TimerWheel();
  const keepAlive = setInterval(() => {}, 1_000);
  const startedAt = performance.now();
  await new Promise<void>((resolve) => wheel.schedule(new TimerEntry(null, () => resolve()), 150));
  clearInterval(keepAlive);
  assert.ok(performance.now() - startedAt >= 149);
});

test('for any sequence of schedules, cancels and clock steps each entry fires in [due, due + tick] or never when cancelled', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('schedule' as const), index: fc.nat(9), delay: fc.nat(20_000_000) }),
    fc.record({ kind: fc.constant('schedule' as const), index: fc.nat(9), delay: fc.nat(20_000) }),
    fc.record({ kind: fc.constant('cancel' as const), index: fc.nat(9), delay: fc.constant(0) }),
    fc.record({ kind: fc.constant('pass' as const), index: fc.constant(0), delay: fc.nat(30_000) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const clock = new FakeClock();
      const wheel = new TimerWheel({ clock });
      const due: (number | null)[] = Array(10).fill(null);
      const entries = due.map(
        (_, index) =>
          new TimerEntry(index, (i) => {
            const dueAt = due[i];
            assert.ok(typeof dueAt === 'number', 'a cancelled entry fired');
            assert.ok(clock.monotonicMs() >= dueAt, 'fired early');
            due[i] = null;
          }),
      );
      for (const { kind, index, delay } of steps) {
        if (kind === 'schedule') {
          wheel.schedule(entries[index]!, delay);
          due[index] = clock.monotonicMs() + delay;
        } else if (kind === 'cancel') {
          wheel.cancel(entries[index]!);
          due[index] = null;
        } else {
          clock.advance(delay);
          wheel.advance();
          for (const dueAt of due) assert.ok(dueAt === null || dueAt + TICK_MS > clock.monotonicMs(), 'did not fire in time');
        }
      }
      assert.equal(wheel.size, due.filter((d) => d !== null).length);
      wheel.clear();
    }),
    { numRuns: 300 },
  );
});
