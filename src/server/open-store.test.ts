import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { brokerFile, readText } from '../../test/harness/activemq-file.ts';
import { BrokerCounters } from '../core/counters.ts';
import { Message } from '../core/message.ts';
import { Usage } from '../core/usage.ts';
import type { JournalStore } from '../store/journal/store.ts';
import { silentLog } from '../telemetry/log.ts';
import { openSpill, openStore, stopsConnectors } from './open-store.ts';

function modelOf(inside: string, attributes = '') {
  return readText(brokerFile(inside, attributes)).model!;
}

function open(folder: string, inside: string, attributes = ''): Promise<JournalStore> {
  return openStore(folder, modelOf(inside, attributes), new Usage(new BrokerCounters(), silentLog), silentLog, () => {});
}

/** Writes a few files that nobody needs any more. */
async function fill(store: JournalStore): Promise<void> {
  const session = store.createSession('c');
  for (let i = 0; i < 400; i++) {
    session.remove(session.push(Message.of('t', Buffer.alloc(200), 2), { qos: 2, retain: false, identifiers: [] }));
    if (i % 20 === 0) await store.flushed();
  }
  for (let i = 0; i < 2; i++) await store.writeCheckpoint();
  await store.tidy();
  await store.close();
}

test('archiveDataLogs moves journal files that nobody needs to another folder, where none takes the place of an earlier one', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'roundhouse-archive-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const kahaDB = (words: string) =>
    `<persistenceAdapter><kahaDB directory="${folder}/store" journalMaxFileLength="16kb" ${words}/></persistenceAdapter>`;
  const adapter = kahaDB(`archiveDataLogs="true" directoryArchive="${folder}/old"`);
  await fill(await open(join(folder, 'store'), adapter));
  const first = (await readdir(join(folder, 'old'))).sort();
  assert.ok(first.length > 2);
  assert.equal(first[0], 'journal-00000001.log');
  assert.deepEqual(
    (await readdir(join(folder, 'store'))).filter((name) => first.includes(name)),
    [],
  );
  await fill(await open(join(folder, 'store'), adapter, ' deleteAllMessagesOnStartup="true"'));
  const both = (await readdir(join(folder, 'old'))).sort();
  assert.ok(both.includes('journal-00000001.log') && both.includes('journal-00000001.log.1'), both.join(', '));
  await fill(await open(join(folder, 'store'), kahaDB('')));
  assert.equal((await readdir(join(folder, 'old'))).length, both.length, 'without it they are removed');
});

test('concurrentStoreAndDispatchTopics="false" writes each message, also one that is done with by the next write', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'roundhouse-concurrent-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const [words, isWritten] of [
    ['', false],
    ['concurrentStoreAndDispatchTopics="true"', false],
    ['concurrentStoreAndDispatchTopics="false"', true],
  ] as const) {
    const store = await open(folder, `<persistenceAdapter><kahaDB directory="${folder}" ${words}/></persistenceAdapter>`);
    assert.equal(store.dispatchesWhileStoring, !isWritten);
    const session = store.createSession('c');
    await store.flushed();
    const before = store.writtenBytes;
    session.remove(session.push(Message.of('t', Buffer.alloc(200), 1), { qos: 1, retain: false, identifiers: [] }));
    await store.flushed();
    assert.equal(store.writtenBytes - before > 200, isWritten, words);
    await store.close();
  }
});

test('deleteAllMessagesOnStartup empties the store, and leaves what is not its own', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'roundhouse-empty-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const [attribute, sessions] of [
    ['', 0],
    ['', 1],
    [' deleteAllMessagesOnStartup="true"', 0],
  ] as const) {
    const store = await open(folder, '', attribute);
    assert.equal([...store.sessions()].length, sessions);
    if (sessions === 0) store.createSession('c');
    await store.close();
  }
});

test('which errors stop the connectors', () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  const quota = Object.assign(new Error('EDQUOT: disk quota exceeded, write'), { code: 'EDQUOT' });
  const failed = Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' });
  const table: [words: string, full: boolean, quota: boolean, failed: boolean][] = [
    ['', false, false, false],
    ['stopStartConnectors="true"', false, false, true],
    ['stopStartConnectors="true" ignoreNoSpaceErrors="false"', true, true, true],
    ['stopStartConnectors="true" ignoreAllErrors="true"', false, false, false],
    ['stopStartConnectors="true" noSpaceMessage="I/O"', true, false, false],
  ];
  for (const [words, ...expected] of table) {
    const { ioExceptionHandler } = modelOf(`<ioExceptionHandler><defaultIOExceptionHandler ${words}/></ioExceptionHandler>`);
    assert.deepEqual(
      [full, quota, failed].map((error) => stopsConnectors(error, ioExceptionHandler)),
      expected,
      words,
    );
  }
});

test('a folder for temporary files that cannot be had is said with its name', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'roundhouse-'));
  try {
    await writeFile(join(folder, 'tmp_storage'), 'a file');
    await assert.rejects(openSpill(folder, new Usage(new BrokerCounters(), silentLog), silentLog), {
      code: 'DATA_DIRECTORY',
      message: /^temporary files in .*tmp_storage: cannot be had: EEXIST/,
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});
