import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SOAK_FACTOR } from '../../test/harness/soak.ts';
import { EdgeTable, type Filtered } from './edge-table.ts';

const edge = fc.record({ node: fc.integer({ min: 1, max: 12 }), level: fc.integer({ min: -6, max: 6 }) });
const change = fc.record({ edge, to: fc.oneof(fc.constant(0), fc.constant(0), fc.integer({ min: 1, max: 1_000 }), fc.constant('hung')) });

function hung(filter: string): Filtered {
  return { filter };
}

test('an edge leads where it was last led, in one page or in many, of 4 to 16 slots', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 300 }), fc.constantFrom(4, 8, 16), (changes, pageSlots) => {
      const table = new EdgeTable<Filtered>(pageSlots);
      const model = new Map<string, number | Filtered>();
      for (const { edge, to } of changes) {
        const key = `${edge.node} ${edge.level}`;
        if (to !== 0) {
          const reference = typeof to === 'number' ? to : hung(key);
          table.set(edge.node, edge.level, reference, changes.length);
          model.set(key, reference);
        } else if (model.delete(key)) {
          table.delete(edge.node, edge.level);
        }
      }
      for (let node = 1; node <= 12; node++)
        for (let level = -6; level <= 6; level++) assert.equal(table.get(node, level), model.get(`${node} ${level}`) ?? 0);
      const values = [...model.values()].filter((to) => typeof to !== 'number');
      assert.deepEqual(new Set(table.values()), new Set(values));
    }),
    { numRuns: 500 * SOAK_FACTOR },
  );
});

test('tens of thousands of edges come and go, page by page', () => {
  const table = new EdgeTable<Filtered>(64);
  const count = 30_000;
  for (let round = 0; round < 2; round++) {
    for (let i = 1; i <= count; i++) table.set(i, i * 7, i, -i);
    for (let i = 1; i <= count; i++) assert.equal(table.get(i, i * 7), i);
    for (let i = 1; i <= count; i++) {
      table.delete(i, i * 7);
      if (i % 1_000 === 0) assert.deepEqual([table.get(i, i * 7), table.get(count, count * 7)], [0, i === count ? 0 : count]);
    }
  }
});
