import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FragileFiles } from '../../../test/harness/fragile-files.ts';
import { AT_ONCE, Lines, message, open, stamp, storeWithOldFiles, until, WRITTEN } from '../../../test/harness/journal-store.ts';
import { SOAK_FACTOR } from '../../../test/harness/soak.ts';
import { contentOf } from '../../../test/harness/store-model.ts';
import type { StoredSession } from '../../core/store.ts';
import type { JournalStore } from './store.ts';

/** Which messages live, by journal file. */
function livingOf({ messages }: JournalStore): Record<string, number> {
  return Object.fromEntries(messages.segments.filter(({ isPinned }) => isPinned).map(({ name, live, moved }) => [name, live + moved]));
}

/** One of the things that can happen to a session. */
function change(store: JournalStore, session: StoredSession, other: StoredSession, number: number): void {
  const at = session.first + (number % Math.max(1, session.next - session.first));
  switch (Math.floor(number / 100)) {
    case 0:
      session.release(at);
      break;
    case 1:
      session.addReceived(number);
      break;
    case 2:
      session.deleteReceived(number - 100);
      break;
    case 3:
      session.setAttribute(`n${number % 3}`, number % 2 === 0 ? Buffer.from(`${number}`) : null);
      break;
    case 4:
      store.retain(`r${number % 3}`, number % 2 === 0 ? message(`r${number % 3}`, `${number}`) : null, stamp(number));
      break;
    case 5:
      store.createSession(`new ${number}`).push(message('t', 'new'), AT_ONCE);
      break;
    case 6: {
      const both = message('t', `${number}`, 2);
      for (const each of [session, other]) each.push(both, { ...AT_ONCE, qos: number % 3 === 0 ? 2 : 1, identifiers: [number + 1] });
      break;
    }
    default:
      session.remove(at);
  }
}

test('a checkpoint that is written while everything goes on, and the journal behind it, come to what there is', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(999), { minLength: 50, maxLength: 300 }), async (numbers) => {
      const files = new FragileFiles();
      const store = await open(files, { segmentBytes: 2_048, cacheBytes: 500, checkpointPieceBytes: 64 });
      const sessions = Array.from({ length: 5 }, (_, i) => store.createSession(`c${i}`));
      for (const session of sessions) for (let i = 0; i < 20; i++) session.push(message('t', `${i}`, 2), { ...AT_ONCE, qos: 2 });
      files.onWrite = () => {
        for (let i = 0; i < 6; i++) {
          const number = numbers.shift();
          if (number !== undefined) change(store, sessions[number % 5]!, sessions[(number + 1) % 5]!, number);
        }
      };
      while (numbers.length > 0) await store.writeCheckpoint();
      files.onWrite = () => {};
      await store.flushed();
      const again = await open(files.afterPowerFailure(() => Buffer.alloc(0)));
      assert.equal(contentOf(again, false), contentOf(store, false));
      assert.deepEqual(livingOf(again), livingOf(store));
      await Promise.all([store.close(), again.close()]);
    }),
    { numRuns: 60 * SOAK_FACTOR },
  );
});

test('a file goes only when what took the place of its messages is safe', async () => {
  for (const strategy of ['always', 'periodic'] as const) {
    const files = new FragileFiles();
    const log = new Lines();
    const store = await open(files, { segmentBytes: 1_024, log, strategy, syncIntervalMs: 60_000 });
    store.retain('r', message('r', 'acknowledged'), stamp(1));
    for (let i = 0; i < 200; i++) store.createSession(`c${i}`);
    await store.writeCheckpoint();
    await store.writeCheckpoint();
    files.syncFault = new Error('EIO: i/o error, fdatasync');
    store.retain('r', message('r', 'not durable yet'), stamp(2));
    await store.tidy();
    await store.tidy();
    assert.deepEqual(log.ofLevel('warn'), ['the store could not tidy up and tries on']);
    const again = await open(files.afterPowerFailure(() => Buffer.alloc(0)));
    assert.deepEqual(
      [...again.retained()].map(({ message: kept }) => kept?.payload.toString()),
      ['acknowledged'],
      strategy,
    );
    files.syncFault = null;
    await until(() => store.failure === null, 'the store to go on');
    await store.tidy();
    await store.close();
  }
});

