import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Router } from '../../core/router.ts';
import { AWAY, READY, type Readiness, type Subscriber, Subscription } from '../../core/subscription.ts';
import { type Advert, Demand } from './demand.ts';
import { PeerDemand, type Ways, type WishKeeper } from './peer-demand.ts';
import type { Way } from './peer-groups.ts';

function subscriber(id: string, kind: 'client' | 'peer' = 'client'): Subscriber {
  return { id, kind, publisher: { id, kind }, deliver() {} };
}

function subscription(filter: string, by: Subscriber, group: string | null = null): Subscription {
  return new Subscription({ filter, group, subscriber: by, qos: 1, noLocal: false, retainAsPublished: false, identifier: 0 });
}

/** A router whose demand is recorded as `+filter` and `-filter`, with the way it came in brackets. */
function recorder(): { router: Router; demand: Demand; events: string[] } {
  const events: string[] = [];
  const text = ({ filter, brokerPath, group }: Advert): string =>
    (group === null ? '' : `${group.name}:`) + filter + (brokerPath.length === 0 ? '' : `[${brokerPath.join()}]`);
  const demand = new Demand({
    demandGained: (advert) => events.push(`+${text(advert)}`),
    demandLost: (advert) => events.push(`-${text(advert)}`),
    durabilityChanged: (advert) => events.push(`${text(advert)} is ${advert.isDurable ? 'durable' : 'not durable'}`),
    groupChanged: (advert, { memberCount }) => events.push(`${text(advert)} has ${memberCount}`),
    relayedGroupChanged: (advert) => events.push(`${text(advert)} said to have ${advert.group!.members}`),
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

test('a shared subscription is a wish of its own, and its members are counted', () => {
  const { router, demand, events } = recorder();
  const [x, y] = [subscriber('x'), subscriber('y')];
  router.subscribe(subscription('s', x, 'g'));
  assert.deepEqual(events.splice(0), ['+g:s', 'g:s has 1']);
  router.subscribe(subscription('s', x, 'h'));
  router.subscribe(subscription('s', x));
  router.subscribe(subscription('s', y, 'g'));
  assert.deepEqual(events.splice(0), ['+h:s', 'h:s has 1', '+s', 'g:s has 2']);
  assert.equal(demand.size, 3);
  assert.deepEqual([...demand.adverts()].map(({ group }) => group?.name ?? null).sort(), ['g', 'h', null]);
  router.unsubscribe('s', 'g', subscriber('nobody'));
  router.unsubscribe('s', 'g', x);
  router.unsubscribe('s', 'g', y);
  assert.deepEqual(events, ['g:s has 1', '-g:s']);
  assert.equal(demand.size, 2);
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

const NO_WAYS: Ways = { add: () => assert.fail('no group'), remove: () => assert.fail('no group') };

/** A peer's demand in the router of `recorder`. */
function peerDemand() {
  const { router, demand, events } = recorder();
  const peer = subscriber('peer', 'peer');
  const routes = (topic: string): number => router.match(topic).direct.filter(({ subscriber: by }) => by === peer).length;
  const wishes: string[] = [];
  const keeper: WishKeeper = { keep: (wish) => wishes.push(`+${wish}`), drop: (wish) => wishes.push(`-${wish}`) };
  const isDurable = (topic: string): boolean => router.match(topic).direct.some((route) => PeerDemand.isDurable(route));
  return { peer: new PeerDemand(peer, router, demand, 128, NO_WAYS, keeper), router, events, routes, wishes, isDurable };
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

test('a wish is durable while one persistent session has it, and linked brokers are told when that changes', () => {
  const { router, demand, events } = recorder();
  const [clean, persistent] = [subscriber('x'), { ...subscriber('y'), outlivesProcess: true }];
  router.subscribe(subscription('a', clean));
  assert.deepEqual(
    [...demand.adverts()].map(({ isDurable }) => isDurable),
    [false],
  );
  router.subscribe(subscription('a', persistent));
  router.unsubscribe('a', null, clean);
  router.subscribe(subscription('a', clean));
  router.unsubscribe('a', null, persistent);
  router.subscribe(subscription('b', persistent));
  assert.deepEqual(events, ['+a', 'a is durable', 'a is not durable', '+b']);
  assert.deepEqual(
    [...demand.adverts()].map(({ isDurable }) => isDurable),
    [false, true],
  );
});

test('messages for a peer are kept without limit of time where one of its durable consumers wants them', () => {
  const { peer, events, isDurable } = peerDemand();
  peer.add('1', ['a/+'], ['peer']);
  peer.add('2', ['a/#'], ['peer'], null, true);
  peer.add('3', ['a/#'], ['peer']);
  assert.deepEqual([isDurable('a/b'), isDurable('a/b/c'), isDurable('b')], [true, true, false]);
  peer.add('2', ['a/#'], ['peer'], null, false);
  assert.equal(isDurable('a/b'), false);
  peer.add('1', ['a/+'], ['peer'], null, true);
  assert.deepEqual([isDurable('a/b'), isDurable('a/b/c')], [true, false]);
  assert.deepEqual(events.slice(3), ['a/#[peer] is not durable', 'a/+[peer] is durable']);
  peer.removeVolatile();
  assert.deepEqual([isDurable('a/b'), peer.size], [true, 1]);
});

test('a durable wish is kept once however many consumers have it, and taken up again under another name', () => {
  const { peer, wishes, isDurable } = peerDemand();
  const kept = JSON.stringify([['a'], ['peer'], null]);
  peer.restore([kept]);
  assert.deepEqual([wishes.splice(0), isDurable('a')], [[`+${kept}`], true]);
  peer.add('1', ['a'], ['peer'], null, true);
  peer.removeStale();
  assert.deepEqual([wishes.splice(0), isDurable('a')], [[], true]);
  peer.remove('1');
  assert.deepEqual([wishes, isDurable('a')], [[`-${kept}`], false]);
});

test('filters that are none are left out', () => {
  const { peer, router } = peerDemand();
  peer.add('1', ['a/#/b', '', 'x+', `deep${'/x'.repeat(200)}`, 'x'.repeat(65_536), 'good'], null);
  assert.deepEqual(
    [...router.subscriptions()].map(({ filter }) => filter),
    ['good'],
  );
});

test('a peer tells of the members of a shared subscription, which are more or fewer later, and is no ordinary subscriber by that', () => {
  const { router, demand, events } = recorder();
  const peer = subscriber('peer', 'peer');
  const ways: string[] = [];
  const peerDemand = new PeerDemand(
    peer,
    router,
    demand,
    128,
    {
      add: (filter, brokerPath, told) => {
        ways.push(`+${filter} ${brokerPath.join()} ${told.members}`);
        return { told } as Way;
      },
      remove: ({ told }) => ways.push(`-${told.members}`),
    },
    { keep() {}, drop() {} },
  );
  const group = (members: number, readiness: Readiness = READY) => ({ name: 'g', members, readiness, isDurable: false });
  peerDemand.add('1', ['a/+'], ['origin', 'peer'], group(2));
  peerDemand.add('1', ['a/+'], ['origin', 'peer'], group(2)); // told again
  peerDemand.add('1', ['a/+'], ['origin', 'peer'], group(5));
  peerDemand.add('1', ['a/+'], ['origin', 'peer'], group(5, AWAY));
  peerDemand.add('2', ['a//#/'], ['peer'], group(1)); // no filter
  assert.deepEqual([router.size, peerDemand.size], [0, 1]);
  peerDemand.remove('1');
  peerDemand.remove('2');
  assert.equal(peerDemand.size, 0);
  assert.deepEqual(ways, ['+a/+ origin,peer 2', '-5']);
  const way = 'g:a/+[origin,peer]';
  assert.deepEqual(events, [`+${way}`, `${way} said to have 5`, `${way} said to have 5`, `-${way}`]);
});
