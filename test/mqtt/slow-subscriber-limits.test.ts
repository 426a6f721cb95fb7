import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { DestinationPolicies, type DestinationPolicy, NO_POLICY } from '../../src/core/destination-policies.ts';
import { type Facts, type Log, silentLog } from '../../src/telemetry/log.ts';
import { startBroker, type TestBroker, type TestBrokerOptions } from '../harness/mqtt-broker.ts';
import { PINGREQ, PINGRESP } from '../harness/mqtt-bytes.ts';
import type { MqttPeer } from '../harness/mqtt-peer.ts';

const PAYLOAD_BYTES = 4_000;
/** In all 32 MB: more than a socket and what may be on its way to it hold. */
const MESSAGES = 8_000;
/** Messages that a sender has on their way before it waits for the broker. */
const BATCH = 200;

function policyOf(pendingMessageLimit: number, rest: Partial<DestinationPolicy> = {}): DestinationPolicy {
  return { ...NO_POLICY, pendingMessageLimit, ...rest };
}

function policies(...entries: readonly (readonly [string, DestinationPolicy])[]): DestinationPolicies {
  return new DestinationPolicies(entries, null);
}

interface Lines {
  readonly message: string;
  readonly facts: Facts | undefined;
}

async function start(t: TestContext, options: TestBrokerOptions) {
  const warnings: Lines[] = [];
  const infos: Lines[] = [];
  const lineIn = (lines: Lines[]) => (message: string, facts?: Facts) => lines.push({ message, facts });
  const log: Log = { ...silentLog, warn: lineIn(warnings), info: lineIn(infos) };
  const broker = await startBroker(t, { log, ...options });
  return { broker, warnings, infos, sender: await broker.client(5, { clientId: 'sender' }) };
}

/** A subscriber that has stopped to read. */
async function stalled(broker: TestBroker, filters: Record<string, number>, level: 4 | 5 = 5): Promise<MqttPeer> {
  const peer = await broker.client(level, { clientId: 'slow' });
  await peer.subscribe(filters);
  peer.stall();
  return peer;
}

/** Publishes numbers as payloads of PAYLOAD_BYTES, and returns when the broker has handed all of them on. */
async function flood(sender: MqttPeer, from: number, to: number, fields: (n: number) => { topic: string; properties?: string }) {
  for (let n = from; n < to; n++) {
    sender.send(sender.packets.publish({ payload: `${n}`.padEnd(PAYLOAD_BYTES), ...fields(n) }));
    if (n % BATCH === 0) await sender.expectNothing();
  }
  await sender.expectNothing();
}

/** Reads all there is. @returns the numbers, in their order */
async function readAll(peer: MqttPeer): Promise<number[]> {
  const numbers: number[] = [];
  peer.readOn();
  // What waits leaves as the connection drains: a ping is answered before the rest of it.
  for (let isIdle = false; !isIdle; ) {
    isIdle = true;
    peer.send(PINGREQ);
    for (let packet = await peer.packet(); !packet.whole.equals(PINGRESP); packet = await peer.packet()) {
      isIdle = false;
      numbers.push(Number(packet.body.subarray(-PAYLOAD_BYTES).toString('latin1')));
    }
  }
  return numbers;
}

const upTo = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

/** The length of what came without a gap: it was in the socket, or on its way to it. */
function unbroken(numbers: readonly number[]): number {
  let length = 0;
  while (numbers[length] === length) length++;
  return length;
}

test('a subscriber of QoS 0 that has stalled gets what its socket held, and then exactly the newest messages that its policy lets wait', async (t) => {
  const { broker, warnings, sender } = await start(t, { policies: policies(['#', policyOf(1_000)]) });
  const slow = await stalled(broker, { 'a/#': 0 }, 4);
  await flood(sender, 0, MESSAGES, () => ({ topic: 'a/b' }));
  const session = broker.broker.sessions.get('slow')!;
  assert.equal(session.queued, 1_000);
  const numbers = await readAll(slow);
  const inSocket = unbroken(numbers);
  assert.ok(inSocket < MESSAGES - 1_000, 'the flood was large enough');
  assert.deepEqual(numbers.slice(inSocket), upTo(MESSAGES - 1_000, MESSAGES));
  const discarded = MESSAGES - numbers.length;
  assert.deepEqual(broker.broker.counters.droppedBy.pendingMessageLimit, discarded);
  assert.deepEqual([broker.broker.counters.dropped, session.dropped, session.queued, session.heldBytes], [discarded, discarded, 0, 0]);
  const facts = { clientId: 'slow', filter: 'a/#', limit: 'pendingMessageLimit', destination: '>', value: 1_000 };
  assert.deepEqual(warnings, [{ message: 'messages for a client are dropped', facts }], 'said once');
  await flood(sender, MESSAGES, MESSAGES + 10, () => ({ topic: 'a/b' }));
  assert.deepEqual(await readAll(slow), upTo(MESSAGES, MESSAGES + 10), 'it goes on as if nothing had been');
});

