import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { silentLog } from '../telemetry/log.ts';
import { BrokerCounters } from './counters.ts';
import type { Stamp } from './hybrid-clock.ts';
import { compareStamps } from './hybrid-clock.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { Message } from './message.ts';
import { RetainedMessages } from './retained.ts';
import { topicMatches } from './topic-filter.ts';
import { Usage } from './usage.ts';

function message(topic: string, payload = 'x', expiresAtMs = 0): Message {
  const bytes = Buffer.from(payload);
  return new Message(topic, 0, true, bytes, 0, bytes.length, false, null, expiresAtMs, null, null);
}

function stamp(wallMs: number, counter = 0, brokerId = 'b'): Stamp {
  return { wallMs, counter, brokerId };
}

function store(limits: Partial<Limits> = {}, wallNow: () => number = () => 0): RetainedMessages {
  return new RetainedMessages({ ...DEFAULT_LIMITS, ...limits }, wallNow, new Usage(new BrokerCounters(), silentLog));
}

const level = fc.constantFrom('', 'a', 'b', '$s');
const topicName = fc
  .array(level, { minLength: 1, maxLength: 4 })
  .map((levels) => levels.join('/'))
  .filter((topic) => topic !== '');
const topicFilter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 4 }), fc.boolean())
  .map(([levels, rest]) => [...levels, ...(rest ? ['#'] : [])].join('/'))
  .filter((filter) => filter !== '');

const write = fc.record({
  topic: topicName,
  removes: fc.boolean(),
  stamp: fc.record({ wallMs: fc.nat(5), counter: fc.nat(2), brokerId: fc.constantFrom('a', 'b') }),
});

test('what is kept is what looking at every write says, and filters find what looking at every topic finds', () => {
  fc.assert(
    fc.property(fc.array(write, { maxLength: 40 }), fc.array(topicFilter, { minLength: 1, maxLength: 10 }), (writes, filters) => {
      const retained = store();
      const model = new Map<string, { message: Message | null; stamp: Stamp }>();
      for (const w of writes) {
        const written = w.removes ? null : message(w.topic);
        const known = model.get(w.topic);
        const newer = known === undefined || compareStamps(known.stamp, w.stamp) < 0;
        assert.equal(retained.put(w.topic, written, w.stamp), newer);
        if (newer) model.set(w.topic, { message: written, stamp: w.stamp });
        const kept = [...model.values()].flatMap(({ message }) => (message === null ? [] : [message]));
        assert.equal(retained.size, kept.length);
        assert.equal(retained.get(w.topic), model.get(w.topic)!.message);
        assert.equal(retained.has(w.topic), model.get(w.topic)!.message !== null);
        for (const filter of filters)
          assert.deepEqual(new Set(retained.match(filter)), new Set(kept.filter(({ topic }) => topicMatches(filter, topic))), filter);
      }
      assert.deepEqual(new Map([...retained.entries()].map(({ topic, message, stamp }) => [topic, { message, stamp }])), model);
    }),
    { numRuns: 500 },
  );
});

test('in whatever order writes arrive, the same is kept', () => {
  fc.assert(
    fc.property(
      fc
        .uniqueArray(write, { maxLength: 12, selector: ({ topic, stamp }) => JSON.stringify([topic, stamp]) })
        .chain((writes) => fc.tuple(fc.constant(writes), fc.shuffledSubarray(writes, { minLength: writes.length }))),
      ([writes, shuffled]) => {
        const content = (list: typeof writes) => {
          const retained = store();
          for (const { topic, removes, stamp } of list) retained.put(topic, removes ? null : message(topic), stamp);
          return new Map([...retained.entries()].map(({ topic, message, stamp }) => [topic, [message === null, stamp]]));
        };
        assert.deepEqual(content(shuffled), content(writes));
      },
    ),
    { numRuns: 500 },
  );
});

test('an older copy does not bring back what was removed, until the removal is forgotten', () => {
  let now = 1_000;
  const retained = store({ retainedTombstoneMs: 500 }, () => now);
  retained.put('a', message('a'), stamp(900));
  retained.put('a', null, stamp(1_000));
  assert.equal(retained.put('a', message('a'), stamp(999)), false);
  assert.equal(retained.size, 0);
  now = 1_501;
  retained.put('b', null, stamp(1_501)); // old removals go when a new one comes
  assert.deepEqual(
    [...retained.entries()].map(({ topic }) => topic),
    ['b'],
  );
});

