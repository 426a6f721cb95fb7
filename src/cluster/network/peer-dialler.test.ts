import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { type Log, silentLog } from '../../telemetry/log.ts';
import { systemClock } from '../../timing/clock.ts';
import { Turn } from '../../transport/turn.ts';
import { DEFAULT_LINK_SETTINGS } from './link-settings.ts';
import { type DialHost, PeerDialler } from './peer-dialler.ts';

let now = 0;

beforeEach(() => {
  now = 0;
  mock.timers.enable({ apis: ['setTimeout'] });
});

afterEach(() => mock.timers.reset());

/** A dialler to a port where nobody is; `attempts` are the times of its attempts, in milliseconds. */
function dialler() {
  const attempts: number[] = [];
  const warnings: string[] = [];
  const log: Log = { ...silentLog, warn: (message, facts) => warnings.push(`${message} ${JSON.stringify(facts)}`) };
  const host: DialHost = {
    brokerId: 'ID:us',
    brokerUrl: '',
    log,
    clock: systemClock,
    turn: new Turn(),
    connect: async ({ host: to, port }) => {
      attempts.push(now);
      throw new Error(`cannot connect to ${to}:${port}: ECONNREFUSED`);
    },
    topicLevels: 128,
    maxFrameSize: 1_000,
    maxInactivityDurationMs: 0,
    mapAddress: (name) => (name === '172.17.0.10' ? '127.0.0.1' : name),
    isLinked: () => false,
    dialled: () => null,
  };
  const made = new PeerDialler({ host: '172.17.0.10', port: 61616 }, DEFAULT_LINK_SETTINGS, host);
  return { dialler: made, attempts, warnings };
}

/** Lets time go by. What was begun before takes its first step at once. */
async function pass(ms: number): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  for (let i = 0; i < ms; i += 10) {
    now += 10;
    mock.timers.tick(10);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('the first retry comes within 100 ms, then waits double up to half a second and no further', async () => {
  const { dialler: made, attempts } = dialler();
  made.dialNow();
  await pass(3_000);
  assert.deepEqual(attempts, [0, 50, 150, 350, 750, 1_250, 1_750, 2_250, 2_750]);
  made.stop();
});

test('a sign of life is a reason to dial at once', async () => {
  const { dialler: made, attempts } = dialler();
  made.dialNow();
  await pass(800);
  const before = attempts.length;
  made.dialNow();
  assert.equal(attempts.length, before + 1);
  made.stop();
});

test('trouble is said once, when it lasts, with the mapped address, and not at every attempt', async () => {
  const { dialler: made, warnings } = dialler();
  made.dialNow();
  await pass(1_000);
  assert.equal(warnings.length, 0, 'brokers that start together are not trouble');
  await pass(4_000);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /cannot link with a broker: trying again.*172\.17\.0\.10:61616.*127\.0\.0\.1:61616: ECONNREFUSED/);
  made.stop();
});

test('a peer that said goodbye is not dialled until it is heard of again; one that is stopped never', async () => {
  const { dialler: made, attempts } = dialler();
  made.dialNow();
  await pass(100);
  made.rest();
  assert.equal(made.idle, true);
  const before = attempts.length;
  await pass(2_000);
  assert.equal(attempts.length, before);
  made.dialNow();
  await pass(10);
  assert.equal(attempts.length, before + 1);
  made.stop();
  made.dialNow();
  await pass(2_000);
  assert.equal(attempts.length, before + 1);
});
