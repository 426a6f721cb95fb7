import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { Advisories, consumerNews, encodeAdvisory } from '../../src/cluster/network/advisory.ts';
import type { Advert } from '../../src/cluster/network/demand.ts';
import type { LinkSettings } from '../../src/cluster/network/link-settings.ts';
import { Message, type MessageProperties, type QoS } from '../../src/core/message.ts';
import { AWAY, BEHIND, READY } from '../../src/core/subscription.ts';
import { GroupAddress } from '../../src/protocols/openwire/group-address.ts';
import { PublicationForm } from '../../src/protocols/openwire/publication-form.ts';
import { PLAIN_MESSAGE, type PlainMessage } from '../../src/protocols/openwire/wire/structures.ts';
import { linked, staticConnector, TestBroker, type TestClient, until } from '../harness/linked-broker.ts';
import { begin, OpenWirePeer } from '../harness/openwire-peer.ts';

const running: TestBroker[] = [];

async function start(name: string, peers: readonly TestBroker[] = [], settings: Partial<LinkSettings> = {}): Promise<TestBroker> {
  const connectors =
    peers.length === 0
      ? []
      : [
          staticConnector(
            peers.map(({ port }) => port),
            settings,
          ),
        ];
  const broker = await TestBroker.start({ name, connectors });
  running.push(broker);
  for (const peer of peers) await linked(peer, broker);
  return broker;
}

async function pair(settings: Partial<LinkSettings> = {}): Promise<[TestBroker, TestBroker]> {
  const a = await start('a');
  return [a, await start('b', [a], settings)];
}

afterEach(async () => {
  for (const broker of running.splice(0)) await broker.stop();
});

/** Waits until all brokers know what these want. */
async function known(...brokers: readonly TestBroker[]): Promise<void> {
  for (const broker of brokers) await broker.network.demandKnown();
}

/** Waits until this broker deals messages for `$share/g/{filter}` to so many members in the network. */
async function members(at: TestBroker, filter: string, count: number, name = 'g'): Promise<void> {
  await until(() => dealtTo(at, filter, name) === count, `${at.broker.name} knows of ${count} members of ${name} on ${filter}`);
}

function dealtTo(at: TestBroker, filter: string, name: string): number {
  const group = at.broker.router.group(filter, name);
  if (group === null) return 0;
  let count = group.memberCount;
  for (const { subscriber } of group.routes()) if ('memberCount' in subscriber) count += subscriber.memberCount as number;
  return count;
}

/** Publishes `count` messages, QoS 0, 1 and 2 in turn, and returns their payloads. */
function publishMany(from: TestBroker, topic: string, count: number, label = from.broker.name): string[] {
  const client = from.client();
  const payloads = Array.from({ length: count }, (_, i) => `${label}${i}`);
  payloads.forEach((payload, i) => {
    client.publish(topic, payload, (i % 3) as QoS);
  });
  return payloads;
}

function total(clients: readonly TestClient[]): number {
  return clients.reduce((sum, { received }) => sum + received.length, 0);
}

/** All members together have received exactly these, each once. */
async function dealt(clients: readonly TestClient[], expected: readonly string[]): Promise<void> {
  await until(() => total(clients) >= expected.length, `${expected.length} messages`);
  await new Promise((resolve) => setTimeout(resolve, 50)); // for copies that must not come
  assert.deepEqual(clients.flatMap(({ payloads }) => payloads).sort(), [...expected].sort());
}

function shares(clients: readonly TestClient[]): number[] {
  return clients.map(({ received }) => received.length);
}

test('a group with members at two brokers gets each message once, every member its share, whoever publishes', async () => {
  const [a, b] = await pair();
  const clients = [a, a, b].map((broker) => broker.client().subscribe('$share/g/t/+'));
  await known(a, b);
  await members(a, 't/+', 3);
  await members(b, 't/+', 3);
  const expected = [...publishMany(a, 't/x', 3_000), ...publishMany(b, 't/x', 3_000)];
  await dealt(clients, expected);
  assert.deepEqual(shares(clients), [2_000, 2_000, 2_000]);
});

