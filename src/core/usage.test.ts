import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { type Facts, type Log, silentLog } from '../telemetry/log.ts';
import { BrokerCounters } from './counters.ts';
import { Message } from './message.ts';
import { HOLDER_BYTES, MEMORY, MESSAGE_BYTES, STORE, Usage, type WaitingPublisher } from './usage.ts';

function usageOf(memoryBytes: number, storeBytes = Number.POSITIVE_INFINITY, log: Log = silentLog): Usage {
  const usage = new Usage(new BrokerCounters(), log);
  usage.limits = { ...usage.limits, memoryBytes, storeBytes };
  return usage;
}

function publisher(name: string, goOn: () => void): WaitingPublisher {
  return { facts: () => ({ clientId: name, topic: 't' }), goOn };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('a message counts once, however many keep it, and each of them a little', () => {
  const usage = usageOf(1_000_000);
  const message = Message.of('t', Buffer.alloc(100));
  usage.hold(message);
  assert.equal(usage.memory.bytes, 101 + MESSAGE_BYTES);
  usage.hold(message);
  assert.equal(usage.memory.bytes, 101 + MESSAGE_BYTES + HOLDER_BYTES);
  usage.release(message);
  usage.release(message);
  assert.equal(usage.memory.bytes, 0);
});

test('only what needs what is not there lacks it', () => {
  const usage = usageOf(100, 100);
  assert.equal(usage.isShort, false);
  usage.memory.add(100);
  assert.deepEqual([usage.isShort, usage.lacking(MEMORY), usage.lacking(STORE), usage.lacking(0)], [true, usage.memory, null, null]);
  usage.memory.subtract(1);
  assert.deepEqual([usage.isShort, usage.lacking(MEMORY)], [false, null]);
  usage.store.set(100);
  assert.deepEqual([usage.isShort, usage.lacking(MEMORY), usage.lacking(MEMORY | STORE)], [true, null, usage.store]);
  usage.store.set(99);
  assert.equal(usage.isShort, false);
});

test('what is on disk, too, gives way before anybody waits', () => {
  const usage = usageOf(100);
  usage.giveWay = () => usage.memory.subtract(50);
  usage.memory.add(120);
  assert.equal(usage.lacking(MEMORY), null);
  assert.equal(usage.memory.bytes, 70);
});

test('publishers go on in the order in which they began to wait, as long as there is room', async () => {
  const usage = usageOf(100);
  const { memory } = usage;
  memory.add(100);
  const went: string[] = [];
  const takes = (name: string, bytes: number): WaitingPublisher =>
    publisher(name, () => {
      went.push(name);
      memory.add(bytes);
    });
  const leaver = takes('leaver', 0);
  for (const each of [takes('a', 10), leaver, takes('b', 10), takes('c', 10)]) memory.wait(each);
  memory.leave(leaver);
  memory.subtract(15);
  assert.deepEqual(went, [], 'not from within whatever gives way');
  await turn();
  assert.deepEqual(went, ['a', 'b']);
  memory.subtract(20);
  await turn();
  assert.deepEqual([went, usage.waiting], [['a', 'b', 'c'], 0]);
  usage.close();
});

test('one line when publishers begin to wait, one each half minute while they do, and one when they do not any more', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const lines: [level: string, message: string, facts: Facts | undefined][] = [];
    const log: Log = {
      ...silentLog,
      warn: (message, facts) => lines.push(['warn', message, facts]),
      info: (message, facts) => lines.push(['info', message, facts]),
    };
    const usage = usageOf(100, Number.POSITIVE_INFINITY, log);
    const { memory } = usage;
    memory.add(110);
    const [first, second] = [publisher('first', () => {}), publisher('second', () => {})];
    memory.wait(first);
    memory.wait(second);
    const facts = { limit: 'memoryUsage', bytes: 110, limitBytes: 100, percent: 110, topic: 't' };
    assert.deepEqual(lines.splice(0), [
      ['warn', 'publishers wait: a limit of systemUsage is reached', { ...facts, waiting: 1, clientId: 'first' }],
    ]);
    memory.leave(first);
    mock.timers.tick(30_000);
    assert.deepEqual(lines.splice(0), [
      ['warn', 'publishers wait: a limit of systemUsage is still reached', { ...facts, waiting: 1, clientId: 'second' }],
    ]);
    memory.leave(second);
    mock.timers.tick(30_000);
    assert.deepEqual(lines.splice(0), [['info', 'publishers do not wait any more', { limit: 'memoryUsage', percent: 110 }]]);
    mock.timers.tick(60_000);
    assert.deepEqual(lines, []);
  } finally {
    mock.timers.reset();
  }
});
