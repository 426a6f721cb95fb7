import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS, LIMIT_NAMES, LIMITS, limitFault, limitsWith } from './limits.ts';

test('every default is a value that the limit may have, and says what it is for', () => {
  for (const name of LIMIT_NAMES) {
    assert.equal(limitFault(name, DEFAULT_LIMITS[name]), null, name);
    assert.ok(LIMITS[name].bounds.endsWith('.'), name);
  }
});

test('rates are off and nothing is disconnected unless somebody asks for it', () => {
  const { connectsPerSecond, addressConnectsPerSecond, clientConnectsPerMinute } = DEFAULT_LIMITS;
  const { publishMessagesPerSecond, publishBytesPerSecond } = DEFAULT_LIMITS;
  assert.deepEqual([connectsPerSecond, addressConnectsPerSecond, clientConnectsPerMinute], [0, 0, 0]);
  assert.deepEqual([publishMessagesPerSecond, publishBytesPerSecond], [0, 0]);
  assert.equal(DEFAULT_LIMITS.publishRateDisconnect, 0);
});

test('what is given takes the place of defaults, and every fault in it is named', () => {
  assert.deepEqual(limitsWith({ sessions: 5 }), { ...DEFAULT_LIMITS, sessions: 5 });
  assert.throws(() => limitsWith({ sessions: 0, nonsense: 1, topicLevels: 1.5, toString: 3 } as never), {
    code: 'INVALID_LIMIT',
    message: [
      'limit sessions: expected a whole number from 1 on (sessions), found 0',
      'there is no limit nonsense',
      'limit topicLevels: expected a whole number from 1 to 65536 (levels), found 1.5',
      'there is no limit toString',
    ].join('\n'),
  });
  for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, '5', null, undefined]) assert.notEqual(limitFault('sessions', wrong), null);
});
