import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FilterEntry } from './filter-entry.ts';
import { type Publisher, type Subscriber, Subscription } from './subscription.ts';

const SUBSCRIBERS: readonly Subscriber[] = Array.from({ length: 60 }, (_, i) => {
  const publisher: Publisher = { id: `s${i}`, kind: 'client' };
  return { ...publisher, publisher, deliver: () => {} };
});

function subscription(subscriber: Subscriber): Subscription {
  return new Subscription({ filter: 'a', group: null, subscriber, qos: 0, noLocal: false, retainAsPublished: false, identifier: 0 });
}

test('few subscriptions or many: each subscriber has one, and a list that was lent does not change', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom('put', 'put', 'remove', 'lend'), fc.constantFrom(...SUBSCRIBERS)), { maxLength: 300 }),
      fc.boolean(),
      (steps, emptiedFirst) => {
        const entry = new FilterEntry('a', []);
        const model = new Map<Subscriber, Subscription>();
        const lent: [list: readonly Subscription[], copy: readonly Subscription[]][] = [];
        const ends = SUBSCRIBERS.map((subscriber) => ['remove', subscriber] as const);
        for (const [kind, subscriber] of emptiedFirst ? [...steps, ...ends, ...steps] : steps) {
          const known = model.get(subscriber) ?? null;
          if (kind === 'put') {
            const put = subscription(subscriber);
            assert.equal(entry.put(put), known);
            model.set(subscriber, put);
          } else if (kind === 'remove') {
            assert.equal(entry.remove(subscriber), known);
            model.delete(subscriber);
          } else {
            lent.push([entry.direct, [...entry.direct]]);
          }
          assert.equal(entry.empty, model.size === 0);
          assert.equal(entry.only, model.size === 1 ? [...model.values()][0] : null);
        }
        assert.deepEqual(new Set(entry.subscriptions()), new Set(model.values()));
        const list = entry.direct;
        assert.equal(list.length, model.size);
        for (const each of SUBSCRIBERS) {
          const at = entry.indexOf(each);
          assert.equal(at < 0 ? undefined : list[at], model.get(each));
        }
        for (const [lentList, copy] of lent) assert.deepEqual(lentList, copy);
      },
    ),
    { numRuns: 300 },
  );
});
