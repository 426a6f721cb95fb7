import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Fifo } from './fifo.ts';

test('it is an array with push and shift, whatever is done in whatever order', () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ push: fc.integer({ min: 1, max: 600 }) }) },
    { weight: 5, arbitrary: fc.record({ shift: fc.integer({ min: 1, max: 600 }) }) },
    { weight: 1, arbitrary: fc.constant('clear' as const) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const fifo = new Fifo<number>();
      let model: number[] = [];
      let next = 0;
      for (const what of steps) {
        if (what === 'clear') {
          fifo.clear();
          model = [];
        } else if ('push' in what) {
          for (let i = 0; i < what.push; i++) {
            fifo.push(next);
            model.push(next++);
          }
        } else {
          for (let i = 0; i < what.shift; i++) {
            assert.equal(fifo.peek(), model[0]);
            assert.equal(fifo.shift(), model.shift());
          }
        }
        assert.equal(fifo.length, model.length);
        assert.equal(fifo.peek(), model[0]);
      }
      while (model.length > 0) assert.equal(fifo.shift(), model.shift());
      assert.equal(fifo.shift(), undefined);
    }),
    { numRuns: 300 },
  );
});

test('what was taken out is let go', async () => {
  const fifo = new Fifo<object>();
  let big: object | null = { payload: Buffer.alloc(10) };
  const reference = new WeakRef(big);
  fifo.push(big);
  for (let i = 0; i < 100; i++) fifo.push({});
  fifo.shift();
  big = null;
  const { setFlagsFromString } = await import('node:v8');
  setFlagsFromString('--expose-gc');
  const collect = (await import('node:vm')).runInNewContext('gc') as () => void;
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  assert.equal(reference.deref(), undefined);
  assert.equal(fifo.length, 100);
});
