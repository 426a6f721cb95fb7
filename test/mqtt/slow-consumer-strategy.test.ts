import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DestinationPolicies, type DestinationPolicy, NO_POLICY } from '../../src/core/destination-policies.ts';
import { type SlowConsumerStrategy, SlowConsumers } from '../../src/core/slow-consumers.ts';
import { FakeClock } from '../../src/timing/clock.ts';
import { startBroker, type TestBroker } from '../harness/mqtt-broker.ts';

const PERIOD_MS = 1_000;

const STRATEGY: SlowConsumerStrategy = {
  kind: 'abortSlow',
  checkPeriodMs: PERIOD_MS,
  maxSlowDurationMs: 2 * PERIOD_MS,
  maxSlowCount: Number.POSITIVE_INFINITY,
  maxTimeSinceLastAckMs: 2 * PERIOD_MS,
};

function policies(rest: Partial<DestinationPolicy>): DestinationPolicies {
  return new DestinationPolicies([['slow/#', { ...NO_POLICY, destination: 'slow.>', ...rest }]], null);
}

/** Looks at its clients so many times. */
function watch(broker: TestBroker, strategy: SlowConsumerStrategy): (times: number) => void {
  const clock = new FakeClock();
  const slow = new SlowConsumers(broker.broker, [strategy], clock);
  slow.start();
  return (times) => {
    for (let i = 0; i < times; i++) {
      clock.advance(PERIOD_MS + 100);
      slow.advance();
    }
  };
}

test('a client whose messages wait is disconnected with 0x97, its session goes on and has all of them', async (t) => {
  const broker = await startBroker(t, { policies: policies({ slowConsumerStrategy: STRATEGY }) });
  const look = watch(broker, STRATEGY);
  const sender = await broker.client(4, { clientId: 'sender' });
  // A Receive Maximum of 2, and a session that stays.
  const slow = await broker.client(5, { clientId: 'slow', properties: '11 000000ff 21 0002' });
  const other = await broker.client(5, { clientId: 'other', properties: '11 000000ff 21 0002' });
  await slow.subscribe({ 'slow/#': 1 });
  await other.subscribe({ '+/a': 1 });
  for (let i = 0; i < 4; i++) await sender.publish({ topic: 'slow/a', qos: 1, payload: `${i}` });
  look(5);
  for (const peer of [slow, other]) {
    for (let id = 1; id <= 2; id++) await peer.expect(peer.packets.publish({ topic: 'slow/a', qos: 1, id, payload: `${id - 1}` }));
    await peer.expectNothing();
  }
  await sender.publish({ topic: 'slow/a', qos: 1, payload: '4' });
  look(1);
  await slow.expectNothing();
  look(1);
  await slow.expectDisconnect(0x97);
  await other.expectNothing();
  const again = await broker.client(5, { clientId: 'slow', clean: false, properties: '11 000000ff' }, true);
  for (let id = 1; id <= 5; id++) {
    const dup = id <= 2;
    await again.expect(again.packets.publish({ topic: 'slow/a', qos: 1, id, dup, payload: `${id - 1}` }));
  }
});

test('a client that does not acknowledge is disconnected by abortSlowAck, one that does is not', async (t) => {
  const strategy: SlowConsumerStrategy = { ...STRATEGY, kind: 'abortSlowAck', maxSlowDurationMs: PERIOD_MS };
  const broker = await startBroker(t, { policies: policies({ slowConsumerStrategy: strategy }) });
  const look = watch(broker, strategy);
  const sender = await broker.client(4, { clientId: 'sender' });
  const [mute, fair] = [await broker.client(4, { clientId: 'mute' }), await broker.client(4, { clientId: 'fair' })];
  for (const peer of [mute, fair]) await peer.subscribe({ 'slow/#': 1 });
  for (let id = 1; id <= 6; id++) {
    await sender.publish({ topic: 'slow/a', qos: 1 });
    await fair.expect(fair.packets.publish({ topic: 'slow/a', qos: 1, id }));
    fair.send(fair.packets.puback(id));
    await fair.expectNothing();
    if (!mute.closed) await mute.expect(mute.packets.publish({ topic: 'slow/a', qos: 1, id }));
    look(1);
    if (id === 4) {
      await mute.expectClose();
    }
  }
  assert.equal(broker.broker.counters.slowClients, 1);
});

test('topicPrefetch bounds what is in flight to a clean session, durableTopicPrefetch to one that stays', async (t) => {
  const broker = await startBroker(t, { policies: policies({ topicPrefetch: 2, durableTopicPrefetch: 3 }) });
  const sender = await broker.client(4, { clientId: 'sender' });
  for (const [clean, window] of [
    [true, 2],
    [false, 3],
  ] as const) {
    const peer = await broker.client(4, { clientId: `clean ${clean}`, clean });
    await peer.subscribe({ 'other/a': 1 });
    await peer.subscribe({ 'slow/+': 1 });
    for (let i = 0; i < 5; i++) await sender.publish({ topic: 'slow/a', qos: 1 });
    for (let id = 1; id <= window; id++) await peer.expect(peer.packets.publish({ topic: 'slow/a', qos: 1, id }));
    await peer.expectNothing();
    peer.send(peer.packets.puback(1));
    await peer.expect(peer.packets.publish({ topic: 'slow/a', qos: 1, id: window + 1 }));
    if (clean) continue;
    await peer.destroy();
    await broker.disconnected(`clean ${clean}`);
    const again = await broker.client(4, { clientId: `clean ${clean}`, clean: false }, true);
    for (let id = 2; id <= 4; id++) await again.expect(again.packets.publish({ topic: 'slow/a', qos: 1, id, dup: true }));
    await again.expectNothing();
  }
});
