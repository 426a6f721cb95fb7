import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { REPOSITORY_ROOT } from '../test/harness/repository-root.ts';
import { type Floors, isPassed, summarize } from './comparison.ts';
import type { Figure, FigureName, Round } from './figures.ts';
import { describeMachine, parseCoreList } from './machine.ts';
import { median } from './median.ts';
import { formatBriefTable, formatRun, formatTable } from './report.ts';
import { type Row, SCENARIOS, type Scenario, type Threshold } from './scenarios.ts';

function figure(value: number, difference: Partial<Figure> = {}): Figure {
  return { value, brokerMicroseconds: null, generatorCpu: 0.5, ...difference };
}

function round(figures: Round['figures'], flaws: string[] = []): Round {
  return { figures, flaws };
}

/** Rounds with so many deliveries a second each. */
function rates(...values: number[]): Round[] {
  return values.map((value) => round({ deliveries: figure(value) }));
}

function scenario(difference: Partial<Row> = {}): Scenario {
  const row: Row = { name: 'one', title: 'one row', figure: 'deliveries', against: 'baseline', bar: null, ...difference };
  return { ...SCENARIOS[0]!, rows: [row] };
}

/** The only row for the only compared broker. */
function compare(baseline: readonly Round[], ours: readonly Round[], difference: Partial<Row> = {}, floors: Floors = {}) {
  const measured = [
    { peer: 'mosquitto', rounds: baseline },
    { peer: 'roundhouse', rounds: ours },
  ];
  const summaries = summarize(scenario(difference), measured, floors);
  assert.equal(summaries.length, 1);
  return { ...summaries[0]!, isPassed: isPassed(summaries), table: formatTable(summaries) };
}

test('the median is the middle value, or the mean of the two in the middle', () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 3, 100]), 3.5);
  assert.equal(median([7]), 7);
});

test('the ratio is the median of the rounds, so one disturbed round does not decide', () => {
  const summary = compare(rates(100, 100, 10), rates(500, 450, 450));
  assert.equal(summary.ratio, 5);
  assert.deepEqual([summary.figure!.median, summary.figure!.min, summary.figure!.max], [450, 450, 500]);
  assert.equal(summary.reference!.median, 100);
});

test('a ratio below its floor fails, at the floor it passes', () => {
  const floors = { one: { ratio: 4 } };
  assert.equal(compare(rates(100), rates(400), {}, floors).isPassed, true);
  const below = compare(rates(100), rates(399), {}, floors);
  assert.equal(below.isPassed, false);
  assert.match(below.table, /roundhouse .* 3\.99x .* ≥ 4x .*BELOW FLOOR/);
});

test('a missed bar is told and fails nothing', () => {
  const bar: Threshold = { ratio: 6 };
  const missed = compare(rates(100), rates(599), { bar });
  assert.deepEqual([missed.isBarReached, missed.isPassed], [false, true]);
  assert.match(missed.table, /≥ 6x MISSED/);
  assert.match(compare(rates(100), rates(600), { bar }).table, /≥ 6x reached/);
  assert.equal(compare(rates(100), rates(600)).isBarReached, null);
});

test('of latency and memory less is better, and either the ratio or the value will do', () => {
  const p99 = (ms: number): Round[] => [round({ p99: figure(ms) })];
  const latency = (baseline: number, ours: number) =>
    compare(p99(baseline), p99(ours), { figure: 'p99', bar: { ratio: 1.5, value: 2 } }, { one: { ratio: 3, value: 4 } });
  assert.deepEqual([latency(10, 15).isBarReached, latency(10, 15.1).isBarReached], [true, false]);
  assert.deepEqual([latency(0.1, 2).isBarReached, latency(0.1, 2.1).isBarReached], [true, false]);
  assert.deepEqual([latency(1, 4).isPassed, latency(1, 4.1).isPassed], [true, false]);
  assert.match(latency(1, 4.1).table, /≤ 1\.5x or 2\.00 ms MISSED .* ≤ 3x or 4\.00 ms .*BELOW FLOOR/);
});

test('a figure may be held against another of the same broker, whatever the first broker does', () => {
  const both = (deliveries: number, reference: number): Round[] => [
    round({ deliveries: figure(deliveries), referenceDeliveries: figure(reference) }),
  ];
  const summary = compare(both(1, 1000), both(75, 100), { against: 'referenceDeliveries', bar: { ratio: 0.75 } });
  assert.deepEqual([summary.ratio, summary.isBarReached, summary.reference!.median], [0.75, true, 100]);
});