test('removals remembered are bounded, the oldest go first', () => {
  const retained = store({ retainedTombstones: 2 });
  for (const [i, topic] of ['a', 'b', 'c'].entries()) retained.put(topic, null, stamp(i));
  assert.deepEqual(
    [...retained.entries()].map(({ topic }) => topic),
    ['b', 'c'],
  );
});

test('a message that has expired is not found, and its topic can be written again', () => {
  let now = 0;
  const retained = store({}, () => now);
  const first = message('a', 'x', 100);
  retained.put('a', first, stamp(1));
  now = 99;
  assert.deepEqual([retained.get('a'), retained.match('+')], [first, [first]]);
  now = 100;
  assert.deepEqual([retained.get('a'), retained.match('a'), retained.match('#')], [null, [], []]);
  const second = message('a');
  retained.put('a', second, stamp(2));
  assert.equal(retained.get('a'), second);
});

test('a message kept owns its bytes: the read buffer may go', () => {
  const retained = store();
  const buffer = Buffer.from('..payload..');
  retained.put('a', new Message('a', 0, true, buffer, 2, 9, true, null, 0, null, null), stamp(1));
  buffer.fill(0);
  assert.equal(retained.get('a')!.payload.toString(), 'payload');
});

test('at its limit there is room for known topics alone', () => {
  const retained = store({ retainedMessages: 1 });
  assert.equal(retained.fullFor(message('a')), null);
  retained.put('a', message('a'), stamp(1));
  assert.deepEqual([retained.fullFor(message('a')), retained.fullFor(message('b'))], [null, 'retainedMessages']);
  retained.put('a', null, stamp(2));
  assert.equal(retained.fullFor(message('b')), null);
});

test('at its limit what has expired makes room, looked for now and then; older copies of it do not come back', () => {
  let now = 1_000_000;
  const retained = store({ retainedMessages: 2 }, () => now);
  retained.put('a', message('a', 'x', now + 1_000), stamp(now));
  retained.put('b', message('b'), stamp(now));
  assert.equal(retained.fullFor(message('c')), 'retainedMessages');
  now += 1_000;
  assert.equal(retained.fullFor(message('c')), 'retainedMessages', 'not looked for again so soon');
  now += 10_000;
  assert.equal(retained.fullFor(message('c')), null);
  assert.equal(retained.size, 1);
  assert.equal(retained.put('a', message('a'), stamp(999_999)), false);
});

test('the limit in bytes counts topics and properties, and what is replaced makes room', () => {
  const big = {
    payloadFormatIndicator: 0,
    contentType: 'c'.repeat(40),
    responseTopic: null,
    correlationData: null,
    userProperties: [],
  } as const;
  const of = (topic: string, payload: string): Message => Message.of(topic, Buffer.from(payload), 0, true, big);
  const retained = store({ retainedBytes: 100 });
  retained.put('a', of('a', 'x'.repeat(20)), stamp(1));
  assert.equal(retained.fullFor(of('b', '')), 'retainedBytes');
  assert.equal(retained.fullFor(of('a', 'x'.repeat(50))), null, 'in the place of the one that is kept');
  retained.put('a', null, stamp(2));
  assert.equal(retained.fullFor(of('b', '')), null);
});

for (const count of [9, 300])
  test(`of ${count} topics beside and below each other those are found that are there, whatever share of them has gone`, () => {
    const topics = Array.from({ length: count }, (_, i) => (i % 3 === 0 ? `s/${i}` : `s/${i - (i % 3)}/${i}`));
    const change = fc.record({ first: fc.nat(9), end: fc.nat(topics.length), removes: fc.boolean() });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
        const retained = store();
        const there = new Set<string>();
        let time = 0;
        for (const { first, end, removes } of [{ first: 0, end: topics.length, removes: false }, ...changes]) {
          for (const topic of topics.slice(first, end)) {
            retained.put(topic, removes ? null : message(topic), stamp(++time));
            if (removes) there.delete(topic);
            else there.add(topic);
          }
          assert.deepEqual(new Set(retained.match('#').map(({ topic }) => topic)), there);
          assert.equal(retained.size, there.size);
          for (const topic of topics) assert.equal(retained.has(topic), there.has(topic));
        }
      }),
      { numRuns: 50 },
    );
  });
