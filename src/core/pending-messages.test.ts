import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type DestinationPolicy, NO_POLICY } from './destination-policies.ts';
import { Message, type MessageProperties } from './message.ts';
import { type Discard, PendingMessages } from './pending-messages.ts';
import { type Subscriber, Subscription } from './subscription.ts';

const PAYLOAD_BYTES = 10;

const subscriber: Subscriber = { id: 's', kind: 'client', publisher: { id: 's', kind: 'client' }, deliver() {} };
const ROUTE = new Subscription({ filter: '#', group: null, subscriber, qos: 0, noLocal: false, retainAsPublished: false, identifier: 0 });

interface Fields {
  readonly expiresAtMs?: number;
  /** Value of the User Property `key`. */
  readonly value?: string | null;
  readonly payloadBytes?: number;
}

/** A message whose topic is its name. */
function messageOf(name: string, { expiresAtMs = 0, value = null, payloadBytes = PAYLOAD_BYTES }: Fields = {}): Message {
  const properties: MessageProperties | null =
    value === null
      ? null
      : {
          payloadFormatIndicator: null,
          contentType: null,
          responseTopic: null,
          correlationData: null,
          userProperties: [
            ['other', 'x'],
            ['key', value],
          ],
        };
  return new Message(name, 0, false, Buffer.alloc(payloadBytes), 0, payloadBytes, true, properties, expiresAtMs, null, null);
}

function policyOf(pendingMessageLimit: number, rest: Partial<DestinationPolicy> = {}): DestinationPolicy {
  return { ...NO_POLICY, pendingMessageLimit, ...rest };
}

function list(now = { ms: 0 }) {
  const discarded: string[] = [];
  /** What counts as kept in memory. */
  const held = {
    messages: new Set<Message>(),
    holdWaiting: (message: Message) => held.messages.add(message),
    releaseWaiting: (message: Message) => held.messages.delete(message),
  };
  const pending = new PendingMessages(
    { discarded: ({ topic }, _route, reason, policy) => discarded.push(`${topic} ${reason} ${policy?.destination ?? '-'}`) },
    () => now.ms,
    held,
  );
  const add = (policy: DestinationPolicy | null, name: string, fields: Fields = {}, bytesMax = 1_000_000) =>
    pending.add(messageOf(name, fields), false, ROUTE, policy, bytesMax);
  const left = () => {
    const names: string[] = [];
    for (let next = pending.shift(); next !== null; next = pending.shift()) names.push(next.message.topic);
    return names;
  };
  return { pending, discarded, add, left, held };
}

test('beyond the limit the oldest goes: the newest stay, in order', () => {
  const { pending, discarded, add, left } = list();
  const policy = policyOf(3);
  for (const name of 'abcde') add(policy, name);
  assert.deepEqual(discarded, ['a pendingMessageLimit >', 'b pendingMessageLimit >']);
  assert.deepEqual([pending.size, pending.bytes], [3, 3 * (PAYLOAD_BYTES + 1)]);
  assert.deepEqual(left(), ['c', 'd', 'e']);
  assert.deepEqual([pending.size, pending.bytes], [0, 0]);
});

test('what is cleared is held no longer, and nobody is told', () => {
  const { pending, discarded, add, held } = list();
  add(policyOf(5), 'a');
  add(null, 'b');
  assert.deepEqual(
    [...held.messages].map(({ topic }) => topic),
    ['a', 'b'],
  );
  pending.clear();
  assert.deepEqual([pending.size, pending.bytes, held.messages.size, discarded], [0, 0, 0, []]);
});

test('a policy is full when one more message takes the place of another', () => {
  const { pending, add } = list();
  const policy = policyOf(2);
  add(policy, 'a');
  assert.deepEqual([pending.isFullFor(policy), pending.isFullFor(null), pending.isFullFor(policyOf(0))], [false, false, true]);
  add(policy, 'b');
  assert.deepEqual([pending.isFullFor(policy), pending.isFullFor(policyOf(2))], [true, false]);
});

