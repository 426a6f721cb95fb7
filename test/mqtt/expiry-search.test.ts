import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DestinationPolicies, NO_POLICY } from '../../src/core/destination-policies.ts';
import { ExpirySearch } from '../../src/core/expiry-search.ts';
import { FakeClock } from '../../src/timing/clock.ts';
import { startBroker } from '../harness/mqtt-broker.ts';

const PERIOD_MS = 1_000;

/** Message Expiry Interval. */
const expires = (seconds: number) => `02 ${seconds.toString(16).padStart(8, '0')}`;

test('messages that have expired while they waited for a client are let go of, in whatever place, and the others stay', async (t) => {
  const deadLetters = { topic: 'dead', isShared: true, suffix: '', processExpired: true, processNonPersistent: false, expirationMs: 0 };
  const policies = new DestinationPolicies([['a', { ...NO_POLICY, deadLetters }]], null);
  const broker = await startBroker(t, { fakeClock: true, policies });
  const searchClock = new FakeClock();
  const search = new ExpirySearch(broker.broker, PERIOD_MS, searchClock);
  search.start();
  const look = () => {
    searchClock.advance(PERIOD_MS + 100);
    search.advance();
  };
  const sender = await broker.client(5, { clientId: 'sender' });
  const undertaker = await broker.client(4, { clientId: 'undertaker' });
  await undertaker.subscribe({ dead: 0 });
  // Receive Maximum 1: all but the first message wait. One session ends with its connection, one stays, one is away.
  const here = await broker.client(5, { clientId: 'here', properties: '21 0001' });
  const stays = await broker.client(5, { clientId: 'stays', properties: '21 0001 11 000000ff' });
  const away = await broker.client(5, { clientId: 'away', properties: '21 0001 11 000000ff' });
  for (const peer of [here, stays, away]) await peer.subscribe({ a: 1 });
  await away.disconnect();
  const lives = [100, 5, 100, 5, 10, 100];
  for (const [i, seconds] of lives.entries()) {
    await sender.publish({ topic: 'a', qos: 1, payload: `${i}`, properties: expires(seconds) });
  }
  const queued = () => ['here', 'stays', 'away'].map((clientId) => broker.broker.sessions.get(clientId)!.queued);
  look();
  assert.deepEqual(queued(), [5, 5, 6]);
  broker.pass(6_000);
  look();
  assert.deepEqual(queued(), [3, 3, 4]);
  broker.pass(5_000);
  look();
  assert.deepEqual(queued(), [2, 2, 3]);
  assert.equal(broker.broker.counters.expired, 9);
  for (const i of [1, 3, 4]) await undertaker.expect(undertaker.packets.publish({ topic: 'dead', payload: `${i}` }));
  await undertaker.expectNothing();
  const back = await broker.client(5, { clientId: 'away', clean: false, properties: '21 0001 11 000000ff' }, true);
  for (const [peer, first] of [
    [here, 0],
    [stays, 0],
    [back, 0],
  ] as const) {
    for (const payload of [first, 2, 5]) {
      const { body } = await peer.packet();
      assert.equal(body.subarray(-1).toString(), `${payload}`);
      peer.send(peer.packets.puback(body.readUInt16BE(3)));
    }
    await peer.expectNothing();
  }
});

test('what has been sent once does not expire, though it is not acknowledged [MQTT-4.3.3-7]', async (t) => {
  const broker = await startBroker(t, { fakeClock: true });
  const sender = await broker.client(5, { clientId: 'sender' });
  const peer = await broker.client(5, { clientId: 'c', properties: '11 000000ff' });
  await peer.subscribe({ a: 1 });
  await sender.publish({ topic: 'a', qos: 1, properties: expires(5) });
  await peer.packet();
  await peer.destroy();
  await broker.disconnected('c');
  broker.pass(6_000);
  const session = broker.broker.sessions.get('c')!;
  session.removeExpired();
  assert.equal(session.queued + session.inflight, 1);
  const again = await broker.client(5, { clientId: 'c', clean: false, properties: '11 000000ff' }, true);
  assert.equal((await again.packet()).header & 8, 8, 'it comes again');
});

test('retained messages that have expired are removed, so many in a turn, and what is new meanwhile stays', async (t) => {
  const broker = await startBroker(t, { fakeClock: true });
  const clock = new FakeClock();
  const search = new ExpirySearch(broker.broker, PERIOD_MS, clock);
  search.start();
  const sender = await broker.client(5, { clientId: 'sender' });
  const own = broker.broker.retained.size;
  const count = 12_000;
  for (let i = 0; i < count; i++) {
    const properties = i % 3 === 0 ? {} : { properties: expires(i % 3 === 1 ? 5 : 100) };
    sender.send(sender.packets.publish({ topic: `r/${i % 100}/${i}`, retain: true, payload: 'x', ...properties }));
  }
  await sender.expectNothing();
  assert.equal(broker.broker.retained.size - own, count);
  broker.pass(6_000);
  clock.advance(PERIOD_MS);
  search.advance();
  const left = broker.broker.retained.size - own;
  assert.ok(left > (count * 2) / 3 && left < count, `${left} are left after the first turn`);
  await sender.publish({ topic: 'r/1/new', retain: true, qos: 1, payload: 'x' });
  clock.advance(100);
  search.advance();
  const stay = (count * 2) / 3 + 1;
  assert.equal(broker.broker.retained.size - own, stay);
  search.stop();
  broker.pass(100_000);
  clock.advance(10 * PERIOD_MS);
  search.advance();
  assert.equal(broker.broker.retained.size - own, stay);
});
