import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Message, type QoS } from '../../src/core/message.ts';
import { type Delivery, DONE, RELEASED, type Store, WAITING } from '../../src/core/store.ts';

const QOS_1: Delivery = { qos: 1, retain: false, identifiers: [] };
const QOS_2: Delivery = { qos: 2, retain: false, identifiers: [] };

/** What every `Store` does, whether it outlives the process or not. */
export function testStoreContract(name: string, open: () => Promise<Store>): void {
  const rule = (sentence: string, body: (store: Store) => void | Promise<void>): void => {
    test(`${name}: ${sentence}`, async () => {
      const store = await open();
      try {
        await body(store);
      } finally {
        await store.close();
      }
    });
  };

  rule('sequences begin at 1, are given in order and never twice, also when all is done with', (store) => {
    const session = store.createSession('c');
    assert.deepEqual([session.first, session.next, session.size], [1, 1, 0]);
    for (let i = 1; i <= 3; i++) assert.equal(session.push(message(`${i}`), QOS_1), i);
    for (let i = 1; i <= 3; i++) session.remove(i);
    assert.deepEqual([session.first, session.next, session.size, session.bytes], [4, 4, 0, 0]);
    assert.equal(session.push(message('4'), QOS_1), 4);
  });

  rule('first is the oldest message that is not done with, in whatever order others are', (store) => {
    const session = store.createSession('c');
    for (let i = 1; i <= 5; i++) session.push(message(`${i}`), QOS_1);
    session.remove(3);
    session.remove(1);
    assert.deepEqual([session.first, session.size], [2, 3]);
    session.remove(2);
    assert.equal(session.first, 4);
    session.remove(2);
    session.remove(99);
    assert.deepEqual([session.first, session.size], [4, 2]);
    const states = [0, 1, 2, 3, 4, 5, 6].map((sequence) => session.stateOf(sequence));
    assert.deepEqual(states, [DONE, DONE, DONE, DONE, WAITING, WAITING, DONE]);
  });

  rule('a message comes back with all that was said of its delivery', (store) => {
    const session = store.createSession('c');
    const sent = Message.of('a/b', Buffer.from('payload'), 2);
    session.push(sent, { qos: 2, retain: true, identifiers: [1, 268_435_455] });
    const found = session.get(1)!;
    assert.deepEqual([found.message.topic, found.message.payload.toString(), found.message.qos], ['a/b', 'payload', 2]);
    assert.deepEqual([found.qos, found.retain, found.identifiers], [2, true, [1, 268_435_455]]);
    assert.equal(session.qosOf(1), 2);
    assert.equal(session.bytes, sent.size);
    assert.equal(session.get(2), null);
  });

  rule('a message whose bytes are borrowed is kept: what they were borrowed from may change', (store) => {
    const session = store.createSession('c');
    const buffer = Buffer.from('before');
    session.push(new Message('t', 1, false, buffer, 0, buffer.length, true, null, 0, null, null), QOS_1);
    buffer.fill('x');
    assert.equal(session.get(1)!.message.payload.toString(), 'before');
  });

  rule('a message that is released is not had any more, and its sequence is, in the order of releases', (store) => {
    const session = store.createSession('c');
    for (let i = 1; i <= 4; i++) session.push(message(`${i}`, 2), QOS_2);
    session.release(3);
    session.release(1);
    session.release(3);
    assert.deepEqual(session.released(), [3, 1]);
    assert.deepEqual([session.stateOf(1), session.get(1), session.size, session.first], [RELEASED, null, 4, 1]);
    session.remove(3);
    assert.deepEqual(session.released(), [1]);
    session.release(3);
    session.release(9);
    assert.deepEqual(session.released(), [1]);
    const sizes = [2, 4].map((sequence) => session.get(sequence)!.message.size);
    assert.equal(session.bytes, sizes[0]! + sizes[1]!);
  });

  rule('Packet Identifiers that were received are known until they are deleted', (store) => {
    const session = store.createSession('c');
    session.addReceived(1);
    session.addReceived(65_535);
    session.addReceived(1);
    session.deleteReceived(2);
    assert.deepEqual([...session.received].sort(), [1, 65_535]);
    session.deleteReceived(1);
    assert.deepEqual([...session.received], [65_535]);
  });

  rule('sessions are those that were made and not dropped, and what one has is its own', (store) => {
    const [a, b] = [store.createSession('a'), store.createSession('b')];
    const both = message('both');
    a.push(both, QOS_1);
    b.push(both, QOS_1);
    a.remove(1);
    assert.equal(b.get(1)!.message.payload.toString(), 'both');
    a.drop();
    assert.deepEqual(
      [...store.sessions()].map(({ clientId }) => clientId),
      ['b'],
    );
    const anew = store.createSession('a');
    assert.deepEqual([anew.first, anew.size, anew.received.size, anew.attributes.size], [1, 0, 0, 0]);
  });

  rule('positions only grow, and what was appended before one is durable when its listener is called, in order', async (store) => {
    const order: number[] = [];
    const session = store.createSession('c');
    let last = store.position;
    const all = Array.from({ length: 20 }, (_, i) => {
      session.push(message(`${i}`), QOS_1);
      const { position } = store;
      assert.ok(position >= last);
      last = position;
      return new Promise<void>((resolve) => {
        store.whenDurable(position, {
          onDurable() {
            assert.ok(store.durable >= position);
            order.push(i);
            resolve();
          },
        });
      });
    });
    await Promise.all(all);
    assert.deepEqual(
      order,
      Array.from({ length: 20 }, (_, i) => i),
    );
    assert.deepEqual([store.failure, store.isBehind], [null, false]);
  });

  rule('who waits for a batch is told of it, or that there is nothing to wait for', async (store) => {
    const session = store.createSession('c');
    session.push(message('1'), QOS_1);
    const calls: string[] = [];
    await new Promise<void>((resolve) => {
      const listener = {
        onBatch: () => calls.push('batch'),
        onDurable: () => {
          calls.push('durable');
          resolve();
        },
      };
      if (store.whenBatchDurable(listener)) resolve();
    });
    assert.deepEqual(calls, calls.length === 0 ? [] : ['batch', 'durable']);
    assert.equal(store.durable, store.position);
    assert.equal(store.whenBatchDurable({ onDurable: () => calls.push('never') }), true);
    assert.ok(!calls.includes('never'));
  });

  rule('a hundred thousand messages of one session come back in order while others are done with', (store) => {
    const session = store.createSession('c');
    const count = 100_000;
    for (let i = 1; i <= count; i++) session.push(message(`${i}`), QOS_1);
    for (let i = 1; i <= count; i++) if (i % 3 !== 0) session.remove(i);
    assert.deepEqual([session.first, session.size], [3, Math.floor(count / 3)]);
    for (let i = 3; i <= count; i += 3 * 1_111) assert.equal(session.get(i)!.message.payload.toString(), `${i}`);
  });
}

function message(payload: string, qos: QoS = 1): Message {
  return Message.of('t', Buffer.from(payload), qos);
}
