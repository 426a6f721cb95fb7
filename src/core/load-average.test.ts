import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoadAverage } from './load-average.ts';

function rounded({ perMinute }: LoadAverage): string[] {
  return perMinute.map((value) => value.toFixed(2));
}

test('a first burst weighs as mosquitto weighs it', () => {
  // Three messages in the first two seconds: mosquitto 2.0 with sys_interval 2 says 2.95, 0.60 and 0.20.
  const load = new LoadAverage();
  load.update(3, 2_000);
  assert.deepEqual(rounded(load), ['2.95', '0.60', '0.20']);
  load.update(3, 2_000);
  assert.deepEqual(rounded(load), ['2.85', '0.59', '0.20']);
});

test('a steady count becomes its rate a minute, however often it is looked at', () => {
  for (const everyMs of [500, 10_000, 47_000]) {
    const load = new LoadAverage();
    for (let at = everyMs; at < 4 * 3_600_000; at += everyMs) load.update(at / 100, everyMs);
    assert.deepEqual(rounded(load), ['600.00', '600.00', '600.00']);
  }
});

test('no time, no change', () => {
  const load = new LoadAverage();
  load.update(5, 0);
  assert.deepEqual(rounded(load), ['0.00', '0.00', '0.00']);
  load.update(5, 60_000);
  assert.equal(rounded(load)[0], '3.16', 'the five are not forgotten');
});
