import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Router } from '../../core/router.ts';
import type { Subscriber, Subscription } from '../../core/subscription.ts';
import { type Advert, Demand } from './demand.ts';
import { PeerDemand } from './peer-demand.ts';

function subscriber(id: string, kind: 'client' | 'peer' = 'client'): Subscriber {
  return { id, kind, publisher: { id, kind }, deliver() {} };
}

function subscription(filter: string, by: Subscriber, group: string | null = null): Subscription {
  return { filter, group, subscriber: by, qos: 1, noLocal: false, retainAsPublished: false, identifier: 0 };
}

/** A router whose demand is recorded as `+filter` and `-filter`, with the way it came in brackets. */
function recorder(): { router: Router; demand: Demand; events: string[] } {
  const events: string[] = [];
  const text = ({ filter, brokerPath }: Advert): string => filter + (brokerPath.length === 0 ? '' : `[${brokerPath.join()}]`);
  const demand = new Demand({
    demandGained: (advert) => events.push(`+${text(advert)}`),
    demandLost: (advert) => events.push(`-${text(advert)}`),
  });
  const router = new Router(100);
  router.watch(demand);
  return { router, demand, events };
}

test('one filter is one wish however many clients have it: the first brings it, the last takes it along', () => {
  const { router, demand, events } = recorder();
  const [x, y] = [subscriber('x'), subscriber('y')];
  router.subscribe(subscription('a/#', x));
  router.subscribe(subscription('a/#', y));
  router.subscribe(subscription('a/#', x)); // again, with other options
  assert.deepEqual(events, ['+a/#']);
  router.unsubscribe('a/#', null, x);
  assert.equal(demand.size, 1);
  router.unsubscribe('a/#', null, y);
  assert.deepEqual(events, ['+a/#', '-a/#']);
  assert.equal(demand.size, 0);
});

test('members of a shared subscription want its filter', () => {
  const { router, events } = recorder();
  router.subscribe(subscription('s', subscriber('x'), 'group'));
  router.subscribe(subscription('s', subscriber('x')));
  router.unsubscribe('s', 'group', subscriber('nobody'));
  assert.deepEqual(events, ['+s']);
});

test('what other brokers subscribe to here is not our wish', () => {
  const { router, demand, events } = recorder();
  router.subscribe(subscription('p', subscriber('peer', 'peer')));
  router.unsubscribe('p', null, subscriber('peer', 'peer'));
  assert.deepEqual([events, [...demand.adverts()]], [[], []]);
});

test('a wish that comes again after it went is a new one, with a name of its own', () => {
  const { router, demand } = recorder();
  const x = subscriber('x');
  const numbers: number[] = [];
  for (let i = 0; i < 3; i++) {
    router.subscribe(subscription('f', x));
    numbers.push(...[...demand.adverts()].map(({ number }) => number));
    router.unsubscribe('f', null, x);
  }
  assert.equal(new Set(numbers).size, 3);
});

test('a walk through all wishes sees those that come meanwhile and not those that went', () => {
  const { router, demand } = recorder();
  const x = subscriber('x');
  for (const filter of ['a', 'b', 'c']) router.subscribe(subscription(filter, x));
  const seen: string[] = [];
  for (const { filter } of demand.adverts()) {
    seen.push(filter);
    if (filter !== 'a') continue;
    router.unsubscribe('b', null, x);
    router.subscribe(subscription('d', x));
  }
  assert.deepEqual(seen, ['a', 'c', 'd']);
});

/** A peer's demand in the router of `recorder`. */
function peerDemand() {
  const { router, demand, events } = recorder();
  const peer = subscriber('peer', 'peer');
  const routes = (topic: string): number => router.match(topic).direct.filter(({ subscriber: by }) => by === peer).length;
  return { peer: new PeerDemand(peer, router, demand, 128), router, events, routes };
}

test('a peer has one subscription on a filter however many of its consumers want it', () => {
  const { peer, router, routes } = peerDemand();
  peer.add('1', ['a/+'], null);
  peer.add('2', ['a/+', 'b'], null);
  peer.add('2', ['a/+', 'b'], null); // told again
  assert.deepEqual([router.size, routes('a/x'), routes('b')], [2, 1, 1]);
  peer.remove('1');
  assert.equal(routes('a/x'), 1);
  peer.remove('2');
  peer.remove('never there');
  assert.deepEqual([router.size, routes('a/x')], [0, 0]);
});

test('what a peer tells is passed on with the way it took, one wish a consumer, and goes with it', () => {
  const { peer, events } = peerDemand();
  peer.add('1', ['a'], ['origin', 'peer']);
  peer.add('2', ['a'], ['peer']);
  peer.remove('1');
  assert.deepEqual(events, ['+a[origin,peer]', '+a[peer]', '-a[origin,peer]']);
});

test('on a new link what is not told again is forgotten', () => {
  const { peer, routes } = peerDemand();
  peer.add('1', ['a'], null);
  peer.add('2', ['b'], null);
  peer.markStale();
  assert.deepEqual([routes('a'), routes('b')], [1, 1], 'until the peer has told all it wants');
  peer.add('2', ['b'], null);
  peer.add('3', ['c'], null);
  peer.removeStale();
  assert.deepEqual([routes('a'), routes('b'), routes('c')], [0, 1, 1]);
  peer.clear();
  assert.deepEqual([routes('b'), routes('c'), peer.size], [0, 0, 0]);
});

test('filters that are none are left out', () => {
  const { peer, router } = peerDemand();
  peer.add('1', ['a/#/b', '', 'x+', `deep${'/x'.repeat(200)}`, 'x'.repeat(65_536), 'good'], null);
  assert.deepEqual(
    [...router.subscriptions()].map(({ filter }) => filter),
    ['good'],
  );
});
