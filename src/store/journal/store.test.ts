import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FragileFiles } from '../../../test/harness/fragile-files.ts';
import { AT_ONCE, message, open, stamp, until, WRITTEN } from '../../../test/harness/journal-store.ts';
import { SOAK_FACTOR } from '../../../test/harness/soak.ts';
import { contentOf } from '../../../test/harness/store-model.ts';
import { DONE, RELEASED, STORED, type StoredSession, VOLATILE, WAITING } from '../../core/store.ts';

test('what was appended is there after a kill, in order, with everything that was said of it', async () => {
  const files = new FragileFiles();
  const store = await open(files);
  const session = store.createSession('c');
  const other = store.createSession('d');
  const shared = message('a', 'for both');
  assert.equal(session.push(shared, { qos: 1, retain: true, identifiers: [7, 300] }), 1);
  assert.equal(other.push(shared, AT_ONCE), 1);
  for (let i = 2; i <= 5; i++) session.push(message('a', `${i}`, 2), { qos: 2, retain: false, identifiers: [] });
  session.release(3);
  session.release(2);
  session.remove(4);
  session.addReceived(9);
  session.addReceived(10);
  session.deleteReceived(9);
  session.setAttribute('x', Buffer.from('y'));
  session.setAttribute('gone', Buffer.from('y'));
  session.setAttribute('gone', null);
  store.retain('r', message('r', 'kept'), stamp(1));
  store.retain('r2', message('r2', 'kept'), stamp(2));
  store.retain('r2', null, stamp(3));
  await store.flushed();
  const again = await open(files.afterKill());
  assert.equal(contentOf(again), contentOf(store));
  const [c] = [...again.sessions()] as [StoredSession];
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6].map((sequence) => c.stateOf(sequence)),
    [WAITING, RELEASED, RELEASED, DONE, WAITING, DONE],
  );
  assert.deepEqual(c.released(), [3, 2]);
  assert.deepEqual(c.get(1)!.identifiers, [7, 300]);
  await Promise.all([store.close(), again.close()]);
});

test('what a killed process had written and not synced is safe once it was read: a power failure after the restart does not take it', async () => {
  const files = new FragileFiles();
  const store = await open(files, { segmentBytes: 256 });
  const session = store.createSession('c');
  await store.flushed();
  files.onSync = () => new Promise(() => {}); // the process is killed before a sync is through
  for (let i = 1; i <= 3; i++) {
    session.push(message('a', 'x'.repeat(100)), AT_ONCE);
    session.addReceived(i);
  }
  await until(() => [...files.list()].some((name) => files.unsynced(name) > 0), 'a write');
  const killed = files.afterKill();
  const again = await open(killed);
  const [read] = [...again.sessions()] as [StoredSession];
  assert.ok(read.received.has(1), 'the repetition of this PUBLISH is answered with PUBREC at once');
  assert.equal(again.durable, again.position);
  const after = await open(killed.afterPowerFailure(() => Buffer.alloc(0)));
  assert.equal(contentOf(after), contentOf(again));
  await Promise.all([again.close(), after.close()]);
});

test('the broker is the same one at every start, and linked brokers are apart from sessions, whatever clients call themselves', async () => {
  const files = new FragileFiles();
  const store = await open(files);
  assert.equal(store.brokerId('ID:first'), 'ID:first');
  const peer = store.createPeer('ID:peer');
  store.createSession('peer/ID:peer');
  peer.push(message('a', '1'), { qos: 1, retain: false, identifiers: [1, 2 ** 40] });
  peer.setAttribute('x', Buffer.from('y'));
  await store.flushed();
  for (const between of ['kill', 'checkpoint']) {
    if (between === 'checkpoint') await store.writeCheckpoint();
    const again = await open(files.afterKill());
    assert.equal(again.brokerId('ID:second'), 'ID:first', between);
    assert.deepEqual(
      [[...again.sessions()].map(({ clientId }) => clientId), [...again.peers()].map(({ clientId }) => clientId)],
      [['peer/ID:peer'], ['ID:peer']],
    );
    assert.equal(contentOf(again), contentOf(store), between);
    await again.close();
  }
  await store.close();
});

