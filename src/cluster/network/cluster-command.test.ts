import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Message } from '../../core/message.ts';
import { AWAY, BEHIND, FULL, READY } from '../../core/subscription.ts';
import { codec12 } from '../../protocols/openwire/channel.ts';
import type { BytesMessage } from '../../protocols/openwire/wire/commands.ts';
import {
  decodePrimitiveMap,
  encodePrimitiveMap,
  intValue,
  longValue,
  type Primitive,
  stringValue,
} from '../../protocols/openwire/wire/primitive-map.ts';
import { Advisories, consumerNews, encodeAdvisory, isAdvisory } from './advisory.ts';
import { type ClusterCommand, encodeCommand, fromBytesMessage, isClusterCommand } from './cluster-command.ts';
import type { GroupDemand } from './demand.ts';

const stamp = { wallMs: 1_763_836_800_123, counter: 7, brokerId: 'ID:x' };

function crossed(command: ClusterCommand): BytesMessage {
  const frame = encodeCommand(command);
  return codec12.decode(frame, 4, frame.length) as BytesMessage;
}

test('every command comes over as it went', () => {
  const commands: ClusterCommand[] = [
    {
      kind: 'begin',
      counts: { count: '1.2', received: 2 ** 40, receivedCount: '3.4' },
      storedCounts: { count: '5', received: 2 ** 41, receivedCount: '6' },
      incarnation: 'ID:p',
      keepsId: true,
      connector: 'name=NC\n',
    },
    {
      kind: 'begin',
      counts: { count: '1.2', received: 0, receivedCount: '' },
      storedCounts: null,
      incarnation: 'ID:p',
      keepsId: false,
      connector: null,
    },
    { kind: 'connector', connector: 'name=NC\n' },
    { kind: 'clients', addresses: 'mqtt://a:1883 wss://[::1]:443' },
    { kind: 'demand' },
    { kind: 'claim', clientId: 'ünï, 😀', stamp, path: ['ID:a', 'ID:b'] },
    { kind: 'retained', topic: 'a/b,?', message: null, stamp, path: ['ID:a'] },
    { kind: 'end' },
    { kind: 'marker', path: [] },
    { kind: 'marker', path: ['ID:a'] },
  ];
  for (const command of commands) {
    const message = crossed(command);
    assert.equal(isClusterCommand(message), true);
    assert.ok(message.destination!.physicalName!.startsWith('$SYS.cluster.v1.'));
    assert.deepEqual(fromBytesMessage(message), command);
  }
});

test('a retained message comes over with payload, QoS and properties; the empty payload of a removal is none', () => {
  const properties = {
    payloadFormatIndicator: 1,
    contentType: 'x',
    responseTopic: null,
    correlationData: null,
    userProperties: [['a', 'b']],
  } as const;
  const message = new Message('t', 2, true, Buffer.from('payload'), 0, 7, false, properties, 99, null, null);
  const command = fromBytesMessage(crossed({ kind: 'retained', topic: 't', message, stamp, path: ['ID:a'] }));
  assert.ok(command?.kind === 'retained' && command.message !== null);
  const there = command.message;
  assert.deepEqual([there.topic, there.qos, there.retain, there.expiresAtMs, there.payload.toString()], ['t', 2, true, 99, 'payload']);
  assert.deepEqual(there.properties, properties);
  assert.deepEqual(there.transit, { messageId: '', brokerPath: ['ID:a'], groupsServed: true }, 'it is not retained again by its flag');
});

test('what is not known, or lacks a field, is nothing; what a client publishes is no command', () => {
  const unknown = crossed({ kind: 'end' });
  const name = (physicalName: string) => ({ ...unknown, destination: { ...unknown.destination!, physicalName } }) as BytesMessage;
  assert.equal(fromBytesMessage(name('$SYS.cluster.v1.later')), null);
  for (const kind of ['claim', 'retained', 'connector', 'clients'])
    assert.equal(fromBytesMessage(name(`$SYS.cluster.v1.${kind}`)), null, kind);
  assert.equal(isClusterCommand({ ...unknown, type: null }), false);
  assert.equal(isClusterCommand(name('$SYS.cluster.v2.end')), false);
});

