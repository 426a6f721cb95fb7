import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SOAK_FACTOR } from '../../test/harness/soak.ts';
import { FilterTree } from './filter-tree.ts';
import { topicMatches } from './topic-filter.ts';

interface Value {
  readonly filter: string;
}

const level = fc.constantFrom('', 'a', 'b', 'c', 'dd', 'e', '$s', 'ü');
const topicName = fc
  .array(level, { minLength: 1, maxLength: 6 })
  .map((levels) => levels.join('/'))
  .filter((topic) => topic !== '');
const topicFilter = fc
  .tuple(fc.array(fc.oneof({ weight: 3, arbitrary: level }, fc.constant('+')), { maxLength: 6 }), fc.boolean())
  .map(([levels, rest]) => [...levels, ...(rest ? ['#'] : [])].join('/'))
  .filter((filter) => filter !== '');
const change = fc.tuple(fc.constantFrom('add', 'add', 'set', 'delete'), topicFilter);

/** Bits of a hash that count: all; two, so that most levels are mixed up with others; none, so that all are. */
const HASH_MASKS = [-1, 0x18, 0];

test('a tree has what was put, and finds what looking at every filter finds, whichever levels have the same hash', () => {
  fc.assert(
    fc.property(
      fc.array(change, { maxLength: 60 }),
      fc.array(topicName, { minLength: 1, maxLength: 10 }),
      fc.integer(),
      fc.constantFrom(...HASH_MASKS),
      (changes, topics, seed, hashMask) => {
        const tree = new FilterTree<Value>(seed, hashMask, 4);
        const model = new Map<string, Value>();
        for (const [kind, filter] of changes) {
          const known = model.get(filter) ?? null;
          assert.equal(tree.get(filter), known);
          if (kind === 'delete') {
            assert.equal(tree.delete(filter), known);
            model.delete(filter);
          } else if (kind === 'add') {
            const value = { filter };
            assert.equal(tree.add(value), known);
            if (known === null) model.set(filter, value);
          } else {
            const value = { filter };
            tree.set(value);
            model.set(filter, value);
          }
          assert.equal(tree.size, model.size);
        }
        assert.deepEqual(new Set(tree.values()), new Set(model.values()));
        for (const topic of topics) {
          const found: Value[] = [];
          tree.match(topic, found);
          const expected = [...model.values()].filter(({ filter }) => topicMatches(filter, topic));
          assert.equal(found.length, expected.length, 'nothing is found twice');
          assert.deepEqual(new Set(found), new Set(expected), topic);
        }
        for (const filter of model.keys()) tree.delete(filter);
        assert.deepEqual([tree.size, tree.nodes, [...tree.values()]], [0, 1, []], 'nothing is left of what has gone');
      },
    ),
    { numRuns: 1_000 * SOAK_FACTOR },
  );
});

test('filters and topics may be as deep as a packet can carry', () => {
  const tree = new FilterTree<Value>(1);
  const depth = 30_000;
  const filters = [`${'+/'.repeat(depth)}#`, `${'a/'.repeat(depth)}#`, `${'a/'.repeat(depth)}a`, `${'a/'.repeat(depth - 1)}b/#`];
  for (const filter of filters) assert.equal(tree.add({ filter }), null);
  const found: Value[] = [];
  tree.match(`${'a/'.repeat(depth)}a`, found);
  assert.deepEqual(new Set(found.map(({ filter }) => filter)), new Set(filters.slice(0, 3)));
  for (const filter of filters) assert.equal(tree.delete(filter)?.filter, filter);
  assert.equal(tree.nodes, 1);
});

test('a hash of a topic is the same each time, and another one for most other topics', () => {
  const tree = new FilterTree<Value>(1);
  const topics = Array.from({ length: 1_000 }, (_, i) => `fleet/${i % 10}/${i}`);
  const hashes = topics.map((topic) => tree.match(topic, []));
  assert.deepEqual(
    topics.map((topic) => tree.match(topic, [])),
    hashes,
  );
  assert.ok(new Set(hashes).size > 990);
});
