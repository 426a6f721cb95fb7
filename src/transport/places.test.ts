import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Facts, silentLog } from '../telemetry/log.ts';
import { type Occupant, Places, SURPLUS_MAX, WAITING_MAX } from './places.ts';

interface Line {
  readonly level: string;
  readonly message: string;
  readonly facts: Facts | undefined;
}

class Socket implements Occupant {
  destroyed = false;

  destroy(): void {
    this.destroyed = true;
  }
}

function open(maximumConnections: number): { places: Places; lines: Line[]; arrive(): Socket } {
  const lines: Line[] = [];
  const write = (level: string) => (message: string, facts?: Facts) => lines.push({ level, message, facts });
  const places = new Places({ connector: 'mqtt', maximumConnections, log: { ...silentLog, info: write('info'), warn: write('warn') } });
  const arrive = (): Socket => {
    const socket = new Socket();
    places.arrive(socket);
    return socket;
  };
  return { places, lines, arrive };
}

test('what waits takes no place; what is admitted has one until it leaves', () => {
  const { places, arrive } = open(2);
  const [a, b, c] = [arrive(), arrive(), arrive()];
  assert.ok(places.admit(a, null) && places.admit(a, null) && places.admit(b, null));
  assert.ok(!places.admit(c, null));
  assert.deepEqual([places.waiting, places.admitted], [1, 2]);
  places.leave(a);
  places.leave(a);
  assert.ok(places.admit(c, null));
  assert.deepEqual([places.waiting, places.admitted], [0, 2]);
  assert.deepEqual(places.counters, { accepted: 3, refused: 1, displaced: 0, probes: 0 });
});

test('a place passes over to the connection that replaces its owner, who waits again until it is gone', () => {
  const { places, arrive } = open(1);
  const [older, newer, stranger] = [arrive(), arrive(), arrive()];
  assert.ok(places.admit(older, null));
  assert.ok(!places.admit(newer, stranger), 'of who has no place, none passes over');
  assert.ok(places.admit(newer, older));
  assert.deepEqual([places.waiting, places.admitted], [2, 1]);
  places.leave(older);
  places.leave(newer);
  assert.deepEqual([places.waiting, places.admitted], [1, 0]);
});

test('a socket that becomes a connection keeps waiting as that', () => {
  const { places, arrive } = open(1);
  const socket = arrive();
  const connection = new Socket();
  places.become(socket, connection);
  assert.equal(places.waiting, 1);
  places.leave(connection);
  assert.equal(places.waiting, 0);
  assert.equal(places.counters.accepted, 1);
});

test('beyond the bound the one that has waited for longest gives way, and the log has one line for all of them', () => {
  const { places, lines, arrive } = open(1);
  const waiting = Array.from({ length: WAITING_MAX }, arrive);
  const client = waiting[0]!;
  assert.ok(places.admit(client, null));
  places.leave(client); // it was never silent, and makes no room twice
  const more = [arrive(), arrive(), arrive()];
  assert.deepEqual(
    waiting.map(({ destroyed }) => destroyed),
    waiting.map((_, i) => i === 1 || i === 2),
  );
  assert.ok(more.every(({ destroyed }) => !destroyed));
  assert.equal(places.waiting, WAITING_MAX);
  assert.equal(places.counters.displaced, 2);
  const line = {
    level: 'warn',
    message: 'too many connections say nothing: the oldest of them give way',
    facts: { connector: 'mqtt', waiting: WAITING_MAX },
  };
  assert.deepEqual(lines, [line]);
  for (const socket of [...waiting, ...more]) places.leave(socket);
  for (let i = 0; i <= WAITING_MAX; i++) arrive();
  assert.deepEqual(lines, [line, line], 'said again after it was over');
});

test('at maximumConnections fewer may wait, so that each can be told; they are counted as turned away', () => {
  const { places, arrive } = open(0);
  const waiting = Array.from({ length: SURPLUS_MAX + 2 }, arrive);
  assert.deepEqual(
    waiting.map(({ destroyed }) => destroyed),
    waiting.map((_, i) => i < 2),
  );
  assert.equal(places.counters.refused, 2);
});

test('an overload is said when it begins and when it is over, with how many were turned away', () => {
  const { places, lines, arrive } = open(32);
  const inside = Array.from({ length: 32 }, arrive);
  for (const socket of inside) assert.ok(places.admit(socket, null));
  assert.deepEqual(lines, [], 'full is no overload yet');
  for (let i = 0; i < 3; i++) assert.ok(!places.admit(arrive(), null));
  places.leave(inside.pop()!);
  const late = arrive();
  assert.ok(places.admit(late, null));
  assert.ok(!places.admit(arrive(), null), 'one that left makes room for one, and the overload goes on');
  places.leave(late);
  places.leave(inside.pop()!);
  const [begin, end] = [
    {
      level: 'warn',
      message: 'connector is full: further connections are turned away',
      facts: { connector: 'mqtt', maximumConnections: 32 },
    },
    { level: 'info', message: 'connector has places again', facts: { connector: 'mqtt', refused: 4 } },
  ];
  assert.deepEqual(lines, [begin, end]);
  while (places.admit(arrive(), null));
  assert.deepEqual(lines, [begin, end, begin]);
});
