import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BrokerCounters } from '../../core/counters.ts';
import type { DurabilityListener, Store } from '../../core/store.ts';
import { Usage } from '../../core/usage.ts';
import { silentLog } from '../../telemetry/log.ts';
import { DurableAnswers, UNKNOWN_POSITION } from './durable-answers.ts';
import { DurableCursor } from './durable-cursor.ts';

/** A store that is as durable as a test says. */
class SlowStore {
  position = 0;
  durable = 0;
  #waiting: { position: number; listener: DurabilityListener }[] = [];
  #batch: DurabilityListener[] = [];

  whenDurable(position: number, listener: DurabilityListener): void {
    this.#waiting.push({ position, listener });
  }

  whenBatchDurable(listener: DurabilityListener): boolean {
    if (this.position === this.durable) return true;
    this.#batch.push(listener);
    return false;
  }

  /** All that has been appended is on its way; what this returns makes it durable. */
  write(): () => void {
    const batch = this.#batch.splice(0);
    const { position } = this;
    for (const listener of batch) listener.onBatch?.();
    return () => {
      this.durable = position;
      const due = this.#waiting.filter((each) => each.position <= position);
      this.#waiting = this.#waiting.filter((each) => each.position > position);
      for (const { listener } of due) listener.onDurable();
      for (const listener of batch) listener.onDurable();
    };
  }
}

test('an answer waits for what was stored for it; one for which nothing was stored does not wait for others', () => {
  const store = new SlowStore();
  const answered: number[] = [];
  const channel = { closing: false, remoteAddress: '', respond: (id: number) => answered.push(id) };
  const answers = new DurableAnswers(channel, store as unknown as Store, () => false);
  answers.answer(1, 0);
  store.position = 10;
  answers.answer(2, 0);
  answers.answer(3, 10);
  assert.deepEqual(answered, [1, 3]);
  const first = store.write();
  store.position = 20;
  answers.answer(4, 10);
  answers.answer(5, UNKNOWN_POSITION); // came before, and it is not known whether it is safe
  first();
  assert.deepEqual(answered, [1, 3, 2]);
  store.write()();
  assert.deepEqual(answered, [1, 3, 2, 4, 5]);
  answers.answer(6, UNKNOWN_POSITION);
  assert.deepEqual(answered.splice(0), [1, 3, 2, 4, 5, 6]);
  store.position = 30;
  answers.answer(7, 20);
  channel.closing = true;
  store.write()();
  assert.deepEqual(answered, [], 'a link that is gone is answered nothing');
});

test('an entry is safe with the first batch that was taken after it came', () => {
  const store = new SlowStore();
  let end = 1;
  let moved = 0;
  const cursor = new DurableCursor(
    store as unknown as Store,
    () => end,
    () => moved++,
  );
  end++;
  assert.deepEqual([cursor.appended(), cursor.safe, moved], [true, 2, 0], 'nothing was stored with it');
  const append = (): boolean => {
    end++;
    store.position++;
    return cursor.appended();
  };
  assert.deepEqual([append(), append()], [false, false]);
  const first = store.write();
  append();
  first();
  assert.deepEqual([cursor.safe, moved], [4, 1]);
  store.write()();
  assert.deepEqual([cursor.safe, moved], [5, 2]);
});

test('what there is no room for is answered when there is room, and others are answered at once', async () => {
  const store = new SlowStore();
  const answered: number[] = [];
  const channel = { closing: false, remoteAddress: '10.0.0.1:61616', respond: (id: number) => answered.push(id) };
  const answers = new DurableAnswers(channel, store as unknown as Store, () => false);
  const usage = new Usage(new BrokerCounters(), silentLog);
  usage.limits = { ...usage.limits, memoryBytes: 100 };
  usage.memory.add(100);
  for (const id of [1, 2]) answers.answerWithRoom(id, usage.memory);
  answers.answer(3, store.position);
  assert.deepEqual([answered, usage.waiting], [[3], 1]);
  usage.memory.subtract(1);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([answered, usage.waiting], [[3, 1, 2], 0]);
  usage.memory.add(1);
  answers.answerWithRoom(4, usage.memory);
  answers.drop();
  assert.equal(usage.waiting, 0, 'a link that has gone waits for nothing');
  usage.close();
});
