import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Flushable, Turn } from './turn.ts';

function recorder(log: string[], name: string, meanwhile: () => void = () => {}): Flushable {
  return {
    flush() {
      log.push(name);
      meanwhile();
    },
  };
}

test('what is added is flushed once, in order, after the present turn of the event loop', async () => {
  const turn = new Turn();
  const log: string[] = [];
  for (const name of ['a', 'b', 'c']) turn.add(recorder(log, name));
  await Promise.resolve();
  assert.deepEqual(log, []);
  await nextTurn();
  assert.deepEqual(log, ['a', 'b', 'c']);
  await nextTurn();
  assert.deepEqual(log, ['a', 'b', 'c']);
});

test('what a flush adds waits for the next turn', async () => {
  const turn = new Turn();
  const log: string[] = [];
  const again = recorder(log, 'again');
  turn.add(recorder(log, 'first', () => turn.add(again)));
  turn.add(recorder(log, 'second'));
  await nextTurn();
  assert.deepEqual(log, ['first', 'second']);
  await nextTurn();
  assert.deepEqual(log, ['first', 'second', 'again']);
});

test('a flush by hand takes what has gathered, and the turn’s own finds nothing left', async () => {
  const turn = new Turn();
  const log: string[] = [];
  turn.add(recorder(log, 'a'));
  turn.flush();
  assert.deepEqual(log, ['a']);
  turn.add(recorder(log, 'b'));
  await nextTurn();
  await nextTurn();
  assert.deepEqual(log, ['a', 'b']);
});

test('who has read its share of a turn reads on after the turn’s writes', async () => {
  const turn = new Turn();
  const log: string[] = [];
  turn.readOn({ readOn: () => log.push('read on') });
  turn.add(recorder(log, 'write'));
  const { number } = turn;
  await nextTurn();
  assert.deepEqual(log, ['write', 'read on']);
  assert.equal(turn.number, number + 1);
  await nextTurn();
  assert.deepEqual(log, ['write', 'read on'], 'once');
});
