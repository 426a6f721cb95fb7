import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FragileFiles } from '../../../test/harness/fragile-files.ts';
import { AT_ONCE, message, open, stamp, until, WRITTEN } from '../../../test/harness/journal-store.ts';
import { SOAK_FACTOR } from '../../../test/harness/soak.ts';
import { contentOf } from '../../../test/harness/store-model.ts';
import { BrokerCounters } from '../../core/counters.ts';
import { STORED, type StoredSession } from '../../core/store.ts';
import { MEMORY, Usage } from '../../core/usage.ts';
import { silentLog } from '../../telemetry/log.ts';
import type { JournalStore } from './store.ts';

const nothingSynced = (): Buffer => Buffer.alloc(0);

/** What is promised of all that was done so far. */
function promised(store: JournalStore): Promise<void> {
  return new Promise((resolve) => store.whenDurable(store.position, { onDurable: resolve }));
}

function payloadsOf(session: StoredSession): string[] {
  const found: string[] = [];
  for (let sequence = session.first; sequence < session.next; sequence++) {
    const entry = session.get(sequence);
    if (entry !== null) found.push(`${sequence} ${entry.message.payload}`);
  }
  return found;
}

async function afterPowerFailure(files: FragileFiles): Promise<Record<string, string[]>> {
  const again = await open(files.afterPowerFailure(nothingSynced));
  const found = Object.fromEntries([...again.sessions()].map((session) => [session.clientId, payloadsOf(session)]));
  await again.close();
  return found;
}

test('a message that all who get it have acknowledged by the next write is not written, and what is promised of it needs none', async () => {
  const files = new FragileFiles();
  const store = await open(files);
  const [a, b] = ['a', 'b'].map((clientId) => store.createSession(clientId)) as [StoredSession, StoredSession];
  await store.flushed();
  const { writes } = files;
  files.writeFault = new Error('EIO: i/o error, write');
  for (let i = 0; i < 1_000; i++) {
    const sent = message('t', `${i}`);
    const sequences = [a, b].map((session) => session.push(sent, AT_ONCE));
    assert.equal(a.get(sequences[0]!)!.message.payload.toString(), `${i}`);
    a.remove(sequences[0]!);
    b.remove(sequences[1]!);
  }
  await promised(store);
  assert.equal(store.whenBatchDurable({ onDurable: () => assert.fail('there is nothing to wait for') }), true);
  assert.equal(files.writes, writes);
  files.writeFault = null;
  await store.close();
});

test('a message that somebody still needs is written for whoever does, and that alone', async () => {
  const files = new FragileFiles();
  const store = await open(files);
  const [a, b, c] = ['a', 'b', 'c'].map((clientId) => store.createSession(clientId)) as [StoredSession, StoredSession, StoredSession];
  for (let i = 1; i <= 4; i++) {
    const sent = message('t', `${i}`);
    for (const session of [a, b, c]) session.push(sent, AT_ONCE);
    a.remove(i);
    if (i % 2 === 0) b.remove(i);
  }
  c.drop();
  await promised(store);
  assert.deepEqual(await afterPowerFailure(files), { a: [], b: ['1 1', '3 3'] });
  await store.close();
});

