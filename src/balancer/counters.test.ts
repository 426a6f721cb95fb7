import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../timing/clock.ts';
import { Gauge, Rate, Timing } from './counters.ts';

test('a rate counts this second and the rest of the last one', () => {
  const clock = new FakeClock();
  const rate = new Rate(clock);
  for (let i = 0; i < 10; i++) rate.count();
  assert.equal(rate.perSecond, 10);
  clock.advance(1_500);
  assert.equal(rate.perSecond, 5);
  rate.count();
  assert.equal(rate.perSecond, 6);
  clock.advance(2_000);
  assert.equal(rate.perSecond, 0);
  assert.equal(rate.max, 10);
});

test('after the wait that a rate tells, it is below the limit', () => {
  const clock = new FakeClock();
  const rate = new Rate(clock);
  for (let i = 0; i < 5; i++) rate.count();
  assert.equal(rate.waitMs(6), 0);
  for (let round = 0; round < 20; round++) {
    clock.advance(rate.waitMs(5) + 1);
    assert.ok(rate.perSecond < 5, `round ${round}: ${rate.perSecond}`);
    rate.count();
  }
});

test('an average is rounded up and slides once there are 1024 values', () => {
  const timing = new Timing();
  assert.equal(timing.average, 0);
  timing.add(1);
  timing.add(2);
  assert.equal(timing.average, 2);
  for (let i = 0; i < 20_000; i++) timing.add(7);
  assert.equal(timing.average, 7);
  assert.equal(timing.max, 7);
  for (let i = 0; i < 20_000; i++) timing.add(0);
  assert.equal(timing.average, 0);
});

test('a gauge keeps its highest value', () => {
  const gauge = new Gauge();
  gauge.rise();
  gauge.rise();
  gauge.fall();
  assert.equal(gauge.value, 1);
  assert.equal(gauge.max, 2);
});
