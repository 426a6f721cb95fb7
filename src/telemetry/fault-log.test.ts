import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FaultLog } from './fault-log.ts';
import { type Facts, silentLog } from './log.ts';

test('the first ten faults in a minute are said at info, the others at debug; the next minute begins with how many those were', () => {
  const lines: [string, string, Facts | undefined][] = [];
  const write = (level: string) => (message: string, facts?: Facts) => lines.push([level, message, facts]);
  let nowMs = 1_000;
  const faults = new FaultLog({ ...silentLog, info: write('info'), debug: write('debug') }, () => nowMs, 'more');
  for (let i = 0; i < 13; i++) faults.say('fault', { i });
  nowMs += 60_000;
  faults.say('fault', { i: 13 });
  nowMs += 60_000;
  faults.say('fault', { i: 14 });
  assert.deepEqual(lines, [
    ...Array.from({ length: 10 }, (_, i) => ['info', 'fault', { i }]),
    ...Array.from({ length: 3 }, (_, i) => ['debug', 'fault', { i: i + 10 }]),
    ['info', 'more', { clients: 3 }],
    ['info', 'fault', { i: 13 }],
    ['info', 'fault', { i: 14 }],
  ]);
});
