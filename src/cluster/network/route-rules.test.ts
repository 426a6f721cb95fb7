import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Broker } from '../../core/broker.ts';
import { Message } from '../../core/message.ts';
import { silentLog } from '../../telemetry/log.ts';
import { DEFAULT_LINK_SETTINGS, type DestinationPattern, type LinkSettings } from './link-settings.ts';
import { formatNetworkProperties, parseNetworkProperties } from './network-properties.ts';
import { RouteRules } from './route-rules.ts';
import { SeenMessages } from './seen-messages.ts';

function rules(settings: Partial<LinkSettings> = {}): RouteRules {
  return new RouteRules({ ...DEFAULT_LINK_SETTINGS, ...settings });
}

/** A message that came through these brokers; none for one published here. */
function message(...brokerPath: string[]): Message {
  const transit = brokerPath.length === 0 ? null : { messageId: 'x', brokerPath, groupsServed: false };
  return new Message('t', 1, false, Buffer.from('p'), 0, 1, false, null, 0, null, transit);
}

const topic = (physicalName: string): DestinationPattern => ({ kind: 'topic', physicalName });

test('a message crosses as many links as messageTTL says', () => {
  const paths = [message(), message('x'), message('x', 'y')];
  for (const [messageTTL, crosses] of [
    [0, [false, false, false]],
    [1, [true, false, false]],
    [2, [true, true, false]],
    [-1, [true, true, true]],
  ] as const) {
    const limited = rules({ messageTTL });
    assert.deepEqual(
      paths.map((from) => limited.forwards(from, 'peer')),
      crosses,
    );
  }
});

test('a message does not go back to a broker it has been at, whatever the TTL', () => {
  const far = rules({ messageTTL: -1 });
  assert.equal(far.forwards(message('x', 'peer', 'y'), 'peer'), false);
  assert.equal(far.forwards(message('x', 'peerless'), 'peer'), true);
});

test('demand crosses as many links as consumerTTL says and does not come back to us', () => {
  assert.deepEqual(
    [[], ['x']].map((path) => rules().acceptsDemand(path, 'us')),
    [true, false],
  );
  assert.deepEqual(
    [['x'], ['x', 'y']].map((path) => rules({ consumerTTL: 2 }).acceptsDemand(path, 'us')),
    [true, false],
  );
  assert.equal(rules({ consumerTTL: -1 }).acceptsDemand(['x', 'us', 'y'], 'us'), false);
  assert.equal(rules({ staticBridge: true }).acceptsDemand([], 'us'), false);
});

test('excluded wins over statically included, that over dynamically included, and all may cross where nothing is included', () => {
  assert.equal(rules().permits('any/thing'), true);
  const some = rules({
    excludedDestinations: [topic('no.>')],
    staticallyIncludedDestinations: [topic('always.*')],
    dynamicallyIncludedDestinations: [topic('yes.>'), topic('no.really')],
  });
  assert.deepEqual(
    ['no', 'no/x', 'no/really', 'always/x', 'always/x/y', 'yes', 'yes/x/y', 'other'].map((name) => some.permits(name)),
    [false, false, false, true, false, true, true, false],
  );
  assert.deepEqual(some.staticFilters, ['always/+']);
});

test('patterns for queues say nothing about topics, but a list of them includes no topic', () => {
  const queue: DestinationPattern = { kind: 'queue', physicalName: '>' };
  assert.equal(rules({ excludedDestinations: [queue] }).permits('x'), true);
  assert.equal(rules({ dynamicallyIncludedDestinations: [queue] }).permits('x'), false);
});

test("a broker's statistics of itself stay where they are", () => {
  assert.deepEqual(
    ['$SYS/broker/uptime', '$SYS/x', '$foo/x'].map((name) => rules().permits(name)),
    [false, true, true],
  );
});

test("settings cross as a properties file that ActiveMQ's own keys are in, and come back", () => {
  const settings: LinkSettings = {
    name: 'my: con=nector #1\\ü',
    duplex: false,
    messageTTL: 3,
    consumerTTL: -1,
    prefetchSize: 10,
    userName: 'us',
    password: 'secret',
    staticBridge: true,
    dynamicallyIncludedDestinations: [topic('a.>'), { kind: 'queue', physicalName: 'q' }],
    staticallyIncludedDestinations: [topic('s')],
    excludedDestinations: [{ kind: 'tempTopic', physicalName: 'x' }],
  };
  const text = formatNetworkProperties(settings, 'broker2');
  assert.ok(text.includes('dynamicallyIncludedDestinations=[topic\\://a.>,queue\\://q]\n'), text);
  assert.ok(text.includes('name=my\\: con\\=nector \\#1\\\\\\u00fc\n'), text);
  assert.deepEqual(parseNetworkProperties(text), { ...settings, userName: null, password: null }, 'how we log in crosses elsewhere');
  for (const duplex of [null, true] as const) {
    const other = { ...DEFAULT_LINK_SETTINGS, duplex };
    assert.deepEqual(parseNetworkProperties(formatNetworkProperties(other, 'b')), other);
  }
});

test('keys that are not known and values that make no sense leave the default', () => {
  const text = '#comment\n! another\n\nuri=static\\:(x)\nmessageTTL = 7\nconsumerTTL:many\nprefetchSize=0\nduplex=perhaps\nstarted\n';
  assert.deepEqual(parseNetworkProperties(text), { ...DEFAULT_LINK_SETTINGS, messageTTL: 7 });
  assert.deepEqual(parseNetworkProperties(''), DEFAULT_LINK_SETTINGS);
});

test('a message is seen once, in whatever order its copies come, of each publisher by itself', () => {
  const seen = new SeenMessages(new Broker({ id: 'ID:us', name: 'us', log: silentLog }).store);
  const notes = (origin: string, ...sequences: number[]) => sequences.map((sequence) => seen.note(origin, sequence));
  assert.deepEqual(notes('a', 1, 3, 2, 3, 2, 1, 4), ['new', 'new', 'new', 'seen', 'seen', 'seen', 'new']);
  assert.deepEqual(notes('b', 1, 3), ['new', 'new']);
  assert.deepEqual(notes('a', 4, 5), ['seen', 'new']);
});

test('numbers that were passed over are still new; those too far back cannot be told', () => {
  const seen = new SeenMessages(new Broker({ id: 'ID:us', name: 'us', log: silentLog }).store);
  assert.equal(seen.note('a', 10), 'new');
  assert.equal(seen.note('a', 65_540), 'new');
  assert.deepEqual([seen.note('a', 5), seen.note('a', 4)], ['new', 'old']);
  assert.equal(seen.note('a', 10), 'seen');
  assert.equal(seen.note('a', 1_000_000), 'new');
  assert.deepEqual([seen.note('a', 999_999), seen.note('a', 999_999), seen.note('a', 65_540)], ['new', 'seen', 'old']);
  for (let n = 1_000_001; n < 1_200_000; n++) assert.equal(seen.note('a', n), 'new');
});
