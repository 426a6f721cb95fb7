import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Broker } from '../../core/broker.ts';
import { WINDOW_NUMBERS } from '../../core/sequence-window.ts';
import { silentLog } from '../../telemetry/log.ts';
import { SeenMessages } from './seen-messages.ts';

test('each number of a publisher is new once, and old when it is too far back to tell', () => {
  const seen = new SeenMessages(new Broker({ id: 'ID:us', name: 'us', log: silentLog }).store);
  const news = [1, 3, 2, 3, WINDOW_NUMBERS + 3, 3, 4].map((sequence) => seen.note('a', sequence));
  assert.deepEqual(news, ['new', 'new', 'new', 'seen', 'new', 'old', 'new']);
  assert.equal(seen.note('b', 3), 'new');
});

test('numbers that nobody counts to are old, cost nothing and change nothing', () => {
  const seen = new SeenMessages(new Broker({ id: 'ID:us', name: 'us', log: silentLog }).store);
  for (const sequence of [2 ** 60, 2 ** 60 + 4096, -1, Number.MIN_SAFE_INTEGER]) assert.equal(seen.note('a', sequence), 'old');
  for (const sequence of [Number.MAX_SAFE_INTEGER - 9, Number.MAX_SAFE_INTEGER]) assert.equal(seen.note('b', sequence), 'new');
  assert.equal(seen.note('a', 1), 'new');
});