test('how far a linked broker has come is stored together with what was stored for its message, and not for one that stored nothing', async () => {
  const files = new FragileFiles();
  const store = await open(files);
  const session = store.createSession('c');
  const peer = store.createPeer('ID:peer');
  await store.flushed();
  const written = store.writtenBytes;
  for (let i = 1; i <= 5; i++) peer.note(VOLATILE, i, store.position);
  await store.flushed();
  assert.deepEqual([store.writtenBytes, peer.noted(VOLATILE), peer.noted(STORED)], [written, 5, 0]);
  const { position } = store;
  session.push(message('a', '1'), AT_ONCE);
  peer.note(STORED, 7, position);
  await store.flushed();
  // Whatever is cut off of the end, the message and the number are there both or not at all.
  const [name] = files.list().filter((each) => each.startsWith('journal')) as [string];
  const whole = files.contentOf(name);
  for (let cut = 0; cut < 40; cut++) {
    const cutFiles = files.afterKill();
    cutFiles.put(name, whole.subarray(0, whole.length - cut));
    const again = await open(cutFiles);
    const [c] = [...again.sessions()] as [StoredSession];
    const [p] = [...again.peers()] as [StoredSession];
    assert.deepEqual([c.size, p.noted(STORED)], cut === 0 ? [1, 7] : [0, 0], `${cut} bytes cut off`);
    await again.close();
  }
  const before = store.position;
  session.push(message('a', '2'), AT_ONCE);
  session.setAttribute('x', Buffer.from('with the message'), true); // does not end the message's record
  session.addReceived(4);
  assert.equal(store.position - before < 120, true);
  session.push(message('a', '3'), AT_ONCE);
  session.remove(1); // ends it
  peer.note(STORED, 8, before);
  await store.flushed();
  const again = await open(files.afterKill());
  assert.equal([...again.peers()][0]!.noted(STORED), 8);
  await Promise.all([store.close(), again.close()]);
});

test('a message with a thousand receivers is stored once', async () => {
  const store = await open(new FragileFiles());
  const sessions = Array.from({ length: 1_000 }, (_, i) => store.createSession(`c${i}`));
  await store.flushed();
  const before = store.writtenBytes;
  const shared = message('a', 'x'.repeat(10_000));
  for (const session of sessions) session.push(shared, AT_ONCE);
  await store.flushed();
  assert.ok(store.writtenBytes - before < 10_000 + 1_000 * 10, `${store.writtenBytes - before} bytes`);
  await store.close();
});

test('files without any message between others hide none', async () => {
  const files = new FragileFiles();
  const store = await open(files, { segmentBytes: 4_096, cacheBytes: 0 });
  const session = store.createSession('c');
  session.push(message('a', 'first'), AT_ONCE);
  for (let i = 0; i < 1_000; i++) session.setAttribute('n', Buffer.from(`value ${i}`));
  for (let i = 0; i < 200; i++) session.push(message('a', `payload ${i}`), AT_ONCE);
  await store.flushed();
  assert.ok(store.messages.segments.length > 5);
  const expected = ['first', ...Array.from({ length: 200 }, (_, i) => `payload ${i}`)];
  const payloads = (of: StoredSession): (string | undefined)[] => expected.map((_, i) => of.get(i + 1)?.message.payload.toString());
  assert.deepEqual(payloads(session), expected);
  await store.writeCheckpoint();
  await store.writeCheckpoint();
  await store.tidy();
  assert.deepEqual(payloads(session), expected);
  const again = await open(files.afterKill(), { segmentBytes: 4_096, cacheBytes: 0 });
  assert.deepEqual(payloads([...again.sessions()][0]!), expected);
  await Promise.all([store.close(), again.close()]);
});

test('messages beyond the cache are read from disk, in files that were full long ago too', async () => {
  const store = await open(new FragileFiles(), { cacheBytes: 2_000, segmentBytes: 4_096 });
  const session = store.createSession('c');
  for (let i = 1; i <= 500; i++) {
    session.push(message('t', `payload ${i}`), AT_ONCE);
    if (i % 50 === 0) await store.flushed();
  }
  await store.flushed();
  assert.ok(store.messages.cacheBytes <= 2_000);
  assert.ok(store.messages.segments.length > 3);
  for (let i = 1; i <= 500; i++) assert.equal(session.get(i)!.message.payload.toString(), `payload ${i}`);
  await store.close();
});

test('messages are found on both sides of files that have none', async () => {
  const files = new FragileFiles();
  const store = await open(files, { segmentBytes: 1_024, cacheBytes: 0 });
  const session = store.createSession('c');
  const fill = async (topic: string): Promise<void> => {
    const { number } = store.present;
    for (let i = 0; store.present.number < number + 2; i++) {
      if (topic === '') session.setAttribute('a', Buffer.alloc(200, i));
      else session.push(message(topic, 'p'.repeat(200)), WRITTEN);
    }
    await store.flushed();
  };
  await fill('first');
  await fill('');
  await fill('second');
  await fill('');
  await fill('third');
  const topics = (of: StoredSession): (string | undefined)[] => Array.from({ length: of.size }, (_, i) => of.get(i + 1)?.message.topic);
  const expected = topics(session);
  assert.deepEqual([...new Set(expected)], ['first', 'second', 'third']);
  await store.writeCheckpoint();
  await store.writeCheckpoint();
  await store.tidy();
  assert.deepEqual(topics(session), expected);
  const again = await open(files.afterKill());
  assert.deepEqual(topics([...again.sessions()][0]!), expected);
  await Promise.all([store.close(), again.close()]);
});

