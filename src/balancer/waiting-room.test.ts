import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WaitingRoom } from './waiting-room.ts';

test('guests are in the order in which they came', () => {
  const room = new WaitingRoom<string>();
  for (const guest of ['a', 'b', 'c']) room.enter(guest);
  assert.deepEqual(
    [...room].map((ticket) => ticket.guest),
    ['a', 'b', 'c'],
  );
  assert.equal(room.length, 3);
});

test('the place counts those called since one came, itself included, as HAProxy logs it', () => {
  const room = new WaitingRoom<string>();
  const [a, b] = [room.enter('a'), room.enter('b')];
  assert.equal(room.call(a), 1);
  const c = room.enter('c');
  assert.equal(room.call(b), 2);
  assert.equal(room.call(c), 2);
  assert.equal(room.length, 0);
});

test('one that gives up does not count as called', () => {
  const room = new WaitingRoom<string>();
  const [a, b] = [room.enter('a'), room.enter('b')];
  assert.equal(room.leave(a), 1);
  assert.equal(room.call(b), 1);
});

test('one that could not be served keeps its place at the front', () => {
  const room = new WaitingRoom<string>();
  const a = room.enter('a');
  room.enter('b');
  room.call(a);
  room.enterFirst('a');
  assert.deepEqual(
    [...room].map((ticket) => ticket.guest),
    ['a', 'b'],
  );
});

test('guests may leave while the room is walked', () => {
  const room = new WaitingRoom<number>();
  for (let i = 0; i < 5; i++) room.enter(i);
  for (const ticket of room) if (ticket.guest % 2 === 0) room.leave(ticket);
  assert.deepEqual(
    [...room].map((ticket) => ticket.guest),
    [1, 3],
  );
  assert.equal(room.lengthMax, 5);
});
