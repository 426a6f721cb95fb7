import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeliveryWindow } from './delivery-window.ts';

function deliver(window: DeliveryWindow, times: number): void {
  for (let i = 0; i < times; i++) window.deliver();
}

test('publishing uses the window up, and only deliveries make room again', () => {
  const window = new DeliveryWindow(20, 1);
  assert.equal(window.room, 20);
  window.publish(20, 0);
  assert.equal(window.room, 0);
  deliver(window, 3);
  assert.equal(window.room, 3);
  assert.equal(window.outstanding, 17);
  assert.equal(window.published, 20);
});

test('with several receivers a message makes room when as many deliveries as it has receivers have happened', () => {
  const window = new DeliveryWindow(2, 100);
  window.publish(2, 0);
  assert.equal(window.outstanding, 200);
  deliver(window, 99);
  assert.equal(window.room, 0);
  deliver(window, 1);
  assert.equal(window.room, 1);
});

test('a message that never arrives keeps its place', () => {
  const window = new DeliveryWindow(5, 1);
  for (let lost = 0; lost < 5; lost++) {
    window.publish(window.room, 0);
    deliver(window, window.outstanding - lost - 1);
  }
  assert.equal(window.room, 0);
  assert.equal(window.outstanding, 5);
});

test('the time of sending is known for every message that somebody still waits for', () => {
  const window = new DeliveryWindow(3, 2);
  for (let ordinal = 0; ordinal < 3; ordinal++) window.publish(1, 100 + ordinal);
  // One subscriber has all three; the other, slow one has none, and two deliveries make room for another message.
  deliver(window, 3);
  window.publish(1, 103);
  assert.equal(window.room, 0);
  assert.deepEqual(
    [0, 1, 2, 3].map((ordinal) => window.sentAtMs(ordinal)),
    [100, 101, 102, 103],
  );
});