test('what a client loses is counted for the subscription that names its topic most closely, and said when it goes', async (t) => {
  const { broker, warnings, infos, sender } = await start(t, { policies: policies(['#', policyOf(100)]) });
  const slow = await stalled(broker, { '#': 0, 'a/+': 0, b: 0, '$share/g/c': 0 });
  const topics = ['a/b', 'b', 'c', 'd'];
  await flood(sender, 0, MESSAGES, (n) => ({ topic: topics[n % 4]! }));
  const { dropped } = broker.broker.sessions.get('slow')!;
  assert.ok(dropped > 1_000, 'the flood was large enough');
  assert.equal(warnings.length, 1, 'said once, whichever subscription it was');
  await slow.destroy();
  await broker.disconnected('slow');
  const { facts = {} } = infos.find(({ message }) => message === 'a client whose messages were dropped has gone')!;
  const { dropped: said, subscriptions } = facts;
  assert.equal(said, dropped);
  const by = new Map([...String(subscriptions).matchAll(/(\S+) \((\d+)\)/g)].map(([, filter, count]) => [filter!, Number(count)]));
  assert.deepEqual([...by.keys()].sort(), ['#', '$share/g/c', 'a/+', 'b']);
  assert.equal(
    [...by.values()].reduce((sum, count) => sum + count, 0),
    dropped,
  );
});

test('a limit of 0 lets nothing wait; without a limit the bytes of a connection are the limit, and the newest stay', async (t) => {
  for (const [policy, limits] of [
    [policyOf(0), {}],
    [policyOf(Number.POSITIVE_INFINITY), { connectionQueueBytes: 4_000_000 }],
  ] as const) {
    const { broker, sender } = await start(t, { policies: policies(['#', policy]), limits });
    const slow = await stalled(broker, { a: 0 });
    await flood(sender, 0, MESSAGES, () => ({ topic: 'a' }));
    const { counters } = broker.broker;
    const waiting = broker.broker.sessions.get('slow')!.queued;
    const numbers = await readAll(slow);
    const inSocket = unbroken(numbers);
    assert.equal(numbers.length, MESSAGES - counters.dropped);
    if (policy.pendingMessageLimit === 0) {
      assert.deepEqual([waiting, numbers.length], [0, inSocket]);
      assert.equal(counters.droppedBy.pendingMessageLimit, counters.dropped);
    } else {
      assert.ok(waiting > 500 && waiting < 1_000, `${waiting} messages wait in 4 MB`);
      assert.deepEqual(numbers.slice(inSocket), upTo(MESSAGES - waiting, MESSAGES));
      assert.equal(counters.droppedBy.connectionQueueBytes, counters.dropped);
    }
  }
});

test("each topic's policy counts for itself, and what waits leaves in the order in which it was published", async (t) => {
  const few = policyOf(10, { destination: 'few' });
  const { broker, sender } = await start(t, { policies: policies(['#', policyOf(300)], ['few', few]) });
  const slow = await stalled(broker, { '#': 0 });
  await flood(sender, 0, MESSAGES, (n) => ({ topic: n % 2 === 0 ? 'few' : 'many' }));
  const numbers = await readAll(slow);
  const waited = numbers.slice(unbroken(numbers));
  const expected = [
    ...upTo(MESSAGES - 20, MESSAGES).filter((n) => n % 2 === 0),
    ...upTo(MESSAGES - 600, MESSAGES).filter((n) => n % 2 === 1),
  ];
  assert.deepEqual(
    waited,
    expected.sort((a, b) => a - b),
  );
});

