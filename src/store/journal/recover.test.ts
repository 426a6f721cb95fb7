import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { FragileFiles } from '../../../test/harness/fragile-files.ts';
import {
  AT_ONCE,
  goOnInReusedFile,
  Lines,
  message,
  open,
  stamp,
  storeWithOldFiles,
  until,
  WRITTEN,
} from '../../../test/harness/journal-store.ts';
import { SOAK_FACTOR } from '../../../test/harness/soak.ts';
import { contentOf } from '../../../test/harness/store-model.ts';
import { ByteWriter } from '../../bytes/byte-writer.ts';
import { Message } from '../../core/message.ts';
import type { StoredSession } from '../../core/store.ts';
import { NO_JOURNAL_FILE, PLACES, RECORD_HEADER_BYTES, SESSION_STATE, sealRecord } from './record.ts';

/** A store with a synced part and a tail that is not, and what it held after each step of the tail. */
async function withUnsyncedTail(t: TestContext, isReused: boolean): Promise<{ files: FragileFiles; name: string; states: string[] }> {
  const files = new FragileFiles();
  const store = await open(files, { segmentBytes: 8_192 });
  t.after(() => store.close());
  if (isReused) await goOnInReusedFile(store);
  const session = store.createSession('c');
  const other = store.createSession('d');
  for (let i = 0; i < 20; i++) session.push(message('t', `synced ${i}`, 2), { qos: 2, retain: false, identifiers: [] });
  session.remove(1);
  await store.flushed();
  const states = [contentOf(store)];
  const step = (action: () => void): void => {
    action();
    states.push(contentOf(store));
  };
  files.syncFault = new Error('the power fails before this');
  for (let i = 0; i < 6; i++) {
    const both = message('t', `tail ${i}`, 2);
    step(() => {
      session.push(both, { qos: 2, retain: false, identifiers: [i + 1] });
      other.push(both, AT_ONCE);
      session.addReceived(100 + i);
    });
    step(() => session.release(i + 3));
    step(() => session.remove(i + 10));
    step(() => session.setAttribute(`n${i}`, Buffer.from('v')));
    step(() => store.retain(`r${i}`, message(`r${i}`, 'kept'), stamp(i)));
  }
  const { name } = store.present;
  await until(() => files.unsynced(name) > 0, 'the tail to be written');
  return { files, name, states };
}

for (const isReused of [false, true]) {
  const file = isReused ? 'a file that was another one before' : 'a new file';

  test(`a journal in ${file}, cut at every byte of its unsynced tail, comes back as it was after some step, never less than was synced`, async (t) => {
    const { files, name, states } = await withUnsyncedTail(t, isReused);
    const seen = new Set<number>();
    for (let cut = 0; cut <= files.unsynced(name); cut++) {
      const again = await open(files.afterPowerFailure((tail) => tail.subarray(0, cut)));
      const at = states.indexOf(contentOf(again));
      assert.ok(at >= 0, `cut at ${cut}: a state that never was`);
      seen.add(at);
      // It can be written to, and what is written is there the next time.
      again.createSession('new');
      await again.close();
    }
    assert.equal(Math.max(...seen), states.length - 1, 'the whole tail, when nothing is cut');
    assert.ok(seen.has(0));
  });

  test(`whichever pages of the unsynced tail of ${file} are zero, as before or missing, nothing is invented and nothing synced is lost`, async (t) => {
    const { files, name, states } = await withUnsyncedTail(t, isReused);
    const length = files.unsynced(name);
    const page = 64;
    const fate = fc.constantFrom('written' as const, 'zero' as const, 'former' as const);
    const pages = Math.ceil(length / page);
    await fc.assert(
      fc.asyncProperty(fc.array(fate, { minLength: pages, maxLength: pages }), fc.nat(length), async (fates, end) => {
        const again = await open(
          files.afterPowerFailure((tail, _, former) => {
            const bytes = Buffer.from(tail.subarray(0, end));
            for (let i = 0; i < pages; i++) {
              if (fates[i] === 'zero') bytes.subarray(i * page, (i + 1) * page).fill(0);
              else if (fates[i] === 'former')
                bytes.set(former.subarray(i * page, Math.min(bytes.length, (i + 1) * page)), Math.min(bytes.length, i * page));
            }
            return bytes;
          }),
        );
        assert.ok(states.includes(contentOf(again)), 'a state that never was');
        await again.close();
      }),
      { numRuns: 150 * SOAK_FACTOR },
    );
  });
}

test('a flipped bit in what was durable costs the record that it is in, which is named; the rest is there', async () => {
  const files = new FragileFiles();
  const store = await open(files);
  const session = store.createSession('c');
  for (let i = 1; i <= 12; i++) {
    session.push(message('t', `payload ${i}`), AT_ONCE);
    await store.flushed();
  }
  const name = files.list().find((file) => file.endsWith('.log'))!;
  const whole = files.contentOf(name);
  for (let i = 1; i <= 10; i++) {
    const damaged = files.afterKill();
    const bytes = Buffer.from(whole);
    bytes[whole.indexOf(`payload ${i}`) + 3]! ^= 4;
    damaged.put(name, bytes);
    const log = new Lines();
    const again = await open(damaged, { log });
    const [c] = [...again.sessions()] as [StoredSession];
    const found = Array.from({ length: 12 }, (_, at) => c.get(at + 1)?.message.payload.toString() ?? null);
    assert.deepEqual(
      found,
      Array.from({ length: 12 }, (_, at) => (at + 1 === i ? null : `payload ${at + 1}`)),
    );
    assert.deepEqual(log.ofLevel('error'), ['a record of the journal is damaged: what it said is lost, the rest is there']);
    await again.close();
  }
  await store.close();
});

