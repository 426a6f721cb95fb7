import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Broker } from '../../core/broker.ts';
import { Message } from '../../core/message.ts';
import { AWAY, BEHIND, FULL, NEVER, READY, type Readiness, type Subscriber, Subscription, UNREACHABLE } from '../../core/subscription.ts';
import type { Channel } from '../../protocols/openwire/channel.ts';
import { GroupAddress } from '../../protocols/openwire/group-address.ts';
import { createBrokerPath, createOrigin, LinkTransit } from '../../protocols/openwire/message-origin.ts';
import { PublicationForm } from '../../protocols/openwire/publication-form.ts';
import { PublicationReader } from '../../protocols/openwire/publication-reader.ts';
import { silentLog } from '../../telemetry/log.ts';
import { type Advert, Demand, type GroupDemand } from './demand.ts';
import { GROUP_VISITED_MAX, LINK_QUEUE_BEHIND_BYTES } from './link-limits.ts';
import { DEFAULT_LINK_SETTINGS } from './link-settings.ts';
import { type PeerGroup, PeerGroups } from './peer-groups.ts';
import { PeerSubscriber } from './peer-subscriber.ts';

/** A broker whose peers write down what they are sent, as `payload to broker [path]`, and those that had it before in brackets. */
function setUp() {
  const broker = new Broker({ id: 'ID:us', name: 'us', log: silentLog });
  const groups = new PeerGroups(broker);
  const form = new PublicationForm(broker.id, broker.incarnation, broker.wallNow);
  const demand = new Demand({ demandGained() {}, durabilityChanged() {}, demandLost() {}, groupChanged() {}, relayedGroupChanged() {} });
  const peer = (id: string, ttl = -1) => {
    const sent: string[] = [];
    const channel = {
      queuedBytes: 0,
      maxFrameSize: 1_000_000,
      sendPublication: ({ buffer, start, end }: { buffer: Buffer; start: number; end: number }) => {
        const reader = new PublicationReader(128);
        assert.equal(reader.read(buffer, start + 4, end), true);
        const { group, path, payloadStart, payloadEnd } = reader;
        const payload = buffer.toString('latin1', payloadStart, payloadEnd);
        const before = group === null || group.visited.length === 0 ? '' : ` (${group.visited.join()})`;
        sent.push(group === null ? payload : `${payload} to ${group.brokerId} [${path.ids.join()}]${before}`);
        return 1;
      },
    };
    const subscriber = new PeerSubscriber(id, id, broker, form, demand, groups);
    subscriber.applySettings({ ...DEFAULT_LINK_SETTINGS, messageTTL: ttl });
    const attach = (): void => subscriber.attach(channel as unknown as Channel, { inFlightMax: 1_000, counted: true });
    attach();
    const tells = (key: string, way: readonly string[], members: number, readiness: Readiness = READY): void => {
      subscriber.demand.add(key, ['t'], way, { name: 'g', members, readiness, isDurable: false } satisfies GroupDemand);
    };
    return { subscriber, channel, sent, tells, attach };
  };
  const client = (): Subscriber & { got: string[]; readiness: Readiness } => {
    const got: string[] = [];
    const by = {
      id: 'c',
      publisher: { id: 'c', kind: 'client' as const },
      kind: 'client' as const,
      got,
      readiness: READY as Readiness,
      deliver: ({ payload }: Message) => got.push(`${payload}`),
    };
    broker.subscribe(
      new Subscription({ filter: 't', group: 'g', subscriber: by, qos: 2, noLocal: false, retainAsPublished: false, identifier: 0 }),
    );
    return by;
  };
  const remote = (): PeerGroup[] =>
    [...(broker.router.group('t', 'g')?.routes() ?? [])].flatMap(({ subscriber }) =>
      subscriber.kind === 'peer' ? [subscriber as PeerGroup] : [],
    );
  const publish = (payload: string): number => broker.publish(Message.of('t', Buffer.from(payload), 1));
  return { broker, groups, peer, client, remote, publish };
}

/** A message that came over a link for one group. */
function given(payload: string, ...path: string[]): Message {
  const transit = new LinkTransit(createOrigin(path[0]!, 1, 1), 7, createBrokerPath(path), true);
  return new Message('t', 1, false, Buffer.from(payload), 0, payload.length, false, null, 0, null, transit);
}

const TO_US = new GroupAddress('g', 't', 'ID:us', []);

test('a broker known by several ways is one member, reached by the shortest that stands', () => {
  const { peer, remote, publish } = setUp();
  const [near, far] = [peer('ID:n'), peer('ID:f')];
  far.tells('1', ['ID:c', 'ID:x', 'ID:f'], 3);
  near.tells('1', ['ID:c', 'ID:n'], 3);
  assert.deepEqual(
    remote().map(({ id }) => id),
    ['ID:c'],
  );
  publish('a');
  near.subscriber.acknowledge(1);
  near.subscriber.detach();
  publish('b');
  near.attach();
  publish('c');
  assert.deepEqual([near.sent, far.sent], [['a to ID:c [ID:us]', 'c to ID:c [ID:us]'], ['b to ID:c [ID:us]']]);
  near.subscriber.demand.remove('1');
  publish('d');
  assert.equal(far.sent.length, 2);
  far.subscriber.demand.remove('1');
  assert.deepEqual([remote(), publish('e')], [[], 0]);
});

