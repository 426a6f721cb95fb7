import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { encodeCommand } from '../../src/cluster/network/cluster-command.ts';
import { Message, type MessageProperties } from '../../src/core/message.ts';
import { linked, staticConnector, TestBroker, until } from '../harness/linked-broker.ts';
import { begin, OpenWirePeer } from '../harness/openwire-peer.ts';

const running: TestBroker[] = [];

async function start(options: Parameters<typeof TestBroker.start>[0] = {}): Promise<TestBroker> {
  const broker = await TestBroker.start(options);
  running.push(broker);
  return broker;
}

afterEach(async () => {
  for (const broker of running.splice(0)) await broker.stop();
});

/** What is retained for a topic, as text; null for nothing. */
function kept(broker: TestBroker, topic: string): string | null {
  return broker.broker.retained.get(topic)?.payload.toString() ?? null;
}

function retain(broker: TestBroker, topic: string, payload: string): void {
  broker.client().publish(topic, payload, 1, true);
}

async function pair(): Promise<[TestBroker, TestBroker]> {
  const a = await start({ name: 'a' });
  const b = await start({ name: 'b', connectors: [staticConnector([a.port])] });
  await linked(a, b);
  return [a, b];
}

test('retained messages reach the other broker without anybody asking for them, both ways, clears included', async () => {
  for (const [from, to] of await pair().then(
    ([a, b]) =>
      [
        [a, b],
        [b, a],
      ] as const,
  )) {
    const topic = `from/${from.broker.name}, x?`;
    retain(from, topic, 'one');
    await until(() => kept(to, topic) === 'one', 'set');
    retain(from, topic, 'two');
    await until(() => kept(to, topic) === 'two', 'replaced');
    retain(to, topic, 'three');
    await until(() => kept(from, topic) === 'three', 'replaced from the other side');
    retain(from, topic, '');
    await until(() => kept(to, topic) === null, 'cleared');
  }
});

test('everything about a retained message crosses', async () => {
  const [a, b] = await pair();
  const properties: MessageProperties = {
    payloadFormatIndicator: 1,
    contentType: 'text/plain',
    responseTopic: 'r',
    correlationData: Buffer.from([1, 0]),
    userProperties: [
      ['u', '1'],
      ['u', '2'],
    ],
  };
  const expiresAtMs = Date.now() + 3_600_000;
  const long = `long/${'ü'.repeat(32_000)}`;
  for (const topic of ['all/of/it', long]) {
    a.broker.publish(new Message(topic, 2, true, Buffer.from('p'), 0, 1, true, properties, expiresAtMs, null, null));
    await until(() => b.broker.retained.has(topic), 'there');
    const there = b.broker.retained.get(topic)!;
    assert.deepEqual([there.topic, there.qos, there.retain, there.expiresAtMs], [topic, 2, true, expiresAtMs]);
    assert.deepEqual(there.properties, properties);
    assert.deepEqual(there.retainedAt, a.broker.retained.get(topic)!.retainedAt);
  }
});

test('the last writer wins by clock and broker id, the same one on both brokers, whatever order writes cross in', async () => {
  const [a, b] = await pair();
  for (let i = 0; i < 200; i++) {
    const topic = `race/${i % 7}`;
    retain(a, topic, `a${i}`);
    retain(b, topic, i % 5 === 0 ? '' : `b${i}`);
  }
  retain(a, 'race/end', 'a');
  retain(b, 'race/fin', 'b');
  await until(() => kept(b, 'race/end') === 'a' && kept(a, 'race/fin') === 'b', 'all crossed');
  for (let i = 0; i < 7; i++) assert.equal(kept(a, `race/${i}`), kept(b, `race/${i}`), `race/${i}`);
});

