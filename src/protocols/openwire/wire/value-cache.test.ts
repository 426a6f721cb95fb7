import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createBrokerId,
  createConnectionId,
  createConsumerId,
  createLocalTransactionId,
  createProducerId,
  createQueue,
  createSessionId,
  createSessionInfo,
  createTempQueue,
  createTempTopic,
  createTopic,
  createXATransactionId,
  type DataStructure,
} from './commands.ts';
import { cacheKey, NOT_KEPT, ReceiveCache, SendCache } from './value-cache.ts';

test('values are equal by all their parts and their type, and absent differs from empty', () => {
  const different: (DataStructure | null)[] = [
    null,
    ...[null, '', 'a', 'null', '-'].flatMap((text) => [
      createQueue({ physicalName: text }),
      createTopic({ physicalName: text }),
      createTempQueue({ physicalName: text }),
      createTempTopic({ physicalName: text }),
      createConnectionId({ value: text }),
      createBrokerId({ value: text }),
      createSessionId({ connectionId: text, value: 1 }),
      createSessionId({ connectionId: text, value: 2 }),
      createConsumerId({ connectionId: text, sessionId: 1, value: 2 }),
      createConsumerId({ connectionId: text, sessionId: 2, value: 1 }),
      createProducerId({ connectionId: text, sessionId: 1, value: 2 }),
      createProducerId({ connectionId: text, sessionId: 2, value: 1 }),
      createLocalTransactionId({ value: 1, connectionId: createConnectionId({ value: text }) }),
    ]),
    createLocalTransactionId({ value: 1 }),
    createXATransactionId({ formatId: 1 }),
    createXATransactionId({ formatId: 1, globalTransactionId: Buffer.from([1]) }),
    createXATransactionId({ formatId: 1, branchQualifier: Buffer.from([1]) }),
    createXATransactionId({ formatId: 1, globalTransactionId: Buffer.alloc(0), branchQualifier: Buffer.alloc(0) }),
  ];
  assert.equal(new Set(different.map(cacheKey)).size, different.length);
  for (const value of different) assert.equal(cacheKey(value), cacheKey(value === null ? null : structuredCloneOf(value)));
});

function structuredCloneOf(value: DataStructure): DataStructure {
  return { ...value };
}

test('a structure that is no id and no destination is only equal to itself at that moment', () => {
  const info = createSessionInfo();
  assert.notEqual(cacheKey(info), cacheKey(info));
});

test('slots are given out in order, and before a frame the oldest go while fewer than a hundred are free', () => {
  const cache = new SendCache(102);
  for (let i = 0; i < 5; i++) {
    cache.beginFrame();
    assert.equal(cache.add(`k${i}`), i);
  }
  assert.deepEqual(
    ['k0', 'k1', 'k2', 'k3', 'k4'].map((key) => cache.find(key)),
    [undefined, undefined, 2, 3, 4],
  );
});

test('a slot in use is never given to another value, however many values one frame has', () => {
  const cache = new SendCache(110);
  const receiver = new Map<number, string>();
  for (let frame = 0; frame < 8; frame++) {
    cache.beginFrame();
    for (let i = 0; i < 150; i++) {
      const key = `${frame % 3} ${i}`;
      const known = cache.find(key);
      if (known !== undefined) {
        assert.equal(receiver.get(known), key);
        continue;
      }
      const slot = cache.add(key);
      if (slot !== NOT_KEPT) receiver.set(slot, key);
    }
  }
});

test('a cache smaller than a Java peer can bear neither hangs nor mixes values up', () => {
  const cache = new SendCache(1);
  for (const key of ['a', 'b', 'a']) {
    cache.beginFrame();
    assert.equal(cache.find(key), undefined);
    assert.equal(cache.add(key), 0);
    assert.equal(cache.add('more'), NOT_KEPT);
  }
});

test('an abandoned frame takes its values out again', () => {
  const cache = new SendCache(128);
  cache.beginFrame();
  cache.add('kept');
  cache.beginFrame();
  cache.add('lost');
  cache.add(null);
  cache.abandonFrame();
  assert.deepEqual([cache.find('kept'), cache.find('lost'), cache.find(null)], [0, undefined, undefined]);
});

test('a receiver keeps null like any value, keeps nothing under -1, and refuses slots that are none', () => {
  const cache = new ReceiveCache(3);
  const topic = createTopic({ physicalName: 't' });
  cache.store(2, topic);
  cache.store(0, null);
  cache.store(NOT_KEPT, topic);
  assert.equal(cache.fetch(2), topic);
  assert.equal(cache.fetch(0), null);
  for (const slot of [1, -1, -2, 3]) assert.throws(() => cache.fetch(slot), { code: 'OPENWIRE_MALFORMED' });
  for (const slot of [-2, 3]) assert.throws(() => cache.store(slot, topic), { code: 'OPENWIRE_MALFORMED' });
});
