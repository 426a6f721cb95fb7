import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IDLE } from '../../test/harness/idle-session.ts';
import { type Facts, silentLog } from '../telemetry/log.ts';
import { FakeClock } from '../timing/clock.ts';
import { Broker } from './broker.ts';
import type { Dismissal, Session } from './ports.ts';
import { type SlowConsumerStrategy, SlowConsumers } from './slow-consumers.ts';

const STRATEGY: SlowConsumerStrategy = {
  kind: 'abortSlow',
  checkPeriodMs: 1_000,
  maxSlowDurationMs: 3_000,
  maxSlowCount: Number.POSITIVE_INFINITY,
  maxTimeSinceLastAckMs: 5_000,
};

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function setUp(rest: Partial<SlowConsumerStrategy> = {}) {
  const strategy = { ...STRATEGY, ...rest };
  const clock = new FakeClock();
  const warnings: (Facts | undefined)[] = [];
  const log = { ...silentLog, warn: (_message: string, facts?: Facts) => warnings.push(facts) };
  const broker = new Broker({ id: 'b', name: 'test', log, wallNow: () => clock.wallMs() });
  const slow = new SlowConsumers(broker, [strategy], clock);
  slow.start();
  const dismissed: Dismissal[] = [];
  const session: Mutable<Session> = {
    ...IDLE,
    clientId: 'c',
    connected: true,
    slowConsumerStrategies: new Set([strategy]),
    claimedAt: broker.clock.next(),
    takeOver() {},
    connectedElsewhere() {},
    discard() {},
    dismiss: (dismissal) => dismissed.push(dismissal),
  };
  broker.sessions.set(session);
  const check = (times = 1) => {
    for (let i = 0; i < times; i++) {
      clock.advance(strategy.checkPeriodMs + 100);
      slow.advance();
    }
    return dismissed.length;
  };
  return { broker, slow, session, check, dismissed, warnings };
}

test('a client that is behind at so many looks running that they last for maxSlowDuration is disconnected, and told why', () => {
  const { broker, session, check, dismissed, warnings } = setUp();
  session.isSlow = true;
  assert.equal(check(2), 0);
  session.isSlow = false;
  assert.equal(check(), 0);
  session.isSlow = true;
  session.queued = 7;
  assert.equal(check(2), 0, 'it has begun anew');
  assert.equal(check(), 1);
  assert.deepEqual(dismissed, [{ reason: 'quotaExceeded', text: 'it does not keep up with its messages', serverReference: null }]);
  assert.deepEqual(warnings, [{ clientId: 'c', strategy: 'abortSlow', queued: 7, inflight: 0, times: 3 }]);
  assert.equal(broker.counters.slowClients, 1);
});

test('maxSlowCount is another bound, and either may be lifted', () => {
  const counted = setUp({ maxSlowCount: 2, maxSlowDurationMs: Number.POSITIVE_INFINITY });
  counted.session.isSlow = true;
  assert.equal(counted.check(), 0);
  assert.equal(counted.check(), 1);
  const neither = setUp({ maxSlowDurationMs: Number.POSITIVE_INFINITY });
  neither.session.isSlow = true;
  assert.equal(neither.check(50), 0);
});

test('clients that are away, or whose policies have no such strategy, are left alone', () => {
  const { session, check } = setUp();
  session.isSlow = true;
  check(2);
  session.connected = false;
  assert.equal(check(5), 0);
  session.connected = true;
  assert.equal(check(2), 0, 'a new connection begins anew');
  session.slowConsumerStrategies = null;
  assert.equal(check(5), 0);
});

test('abortSlowAck: a client that has messages in flight and acknowledges none for longer than maxTimeSinceLastAck is slow', () => {
  const { session, check } = setUp({ kind: 'abortSlowAck', maxSlowDurationMs: 2_000 });
  session.isSlow = true;
  assert.equal(check(20), 0, 'nothing is in flight');
  session.inflight = 3;
  assert.equal(check(5), 0);
  session.acknowledgements++;
  assert.equal(check(6), 0, 'it has acknowledged something, which is seen a period later at most');
  assert.equal(check(1), 1, 'found slow for the second time');
});

test('a round over more sessions than one turn takes goes on in the next', () => {
  const { broker, slow, session, check, dismissed } = setUp({ maxSlowDurationMs: 1 });
  for (let i = 0; i < 30_000; i++) broker.sessions.set({ ...session, clientId: `idle ${i}`, isSlow: false });
  const last = { ...session, clientId: 'last', isSlow: true };
  broker.sessions.set(last);
  assert.equal(check(), 0);
  assert.equal(check(), 1);
  slow.stop();
  assert.equal(check(5), 1);
  assert.equal(dismissed.length, 1);
});
