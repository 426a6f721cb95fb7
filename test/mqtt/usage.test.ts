import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { DestinationPolicies, NO_POLICY } from '../../src/core/destination-policies.ts';
import type { UsageLimits } from '../../src/core/usage.ts';
import type { Facts, Log } from '../../src/telemetry/log.ts';
import { startBroker, type TestBroker, type TestBrokerOptions } from '../harness/mqtt-broker.ts';
import { PINGREQ, PINGRESP } from '../harness/mqtt-bytes.ts';
import type { MqttPeer } from '../harness/mqtt-peer.ts';

const KB = 1024;

/** What the tests publish: with what a message costs beside its bytes, some fifty fill the memory. */
const PAYLOAD_BYTES = 4 * KB;
const MEMORY_BYTES = 256 * KB;

class Lines implements Log {
  readonly warnings: { readonly message: string; readonly facts: Facts }[] = [];
  debug(): void {}
  info(): void {}
  error(message: string): void {
    throw new Error(message);
  }
  warn(message: string, facts: Facts = {}): void {
    this.warnings.push({ message, facts });
  }
  child(): Log {
    return this;
  }
}

async function limited(t: TestContext, usage: Partial<UsageLimits> = {}, options: TestBrokerOptions = {}): Promise<TestBroker> {
  // One message at a time is under way to a subscriber: the others wait.
  const broker = await startBroker(t, { ...options, limits: { inflightMessages: 1, ...options.limits } });
  broker.broker.usage.limits = {
    memoryBytes: MEMORY_BYTES,
    storeBytes: Number.POSITIVE_INFINITY,
    tempBytes: Number.POSITIVE_INFINITY,
    sendFailIfNoSpace: false,
    sendFailIfNoSpaceAfterTimeoutMs: 0,
    ...usage,
  };
  return broker;
}

function payload(number: number): Buffer {
  return Buffer.alloc(PAYLOAD_BYTES, `${number} `);
}

/** Publishes one after the other until one is not answered. @returns how many are acknowledged; the next one waits */
async function fill(broker: TestBroker, publisher: MqttPeer, topic = 'full'): Promise<number> {
  for (let number = 1; ; number++) {
    publisher.send(publisher.packets.publish({ topic, qos: 1, id: number, payload: payload(number) }));
    await broker.until(() => publisher.receivedBytes > 0 || broker.broker.usage.waiting > 0, 'an answer, or that there is none');
    if (publisher.receivedBytes === 0) return number - 1;
    await publisher.expectAcknowledgement(0x40, number);
  }
}

/** Takes and acknowledges what comes, and sees that it is what was published, in order. */
async function takeAll(subscriber: MqttPeer, from: number, through: number, firstId = from): Promise<void> {
  for (let number = from; number <= through; number++) {
    const id = firstId + number - from;
    await subscriber.expect(subscriber.packets.publish({ topic: 'full', qos: 1, id, payload: payload(number) }));
    subscriber.send(subscriber.packets.puback(id));
  }
}

