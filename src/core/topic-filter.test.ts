import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  ANY_TOPIC,
  hasWildcard,
  isBrokerTopic,
  parseShared,
  TOPIC_BYTES_MAX,
  topicFilterFault,
  topicMatches,
  topicNameFault,
} from './topic-filter.ts';

/** The specification's own examples, and the corners between them. MQTT 5.0 section 4.7. */
const MATCHES: readonly [filter: string, topic: string, matches: boolean][] = [
  ['sport/tennis/player1/#', 'sport/tennis/player1', true],
  ['sport/tennis/player1/#', 'sport/tennis/player1/ranking', true],
  ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon', true],
  ['sport/tennis/player1/#', 'sport/tennis/player10', false],
  ['sport/#', 'sport', true],
  ['sport/#', 'sport/', true],
  ['sport/#', 'sports', false],
  ['#', 'a', true],
  ['#', '/', true],
  ['#', '/a/b', true],
  ['sport/tennis/+', 'sport/tennis/player1', true],
  ['sport/tennis/+', 'sport/tennis/player1/ranking', false],
  ['sport/+', 'sport', false],
  ['sport/+', 'sport/', true],
  ['+', 'finance', true],
  ['+', '/finance', false],
  ['+/+', '/finance', true],
  ['/+', '/finance', true],
  ['+/+/+', '/finance', false],
  ['+/tennis/#', 'x/tennis', true],
  ['+/tennis/#', 'tennis', false],
  ['sport/+/player1', 'sport//player1', true],
  ['sport/+/player1', 'sport/player1', false],
  ['+/', 'a/', true],
  ['+/', 'a', false],
  ['a/+/#', 'a/b', true],
  ['a/+/#', 'a', false],
  ['a/+/#', 'a//', true],
  ['#', '$SYS/monitor', false],
  ['+/monitor', '$SYS/monitor', false],
  ['+/#', '$SYS', false],
  ['$SYS/#', '$SYS/monitor', true],
  ['$SYS/#', '$SYS', true],
  ['$SYS/monitor/+', '$SYS/monitor/Clients', true],
  ['$+', '$S', false],
  ['a/+', 'a/$b', true],
  ['a/#', 'a/$b/c', true],
  ['/#', '/$a', true],
  ['ACCOUNTS', 'Accounts', false],
  ['a/b', 'a/b', true],
  ['a/b', 'a/bc', false],
  ['a/bc', 'a/b', false],
  ['a/b', 'a/b/', false],
  ['a/b/', 'a/b', false],
  ['/', '/', true],
  ['/', '//', false],
  ['//', '/', false],
  ['é', 'e\u0301', false],
];

for (const [filter, topic, expected] of MATCHES) {
  test(`'${filter}' ${expected ? 'matches' : 'does not match'} '${topic}'`, () => assert.equal(topicMatches(filter, topic), expected));
}

/** The rules of section 4.7 said once more, by regular expression. */
function matchesByRules(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && /^[+#]/.test(filter)) return false;
  const literal = (level: string) => level.replace(/[$^.*()[\]{}|\\?]/g, '\\$&');
  const levels = filter.split('/').map((level) => (level === '+' ? '[^/]*' : level === '#' ? '#' : literal(level)));
  const pattern = levels.join('/').replace(/(^|\/)#$/, (_, before: string) => (before === '' ? '.*' : '(/.*)?'));
  return new RegExp(`^${pattern}$`, 's').test(topic);
}

const level = fc.constantFrom('', 'a', 'b', 'ab', '$', '$a', 'ü');
const topicName = fc
  .array(level, { minLength: 1, maxLength: 5 })
  .map((levels) => levels.join('/'))
  .filter((topic) => topic !== '');
const topicFilter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 5 }), fc.boolean())
  .map(([levels, rest]) => [...levels, ...(rest ? ['#'] : [])].join('/'))
  .filter((filter) => filter !== '');

test('matching agrees with the rules put as a regular expression', () => {
  fc.assert(
    fc.property(topicFilter, topicName, (filter, topic) => {
      assert.equal(topicFilterFault(filter, ANY_TOPIC), null);
      assert.equal(topicNameFault(topic, ANY_TOPIC), null);
      assert.equal(topicMatches(filter, topic), matchesByRules(filter, topic));
    }),
    { numRuns: 5_000 },
  );
});

