import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SOAK_FACTOR } from '../../../test/harness/soak.ts';
import { Message } from '../../core/message.ts';
import { Inflight, type Kept, QOS_1, QOS_2, RELEASED, SENT } from './inflight.ts';

function keep(topic: string): Kept {
  return { message: Message.of(topic, Buffer.alloc(0), 1), qos: 1, retain: false, identifiers: [], group: null };
}

test('identifiers are given out in turn, from 1 to 65,535 and from 1 again, and none that is in use [MQTT-2.2.1-4]', () => {
  const inflight = new Inflight();
  assert.equal(inflight.add(QOS_1, null), 1);
  assert.equal(inflight.add(QOS_1, null), 2);
  inflight.delete(2);
  for (let expected = 3; expected <= 65_535; expected++) {
    if (expected % 16 === 1) continue; // shares the slot of 1, which is in use
    const identifier = inflight.add(QOS_1, null);
    assert.equal(identifier, expected);
    inflight.delete(identifier);
  }
  assert.equal(inflight.size, 1);
  assert.equal(inflight.add(QOS_1, null), 2, '1 is in use');
});

test('an identifier that was never given out, or is done with, has no state', () => {
  const inflight = new Inflight();
  assert.equal(inflight.stateOf(1), 0);
  const identifier = inflight.add(QOS_2 | SENT, null);
  assert.equal(inflight.stateOf(identifier), QOS_2 | SENT);
  for (const other of [identifier + 16, identifier + 256, 65_535]) assert.equal(inflight.stateOf(other), 0, 'shares its slot at most');
  inflight.delete(identifier);
  assert.equal(inflight.stateOf(identifier), 0);
});

test('half of all identifiers can be in use at once', () => {
  const inflight = new Inflight();
  const seen = new Set<number>();
  for (let i = 0; i < 32_768; i++) seen.add(inflight.add(QOS_1, null));
  assert.equal(seen.size, 32_768);
  for (const identifier of seen) assert.equal(inflight.stateOf(identifier), QOS_1);
});

test('messages are in the order in which they were sent, released ones where they were released', () => {
  const inflight = new Inflight();
  const identifiers = Array.from({ length: 40 }, (_, i) => inflight.add(QOS_2, keep(`${i}`)));
  inflight.release(identifiers[3]!, QOS_2);
  inflight.release(identifiers[1]!, QOS_2);
  inflight.delete(identifiers[0]!);
  const expected = [identifiers[2]!, ...identifiers.slice(4), identifiers[3]!, identifiers[1]!];
  assert.deepEqual(inflight.inOrder(), expected);
  assert.equal(inflight.stateOf(identifiers[3]!), QOS_2 | RELEASED);
  assert.equal(inflight.keptOf(identifiers[3]!), null, 'a released message is not needed any more');
  assert.equal(inflight.keptOf(identifiers[2]!)!.message.topic, '2');
});

test('any history leaves what a Map in order of insertion would have', () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant('add' as const), at: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('delete' as const, 'release' as const), at: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('sent' as const, 'clear' as const), at: fc.nat({ max: 3 }) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const inflight = new Inflight();
      const model = new Map<number, { state: number; topic: string | null }>();
      for (const [i, { do: action, at }] of steps.entries()) {
        const chosen = [...model.keys()][at % Math.max(1, model.size)];
        if (action === 'add') {
          const identifier = inflight.add(QOS_2 | SENT, keep(`${i}`));
          assert.ok(!model.has(identifier));
          model.set(identifier, { state: QOS_2 | SENT, topic: `${i}` });
        } else if (action === 'sent') {
          inflight.clearSent();
          for (const entry of model.values()) entry.state &= ~SENT;
        } else if (action === 'clear' && at === 0) {
          inflight.clear();
          model.clear();
        } else if (chosen !== undefined && action === 'delete') {
          inflight.delete(chosen);
          model.delete(chosen);
        } else if (chosen !== undefined && action === 'release') {
          const state = model.get(chosen)!.state | RELEASED;
          inflight.release(chosen, state);
          model.delete(chosen);
          model.set(chosen, { state, topic: null });
        }
      }
      assert.equal(inflight.size, model.size);
      assert.deepEqual(inflight.inOrder(), [...model.keys()]);
      for (const [identifier, { state, topic }] of model) {
        assert.equal(inflight.stateOf(identifier), state);
        assert.equal(inflight.keptOf(identifier)?.message.topic ?? null, topic);
      }
    }),
    { numRuns: 300 * SOAK_FACTOR },
  );
});
