import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SOAK_FACTOR } from '../../test/harness/soak.ts';
import { MatchedRoutes, mergeRoutes } from './matched-routes.ts';
import { RouteCache } from './route-cache.ts';
import type { Route } from './subscription.ts';
import { topicMatches } from './topic-filter.ts';

function put(cache: RouteCache, topic: string, hash = 0): MatchedRoutes {
  const routes = mergeRoutes([], cache.generation);
  cache.put(topic, hash, routes);
  return routes;
}

const filter = fc.constantFrom('#', '+', 'a', 'b', 'a/+', 'a/#', 'a/b', '+/b', 'c/#', '$s/#');
const topic = fc.constantFrom('a', 'b', 'c', 'a/b', 'a/c', 'c/b', 'c/d/e', '$s/b');

test('what is remembered is what was found, and nothing that matches it has changed since', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.record({ changed: filter, times: fc.constantFrom(1, 1, 1, 40) }), fc.record({ topic })), { maxLength: 120 }),
      fc.constantFrom(1, 2, 5, 100),
      (steps, topicsMax) => {
        const cache = new RouteCache(topicsMax);
        const found = new Map<string, MatchedRoutes>();
        for (const step of steps) {
          if ('changed' in step) {
            const before = cache.generation;
            for (let i = 0; i < step.times; i++) cache.changed(step.changed);
            assert.notEqual(cache.generation, before);
            for (const known of found.keys()) if (topicMatches(step.changed, known)) found.delete(known);
          } else {
            const routes = cache.get(step.topic);
            if (routes !== undefined) assert.equal(routes, found.get(step.topic), 'not what was found before a change that matters');
            else found.set(step.topic, put(cache, step.topic, step.topic.length));
            assert.ok(cache.size <= topicsMax + 1, 'one more for the odd half');
          }
        }
      },
    ),
    { numRuns: 500 * SOAK_FACTOR },
  );
});

test('changes that do not match a topic leave it remembered, a few of them at a time', () => {
  const cache = new RouteCache(100);
  const routes = put(cache, 'a/b');
  for (let i = 0; i < 1_000; i++) {
    cache.changed(i % 2 === 0 ? '+/c' : 'a/b/#'.replace('b', `b${i}`));
    if (i % 10 === 0) assert.equal(cache.get('a/b'), routes);
  }
  cache.changed('#');
  assert.equal(cache.get('a/b'), undefined);
});

test('topics in use stay while others pass by', () => {
  const cache = new RouteCache(64);
  const used = ['u1', 'u2', 'u3'];
  for (const each of used) put(cache, each);
  for (let i = 0; i < 10_000; i++) {
    put(cache, `passing ${i}`, i);
    for (const each of used) assert.ok(cache.get(each) !== undefined, `${each} after ${i}`);
  }
  assert.ok(cache.size <= 64);
});

test('when there is no room, a topic is remembered from its second time on', () => {
  const cache = new RouteCache(4);
  for (let i = 0; i < 4; i++) put(cache, `${i}`, i);
  put(cache, 'new', 99);
  assert.equal(cache.get('new'), undefined);
  const routes = put(cache, 'new', 99);
  assert.equal(cache.get('new'), routes);
});

test('topics whose hashes are the same come to be remembered too', () => {
  const cache = new RouteCache(64);
  for (let i = 0; i < 64; i++) put(cache, `${i}`, i);
  let looks = 0;
  for (; cache.get('one') === undefined || cache.get('other') === undefined; looks++) {
    assert.ok(looks < 1_000);
    for (const [topic, hash] of [['one', 0x100] as const, ['other', 0x200] as const])
      if (cache.get(topic) === undefined) put(cache, topic, hash);
  }
  assert.ok(looks > 2, 'they did meet');
});

test('a topic of more than 1,024 characters is not remembered', () => {
  const cache = new RouteCache(100);
  put(cache, 'x'.repeat(1_025));
  put(cache, 'x'.repeat(1_024));
  assert.equal(cache.get('x'.repeat(1_025)), undefined);
  assert.notEqual(cache.get('x'.repeat(1_024)), undefined);
});

test('long lists of routes are bounded by their routes and not by their topics, unless topics share them', () => {
  const list = new Array<Route>(100_000);
  const remembered = (merged: boolean): number => {
    const cache = new RouteCache(10_000);
    for (let i = 0; i < 1_000; i++) for (let twice = 0; twice < 2; twice++) cache.put(`${i}`, i, new MatchedRoutes(list, [], merged, 0));
    return cache.size;
  };
  assert.equal(remembered(false), 1_000);
  assert.ok(remembered(true) > 1 && remembered(true) <= 10);
});