test('wildcards have their own levels, # the last one [MQTT-4.7.1-1] [MQTT-4.7.1-2]', () => {
  for (const right of ['#', '+', '/', 'a/#', '+/+/#', 'a/+/b', '/+', '+/', ' ', '$', '$share', 'a//b'])
    assert.equal(topicFilterFault(right, ANY_TOPIC), null, right);
  for (const wrong of ['a#', '#a', 'a/#/b', '#/', '/#/', '##', 'a+', '+a', 'a/+b', 'a/b+/c', '++', '+#', '#+'])
    assert.match(topicFilterFault(wrong, ANY_TOPIC)?.text ?? 'no fault', /\[MQTT-4\.7\.1-[12]\]/, wrong);
});

test('neither a topic nor a filter is empty or has U+0000 [MQTT-4.7.3-1] [MQTT-4.7.3-2]', () => {
  for (const fault of [topicNameFault, topicFilterFault]) {
    assert.match(fault('', ANY_TOPIC)?.text ?? '', /MQTT-4\.7\.3-1/);
    assert.match(fault('a\0', ANY_TOPIC)?.text ?? '', /MQTT-4\.7\.3-2/);
  }
});

test('a topic name has no wildcards [MQTT-3.3.2-2]', () => {
  for (const wrong of ['+', '#', 'a+b', 'a/#', 'a/+/b']) assert.match(topicNameFault(wrong, ANY_TOPIC)?.text ?? '', /MQTT-3\.3\.2-2/);
});

test('levels and UTF-8 bytes are counted and bounded, and the bound is named', () => {
  const bounds = { topicLevels: 3, topicBytes: 8 };
  for (const fault of [topicNameFault, topicFilterFault]) {
    assert.equal(fault('a/b/c', bounds), null);
    assert.match(fault('a/b/c/', bounds)!.text, /3 levels, this one has 4/);
    assert.equal(fault('a/b/c/', bounds)!.limit, 'topicLevels');
    assert.equal(fault('12345678', bounds), null);
    assert.equal(fault('1234üü', bounds), null);
    assert.match(fault('12345üü', bounds)!.text, /8 bytes, this one has 9/);
    assert.equal(fault('12345üü', bounds)!.limit, 'topicBytes');
  }
});

test('what no length field can hold is a fault whatever the bounds [MQTT-4.7.3-3]', () => {
  for (const fault of [topicNameFault, topicFilterFault]) {
    assert.equal(fault('x'.repeat(TOPIC_BYTES_MAX), ANY_TOPIC), null);
    assert.deepEqual([fault('ü'.repeat(32_768), ANY_TOPIC)!.limit, fault('x'.repeat(65_536), ANY_TOPIC)!.limit], [null, null]);
  }
});

test('topics below $SYS/ and $share/ belong to the broker, others that begin with $ do not', () => {
  for (const reserved of ['$SYS/', '$SYS/broker/uptime', '$share/g/a']) assert.equal(isBrokerTopic(reserved), true, reserved);
  for (const free of ['$SYS', '$SYSx/a', '$mine/a', 'x/$SYS/a', '']) assert.equal(isBrokerTopic(free), false, free);
});

test('a filter has a wildcard when it has a + or ends with a #', () => {
  assert.deepEqual(['a', 'a/b', '#', 'a/#', '+', 'a/+/b'].map(hasWildcard), [false, false, true, true, true, true]);
});

test('a shared subscription has a name and a filter [MQTT-4.8.2-1] [MQTT-4.8.2-2]', () => {
  assert.deepEqual(parseShared('$share/g/a/b'), { group: 'g', filter: 'a/b', fault: null });
  assert.deepEqual(parseShared('$share/g//'), { group: 'g', filter: '/', fault: null });
  assert.deepEqual(parseShared('$share/$g/#'), { group: '$g', filter: '#', fault: null });
  for (const ordinary of ['a', '$share', '$shared/g/a', 'x/$share/g/a', '$SHARE/g/a'])
    assert.deepEqual(parseShared(ordinary), { group: null, filter: ordinary, fault: null });
  for (const wrong of ['$share/', '$share/g', '$share/g/', '$share//a', '$share/+/a', '$share/g#/a'])
    assert.notEqual(parseShared(wrong).fault, null, wrong);
});
