import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FragileFiles } from '../../../test/harness/fragile-files.ts';
import { AT_ONCE, Lines, message, open, until, WRITTEN } from '../../../test/harness/journal-store.ts';
import { contentOf } from '../../../test/harness/store-model.ts';

test('a promise waits for its own records: nothing appended, nothing to wait for', async () => {
  const files = new FragileFiles();
  const store = await open(files);
  const { position } = store;
  let called = 0;
  store.whenDurable(position, { onDurable: () => called++ });
  assert.equal(called, 1);
  const session = store.createSession('c');
  session.push(message('a', '1'), AT_ONCE);
  const first = store.position;
  assert.ok(first > position);
  const order: string[] = [];
  store.whenDurable(first, { onDurable: () => order.push('first') });
  session.push(message('a', '2'), AT_ONCE);
  store.whenDurable(store.position, { onDurable: () => order.push('second') });
  assert.deepEqual(order, []);
  await store.flushed();
  assert.deepEqual(order, ['first', 'second']);
  await store.close();
});

test('what gathers while a batch is on its way is one write and one sync', async () => {
  const files = new FragileFiles();
  const store = await open(files);
  const session = store.createSession('c');
  await store.flushed();
  const { writes, syncs } = files;
  for (let i = 0; i < 500; i++) session.push(message('a', `${i}`), AT_ONCE);
  await store.flushed();
  assert.deepEqual([files.writes - writes, files.syncs - syncs], [1, 1]);
  await store.close();
});

for (const fault of ['write', 'sync'] as const) {
  test(`a ${fault} that fails: nothing is promised, it is said once, and with the fault gone all goes on`, async () => {
    const files = new FragileFiles();
    const said: (string | null)[] = [];
    const store = await open(files, { onFailure: (error) => said.push(error?.message ?? null) });
    const session = store.createSession('c');
    await store.flushed();
    files[`${fault}Fault`] = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    session.push(message('a', '1'), AT_ONCE);
    let promised = false;
    store.whenDurable(store.position, {
      onDurable: () => {
        promised = true;
      },
    });
    await until(() => store.failure !== null, 'the failure');
    session.push(message('a', '2'), AT_ONCE);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(promised, false);
    await assert.rejects(store.flushed(), /ENOSPC/);
    files[`${fault}Fault`] = null;
    await until(() => promised, 'the promise');
    await store.flushed();
    assert.deepEqual(said, ['ENOSPC: no space left on device', null]);
    assert.equal(contentOf(await open(files.afterPowerFailure(() => Buffer.alloc(0)))), contentOf(store));
    await store.close();
  });
}

test('a file whose sync fails is given up: what was in it and what was to come is in a new one, and nothing waits for ever', async () => {
  const files = new FragileFiles();
  const store = await open(files);
  const session = store.createSession('c');
  session.push(message('a', 'before'), AT_ONCE);
  await store.flushed();
  const [name] = files.list().filter((each) => each.endsWith('.log')) as [string];
  files.breakFile(name);
  session.push(message('a', 'after'), AT_ONCE);
  await assert.rejects(store.flushed(), /EIO/);
  await until(() => store.failure === null, 'the store to go on');
  await store.flushed();
  const expected = contentOf(store);
  assert.equal(contentOf(await open(files.afterPowerFailure(() => Buffer.alloc(0)))), expected);
  session.push(message('a', 'later'), AT_ONCE);
  await store.flushed();
  assert.equal(contentOf(await open(files.afterPowerFailure(() => Buffer.alloc(0)))), contentOf(store));
  await store.close();
});

test('lack of space gives no file up, unless it is the disk below the file system that has none: bytes can be written then, and not synced', async () => {
  for (const fault of ['writeFault', 'syncFault'] as const) {
    const files = new FragileFiles();
    const renamed: string[] = [];
    const rename = files.rename.bind(files);
    files.rename = (from, to) => {
      renamed.push(to);
      return rename(from, to);
    };
    const store = await open(files);
    const session = store.createSession('c');
    session.push(message('a', 'before'), AT_ONCE);
    await store.flushed();
    files[fault] = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    session.push(message('a', 'after'), AT_ONCE);
    await assert.rejects(store.flushed(), /ENOSPC/);
    files[fault] = null;
    await until(() => store.failure === null, 'the store to go on');
    await store.flushed();
    assert.deepEqual(renamed, fault === 'writeFault' ? [] : [store.present.name]);
    assert.equal(contentOf(await open(files.afterPowerFailure(() => Buffer.alloc(0)))), contentOf(store));
    await store.close();
  }
});

test('what a failed sync did not bring to the disk is written again: the next sync that succeeds does not hide it', async () => {
  for (const strategy of ['always', 'periodic'] as const) {
    const files = new FragileFiles();
    const store = await open(files, { strategy, syncIntervalMs: 1 });
    const session = store.createSession('c');
    await store.flushed();
    for (let i = 0; i < 5; i++) {
      files.syncFault = new Error('EIO: i/o error, fdatasync');
      session.push(message('a', `${i}`), AT_ONCE);
      store.whenDurable(store.position, { onDurable() {} });
      await until(() => store.failure !== null, 'the failure');
      files.syncFault = null;
      await until(() => store.failure === null, 'the end of it');
    }
    await store.flushed();
    if (strategy === 'periodic') await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(contentOf(await open(files.afterPowerFailure(() => Buffer.alloc(0)))), contentOf(store), strategy);
    await store.close();
  }
});