for (const level of [4, 5] as const) {
  test(`memory is full: what is published (level ${level}) waits, without PUBACK, until a subscriber makes room, and all arrives in order`, async (t) => {
    const lines = new Lines();
    const broker = await limited(t, {}, { log: lines });
    const subscriber = await broker.client(4, { clientId: 'slow' });
    await subscriber.subscribe({ full: 1 });
    const publisher = await broker.client(level, { clientId: 'publisher' });
    const acknowledged = await fill(broker, publisher);
    assert.ok(acknowledged > 40 && acknowledged < 70, `${acknowledged} messages fill the memory`);
    assert.equal(broker.broker.usage.memory.percent >= 100, true);

    const after = acknowledged + 2;
    publisher.send(publisher.packets.publish({ topic: 'full', qos: 1, id: after, payload: payload(after) }), PINGREQ);
    await publisher.expect(PINGRESP);
    const { message, facts } = lines.warnings[0]!;
    assert.equal(message, 'publishers wait: a limit of systemUsage is reached');
    assert.deepEqual(
      { limit: facts.limit, limitBytes: facts.limitBytes, topic: facts.topic, clientId: facts.clientId, waiting: facts.waiting },
      { limit: 'memoryUsage', limitBytes: MEMORY_BYTES, topic: 'full', clientId: 'publisher', waiting: 1 },
    );

    await takeAll(subscriber, 1, after);
    await publisher.expectAcknowledgement(0x40, acknowledged + 1);
    await publisher.expectAcknowledgement(0x40, after);
    await publisher.publish({ topic: 'full', qos: 1, id: 1, payload: payload(after + 1) });
    await takeAll(subscriber, after + 1, after + 1);
    await broker.until(() => broker.broker.usage.memory.bytes === 0, 'nothing to be kept any more');
    assert.equal(lines.warnings.length, 1, 'it is said once');
    assert.equal(broker.broker.counters.refusedBy.memoryUsage, 1);
  });
}

test('memory is full: a policy lets publishers of its topics go on, refuses those of others, and makes others wait', async (t) => {
  const policies = new DestinationPolicies(
    [
      ['goes/on', { ...NO_POLICY, producerFlowControl: false }],
      ['refused', { ...NO_POLICY, sendFailIfNoSpace: true }],
      ['waits', { ...NO_POLICY, sendFailIfNoSpace: false }],
    ],
    null,
  );
  const broker = await limited(t, { sendFailIfNoSpace: true }, { policies });
  const subscriber = await broker.client(4, { clientId: 'slow' });
  await subscriber.subscribe({ '#': 1 });
  const publisher = await broker.client(5, { clientId: 'publisher' });
  const acknowledged = await fill(broker, publisher, 'waits');
  const other = await broker.client(5, { clientId: 'other' });
  for (let i = 0; i < 20; i++) await other.publish({ topic: 'goes/on', qos: 1, payload: payload(i) });
  assert.equal(broker.broker.sessions.get('slow')!.queued, acknowledged - 1 + 20);
  other.send(other.packets.publish({ topic: 'refused', qos: 1, id: 9, payload: payload(0) }));
  const { header, body } = await other.packet();
  assert.deepEqual([header, body.readUInt16BE(0), body[2]], [0x40, 9, 0x97]);
});

test('memory is full: what needs none of it goes on, with and without subscribers', async (t) => {
  const broker = await limited(t);
  await (await broker.client(4, { clientId: 'slow' })).subscribe({ full: 1 });
  await fill(broker, await broker.client(4, { clientId: 'waits' }));

  const publisher = await broker.client(4, { clientId: 'goes on' });
  const reader = await broker.client(4, { clientId: 'reader' });
  await reader.subscribe({ read: 1 });
  await publisher.publish({ topic: 'nobody', qos: 0 });
  await publisher.publish({ topic: 'nobody', qos: 1 });
  await publisher.publish({ topic: 'nobody', qos: 2 });
  for (const id of [1, 2]) {
    await publisher.publish({ topic: 'read', qos: 1, id, payload: 'x' });
    await reader.expect(reader.packets.publish({ topic: 'read', qos: 1, id, payload: 'x' }));
    reader.send(reader.packets.puback(id));
    await reader.expectNothing();
  }
  await publisher.publish({ topic: 'full', qos: 0, payload: 'to somebody who reads what is sent' });
  assert.equal(broker.broker.usage.waiting, 1);
});

test('memory is full: a retained message waits, its removal does not', async (t) => {
  const broker = await limited(t);
  const publisher = await broker.client(4, { clientId: 'publisher' });
  let kept = 0;
  while (!broker.broker.usage.memory.isFull) {
    await publisher.publish({ topic: `kept/${++kept}`, qos: 1, retain: true, payload: payload(kept) });
  }
  publisher.send(publisher.packets.publish({ topic: 'kept/one more', qos: 1, id: 7, retain: true, payload: 'x' }));
  await broker.until(() => broker.broker.usage.waiting === 1, 'it to wait');

  const other = await broker.client(4, { clientId: 'other' });
  await other.publish({ topic: 'kept/1', qos: 1, retain: true, payload: '' });
  await publisher.expectAcknowledgement(0x40, 7);
  assert.equal(broker.broker.retained.has('kept/one more'), true);
});

