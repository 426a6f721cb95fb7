import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IDLE } from '../../test/harness/idle-session.ts';
import { type Facts, type Log, silentLog } from '../telemetry/log.ts';
import { Broker } from './broker.ts';
import type { Stamp } from './hybrid-clock.ts';
import { QUIET_MS } from './limit-watch.ts';
import { Message, type WireForm } from './message.ts';
import type { Cluster, Session } from './ports.ts';
import { AWAY, BEHIND, READY, type Readiness, type Route, type Subscriber, Subscription, type SubscriptionFields } from './subscription.ts';

function broker(): Broker {
  return new Broker({ id: 'b', name: 'test', log: silentLog, wallNow: () => 1_000 });
}

/** Writes down what it gets. */
class Recorder implements Subscriber {
  readonly id: string;
  readonly kind = 'client';
  readonly publisher = this;
  readiness: Readiness = READY;
  readonly received: { topic: string; qos: number }[] = [];

  constructor(id: string) {
    this.id = id;
  }

  deliver(message: Message, route: Route): void {
    this.received.push({ topic: message.topic, qos: route.qos });
  }
}

function subscription(subscriber: Subscriber, filter: string, fields: Partial<SubscriptionFields> = {}): Subscription {
  return new Subscription({ filter, group: null, subscriber, qos: 0, noLocal: false, retainAsPublished: false, identifier: 0, ...fields });
}

function from(publisher: Subscriber, topic: string): Message {
  return new Message(topic, 2, false, Buffer.alloc(0), 0, 0, false, null, 0, publisher, null);
}

test('each subscriber gets one copy, and how many there were is said', () => {
  const b = broker();
  const [one, two] = [new Recorder('1'), new Recorder('2')];
  b.subscribe(subscription(one, 'a/#', { qos: 1 }));
  b.subscribe(subscription(one, 'a/b', { qos: 2 }));
  b.subscribe(subscription(two, '+/b'));
  assert.equal(b.publish(Message.of('a/b', Buffer.from('x'))), 2);
  assert.equal(b.publish(Message.of('nobody', Buffer.from('x'))), 0);
  assert.deepEqual([one.received, two.received], [[{ topic: 'a/b', qos: 2 }], [{ topic: 'a/b', qos: 0 }]]);
  const { published, delivered, dropped } = b.counters;
  assert.deepEqual({ published, delivered, dropped }, { published: 2, delivered: 2, dropped: 0 });
});

test('No Local holds back what the subscriber published itself, by those of its subscriptions that have it', () => {
  const b = broker();
  const [one, two] = [new Recorder('1'), new Recorder('2')];
  b.subscribe(subscription(one, 'a/#', { qos: 2, noLocal: true }));
  assert.equal(b.publish(from(one, 'a/b')), 0);
  assert.equal(b.publish(from(two, 'a/b')), 1);
  b.subscribe(subscription(one, 'a/+', { qos: 1 }));
  assert.equal(b.publish(from(one, 'a/b')), 1);
  assert.deepEqual(
    one.received.map(({ qos }) => qos),
    [2, 1],
  );
});

test('a shared subscription prefers members that are ready, then those that are there', () => {
  const b = broker();
  const members = ['0', '1', '2'].map((id) => new Recorder(id));
  for (const member of members) b.subscribe(subscription(member, 'a', { group: 'g' }));
  const turns = (count: number): string => {
    let order = '';
    for (let i = 0; i < count; i++) {
      const before = members.map(({ received }) => received.length);
      assert.equal(b.publish(Message.of('a', Buffer.alloc(0))), 1);
      order += members.findIndex(({ received }, m) => received.length > before[m]!);
    }
    return order;
  };
  assert.equal(turns(6), '012012');
  members[1]!.readiness = AWAY;
  assert.equal(turns(4), '0202');
  members[0]!.readiness = BEHIND;
  assert.equal(turns(3), '222');
  members[2]!.readiness = AWAY;
  assert.equal(turns(3), '000');
  members[0]!.readiness = AWAY;
  assert.equal(turns(6), '120120');
});

/** Writes down what linked brokers would be told. */
class LinkedBrokers implements Cluster {
  readonly told: { topic: string; removed: boolean; stamp: Stamp }[] = [];
  demandKnown(): null {
    return null;
  }
  clientClaimed(): void {}
  retained(topic: string, message: Message | null, stamp: Stamp): void {
    this.told.push({ topic, removed: message === null, stamp });
  }
}

test('retained messages are kept and told to linked brokers, removals as well; what came over a link is not', () => {
  const b = broker();
  const linked = new LinkedBrokers();
  b.cluster = linked;
  b.publish(Message.of('a', Buffer.from('x'), 0, true));
  b.publish(Message.of('a', Buffer.alloc(0), 0, true));
  b.publish(Message.of('a', Buffer.from('x'), 0, false));
  const transit = { messageId: 'm', brokerPath: ['other'], groupsServed: false };
  b.publish(new Message('a', 0, true, Buffer.from('x'), 0, 1, false, null, 0, null, transit));
  assert.deepEqual(
    linked.told.map(({ topic, removed }) => ({ topic, removed })),
    [
      { topic: 'a', removed: false },
      { topic: 'a', removed: true },
    ],
  );
  assert.equal(b.retained.size, 0);
});

