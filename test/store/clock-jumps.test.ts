import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, four } from '../harness/mqtt-bytes.ts';
import type { MqttPeer } from '../harness/mqtt-peer.ts';
import { StoredBroker } from '../harness/stored-broker.ts';

const DAY_MS = 86_400_000;
const HOUR_S = 3_600;
const HOUR_MS = HOUR_S * 1000;

/** Session Expiry Interval in CONNECT. */
function expiry(seconds: number): Buffer {
  return bytes('11', four(seconds));
}

/** Message Expiry Interval in PUBLISH. */
function messageExpiry(seconds: number): Buffer {
  return bytes('02', four(seconds));
}

/** A client with a session of an hour, a subscription to `t` and no connection. */
async function absentClient(stored: StoredBroker, fields: { readonly will?: Buffer } = {}): Promise<void> {
  const will = fields.will === undefined ? {} : { will: { topic: 'will', payload: 'gone', properties: fields.will } };
  const client = await stored.broker.client(5, { clientId: 'c', clean: false, properties: expiry(HOUR_S), ...will });
  await client.subscribe({ t: 1 });
  await client.destroy();
  await stored.broker.disconnected('c');
  await stored.flushed();
}

function back(stored: StoredBroker, sessionPresent: boolean): Promise<MqttPeer> {
  return stored.broker.client(5, { clientId: 'c', clean: false, properties: expiry(HOUR_S) }, sessionPresent);
}

/** Both ways in which time comes to a broker that was away: killed, or stopped in good order. */
const RESTARTS = ['kill', 'restart'] as const;

for (const jumpMs of [DAY_MS, -DAY_MS]) {
  const way = jumpMs > 0 ? 'forwards' : 'back';

  test(`while the broker runs a clock set ${way} by a day ends no session and keeps none: an hour is an hour`, async (t) => {
    const stored = await StoredBroker.start(t);
    await absentClient(stored);
    stored.jump(jumpMs);
    stored.broker.pass(HOUR_MS - 2_000);
    const client = await back(stored, true);
    await client.destroy();
    await stored.broker.disconnected('c');
    stored.broker.pass(HOUR_MS + 2_000);
    await back(stored, false);
  });

  test(`while the broker runs a clock set ${way} by a day neither hurries nor holds a delayed will`, async (t) => {
    const stored = await StoredBroker.start(t);
    const watcher = await stored.broker.client(5, { clientId: 'w' });
    await watcher.subscribe({ will: 0 });
    await absentClient(stored, { will: bytes('18', four(600)) });
    stored.jump(jumpMs);
    stored.broker.pass(598_000);
    await watcher.expectNothing();
    stored.broker.pass(4_000);
    await watcher.expect(watcher.packets.publish({ topic: 'will', payload: 'gone' }));
  });

  test(`a retained message published after the clock was set ${way} by a day takes the place of the one before`, async (t) => {
    const stored = await StoredBroker.start(t);
    const client = await stored.broker.client(5, { clientId: 'p' });
    await client.publish({ topic: 'r', payload: 'before', qos: 1, retain: true });
    stored.jump(jumpMs);
    await client.publish({ topic: 'r', payload: 'between', qos: 1, retain: true });
    await stored.flushed();
    for (const restart of RESTARTS) {
      await stored[restart](() => stored.jump(jumpMs));
      const again = await stored.broker.client(5, { clientId: 'p' });
      await again.publish({ topic: 'r', payload: restart, qos: 1, retain: true });
      await again.subscribe({ r: 0 });
      await again.expect(again.packets.publish({ topic: 'r', payload: restart, retain: true }));
      await stored.flushed();
    }
    await stored.kill();
    const last = await stored.broker.client(5, { clientId: 'p' });
    await last.publish({ topic: 'r', qos: 1, retain: true });
    await last.subscribe({ r: 0 });
    await last.expectNothing();
    await stored.flushed();
    await stored.kill();
    assert.equal(stored.broker.broker.retained.get('r'), null, 'a removal counts as well');
  });
}

