import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BrokerCounters } from '../../core/counters.ts';
import { MemoryStore } from '../../core/memory-store.ts';
import { Message } from '../../core/message.ts';
import { Usage } from '../../core/usage.ts';
import { GroupAddress } from '../../protocols/openwire/group-address.ts';
import { createBrokerPath, createOrigin, LinkTransit } from '../../protocols/openwire/message-origin.ts';
import { PublicationForm } from '../../protocols/openwire/publication-form.ts';
import { PublicationReader } from '../../protocols/openwire/publication-reader.ts';
import { silentLog } from '../../telemetry/log.ts';
import { StoredOutbox } from './stored-outbox.ts';

const LIMITS = { messages: 1_000, bytes: 1_000_000, provenances: 100 };

function setUp(limits = LIMITS) {
  const store = new MemoryStore(new Usage(new BrokerCounters(), silentLog));
  const form = new PublicationForm('ID:us', 'ID:us-1', () => 1);
  const stored = store.createPeer('ID:peer');
  const outbox = new StoredOutbox({ store, stored, form, limits, onSafe() {} });
  const push = (text: string, address: GroupAddress | null = null, passedOn: LinkTransit | null = null): boolean =>
    outbox.push(Message.of('t', Buffer.from(text), 1), address, passedOn);
  const reader = new PublicationReader(128);
  /** Sends everything there is, with command ids counted from `firstId`; returns what went out as `number:text`. */
  const sendAll = (firstId: number): string[] => {
    const sent: string[] = [];
    for (let next = outbox.next(), id = firstId; next !== null; next = outbox.next(), id++) {
      sent.push(`${outbox.nextNumber}:${next.payload}`);
      outbox.nextSent(id);
    }
    return sent;
  };
  /** What the next frame says of where the message comes from. */
  const nextId = (): string => {
    outbox.next();
    const { buffer, start, end } = outbox.nextFrame;
    assert.equal(reader.read(buffer, start + 4, end), true);
    const { origin, sequence, path, group } = reader;
    return `${origin.text}:${sequence} ${path.ids.join()}${group === null ? '' : ` to ${group.name} at ${group.brokerId}`}`;
  };
  return { store, form, stored, outbox, push, sendAll, nextId };
}

test('messages leave in order; an acknowledged one is done with, in whatever order answers come', () => {
  const { outbox, push, sendAll, stored } = setUp();
  for (const text of ['a', 'b', 'c']) push(text);
  assert.deepEqual(sendAll(5), ['1:a', '2:b', '3:c']);
  assert.equal(outbox.acknowledge(6), true);
  assert.deepEqual([outbox.acknowledge(6), outbox.acknowledge(4), outbox.acknowledge(99)], [false, false, false]);
  assert.deepEqual([outbox.size, outbox.inFlight, outbox.isBehind], [2, 3, false]);
  push('d');
  assert.equal(outbox.isBehind, true);
  assert.deepEqual(sendAll(8), ['4:d']);
  for (const id of [7, 5, 8]) assert.equal(outbox.acknowledge(id), true);
  assert.deepEqual([outbox.size, outbox.bytes, outbox.inFlight, stored.first], [0, 0, 0, 5]);
});

test('command ids go round and are found all the same', () => {
  const { outbox, push } = setUp();
  const ids = [0x7fff_fffe, 0x7fff_ffff, 1, 2];
  for (const id of ids) {
    push(`${id}`);
    outbox.next();
    outbox.nextSent(id);
  }
  for (const id of [1, 0x7fff_ffff, 2, 0x7fff_fffe]) assert.equal(outbox.acknowledge(id), true, `${id}`);
  assert.equal(outbox.size, 0);
});

test('after a broken link what was not acknowledged is sent again under its number, and not what the peer says to have', () => {
  const { outbox, push, sendAll } = setUp();
  for (const text of ['a', 'b', 'c', 'd']) push(text);
  sendAll(1);
  outbox.acknowledge(2);
  outbox.rewind();
  outbox.acknowledgeThrough(1);
  push('e');
  assert.deepEqual(sendAll(1), ['3:c', '4:d', '5:e']);
  outbox.acknowledgeThrough(1_000);
  assert.equal(outbox.size, 0);
});

test('what is not to be sent is skipped and done with', () => {
  const { outbox, push, sendAll } = setUp();
  for (const text of ['a', 'b']) push(text);
  outbox.next();
  outbox.skip();
  assert.deepEqual([sendAll(1), outbox.size], [['2:b'], 1]);
});

test('a message keeps its id: the publishing broker and the number there, the way it came, and whom it is for', () => {
  const { outbox, push, nextId, form } = setUp();
  const passedOn = new LinkTransit(createOrigin('ID:x', 1, 1), 77, createBrokerPath(['ID:x', 'ID:y']), true);
  const unknown = new LinkTransit(createOrigin('ID:x', 1, 1), -5, createBrokerPath(['ID:x']), true);
  const here = Message.of('t', Buffer.from('here'), 1);
  assert.equal(outbox.push(here, null, null), true);
  assert.equal(form.numberOf(here), 1, 'other peers get it under the same one');
  push('far', null, passedOn);
  push('group', new GroupAddress('g', 't', 'ID:z', []), passedOn);
  push('chosen here', new GroupAddress('g', 't', 'ID:z', []));
  push('of nobody knows what', null, unknown);
  const ids: string[] = [];
  while (outbox.next() !== null) {
    ids.push(nextId());
    outbox.nextSent(1);
  }
  assert.deepEqual(ids, [
    'ID:us-1:1:1:1 ID:us',
    'ID:x:1:1:77 ID:x,ID:y,ID:us',
    'ID:x:1:1:77 ID:x,ID:y,ID:us to g at ID:z',
    'ID:us-1:1:1:2 ID:us to g at ID:z',
    'ID:us-1:1:1:3 ID:x,ID:us',
  ]);
});

test('beyond its limits the newest message is refused: in messages, in bytes, in ways that they came', () => {
  const few = setUp({ ...LIMITS, messages: 2 });
  assert.deepEqual([few.push('a'), few.push('b'), few.push('c'), few.outbox.full], [true, true, false, true]);
  const small = setUp({ ...LIMITS, bytes: 10 });
  assert.deepEqual([small.push('12345'), small.push('12345'), small.push('123')], [true, false, true]);
  const { push, outbox, sendAll } = setUp({ ...LIMITS, provenances: 2 });
  const from = (id: string): LinkTransit => new LinkTransit(createOrigin(id, 1, 1), 1, createBrokerPath([id]), true);
  assert.deepEqual([push('a', null, from('ID:a')), push('b', null, from('ID:b')), push('c', null, from('ID:c'))], [true, true, false]);
  assert.equal(push('b', null, from('ID:b')), true);
  sendAll(1);
  for (const id of [1, 2, 3]) outbox.acknowledge(id);
  assert.equal(push('c', null, from('ID:c')), true, 'when none is kept any more, none is needed');
});

test('what is for one shared subscription alone can be taken out between two links, and it is known whether it was ever sent', () => {
  const { outbox, push, sendAll } = setUp();
  const address = new GroupAddress('g', 't', 'ID:peer', []);
  push('sent', address);
  push('all');
  sendAll(1);
  outbox.rewind();
  push('waits', address);
  const seen: string[] = [];
  outbox.takeAddressed((to, message, sent) => {
    assert.equal(to, address);
    seen.push(`${message.payload}${sent ? ' sent' : ''}`);
    return !sent;
  });
  assert.deepEqual(
    [seen, sendAll(10)],
    [
      ['sent sent', 'waits'],
      ['1:sent', '2:all'],
    ],
  );
});