/** A store on a disk whose syncs end when the test says so, with two batches on their way. */
async function withTwoBatches() {
  const files = new FragileFiles();
  const store = await open(files);
  const session = store.createSession('c');
  session.push(message('a', '0'), AT_ONCE);
  await store.flushed();
  const before = contentOf(store);
  const syncs: { end(error?: Error): void }[] = [];
  files.onSync = () => new Promise((resolve, reject) => syncs.push({ end: (error) => (error === undefined ? resolve() : reject(error)) }));
  const told: string[] = [];
  for (const name of ['first', 'second']) {
    session.push(message('a', name), AT_ONCE);
    store.whenDurable(store.position, { onDurable: () => told.push(name) });
    await until(() => syncs.length === told.length + (name === 'first' ? 1 : 2), `the sync of the ${name}`);
  }
  const [first, second] = syncs as [{ end(error?: Error): void }, { end(error?: Error): void }];
  files.onSync = null;
  return { files, store, before, first, second, told };
}

test('where a sync takes long the next batch does not wait for it, and yet none is durable before the one in front of it', async () => {
  const { files, store, before, first, second, told } = await withTwoBatches();
  second.end();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(told, []);
  // The power fails now: what stands behind a batch that was lost is not believed, and nothing is wrong with the journal.
  const log = new Lines();
  const again = await open(
    files.afterPowerFailure(() => Buffer.alloc(0)),
    { log },
  );
  assert.equal(contentOf(again), before);
  assert.deepEqual(log.ofLevel('error'), []);
  first.end();
  await until(() => told.length === 2, 'both');
  assert.deepEqual(told, ['first', 'second']);
  assert.equal(contentOf(await open(files.afterPowerFailure(() => Buffer.alloc(0)))), contentOf(store));
  await Promise.all([store.close(), again.close()]);
});

test('when one of two batches on their way fails, what is durable in the end is both, in order', async () => {
  for (const failing of ['first', 'second', 'both'] as const) {
    const { files, store, first, second, told } = await withTwoBatches();
    const error = new Error('EIO: i/o error, fdatasync');
    second.end(failing === 'first' ? undefined : error);
    first.end(failing === 'second' ? undefined : error);
    await until(() => told.length === 2, 'both');
    assert.deepEqual(told, ['first', 'second'], failing);
    assert.equal(contentOf(await open(files.afterPowerFailure(() => Buffer.alloc(0)))), contentOf(store), failing);
    assert.equal(store.failure, null);
    await store.close();
  }
});

test('a crash while a file is written anew leaves the one there was', async () => {
  const files = new FragileFiles();
  const store = await open(files);
  store.createSession('c').push(message('a', '1'), AT_ONCE);
  await store.flushed();
  const crashed = files.afterKill();
  crashed.put('journal-00000001.log.tmp', Buffer.from('half of it'));
  const again = await open(crashed);
  assert.equal(contentOf(again), contentOf(store));
  assert.ok(!crashed.list().some((name) => name.endsWith('.tmp')));
  await Promise.all([store.close(), again.close()]);
});

test('synced now and then: a file that goes before its turn is synced by nobody, and the store does not fail', async () => {
  const failures: (Error | null)[] = [];
  const options = {
    segmentBytes: 1_024,
    strategy: 'periodic',
    syncIntervalMs: 20,
    onFailure: (error: Error | null) => failures.push(error),
  } as const;
  const files = new FragileFiles();
  const store = await open(files, options);
  const session = store.createSession('c');
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < 100; i++) session.remove(session.push(message('t', 'p'.repeat(50)), WRITTEN));
    await store.flushed();
    await store.writeCheckpoint();
    await store.writeCheckpoint();
    await store.tidy();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const { syncs } = files;
  session.push(message('t', 'last'), AT_ONCE);
  await store.flushed();
  await until(() => files.syncs > syncs, 'a sync');
  assert.deepEqual(failures, []);
  await store.close();
});

test('where a sync has failed nothing counts as safe until the file is written anew, though nothing more comes', async () => {
  const files = new FragileFiles();
  const store = await open(files, { strategy: 'periodic', syncIntervalMs: 100_000 });
  const session = store.createSession('c');
  session.push(message('t', 'kept'), AT_ONCE);
  await store.flushed();
  files.syncFault = new Error('EIO: i/o error, fdatasync');
  await assert.rejects(store.safe(), /EIO/);
  files.syncFault = null;
  await store.safe().catch(() => {});
  await until(() => store.failure === null, 'the store to go on');
  await store.safe();
  assert.equal(files.unsynced(store.present.name), 0);
  await store.close();
});

test('a store that was closed while it could not write touches its files no more', async () => {
  const files = new FragileFiles();
  const store = await open(files, { retryMs: 1 });
  files.writeFault = new Error('EIO: i/o error, write');
  const session = store.createSession('c');
  await assert.rejects(store.flushed(), /EIO/);
  session.push(message('t', 'more'), AT_ONCE);
  await store.close();
  files.writeFault = null;
  const { writes } = files;
  const opened: string[] = [];
  const { open: really } = files;
  files.open = (name, isSynced) => {
    opened.push(name);
    return really.call(files, name, isSynced);
  };
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.deepEqual(opened, []);
  assert.equal(files.writes, writes);
  assert.ok(store.failure !== null);
});
