import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Message } from './message.ts';
import { type RemoteMembers, SharedGroup } from './shared-group.ts';
import {
  AWAY,
  BEHIND,
  FULL,
  NEVER,
  type Publisher,
  READY,
  type Readiness,
  type Route,
  type Subscriber,
  Subscription,
  type SubscriptionFields,
  UNREACHABLE,
} from './subscription.ts';

const MESSAGE = Message.of('t', Buffer.from('x'));

/** A member that says what a test tells it to, and counts how often it was asked. */
class Client implements Subscriber {
  readonly kind = 'client';
  readonly id: string;
  readonly publisher: Publisher;
  connected = true;
  says: Readiness = READY;
  asked = 0;

  constructor(id: string) {
    this.id = id;
    this.publisher = { id, kind: 'client' };
  }

  get readiness(): Readiness {
    this.asked++;
    return this.connected || this.says < AWAY ? this.says : AWAY;
  }

  deliver(): void {}
}

class Elsewhere implements RemoteMembers {
  readonly kind = 'peer';
  readonly id: string;
  readonly publisher = this;
  memberCount: number;
  says: Readiness = READY;

  constructor(id: string, memberCount: number) {
    this.id = id;
    this.memberCount = memberCount;
  }

  readinessFor(): Readiness {
    return this.says;
  }

  deliver(): void {}
}

function subscription(subscriber: Subscriber, fields: Partial<SubscriptionFields> = {}): Subscription {
  return new Subscription({
    filter: 't',
    group: 'g',
    subscriber,
    qos: 1,
    noLocal: false,
    retainAsPublished: false,
    identifier: 0,
    ...fields,
  });
}

function groupOf(...subscribers: Subscriber[]): SharedGroup {
  const group = new SharedGroup('t', 'g', []);
  for (const subscriber of subscribers) group.add(subscription(subscriber));
  return group;
}

/** Ids of those whose turn it was. */
function turns(group: SharedGroup, count: number): string[] {
  return Array.from({ length: count }, () => group.choose(MESSAGE)?.subscriber.id ?? 'nobody');
}

function counts(ids: readonly string[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const id of ids) found[id] = (found[id] ?? 0) + 1;
  return found;
}

function clients(count: number): Client[] {
  return Array.from({ length: count }, (_, i) => new Client(`${i}`));
}

test('members take turns, and one that is not ready is passed over', () => {
  const members = clients(3);
  const group = groupOf(...members);
  assert.equal(turns(group, 6).join(''), '012012');
  members[1]!.says = BEHIND;
  assert.equal(turns(group, 4).join(''), '0202');
});

test('who is there comes before who is away, who has room before who has none, and a member of the group before nobody', () => {
  const members = clients(4);
  const [full, away, behind, ready] = members as [Client, Client, Client, Client];
  const group = groupOf(...members);
  full.says = FULL;
  away.connected = false;
  group.moved(away);
  behind.says = BEHIND;
  for (const [who, leave] of [
    [ready, true],
    [behind, true],
    [away, true],
    [full, true],
  ] as const) {
    assert.deepEqual(turns(group, 3), [who.id, who.id, who.id]);
    if (leave) group.remove(who);
  }
  assert.equal(group.choose(MESSAGE), null);
});

test('a choice among a thousand ready members asks one of them, however many others are away', () => {
  const here = clients(1_000);
  const away = clients(1_000);
  for (const client of away) client.connected = false;
  const group = groupOf(...here, ...away);
  for (const client of [...here, ...away]) client.asked = 0;
  assert.equal(new Set(turns(group, 1_000)).size, 1_000);
  assert.deepEqual(
    [here, away].map((list) => list.reduce((sum, { asked }) => sum + asked, 0)),
    [1_000, 0],
  );
});

test('a member that subscribes again keeps its place and is there once', () => {
  const members = clients(3);
  const group = groupOf(...members);
  turns(group, 1);
  const again = subscription(members[0]!, { qos: 2, identifier: 7 });
  assert.equal(group.add(again)!.qos, 1);
  assert.equal(turns(group, 3).join(''), '120');
  const route = [...group.routes()].find(({ subscriber }) => subscriber === members[0]) as Route;
  assert.deepEqual([route.qos, route.identifiers, route.sharedGroup], [2, [7], group]);
  assert.deepEqual([...group.subscriptions()].length, 3);
});