test('many publishers wait with more than the memory limit, and what waits keeps nobody waiting: when a subscriber makes room, all goes on', async (t) => {
  const broker = await limited(t);
  const subscriber = await broker.client(4, { clientId: 'slow' });
  await subscriber.subscribe({ full: 1 });
  const acknowledged = await fill(broker, await broker.client(4, { clientId: 'fills' }));
  const { bytes } = broker.broker.usage.memory;
  const [publishers, each] = [40, 8];
  const waiting = await Promise.all(Array.from({ length: publishers }, (_, i) => broker.client(4, { clientId: `p${i}` })));
  for (const publisher of waiting) {
    const packets = Array.from({ length: each }, (_, i) =>
      publisher.packets.publish({ topic: 'full', qos: 1, id: i + 1, payload: payload(i) }),
    );
    publisher.send(...packets);
  }
  await broker.until(() => broker.broker.usage.parkedBytes > 2 * MEMORY_BYTES, 'twice the limit to wait');
  assert.equal(broker.broker.usage.memory.bytes, bytes, 'it does not count against the limit that it waits for');

  for (let left = acknowledged + 1 + publishers * each; left > 0; left--) {
    const { body } = await subscriber.packet();
    subscriber.send(subscriber.packets.puback(body.readUInt16BE(2 + 'full'.length)));
  }
  for (const publisher of waiting) for (let id = 1; id <= each; id++) await publisher.expectAcknowledgement(0x40, id);
  await broker.until(() => broker.broker.usage.memory.bytes === 0, 'nothing to be kept any more');
  assert.deepEqual([broker.broker.usage.waiting, broker.broker.usage.parkedBytes], [0, 0]);
});

test('memory is full and very much waits: who waits and is a subscriber, too, is read on, and so its acknowledgements', async (t) => {
  const broker = await limited(t);
  await (await broker.client(4, { clientId: 'slow' })).subscribe({ full: 1 });
  const fills = await broker.client(4, { clientId: 'fills' });
  const last = await fill(broker, fills);
  for (let id = last + 2; !broker.broker.usage.isParkFull; id++) {
    fills.send(fills.packets.publish({ topic: 'full', qos: 1, id, payload: payload(id) }));
    await broker.until(() => broker.broker.usage.parkedBytes > (id - last - 1) * PAYLOAD_BYTES, 'it to wait');
  }
  const both = await broker.client(4, { clientId: 'both' });
  await both.subscribe({ read: 1 });
  both.send(both.packets.publish({ topic: 'full', qos: 1, id: 1 }));
  await broker.until(() => broker.broker.usage.waiting === 2, 'it to wait');
  const publisher = await broker.client(4, { clientId: 'publisher' });
  for (const id of [1, 2, 3]) {
    await publisher.publish({ topic: 'read', qos: 1, id, payload: 'x' });
    await both.expect(both.packets.publish({ topic: 'read', qos: 1, id, payload: 'x' }));
    both.send(both.packets.puback(id), PINGREQ);
    await both.expect(PINGRESP);
  }
});

