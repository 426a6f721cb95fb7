import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Tombstones } from './tombstones.ts';

const ANY = { retainedTombstones: 1_000_000, retainedTombstoneBytes: 1_000_000_000, retainedTombstoneMs: 1_000 };

function stamp(wallMs: number) {
  return { wallMs, counter: 0, brokerId: 'b' };
}

test('what is remembered is what a list of all removals says, with the oldest forgotten beyond each bound', () => {
  const step = fc.record({ topic: fc.constantFrom('a', 'bb', 'ccc', 'dddd', 'eeeee'), adds: fc.boolean(), passes: fc.nat(300) });
  const bounds = fc.record({ retainedTombstones: fc.nat(5), retainedTombstoneBytes: fc.nat(15), retainedTombstoneMs: fc.nat(1_000) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), bounds, (steps, limits) => {
      const tombstones = new Tombstones(limits);
      let model: { topic: string; at: number }[] = [];
      let now = 0;
      for (const { topic, adds, passes } of steps) {
        now += passes;
        model = model.filter((entry) => entry.topic !== topic);
        if (!adds) {
          tombstones.delete(topic);
          continue;
        }
        tombstones.add(topic, stamp(now));
        model.push({ topic, at: now });
        const forgotten: string[] = [];
        for (let one = tombstones.forgetOne(now); one !== null; one = tombstones.forgetOne(now)) forgotten.push(one);
        const expected: string[] = [];
        const bytes = () => model.reduce((sum, entry) => sum + entry.topic.length, 0);
        while (
          model.length > limits.retainedTombstones ||
          bytes() > limits.retainedTombstoneBytes ||
          (model[0]?.at ?? now) < now - limits.retainedTombstoneMs
        )
          expected.push(model.shift()!.topic);
        assert.deepEqual(forgotten, expected);
        assert.deepEqual(
          new Map([...tombstones.entries()].map(([name, { wallMs }]) => [name, wallMs])),
          new Map(model.map((entry) => [entry.topic, entry.at])),
        );
      }
    }),
    { numRuns: 300 },
  );
});

test('removals on very many topics, of which few are remembered, and as many on one topic', () => {
  const tombstones = new Tombstones({ ...ANY, retainedTombstones: 20_000 });
  for (let i = 0; i < 200_000; i++) {
    tombstones.add(`t/${i}`, stamp(i));
    assert.equal(tombstones.forgetOne(0), i < 20_000 ? null : `t/${i - 20_000}`);
  }
  for (let i = 0; i < 200_000; i++) tombstones.add('again', stamp(i));
  assert.equal([...tombstones.entries()].length, 20_001);
});
