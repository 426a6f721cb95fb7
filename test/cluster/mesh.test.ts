import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { LinkSettings } from '../../src/cluster/network/link-settings.ts';
import { linked, staticConnector, TestBroker, until } from '../harness/linked-broker.ts';

const running: TestBroker[] = [];

async function start(name: string, ports: number[], settings: Partial<LinkSettings>): Promise<TestBroker> {
  const connectors = ports.length === 0 ? [] : [staticConnector(ports, settings)];
  const broker = await TestBroker.start({ name, connectors });
  running.push(broker);
  return broker;
}

afterEach(async () => {
  for (const broker of running.splice(0)) await broker.stop();
});

/** Three brokers, each linked with each. */
async function ring(settings: Partial<LinkSettings>): Promise<[TestBroker, TestBroker, TestBroker]> {
  const a = await start('a', [], settings);
  const b = await start('b', [a.port], settings);
  const c = await start('c', [a.port, b.port], settings);
  await linked(a, b);
  await linked(a, c);
  await linked(b, c);
  return [a, b, c];
}

/** Three brokers in a row. */
async function row(settings: Partial<LinkSettings>): Promise<[TestBroker, TestBroker, TestBroker]> {
  const b = await start('b', [], settings);
  const a = await start('a', [b.port], settings);
  const c = await start('c', [b.port], settings);
  await linked(a, b);
  await linked(b, c);
  return [a, b, c];
}

for (const ttl of [1, 2, 5, -1]) {
  test(`in a ring of three every subscriber gets every message once, with networkTTL ${ttl}`, async () => {
    const brokers = await ring({ messageTTL: ttl, consumerTTL: ttl });
    const subscribers = brokers.map((broker) => broker.client().subscribe('ring/#').subscribe('ring/+'));
    for (const broker of brokers) await broker.network.demandKnown();
    const expected: string[] = [];
    for (let i = 0; i < 60; i++) {
      for (const broker of brokers) {
        expected.push(`${broker.broker.name}${i}`);
        broker.client().publish('ring/x', `${broker.broker.name}${i}`, (i % 3) as 0 | 1 | 2);
      }
    }
    await until(() => subscribers.every(({ received }) => received.length >= expected.length), 'everything is there');
    await new Promise((resolve) => setTimeout(resolve, 100)); // for copies on longer ways
    for (const { payloads } of subscribers) assert.deepEqual([...payloads].sort(), [...expected].sort());
  });
}

test('in a ring of three with a large TTL, one broker that unsubscribes is forgotten by all', async () => {
  const [a, b, c] = await ring({ messageTTL: 9, consumerTTL: 9 });
  const subscriber = a.client().subscribe('fade/1');
  await a.network.demandKnown();
  const asked = () => [b, c].map((broker) => broker.broker.router.match('fade/1').direct.length);
  await until(() => asked().every((n) => n === 2), 'each by two ways');
  subscriber.unsubscribe('fade/1');
  await until(() => asked().every((n) => n === 0), 'by none');
});

test('in a row of three a message goes as far as the TTL lets it', async () => {
  for (const [ttl, reaches] of [
    [1, false],
    [2, true],
    [-1, true],
  ] as const) {
    const [a, b, c] = await row({ messageTTL: ttl, consumerTTL: ttl });
    const far = c.client().subscribe('far/1');
    await c.network.demandKnown();
    const near = b.client().subscribe('far/1');
    await b.network.demandKnown();
    a.client().publish('far/1', 'x', 1);
    await until(() => near.received.length === 1, 'the next one');
    if (reaches) await until(() => far.received.length === 1, 'the one after it');
    else {
      b.client().publish('far/1', 'direct', 1);
      await until(() => far.received.length === 1, 'from next door');
      assert.deepEqual(far.payloads, ['direct']);
    }
    for (const broker of running.splice(0)) await broker.stop();
  }
});

test('with a TTL of 2 a subscription is known two brokers away before its SUBACK', async () => {
  const [a, , c] = await row({ messageTTL: 2, consumerTTL: 2 });
  for (let round = 0; round < 50; round++) {
    const subscriber = a.client().subscribe(`two/${round}`);
    await a.network.demandKnown();
    c.client().publish(`two/${round}`, 'x', 1);
    await until(() => subscriber.received.length === 1, `round ${round}`);
  }
});

test('a message keeps the way it took: brokers it has been at do not get it again', async () => {
  const [a, b] = await ring({ messageTTL: 9, consumerTTL: 9 });
  const subscriber = a.client().subscribe('path/1');
  await a.network.demandKnown();
  const sent = b.link(a)!.counters.sent;
  a.client().publish('path/1', 'own', 1);
  await until(() => subscriber.received.length === 1, 'its own');
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(b.link(a)!.counters.sent, sent);
  assert.deepEqual(subscriber.payloads, ['own']);
});

test('a claim and a retained message reach every broker of a row', async () => {
  const [a, , c] = await row({});
  const old = a.session('mover');
  await new Promise((resolve) => setTimeout(resolve, 5));
  c.session('mover');
  await until(() => old.takenOver, 'told over two links');
  a.client().publish('row/1', 'r', 0, true);
  await until(() => c.broker.retained.has('row/1'), 'kept two links away');
  a.client().publish('row/1', '', 0, true);
  await until(() => !c.broker.retained.has('row/1'), 'cleared two links away');
});
