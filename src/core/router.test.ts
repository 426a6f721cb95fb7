import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SOAK_FACTOR } from '../../test/harness/soak.ts';
import type { QoS } from './message.ts';
import { Router } from './router.ts';
import { type Route, type Routes, type Subscriber, Subscription, type SubscriptionFields } from './subscription.ts';
import { topicMatches } from './topic-filter.ts';

const SUBSCRIBERS: readonly Subscriber[] = Array.from({ length: 60 }, (_, i) => ({
  id: `s${i}`,
  kind: 'client',
  publisher: { id: `s${i}`, kind: 'client' },
  deliver: () => {},
}));

function subscription(filter: string, fields: Partial<SubscriptionFields> = {}): Subscription {
  return new Subscription({
    filter,
    group: null,
    subscriber: SUBSCRIBERS[0]!,
    qos: 0,
    noLocal: false,
    retainAsPublished: false,
    identifier: 0,
    ...fields,
  });
}

/** What a route says, in a form that compares. */
function said(route: Route): unknown {
  return {
    subscriber: route.subscriber.id,
    qos: route.qos,
    noLocal: route.noLocal,
    own: route.noLocal && route.own !== null ? said(route.own) : null,
    retainAsPublished: route.retainAsPublished,
    identifiers: [...route.identifiers].sort((a, b) => a - b),
  };
}

function shown(routes: Routes): unknown {
  return {
    direct: routes.direct.map(said).sort(byText),
    shared: routes.shared
      .map((group) => ({ name: group.name, filter: group.filter, members: [...group.routes()].map(said).sort(byText) }))
      .sort(byText),
  };
}

function byText(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}

/** The same by looking at every subscription, one after the other. */
function bruteForce(subscriptions: readonly Subscription[], topic: string): unknown {
  const matching = subscriptions.filter(({ filter }) => topicMatches(filter, topic));
  const merged = (list: readonly Subscription[]): unknown => {
    const others = list.filter((s) => !s.noLocal);
    return {
      subscriber: list[0]!.subscriber.id,
      qos: Math.max(...list.map(({ qos }) => qos)),
      noLocal: others.length < list.length,
      own: others.length === 0 || others.length === list.length ? null : merged(others),
      retainAsPublished: list.some((s) => s.retainAsPublished),
      identifiers: list.flatMap(({ identifier }) => (identifier === 0 ? [] : [identifier])).sort((a, b) => a - b),
    };
  };
  const ordinary = matching.filter(({ group }) => group === null);
  const direct = SUBSCRIBERS.map((subscriber) => ordinary.filter((s) => s.subscriber === subscriber)).filter((list) => list.length > 0);
  const groups = [...new Set(matching.filter(({ group }) => group !== null).map(({ group, filter }) => JSON.stringify([group, filter])))];
  return {
    direct: direct.map(merged).sort(byText),
    shared: groups
      .map((key) => {
        const [name, filter] = JSON.parse(key) as [string, string];
        const members = matching.filter((s) => s.group === name && s.filter === filter);
        return { name, filter, members: members.map((s) => merged([s])).sort(byText) };
      })
      .sort(byText),
  };
}

const level = fc.constantFrom('', 'a', 'b', 'c', '$s');
const topicName = fc
  .array(level, { minLength: 1, maxLength: 4 })
  .map((levels) => levels.join('/'))
  .filter((topic) => topic !== '');
const topicFilter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 4 }), fc.boolean())
  .map(([levels, rest]) => [...levels, ...(rest ? ['#'] : [])].join('/'))
  .filter((filter) => filter !== '');

/** Subscriptions that come and go, of so many subscribers. */
function changes(subscribers: number, kinds: readonly ('subscribe' | 'unsubscribe')[]) {
  return fc.record({
    kind: fc.constantFrom(...kinds),
    filter: topicFilter,
    group: fc.constantFrom(null, null, 'g', 'h'),
    subscriber: fc.constantFrom(...SUBSCRIBERS.slice(0, subscribers)),
    qos: fc.constantFrom<QoS>(0, 1, 2),
    noLocal: fc.boolean(),
    retainAsPublished: fc.boolean(),
    identifier: fc.nat(3),
  });
}

type Change = SubscriptionFields & { readonly kind: 'subscribe' | 'unsubscribe' };

