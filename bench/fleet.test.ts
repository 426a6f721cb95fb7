import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topicMatches } from '../src/core/topic-filter.ts';
import { crowdFilters, crowdTopic, FLEET_REGIONS, fleetFilters, fleetTopics } from './fleet.ts';

const regions = Array.from({ length: FLEET_REGIONS }, (_, region) => region);

test("every topic of a region's devices is matched by one of the region's filters, and by none of another region's", () => {
  const filters = regions.map(fleetFilters);
  for (const region of [0, 9]) {
    const topics = fleetTopics(region, 2_000);
    assert.equal(new Set(topics).size, 2_000);
    assert.equal(new Set(topics.map(({ length }) => length)).size, 1, 'all have one length');
    for (const topic of topics.filter((_, index) => index % 37 === 0))
      for (const other of regions)
        assert.equal(filters[other]!.filter((filter) => topicMatches(filter, topic)).length, other === region ? 1 : 0, topic);
  }
});

test("the crowd's filters all differ, are of every kind, and match nothing that is published", () => {
  const perClient = 60;
  const filters = Array.from({ length: 2_000 }, (_, client) => crowdFilters(client, perClient)).flat();
  assert.equal(new Set(filters).size, filters.length);
  const share = (pattern: RegExp) => filters.filter((filter) => pattern.test(filter)).length / filters.length;
  assert.equal(share(/^[^+#]*$/), 0.5);
  assert.equal(share(/\/\+$/), 0.2);
  assert.equal(share(/^[^+]*\/#$/), 0.15);
  assert.equal(share(/^fleet\/\+\//), 0.1);
  assert.equal(share(/module\/\+\/port\/\+\/reading\/#$/), 0.05);
  const topics = regions.flatMap((region) => fleetTopics(region, 200)).filter((_, index) => index % 97 === 0);
  for (const topic of topics) assert.ok(!filters.some((filter) => topicMatches(filter, topic)), topic);
});

test('the crowd subscribes for the devices that publish: their levels are walked in vain, not missed at the first', () => {
  const [topic] = fleetTopics(3, 1);
  const device = topic!.split('/').slice(0, 4).join('/');
  const filters = Array.from({ length: 100 }, (_, client) => crowdFilters(client, 999)).flat();
  assert.ok(filters.some((filter) => filter.startsWith(`${device}/`)));
});

test("a filter's own topics are matched by it and by no other filter of the crowd", () => {
  const perClient = 40;
  const filters = Array.from({ length: 200 }, (_, client) => crowdFilters(client, perClient));
  const all = filters.flat();
  for (const client of [0, 1, 10, 137]) {
    const topics = filters[client]!.flatMap((filter, index) =>
      [5, 6, 1_000_003].map((any) => [filter, crowdTopic(client, perClient, index, any)]),
    );
    const own = topics.filter((each): each is [string, string] => each[1] !== null);
    assert.equal(own.length, 3 * 16, 'those of wildcards at the end');
    assert.equal(new Set(own.map(([, topic]) => topic)).size, own.length);
    for (const [filter, topic] of own)
      assert.deepEqual(
        all.filter((other) => topicMatches(other, topic)),
        [filter],
      );
  }
});
