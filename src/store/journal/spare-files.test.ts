import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FragileFiles } from '../../../test/harness/fragile-files.ts';
import { AT_ONCE, goOnInReusedFile, Lines, message, open, until, WRITTEN } from '../../../test/harness/journal-store.ts';
import { contentOf } from '../../../test/harness/store-model.ts';
import { ByteWriter } from '../../bytes/byte-writer.ts';
import { BrokerCounters } from '../../core/counters.ts';
import { Message } from '../../core/message.ts';
import { Usage } from '../../core/usage.ts';
import { inspectJournal } from './inspect.ts';
import { BATCH, RECORD_HEADER_BYTES, SESSION, sealRecord } from './record.ts';
import { SEGMENT_HEADER_BYTES } from './segment.ts';
import type { JournalStore } from './store.ts';

const SEGMENT_BYTES = 2_048;

function spares(files: FragileFiles): string[] {
  return files.list().filter((name) => name.endsWith('.spare'));
}

/** Stores messages that nobody needs any more, over some files, and lets go of those. */
async function useFiles(store: JournalStore): Promise<void> {
  const session = store.createSession('busy');
  for (let i = 0; i < 400; i++) session.remove(session.push(message('t', `busy ${i}`), WRITTEN));
  await store.flushed();
  session.drop();
  await store.writeCheckpoint();
  await store.writeCheckpoint();
  await store.tidy();
}

test('files that nobody needs are written over: under load that comes and goes there are ever the same few', async () => {
  const files = new FragileFiles();
  const store = await open(files, { segmentBytes: SEGMENT_BYTES });
  await goOnInReusedFile(store);
  const { length } = files.list();
  for (let round = 0; round < 20; round++) await useFiles(store);
  assert.ok(store.present.number > 100);
  assert.ok(files.list().length <= length + 4, `${files.list().length} files, ${length} before`);
  await store.close();
});

test('what a file has behind its own records from an earlier time is no part of the journal, after a kill and in a file that is full', async () => {
  const files = new FragileFiles();
  const store = await open(files, { segmentBytes: SEGMENT_BYTES });
  await goOnInReusedFile(store);
  const session = store.createSession('c');
  for (let i = 0; i < 200; i++) {
    session.push(message('t', `${i}`), AT_ONCE);
    await store.flushed();
    const log = new Lines();
    const killed = files.afterKill();
    const again = await open(killed, { segmentBytes: SEGMENT_BYTES, log });
    assert.equal(contentOf(again), contentOf(store));
    assert.deepEqual([...log.ofLevel('warn'), ...log.ofLevel('error')], []);
    for await (const { kind, file, place } of inspectJournal(killed)) assert.ok(kind !== null, `${file}, ${place}`);
    await again.close();
  }
  await store.close();
});

test('what is read ahead of a file that was another one before ends where its own records do: messages written later are read as they are', async () => {
  const log = new Lines();
  const store = await open(new FragileFiles(), { segmentBytes: 8_192, cacheBytes: 0, log });
  await goOnInReusedFile(store);
  const session = store.createSession('c');
  for (let i = 1; i <= 200; i++) {
    session.push(message('t', `${i}`), AT_ONCE);
    await store.flushed();
    for (const sequence of [1, i]) assert.equal(session.get(sequence)?.message.payload.toString(), `${sequence}`);
  }
  assert.deepEqual(log.lines, []);
  await store.close();
});

test('a store that was closed has nothing of an earlier time in its files', async () => {
  const files = new FragileFiles();
  const store = await open(files, { segmentBytes: SEGMENT_BYTES });
  await goOnInReusedFile(store);
  store.createSession('c');
  await store.flushed();
  const { present } = store;
  assert.ok(files.size(present.name) > present.size);
  await store.close();
  assert.equal(files.size(present.name), present.size);
});

test('power that fails while a file takes its new name costs nothing, whichever of the two it has then and whatever is in it', async () => {
  const files = new FragileFiles();
  const store = await open(files, { segmentBytes: SEGMENT_BYTES });
  await useFiles(store);
  const [spare] = spares(files) as [string];
  const session = store.createSession('c');
  session.push(message('t', 'kept'), AT_ONCE);
  await store.flushed();
  const expected = contentOf(store);
  const next = `journal-${String(store.present.number + 1).padStart(8, '0')}.log`;
  for (const header of [0, 8, SEGMENT_HEADER_BYTES]) {
    const failed = files.afterPowerFailure(() => Buffer.alloc(0));
    const begun = Buffer.from(files.contentOf(spare));
    begun.fill(0, 0, header);
    for (const name of [spare, spare.replace('.spare', '.log')]) await failed.remove(name);
    failed.put(next, begun);
    const again = await open(failed, { segmentBytes: SEGMENT_BYTES });
    assert.equal(contentOf(again), expected);
    await useFiles(again);
    await again.close();
  }
  await store.close();
});

