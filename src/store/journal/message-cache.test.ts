import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Message } from '../../core/message.ts';
import { MessageCache } from './message-cache.ts';

function message(): Message {
  return Message.of('t', Buffer.alloc(0));
}

test('a message is found by its number until it is removed, however many come after it', () => {
  const cache = new MessageCache();
  const kept = new Map<number, Message>();
  for (let number = 1; number <= 100_000; number++) {
    const one = message();
    cache.add(number, one);
    if (number % 1_000 === 7 || number > 99_000) kept.set(number, one);
    else assert.equal(cache.remove(number), one);
  }
  for (const [number, one] of kept) assert.equal(cache.get(number), one);
  for (const number of [1, 8, 50_000, 98_999, 100_001]) {
    assert.equal(cache.get(number), undefined);
    assert.equal(cache.remove(number), undefined);
  }
});

test('the oldest goes first, whether newer ones have taken its slot or not', () => {
  const cache = new MessageCache();
  assert.equal(cache.oldest(), Number.POSITIVE_INFINITY);
  const numbers = [3, 5, 10_000, 16_387, 16_390, 16_390 + 16_384];
  for (let number = 2; number <= 33_000; number++) {
    cache.add(number, message());
    if (!numbers.includes(number)) cache.remove(number);
  }
  for (const number of numbers) {
    assert.equal(cache.oldest(), number);
    cache.remove(number);
  }
  assert.equal(cache.oldest(), Number.POSITIVE_INFINITY);
  cache.add(33_001, message());
  assert.equal(cache.oldest(), 33_001);
});

test('messages leave oldest first while others are removed anywhere and new ones come', () => {
  const cache = new MessageCache();
  const model: number[] = [];
  for (let number = 1; number <= 200_000; number++) {
    cache.add(number, message());
    model.push(number);
    if (number % 3 === 0) {
      const [removed] = model.splice(Math.max(0, model.length - 1 - (number % 40_000)), 1) as [number];
      assert.notEqual(cache.remove(removed), undefined);
    }
    if (model.length > 50_000) {
      assert.equal(cache.oldest(), model[0]);
      cache.remove(model.shift()!);
    }
  }
  while (model.length > 0) {
    assert.equal(cache.oldest(), model[0]);
    cache.remove(model.shift()!);
  }
  assert.equal(cache.oldest(), Number.POSITIVE_INFINITY);
});