test('a limit of 0 keeps nothing, and copies nothing', () => {
  const { pending, discarded } = list();
  const message = messageOf('a');
  pending.add(message, false, ROUTE, policyOf(0), 1_000);
  assert.deepEqual(discarded, ['a pendingMessageLimit >']);
  assert.equal(pending.size, 0);
  assert.ok(message.borrowed);
});

test('each policy has its own limit, and what waits leaves in the order in which it came', () => {
  const { discarded, add, left } = list();
  const all = policyOf(2, { destination: '>' });
  const some = policyOf(1, { destination: 'a.>' });
  add(all, '1');
  add(some, '2');
  add(null, '3');
  add(some, '4');
  add(all, '5');
  add(all, '6');
  assert.deepEqual(discarded, ['2 pendingMessageLimit a.>', '1 pendingMessageLimit >']);
  assert.deepEqual(left(), ['3', '4', '5', '6']);
});

test('of a unique property first goes what a newer message replaces, then the oldest', () => {
  const { discarded, add, left } = list();
  const policy = policyOf(3, { uniqueProperty: 'key' });
  add(policy, 'a1', { value: 'a' });
  add(policy, 'b1', { value: 'b' });
  add(policy, 'none');
  add(policy, 'b2', { value: 'b' }); // b1 goes
  add(policy, 'c1', { value: 'c' }); // nothing is replaced: a1 goes
  add(policy, 'b3', { value: 'b' }); // b2 goes
  assert.deepEqual(
    discarded.map((line) => line.split(' ')[0]),
    ['b1', 'a1', 'b2'],
  );
  assert.deepEqual(left(), ['none', 'c1', 'b3']);
});

test('expired messages go before others when more wait than the watermark says', () => {
  const now = { ms: 0 };
  const { pending, discarded, add, left } = list(now);
  const policy = policyOf(4, { evictExpiredMessagesHighWatermark: 2 });
  add(policy, 'a');
  add(policy, 'b', { expiresAtMs: 5 });
  now.ms = 5;
  assert.deepEqual(discarded, [], 'as many as the watermark wait');
  add(policy, 'c');
  assert.deepEqual(discarded, ['b expired >']);
  assert.deepEqual(left(), ['a', 'c']);
  assert.equal(pending.size, 0);
});

test('more bytes than may wait: the oldest go, whatever their policy; one that could never fit goes alone', () => {
  const { discarded, add, left } = list();
  add(policyOf(9), 'a');
  add(null, 'b');
  add(null, 'c', {}, 2 * (PAYLOAD_BYTES + 1));
  assert.deepEqual(discarded, ['a connectionQueueBytes >']);
  add(null, 'd', { payloadBytes: 100 }, 30);
  assert.deepEqual(discarded.slice(1), ['d connectionQueueBytes -']);
  assert.deepEqual(left(), ['b', 'c']);
});

/** The same by looking through all of them, each time. */
class Model {
  waiting: { name: string; policy: DestinationPolicy | null; value: string | null; expiresAtMs: number; size: number; replaced: number }[] =
    [];
  readonly discarded: string[] = [];
  now = 0;
  #replacements = 0;

  add(name: string, policy: DestinationPolicy | null, value: string | null, expiresAtMs: number, size: number, bytesMax: number): void {
    const told = policy?.destination ?? '-';
    if (policy?.pendingMessageLimit === 0) this.discarded.push(`${name} pendingMessageLimit ${told}`);
    else if (size > bytesMax) this.discarded.push(`${name} connectionQueueBytes ${told}`);
    else {
      const key = policy?.uniqueProperty == null ? null : value;
      if (key !== null) {
        const newest = this.waiting.findLast((entry) => entry.policy === policy && entry.value === key);
        if (newest !== undefined && newest.replaced === 0) newest.replaced = ++this.#replacements;
      }
      this.waiting.push({ name, policy, value: key, expiresAtMs, size, replaced: 0 });
      if (policy !== null) this.#keep(policy);
      while (this.waiting.reduce((sum, entry) => sum + entry.size, 0) > bytesMax) this.#discard(this.waiting[0]!, 'connectionQueueBytes');
    }
  }

