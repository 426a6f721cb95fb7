import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Message, type MessageProperties, type QoS } from '../../core/message.ts';
import { GroupAddress } from './group-address.ts';
import { createBrokerPath, createOrigin, LinkTransit } from './message-origin.ts';
import { frameExpiresAtMs, PublicationForm } from './publication-form.ts';
import { encodeProperties } from './publication-properties.ts';
import { PublicationReader } from './publication-reader.ts';
import {
  createBrokerId,
  createBytesMessage,
  createMessageId,
  createProducerId,
  createTextMessage,
  createTopic,
  type DataStructure,
} from './wire/commands.ts';
import { WireFormat } from './wire/wire-format.ts';

const LEVELS_MAX = 128;
const NOW = 1_763_836_800_123;

const codec = new WireFormat({
  version: 12,
  tightEncodingEnabled: false,
  cacheEnabled: false,
  cacheSize: 0,
  stackTraceEnabled: false,
  maxFrameSizeBytes: 100_000_000,
});

function form(brokerId = 'ID:a-1-2-3:1'): PublicationForm {
  return new PublicationForm(brokerId, brokerId, () => NOW);
}

function bytesOf(message: Message, by = form()): Buffer {
  const { buffer, start, end } = message.frame(by);
  return buffer.subarray(start, end);
}

function read(frame: Buffer): PublicationReader {
  const reader = new PublicationReader(LEVELS_MAX);
  assert.equal(reader.read(frame, 4, frame.length), true, 'of the common shape');
  return reader;
}

const PROPERTIES: MessageProperties = {
  payloadFormatIndicator: 1,
  contentType: 'text/plain; ü',
  responseTopic: 'reply/to.here',
  correlationData: Buffer.from([0, 1, 255]),
  userProperties: [
    ['a', '1'],
    ['b', ''],
    ['a', '2'],
  ],
};

test('a message is the ActiveMQBytesMessage that the codec writes for the same fields', () => {
  const message = Message.of('plant/+?,. x/ünï😀', Buffer.from('hello'), 1);
  const frame = bytesOf(message);
  const producerId = createProducerId({ connectionId: 'ID:a-1-2-3:1', sessionId: 1, value: 1 });
  const expected = createBytesMessage({
    producerId,
    destination: createTopic({ physicalName: 'plant.*?,/ x.ünï😀' }),
    messageId: createMessageId({ producerId, producerSequenceId: 1 }),
    persistent: true,
    priority: 4,
    timestamp: NOW,
    content: Buffer.from('hello'),
    marshalledProperties: encodeProperties(message, false),
    brokerPath: [createBrokerId({ value: 'ID:a-1-2-3:1' })],
  });
  assert.equal(frame.toString('hex'), codec.encode(expected).toString('hex'));
});

test('a sender patches its own count into the brokerSequenceId', () => {
  const message = Message.of('t', Buffer.from('x'), 1);
  const frame = message.frame(form());
  frame.buffer.writeBigInt64BE(77n, frame.packetIdentifierAt);
  const decoded = codec.decode(frame.buffer, 4, frame.end);
  assert.equal((decoded as { messageId: { brokerSequenceId: number } }).messageId.brokerSequenceId, 77);
  assert.equal(read(frame.buffer).linkSequence, 77);
});

test('what is written is read back in place: every part of a message', () => {
  const message = new Message('a/b', 2, true, Buffer.from('xpayloadx'), 1, 8, false, PROPERTIES, NOW + 5_000, null, null);
  const frame = bytesOf(message);
  const reader = read(frame);
  assert.equal(reader.topic, 'a/b');
  assert.equal(reader.qos, 2);
  assert.equal(reader.retain, true);
  assert.equal(reader.expiresAtMs, NOW + 5_000);
  assert.equal(frame.toString('latin1', reader.payloadStart, reader.payloadEnd), 'payload');
  assert.deepEqual(reader.properties, PROPERTIES);
  assert.equal(reader.origin.text, 'ID:a-1-2-3:1:1:1');
  assert.equal(reader.sequence, 1);
  assert.deepEqual(reader.path.ids, ['ID:a-1-2-3:1']);
});

test('each QoS with and without RETAIN comes back', () => {
  for (const qos of [0, 1, 2] as const) {
    for (const retain of [false, true]) {
      const reader = read(bytesOf(Message.of('t', Buffer.alloc(0), qos, retain)));
      assert.deepEqual([reader.qos, reader.retain, reader.payloadEnd - reader.payloadStart], [qos, retain, 0]);
    }
  }
});