test('a broker that joins later gets what is retained, and what was cleared meanwhile stays cleared', async () => {
  const a = await start({ name: 'a' });
  for (let i = 0; i < 2_000; i++) retain(a, `late/${i}`, `value ${i}`);
  const b = await start({ name: 'b' });
  retain(b, 'late/7', 'older, and in the way');
  await new Promise((resolve) => setTimeout(resolve, 5));
  retain(a, 'late/7', '');
  retain(b, 'late/only-b', 'b');
  const c = await start({ name: 'c', connectors: [staticConnector([a.port, b.port])] });
  await linked(a, c);
  await linked(b, c);
  await until(() => c.broker.retained.size === 2_000, 'c has all of both');
  await until(() => a.broker.retained.size === 2_000 && b.broker.retained.size === 2_000, 'and passed it on');
  for (const broker of [a, b, c]) {
    assert.equal(kept(broker, 'late/7'), null);
    assert.equal(kept(broker, 'late/only-b'), 'b');
    assert.equal(kept(broker, 'late/1999'), 'value 1999');
  }
});

test('a broker that was restarted gets back what it had told the others', async () => {
  const [a, b] = await pair();
  retain(a, 'restart/1', 'from a');
  await until(() => kept(b, 'restart/1') === 'from a', 'told');
  const { port } = a;
  await a.kill();
  running.splice(running.indexOf(a), 1);
  retain(b, 'restart/2', 'while away');
  const again = await start({ name: 'a', port });
  await linked(again, b);
  assert.deepEqual([kept(again, 'restart/1'), kept(again, 'restart/2')], ['from a', 'while away']);
});

test('a link that was broken for a while ends with both having the same', async () => {
  const [a, b] = await pair();
  retain(a, 'gap/1', 'before');
  retain(b, 'gap/2', 'before');
  await until(() => kept(b, 'gap/1') === 'before' && kept(a, 'gap/2') === 'before', 'told');
  b.cutLinks();
  retain(a, 'gap/1', '');
  retain(b, 'gap/2', 'meanwhile');
  retain(a, 'gap/3', 'new');
  await until(() => a.link(b)?.state !== 'up', 'noticed');
  await linked(a, b);
  for (const broker of [a, b])
    assert.deepEqual(
      [1, 2, 3].map((i) => kept(broker, `gap/${i}`)),
      [null, 'meanwhile', 'new'],
    );
});

test('a retained message is known at the other broker before the same message is delivered there', async () => {
  const [a, b] = await pair();
  const subscriber = b.client().subscribe('before/#');
  await b.network.demandKnown();
  const seen: (string | null)[] = [];
  const deliver = subscriber.deliver.bind(subscriber);
  subscriber.deliver = (message) => {
    seen.push(kept(b, message.topic));
    deliver(message);
  };
  for (let i = 0; i < 20; i++) retain(a, `before/${i % 3}`, `${i}`);
  await until(() => subscriber.received.length === 20, 'all');
  assert.deepEqual(seen, subscriber.payloads);
});

test('what a peer claims about impossible topics or with unknown words is ignored', async () => {
  const a = await start({ name: 'a', id: 'ID:a' });
  const peer = await OpenWirePeer.dial(a.port);
  peer.offer({ roundhouse: true });
  peer.introduce('ID:b');
  peer.write(begin());
  const stamp = { wallMs: Date.now(), counter: 0, brokerId: 'ID:b' };
  for (const topic of ['', 'a/#', '+', 'x'.repeat(65_536), 'good'])
    peer.write(encodeCommand({ kind: 'retained', topic, message: Message.of('x', Buffer.from('p'), 0, true), stamp, path: ['ID:b'] }));
  const unknown = encodeCommand({ kind: 'end' });
  unknown.write('x', unknown.indexOf('.v1.end') + 4); // a command of a later version
  peer.write(unknown);
  await until(() => kept(a, 'good') === 'p', 'the good one');
  assert.equal(a.broker.retained.size, 1);
  assert.equal(a.network.links().length, 1, 'the link stands');
  peer.destroy();
});
