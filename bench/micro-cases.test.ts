import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MICRO_CASES } from './micro-cases.ts';

/** Operations of one batch: what is timed is done, and all of it. */
const OPERATIONS: Readonly<Record<string, number>> = {
  split: 642,
  'split-straddling': 642,
  'read-publish': 1_000,
  'read-publish-5': 1_000,
  'write-publish': 1_000,
  'write-publish-5': 1_000,
  'match-remembered': 20_000,
  'match-anew': 20_000,
  subscribe: 1_000,
};

for (const { name, prepare } of MICRO_CASES) {
  test(`${name} does the same work in every batch`, () => {
    const batch = prepare();
    assert.deepEqual([batch(), batch()], [OPERATIONS[name], OPERATIONS[name]]);
  });
}
