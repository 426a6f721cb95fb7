import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../timing/clock.ts';
import { TICK_MS, TimerWheel } from '../../timing/timer-wheel.ts';
import { PassiveHealth } from './passive.ts';

function setUp(): { health: PassiveHealth; events: string[]; pass: (ms: number) => void; changes: () => number } {
  const clock = new FakeClock();
  const wheel = new TimerWheel({ clock });
  let changes = 0;
  const onChange = (): void => {
    changes++;
  };
  const events: string[] = [];
  const health = new PassiveHealth({
    clock,
    wheel,
    onChange,
    onFailing: (failure) => events.push(failure),
    onWorking: () => events.push('works'),
  });
  return {
    health,
    events,
    changes: () => changes,
    pass: (ms) => {
      clock.advance(ms);
      wheel.advance();
    },
  };
}

test('a server is trusted until a connection to it fails', () => {
  const { health } = setUp();
  assert.equal(health.trusted, true);
  health.blame('refused');
  assert.equal(health.trusted, false);
  assert.equal(health.failure, 'refused');
});

test('a refused server takes its turn again after a second, for one client', () => {
  const { health, pass } = setUp();
  health.blame('refused');
  pass(900);
  assert.equal(health.trusted, false);
  pass(100 + TICK_MS);
  assert.equal(health.trusted, true);
  health.attempt();
  assert.equal(health.trusted, false, 'the others wait for the outcome of the probe');
  health.commend('connected');
  assert.equal(health.trusted, true);
  assert.equal(health.failure, null);
});

test('a probe whose outcome never comes is followed by another', () => {
  const { health, pass } = setUp();
  health.blame('refused');
  pass(1_000 + TICK_MS);
  health.attempt();
  pass(1_000 + TICK_MS);
  assert.equal(health.trusted, true);
});

test('a server that swallows handshakes is remembered ten times as long as one that refuses', () => {
  const { health, pass } = setUp();
  health.blame('silent');
  pass(9_900);
  assert.equal(health.trusted, false);
  pass(100 + TICK_MS);
  assert.equal(health.trusted, true);
});

test('a handshake is no evidence for a server that accepts and then fails', () => {
  for (const failure of ['closed', 'mute'] as const) {
    const { health } = setUp();
    health.blame(failure);
    health.commend('connected');
    assert.equal(health.trusted, false);
    health.commend('answered');
    assert.equal(health.trusted, true);
  }
});

test('every change of standing is told, and praise for a trusted server is none', () => {
  const { health, pass, changes } = setUp();
  health.commend('answered');
  assert.equal(changes(), 0);
  health.blame('refused');
  pass(2_000);
  health.commend('answered');
  assert.equal(changes(), 3);
});

test('how often and how long it was failing is kept', () => {
  const { health, pass, events } = setUp();
  health.blame('refused');
  pass(3_000);
  health.blame('refused');
  pass(2_000);
  health.commend('connected');
  pass(10_000);
  health.blame('silent');
  pass(1_000);
  assert.equal(health.failures, 3);
  assert.equal(health.downs, 2);
  assert.equal(health.downMs, 6_000);
  assert.deepEqual(events, ['refused', 'works', 'silent']);
});
