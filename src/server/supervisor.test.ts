import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SupervisedProcess } from './supervised-process.ts';
import { Supervisor } from './supervisor.ts';

/** Notes what is done to it, and takes a turn for each. */
function fake(kind: 'broker' | 'balancer', name: string, events: string[], failure: Error | null = null): SupervisedProcess {
  const note = async (what: string) => {
    events.push(`${what} ${name}`);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    job: { kind, name },
    start: async () => {
      await note('start');
      if (failure !== null) throw failure;
    },
    stop: () => note('stop'),
    kill: () => void note('kill'),
  } as unknown as SupervisedProcess;
}

test('brokers start before balancers and stop before them, whatever the order of the files', async () => {
  const events: string[] = [];
  const supervisor = new Supervisor([fake('balancer', 'h', events), fake('broker', 'a', events), fake('broker', 'b', events)]);
  await supervisor.start();
  await supervisor.stop();
  assert.deepEqual(events, ['start a', 'start b', 'start h', 'stop a', 'stop b', 'stop h']);
});

test('when one cannot start all others are stopped, and its reason is thrown', async () => {
  const events: string[] = [];
  const failure = new Error('taken');
  const supervisor = new Supervisor([fake('broker', 'a', events), fake('broker', 'b', events, failure), fake('balancer', 'h', events)]);
  await assert.rejects(supervisor.start(), failure);
  assert.deepEqual(events, ['start a', 'start b', 'stop a', 'stop b', 'stop h']);
});

test('a stop while brokers start keeps balancers from starting', async () => {
  const events: string[] = [];
  const supervisor = new Supervisor([fake('broker', 'a', events), fake('balancer', 'h', events)]);
  const start = supervisor.start();
  await supervisor.stop();
  await start;
  assert.ok(!events.includes('start h'), events.join());
});
