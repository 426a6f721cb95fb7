import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import type { Facts, Log } from '../telemetry/log.ts';
import { type Job, STOP_WAIT_MS, type ToChild } from './child-messages.ts';
import { HEALTHY_AFTER_MS, RESTART_DELAYS_MS, START_WAIT_MS, SupervisedProcess } from './supervised-process.ts';

/** Stands in for a forked process: the test says what it does. */
class FakeChild extends EventEmitter {
  readonly pid: number;
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly sent: ToChild[] = [];
  connected = true;

  constructor(pid: number) {
    super();
    this.pid = pid;
  }

  send(message: ToChild): boolean {
    this.sent.push(message);
    return true;
  }

  kill(signal: NodeJS.Signals): boolean {
    queueMicrotask(() => this.emit('exit', null, signal));
    return true;
  }

  up(): void {
    this.emit('message', { type: 'started' });
  }

  end(code = 1): void {
    this.emit('exit', code, null);
  }
}

const JOB = { kind: 'broker', name: 'one' } as unknown as Job;

function supervise(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const children: FakeChild[] = [];
  const events: { level: string; message: string; facts: Facts | undefined }[] = [];
  const lines: string[] = [];
  let nowMs = 0;
  const level = (name: string) => (message: string, facts?: Facts) => void events.push({ level: name, message, facts });
  const log: Log = { error: level('error'), warn: level('warn'), info: level('info'), debug: level('debug'), child: () => log };
  const supervised = new SupervisedProcess(JOB, {
    log,
    onLine: (stream, line) => lines.push(`${stream}: ${line}`),
    fork: () => {
      const child = new FakeChild(100 + children.length);
      children.push(child);
      return child as unknown as ChildProcess;
    },
    now: () => nowMs,
  });
  const pass = (ms: number) => {
    nowMs += ms;
    t.mock.timers.tick(ms);
  };
  return { supervised, children, events, lines, pass };
}

test('a child gets its job and is up when it says so', async (t) => {
  const { supervised, children } = supervise(t);
  const start = supervised.start();
  assert.deepEqual(children[0]!.sent, [{ type: 'run', job: JOB }]);
  children[0]!.up();
  await start;
  assert.equal(supervised.pid, 100);
});

test('what a child cannot have at its first start is the reason of the rejection, and it is not started again', async (t) => {
  const { supervised, children, pass } = supervise(t);
  const start = supervised.start();
  children[0]!.emit('message', { type: 'failed', code: 'PORT_TAKEN', message: 'a.xml:3: taken' });
  children[0]!.end();
  await assert.rejects(start, { code: 'PORT_TAKEN', message: 'a.xml:3: taken' });
  pass(60_000);
  assert.equal(children.length, 1);
});

test('a child that ends before it is up rejects the start with how it ended', async (t) => {
  const { supervised, children } = supervise(t);
  const start = supervised.start();
  children[0]!.end(7);
  await assert.rejects(start, { message: 'broker one ended (exit code 7) before it was up' });
});

test('a child that does not come up in time is killed and said so', async (t) => {
  const { supervised, pass } = supervise(t);
  const start = supervised.start();
  pass(START_WAIT_MS);
  await assert.rejects(start, { code: 'START_TIMEOUT' });
});

test('a crashed child is started again at once, then with growing pauses, and each time it is said', async (t) => {
  const { supervised, children, events, pass } = supervise(t);
  const start = supervised.start();
  children[0]!.up();
  await start;
  for (const [i, delayMs] of [...RESTART_DELAYS_MS, RESTART_DELAYS_MS.at(-1)!].entries()) {
    children[i]!.emit('exit', null, 'SIGKILL');
    if (delayMs > 0) {
      pass(delayMs - 1);
      assert.equal(children.length, i + 1, `not before ${delayMs} ms`);
      pass(1);
    }
    assert.equal(children.length, i + 2, `after ${delayMs} ms`);
    assert.deepEqual(events.at(-1), {
      level: 'error',
      message: 'ended unexpectedly: starting it again',
      facts: { name: 'one', kind: 'broker', processId: 100 + i, how: 'signal SIGKILL', inMs: delayMs },
    });
  }
  children.at(-1)!.up();
  assert.equal(events.at(-1)!.message, 'up again');
});

test('after a while of health the next crash is answered at once again', async (t) => {
  const { supervised, children, pass } = supervise(t);
  const start = supervised.start();
  children[0]!.up();
  await start;
  children[0]!.end();
  children[1]!.up();
  pass(HEALTHY_AFTER_MS);
  children[1]!.end();
  assert.equal(children.length, 3);
});

test('a child that cannot start again is tried again, with its reason', async (t) => {
  const { supervised, children, events, pass } = supervise(t);
  const start = supervised.start();
  children[0]!.up();
  await start;
  children[0]!.end();
  children[1]!.emit('message', { type: 'failed', code: 'PORT_TAKEN', message: 'a.xml:3: taken' });
  children[1]!.end();
  assert.equal(events.at(-1)!.message, 'could not start: trying again');
  assert.equal(events.at(-1)!.facts!.reason, 'a.xml:3: taken');
  pass(RESTART_DELAYS_MS[1]!);
  assert.equal(children.length, 3);
});

test('a stop asks the child, waits for it, and starts nothing again', async (t) => {
  const { supervised, children, pass } = supervise(t);
  const start = supervised.start();
  children[0]!.up();
  await start;
  const stop = supervised.stop();
  assert.deepEqual(children[0]!.sent.at(-1), { type: 'stop' });
  children[0]!.end(0);
  await stop;
  pass(60_000);
  assert.equal(children.length, 1);
});

test('a child that does not stop in time is killed', async (t) => {
  const { supervised, children, events, pass } = supervise(t);
  const start = supervised.start();
  children[0]!.up();
  await start;
  const stop = supervised.stop();
  pass(STOP_WAIT_MS);
  await stop;
  assert.equal(events.at(-1)!.message, 'did not stop in time: killed');
});

test('a stop during the pause before a restart ends there', async (t) => {
  const { supervised, children, pass } = supervise(t);
  const start = supervised.start();
  children[0]!.up();
  await start;
  children[0]!.end();
  children[1]!.end();
  await supervised.stop();
  pass(60_000);
  assert.equal(children.length, 2);
});

test('what a child writes arrives line by line, the last one also without its end', async (t) => {
  const { supervised, children, lines } = supervise(t);
  const start = supervised.start();
  const { stdout, stderr } = children[0]!;
  stdout.write('one\ntw');
  stdout.write('o\nthr');
  stderr.write(Buffer.from('gr\u00fcn\n').subarray(0, 3));
  stderr.write(Buffer.from('gr\u00fcn\n').subarray(3));
  stdout.end('ee');
  await new Promise((resolve) => stdout.once('end', resolve));
  children[0]!.up();
  await start;
  assert.deepEqual(lines.sort(), ['stderr: grün', 'stdout: one', 'stdout: three', 'stdout: two']);
});
