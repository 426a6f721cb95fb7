import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Broker } from '../../src/core/broker.ts';
import type { Limits } from '../../src/core/limits.ts';
import { Message } from '../../src/core/message.ts';
import { JournalStore } from '../../src/store/journal/store.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { FragileFiles } from '../harness/fragile-files.ts';

/** What a journal remembers of retained messages follows what the broker does. */

const FORM = { decode: () => null, encode: () => Buffer.alloc(0) };

function openStore(files: FragileFiles): Promise<JournalStore> {
  return JournalStore.open({ files, log: silentLog, propertiesForm: FORM, cacheBytes: 1024 * 1024, retryMs: 1 });
}

function brokerOn(store: JournalStore, limits: Partial<Limits>, wallNow: () => number): Broker {
  const broker = new Broker({ id: 'ID:test', name: 'test', log: silentLog, store, limits, wallNow });
  broker.restoreRetained();
  return broker;
}

function retained(topic: string, payload: string, expiresAtMs = 0): Message {
  const bytes = Buffer.from(payload);
  return new Message(topic, 1, true, bytes, 0, bytes.length, false, null, expiresAtMs, null, null);
}

test('removals on ever new topics are forgotten by the store as they are by the broker, and after a restart, too', async () => {
  for (const retainedTombstones of [0, 10]) {
    const files = new FragileFiles();
    const store = await openStore(files);
    const broker = brokerOn(store, { retainedTombstones }, () => 1_000);
    broker.publish(retained('kept', 'kept'));
    for (let i = 0; i < 1_000; i++) broker.publish(retained(`t/${i}`, ''));
    assert.equal(store.retainedByTopic.size, 1 + retainedTombstones);
    await store.flushed();
    const again = await openStore(files.afterKill());
    const later = brokerOn(again, { retainedTombstones }, () => 2_000);
    assert.equal(again.retainedByTopic.size, 1 + retainedTombstones);
    assert.equal(later.retained.get('kept')?.payload.toString(), 'kept');
    await Promise.all([store.close(), again.close()]);
  }
});

test('retained messages that have expired leave the store when they leave the broker, and a new one on the same topic stays', async () => {
  const files = new FragileFiles();
  const store = await openStore(files);
  let now = 1_000_000;
  const limits = { retainedMessages: 20, retainedTombstones: 5 };
  const broker = brokerOn(store, limits, () => now);
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < 20; i++) broker.publish(retained(`t/${round}/${i}`, 'x', now + 1_000));
    now += 60_000;
  }
  assert.ok(store.retainedByTopic.size <= 20 + 5, `${store.retainedByTopic.size} entries`);
  for (let i = 0; i < 20; i++) broker.publish(retained(`last/${i}`, 'x', now + 1_000));
  now += 60_000;
  broker.publish(retained('last/0', 'again'));
  await store.flushed();
  const again = await openStore(files.afterKill());
  assert.equal(
    brokerOn(again, limits, () => now)
      .retained.get('last/0')
      ?.payload.toString(),
    'again',
  );
  await Promise.all([store.close(), again.close()]);
});