test('members at the other broker alone get everything; after they have left nobody does, and nothing crosses', async () => {
  const [a, b] = await pair();
  const clients = [b, b].map((broker) => broker.client().subscribe('$share/g/t'));
  await known(b);
  await dealt(clients, publishMany(a, 't', 300));
  assert.deepEqual(shares(clients), [150, 150]);
  for (const client of clients) client.unsubscribe('$share/g/t');
  await members(a, 't', 0);
  const { sent } = a.link(b)!.counters;
  publishMany(a, 't', 3);
  assert.equal(a.link(b)!.counters.sent, sent);
});

test('an ordinary subscription gets every message beside a group on the same filter, at both brokers', async () => {
  const [a, b] = await pair();
  const clients = [a, b].map((broker) => broker.client().subscribe('$share/g/t'));
  const all = [a, b].map((broker) => broker.client().subscribe('t').subscribe('#'));
  const both = b.client().subscribe('t').subscribe('$share/h/t');
  await known(a, b);
  await members(a, 't', 2);
  const expected = publishMany(a, 't', 600);
  await dealt(clients, expected);
  for (const client of all) await dealt([client], expected);
  await dealt([both], [...expected, ...expected]);
  assert.deepEqual(shares(clients), [300, 300]);
});

test('every group whose filter matches gets each message once, wherever its members are', async () => {
  const [a, b] = await pair();
  const groups = ['$share/g/t/#', '$share/h/t/#', '$share/g/+/x', '$share/g/t/x', '$share/g/#'];
  const clients = groups.map((filter) => [a, b, b].map((broker) => broker.client().subscribe(filter)));
  const onlyHere = a.client().subscribe('$share/here/t/x');
  const onlyThere = b.client().subscribe('$share/there/t/x');
  await known(a, b);
  for (const filter of ['t/#', '+/x', 't/x', '#']) await members(a, filter, 3);
  const expected = publishMany(a, 't/x', 300);
  for (const list of clients) {
    await dealt(list, expected);
    assert.deepEqual(shares(list), [100, 100, 100]);
  }
  await dealt([onlyHere], expected);
  await dealt([onlyThere], expected);
});

test('QoS, RETAIN, expiry and MQTT 5 properties reach a member at the other broker unchanged', async () => {
  const [a, b] = await pair();
  const properties: MessageProperties = {
    payloadFormatIndicator: 1,
    contentType: 'text/plain',
    responseTopic: 're/ply',
    correlationData: Buffer.from([0, 255]),
    userProperties: [
      ['b', '1'],
      ['a', '2'],
      ['b', '3'],
    ],
  };
  const far = b.client().subscribe('$share/g/#');
  await known(b);
  for (const [qos, retain, with5] of [
    [0, false, null],
    [1, true, null],
    [2, false, properties],
    [2, true, null],
    [2, true, properties],
  ] as const)
    a.client().publish('t', 'x', qos, retain, with5);
  await until(() => far.received.length === 5, 'all');
  assert.deepEqual(
    far.received.map(({ qos, retain, properties: got }) => [qos, retain, got]),
    [
      [0, false, null],
      [1, true, null],
      [2, false, properties],
      [2, true, null],
      [2, true, properties],
    ],
  );
  const long = `${'😀'.repeat(16_000)}/x`; // longer than a destination may be: its name is a property
  a.client().publish(long, 'long', 1, false, properties);
  await until(() => far.received.length === 6, 'the long one');
  assert.deepEqual([far.received[5]!.topic, far.received[5]!.properties], [long, properties]);
});