test('members at a broker are as well prepared as it says and as the link to it is', () => {
  const { peer, remote } = setUp();
  const { subscriber, channel, tells, attach } = peer('ID:n');
  const message = Message.of('t', Buffer.from('x'), 1);
  const ready = (): Readiness => remote()[0]!.readinessFor(message);
  for (const readiness of [READY, BEHIND, AWAY, FULL] as const) {
    tells('1', ['ID:n'], 1, readiness);
    assert.equal(ready(), readiness);
  }
  tells('1', ['ID:n'], 1, BEHIND);
  subscriber.setSuspect(true);
  assert.equal(ready(), UNREACHABLE);
  subscriber.detach();
  attach();
  assert.equal(ready(), BEHIND, 'a new link begins without suspicion');
  tells('1', ['ID:n'], 4);
  channel.queuedBytes = LINK_QUEUE_BEHIND_BYTES + 1;
  assert.equal(ready(), BEHIND);
  subscriber.applySettings({ ...DEFAULT_LINK_SETTINGS, messageTTL: 0 });
  assert.equal(ready(), NEVER);
  assert.equal(remote()[0]!.memberCount, 4);
});

test('a way is not longer than the TTL lets a message go', () => {
  for (const [ttl, reaches] of [
    [1, 0],
    [2, 1],
    [-1, 1],
  ] as const) {
    const { peer, publish } = setUp();
    peer('ID:n', ttl).tells('1', ['ID:c', 'ID:n'], 1);
    assert.equal(publish('x'), reaches, `TTL ${ttl}`);
  }
});

test('a message given to us goes to a member here, whoever else is in turn', () => {
  const { broker, peer, groups, client } = setUp();
  peer('ID:n').tells('1', ['ID:n'], 9);
  const { got } = client();
  for (const payload of ['a', 'b', 'c']) groups.deal(TO_US, given(payload, 'ID:n'));
  assert.deepEqual(got, ['a', 'b', 'c']);
  groups.deal(TO_US, new Message('other', 1, false, Buffer.from('x'), 0, 1, false, null, 0, null, null));
  assert.equal(got.length, 3, 'a topic that the filter does not match');
  assert.deepEqual([broker.counters.published, broker.counters.delivered, broker.counters.dropped], [3, 3, 0]);
});

const FAR_TRAVELLED = Array.from({ length: GROUP_VISITED_MAX }, (_, i) => `ID:${i}`);

test('a message given to us when nobody is here any more goes to another broker as one of ours, and not for ever', () => {
  const { broker, peer, groups } = setUp();
  const { sent, tells } = peer('ID:n', 1);
  tells('1', ['ID:n'], 1);
  groups.deal(TO_US, given('a', 'ID:x', 'ID:n'));
  assert.deepEqual(sent, ['a to ID:n [ID:us] (ID:x,ID:n)'], 'even back to where it came from');
  groups.deal(new GroupAddress('g', 't', 'ID:us', FAR_TRAVELLED), given('b', 'ID:n'));
  assert.deepEqual([sent.length, broker.counters.droppedBy.linkedBroker], [1, 1]);
});

test('a message that has come too far stays with whoever is here', () => {
  const { peer, groups, client } = setUp();
  peer('ID:n').tells('1', ['ID:n'], 1);
  const here = client();
  here.readiness = AWAY;
  groups.deal(new GroupAddress('g', 't', 'ID:us', FAR_TRAVELLED), given('a', 'ID:n'));
  assert.deepEqual(here.got, ['a']);
});

test('a message is not given back to a broker in between that had no way on: it waits where the way is shortest', () => {
  const { peer, groups } = setUp();
  const [direct, around] = [peer('ID:c'), peer('ID:n')];
  direct.tells('1', ['ID:c'], 1);
  around.tells('1', ['ID:c', 'ID:n'], 1); // it does not know yet that its own way is gone, too
  direct.subscriber.detach();
  groups.deal(new GroupAddress('g', 't', 'ID:c', []), given('a', 'ID:n'));
  groups.deal(new GroupAddress('g', 't', 'ID:c', ['ID:n']), given('b', 'ID:x'));
  assert.deepEqual([direct.sent, around.sent], [[], []]);
  direct.attach();
  assert.deepEqual(direct.sent, ['a to ID:c [ID:us] (ID:n)', 'b to ID:c [ID:us] (ID:n,ID:x)']);
});