test('of two brokers’ writes to one topic the newer is kept, and ours after theirs counts as newer', () => {
  const b = broker();
  const theirs = Message.of('a', Buffer.from('theirs'), 0, true);
  b.retainFromPeer('a', theirs, { wallMs: 30_000, counter: 3, brokerId: 'z' });
  assert.equal(b.retained.get('a'), theirs);
  b.retainFromPeer('a', null, { wallMs: 20_000, counter: 0, brokerId: 'z' });
  assert.equal(b.retained.get('a'), theirs);
  b.publish(Message.of('a', Buffer.from('ours'), 0, true));
  assert.equal(b.retained.get('a')!.payload.toString(), 'ours');
});

test('beyond the limit neither a client’s nor a linked broker’s new topic is kept', () => {
  const b = new Broker({ id: 'b', name: 'test', log: silentLog, limits: { retainedMessages: 1 } });
  b.publish(Message.of('a', Buffer.from('x'), 0, true));
  b.publish(Message.of('b', Buffer.from('x'), 0, true));
  b.retainFromPeer('c', Message.of('c', Buffer.from('x'), 0, true), b.clock.next());
  b.retainFromPeer('a', Message.of('a', Buffer.from('y'), 0, true), b.clock.next());
  assert.deepEqual(
    [...b.retained.entries()].map(({ topic, message }) => [topic, message!.payload.toString()]),
    [['a', 'y']],
  );
});

test('a limit that is reached is counted each time and said once, and again after a quiet minute', () => {
  const warnings: { message: string; facts: Facts | undefined }[] = [];
  const log: Log = { ...silentLog, warn: (message, facts) => warnings.push({ message, facts }) };
  let now = 0;
  const b = new Broker({ id: 'b', name: 'test', log, limits: { retainedMessages: 1 }, wallNow: () => now });
  const retain = (topic: string) => b.publish(Message.of(topic, Buffer.from('x'), 0, true));
  for (const topic of ['a', 'b', 'c', 'a', 'd']) retain(topic);
  assert.deepEqual(warnings, [{ message: 'a limit is reached', facts: { limit: 'retainedMessages', value: 1, refusals: 1, topic: 'b' } }]);
  now += QUIET_MS - 1;
  retain('e');
  assert.equal(warnings.length, 1, 'it has been reached all the time');
  now += QUIET_MS;
  retain('f');
  assert.equal(warnings.length, 2);
  assert.deepEqual(warnings[1]!.facts, { limit: 'retainedMessages', value: 1, refusals: 5, topic: 'f' });
  assert.equal(b.counters.refusedBy.retainedMessages, 5);
});

test('a client id claimed elsewhere is told to the session here whose last connection is older, also while its client is away', () => {
  const b = broker();
  const told: string[] = [];
  const session = (clientId: string, connected: boolean, wallMs: number): Session => ({
    clientId,
    connected,
    ...IDLE,
    claimedAt: { wallMs, counter: 0, brokerId: 'b' },
    takeOver: () => assert.fail('nobody took over here'),
    connectedElsewhere: () => told.push(clientId),
    discard: () => assert.fail('a session is kept'),
    dismiss: () => assert.fail('nobody is dismissed'),
  });
  b.sessions.set(session('old', true, 10));
  b.sessions.set(session('new', true, 30));
  b.sessions.set(session('away', false, 10));
  const stamp = { wallMs: 20, counter: 0, brokerId: 'z' };
  for (const clientId of ['new', 'away', 'unknown', 'old']) b.sessions.claimedElsewhere(clientId, stamp);
  assert.deepEqual(told, ['away', 'old']);
});

test('a session is removed only while it is the one of its client id', () => {
  const b = broker();
  const make = (): Session => ({
    clientId: 'a',
    connected: true,
    ...IDLE,
    claimedAt: { wallMs: 0, counter: 0, brokerId: 'b' },
    takeOver() {},
    connectedElsewhere() {},
    discard() {},
    dismiss() {},
  });
  const [first, second] = [make(), make()];
  b.sessions.set(first);
  b.sessions.set(second);
  b.sessions.delete(first);
  assert.equal(b.sessions.get('a'), second);
  assert.deepEqual([...b.sessions.values()], [second]);
  b.sessions.delete(second);
  assert.equal(b.sessions.size, 0);
});

test('a retained message holds its payload and no encoded form of it, and of its publisher the name alone', () => {
  const b = broker();
  let encoded = 0;
  const form: WireForm = {
    slot: 0,
    encode: () => {
      encoded++;
      return { buffer: Buffer.alloc(10), start: 0, end: 10, packetIdentifierAt: 0 };
    },
  };
  const publisher = { id: 'p', kind: 'client' } as const;
  const reader: Subscriber = { ...publisher, publisher, deliver: (message) => void message.frame(form) };
  for (let i = 0; i < 3; i++) b.subscribe(subscription({ ...reader }, 'a'));
  const retained = new Message('a', 0, true, Buffer.from('x'), 0, 1, false, null, 0, publisher, null);
  b.publish(retained);
  assert.equal(encoded, 1, 'once for all who receive it now');
  assert.equal(b.retained.get('a'), retained);
  retained.frame(form);
  assert.equal(encoded, 2);
  assert.equal(retained.publisher, publisher);
});