test('members elsewhere that are behind or away are passed over, and found again', async () => {
  const [a, b] = await pair();
  const near = a.client().subscribe('$share/g/t');
  const far = [b, b].map((broker) => broker.client().subscribe('$share/g/t'));
  await known(a, b);
  await members(a, 't', 3);
  await dealt([near, ...far], publishMany(a, 't', 30, 'first'));
  const taken = (): number => near.received.length;

  far[0]!.is(AWAY, '$share/g/t');
  await members(a, 't', 2);
  let before = taken();
  publishMany(a, 't', 30, 'one away');
  await until(() => total([near, ...far]) === 60, 'dealt');
  assert.equal(taken() - before, 15);
  assert.equal(far[0]!.received.length, 10);

  far[1]!.is(BEHIND, '$share/g/t');
  publishMany(b, 't', 1, 'finds out'); // goes to a, who is ready
  await until(() => total([near, ...far]) === 61, 'dealt');
  before = taken();
  const dealtFar = far[1]!.received.length;
  await until(() => {
    publishMany(a, 't', 4, 'behind');
    const isPassedOver = far[1]!.received.length === dealtFar;
    return isPassedOver || taken() > before + 1_000;
  }, 'passed over');

  far[1]!.is(READY, '$share/g/t'); // nobody is told; it is looked
  const back = far[1]!.received.length;
  await until(() => {
    publishMany(a, 't', 4, 'ready again');
    return far[1]!.received.length > back;
  }, 'found again');
});

test('when all are away or behind, members of the publishing broker are preferred to those as badly off elsewhere', async () => {
  const [a, b] = await pair();
  const near = a.client().subscribe('$share/g/t');
  const far = b.client().subscribe('$share/g/t');
  await known(a, b);
  await members(a, 't', 2);
  for (const client of [near, far]) client.is(BEHIND, '$share/g/t');
  publishMany(b, 't', 2, 'finds out');
  await until(() => a.broker.router.group('t', 'g')!.readiness === BEHIND && total([near, far]) >= 2, 'known');
  await new Promise((resolve) => setTimeout(resolve, 150)); // for the news
  const [before, there] = shares([near, far]) as [number, number];
  publishMany(a, 't', 30);
  assert.deepEqual(shares([near, far]), [before + 30, there]);
});

test('a message for a member that left meanwhile goes to another one, also back to where it came from', async () => {
  const [a, b] = await pair();
  const near = a.client().subscribe('$share/g/t');
  const far = b.client().subscribe('$share/g/t');
  await known(a, b);
  await members(a, 't', 2);
  const expected = publishMany(a, 't', 99);
  far.unsubscribe('$share/g/t'); // its half is on its way
  await dealt([near, far], expected);
  assert.equal(far.received.length, 0);
});

test('a chosen broker whose members have all gone away gives the message to one that has some there', async () => {
  const [a, b] = await pair();
  const near = a.client().subscribe('$share/g/t');
  const far = b.client().subscribe('$share/g/t');
  await known(a, b);
  await members(a, 't', 2);
  const expected = publishMany(a, 't', 99);
  far.is(AWAY, '$share/g/t');
  await dealt([near, far], expected);
  assert.equal(far.received.length, 0);
});

