import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hasWildcard, parseShared, topicFilterFault, topicMatches, topicNameFault } from './topic-filter.ts';

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
      assert.equal(topicFilterFault(filter, 10), null);
      assert.equal(topicNameFault(topic, 10), null);
      assert.equal(topicMatches(filter, topic), matchesByRules(filter, topic));
    }),
    { numRuns: 5_000 },
  );
});

test('wildcards have their own levels, # the last one [MQTT-4.7.1-1] [MQTT-4.7.1-2]', () => {
  for (const right of ['#', '+', '/', 'a/#', '+/+/#', 'a/+/b', '/+', '+/', ' ', '$', '$share', 'a//b'])
    assert.equal(topicFilterFault(right, 10), null, right);
  for (const wrong of ['a#', '#a', 'a/#/b', '#/', '/#/', '##', 'a+', '+a', 'a/+b', 'a/b+/c', '++', '+#', '#+'])
    assert.match(topicFilterFault(wrong, 10) ?? 'no fault', /\[MQTT-4\.7\.1-[12]\]/, wrong);
});

test('neither a topic nor a filter is empty or has U+0000 [MQTT-4.7.3-1] [MQTT-4.7.3-2]', () => {
  for (const fault of [topicNameFault, topicFilterFault]) {
    assert.match(fault('', 10) ?? '', /MQTT-4\.7\.3-1/);
    assert.match(fault('a\0', 10) ?? '', /MQTT-4\.7\.3-2/);
  }
});

test('a topic name has no wildcards [MQTT-3.3.2-2]', () => {
  for (const wrong of ['+', '#', 'a+b', 'a/#', 'a/+/b']) assert.match(topicNameFault(wrong, 10) ?? '', /MQTT-3\.3\.2-2/);
});

test('levels are counted and bounded', () => {
  for (const fault of [topicNameFault, topicFilterFault]) {
    assert.equal(fault('a/b/c', 3), null);
    assert.match(fault('a/b/c/', 3) ?? '', /3 levels, this one has 4/);
  }
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