test('a figure may be judged alone', () => {
  const each = (bytes: number): Round[] => [round({ residentBytes: figure(bytes) })];
  const summary = (ours: number) => compare(each(700), each(ours), { figure: 'residentBytes', against: null, bar: { value: 6144 } });
  assert.deepEqual([summary(6144).isBarReached, summary(6145).isBarReached], [true, false]);
  assert.deepEqual([summary(6144).ratio, summary(6144).reference], [null, null]);
});

test('a floor is not kept by a figure that was not measured', () => {
  const summary = compare(rates(100), [round({})], {}, { one: { ratio: 4 } });
  assert.deepEqual([summary.isPassed, summary.isBarReached, summary.figure], [false, null, null]);
  assert.match(summary.table, /not measured .*BELOW FLOOR/);
});

test('flaws of either broker fail the scenario, whatever the ratio', () => {
  const flawed = (...flaws: string[]): Round[] => [round({ deliveries: figure(1000) }, flaws)];
  const ours = compare(rates(100), flawed('3 messages lost'));
  assert.equal(ours.isPassed, false);
  assert.match(ours.table, /NOT LOSS-FREE \(roundhouse: 3 messages lost\)/);
  assert.equal(compare(flawed('1 connections cut'), rates(100_000)).isPassed, false);
});

/** A round in which a broker was busy for this share of its core. */
function busy(rate: number, brokerCpu: number, generatorCpu = 0.5): Round[] {
  return [round({ deliveries: figure(rate, { brokerMicroseconds: (brokerCpu * 1e6) / rate, generatorCpu }) })];
}

test('the ratio by processor time does not depend on how long a broker waited for its core', () => {
  const summary = compare(busy(100, 1), busy(100, 0.2));
  assert.deepEqual([summary.ratio, Math.round(summary.cpuRatio!), summary.figure!.brokerCpu], [1, 5, 0.2]);
  const unknown: Round[] = [round({ deliveries: figure(100, { brokerMicroseconds: null }) })];
  assert.deepEqual([compare(unknown, busy(100, 1)).cpuRatio, compare(unknown, busy(100, 1)).decidingRatio], [null, 1]);
});

test('where the generator or other programs held down what we compare with processor time decides, else the measured ratio', () => {
  const deciding = (baseline: Round[], ours: Round[]) => {
    const { decidingRatio, isGeneratorBound, table } = compare(baseline, ours);
    assert.equal(/generator-bound/.test(table), isGeneratorBound);
    return [Number(decidingRatio!.toFixed(3)), isGeneratorBound, /processor time decides/.test(table)];
  };
  assert.deepEqual(deciding(busy(100, 0.8, 0.9), busy(400, 0.5, 0.9)), [4, false, false]);
  assert.deepEqual(deciding(busy(100, 1, 0.91), busy(400, 1, 0.5)), [4, true, false], 'both ratios are 4');
  assert.deepEqual(deciding(busy(100, 0.9, 0.91), busy(400, 1, 0.5)), [3.6, true, true]);
  assert.deepEqual(deciding(busy(100, 0.5, 0.5), busy(400, 1, 0.5)), [2, false, true]);
  assert.deepEqual(deciding(busy(100, 0.5, 0.5), busy(100, 0.1, 0.5)), [5, false, true]);
});

test('where the generator held down only ourselves the better ratio decides: we can do no worse', () => {
  assert.equal(compare(busy(100, 1), busy(400, 0.5, 0.91)).decidingRatio, 8);
  assert.equal(compare(busy(100, 0.8), busy(400, 1, 0.91)).decidingRatio, 4);
});

test('floors are for the last broker; the others are shown beside it', () => {
  const measured = ['mosquitto', 'other', 'roundhouse'].map((peer, index) => ({ peer, rounds: rates(100 * (index + 1)) }));
  const summaries = summarize(scenario(), measured, { one: { ratio: 4 } });
  assert.deepEqual(
    summaries.map(({ peer, ratio, floor, isFloorKept }) => [peer, ratio, floor, isFloorKept]),
    [
      ['other', 2, null, true],
      ['roundhouse', 3, { ratio: 4 }, false],
    ],
  );
});