for (const restart of RESTARTS) {
  test(`${restart}: with the clock set forwards by a day meanwhile a session of an hour has ended, and one without end has not`, async (t) => {
    const stored = await StoredBroker.start(t);
    await absentClient(stored);
    const forever = await stored.broker.client(4, { clientId: 'forever', clean: false });
    await forever.subscribe({ t: 1 });
    const publisher = await stored.broker.client(5, { clientId: 'p' });
    await publisher.publish({ topic: 't', payload: '1', qos: 1 });
    await forever.destroy();
    await stored.broker.disconnected('forever');
    await stored.flushed();
    await stored[restart](() => stored.jump(DAY_MS));
    await back(stored, false);
    const there = await stored.broker.client(4, { clientId: 'forever', clean: false }, true);
    assert.equal((await there.packet()).body.subarray(-1).toString(), '1');
  });

  test(`${restart}: with the clock set back by a day meanwhile a session of an hour lives an hour from then, and not a day`, async (t) => {
    const stored = await StoredBroker.start(t);
    await absentClient(stored);
    stored.broker.pass(HOUR_MS / 2);
    await stored[restart](() => stored.jump(-DAY_MS));
    stored.broker.pass(HOUR_MS - 2_000);
    assert.ok(stored.broker.broker.sessions.get('c') !== undefined, 'not early');
    stored.broker.pass(4_000);
    assert.equal(stored.broker.broker.sessions.get('c'), undefined, 'nor stuck');
  });

  test(`${restart}: the time that a session was away before and after counts, with the broker up or down`, async (t) => {
    const stored = await StoredBroker.start(t);
    await absentClient(stored);
    stored.broker.pass(HOUR_MS / 4);
    await stored.flushed();
    await stored[restart](() => stored.clock.advance(HOUR_MS / 4));
    await stored[restart](() => stored.clock.advance(HOUR_MS / 4));
    stored.broker.pass(HOUR_MS / 4 - 2_000);
    assert.ok(stored.broker.broker.sessions.get('c') !== undefined);
    stored.broker.pass(4_000);
    assert.equal(stored.broker.broker.sessions.get('c'), undefined);
  });

  test(`${restart}: a will whose delay runs is published at once when the clock was set forwards, and after its delay when it was set back`, async (t) => {
    for (const jumpMs of [DAY_MS / 48, -DAY_MS]) {
      const stored = await StoredBroker.start(t);
      const watcher = await stored.broker.client(4, { clientId: 'w', clean: false });
      await watcher.subscribe({ will: 1 });
      const client = await stored.broker.client(5, {
        clientId: 'c',
        clean: false,
        properties: expiry(HOUR_S),
        will: { topic: 'will', payload: 'gone', qos: 1, properties: bytes('18', four(600)) },
      });
      await client.destroy();
      await stored.broker.disconnected('c');
      await stored.flushed();
      if (restart === 'restart') await watcher.disconnect();
      await stored[restart](() => stored.jump(jumpMs));
      const again = await stored.broker.client(4, { clientId: 'w', clean: false }, true);
      if (jumpMs < 0) {
        stored.broker.pass(598_000);
        await again.expectNothing();
        stored.broker.pass(4_000);
      }
      await again.expect(again.packets.publish({ topic: 'will', payload: 'gone', qos: 1, id: 1 }));
    }
  });

  test(`${restart}: a message expires by the clock, forwards at once and back not before its time`, async (t) => {
    const stored = await StoredBroker.start(t);
    const forever = { clientId: 'c', clean: false, properties: expiry(0xffff_ffff) };
    const absent = await stored.broker.client(5, forever);
    await absent.subscribe({ t: 1 });
    await absent.destroy();
    await stored.broker.disconnected('c');
    const publisher = await stored.broker.client(5, { clientId: 'p' });
    await publisher.publish({ topic: 't', payload: 'short', qos: 1, properties: messageExpiry(60) });
    await publisher.publish({ topic: 't', payload: 'long', qos: 1, properties: messageExpiry(2 * 86_400) });
    await stored.flushed();
    await stored[restart](() => stored.jump(-DAY_MS));
    await stored[restart](() => stored.jump(DAY_MS + 120_000));
    const client = await back(stored, true);
    await client.expect(
      client.packets.publish({ topic: 't', payload: 'long', qos: 1, id: 2, properties: messageExpiry(2 * 86_400 - 120) }),
    );
    await client.expectNothing();
  });
}
