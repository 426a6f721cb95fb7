import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { REPOSITORY_ROOT } from '../test/harness/repository-root.ts';
import { formatTable, median, summarize } from './comparison.ts';
import type { LoadResult } from './load.ts';
import { parseCoreList } from './machine.ts';
import { SCENARIOS } from './scenarios.ts';

const scenario = SCENARIOS[0]!;

function round(deliveredPerSecond: number, difference: Partial<LoadResult> = {}): LoadResult {
  return {
    seconds: 1,
    publishedPerSecond: deliveredPerSecond,
    deliveredPerSecond,
    undelivered: 0,
    duplicates: 0,
    strays: 0,
    closed: 0,
    closeReasons: [],
    latencyMs: { p50: 1, p99: 2, max: 3 },
    generatorCpu: 0.5,
    brokerCpu: 0.8,
    ...difference,
  };
}

function measured(baseline: readonly LoadResult[], ours: readonly LoadResult[]) {
  return [
    { peer: 'mosquitto', rounds: baseline },
    { peer: 'roundhouse', rounds: ours },
  ];
}

test('the median is the middle value, or the mean of the two in the middle', () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 3, 100]), 3.5);
  assert.equal(median([7]), 7);
});

test('the ratio is the median of the rounds, so one disturbed round does not decide', () => {
  const summary = summarize(scenario, measured([round(100), round(100), round(10)], [round(500), round(450), round(450)]), {});
  assert.equal(summary.peers[0]!.ratio, null);
  assert.equal(summary.peers[1]!.ratio, 5);
  assert.deepEqual(summary.peers[1]!.deliveredPerSecond, { median: 450, min: 450, max: 500 });
});

test('a ratio below its floor fails, at the floor it passes', () => {
  const floors = { [scenario.name]: 4 };
  assert.equal(summarize(scenario, measured([round(100)], [round(400)]), floors).isPassed, true);
  const below = summarize(scenario, measured([round(100)], [round(399)]), floors);
  assert.equal(below.isPassed, false);
  assert.match(formatTable([below]), /roundhouse .* 3\.99x .* BELOW FLOOR 4x/);
});

test('a lost, repeated or stray message or a cut connection fails the scenario, whatever the ratio', () => {
  for (const flaw of [{ undelivered: 1 }, { duplicates: 1 }, { strays: 1 }, { closed: 1 }, { undelivered: -1 }]) {
    const summary = summarize(scenario, measured([round(100)], [round(1000, flaw)]), {});
    assert.equal(summary.isPassed, false);
    assert.match(formatTable([summary]), /NOT LOSS-FREE in 1/);
  }
});

test('processor time per delivery is in microseconds, and left out where it is not known', () => {
  const summary = summarize(scenario, measured([round(100_000, { brokerCpu: null })], [round(400_000)]), {});
  assert.equal(summary.peers[0]!.brokerMicroseconds, null);
  assert.equal(summary.peers[1]!.brokerMicroseconds, 2);
  assert.equal(summary.peers[1]!.cpuRatio, null);
});

test('the ratio by processor time does not depend on how long a broker waited for its core', () => {
  const [baseline, ours] = summarize(
    scenario,
    measured([round(100_000, { brokerCpu: 1 })], [round(100_000, { brokerCpu: 0.2 })]),
    {},
  ).peers;
  assert.equal(baseline!.cpuRatio, null);
  assert.equal(ours!.ratio, 1);
  assert.equal(ours!.cpuRatio, 5);
});

test('every committed floor is for a scenario that exists', () => {
  const floors = JSON.parse(readFileSync(join(REPOSITORY_ROOT, 'bench', 'floors.json'), 'utf8')) as Record<string, number>;
  for (const name of Object.keys(floors))
    assert.ok(
      SCENARIOS.some((candidate) => candidate.name === name),
      name,
    );
  assert.ok(floors['qos0-100-pairs']! >= 4 && floors['fanout-100']! >= 4);
});

test('a list of cores is read with its ranges', () => {
  assert.deepEqual(parseCoreList('0-1'), [0, 1]);
  assert.deepEqual(parseCoreList('3,5-7'), [3, 5, 6, 7]);
  assert.deepEqual(parseCoreList(''), []);
});