test('a message that the disk has damaged is named once, and keeps no file from going, also after a restart', async () => {
  for (const fault of ['flipped bit', 'i/o error']) {
    const files = new FragileFiles();
    const log = new Lines();
    const store = await open(files, { segmentBytes: 4_096, cacheBytes: 0, log });
    const forgotten = store.createSession('forgotten');
    const session = store.createSession('c');
    forgotten.push(message('t', 'damaged later'), AT_ONCE);
    for (let i = 1; i <= 1_000; i++) {
      if (i > 100 && i % 20 === 0) forgotten.push(message('t', `kept ${i}`), AT_ONCE); // so that its file is the first one to be emptied
      session.remove(session.push(message('t', `payload ${i}`), WRITTEN));
      if (i % 20 === 0) await store.flushed();
    }
    await store.writeCheckpoint();
    await store.writeCheckpoint();
    const [name] = files.list().filter((each) => each.startsWith('journal')) as [string];
    if (fault === 'i/o error') files.readFault = new Error('EIO: i/o error, read');
    else files.contentOf(name)[files.contentOf(name).indexOf('damaged later')]! ^= 4;
    await store.tidy();
    files.readFault = null;
    await store.tidy();
    assert.deepEqual(log.ofLevel('error'), ['a stored message is damaged and lost'], fault);
    assert.ok(!files.list().includes(name), `${fault}: its file has gone`);
    assert.equal(forgotten.get(1), null);
    const again = await open(files.afterKill());
    const kept = [...again.sessions()].find(({ clientId }) => clientId === 'forgotten')!;
    assert.equal(kept.get(1), null);
    assert.equal(kept.get(2)!.message.payload.toString(), 'kept 120');
    const { size } = kept;
    kept.remove(1);
    assert.equal(kept.size, size - 1);
    await Promise.all([store.close(), again.close()]);
  }
});

test('journal files that are missing before others are named', async () => {
  const files = new FragileFiles();
  const store = await open(files, { segmentBytes: 1_024 });
  for (let i = 0; i < 200; i++) store.createSession(`c${i}`);
  await store.flushed();
  const damaged = files.afterKill();
  await damaged.remove('journal-00000002.log');
  await damaged.remove('journal-00000003.log');
  const log = new Lines();
  const again = await open(damaged, { log });
  assert.deepEqual(
    log.lines.filter(({ level }) => level === 'error'),
    [
      {
        level: 'error',
        message: 'journal files are missing: what they said is lost',
        facts: { first: 'journal-00000002.log', files: 2 },
      },
    ],
  );
  await Promise.all([store.close(), again.close()]);
});

test('a store of another version is refused whatever its checkpoints look like', async () => {
  const files = new FragileFiles();
  const store = await open(files);
  store.createSession('c').push(message('t', 'p'), AT_ONCE);
  await store.close();
  const other = files.afterKill();
  const bytes = Buffer.from(other.contentOf('journal-00000001.log'));
  bytes.write('RHJRNL01');
  other.put('journal-00000001.log', bytes);
  const writer = new ByteWriter();
  writer.bytes(other.contentOf('checkpoint-00000001.bin'));
  const checkpoint = writer.copy();
  for (let at = 0; at < checkpoint.length; at += RECORD_HEADER_BYTES + checkpoint.readUInt32BE(at + 4)) {
    const end = at + RECORD_HEADER_BYTES + checkpoint.readUInt32BE(at + 4);
    if (checkpoint[at + 8] === SESSION_STATE) sealRecord(writer, at, end, PLACES, NO_JOURNAL_FILE); // the same bytes meant something else
  }
  other.put('checkpoint-00000001.bin', writer.copy());
  await assert.rejects(open(other), { code: 'STORE_FORMAT' });
});

test('a journal file that somebody has removed is named, with how many messages are lost', async () => {
  const files = new FragileFiles();
  const store = await storeWithOldFiles(files);
  const [first] = files.list().filter((name) => name.endsWith('.log'));
  const without = files.afterKill();
  await without.remove(first!);
  const log = new Lines();
  const again = await open(without, { log });
  assert.deepEqual(
    log.lines.filter(({ level }) => level === 'error').map(({ message: text, facts }) => [text, facts]),
    [['a journal file is missing: the messages in it are lost', { file: first, messages: store.messages.segments[0]!.live }]],
  );
  await Promise.all([store.close(), again.close()]);
});

test('behind damage, a payload every byte of which looks like a record of megabytes is searched through in time', async () => {
  const files = new FragileFiles();
  const store = await open(files);
  const session = store.createSession('c');
  await store.flushed();
  session.push(Message.of('t', Buffer.alloc(20_000_000, 1), 1), AT_ONCE);
  await store.flushed();
  session.push(message('t', 'behind it'), AT_ONCE);
  await store.flushed();
  session.push(message('t', 'last'), AT_ONCE);
  await store.flushed();
  const [name] = files.list() as [string];
  const damaged = files.afterKill();
  const bytes = Buffer.from(files.contentOf(name));
  bytes[bytes.length - 15_000_000]! ^= 4;
  damaged.put(name, bytes);
  const again = await open(damaged);
  const [c] = [...again.sessions()] as [StoredSession];
  const found = [1, 2, 3].map((sequence) => c.get(sequence)?.message.payload.toString());
  assert.deepEqual(found, [undefined, 'behind it', 'last']);
  await Promise.all([store.close(), again.close()]);
});
