import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SLAB_SIZE_MAX, SlabPool } from './slab-pool.ts';

test('a slab has room for what is asked for, and is the smallest that has', () => {
  const pool = new SlabPool();
  for (const [size, slab] of [
    [0, 1_024],
    [1, 1_024],
    [1_024, 1_024],
    [1_025, 4_096],
    [16_384, 16_384],
    [16_385, 65_536],
    [65_536, 65_536],
    [65_537, 65_537],
    [1_000_000, 1_000_000],
  ] as const)
    assert.equal(pool.take(size).length, slab);
});

test('a slab given back is used again, each one once', () => {
  const pool = new SlabPool();
  const slabs = [pool.take(4_000), pool.take(4_000)];
  for (const slab of slabs) pool.give(slab);
  const again = [pool.take(4_000), pool.take(4_000), pool.take(4_000)];
  assert.deepEqual(new Set(again.slice(0, 2)), new Set(slabs));
  assert.ok(!slabs.includes(again[2]!));
});

test('a slab of another size is not kept', () => {
  const pool = new SlabPool();
  const large = pool.take(SLAB_SIZE_MAX + 1);
  pool.give(large);
  pool.give(Buffer.alloc(0));
  pool.give(pool.take(4_096).subarray(0, 1_000));
  assert.notEqual(pool.take(SLAB_SIZE_MAX + 1), large);
  assert.equal(pool.take(1_000).length, 1_024);
});

test('no more than 8 MB of a size are kept', () => {
  const pool = new SlabPool();
  const slabs = Array.from({ length: 200 }, () => pool.take(SLAB_SIZE_MAX));
  for (const slab of slabs) pool.give(slab);
  const known = new Set(slabs);
  const reused = Array.from({ length: 200 }, () => pool.take(SLAB_SIZE_MAX)).filter((slab) => known.has(slab));
  assert.equal(reused.length, (8 * 1024 * 1024) / SLAB_SIZE_MAX);
});