test('a checkpoint that does not fit on the disk takes no place there', async () => {
  const files = new FragileFiles();
  const store = await open(files);
  store.createSession('c');
  await store.flushed();
  const before = files.list();
  files.writeFault = new Error('ENOSPC: no space left on device, write');
  await assert.rejects(store.writeCheckpoint(), /ENOSPC/);
  assert.deepEqual(files.list(), before);
  files.writeFault = null;
  await store.close();
});

test('files that nobody needs go, and a few messages that keep an old one are moved on', async () => {
  const files = new FragileFiles();
  const store = await open(files, { segmentBytes: 4_096 });
  const forgotten = store.createSession('forgotten');
  const session = store.createSession('c');
  for (let i = 1; i <= 2_000; i++) {
    const sent = message('t', `payload ${i}`);
    if (i % 200 === 0) forgotten.push(sent, AT_ONCE);
    session.remove(session.push(sent, WRITTEN));
    if (i % 20 === 0) await store.flushed();
  }
  assert.ok(store.messages.segments.length > 20);
  for (let i = 0; i < 40; i++) {
    await store.writeCheckpoint();
    await store.tidy();
  }
  assert.ok(store.messages.segments.length <= 8, `${store.messages.segments.length} files`);
  assert.equal(files.list().filter((name) => name.endsWith('.log')).length, store.messages.segments.length);
  const expected = Array.from({ length: 10 }, (_, i) => `payload ${(i + 1) * 200}`);
  const payloads = (of: StoredSession): string[] => expected.map((_, i) => of.get(i + 1)!.message.payload.toString());
  assert.deepEqual(payloads(forgotten), expected);
  const again = await open(files.afterKill());
  assert.deepEqual(payloads([...again.sessions()].find(({ clientId }) => clientId === 'forgotten')!), expected);
  await Promise.all([store.close(), again.close()]);
});

test('a message that was moved out of a file that went after the last checkpoint is there after a kill', async () => {
  const files = new FragileFiles();
  const store = await storeWithOldFiles(files);
  const journalFiles = (): number => files.list().filter((name) => name.endsWith('.log')).length;
  const before = journalFiles();
  await store.tidy(); // moves what lives in one file
  await store.tidy(); // and lets go of the file
  assert.ok(journalFiles() < before, 'a file has gone');
  const log = new Lines();
  const again = await open(files.afterKill(), { log });
  assert.equal(contentOf(again), contentOf(store));
  assert.deepEqual(log.ofLevel('error'), []);
  await Promise.all([store.close(), again.close()]);
});

test('after a restart, too, the checkpoint before the newest has the journal that it needs', async () => {
  const files = new FragileFiles();
  const store = await open(files, { segmentBytes: 4_096 });
  await store.writeCheckpoint();
  const session = store.createSession('c');
  session.setAttribute('kept', Buffer.from('said in a file without messages that live'));
  for (let i = 0; i < 500; i++) session.remove(session.push(message('t', `payload ${i}`), WRITTEN));
  await store.writeCheckpoint();
  const restarted = files.afterKill();
  const again = await open(restarted);
  await again.tidy();
  restarted.contentOf('checkpoint-00000002.bin')[20]! ^= 4;
  const log = new Lines();
  const last = await open(restarted.afterKill(), { log });
  assert.equal(contentOf(last), contentOf(store));
  assert.deepEqual(log.ofLevel('error'), []);
  await Promise.all([store.close(), again.close(), last.close()]);
});

test('a store that is closed while it tidies up closes each file once', async () => {
  const log = new Lines();
  const store = await open(new FragileFiles(), { segmentBytes: 1_024, log });
  const session = store.createSession('c');
  for (let i = 0; i < 1_000; i++) session.remove(session.push(message('t', `${i}`), WRITTEN));
  await store.flushed();
  await store.writeCheckpoint();
  await store.writeCheckpoint();
  await Promise.all([store.tidy(), store.close()]);
  assert.deepEqual(log.lines, []);
});
