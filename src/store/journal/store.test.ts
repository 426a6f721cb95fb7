import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { FragileFiles } from '../../../test/harness/fragile-files.ts';
import { SOAK_FACTOR } from '../../../test/harness/soak.ts';
import { contentOf } from '../../../test/harness/store-model.ts';
import { Message, type QoS } from '../../core/message.ts';
import { DONE, RELEASED, STORED, type StoredSession, VOLATILE, WAITING } from '../../core/store.ts';
import type { Facts, Log } from '../../telemetry/log.ts';
import { PLACES, RECORD_HEADER_BYTES, SESSION_STATE, sealRecord } from './record.ts';
import { JournalStore, type JournalStoreOptions } from './store.ts';

class Lines implements Log {
  readonly lines: { level: string; message: string; facts: Facts | undefined }[] = [];
  debug(): void {}
  info(message: string, facts?: Facts): void {
    this.lines.push({ level: 'info', message, facts });
  }
  warn(message: string, facts?: Facts): void {
    this.lines.push({ level: 'warn', message, facts });
  }
  error(message: string, facts?: Facts): void {
    this.lines.push({ level: 'error', message, facts });
  }
  child(): Log {
    return this;
  }
  ofLevel(level: string): string[] {
    return this.lines.filter((line) => line.level === level).map(({ message }) => message);
  }
}

const FORM = { decode: () => null, encode: () => Buffer.alloc(0) };
const AT_ONCE = { qos: 1, retain: false, identifiers: [] } as const;
const NOW_MS = Date.UTC(2026, 0, 1);

function open(files: FragileFiles, options: Partial<JournalStoreOptions> = {}): Promise<JournalStore> {
  return JournalStore.open({
    files,
    log: new Lines(),
    propertiesForm: FORM,
    cacheBytes: 1024 * 1024,
    retryMs: 1,
    ...options,
  });
}

function message(topic: string, payload: string, qos: QoS = 1): Message {
  return Message.of(topic, Buffer.from(payload), qos);
}

