import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capacity, descriptorLimit } from './descriptor-limit.ts';

const LIMITS = `Limit                     Soft Limit           Hard Limit           Units
Max processes             unlimited            unlimited            processes
Max open files            20000                20000                files
Max locked memory         65536                65536                bytes
`;

test('the limit is read from the line about open files', () => {
  assert.equal(
    descriptorLimit(() => LIMITS),
    20_000,
  );
  assert.equal(
    descriptorLimit(() => LIMITS.replace('20000 ', 'unlimited ')),
    1_048_576,
  );
});

test('where there is no such file a usual limit is assumed', () => {
  const unreadable = (): string => {
    throw new Error('ENOENT');
  };
  assert.equal(descriptorLimit(unreadable), 20_000);
  assert.equal(
    descriptorLimit(() => ''),
    20_000,
  );
  assert.ok(descriptorLimit() > 0);
});

test('a maxconn that fits is kept', () => {
  const { maxconn, needed, descriptors } = capacity(2_000, 20_000);
  assert.equal(maxconn, 2_000);
  assert.ok(needed <= descriptors);
});

test('a maxconn beyond the limit is lowered so that sessions and waiting connections fit', () => {
  const { maxconn, waiting, needed, descriptors } = capacity(10_240, 20_000);
  assert.ok(needed > descriptors);
  assert.ok(maxconn > 9_000 && maxconn * 2 + waiting < 20_000);
});

test('without maxconn the descriptors decide', () => {
  assert.equal(capacity(null, 20_000).maxconn, capacity(0, 20_000).maxconn);
  assert.equal(capacity(null, 20_000).maxconn, capacity(10_240, 20_000).maxconn);
});

test('even with hardly any descriptors one connection is served', () => {
  assert.equal(capacity(100, 10).maxconn, 1);
  assert.equal(capacity(100, 10).waiting, 1);
});
