import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BrokerCounters } from '../../core/counters.ts';
import type { Frame } from '../../core/message.ts';
import { Usage } from '../../core/usage.ts';
import { GroupAddress } from '../../protocols/openwire/group-address.ts';
import { silentLog } from '../../telemetry/log.ts';
import { Outbox } from './outbox.ts';

const { memory } = new Usage(new BrokerCounters(), silentLog);
const LIMITS = { messages: 1_000, bytes: 1_000_000 };

function frame(text: string): Frame {
  const buffer = Buffer.from(text);
  return { buffer, start: 0, end: buffer.length, packetIdentifierAt: 0 };
}

/** Sends everything there is, with command ids counted from `firstId`; returns what went out as `sequence:text`. */
function sendAll(outbox: Outbox, firstId: number): string[] {
  const sent: string[] = [];
  for (let next = outbox.next(), id = firstId; next !== null; next = outbox.next(), id++) {
    sent.push(`${outbox.nextSequence}:${next.buffer.toString('latin1', next.start, next.end)}`);
    outbox.nextSent(id);
  }
  return sent;
}

test('messages leave in order, with sequence numbers from 1 without gaps', () => {
  const outbox = new Outbox(LIMITS, memory);
  for (const text of ['a', 'b', 'c']) outbox.push(frame(text));
  assert.deepEqual(sendAll(outbox, 1), ['1:a', '2:b', '3:c']);
  outbox.push(frame('d'));
  assert.deepEqual(sendAll(outbox, 4), ['4:d']);
  assert.equal(outbox.inFlight, 4);
});

test('an acknowledged message is let go of, in whatever order answers come', () => {
  const outbox = new Outbox(LIMITS, memory);
  for (const text of ['aa', 'b', 'c']) outbox.push(frame(text));
  sendAll(outbox, 10);
  assert.equal(outbox.acknowledge(11), true);
  assert.deepEqual([outbox.size, outbox.bytes], [3, 3], 'b goes when a does; its bytes go at once');
  assert.equal(outbox.acknowledge(10), true);
  assert.deepEqual([outbox.size, outbox.bytes], [1, 1]);
  assert.equal(outbox.acknowledge(11), false, 'answered before');
  assert.equal(outbox.acknowledge(99), false, 'not ours');
  assert.equal(outbox.acknowledge(12), true);
  assert.deepEqual([outbox.size, outbox.bytes, outbox.inFlight], [0, 0, 0]);
});

test('after a broken link exactly what was not acknowledged is sent again, with the sequence numbers it had', () => {
  const outbox = new Outbox(LIMITS, memory);
  for (const text of ['a', 'b', 'c', 'd']) outbox.push(frame(text));
  sendAll(outbox, 1);
  outbox.acknowledge(1);
  outbox.acknowledge(3);
  outbox.push(frame('e'));
  outbox.rewind();
  assert.deepEqual(sendAll(outbox, 1), ['2:b', '4:d', '5:e']);
  outbox.acknowledge(1);
  outbox.acknowledge(2);
  outbox.acknowledge(3);
  assert.equal(outbox.size, 0);
});

test('what the peer says to have already is not sent again', () => {
  const outbox = new Outbox(LIMITS, memory);
  for (const text of ['a', 'b', 'c']) outbox.push(frame(text));
  sendAll(outbox, 1);
  outbox.rewind();
  outbox.acknowledgeThrough(2);
  assert.deepEqual(sendAll(outbox, 1), ['3:c']);
  outbox.acknowledgeThrough(100);
  assert.deepEqual([outbox.size, outbox.bytes, outbox.inFlight], [0, 0, 0]);
  outbox.push(frame('d'));
  assert.deepEqual(sendAll(outbox, 1), ['4:d']);
});

test('beyond its limit in messages or in bytes the newest message is refused', () => {
  const few = new Outbox({ messages: 2, bytes: 100 }, memory);
  assert.deepEqual([few.push(frame('a')), few.push(frame('b')), few.push(frame('c'))], [true, true, false]);
  const small = new Outbox({ messages: 100, bytes: 5 }, memory);
  assert.deepEqual([small.push(frame('abc')), small.push(frame('abc')), small.push(frame('ab'))], [true, false, true]);
  assert.deepEqual([small.size, small.bytes], [2, 5]);
});

test('the ring keeps order and numbers while it grows and wraps round', () => {
  const outbox = new Outbox(LIMITS, memory);
  let pushed = 0;
  let sentId = 0;
  let acknowledged = 0;
  const seen: string[] = [];
  for (let round = 0; round < 300; round++) {
    for (let i = 0; i < 3; i++) outbox.push(frame(`m${++pushed}`));
    const sent = sendAll(outbox, sentId + 1);
    sentId += sent.length;
    seen.push(...sent);
    for (let i = 0; i < 2; i++) assert.equal(outbox.acknowledge(++acknowledged), true);
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 900 }, (_, i) => `${i + 1}:m${i + 1}`),
  );
  assert.equal(outbox.size, 300);
});

test('what is for one shared subscription alone can be taken out between two links, and it is known whether it was ever sent', () => {
  const outbox = new Outbox(LIMITS, memory);
  const address = new GroupAddress('g', 'f', 'ID:b', []);
  const pushAll = (...texts: string[]): void => {
    for (const text of texts) outbox.push(frame(text), text.startsWith('g') ? address : null);
  };
  const addressed = (take: (text: string) => boolean): string[] => {
    const seen: string[] = [];
    outbox.takeAddressed((to, { buffer }, sent) => {
      assert.equal(to, address);
      seen.push(`${buffer}${sent ? ' sent' : ''}`);
      return take(buffer.toString());
    });
    return seen;
  };
  pushAll('g1', 'b', 'g3');
  sendAll(outbox, 1);
  outbox.rewind();
  pushAll('g4', 'e', 'g6');
  assert.deepEqual(
    addressed((text) => text !== 'g6' && text !== 'g1'),
    ['g1 sent', 'g3 sent', 'g4', 'g6'],
  );
  assert.equal(outbox.bytes, 6);
  assert.deepEqual(sendAll(outbox, 10), ['1:g1', '2:b', '5:e', '6:g6'], 'the others keep their numbers');
  outbox.rewind();
  assert.deepEqual(
    addressed(() => true),
    ['g1 sent', 'g6 sent'],
  );
  assert.deepEqual(sendAll(outbox, 20), ['2:b', '5:e']);
  for (const id of [20, 21]) assert.equal(outbox.acknowledge(id), true);
  assert.deepEqual([outbox.size, outbox.bytes, outbox.inFlight], [0, 0, 0]);
  pushAll('g7');
  outbox.clear();
  assert.deepEqual(
    addressed(() => true),
    [],
  );
});

test('what is kept counts as memory until it is acknowledged or given up', () => {
  const usage = new Usage(new BrokerCounters(), silentLog);
  const outbox = new Outbox(LIMITS, usage.memory);
  for (const text of ['a', 'b', 'c']) outbox.push(frame(text));
  assert.ok(usage.memory.bytes >= 3);
  sendAll(outbox, 1);
  outbox.acknowledge(2);
  outbox.acknowledge(1);
  outbox.clear();
  assert.equal(usage.memory.bytes, 0);
});
