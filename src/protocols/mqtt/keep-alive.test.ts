import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TICK_MS, TimerWheel } from '../../timing/timer-wheel.ts';
import { KeepAlive } from './keep-alive.ts';

const LIMIT_MS = 3_000;

function watched() {
  let now = 0;
  const clock = { monotonicMs: () => now, wallMs: () => now };
  const timers = new TimerWheel({ clock });
  const client = {
    isHeldBack: false,
    exceededAt: [] as number[],
    keepAliveExceeded(): void {
      client.exceededAt.push(now);
    },
  };
  const keepAlive = new KeepAlive(client, clock, timers, LIMIT_MS);
  const passTo = (ms: number): void => {
    while (now < ms) {
      now += TICK_MS;
      timers.advance();
    }
  };
  return { client, keepAlive, timers, passTo };
}

test('a client is gone when it has been silent for its limit, counted from when it was heard last', () => {
  const { client, keepAlive, passTo } = watched();
  passTo(2_000);
  keepAlive.heard();
  passTo(4_900);
  assert.deepEqual(client.exceededAt, []);
  passTo(6_000);
  assert.deepEqual(client.exceededAt, [5_000]);
});

test('the silence of a client that is held back is not its own', () => {
  const { client, passTo } = watched();
  client.isHeldBack = true;
  passTo(20_000);
  client.isHeldBack = false;
  assert.deepEqual(client.exceededAt, []);
  passTo(30_000);
  assert.equal(client.exceededAt.length, 1);
});

test('nothing is watched once it is stopped', () => {
  const { client, keepAlive, timers, passTo } = watched();
  keepAlive.stop();
  passTo(10_000);
  assert.deepEqual([client.exceededAt, timers.size], [[], 0]);
});
