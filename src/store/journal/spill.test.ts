import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FragileFiles } from '../../../test/harness/fragile-files.ts';
import { BrokerCounters } from '../../core/counters.ts';
import { Message } from '../../core/message.ts';
import { HOLDER_BYTES, type Spilled, Usage, type UsageLimits } from '../../core/usage.ts';
import { silentLog } from '../../telemetry/log.ts';
import { SpillFiles } from './spill.ts';

const FORM = { decode: () => null, encode: () => Buffer.alloc(0) };
const MB = 1024 * 1024;

async function open(files: FragileFiles, limits: Partial<UsageLimits> = {}): Promise<{ spill: SpillFiles; usage: Usage }> {
  const usage = new Usage(new BrokerCounters(), silentLog);
  usage.limits = { ...usage.limits, ...limits };
  return { spill: await SpillFiles.open({ files, propertiesForm: FORM, usage, log: silentLog, retryMs: 1 }), usage };
}

function message(payload: string | Buffer): Message {
  return Message.of('a/b', Buffer.from(payload), 1);
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let i = 0; !condition(); i++) {
    if (i > 10_000) assert.fail(`waited for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function contentOf(spill: SpillFiles, spilled: Spilled): string {
  return spill.read(spilled)!.payload.toString();
}

test('messages come back as they went, whether they are on disk, on their way there or not yet', async () => {
  const { spill, usage } = await open(new FragileFiles());
  const written = spill.take(message('first'))!;
  await until(() => usage.memory.bytes === HOLDER_BYTES, 'the first to be written');
  const onItsWay = spill.take(message('second'))!;
  await new Promise((resolve) => setImmediate(resolve));
  const gathers = spill.take(message('third'))!;
  assert.deepEqual(
    [written, onItsWay, gathers].map((spilled) => contentOf(spill, spilled)),
    ['first', 'second', 'third'],
  );
  const { topic, qos, retain } = spill.read(written)!;
  assert.deepEqual([topic, qos, retain], ['a/b', 1, false]);
});

test('bytes count in memory until they are on disk, and as temporary until nobody needs their file', async () => {
  const files = new FragileFiles();
  const { spill, usage } = await open(files, { tempBytes: 64 * MB });
  const spilled = Array.from({ length: 100 }, (_, i) => spill.take(message(Buffer.alloc(100_000, i)))!);
  assert.ok(usage.memory.bytes > 10_000_000);
  await until(() => usage.memory.bytes < 20_000, 'all to be written');
  assert.ok(usage.temp.bytes > 10_000_000);
  for (const [i, each] of spilled.entries()) {
    assert.equal(spill.read(each)!.payload[0], i);
    spill.release(each);
  }
  assert.equal(usage.memory.bytes, 0);
  assert.equal(usage.temp.bytes, 0);
  await until(() => files.list().length === 0, 'the files to go');
});

test('a message that several need is there once, until the last of them has let it go', async () => {
  const { spill, usage } = await open(new FragileFiles());
  const shared = message(Buffer.alloc(1000, 'x'));
  const all = Array.from({ length: 10 }, () => spill.take(shared)!);
  assert.ok(usage.temp.bytes < 1100);
  for (const each of all.slice(1)) spill.release(each);
  assert.equal(contentOf(spill, all[0]!).length, 1000);
  spill.release(all[0]!);
  assert.ok(usage.memory.bytes < 1100);
});

test('beyond the limit nothing is taken, and files are small enough for that limit', async () => {
  const { spill, usage } = await open(new FragileFiles(), { tempBytes: 100_000 });
  const taken: Spilled[] = [];
  for (let spilled = spill.take(message(Buffer.alloc(1000))); spilled !== null; spilled = spill.take(message(Buffer.alloc(1000))))
    taken.push(spilled);
  assert.ok(usage.temp.bytes > 98_000 && usage.temp.bytes <= 100_000);
  for (const each of taken.slice(0, taken.length / 2)) spill.release(each);
  await until(() => usage.temp.bytes < 60_000, 'room by what was let go');
  assert.notEqual(spill.take(message('x')), null);
});

test('a disk that cannot be written to costs nothing but memory, and when it can again all is written', async () => {
  const files = new FragileFiles();
  const { spill } = await open(files);
  files.writeFault = new Error('no space');
  const first = spill.take(message('first'))!;
  await until(() => spill.take(message('more')) === null, 'it to refuse');
  assert.equal(contentOf(spill, first), 'first');
  files.writeFault = null;
  await until(() => spill.take(message('again')) !== null, 'it to be written');
  assert.equal(contentOf(spill, first), 'first');
});

test('what an earlier process has left is removed at the start, and all at the end', async () => {
  const files = new FragileFiles();
  const { spill, usage } = await open(files);
  spill.take(message('left'));
  await until(() => usage.memory.bytes === HOLDER_BYTES, 'it to be written');
  assert.deepEqual(files.list(), ['spill-1.tmp']);
  const { spill: next } = await open(files);
  assert.deepEqual(files.list(), []);
  assert.notEqual(next.take(message('x')), null);
  await until(() => files.list().length === 1, 'a file');
  await next.close();
  assert.deepEqual(files.list(), []);
});