test('messages are found behind a file whose messages were all done with when the checkpoint was written', async () => {
  const files = new FragileFiles();
  const store = await open(files, { segmentBytes: 1_024 });
  const sessions = ['done', 'kept'].map((clientId) => store.createSession(clientId)) as [StoredSession, StoredSession];
  for (let file = 0; file < 7; file++) {
    const { number } = store.present;
    while (store.present.number === number) sessions[file % 2]!.push(message('t', `in file ${file}`), WRITTEN);
    await store.flushed();
  }
  const [{ next }] = sessions;
  for (let sequence = 1; sequence < next; sequence++) sessions[0].remove(sequence);
  await store.writeCheckpoint();
  const again = await open(files.afterKill());
  assert.equal(contentOf(again), contentOf(store));
  await Promise.all([store.close(), again.close()]);
});

type Step =
  | { do: 'push'; sessions: number[]; size: number; retain: boolean }
  | { do: 'remove' | 'release' | 'received' | 'drop'; session: number; at: number }
  | { do: 'flush' | 'checkpoint' | 'tidy' | 'kill' | 'power'; session: number; at: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('push' as const),
      sessions: fc.array(fc.nat(3), { maxLength: 4 }),
      size: fc.nat(300),
      retain: fc.boolean(),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom('remove' as const, 'release' as const, 'received' as const),
      session: fc.nat(3),
      at: fc.nat(50),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drop' as const), session: fc.nat(3), at: fc.nat(3) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('flush' as const, 'checkpoint' as const, 'tidy' as const, 'kill' as const, 'power' as const),
      session: fc.nat(3),
      at: fc.nat(50),
    }),
  },
);

test('whatever is done, checkpointed, moved, killed or cut off in any order: what was durable is there and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 120 }), async (steps) => {
      let files = new FragileFiles();
      const options = { cacheBytes: 500, segmentBytes: 1_024 };
      let store = await open(files, options);
      let counter = 0;
      const sessionOf = (i: number): StoredSession =>
        [...store.sessions()].find(({ clientId }) => clientId === `c${i}`) ?? store.createSession(`c${i}`);
      for (const s of steps) {
        counter++;
        if (s.do === 'push') {
          const sent = message(`t${counter % 5}`, 'p'.repeat(s.size) + counter, 2);
          if (s.retain) store.retain(sent.topic, sent, stamp(counter));
          for (const i of new Set(s.sessions)) sessionOf(i).push(sent, { qos: 2, retain: false, identifiers: [] });
          if (s.sessions[0] !== undefined) sessionOf(s.sessions[0]).addReceived((counter % 100) + 1);
          const peer = [...store.peers()][0] ?? store.createPeer('ID:p');
          if (counter % 3 === 0) peer.push(sent, { qos: 2, retain: false, identifiers: [1, counter] });
          if (counter % 4 === 0) peer.setAttribute(`x/${counter % 7}`, s.retain ? null : Buffer.from(`${counter}`), counter % 8 === 0);
          peer.note(STORED, counter, -1);
          const origin = [...store.origins()][0] ?? store.createOrigin('ID:o:1:1');
          if (counter % 5 !== 0 && origin.window.note(counter * 3) === 'new') origin.store(counter * 3, -1);
        } else if (s.do === 'kill' || s.do === 'power') {
          await store.flushed();
          const expected = contentOf(store);
          files = s.do === 'kill' ? files.afterKill() : files.afterPowerFailure((tail) => tail.subarray(0, s.at));
          await store.close();
          store = await open(files, options);
          assert.equal(contentOf(store), expected);
        } else if (s.do === 'flush') {
          await store.flushed();
        } else if (s.do === 'checkpoint') {
          await store.writeCheckpoint();
        } else if (s.do === 'tidy') {
          await store.tidy();
        } else {
          const session = sessionOf(s.session);
          const sequence = session.first + (s.at % Math.max(1, session.next - session.first));
          if (s.do === 'remove') session.remove(sequence);
          else if (s.do === 'release') session.release(sequence);
          else if (s.do === 'received') session.deleteReceived(s.at);
          else if (s.at === 0) session.drop();
        }
      }
      const expected = contentOf(store);
      await store.close();
      assert.equal(contentOf(await open(files.afterKill(), options)), expected);
    }),
    { numRuns: 60 * SOAK_FACTOR },
  );
});