test('topic names cross unchanged, whatever characters they have', () => {
  const names = [
    'a',
    '/',
    '//',
    'a//b',
    '/a',
    'a/',
    'a.b',
    'a,b',
    'a?x=1/y',
    'a b/ c',
    '$foo/x',
    '*/>',
    'queue://x',
    'a\\b',
    'ü/日本',
    '😀',
    '\u007f',
    '\uffff',
    'x'.repeat(300),
    'x'.repeat(65_535),
    'ü'.repeat(32_767),
    '😀'.repeat(16_383),
    'Roundhouse/LongName',
    'Roundhouse.LongName',
  ]; // prettier-ignore
  for (const name of names) assert.equal(read(bytesOf(Message.of(name, Buffer.from('p')))).topic, name, name.slice(0, 40));
  const character = fc.constantFrom(...'ab/.,?*> $&;:=%ü日😀\u0001\u0080\u07ff');
  fc.assert(
    fc.property(fc.array(character, { minLength: 1, maxLength: 40 }), (characters) => {
      const name = characters.join('');
      const reader = new PublicationReader(LEVELS_MAX);
      const frame = bytesOf(Message.of(name, Buffer.from('p')));
      for (let times = 0; times < 2; times++) {
        assert.equal(reader.read(frame, 4, frame.length), true);
        assert.equal(reader.topic, name);
      }
    }),
  );
});

test('a message passed on keeps its id and gains us at the end of its path', () => {
  const origin = createOrigin('ID:origin:1', 1, 1);
  const transit = new LinkTransit(origin, 41, createBrokerPath(['ID:origin:1']), false);
  assert.equal(transit.messageId, 'ID:origin:1:1:1:41');
  const passedOn = new Message('t', 1, false, Buffer.from('p'), 0, 1, false, null, 0, null, transit);
  const reader = read(bytesOf(passedOn, form('ID:middle:1')));
  assert.equal(reader.origin.text, 'ID:origin:1:1:1');
  assert.equal(reader.sequence, 41);
  assert.deepEqual(reader.path.ids, ['ID:origin:1', 'ID:middle:1']);
  const decoded = codec.decode(bytesOf(passedOn, form('ID:middle:1')), 4, bytesOf(passedOn).length) as unknown as Record<string, unknown>;
  assert.deepEqual(decoded.producerId, createProducerId({ connectionId: 'ID:middle:1', sessionId: 1, value: 1 }));
});

test('a message has one id for all peers, also when its frames were forgotten in between', () => {
  const by = form();
  const message = new Message('t', 0, false, Buffer.from('p'), 0, 1, true, null, 0, null, null);
  const first = message.frame(by);
  message.keep();
  assert.equal(message.frame(by), first);
  assert.equal(read(bytesOf(Message.of('t', Buffer.from('p')), by)).sequence, 2);
});

test('a message for one shared subscription says so, with everything else it has, to one reader time after time', () => {
  const [g, moved] = [new GroupAddress('g', 'a/+', 'ID:b', []), new GroupAddress('ünï', '#', 'ID:c', ['ID:x', 'ID:y,z'])];
  const by = form();
  const reader = new PublicationReader(LEVELS_MAX);
  const arbitrary = fc.array(
    fc.record({
      address: fc.constantFrom(g, moved, null),
      qos: fc.constantFrom<QoS>(0, 1, 2),
      retain: fc.boolean(),
      properties: fc.constantFrom(null, null, PROPERTIES),
      topic: fc.constantFrom('a/b', '😀'.repeat(16_383)),
      expiresAtMs: fc.constantFrom(0, NOW + 5),
    }),
    { minLength: 2, maxLength: 8 },
  );
  fc.assert(
    fc.property(arbitrary, (messages) => {
      for (const { address, qos, retain, properties, topic, expiresAtMs } of messages) {
        const message = new Message(topic, qos, retain, Buffer.from('p'), 0, 1, false, properties, expiresAtMs, null, null);
        const frame = address === null ? message.frame(by) : by.encodeFor(address, message, null);
        assert.equal(reader.read(frame.buffer, 4, frame.end), true);
        const { group } = reader;
        assert.deepEqual(
          [group?.name, group?.filter, group?.brokerId, group?.visited],
          [address?.name, address?.filter, address?.brokerId, address?.visited],
        );
        assert.deepEqual(
          [reader.topic, reader.qos, reader.retain, reader.properties, reader.expiresAtMs, frameExpiresAtMs(frame)],
          [topic, qos, retain, properties, expiresAtMs, expiresAtMs],
        );
      }
    }),
  );
});