test('memory stays full: who waits goes on as soon as its subscribers can take its messages at once', async (t) => {
  const broker = await limited(t);
  const subscriber = await broker.client(4, { clientId: 'slow' });
  await subscriber.subscribe({ full: 1 });
  const publisher = await broker.client(4, { clientId: 'publisher' });
  for (let kept = 1; !broker.broker.usage.memory.isFull; kept++) {
    await publisher.publish({ topic: `kept/${kept}`, qos: 1, retain: true, payload: payload(kept) });
  }
  for (const id of [1, 2, 3]) publisher.send(publisher.packets.publish({ topic: 'full', qos: 1, id, payload: payload(id) }));
  await publisher.expectAcknowledgement(0x40, 1);
  await broker.until(() => broker.broker.usage.waiting === 1, 'the second to wait: the first is under way');
  await takeAll(subscriber, 1, 3);
  for (const id of [2, 3]) await publisher.expectAcknowledgement(0x40, id);
  assert.deepEqual([broker.broker.usage.memory.isFull, broker.broker.usage.waiting], [true, 0]);
  assert.equal(broker.broker.counters.refusedBy.memoryUsage, 1, 'a try is no new wait');
});

test('memory is full: a client that waits is still heeded as a subscriber, so that it can make room itself', async (t) => {
  const broker = await limited(t);
  const both = await broker.client(4, { clientId: 'both' });
  await both.subscribe({ full: 1 });
  // It publishes and does not acknowledge what it gets: one message is under way, the others wait for it.
  let acknowledged = 0;
  const own: number[] = [];
  const next = async (): Promise<void> => {
    const { header, body } = await both.packet();
    if (header === 0x40) acknowledged++;
    else own.push(body.readUInt16BE(2 + 'full'.length));
  };
  for (let number = 1; broker.broker.usage.waiting === 0; number++) {
    both.send(both.packets.publish({ topic: 'full', qos: 1, id: number, payload: payload(number) }), PINGREQ);
    for (let pinged = false; !pinged; ) {
      const { header, body } = await both.packet();
      if (header === 0xd0) pinged = true;
      else if (header === 0x40) acknowledged++;
      else own.push(body.readUInt16BE(2 + 'full'.length));
    }
  }
  const published = acknowledged + 1;
  while (own.length < published || acknowledged < published) {
    const id = own.at(-1)!;
    both.send(both.packets.puback(id));
    const had = own.length;
    while (own.length === had && (own.length < published || acknowledged < published)) await next();
  }
  assert.deepEqual(
    own,
    Array.from({ length: published }, (_, i) => i + 1),
  );
});

test('sendFailIfNoSpace: MQTT 5 publishers are refused with 0x97 at QoS 1 and 2, and QoS 0 is dropped and counted', async (t) => {
  const broker = await limited(t, { sendFailIfNoSpace: true });
  const subscriber = await broker.client(4, { clientId: 'slow' });
  await subscriber.subscribe({ full: 2 });
  const publisher = await broker.client(5, { clientId: 'publisher' });
  let accepted = 0;
  for (;;) {
    publisher.send(publisher.packets.publish({ topic: 'full', qos: 1, id: 9, payload: payload(accepted + 1) }));
    const { header, body } = await publisher.packet();
    assert.equal(header, 0x40);
    if (body[2] === 0x97) break;
    accepted++;
  }
  publisher.send(publisher.packets.publish({ topic: 'full', qos: 2, id: 10, payload: 'x' }));
  const { header, body } = await publisher.packet();
  assert.deepEqual([header, body.readUInt16BE(0), body[2]], [0x50, 10, 0x97]);
  await publisher.publish({ topic: 'kept', qos: 0, retain: true, payload: 'x' });
  assert.equal(broker.broker.counters.droppedBy.noSpace, 1);
  assert.equal(broker.broker.retained.has('kept'), false);

  await takeAll(subscriber, 1, accepted);
  await broker.until(() => broker.broker.usage.memory.bytes === 0, 'the memory to be free');
  await publisher.publish({ topic: 'full', qos: 2, id: 10, payload: payload(accepted + 1) });
  await subscriber.expect(subscriber.packets.publish({ topic: 'full', qos: 2, id: accepted + 1, payload: payload(accepted + 1) }));
});