function stamp(counter: number): { wallMs: number; counter: number; brokerId: string } {
  return { wallMs: NOW_MS, counter, brokerId: 'b' };
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let i = 0; !condition(); i++) {
    if (i > 10_000) assert.fail(`waited for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

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
      assert.equal(contentOf(again), contentOf(store));
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
      for (const each of [session, other]) each.push(both, { ...AT_ONCE, qos: 2, identifiers: [number + 1] });
      break;
    }
    default:
      session.remove(at);
  }
}

/** Which messages live, by journal file. */
function livingOf({ messages }: JournalStore): Record<string, number> {
  return Object.fromEntries(messages.segments.filter(({ isPinned }) => isPinned).map(({ name, live, moved }) => [name, live + moved]));
}

/** A store with a synced part and a tail that is not, and what it held after each step of the tail. */
async function withUnsyncedTail(t: TestContext): Promise<{ files: FragileFiles; name: string; states: string[] }> {
  const files = new FragileFiles();
  const store = await open(files);
  t.after(() => store.close());
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
  const name = files.list().find((file) => file.endsWith('.log'))!;
  await until(() => files.unsynced(name) > 0, 'the tail to be written');
  return { files, name, states };
}

test('a journal cut at every byte of its unsynced tail comes back as it was after some step, never less than was synced', async (t) => {
  const { files, name, states } = await withUnsyncedTail(t);
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

test('whichever pages of the unsynced tail are zero or missing, nothing is invented and nothing synced is lost', async (t) => {
  const { files, name, states } = await withUnsyncedTail(t);
  const length = files.unsynced(name);
  const page = 64;
  const pages = Math.ceil(length / page);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { minLength: pages, maxLength: pages }), fc.nat(length), async (lost, end) => {
      const again = await open(
        files.afterPowerFailure((tail) => {
          const bytes = Buffer.from(tail.subarray(0, end));
          for (let i = 0; i < pages; i++) if (lost[i]!) bytes.subarray(i * page, (i + 1) * page).fill(0);
          return bytes;
        }),
      );
      assert.ok(states.includes(contentOf(again)), 'a state that never was');
      await again.close();
    }),
    { numRuns: 150 * SOAK_FACTOR },
  );
});

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

test('files that nobody needs go, and a few messages that keep an old one are moved on', async () => {
  const files = new FragileFiles();
  const store = await open(files, { segmentBytes: 4_096 });
  const forgotten = store.createSession('forgotten');
  const session = store.createSession('c');
  for (let i = 1; i <= 2_000; i++) {
    const sent = message('t', `payload ${i}`);
    if (i % 200 === 0) forgotten.push(sent, AT_ONCE);
    session.remove(session.push(sent, AT_ONCE));
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

/** A store with files in which little lives, and two checkpoints behind them. */
async function storeWithOldFiles(files: FragileFiles): Promise<JournalStore> {
  const store = await open(files, { segmentBytes: 4_096 });
  const forgotten = store.createSession('forgotten');
  const session = store.createSession('c');
  for (let i = 0; i < 1_000; i++) {
    if (i % 50 === 0) forgotten.push(message('t', `kept ${i}`), AT_ONCE);
    session.remove(session.push(message('t', `payload ${i}`), AT_ONCE));
    if (i % 20 === 0) await store.flushed();
  }
  await store.writeCheckpoint();
  await store.writeCheckpoint();
  return store;
}

test('a message that was moved out of a file that went after the last checkpoint is there after a kill', async () => {
  const files = new FragileFiles();
  const store = await storeWithOldFiles(files);
  const before = files.list().length;
  await store.tidy(); // moves what lives in one file
  await store.tidy(); // and removes the file
  assert.ok(files.list().length < before, 'a file has gone');
  const log = new Lines();
  const again = await open(files.afterKill(), { log });
  assert.equal(contentOf(again), contentOf(store));
  assert.deepEqual(log.ofLevel('error'), []);
  await Promise.all([store.close(), again.close()]);
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
      session.remove(session.push(message('t', `payload ${i}`), AT_ONCE));
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

test('after a restart, too, the checkpoint before the newest has the journal that it needs', async () => {
  const files = new FragileFiles();
  const store = await open(files, { segmentBytes: 4_096 });
  await store.writeCheckpoint();
  const session = store.createSession('c');
  session.setAttribute('kept', Buffer.from('said in a file without messages that live'));
  for (let i = 0; i < 500; i++) session.remove(session.push(message('t', `payload ${i}`), AT_ONCE));
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
  const checkpoint = Buffer.from(other.contentOf('checkpoint-00000001.bin'));
  for (let at = 0; at < checkpoint.length; at += RECORD_HEADER_BYTES + checkpoint.readUInt32BE(at + 4)) {
    const end = at + RECORD_HEADER_BYTES + checkpoint.readUInt32BE(at + 4);
    if (checkpoint[at + 8] === SESSION_STATE) sealRecord(checkpoint, at, end, PLACES); // the same bytes meant something else
  }
  other.put('checkpoint-00000001.bin', checkpoint);
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

test('messages are found on both sides of files that have none', async () => {
  const files = new FragileFiles();
  const store = await open(files, { segmentBytes: 1_024, cacheBytes: 0 });
  const session = store.createSession('c');
  const fill = async (topic: string): Promise<void> => {
    const { number } = store.present;
    for (let i = 0; store.present.number < number + 2; i++) {
      if (topic === '') session.setAttribute('a', Buffer.alloc(200, i));
      else session.push(message(topic, 'p'.repeat(200)), AT_ONCE);
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
    while (store.present.number === number) sessions[file % 2]!.push(message('t', `in file ${file}`), AT_ONCE);
    await store.flushed();
  }
  const [{ next }] = sessions;
  for (let sequence = 1; sequence < next; sequence++) sessions[0].remove(sequence);
  await store.writeCheckpoint();
  const again = await open(files.afterKill());
  assert.equal(contentOf(again), contentOf(store));
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
    for (let i = 0; i < 100; i++) session.remove(session.push(message('t', 'p'.repeat(50)), AT_ONCE));
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

test('a store that is closed while it tidies up closes each file once', async () => {
  const log = new Lines();
  const store = await open(new FragileFiles(), { segmentBytes: 1_024, log });
  const session = store.createSession('c');
  for (let i = 0; i < 1_000; i++) session.remove(session.push(message('t', `${i}`), AT_ONCE));
  await store.flushed();
  await store.writeCheckpoint();
  await store.writeCheckpoint();
  await Promise.all([store.tidy(), store.close()]);
  assert.deepEqual(log.lines, []);
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
