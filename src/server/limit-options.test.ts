import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDiagnostic } from '../config/diagnostic.ts';
import { expectSysInterval, parseLimit, parseSysInterval, readFileLimits } from './limit-options.ts';

test('a limit is a name and a whole number; bytes may have units', () => {
  assert.deepEqual(parseLimit('sessions=5', {}), { sessions: 5 });
  assert.deepEqual(parseLimit('sessionQueueBytes=64mb', { sessions: 5 }), { sessions: 5, sessionQueueBytes: 67_108_864 });
  assert.deepEqual(parseLimit('publishBytesPerSecond= 10 kb ', {}), { publishBytesPerSecond: 10_240 });
  assert.deepEqual(parseLimit('sessions=6', { sessions: 5 }), { sessions: 6 }, 'the last one counts');
});

for (const [text, message] of [
  ['sessions', '"sessions" has no "=": write name=value'],
  ['sesions=5', 'there is no limit sesions; did you mean sessions?'],
  ['toString=5', 'there is no limit toString: docs/reference/limits.md lists them'],
  ['sessions=many', 'limit sessions: expected a whole number, found "many"'],
  ['sessions=5k', 'limit sessions: expected a whole number, found "5k"'],
  ['sessions=', 'limit sessions: expected a whole number, found ""'],
  ['sessions=0', 'limit sessions: expected a whole number from 1 on (sessions), found 0'],
  ['inflightMessages=65536', 'limit inflightMessages: expected a whole number from 1 to 65535 (messages), found 65536'],
  ['sessionQueueBytes=5tb', 'limit sessionQueueBytes: unit must be b, kb, mb or gb, found "tb"'],
  ['publishRateDisconnect=yes', 'limit publishRateDisconnect: expected a whole number, found "yes"'],
] as const) {
  test(`--limit ${text} is refused with what was expected`, () => {
    assert.throws(() => parseLimit(text, {}), { code: 'USAGE', message });
  });
}

test('limits in a file are properties of their names; what is wrong with one is said at its place', () => {
  const place = { file: 'limits.properties', line: 3, column: 0 };
  const read = (name: string, value: string) => {
    const { limits, diagnostics } = readFileLimits([{ place, name, value }]);
    return diagnostics.length === 0 ? limits : diagnostics.map(formatDiagnostic);
  };
  assert.deepEqual(read('roundhouse.limit.sessions', '5'), { sessions: 5 });
  assert.deepEqual(read('roundhouse.limit.sessionQueueBytes', '64mb'), { sessionQueueBytes: 67_108_864 });
  for (const [name, value, message] of [
    ['roundhouse.limit.sesions', '5', 'there is no limit sesions; did you mean sessions?'],
    ['roundhouse.limits.sessions', '5', 'expected roundhouse.limit.<name>'],
    ['roundhouse.limit', '5', 'expected roundhouse.limit.<name>'],
    ['roundhouse.limit.sessions', '0', 'limit sessions: expected a whole number from 1 on (sessions), found 0'],
  ] as const)
    assert.deepEqual(read(name, value), [`limits.properties:3: error: property ${name}: ${message}`]);
});

test('an interval of $SYS is seconds, 0 for none', () => {
  assert.deepEqual([parseSysInterval('0'), parseSysInterval('10'), parseSysInterval('65535')], [0, 10, 65_535]);
  for (const wrong of ['', '-1', '1.5', '10s', '65536'])
    assert.throws(() => parseSysInterval(wrong), { code: 'USAGE', message: /seconds/ });
  for (const right of [0, 1, 65_535]) expectSysInterval(right);
  for (const wrong of [-1, 1.5, Number.NaN, 65_536]) assert.throws(() => expectSysInterval(wrong), { code: 'INVALID_SYS_INTERVAL' });
});