test('members that come and go while messages flow lose none and get none twice', async () => {
  const [a, b] = await pair();
  const clients = [a.client().subscribe('$share/g/t')];
  await known(a);
  const expected: string[] = [];
  const passing: TestClient[] = [];
  for (let round = 0; round < 200; round++) {
    const broker = round % 2 === 0 ? a : b;
    if (round % 3 === 0) passing.push(broker.client().subscribe('$share/g/t'));
    expected.push(...publishMany(a, 't', 5, `a${round}.`), ...publishMany(b, 't', 5, `b${round}.`));
    if (round % 5 === 4) {
      const leaves = passing.shift()!;
      leaves.unsubscribe('$share/g/t');
      clients.push(leaves);
    }
    if (round % 4 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await dealt([...clients, ...passing], expected);
});

for (const cut of [0, 1, 2]) {
  test(`a link that breaks while messages for a group are under way loses none and doubles none (${cut})`, async () => {
    const [a, b] = await pair();
    const clients = [a, b].map((broker) => broker.client().subscribe('$share/g/t'));
    await known(a, b);
    await members(a, 't', 2);
    await members(b, 't', 2);
    const expected: string[] = [];
    for (let round = 0; round < 12; round++) {
      for (const from of [a, b]) {
        const publisher = from.client();
        for (let i = 0; i < 100; i++) {
          publisher.publish('t', expected[expected.push(`${from.broker.name}${round}.${i}`) - 1]!, i % 2 === 0 ? 1 : 2);
          if (i % 25 === 24 && cut > 0) await new Promise((resolve) => setImmediate(resolve));
          if (i === 50 && (round + cut) % 3 === 0) (cut === 2 ? b : a).cutLinks();
        }
      }
      if (round % 4 === 3) await linked(a, b);
    }
    await linked(a, b);
    await dealt(clients, expected);
  });
}

test('while the link is down the members at each broker get what is published there, and no turn is wasted', async () => {
  const a = await start('a');
  const b = await TestBroker.start({ name: 'b', connectors: [staticConnector([a.port])] });
  await linked(a, b);
  const near = a.client().subscribe('$share/g/t');
  b.client().subscribe('$share/g/t');
  await known(a, b);
  await members(a, 't', 2);
  await b.kill();
  await until(() => a.network.links().length === 0, 'noticed');
  const before = near.received.length;
  publishMany(a, 't', 300);
  assert.equal(near.received.length - before, 300);
  assert.equal(a.broker.counters.dropped, 0);
});

test('what waits for a killed broker goes to the others when it is restarted', async () => {
  const a = await start('a');
  const free = await TestBroker.start();
  const { port } = free;
  await free.stop();
  const b = await TestBroker.start({ name: 'b', port, connectors: [staticConnector([a.port])] });
  await linked(a, b);
  const far = b.client().subscribe('$share/g/t');
  await known(b);
  await b.kill();
  await until(() => a.network.links().length === 0, 'noticed');
  // It may come back: nobody else is there.
  const waiting = publishMany(a, 't', 30).filter((_, i) => i % 3 !== 0);
  assert.equal(far.received.length, 0);
  const near = a.client().subscribe('$share/g/t');
  assert.equal(near.received.length, 0, 'they wait for b, which is known for a while');
  const again = await TestBroker.start({ name: 'b', port, connectors: [staticConnector([a.port])] });
  running.push(again);
  await linked(a, again);
  await dealt([near], waiting);
});

test('a broker that stops hands on what it was given and has not delivered', async () => {
  const a = await start('a');
  const b = await TestBroker.start({ name: 'b', connectors: [staticConnector([a.port])] });
  await linked(a, b);
  const near = a.client().subscribe('$share/g/t');
  const far = b.client().subscribe('$share/g/t');
  await known(a, b);
  await members(a, 't', 2);
  const expected = publishMany(a, 't', 60).filter((_, i) => i % 3 !== 0);
  await b.stop();
  await until(() => a.network.links().length === 0, 'noticed');
  const got = [...near.payloads, ...far.payloads];
  assert.deepEqual(
    expected.filter((payload) => !got.includes(payload)),
    [],
    'nothing of QoS 1 and 2 is lost',
  );
  assert.equal(new Set(got).size, got.length, 'nothing came twice');
});

test('topics that may not cross stay with the members of the publishing broker; without any there nobody gets them', async () => {
  const secret = [{ kind: 'topic' as const, physicalName: 'secret.>' }];
  const [a, b] = await pair({ excludedDestinations: secret });
  const near = a.client().subscribe('$share/g/#');
  const far = b.client().subscribe('$share/g/#').subscribe('$share/h/#');
  await known(a, b);
  await members(a, '#', 2);
  publishMany(a, 'secret/x', 30);
  assert.deepEqual(shares([near, far]), [30, 0]);
  const open = publishMany(a, 'open/x', 30);
  await until(() => total([near, far]) === 90, 'dealt');
  assert.deepEqual(shares([near, far]), [45, 45]);
  assert.deepEqual(far.received.filter(({ topic }) => topic === 'secret/x').length, 0);
  assert.equal(new Set([...near.payloads, ...far.payloads]).size, open.length, 'names repeat by topic only');
});

test('over a one-way link only the broker that forwards deals to both', async () => {
  const a = await start('a');
  const b = await start('b', [a], { duplex: false }); // b to a
  const [atA, atB] = [a, b].map((broker) => broker.client().subscribe('$share/g/t')) as [TestClient, TestClient];
  await known(a, b);
  await members(b, 't', 2);
  const expected = publishMany(b, 't', 60);
  await dealt([atA, atB], expected);
  assert.deepEqual(shares([atA, atB]), [30, 30]);
  publishMany(a, 't', 60);
  assert.deepEqual(shares([atA, atB]), [90, 30]);
});

test('what crosses a static bridge is dealt at both ends, since the bridge asks nobody', async () => {
  const always = [{ kind: 'topic' as const, physicalName: 'always.>' }];
  const a = await start('a');
  const b = await start('b', [a], { staticallyIncludedDestinations: always, staticBridge: true });
  const clients = [a, b].map((broker) => broker.client().subscribe('$share/g/always/x'));
  await known(a, b);
  const expected = publishMany(b, 'always/x', 30);
  await dealt(clients, [...expected, ...expected]);
});

/** Three brokers in a row: a, b, c. */
async function row(settings: Partial<LinkSettings>): Promise<[TestBroker, TestBroker, TestBroker]> {
  const b = await start('b');
  return [await start('a', [b], settings), b, await start('c', [b], settings)];
}

/** Three brokers, each linked with each. */
async function ring(settings: Partial<LinkSettings>): Promise<[TestBroker, TestBroker, TestBroker]> {
  const a = await start('a');
  const b = await start('b', [a], settings);
  return [a, b, await start('c', [a, b], settings)];
}

for (const ttl of [1, 2, -1]) {
  test(`in a ring of three each message goes to one member of the network, in proportion, with networkTTL ${ttl}`, async () => {
    const brokers = await ring({ messageTTL: ttl, consumerTTL: ttl });
    const [a, b, c] = brokers;
    const clients = [a, b, b, c, c, c].map((broker) => broker.client().subscribe('$share/g/t'));
    const all = brokers.map((broker) => broker.client().subscribe('t'));
    await known(...brokers);
    for (const broker of brokers) await members(broker, 't', 6);
    const expected = brokers.flatMap((broker) => publishMany(broker, 't', 600));
    await dealt(clients, expected);
    for (const client of all) await dealt([client], expected);
    assert.deepEqual(shares(clients), [300, 300, 300, 300, 300, 300]);
  });
}

test('in a row of three with networkTTL 2 the far end takes its turns, over the broker in the middle', async () => {
  const brokers = await row({ messageTTL: 2, consumerTTL: 2 });
  const [a, b, c] = brokers;
  const clients = [a, c, c].map((broker) => broker.client().subscribe('$share/g/t'));
  await known(...brokers);
  for (const broker of brokers) await members(broker, 't', 3);
  const expected = [...publishMany(a, 't', 300), ...publishMany(b, 't', 300)];
  await dealt(clients, expected);
  assert.deepEqual(shares(clients), [200, 200, 200]);
});

test('in a row of three with networkTTL 1 a broker deals to itself and its neighbours', async () => {
  const brokers = await row({ messageTTL: 1, consumerTTL: 1 });
  const [a, b, c] = brokers;
  const clients = [a, b, c].map((broker) => broker.client().subscribe('$share/g/t'));
  await known(...brokers);
  for (const [broker, count] of [
    [a, 2],
    [b, 3],
    [c, 2],
  ] as const)
    await members(broker, 't', count);
  await dealt(clients, publishMany(a, 't', 60));
  assert.deepEqual(shares(clients), [30, 30, 0]);
});

test('messageTTL may be less than consumerTTL: members too far for a message are not chosen for it', async () => {
  const brokers = await row({ messageTTL: 1, consumerTTL: 2 });
  const [a, b, c] = brokers;
  const clients = [a, c].map((broker) => broker.client().subscribe('$share/g/t'));
  await known(...brokers);
  await members(a, 't', 2);
  await dealt(clients, publishMany(a, 't', 60));
  assert.deepEqual(shares(clients), [60, 0]);
  await dealt(clients, [...clients[0]!.payloads, ...publishMany(b, 't', 60)]);
  assert.deepEqual(shares(clients), [90, 30]);
});

test('the broker in the middle chooses anew when the way on has gone', async () => {
  const b = await start('b');
  const settings = { messageTTL: 2, consumerTTL: 2 };
  const a = await start('a', [b], settings);
  const c = await TestBroker.start({ name: 'c', connectors: [staticConnector([b.port], settings)] });
  await linked(b, c);
  const atB = b.client().subscribe('$share/g/t');
  c.client().subscribe('$share/g/t');
  await known(a, b, c);
  await members(a, 't', 2);
  await c.kill();
  await until(() => b.link(c) === undefined, 'noticed by b, and a is not told');
  await dealt([atB], publishMany(a, 't', 60));
});

test('a broker of ours of an earlier version, which knows no groups, is served as before: a copy for it and one for ours', async () => {
  const a = await start('a');
  const near = a.client().subscribe('$share/g/t');
  const peer = await OpenWirePeer.dial(a.port);
  peer.offer({ roundhouse: true, linkVersion: 1 });
  peer.introduce('ID:old');
  peer.write(begin());
  await peer.command<PlainMessage>(PLAIN_MESSAGE, (advisory) => consumerNews(advisory, false)?.filters[0] === 't');
  // Its own group, which it tells of as it would of any consumer.
  const advisories = new Advisories('ID:old', 'ID:old', 'old', '');
  const told = (group: Advert['group']): Buffer =>
    encodeAdvisory(advisories.gained({ number: 1, filter: 't', brokerPath: [], group, isDurable: false }));
  peer.write(told({ name: 'g', members: 5, readiness: READY, isDurable: false }));
  await until(() => a.broker.router.match('t').direct.length === 1, 'an ordinary subscriber');
  const expected = publishMany(a, 't', 30);
  await dealt([near], expected);
  await until(() => a.network.links()[0]!.counters.sent === 30, 'sent to it as well');
  // What it publishes is dealt here.
  const form = new PublicationForm('ID:old', 'ID:old', Date.now);
  peer.write(form.encode(Message.of('t', Buffer.from('from afar'), 1)).buffer);
  // It could not say that a message is for one group alone.
  peer.write(form.encodeFor(new GroupAddress('other', 't', a.id, []), Message.of('t', Buffer.from('for all'), 1), null).buffer);
  await until(() => near.received.length === 32, 'both');
  assert.deepEqual(near.payloads.slice(30), ['from afar', 'for all']);
  peer.destroy();
});

test('what has not been sent when a link is lost goes to members in reach at once', async () => {
  const a = await start('a');
  const b = await TestBroker.start({ name: 'b', connectors: [staticConnector([a.port])] });
  await linked(a, b);
  const far = b.client().subscribe('$share/g/t');
  await known(b);
  // More than a link takes at a time: some of it is still in the outbox when the link is gone.
  const expected = Array.from({ length: 24 }, (_, i) => `${i}:${'x'.repeat(1_000_000)}`);
  const publisher = a.client();
  expected.forEach((payload, i) => {
    publisher.publish('t', payload, (1 + (i % 2)) as QoS);
  });
  const near = a.client().subscribe('$share/g/t');
  assert.equal(near.received.length, 0);
  const waiting = a.link(b)!.outboxMessages;
  assert.ok(waiting > 0);
  await b.kill();
  await until(() => a.network.links().length === 0, 'noticed');
  const atNear = near.payloads.map((payload) => payload.split(':')[0]);
  assert.ok(atNear.length > 0, 'some had not been sent');
  assert.deepEqual(
    far.payloads.map((payload) => payload.split(':')[0]).filter((payload) => atNear.includes(payload)),
    [],
    'none twice',
  );
  assert.equal(atNear[atNear.length - 1], '23', 'the last one was waiting');
});