/** Makes the changes, and says what stands then. After each one, everything that is asked for must be as it is said by brute force. */
function check(router: Router, steps: readonly (readonly [Change, readonly string[]])[]): Subscription[] {
  let model: Subscription[] = [...router.subscriptions()];
  let watched = model.length;
  router.watch({ subscribed: () => watched++, unsubscribed: () => watched-- });
  for (const [{ kind, ...fields }, topics] of steps) {
    const s = new Subscription(fields);
    const at = model.findIndex(({ filter, group, subscriber }) => filter === s.filter && group === s.group && subscriber === s.subscriber);
    const before = model[at] ?? null;
    if (kind === 'subscribe') {
      assert.equal(router.subscribe(s), before);
      model = at < 0 ? [...model, s] : model.with(at, s);
    } else {
      assert.equal(router.unsubscribe(s.filter, s.group, s.subscriber), before);
      if (at >= 0) model = model.toSpliced(at, 1);
    }
    assert.equal(router.size, model.length);
    assert.equal(watched, model.length, 'watchers hear of every subscription that comes and goes, and of none that is replaced');
    for (const topic of topics) assert.deepEqual(shown(router.match(topic)), bruteForce(model, topic), topic);
  }
  assert.deepEqual(new Set(router.subscriptions()), new Set(model));
  return model;
}

test('after any changes every topic goes where looking at every subscription says it goes, remembered or not', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(changes(4, ['subscribe', 'subscribe', 'subscribe', 'unsubscribe']), fc.array(topicName, { maxLength: 4 })), {
        maxLength: 40,
      }),
      fc.constantFrom(1, 3, 1_000),
      fc.uniqueArray(topicName, { minLength: 1, maxLength: 8 }),
      (steps, cacheTopics, always) => {
        const router = new Router(cacheTopics);
        const model = check(
          router,
          steps.map(([change, topics]) => [change, [...always, ...topics]]),
        );
        for (const { filter, group, subscriber } of model) router.unsubscribe(filter, group, subscriber);
        assert.equal(router.size, 0);
        assert.deepEqual([...router.subscriptions()], []);
        for (const topic of always) assert.deepEqual(shown(router.match(topic)), { direct: [], shared: [] });
      },
    ),
    { numRuns: 400 * SOAK_FACTOR },
  );
});

test('the same with many subscribers of few filters', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(changes(60, ['subscribe', 'subscribe', 'unsubscribe']), fc.constant([])), { minLength: 200, maxLength: 800 }),
      fc.array(fc.tuple(changes(60, ['subscribe', 'unsubscribe']), fc.array(topicName, { maxLength: 2 })), { maxLength: 40 }),
      fc.uniqueArray(topicFilter, { minLength: 2, maxLength: 4 }),
      (population, steps, filters) => {
        const router = new Router(100);
        const few = ([change, topics]: readonly [Change, readonly string[]], i: number): readonly [Change, readonly string[]] => [
          { ...change, filter: filters[i % filters.length]! },
          topics,
        ];
        check(router, population.map(few));
        check(router, steps.map(few));
      },
    ),
    { numRuns: 40 * SOAK_FACTOR },
  );
});

test('routes are remembered until a subscription that could match changes', () => {
  const router = new Router(100);
  router.subscribe(subscription('a/+'));
  const routes = router.match('a/b');
  for (const other of ['b/+', 'c', 'a/c', '$SYS/#']) {
    router.subscribe(subscription(other));
    assert.equal(router.match('a/b'), routes, other);
  }
  router.subscribe(subscription('a/b', { subscriber: SUBSCRIBERS[1]! }));
  assert.notEqual(router.match('a/b'), routes);
});

test('a very long topic is matched like any other', () => {
  const router = new Router(100);
  const topic = `a/${'x'.repeat(60_000)}`;
  router.subscribe(subscription('a/+'));
  for (let i = 0; i < 2; i++) assert.equal(router.match(topic).direct.length, 1);
  router.unsubscribe('a/+', null, SUBSCRIBERS[0]!);
  assert.equal(router.match(topic).direct.length, 0);
});

test('a group stays the same while members come and go, also in remembered routes, and is another one after the last has gone', () => {
  const router = new Router(100);
  const join = (i: number) => router.subscribe(subscription('a', { group: 'g', subscriber: SUBSCRIBERS[i]! }));
  join(0);
  const routes = router.match('a');
  const group = routes.shared[0]!;
  assert.equal(router.group('a', 'g'), group);
  join(1);
  assert.equal(router.match('a'), routes);
  assert.equal(group.size, 2);
  for (const i of [0, 1]) router.unsubscribe('a', 'g', SUBSCRIBERS[i]!);
  assert.equal(router.group('a', 'g'), null);
  join(2);
  assert.notEqual(router.match('a').shared[0], group);
  assert.equal(router.group('a', 'h'), null);
  assert.equal(router.group('b', 'g'), null);
});

test('routes that somebody holds stay as they were', () => {
  const router = new Router(100);
  for (const subscriber of SUBSCRIBERS) router.subscribe(subscription('a', { subscriber }));
  const routes = router.match('a');
  for (const subscriber of SUBSCRIBERS) router.unsubscribe('a', null, subscriber);
  assert.deepEqual(
    routes.direct.map(({ subscriber }) => subscriber),
    SUBSCRIBERS,
  );
});