test('sendFailIfNoSpace: a publisher before MQTT 5 cannot be told and waits', async (t) => {
  const broker = await limited(t, { sendFailIfNoSpace: true });
  const subscriber = await broker.client(4, { clientId: 'slow' });
  await subscriber.subscribe({ full: 1 });
  const publisher = await broker.client(4, { clientId: 'publisher' });
  const acknowledged = await fill(broker, publisher);
  await takeAll(subscriber, 1, acknowledged + 1);
  await publisher.expectAcknowledgement(0x40, acknowledged + 1);
});

test('sendFailIfNoSpaceAfterTimeout: who has waited so long is refused with 0x97, or disconnected before MQTT 5', async (t) => {
  const broker = await limited(t, { sendFailIfNoSpaceAfterTimeoutMs: 5_000 }, { fakeClock: true });
  await (await broker.client(4, { clientId: 'slow' })).subscribe({ full: 1 });
  const [old, modern] = [await broker.client(4, { clientId: 'old' }), await broker.client(5, { clientId: 'modern' })];
  await fill(broker, old);
  modern.send(modern.packets.publish({ topic: 'full', qos: 1, id: 1 }), modern.packets.publish({ topic: 'full', qos: 1, id: 2 }));
  await broker.until(() => broker.broker.usage.waiting === 2, 'both to wait');
  broker.pass(5_200);
  for (const id of [1, 2]) {
    const { header, body } = await modern.packet();
    assert.deepEqual([header, body.readUInt16BE(0), body[2]], [0x40, id, 0x97]);
  }
  await modern.expectNothing();
  await old.expectClose();
  assert.equal(broker.broker.usage.waiting, 0);
});

for (const level of [4, 5] as const) {
  test(`beyond parkedBytes nothing is read from a publisher (level ${level}) and its keep alive stands still; after publisherWaitMs it is let go`, async (t) => {
    const limits = { parkedBytes: 16 * KB, publisherWaitMs: 60_000 };
    const broker = await limited(t, {}, { fakeClock: true, limits });
    await (await broker.client(4, { clientId: 'slow' })).subscribe({ full: 1 });
    await fill(broker, await broker.client(4, { clientId: 'fills' }));
    const publisher = await broker.client(level, { clientId: 'publisher', keepAlive: 10 });
    for (let id = 1; id <= 20; id++) publisher.send(publisher.packets.publish({ topic: 'full', qos: 1, id, payload: payload(id) }));
    await broker.until(() => broker.broker.usage.waiting === 2, 'it to wait');
    await publisher.sent(PINGREQ);
    broker.pass(16_000);
    broker.pass(16_000);
    assert.equal(publisher.closed, false);
    assert.equal(publisher.receivedBytes, 0);
    assert.equal(broker.broker.sessions.get('publisher')!.connected, true);
    broker.pass(30_000);
    await publisher.expectEnd(0x97);
    await broker.until(() => broker.broker.usage.parkedBytes === 0, 'what waited to be forgotten');
    assert.ok(broker.broker.counters.refusedBy.publisherWaitMs >= 1);
  });
}

test('a publisher that goes while it waits is forgotten, and its will is published', async (t) => {
  const broker = await limited(t);
  await (await broker.client(4, { clientId: 'slow' })).subscribe({ full: 1 });
  await fill(broker, await broker.client(4, { clientId: 'fills' }));
  const watcher = await broker.client(4, { clientId: 'watcher' });
  await watcher.subscribe({ gone: 0 });
  const before = broker.broker.usage.parkedBytes;
  const publisher = await broker.client(4, { clientId: 'goes', will: { topic: 'gone', payload: 'it is' } });
  publisher.send(publisher.packets.publish({ topic: 'full', qos: 1, id: 1 }), publisher.packets.publish({ topic: 'full', qos: 0 }));
  await broker.until(() => broker.broker.usage.waiting === 2, 'it to wait');
  await publisher.destroy();
  await watcher.expect(watcher.packets.publish({ topic: 'gone', payload: 'it is' }));
  assert.equal(broker.broker.usage.waiting, 1);
  assert.equal(broker.broker.usage.parkedBytes, before);
  assert.equal(broker.broker.counters.droppedBy.noSpace, 1, 'the QoS 0 one; of the other the client knows that it is not published');
});