test('brokers that reach a group through us are told when our link with it is lost or silent, and when it is back', () => {
  const broker = new Broker({ id: 'ID:us', name: 'us', log: silentLog });
  const told: string[] = [];
  const say = ({ group }: Advert): number => told.push(`${group!.members} ${group!.readiness}`);
  const demand = new Demand({ demandGained: say, durabilityChanged() {}, demandLost() {}, groupChanged() {}, relayedGroupChanged: say });
  const form = new PublicationForm(broker.id, broker.incarnation, broker.wallNow);
  const subscriber = new PeerSubscriber('ID:n', 'n', broker, form, demand, new PeerGroups(broker));
  const tells = (members: number, readiness: Readiness): void => {
    subscriber.demand.add('1', ['t'], ['ID:n'], { name: 'g', members, readiness, isDurable: false });
  };
  const attach = (): void => subscriber.attach({ queuedBytes: 0 } as Channel, { inFlightMax: 1, counted: true });
  attach();
  tells(1, READY);
  subscriber.setSuspect(true);
  tells(2, BEHIND);
  subscriber.setSuspect(false);
  subscriber.detach();
  tells(3, READY);
  tells(3, FULL);
  attach();
  tells(3, AWAY);
  assert.deepEqual(told, [
    `1 ${READY}`,
    `1 ${UNREACHABLE}`,
    `2 ${UNREACHABLE}`,
    `2 ${BEHIND}`,
    `2 ${UNREACHABLE}`,
    `3 ${UNREACHABLE}`,
    `3 ${FULL}`,
    `3 ${FULL}`,
    `3 ${AWAY}`,
  ]);
});

test('a message for a broker behind us is passed on as it came; where the way has gone we choose anew', () => {
  const { peer, groups, client } = setUp();
  const { subscriber, sent, tells } = peer('ID:n');
  tells('1', ['ID:c', 'ID:n'], 1);
  const { got } = client();
  const address = new GroupAddress('g', 't', 'ID:c', ['ID:w']);
  groups.deal(address, given('a', 'ID:x'));
  assert.deepEqual([sent, got], [['a to ID:c [ID:x,ID:us] (ID:w)'], []]);
  subscriber.detach();
  groups.deal(address, given('b', 'ID:x'));
  groups.deal(new GroupAddress('g', 't', 'ID:nobody', []), given('c', 'ID:x'));
  assert.deepEqual([sent.length, got], [1, ['b', 'c']]);
});

test('what has not been sent goes to others when the link is lost, the rest when the peer is: QoS 2 only if it cannot have had it', () => {
  for (const saidGoodbye of [true, false]) {
    const { broker, peer, client } = setUp();
    const { subscriber, sent, tells, channel } = peer('ID:n');
    tells('1', ['ID:n'], 1);
    const publish = (payload: string, qos: 1 | 2): number => broker.publish(Message.of('t', Buffer.from(payload), qos));
    publish('sent 1', 1);
    publish('sent 2', 2);
    channel.queuedBytes = Number.MAX_SAFE_INTEGER;
    publish('waiting 1', 1);
    publish('waiting 2', 2);
    const { got } = client();
    assert.deepEqual([sent.length, got], [2, []]);
    subscriber.detach();
    assert.deepEqual(got.splice(0), ['waiting 1', 'waiting 2']);
    subscriber.demand.clear();
    subscriber.abandon(saidGoodbye);
    assert.deepEqual(got, saidGoodbye ? ['sent 1', 'sent 2'] : ['sent 1']);
  }
});

test('a message that expires while it waits for its link is not sent', () => {
  let now = 1_000;
  const broker = new Broker({ id: 'ID:us', name: 'us', log: silentLog, wallNow: () => now });
  const groups = new PeerGroups(broker);
  const demand = new Demand({ demandGained() {}, durabilityChanged() {}, demandLost() {}, groupChanged() {}, relayedGroupChanged() {} });
  const subscriber = new PeerSubscriber(
    'ID:n',
    'n',
    broker,
    new PublicationForm(broker.id, broker.incarnation, broker.wallNow),
    demand,
    groups,
  );
  subscriber.demand.add('1', ['t'], ['ID:n']);
  for (const expiresAtMs of [5_000, 0, 50_000])
    broker.publish(new Message('t', 1, false, Buffer.from('x'), 0, 1, false, null, expiresAtMs, null, null));
  now = 5_000;
  const expiries: number[] = [];
  const channel = {
    queuedBytes: 0,
    maxFrameSize: 1_000_000,
    sendPublication: ({ buffer, start, end }: { buffer: Buffer; start: number; end: number }) => {
      const reader = new PublicationReader(128);
      reader.read(buffer, start + 4, end);
      return expiries.push(reader.expiresAtMs);
    },
  };
  subscriber.attach(channel as unknown as Channel, { inFlightMax: 1_000, counted: true });
  assert.deepEqual(expiries, [0, 50_000]);
  assert.equal(subscriber.outbox.unsent, 0);
});