test('spare files of a store that somebody has begun anew by hand serve the new one, and nothing in them is taken for its records', async () => {
  const files = new FragileFiles();
  const store = await open(files, { segmentBytes: SEGMENT_BYTES });
  await goOnInReusedFile(store);
  await useFiles(store);
  await store.close();
  assert.ok(spares(files).length > 0);
  for (const name of files.list()) if (!name.endsWith('.spare')) await files.remove(name);
  const again = await open(files, { segmentBytes: SEGMENT_BYTES });
  const session = again.createSession('c');
  for (let i = 0; i < 100; i++) session.push(message('t', `${i}`), AT_ONCE);
  await again.flushed();
  const killed = await open(files.afterKill(), { segmentBytes: SEGMENT_BYTES });
  assert.equal(contentOf(killed), contentOf(again));
  await useFiles(again);
  assert.equal(new Set(spares(files)).size, spares(files).length);
  await Promise.all([again.close(), killed.close()]);
});

test('a spare file that has gone is no fault: a new one is begun', async () => {
  const files = new FragileFiles();
  const store = await open(files, { segmentBytes: SEGMENT_BYTES });
  await useFiles(store);
  for (const name of spares(files)) await files.remove(name);
  const session = store.createSession('c');
  for (let i = 0; i < 200; i++) session.push(message('t', `${i}`), AT_ONCE);
  await store.flushed();
  assert.equal(contentOf(await open(files.afterKill())), contentOf(store));
  await store.close();
});

test('space that is short is not spent on spare files: none above half of the limit, and none that a compaction or a failure could give back', async () => {
  const files = new FragileFiles();
  const usage = new Usage(new BrokerCounters(), new Lines());
  usage.limits = { ...usage.limits, storeBytes: 20 * SEGMENT_BYTES };
  const store = await open(files, { segmentBytes: SEGMENT_BYTES, usage });
  await useFiles(store);
  assert.ok(spares(files).length > 0);
  assert.equal(
    store.diskBytes,
    files
      .list()
      .filter((name) => name.startsWith('journal-'))
      .reduce((sum, name) => sum + files.size(name), 0),
  );
  await store.compact(() => {});
  assert.deepEqual(spares(files), []);
  await useFiles(store);
  assert.ok(spares(files).length > 0);
  files.writeFault = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  store.createSession('d');
  await assert.rejects(store.flushed(), /ENOSPC/);
  assert.deepEqual(spares(files), []);
  files.writeFault = null;
  await until(() => store.failure === null, 'the store to go on');
  const keeper = store.createSession('keeper');
  while (store.diskBytes < usage.limits.storeBytes / 2) keeper.push(message('t', 'x'.repeat(100)), WRITTEN);
  await useFiles(store);
  assert.deepEqual(spares(files), []);
  await store.close();
});

test('what a client has published does not become records of a file that is written over it', async () => {
  const files = new FragileFiles();
  const store = await open(files, { segmentBytes: SEGMENT_BYTES });
  const crafted = new ByteWriter();
  for (let number = 1; number < 40; number++) {
    for (const kind of [BATCH, SESSION]) {
      const start = crafted.length;
      crafted.skip(RECORD_HEADER_BYTES);
      if (kind === BATCH) {
        crafted.f64(1e9);
      } else {
        crafted.varint(999);
        crafted.varint(4);
        crafted.bytes(Buffer.from('evil'));
      }
      sealRecord(crafted, start, crafted.length, kind, number);
    }
  }
  const payload = Buffer.from(crafted.buffer.subarray(0, crafted.length));
  const session = store.createSession('busy');
  for (let i = 0; i < 40 && store.present.formerNumber === 0; i++) {
    session.remove(session.push(Message.of('t', payload, 2), WRITTEN));
    await store.flushed();
    await store.writeCheckpoint();
    await store.tidy();
  }
  assert.ok(store.present.formerNumber !== 0);
  const log = new Lines();
  const again = await open(files.afterKill(), { segmentBytes: SEGMENT_BYTES, log });
  assert.deepEqual(log.ofLevel('error'), []);
  assert.equal(contentOf(again), contentOf(store));
  await Promise.all([again.close(), store.close()]);
});