test('a message for a shared subscription is one of the broker that chose for whom, and each that passes it on stands in its path', () => {
  const address = new GroupAddress('g', 't', 'ID:c', []);
  const came = new LinkTransit(createOrigin('ID:activemq', 1, 1), 41, createBrokerPath(['ID:activemq']), false);
  const message = new Message('t', 1, false, Buffer.from('p'), 0, 1, false, null, 0, null, came);
  const chosen = read(form('ID:a').encodeFor(address, message, null).buffer);
  assert.deepEqual([chosen.origin.text, chosen.sequence, chosen.path.ids], ['ID:a:1:1', 1, ['ID:a']]);
  const { origin, sequence, path } = chosen;
  const passedOn = read(form('ID:b').encodeFor(address, message, new LinkTransit(origin, sequence, path, true)).buffer);
  assert.deepEqual([passedOn.origin.text, passedOn.sequence, passedOn.path.ids], ['ID:a:1:1', 1, ['ID:a', 'ID:b']]);
});

test('one reader follows changing producers, paths and names', () => {
  const reader = new PublicationReader(LEVELS_MAX);
  for (const id of ['ID:a:1', 'ID:b:1', 'ID:a:1', 'ID:longer-name:1']) {
    const frame = bytesOf(Message.of(`from/${id}`, Buffer.from(id)), form(id));
    assert.equal(reader.read(frame, 4, frame.length), true);
    assert.deepEqual([reader.topic, reader.origin.text, reader.path.ids], [`from/${id}`, `${id}:1:1`, [id]]);
  }
});

test('frames of other shapes are left to the codec', () => {
  const producerId = createProducerId({ connectionId: 'c', sessionId: 1, value: 1 });
  const base = {
    producerId,
    destination: createTopic({ physicalName: 't' }),
    messageId: createMessageId({ producerId, producerSequenceId: 1 }),
  };
  const others: DataStructure[] = [
    createTextMessage(base),
    createBytesMessage({ ...base, type: 'x' }),
    createBytesMessage({ ...base, compressed: true }),
    createBytesMessage({ ...base, replyTo: createTopic({ physicalName: 'r' }) }),
    createBytesMessage({ ...base, correlationId: 'c' }),
    createBytesMessage({ ...base, groupId: 'g' }),
    createBytesMessage({ ...base, userId: 'u' }),
    createBytesMessage({ ...base, originalDestination: createTopic({ physicalName: 'o' }) }),
    createBytesMessage({ ...base, messageId: createMessageId({ producerId, producerSequenceId: 1, textView: 'v' }) }),
    createBytesMessage({ ...base, dataStructure: createTopic({ physicalName: 'd' }) }),
  ];
  for (const other of others) {
    const frame = codec.encode(other);
    assert.equal(new PublicationReader(LEVELS_MAX).read(frame, 4, frame.length), false);
  }
  const plain = codec.encode(createBytesMessage({ ...base, persistent: true }));
  const reader = read(plain);
  assert.deepEqual([reader.topic, reader.qos, reader.path.ids], ['t', 1, []], 'a JMS message without our properties is fine');
});

test('a name with wildcards or too many levels is no topic', () => {
  const producerId = createProducerId({ connectionId: 'c', sessionId: 1, value: 1 });
  const messageId = createMessageId({ producerId, producerSequenceId: 1 });
  for (const physicalName of ['a.>', '*', `a${'.a'.repeat(LEVELS_MAX)}`]) {
    const frame = codec.encode(createBytesMessage({ producerId, messageId, destination: createTopic({ physicalName }) }));
    assert.equal(read(frame).topic, '');
  }
});

test('no bytes make the reader fail otherwise than as malformed, or read beyond the frame', () => {
  const message = new Message('a/b', 1, true, Buffer.from('payload'), 0, 7, false, PROPERTIES, 1, null, null);
  const good = form().encodeFor(new GroupAddress('g', 'a/+', 'ID:b', ['ID:a']), message, null).buffer;
  const reader = new PublicationReader(LEVELS_MAX);
  for (let cut = 4; cut < good.length; cut++) assert.equal(reader.read(good, 4, cut), false, `cut at ${cut}`);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(good.length - 5), fc.nat(255)), { maxLength: 4 }), (changes) => {
      const bad = Buffer.from(good);
      for (const [at, value] of changes) bad[4 + at] = value;
      try {
        reader.read(bad, 4, bad.length);
        assert.ok(reader.payloadEnd <= bad.length);
      } catch (error) {
        assert.match((error as { code: string }).code, /OPENWIRE_MALFORMED|TRUNCATED/);
      }
    }),
    { numRuns: 2_000 },
  );
});