test('a promise about a message that somebody still needs waits until it is on disk', async () => {
  const files = new FragileFiles();
  const store = await open(files);
  const session = store.createSession('c');
  await store.flushed();
  files.syncFault = new Error('EIO: i/o error, fdatasync');
  for (let i = 1; i <= 3; i++) session.push(message('t', `${i}`), AT_ONCE);
  let isKept = false;
  store.whenDurable(store.position, {
    onDurable() {
      isKept = true;
    },
  });
  await until(() => store.failure !== null, 'the failure');
  // What is done with meanwhile is behind it.
  session.remove(session.push(message('t', 'later'), AT_ONCE));
  let isLaterKept = false;
  store.whenDurable(store.position, {
    onDurable() {
      isLaterKept = true;
    },
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual([isKept, isLaterKept], [false, false]);
  files.syncFault = null;
  await until(() => isLaterKept, 'the promises to be kept');
  assert.ok(isKept);
  assert.deepEqual(await afterPowerFailure(files), { c: ['1 1', '2 2', '3 3'] });
  await store.close();
});

test('what belongs to one message is there with it or not at all, also when it was kept back at first', async () => {
  const files = new FragileFiles();
  const store = await open(files);
  const session = store.createSession('c');
  const sender = store.createSession('p');
  const peer = store.createPeer('ID:peer');
  await store.flushed();
  files.syncFault = new Error('the power fails before this');
  const before = contentOf(store);
  const first = message('t', 'first');
  session.push(first, AT_ONCE);
  sender.addReceived(7);
  store.retain('t', first, stamp(1));
  const between = contentOf(store);
  const { position } = store;
  session.push(message('t', 'second'), AT_ONCE);
  peer.note(STORED, 9, position);
  const after = contentOf(store);
  const { name } = store.present;
  await until(() => files.unsynced(name) > 0, 'the records to be written');
  const seen = new Set<string>();
  for (let cut = 0; cut <= files.unsynced(name); cut++) {
    const again = await open(files.afterPowerFailure((tail) => tail.subarray(0, cut)));
    seen.add(contentOf(again));
    await again.close();
  }
  assert.deepEqual([...seen], [before, between, after]);
  files.syncFault = null;
  await store.close();
});

test('a message that was kept back is still one message when another session gets it later', async () => {
  const files = new FragileFiles();
  const store = await open(files);
  const [a, b] = ['a', 'b'].map((clientId) => store.createSession(clientId)) as [StoredSession, StoredSession];
  const sent = message('t', 'x'.repeat(10_000));
  a.push(sent, AT_ONCE);
  a.push(message('t', 'behind it'), AT_ONCE);
  b.push(sent, AT_ONCE);
  a.remove(1);
  await store.flushed();
  assert.ok(store.writtenBytes < 11_000, `${store.writtenBytes} bytes`);
  assert.deepEqual(await afterPowerFailure(files), { a: ['2 behind it'], b: [`1 ${'x'.repeat(10_000)}`] });
  await store.close();
});

test('what is kept back is written before its session is moved on: released, dropped, or in a checkpoint', async () => {
  const files = new FragileFiles();
  const store = await open(files);
  const session = store.createSession('c');
  for (let i = 1; i <= 3; i++) session.push(message('t', `${i}`), AT_ONCE);
  session.release(2);
  session.push(message('t', '4'), AT_ONCE);
  await store.writeCheckpoint();
  const again = await open(files.afterPowerFailure(nothingSynced));
  assert.equal(contentOf(again), contentOf(store));
  await Promise.all([store.close(), again.close()]);
});

test('a message that comes while the file of a checkpoint is opened is written before the checkpoint refers to it', async () => {
  const files = new FragileFiles();
  const store = await open(files);
  const session = store.createSession('c');
  const { open: really } = files;
  files.open = async (name, isSynced) => {
    if (name.startsWith('checkpoint')) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      session.push(message('t', 'meanwhile'), AT_ONCE);
    }
    return really.call(files, name, isSynced);
  };
  await store.writeCheckpoint();
  const again = await open(files.afterPowerFailure(nothingSynced));
  assert.equal(contentOf(again), contentOf(store));
  await Promise.all([store.close(), again.close()]);
});

test('a receiver who is done with a message at once does not end its record: what belongs to it is there whole or not at all', async () => {
  const files = new FragileFiles();
  const store = await open(files);
  const [a, b] = ['a', 'b'].map((clientId) => store.createSession(clientId)) as [StoredSession, StoredSession];
  const peer = store.createPeer('ID:peer');
  const old = a.push(message('t', 'old', 2), WRITTEN);
  await store.flushed();
  files.syncFault = new Error('the power fails before this');
  const before = contentOf(store);
  const { position } = store;
  const sent = message('t', 'new');
  store.retain('t', sent, stamp(1));
  a.remove(a.push(sent, AT_ONCE));
  a.remove(old);
  b.push(sent, AT_ONCE);
  assert.equal(b.get(1)!.message.payload.toString(), 'new');
  peer.note(STORED, 9, position);
  const { name } = store.present;
  await until(() => files.unsynced(name) > 0, 'the record to be written');
  // Removals follow it in records of their own: what is left of the first session is not looked at.
  const others = (content: string): string => content.replace(/\{"clientId":"a".*?"waiting":\[.*?\],"released"/, '');
  const seen = new Set<string>();
  for (let cut = 0; cut <= files.unsynced(name); cut++) {
    const again = await open(files.afterPowerFailure((tail) => tail.subarray(0, cut)));
    seen.add(others(contentOf(again)));
    await again.close();
  }
  assert.deepEqual([...seen], [others(before), others(contentOf(store))]);
  files.syncFault = null;
  await store.close();
  const closed = await open(files.afterKill());
  assert.equal(contentOf(closed), contentOf(store));
  await closed.close();
});

test('who waits for a batch is told when the one on its way is through, if nothing has come but what nobody is promised', async () => {
  const files = new FragileFiles();
  const store = await open(files);
  const [a, b] = ['a', 'b'].map((clientId) => store.createSession(clientId)) as [StoredSession, StoredSession];
  for (const session of [a, b]) session.push(message('t', 'old', 2), WRITTEN);
  await store.flushed();
  files.syncMs = 20;
  a.push(message('t', 'new'), AT_ONCE);
  const first = promised(store);
  const { writes } = files;
  await until(() => files.writes > writes, 'the batch to be on its way');
  a.remove(1);
  b.remove(1); // ends the record of the other removal
  const second = new Promise<number>((resolve) => {
    assert.equal(store.whenBatchDurable({ onDurable: () => resolve(files.writes) }), false);
  });
  await first;
  assert.equal(await second, writes + 1);
  await store.close();
});

test('the limit of the disk is noticed while messages are kept back, before there are very many of them', async () => {
  const usage = new Usage(new BrokerCounters(), silentLog);
  usage.limits = { ...usage.limits, storeBytes: 1024 * 1024 };
  const store = await open(new FragileFiles(), { usage });
  const session = store.createSession('c');
  let count = 0;
  for (; !usage.store.isFull && count < 1_000; count++) session.push(message('t', 'x'.repeat(10_000)), AT_ONCE);
  assert.ok(count < 115, `${count} messages`);
  await store.close();
});

test('memory that is short while a message is stored does not take that message before it is written', async () => {
  const usage = new Usage(new BrokerCounters(), silentLog);
  const store = await open(new FragileFiles(), { usage, cacheBytes: 0 });
  usage.limits = { ...usage.limits, memoryBytes: 1_000 };
  const session = store.createSession('c');
  await store.flushed();
  for (const delivery of [WRITTEN, AT_ONCE]) {
    const sequence = session.push(message('t', 'x'.repeat(5_000), 2), delivery);
    assert.notEqual(usage.lacking(MEMORY), null);
    assert.equal(session.get(sequence)?.message.payload.length, 5_000);
  }
  await store.close();
});

test('who asks for all to be flushed waits for what nobody is promised, too, also when that is on its way already', async () => {
  const files = new FragileFiles();
  const store = await open(files);
  const session = store.createSession('c');
  session.push(message('t', '1'), AT_ONCE);
  await store.flushed();
  files.syncMs = 50;
  session.remove(1);
  const { writes } = files;
  await until(() => files.writes > writes, 'the removal to be written, unhurried');
  await store.flushed();
  assert.deepEqual(await afterPowerFailure(files), { c: [] });
  await store.close();
});

test('what is said while a batch is on its way is durable with the next one: one that has nothing to write for messages does not stand for it', async () => {
  const files = new FragileFiles();
  const store = await open(files);
  const session = store.createSession('c');
  await store.flushed();
  files.syncMs = 50;
  session.push(message('t', '1'), AT_ONCE);
  const first = promised(store);
  const { writes } = files;
  await until(() => files.writes > writes, 'the batch to be on its way');
  session.push(message('t', '2'), AT_ONCE);
  const second = new Promise<void>((resolve) => {
    assert.equal(store.whenBatchDurable({ onDurable: resolve }), false);
  });
  await first;
  assert.deepEqual(await afterPowerFailure(files), { c: ['1 1'] });
  await second;
  assert.deepEqual(await afterPowerFailure(files), { c: ['1 1', '2 2'] });
  await store.close();
});

test('what nobody waits for yet is not taken for durable when messages beside it need no write', async () => {
  const files = new FragileFiles();
  const store = await open(files);
  const session = store.createSession('c');
  await store.flushed();
  files.syncMs = 20;
  session.push(message('t', '1'), AT_ONCE);
  const first = promised(store);
  const { writes } = files;
  await until(() => files.writes > writes, 'the batch to be on its way');
  session.setAttribute('a', Buffer.from('v'));
  const { position } = store;
  await first;
  for (let i = 0; i < 10; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    const isThere = (await open(files.afterPowerFailure(nothingSynced))).sessionsById.values().next().value!.attributes.has('a');
    assert.equal(store.durable >= position, isThere);
  }
  await store.close();
});

test('whatever is pushed, acknowledged and cut off: all that is promised is there, in order, and nothing that was never said', async () => {
  const step = fc.record({
    do: fc.constantFrom('push', 'push', 'push', 'remove', 'remove', 'received', 'retain', 'note', 'turn', 'checkpoint', 'power'),
    session: fc.nat(2),
    other: fc.nat(5),
    qos: fc.constantFrom(1 as const, 1 as const, 2 as const),
    cut: fc.nat(400),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
      let files = new FragileFiles();
      let store = await open(files, { segmentBytes: 2_048, cacheBytes: 300 });
      const sessionOf = (i: number): StoredSession =>
        [...store.sessions()].find(({ clientId }) => clientId === `c${i}`) ?? store.createSession(`c${i}`);
      for (let i = 0; i < 3; i++) sessionOf(i);
      await store.flushed();
      /** Who still needs what was promised: payloads by session; and what was ever pushed to each. */
      const owed = [new Set<string>(), new Set<string>(), new Set<string>()];
      const pushed = [new Set<string>(), new Set<string>(), new Set<string>()];
      let waiting: { position: number; keep: () => void }[] = [];
      let counter = 0;
      for (const { do: what, session: at, other, qos, cut } of steps) {
        const session = sessionOf(at);
        if (what === 'push') {
          const text = `m${counter++}`;
          const sent = message(`t${counter % 3}`, text, qos);
          const receivers = [...new Set([at, other])].filter((i) => i < 3);
          for (const i of receivers) {
            sessionOf(i).push(sent, i === at ? { ...AT_ONCE, qos } : AT_ONCE);
            pushed[i]!.add(text);
          }
          if (qos === 2) sessionOf(at).addReceived((counter % 50) + 1);
          const keep = (): void => {
            for (const i of receivers) owed[i]!.add(text);
          };
          waiting.push({ position: store.position, keep });
        } else if (what === 'remove') {
          const sequence = session.first + (other % Math.max(1, session.next - session.first));
          const text = session.get(sequence)?.message.payload.toString();
          session.remove(sequence);
          if (text === undefined) continue;
          owed[at]!.delete(text);
          const gone = text;
          waiting = waiting.map(({ position, keep }) => ({
            position,
            keep: () => {
              const had = owed[at]!.has(gone);
              keep();
              if (!had) owed[at]!.delete(gone);
            },
          }));
        } else if (what === 'received') {
          session.deleteReceived(other);
        } else if (what === 'retain') {
          store.retain(`r${other}`, message(`r${other}`, `${counter}`), stamp(counter++));
        } else if (what === 'note') {
          const { position } = store;
          sessionOf(at).push(message('n', `m${counter}`), AT_ONCE);
          pushed[at]!.add(`m${counter}`);
          session.note(STORED, counter++, position);
        } else if (what === 'turn') {
          for (let i = 0; i <= other; i++) await new Promise((resolve) => setImmediate(resolve));
        } else if (what === 'checkpoint') {
          await store.writeCheckpoint();
        } else {
          for (const { position, keep } of waiting) if (position <= store.durable) keep();
          waiting = [];
          const failed = files.afterPowerFailure((tail) => tail.subarray(0, cut));
          await store.close();
          files = failed;
          store = await open(files, { segmentBytes: 2_048, cacheBytes: 300 });
          for (let i = 0; i < 3; i++) {
            const texts = payloadsOf(sessionOf(i)).map((line) => line.split(' ')[1]!);
            const missing = [...owed[i]!].filter((text) => !texts.includes(text));
            assert.deepEqual(missing, [], 'what was promised');
            assert.deepEqual(
              texts.filter((text) => !pushed[i]!.has(text)),
              [],
              'what was never said',
            );
            const numbers = texts.map((text) => Number(text.slice(1)));
            assert.deepEqual(
              numbers,
              [...numbers].sort((one, two) => one - two),
              'in order',
            );
            // What was not promised and is there all the same is owed from now on.
            owed[i] = new Set(texts);
          }
        }
      }
      await store.close();
    }),
    { numRuns: 100 * SOAK_FACTOR },
  );
});
