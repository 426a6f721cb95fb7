import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { SharedGroup } from '../../core/shared-group.ts';
import { AWAY, BEHIND, READY, type Readiness, type Subscriber, Subscription } from '../../core/subscription.ts';
import { Demand } from './demand.ts';
import { GroupNews } from './group-news.ts';
import { GROUP_NEWS_MS } from './link-limits.ts';

beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
afterEach(() => mock.timers.reset());

class Client implements Subscriber {
  readonly kind = 'client';
  readonly id = 'client';
  readonly publisher = this;
  readiness: Readiness = READY;
  connected = true;
  deliver(): void {}
}

/** Time passes, and what is scheduled meanwhile has its time, too. */
function pass(ms: number): void {
  for (let i = 0; i < ms; i++) mock.timers.tick(1);
}

/** A group whose news are written down as `members readiness`. */
function setUp() {
  const told: string[] = [];
  const news = new GroupNews(({ group }) => told.push(`${group!.members} ${group!.readiness}`));
  const demand = new Demand({
    demandGained: ({ group }) => told.push(`new: ${group!.members} ${group!.readiness}`),
    demandLost: (advert) => {
      news.lost(advert);
      told.push('lost');
    },
    durabilityChanged() {},
    groupChanged: (advert, group) => news.changed(advert, group),
    relayedGroupChanged() {},
  });
  const group = new SharedGroup('f', 'g', [demand]);
  const join = (client = new Client()): Client => {
    group.add(
      new Subscription({ filter: 'f', group: 'g', subscriber: client, qos: 0, noLocal: false, retainAsPublished: false, identifier: 0 }),
    );
    return client;
  };
  return { group, news, join, told: () => told.splice(0) };
}

test('members that come by the hundred are told of at once, and then together', () => {
  const { join, told } = setUp();
  join();
  assert.deepEqual(told(), [`new: 1 ${READY}`]);
  pass(1); // the first one is right as it was told
  for (let i = 0; i < 100; i++) join();
  assert.deepEqual(told(), []);
  pass(GROUP_NEWS_MS);
  assert.deepEqual(told(), [`101 ${READY}`]);
  pass(10 * GROUP_NEWS_MS);
  join();
  pass(1);
  assert.deepEqual(told(), [`102 ${READY}`], 'at once again after a while');
});

test('what has changed and changed back is no news', () => {
  const { group, join, told } = setUp();
  const client = join();
  pass(10 * GROUP_NEWS_MS);
  told();
  client.readiness = BEHIND;
  group.refresh();
  client.readiness = READY;
  group.refresh();
  pass(10 * GROUP_NEWS_MS);
  assert.deepEqual(told(), []);
});

test('members that are behind are looked at until they have caught up; those that are away say so themselves', () => {
  const { group, join, told } = setUp();
  const client = join();
  pass(10 * GROUP_NEWS_MS);
  client.readiness = BEHIND;
  group.refresh();
  pass(1);
  assert.deepEqual(told(), [`new: 1 ${READY}`, `1 ${BEHIND}`]);
  pass(10 * GROUP_NEWS_MS);
  client.readiness = READY; // nobody says so
  pass(2 * GROUP_NEWS_MS);
  assert.deepEqual(told(), [`1 ${READY}`]);
  client.readiness = AWAY;
  client.connected = false;
  group.moved(client);
  pass(2 * GROUP_NEWS_MS);
  assert.deepEqual(told(), [`1 ${AWAY}`]);
});

test('a group that is behind when it is first told of is looked at, too', () => {
  const { join, told } = setUp();
  const client = new Client();
  client.readiness = BEHIND;
  join(client);
  assert.deepEqual(told(), [`new: 1 ${BEHIND}`]);
  client.readiness = READY;
  pass(1);
  pass(2 * GROUP_NEWS_MS);
  assert.deepEqual(told(), [`1 ${READY}`]);
});

test('a group without members is no news any more, and nothing runs after a stop', () => {
  const { group, news, join, told } = setUp();
  const client = join();
  join();
  group.remove(client);
  for (const { subscriber } of [...group.routes()]) group.remove(subscriber);
  assert.deepEqual(told(), [`new: 1 ${READY}`, 'lost']);
  pass(10 * GROUP_NEWS_MS);
  join();
  news.stop();
  join();
  pass(10 * GROUP_NEWS_MS);
  assert.deepEqual(told(), [`new: 1 ${READY}`]);
});
