/**
 * Hot functions alone, in processor time: what a change to one of them gives, without sockets in between.
 *
 *     node dist/bench/micro.js                  all
 *     node dist/bench/micro.js match split      those whose names contain one of the words
 */
import { median } from './median.ts';
import { MICRO_CASES, type MicroCase } from './micro-cases.ts';

/** Runs of a case, of which the median counts; the first, in which the compiler is still at work, is not one of them. */
const RUNS = 5;
const RUN_MS = 400;

const words = process.argv.slice(2);
const chosen = MICRO_CASES.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
if (chosen.length === 0) {
  process.stderr.write(`micro: expected part of one of ${MICRO_CASES.map(({ name }) => name).join(', ')}; got ${words.join(', ')}\n`);
  process.exitCode = 2;
}
for (const one of chosen) {
  const nanoseconds = measure(one);
  process.stdout.write(`${one.name.padEnd(18)} ${nanoseconds.toFixed(0).padStart(7)} ns   ${one.unit}\n`);
}

/** Nanoseconds of processor time for one operation; the garbage that it makes is collected within it. */
function measure({ prepare }: MicroCase): number {
  const batch = prepare();
  run(batch);
  return median(Array.from({ length: RUNS }, () => run(batch)));
}

function run(batch: () => number): number {
  const endMs = performance.now() + RUN_MS;
  const before = process.cpuUsage();
  let operations = 0;
  do operations += batch();
  while (performance.now() < endMs);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / operations;
}