test('a wish crosses as an advisory with its filter and way, whatever characters and length it has', () => {
  const advisories = new Advisories('ID:b', 'ID:us', 'us', '');
  for (const filter of ['a/+/#', 'a,b?c.d', '#', 'x'.repeat(65_535), `${'ü'.repeat(32_700)}/#`]) {
    const advert = { number: 5, filter, brokerPath: ['ID:a', 'ID:b'], group: null, isDurable: filter === '#' };
    const gained = encodeAdvisory(advisories.gained(advert));
    const advisory = codec12.decode(gained, 4, gained.length) as BytesMessage;
    assert.equal(isAdvisory(advisory), true);
    const news = consumerNews(advisory, false)!;
    assert.deepEqual([news.key, news.filters, news.brokerPath], ['ID:us:2:5', [filter], ['ID:a', 'ID:b']]);
    assert.equal(news.isDurable, filter === '#');
    const lost = encodeAdvisory(advisories.lost(advert));
    const end = consumerNews(codec12.decode(lost, 4, lost.length) as BytesMessage, false)!;
    assert.deepEqual([end.key, end.consumer], ['ID:us:2:5', null]);
  }
});

test('the members of a shared subscription cross with its wish; what makes no sense is none, or says nothing against it', () => {
  const advisories = new Advisories('ID:us', 'ID:us', 'us', '');
  const said = (group: GroupDemand, change: (properties: Map<string, Primitive>) => void = () => {}): GroupDemand | null => {
    const advisory = advisories.gained({ number: 5, filter: 'a/+', brokerPath: [], group, isDurable: false });
    const properties = new Map(decodePrimitiveMap(advisory.marshalledProperties!)!);
    change(properties);
    advisory.marshalledProperties = encodePrimitiveMap(properties);
    const frame = encodeAdvisory(advisory);
    const news = consumerNews(codec12.decode(frame, 4, frame.length) as BytesMessage, false)!;
    assert.deepEqual(news.filters, ['a/+']);
    return news.group;
  };
  for (const readiness of [READY, BEHIND, AWAY, FULL] as const) {
    const group = { name: 'ünï 😀', members: 1_000, readiness, isDurable: readiness === AWAY };
    assert.deepEqual(said(group), group);
  }
  const group = { name: 'g', members: 2, readiness: AWAY, isDurable: false } as const;
  assert.equal(said(group, (properties) => properties.set('Roundhouse.GroupReadiness', stringValue('later')))!.readiness, READY);
  assert.equal(said(group, (properties) => properties.set('Roundhouse.GroupMembers', intValue(-5)))!.members, 1);
  assert.equal(
    said(group, (properties) => properties.set('Roundhouse.GroupMembers', stringValue('2'))),
    null,
  );
  for (const name of ['', 'a/b', 'a+', '#', 'a\0b']) assert.equal(said({ ...group, name }), null, name);
});

test('a stamp that cannot be counted on from is none; an expiration of any size leaves a message that can be passed on', () => {
  const message = Message.of('t', Buffer.from('p'), 0, true);
  for (const kind of ['claim', 'retained'] as const) {
    const base = crossed(kind === 'claim' ? { kind, clientId: 'c', stamp, path: [] } : { kind, topic: 't', message, stamp, path: [] });
    const withNumber = (name: string, value: number | bigint): ClusterCommand | null => {
      const properties = new Map<string, Primitive>(decodePrimitiveMap(base.marshalledProperties!)!);
      return fromBytesMessage({ ...base, marshalledProperties: encodePrimitiveMap(properties.set(name, longValue(value))) });
    };
    for (const name of ['WallMs', 'Counter']) {
      for (const value of [2n ** 60n, 2 ** 53 - 1, -1]) assert.equal(withNumber(name, value), null, `${kind} ${name} ${value}`);
      for (const value of [2 ** 52, 0]) assert.deepEqual(fromBytesMessage(crossed(withNumber(name, value)!)), withNumber(name, value));
    }
  }
  for (const expiration of [2n ** 60n, -(2n ** 60n), -1]) {
    const command = fromBytesMessage({ ...crossed({ kind: 'retained', topic: 't', message, stamp, path: [] }), expiration })!;
    assert.deepEqual(fromBytesMessage(crossed(command)), command);
  }
});

test('a link begins with a count that cannot be, as with none', () => {
  const base = crossed({
    kind: 'begin',
    counts: { count: '1', received: 7, receivedCount: '2' },
    storedCounts: null,
    incarnation: 'ID:p',
    keepsId: false,
    connector: null,
  });
  const properties = new Map<string, Primitive>(decodePrimitiveMap(base.marshalledProperties!)!).set('Received', longValue(2n ** 60n));
  const begin = fromBytesMessage({ ...base, marshalledProperties: encodePrimitiveMap(properties) });
  assert.deepEqual(begin, {
    kind: 'begin',
    counts: { count: '1', received: 0, receivedCount: '2' },
    storedCounts: null,
    incarnation: 'ID:p',
    keepsId: false,
    connector: null,
  });
});
