import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { breakTie } from './tie-break.ts';

test('of two brokers the one with the smaller id decides, the other awaits its word', () => {
  assert.equal(breakTie('a', 'b', 'none'), 'begin');
  assert.equal(breakTie('b', 'a', 'none'), 'await');
  assert.equal(breakTie('b', 'a', 'live'), 'await');
  assert.equal(breakTie('b', 'a', 'suspect'), 'await');
});

test('a link that works is kept, one that is silent is given up for a new connection', () => {
  assert.equal(breakTie('a', 'b', 'live'), 'duplicate');
  assert.equal(breakTie('a', 'b', 'suspect'), 'begin');
});

test('never do both decide, nor neither, whatever the ids', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (x, y) => {
      fc.pre(x !== y);
      const deciders = [breakTie(x, y, 'none'), breakTie(y, x, 'none')].filter((verdict) => verdict === 'begin');
      assert.equal(deciders.length, 1);
    }),
  );
});

test('whatever order two connections become known in at both ends, both ends keep the same one', () => {
  // What each end of one pair sees, in any interleaving: the decider answers each of the connections as it learns of it, in its own order.
  fc.assert(
    fc.property(fc.shuffledSubarray(['ab', 'ba'], { minLength: 2 }), fc.shuffledSubarray(['ab', 'ba'], { minLength: 2 }), (atA, atB) => {
      let linkAtA: string | null = null;
      const refused: string[] = [];
      for (const connection of atA) {
        const verdict = breakTie('a', 'b', linkAtA === null ? 'none' : 'live');
        if (verdict === 'begin') linkAtA = connection;
        else refused.push(connection);
      }
      const waiting = atB.filter((connection) => breakTie('b', 'a', 'none') === 'await' && !refused.includes(connection));
      assert.deepEqual(waiting, [linkAtA]);
    }),
  );
});