test('a message that many sessions wait for counts once, and all that ends with its sessions counts no more', async (t) => {
  const broker = await limited(t);
  const subscribers = await Promise.all(Array.from({ length: 20 }, (_, i) => broker.client(4, { clientId: `s${i}`, clean: i % 2 === 0 })));
  for (const subscriber of subscribers) await subscriber.subscribe({ full: 1, '$share/g/full': 1 });
  const publisher = await broker.client(4, { clientId: 'publisher' });
  for (let id = 1; id <= 4; id++) await publisher.publish({ topic: 'full', qos: 1, id, payload: payload(id) });
  assert.ok(broker.broker.usage.memory.bytes < 4 * (PAYLOAD_BYTES + 8 * KB), `${broker.broker.usage.memory.bytes} bytes`);
  for (const subscriber of subscribers) await subscriber.destroy();
  for (let i = 0; i < subscribers.length; i++) {
    await broker.disconnected(`s${i}`);
    broker.broker.sessions.get(`s${i}`)?.discard();
  }
  assert.equal(broker.broker.usage.memory.bytes, 0);
});

test('a publisher that has to wait is told of where the policy asks for it, once, with the limit', async (t) => {
  const rule = {
    forDelivery: false,
    forConsumed: false,
    includeBody: false,
    forDiscardingMessages: false,
    forSlowConsumers: false,
    forFastProducers: true,
    whenFull: true,
    ifNoConsumers: false,
  };
  const policies = new DestinationPolicies([['#', { ...NO_POLICY, advisories: rule }]], null);
  const broker = await limited(t, {}, { policies });
  const watcher = await broker.client(4, { clientId: 'watcher' });
  await watcher.subscribe({ 'ActiveMQ/Advisory/#': 0 });
  const subscriber = await broker.client(4, { clientId: 'slow' });
  await subscriber.subscribe({ full: 1 });
  const publisher = await broker.client(4, { clientId: 'publisher' });
  const acknowledged = await fill(broker, publisher);
  const full = (await watcher.packet()).body.toString();
  assert.match(full, /ActiveMQ\/Advisory\/FULL\/Topic\/full\{.*"usageName":"memoryUsage","usageCount":\d+\}$/);
  const fast = (await watcher.packet()).body.toString();
  assert.match(fast, /ActiveMQ\/Advisory\/FastProducer\/Topic\/full\{.*"producerId":"publisher","orignalDestination":"full"\}$/);
  publisher.send(publisher.packets.publish({ topic: 'full', qos: 1, id: acknowledged + 2 }));
  await publisher.expectNothing();
  await watcher.expectNothing();
});

test('a message that is kept until it is acknowledged, since somebody wants to know of that, counts until then, be it retained or new', async (t) => {
  const rule = {
    forDelivery: false,
    forConsumed: true,
    includeBody: false,
    forDiscardingMessages: false,
    forSlowConsumers: false,
    forFastProducers: false,
    whenFull: false,
    ifNoConsumers: false,
  };
  const policies = new DestinationPolicies([['#', { ...NO_POLICY, advisories: rule }]], null);
  const broker = await limited(t, {}, { policies });
  const { memory } = broker.broker.usage;
  const publisher = await broker.client(4, { clientId: 'publisher' });
  await publisher.publish({ topic: 'kept', qos: 1, id: 1, retain: true, payload: 'old' });
  const before = memory.bytes;
  const reader = await broker.client(4, { clientId: 'reader' });
  await reader.subscribe({ kept: 1 });
  for (const retain of [true, false]) {
    if (!retain) await publisher.publish({ topic: 'kept', qos: 1, id: 2, payload: 'new' });
    const { body } = await reader.packet();
    assert.ok(memory.bytes > before);
    reader.send(reader.packets.puback(body.readUInt16BE(2 + 'kept'.length)));
    await broker.until(() => memory.bytes === before, 'it to count no more');
  }
});