  removeExpired(of: (policy: DestinationPolicy | null) => boolean): void {
    for (const entry of [...this.waiting])
      if (of(entry.policy) && entry.expiresAtMs !== 0 && entry.expiresAtMs <= this.now) this.#discard(entry, 'expired');
  }

  #keep(policy: DestinationPolicy): void {
    const share = () => this.waiting.filter((entry) => entry.policy === policy);
    if (share().length > Math.min(policy.evictExpiredMessagesHighWatermark, policy.pendingMessageLimit))
      this.removeExpired((other) => other === policy);
    if (share().length <= policy.pendingMessageLimit) return;
    const replaced = share().filter((entry) => entry.replaced > 0);
    replaced.sort((a, b) => a.replaced - b.replaced);
    this.#discard(replaced[0] ?? share()[0]!, 'pendingMessageLimit');
  }

  #discard(entry: Model['waiting'][number], reason: Discard): void {
    this.waiting.splice(this.waiting.indexOf(entry), 1);
    this.discarded.push(`${entry.name} ${reason} ${entry.policy?.destination ?? '-'}`);
  }
}

test('whatever comes, leaves and expires: what waits and what is discarded is what looking through all of it says', () => {
  const policies = [
    null,
    policyOf(0, { destination: 'none' }),
    policyOf(4, { destination: 'oldest', evictExpiredMessagesHighWatermark: 2 }),
    policyOf(6, { destination: 'unique', uniqueProperty: 'key' }),
    policyOf(Number.POSITIVE_INFINITY, { destination: 'unlimited', uniqueProperty: 'key' }),
  ];
  const step = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('add' as const),
        policy: fc.nat({ max: policies.length - 1 }),
        value: fc.constantFrom('a', 'b', 'c', null),
        lifeMs: fc.constantFrom(0, 0, 3, 10),
        payloadBytes: fc.constantFrom(10, 20, 500),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('shift' as const), times: fc.integer({ min: 1, max: 4 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 6 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('removeExpired' as const) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const now = { ms: 1 };
      const { pending, discarded, add, held } = list(now);
      const model = new Model();
      model.now = 1;
      const bytesMax = 400;
      for (const [i, said] of steps.entries()) {
        if (said.kind === 'add') {
          const policy = policies[said.policy]!;
          const expiresAtMs = said.lifeMs === 0 ? 0 : now.ms + said.lifeMs;
          const fields = { expiresAtMs, value: said.value, payloadBytes: said.payloadBytes };
          const { size } = messageOf(`${i}`, fields);
          add(policy, `${i}`, fields, bytesMax);
          model.add(`${i}`, policy, said.value, expiresAtMs, size, bytesMax);
        } else if (said.kind === 'shift') {
          for (let n = 0; n < said.times; n++) assert.equal(pending.shift()?.message.topic, model.waiting.shift()?.name);
        } else if (said.kind === 'pass') {
          now.ms += said.ms;
          model.now = now.ms;
        } else {
          pending.removeExpired();
          for (const policy of policies) model.removeExpired((other) => other === policy);
        }
        assert.deepEqual([...discarded].sort(), [...model.discarded].sort());
        assert.equal(pending.size, model.waiting.length);
        assert.equal(held.messages.size, pending.size);
        assert.equal(
          pending.bytes,
          model.waiting.reduce((sum, entry) => sum + entry.size, 0),
        );
      }
      for (const entry of model.waiting) assert.equal(pending.shift()?.message.topic, entry.name);
      assert.equal(pending.shift(), null);
    }),
    { numRuns: 300 },
  );
});