test('whoever comes and goes, nobody has a second turn before everyone who stayed has had one', () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.constant({ kind: 'choose' as const, who: 0 }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('join' as const, 'leave' as const), who: fc.nat(7) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const group = new SharedGroup('t', 'g', []);
      const members = new Map<number, Client>();
      let waiting = new Set<string>(); // of this round
      for (const { kind, who } of steps) {
        if (kind === 'join' && !members.has(who)) {
          const client = new Client(`${who}`);
          members.set(who, client);
          group.add(subscription(client));
          waiting.add(client.id);
        } else if (kind === 'leave' && members.has(who)) {
          group.remove(members.get(who)!);
          members.delete(who);
          waiting.delete(`${who}`);
        } else if (kind === 'choose') {
          const chosen = group.choose(MESSAGE);
          if (members.size === 0) {
            assert.equal(chosen, null);
            continue;
          }
          if (waiting.size === 0) waiting = new Set([...members.keys()].map(String));
          assert.ok(waiting.delete(chosen!.subscriber.id), `${chosen!.subscriber.id} had its turn in this round`);
        }
        assert.equal(group.size, members.size);
        assert.equal(group.memberCount, members.size);
      }
    }),
  );
});

test('brokers take turns by their number of members, evenly mixed', () => {
  const group = groupOf(...clients(2), new Elsewhere('B', 3), new Elsewhere('C', 1));
  const order = turns(group, 600);
  assert.deepEqual(counts(order), { 0: 100, 1: 100, B: 300, C: 100 });
  for (let i = 0; i + 6 <= order.length; i++) assert.equal(counts(order.slice(i, i + 6)).B, 3, 'in any six');
});

test('the number of members elsewhere may change at any time', () => {
  const elsewhere = new Elsewhere('B', 1);
  const group = groupOf(new Client('A'), elsewhere);
  assert.deepEqual(counts(turns(group, 10)), { A: 5, B: 5 });
  elsewhere.memberCount = 4;
  assert.deepEqual(counts(turns(group, 10)), { A: 2, B: 8 });
});

test('another broker is passed over while its members or the link are not as well prepared as ours, and so are ours', () => {
  const near = new Client('A');
  const far = new Elsewhere('B', 9);
  const group = groupOf(near, far);
  for (const [ours, theirs, who] of [
    [READY, BEHIND, 'A'],
    [READY, AWAY, 'A'],
    [READY, UNREACHABLE, 'A'],
    [READY, FULL, 'A'],
    [READY, NEVER, 'A'],
    [BEHIND, READY, 'B'],
    [BEHIND, BEHIND, 'A'],
    [BEHIND, AWAY, 'A'],
    [FULL, BEHIND, 'B'],
    [FULL, AWAY, 'B'],
    [FULL, UNREACHABLE, 'B'],
    [FULL, FULL, 'A'],
    [FULL, NEVER, 'A'],
  ] as const) {
    near.says = ours;
    far.says = theirs;
    assert.deepEqual(turns(group, 5), Array(5).fill(who), `${ours} here, ${theirs} there`);
  }
});

test('when all are away the brokers take turns as usual', () => {
  const away = clients(2);
  for (const client of away) client.connected = false;
  const far = new Elsewhere('B', 2);
  far.says = AWAY;
  assert.deepEqual(counts(turns(groupOf(...away, far), 8)), { 0: 2, 1: 2, B: 4 });
});

test('members elsewhere are chosen when there are none here, nobody when the message may not cross to them', () => {
  const far = new Elsewhere('B', 1);
  const group = groupOf(far);
  far.says = UNREACHABLE;
  assert.deepEqual(turns(group, 2), ['B', 'B']);
  far.says = NEVER;
  assert.deepEqual(turns(group, 2), ['nobody', 'nobody']);
});

test('what a linked broker chose us for goes to one of ours, if one is well enough prepared', () => {
  const near = new Client('A');
  const group = groupOf(near, new Elsewhere('B', 9));
  assert.equal(group.chooseHere(BEHIND)!.subscriber, near);
  near.connected = false;
  group.moved(near);
  assert.equal(group.chooseHere(BEHIND), null);
  assert.equal(group.chooseHere(FULL)!.subscriber, near);
  group.remove(near);
  assert.equal(group.chooseHere(NEVER), null);
});

test('watchers are told when the number of members or their readiness changes, and of nothing else', () => {
  const told: [count: number, readiness: Readiness][] = [];
  const group = new SharedGroup('t', 'g', [{ groupChanged: ({ memberCount, readiness }) => told.push([memberCount, readiness]) }]);
  const [a, b] = clients(2) as [Client, Client];
  const expectTold = (...expected: [number, Readiness][]): void => assert.deepEqual(told.splice(0), expected);
  group.add(subscription(a));
  expectTold([1, READY]);
  group.add(subscription(b));
  expectTold([2, READY]);
  group.add(subscription(b, { qos: 2 }));
  group.moved(b);
  turns(group, 5);
  expectTold();
  group.add(subscription(new Elsewhere('B', 1)));
  expectTold();
  b.connected = false;
  group.moved(b);
  expectTold([1, READY]);
  a.says = BEHIND;
  turns(group, 3);
  expectTold([1, BEHIND]);
  a.says = READY;
  group.refresh();
  expectTold([1, READY]);
  group.remove(a);
  expectTold([1, AWAY]);
  group.remove(b);
  expectTold([0, NEVER]);
});