test('the brief table has the first broker beside the last, also where the row compares the last with itself', () => {
  const both = (deliveries: number, referenceDeliveries: number): Round[] => [
    round({ deliveries: figure(deliveries), referenceDeliveries: figure(referenceDeliveries) }),
  ];
  const measured = [
    { peer: 'mosquitto', rounds: both(11_000, 20_000) },
    { peer: 'other', rounds: both(1, 1) },
    { peer: 'roundhouse', rounds: both(80_000, 100_000) },
  ];
  const summaries = summarize(scenario({ against: 'referenceDeliveries', bar: { ratio: 0.75 } }), measured, { one: { ratio: 0.5 } });
  assert.equal(
    formatBriefTable(summaries, ['mosquitto', 'roundhouse']).split('\n').at(-1)!.replace(/ +/g, ' '),
    '| one row | 11 k/s | 80 k/s | 0.80x | | ≥ 0.75x reached | ≥ 0.5x |',
  );
  assert.match(
    formatRun({ machine: describeMachine(), rounds: 5, seconds: 3 }),
    /^\d{4}-.*; medians of 5 rounds of 3 s; load average before it \d+\.\d\.$/,
  );
});

test('a row may compare with ActiveMQ, which has none of its own there, and is left out where there is no ActiveMQ', () => {
  const rows = scenario({ against: 'activemq', bar: { ratio: 20 } });
  const mosquitto = { peer: 'mosquitto', rounds: rates(100) };
  const activemq = { peer: 'activemq', rounds: rates(2) };
  const ours = { peer: 'roundhouse', rounds: rates(50) };
  const summaries = summarize(rows, [mosquitto, activemq, ours], { one: { ratio: 30 } });
  assert.deepEqual(
    summaries.map(({ peer, ratio, isBarReached, isFloorKept }) => [peer, ratio, isBarReached, isFloorKept]),
    [['roundhouse', 25, true, false]],
  );
  assert.equal(
    formatBriefTable(summaries, ['mosquitto', 'activemq', 'roundhouse']).split('\n').at(-1)!.replace(/ +/g, ' '),
    '| one row | 100/s | 2/s | 50/s | 25.00x | | ≥ 20x reached | ≥ 30x |',
  );
  assert.deepEqual(summarize(rows, [mosquitto, ours], { one: { ratio: 30 } }), []);
});

test('where waiting for the disk is a part of the figure processor time decides nothing', () => {
  const slow = busy(100, 0.1);
  const fast = busy(300, 0.1);
  assert.deepEqual([compare(slow, fast).decidingRatio, compare(slow, fast, { waitsForDisk: true }).decidingRatio], [3, 3]);
  const dear = busy(300, 0.9);
  assert.ok(compare(slow, dear).decidingRatio! < 1);
  assert.equal(compare(slow, dear, { waitsForDisk: true }).decidingRatio, 3);
});

test('every committed floor is for a row that exists, can be kept, and every row with a bar has one', () => {
  const floors = JSON.parse(readFileSync(join(REPOSITORY_ROOT, 'bench', 'floors.json'), 'utf8')) as Record<string, Threshold>;
  const rows = new Map(SCENARIOS.flatMap(({ rows }) => rows.map((row) => [row.name, row] as const)));
  for (const [name, { ratio, value }] of Object.entries(floors)) {
    const row = rows.get(name);
    assert.ok(row, `${name} is a row`);
    assert.ok(ratio !== undefined || value !== undefined, `${name} says what is to be kept`);
    assert.ok(ratio === undefined || row.against !== null, `${name} is compared with something`);
  }
  for (const { name, bar } of rows.values()) if (bar !== null) assert.ok(name in floors, `${name} has a floor`);
});

test('rows have names of their own, and what they compare with is measured in the same unit', () => {
  const rows = SCENARIOS.flatMap((candidate) => candidate.rows);
  assert.equal(new Set(rows.map(({ name }) => name)).size, rows.length);
  const same: Partial<Record<FigureName, FigureName>> = { deliveries: 'referenceDeliveries', p99: 'p99Alone', p50: 'p50Probe' };
  for (const { name, figure: own, against } of rows)
    if (against !== null && against !== 'baseline' && against !== 'activemq') assert.equal(same[own], against, name);
});

test('a list of cores is read with its ranges', () => {
  assert.deepEqual(parseCoreList('0-1'), [0, 1]);
  assert.deepEqual(parseCoreList('3,5-7'), [3, 5, 6, 7]);
  assert.deepEqual(parseCoreList(''), []);
});
