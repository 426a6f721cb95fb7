import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection } from '../../transport/connection.ts';
import { ADMISSION, ANSWERS_UNREAD, PUBLISH_RATE, Reading, STORE_BEHIND } from './reading.ts';

test('a client is read while there is no reason not to, and its socket is told of the first and the last one only', () => {
  const calls: string[] = [];
  const socket: Pick<Connection, 'pause' | 'resume'> = { pause: () => calls.push('pause'), resume: () => calls.push('resume') };
  const reading = new Reading(socket as Connection);
  assert.deepEqual([reading.pause(ADMISSION), reading.pause(ADMISSION), reading.pause(ANSWERS_UNREAD)], [true, false, true]);
  assert.deepEqual([reading.resume(ADMISSION), reading.resume(ADMISSION), reading.resume(PUBLISH_RATE)], [true, false, false]);
  assert.deepEqual(calls, ['pause']);
  assert.equal(reading.resume(ANSWERS_UNREAD), true);
  assert.deepEqual(calls, ['pause', 'resume']);
});

test('a client is held back by this broker where it has to wait for its rate or the store, and not where it does not read', () => {
  const reading = new Reading({ pause() {}, resume() {} } as unknown as Connection);
  const heldBack = ([ADMISSION, ANSWERS_UNREAD, PUBLISH_RATE, STORE_BEHIND] as const).map((reason) => {
    reading.pause(reason);
    const { isHeldBack } = reading;
    reading.resume(reason);
    return isHeldBack;
  });
  assert.deepEqual(heldBack, [false, false, true, true]);
});