test('of a unique property the newest message of each value stays, as far as the limit goes', async (t) => {
  const policy = policyOf(50, { uniqueProperty: 'device' });
  const { broker, sender } = await start(t, { policies: policies(['#', policy]) });
  const slow = await stalled(broker, { a: 0 });
  // Twenty devices, of which most say something once, right when nothing more goes into the socket, and one speaks all the time.
  const talks = (device: string) => `26 0006 'device' ${Buffer.from([0, device.length]).toString('hex')} '${device}'`;
  await flood(sender, 0, MESSAGES, () => ({ topic: 'a', properties: talks('loud') }));
  await flood(sender, MESSAGES, MESSAGES + 19, (n) => ({ topic: 'a', properties: talks(`q${n - MESSAGES}`) }));
  await flood(sender, MESSAGES + 19, MESSAGES + 2_000, () => ({ topic: 'a', properties: talks('loud') }));
  const numbers = await readAll(slow);
  const waited = numbers.slice(unbroken(numbers));
  const end = MESSAGES + 2_000;
  assert.deepEqual(waited, [...upTo(MESSAGES, MESSAGES + 19), ...upTo(end - 31, end)]);
});

test('messages of QoS 1 and 2 leave beside those of QoS 0 that wait, whole and each in its order', async (t) => {
  const { broker, sender } = await start(t, { policies: policies(['#', policyOf(100)]) });
  const slow = await stalled(broker, { '#': 1 }, 4);
  await flood(sender, 0, MESSAGES, () => ({ topic: 'a' }));
  for (let i = 0; i < 300; i++) await sender.publish({ topic: 'b', qos: 1, payload: `${i}`.padEnd(PAYLOAD_BYTES) });
  await flood(sender, MESSAGES, MESSAGES + 50, () => ({ topic: 'a' }));
  slow.readOn();
  const atMostOnce: number[] = [];
  const atLeastOnce: number[] = [];
  while (atLeastOnce.length < 300 || atMostOnce.at(-1) !== MESSAGES + 49) {
    const { header, body } = await slow.packet();
    const number = Number(body.subarray(-PAYLOAD_BYTES).toString('latin1'));
    if ((header & 6) === 0) {
      atMostOnce.push(number);
    } else {
      atLeastOnce.push(number);
      slow.send(slow.packets.puback(body.readUInt16BE(3)));
    }
  }
  assert.deepEqual(atLeastOnce, upTo(0, 300));
  assert.deepEqual(atMostOnce.slice(unbroken(atMostOnce)), upTo(MESSAGES - 50, MESSAGES + 50));
});

test('what waits at QoS 0 ends with the connection, also of a session that goes on', async (t) => {
  const { broker, sender } = await start(t, { policies: policies(['#', policyOf(1_000)]) });
  const peer = await broker.client(4, { clientId: 'slow', clean: false });
  await peer.subscribe({ a: 0 });
  peer.stall();
  await flood(sender, 0, MESSAGES, () => ({ topic: 'a' }));
  const session = broker.broker.sessions.get('slow')!;
  assert.equal(session.queued, 1_000);
  await peer.destroy();
  await broker.disconnected('slow');
  assert.deepEqual([session.queued, session.heldBytes], [0, 0]);
  const again = await broker.client(4, { clientId: 'slow', clean: false }, true);
  await again.expectNothing();
});

test('what a slow subscriber loses becomes dead letters where the policy says so, exactly', async (t) => {
  const deadLetters = { topic: 'dead/', isShared: false, suffix: '', processExpired: true, processNonPersistent: true, expirationMs: 0 };
  const { broker, sender } = await start(t, { policies: policies(['#', policyOf(100, { deadLetters })]) });
  const slow = await stalled(broker, { 'a/#': 0 }, 4);
  const undertaker = await broker.client(4, { clientId: 'undertaker' });
  await undertaker.subscribe({ 'dead/#': 0 });
  const dead: number[] = [];
  for (let from = 0; from < MESSAGES; from += 1_000) {
    await flood(sender, from, from + 1_000, () => ({ topic: 'a/b' }));
    dead.push(...(await readAll(undertaker)));
  }
  const numbers = await readAll(slow);
  assert.deepEqual(
    [...numbers, ...dead].sort((a, b) => a - b),
    upTo(0, MESSAGES),
    'every message has arrived, or is a dead letter',
  );
  assert.deepEqual(dead, upTo(unbroken(numbers), MESSAGES - 100));
});

