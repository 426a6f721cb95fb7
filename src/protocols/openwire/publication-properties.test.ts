import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Message, type MessageProperties } from '../../core/message.ts';
import { codec12 } from './channel.ts';
import { toMqttMessage } from './foreign-message.ts';
import { LONG_NAME, PublicationForm } from './publication-form.ts';
import { decodeProperties, encodeProperties, expiryOf } from './publication-properties.ts';
import { PublicationReader } from './publication-reader.ts';
import { createBytesMessage, createMessageId, createProducerId, createTopic } from './wire/commands.ts';
import { encodePrimitiveMap, stringValue } from './wire/primitive-map.ts';

const NONE: MessageProperties = {
  payloadFormatIndicator: null,
  contentType: null,
  responseTopic: null,
  correlationData: null,
  userProperties: [],
};
const LARGEST = 'x'.repeat(65_535);
const TOO_LARGE = 'x'.repeat(65_536);
const TOO_WIDE = 'ü'.repeat(32_768);

function crossed(properties: Partial<MessageProperties>): MessageProperties | null {
  const encoded = encodeProperties(Message.of('t', Buffer.alloc(0), 0, false, { ...NONE, ...properties }), false);
  return decodeProperties(encoded, 0, encoded.length).properties;
}

test('what MQTT can just carry crosses', () => {
  const most = {
    contentType: LARGEST,
    responseTopic: LARGEST,
    correlationData: Buffer.alloc(65_535),
    userProperties: [[LARGEST, LARGEST]],
  } as const;
  assert.deepEqual(crossed(most), { ...NONE, ...most });
});

test('what MQTT cannot carry is left out, and the rest crosses', () => {
  for (const text of [TOO_LARGE, TOO_WIDE, 'a\0b']) {
    assert.equal(crossed({ contentType: text }), null);
    assert.equal(crossed({ responseTopic: text }), null);
    const userProperties = [
      ['a', '1'],
      ['b', text],
      [text, '3'],
      ['d', '4'],
    ] as const;
    assert.deepEqual(crossed({ contentType: 'c', userProperties }), {
      ...NONE,
      contentType: 'c',
      userProperties: [userProperties[0], userProperties[3]],
    });
  }
  assert.equal(crossed({ correlationData: Buffer.alloc(65_536) }), null);
  for (const responseTopic of ['', 'a/+', '#']) assert.equal(crossed({ responseTopic }), null);
});

test('a topic name that MQTT cannot carry is none, in whatever shape the message comes', () => {
  const foreign = (name: string): Message | null => {
    const marshalledProperties = encodePrimitiveMap(new Map([['Roundhouse.Topic', stringValue(name)]]));
    return toMqttMessage(createBytesMessage({ destination: createTopic({ physicalName: LONG_NAME }), marshalledProperties }), null, 128);
  };
  assert.equal(foreign(LARGEST)!.topic, LARGEST);
  for (const name of [TOO_LARGE, TOO_WIDE, `\0${TOO_LARGE}`]) {
    const { buffer } = Message.of(name, Buffer.alloc(0)).frame(new PublicationForm('ID:x', 'ID:x', () => 1));
    const reader = new PublicationReader(128);
    assert.equal(reader.read(buffer, 4, buffer.length), true);
    assert.equal(reader.topic, '');
    assert.equal(foreign(name), null);
  }
});

test('an expiration is a time that can be counted with, or never', () => {
  const cases: [number | bigint, number][] = [
    [0, 0],
    [99, 99],
    [-1, 0],
    [-(2n ** 63n), 0],
    [2n ** 60n, Number.MAX_SAFE_INTEGER],
  ];
  for (const [expiration, expiresAtMs] of cases) {
    assert.equal(expiryOf(expiration), expiresAtMs);
    assert.equal(
      toMqttMessage(createBytesMessage({ destination: createTopic({ physicalName: 't' }), expiration }), null, 128)!.expiresAtMs,
      expiresAtMs,
    );
    const messageId = createMessageId({ producerId: createProducerId({ connectionId: 'c' }), producerSequenceId: 1 });
    const plain = { producerId: messageId.producerId, messageId, destination: createTopic({ physicalName: 't' }) };
    const frame = codec12.encode(createBytesMessage({ ...plain, expiration }));
    const reader = new PublicationReader(128);
    assert.equal(reader.read(frame, 4, frame.length), true);
    assert.equal(reader.expiresAtMs, expiresAtMs);
  }
});

test('the numbers of a message and of a link can be counted with, whatever a peer says', () => {
  const producerId = createProducerId({ connectionId: 'c' });
  for (const [said, taken] of [
    [2n ** 60n, Number.MAX_SAFE_INTEGER],
    [-(2n ** 63n), Number.MIN_SAFE_INTEGER],
  ] as const) {
    const messageId = createMessageId({ producerId, producerSequenceId: said, brokerSequenceId: said });
    const frame = codec12.encode(createBytesMessage({ producerId, messageId, destination: createTopic({ physicalName: 't' }) }));
    const reader = new PublicationReader(128);
    assert.equal(reader.read(frame, 4, frame.length), true);
    assert.deepEqual([reader.sequence, reader.linkSequence], [taken, taken]);
  }
});
