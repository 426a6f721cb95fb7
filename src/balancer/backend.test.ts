import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ServerSketch, section } from '../../test/balancer/model-builder.ts';
import { silentLog } from '../telemetry/log.ts';
import { FakeClock } from '../timing/clock.ts';
import { TICK_MS, TimerWheel } from '../timing/timer-wheel.ts';
import { type Applicant, Backend } from './backend.ts';
import type { Server } from './server.ts';

class TestApplicant implements Applicant {
  readonly unreachable = new Set<Server>();
  readonly declinedBy = new Set<Server>();
  readonly served: string[] = [];
  wakeUps = 0;
  readonly #backend: Backend;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  serve(server: Server, place: number): void {
    this.served.push(`${server.name}@${place}`);
    this.#backend.occupy(server);
  }

  tryAgain(): void {
    this.wakeUps++;
  }
}

function setUp(servers: ServerSketch[], change: { allbackups?: boolean } = {}): { backend: Backend; pass: (ms: number) => void } {
  const clock = new FakeClock();
  const wheel = new TimerWheel({ clock });
  return {
    backend: new Backend(section({ name: 'be', kind: 'backend', servers, ...change }), { clock, wheel, log: silentLog, fullconn: 10 }),
    pass: (ms) => {
      clock.advance(ms + TICK_MS);
      wheel.advance();
    },
  };
}

/** Names in the order in which one applicant would try them. */
function order(backend: Backend): string[] {
  const applicant = new TestApplicant(backend);
  const names: string[] = [];
  for (;;) {
    const choice = backend.choose(applicant);
    if (typeof choice === 'string') return [...names, choice];
    names.push(choice.name);
    applicant.unreachable.add(choice);
  }
}

/** The server that the next applicant is sent to. */
function next(backend: Backend): string {
  const choice = backend.choose(new TestApplicant(backend));
  return typeof choice === 'string' ? choice : choice.name;
}

test('an applicant is led to every server once: trusted ones, then suspects, those that only refuse before those that are silent', () => {
  const { backend } = setUp([1, 2, 3, 4]);
  assert.deepEqual(order(backend), ['s1', 's2', 's3', 's4', 'none']);
  backend.blame(backend.servers[0]!, 'silent');
  backend.blame(backend.servers[1]!, 'refused');
  for (let i = 0; i < 5; i++) {
    const names = order(backend);
    assert.deepEqual(names.slice(0, 2).sort(), ['s3', 's4']);
    assert.deepEqual(names.slice(2), ['s2', 's1', 'none']);
  }
});

test('a server that came back is sent one client, and the others follow when that one is served', () => {
  const { backend, pass } = setUp([1, 2]);
  const [s1] = backend.servers;
  backend.blame(s1!, 'refused');
  pass(1_000);
  const probes = [next(backend), next(backend)];
  assert.ok(probes.includes('s1'));
  backend.occupy(s1!);
  for (let i = 0; i < 4; i++) assert.equal(next(backend), 's2');
  backend.commend(s1!, 'connected');
  assert.deepEqual([next(backend), next(backend)].sort(), ['s1', 's2']);
});

test('backups stand in one at a time when no active server is trusted, and before suspects', () => {
  const { backend } = setUp([1, { port: 2, backup: true }, { port: 3, backup: true }]);
  assert.deepEqual(order(backend), ['s1', 's2', 's3', 'none']);
  backend.blame(backend.servers[0]!, 'refused');
  assert.deepEqual([next(backend), next(backend)], ['s2', 's2']);
  const all = setUp([1, { port: 2, backup: true }, { port: 3, backup: true }], { allbackups: true }).backend;
  all.blame(all.servers[0]!, 'refused');
  assert.deepEqual([next(all), next(all)].sort(), ['s2', 's3']);
});

test('a full server that is trusted is waited for rather than a suspect tried', () => {
  const { backend } = setUp([{ port: 1, maxconn: 1 }, 2]);
  backend.occupy(backend.servers[0]!);
  backend.blame(backend.servers[1]!, 'refused');
  assert.equal(backend.choose(new TestApplicant(backend)), 'wait');
});

test('those who wait are called in order as places become free', () => {
  const { backend } = setUp([{ port: 1, maxconn: 1 }]);
  const [server] = backend.servers;
  backend.occupy(server!);
  const [a, b] = [new TestApplicant(backend), new TestApplicant(backend)];
  backend.wait(a, false);
  backend.wait(b, false);
  backend.vacate(server!);
  backend.callNext();
  assert.deepEqual([a.served, b.served], [['s1@1'], []]);
  backend.vacate(server!);
  backend.callNext();
  assert.deepEqual([a.served, b.served], [['s1@1'], ['s1@2']]);
});

test('one that waits is not given to a server that hung up on it, and does not hold up the others', () => {
  const { backend } = setUp([
    { port: 1, maxconn: 1 },
    { port: 2, maxconn: 1 },
  ]);
  const [s1, s2] = backend.servers;
  backend.occupy(s1!);
  backend.occupy(s2!);
  const [picky, easy] = [new TestApplicant(backend), new TestApplicant(backend)];
  picky.declinedBy.add(s1!);
  backend.wait(picky, false);
  backend.wait(easy, false);
  backend.vacate(s1!);
  backend.callNext();
  assert.deepEqual([picky.served, easy.served], [[], ['s1@1']]);
});

test('one that waits for a full server is called when a suspect is given another chance', () => {
  const { backend, pass } = setUp([{ port: 1, maxconn: 1 }, 2]);
  backend.occupy(backend.servers[0]!);
  backend.blame(backend.servers[1]!, 'refused');
  const applicant = new TestApplicant(backend);
  applicant.unreachable.add(backend.servers[1]!);
  backend.wait(applicant, false);
  pass(500);
  assert.deepEqual(applicant.served, []);
  pass(500);
  assert.deepEqual(applicant.served, ['s2@1']);
});

test('when a server comes back, everybody who pauses is told, once', () => {
  const { backend } = setUp([1]);
  const [server] = backend.servers;
  backend.blame(server!, 'refused');
  const applicant = new TestApplicant(backend);
  backend.pause(applicant);
  backend.commend(server!, 'connected');
  backend.commend(server!, 'connected');
  assert.equal(applicant.wakeUps, 1);
  backend.blame(server!, 'refused');
  backend.endPause(applicant);
  backend.commend(server!, 'connected');
  assert.equal(applicant.wakeUps, 1);
});

test('disabled servers and those of weight 0 are never chosen', () => {
  const { backend } = setUp([
    { port: 1, disabled: true },
    { port: 2, weight: 0 },
  ]);
  assert.equal(backend.hasServers, false);
  assert.equal(backend.choose(new TestApplicant(backend)), 'none');
});