test('messages that expire while they wait become dead letters, of QoS 1 and 2 unless the policy says more', async (t) => {
  const deadLetters = { topic: 'dead', isShared: true, suffix: '', processExpired: true, processNonPersistent: false, expirationMs: 0 };
  const broker = await startBroker(t, { fakeClock: true, policies: policies(['#', policyOf(100, { deadLetters })]) });
  const sender = await broker.client(5, { clientId: 'sender' });
  const undertaker = await broker.client(5, { clientId: 'undertaker' });
  await undertaker.subscribe({ dead: 1 });
  for (const clean of [true, false]) {
    // A Receive Maximum of 1: what comes second waits.
    const slow = await broker.client(5, { clientId: `slow ${clean}`, properties: `21 0001 ${clean ? '' : '11 000000ff'}` });
    await slow.subscribe({ a: 1 });
    await sender.publish({ topic: 'a', qos: 1, payload: 'first' });
    await sender.publish({ topic: 'a', qos: 1, payload: 'second', properties: '02 00000005' });
    await slow.expect(slow.packets.publish({ topic: 'a', qos: 1, id: 1, payload: 'first' }));
    broker.pass(6_000);
    slow.send(slow.packets.puback(1));
    await slow.expectNothing();
    const { body } = await undertaker.packet();
    const text = body.toString('latin1');
    assert.equal(text.slice(2, 6), 'dead');
    assert.match(text, /dlqDeliveryFailureCause..expired: asecond$/s);
    undertaker.send(undertaker.packets.puback(body.readUInt16BE(6)));
    await undertaker.expectNothing();
    await slow.disconnect();
  }
  assert.equal(broker.broker.counters.expired, 2);
});

test('a clean session that does not acknowledge is owed its prefetch and the pending limit, the newest; one that stays is owed all', async (t) => {
  const policy = policyOf(5, { topicPrefetch: 10, owedMessageLimit: 15 });
  const { broker, sender, warnings } = await start(t, { policies: policies(['#', policy]) });
  const clean = await broker.client(4, { clientId: 'clean' });
  const stays = await broker.client(4, { clientId: 'stays', clean: false });
  for (const peer of [clean, stays]) await peer.subscribe({ a: 1 });
  const count = 40;
  for (let n = 0; n < count; n++) await sender.publish({ topic: 'a', qos: 1, payload: `${n}`.padEnd(PAYLOAD_BYTES) });
  for (const [peer, expected] of [
    [clean, [...upTo(0, 10), ...upTo(count - 5, count)]],
    [stays, upTo(0, count)],
  ] as const) {
    const numbers: number[] = [];
    for (const _ of expected) {
      const { body } = await peer.packet();
      numbers.push(Number(body.subarray(-PAYLOAD_BYTES).toString('latin1')));
      peer.send(peer.packets.puback(body.readUInt16BE(3)));
    }
    assert.deepEqual(numbers, expected);
    await peer.expectNothing();
  }
  assert.equal(broker.broker.counters.droppedBy.pendingMessageLimit, count - 15);
  assert.deepEqual([broker.broker.counters.dropped, broker.broker.sessions.get('clean')!.heldBytes], [count - 15, 0]);
  assert.equal(warnings.length, 1);
});

test('memory is full: who publishes for a slow subscriber waits until its policy is full, and no longer', async (t) => {
  const { broker, sender } = await start(t, { policies: policies(['few', policyOf(10)]) });
  const slow = await stalled(broker, { few: 0, many: 0 }, 4);
  await flood(sender, 0, MESSAGES, () => ({ topic: 'few' }));
  const { usage } = broker.broker;
  usage.limits = { ...usage.limits, memoryBytes: 10 * PAYLOAD_BYTES };
  assert.ok(usage.memory.isFull, 'ten messages are more than the limit');
  await flood(sender, MESSAGES, MESSAGES + 100, () => ({ topic: 'few' }));
  sender.send(sender.packets.publish({ topic: 'many', payload: 'x'.padEnd(PAYLOAD_BYTES) }));
  await broker.until(() => usage.waiting === 1, 'the one to wait whose message takes the place of no other');
  const numbers = await readAll(slow);
  await broker.until(() => usage.waiting === 0, 'its turn, with room made');
  numbers.push(...(await readAll(slow)));
  assert.deepEqual(
    numbers.slice(unbroken(numbers)).filter((n) => !Number.isNaN(n)),
    upTo(MESSAGES + 90, MESSAGES + 100),
  );
  assert.equal(numbers.filter((n) => Number.isNaN(n)).length, 1);
});
