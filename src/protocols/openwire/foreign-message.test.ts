import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { toMqttMessage } from './foreign-message.ts';
import {
  createBrokerId,
  createBytesMessage,
  createMapMessage,
  createMessageId,
  createObjectMessage,
  createProducerId,
  createQueue,
  createTempTopic,
  createTextMessage,
  createTopic,
  type Message,
} from './wire/commands.ts';
import { booleanValue, encodePrimitiveMap, intValue, type Primitive, stringValue } from './wire/primitive-map.ts';

const destination = createTopic({ physicalName: 'a.b/c' });
const producerId = createProducerId({ connectionId: 'ID:app-1', sessionId: 2, value: 3 });
const messageId = createMessageId({ producerId, producerSequenceId: 4, brokerSequenceId: 99 });

function text(body: string): Buffer {
  const bytes = Buffer.from(body);
  const content = Buffer.alloc(4 + bytes.length);
  content.writeInt32BE(bytes.length);
  bytes.copy(content, 4);
  return content;
}

function payload(message: Message): string {
  return toMqttMessage(message, null, 128)!.payload.toString();
}

test('each kind of body becomes the payload that ActiveMQ gives its MQTT clients', () => {
  assert.equal(payload(createTextMessage({ destination, content: text('hällo') })), 'hällo');
  assert.equal(payload(createTextMessage({ destination, content: null })), '');
  assert.equal(payload(createTextMessage({ destination, content: Buffer.from('ffffffff', 'hex') })), '');
  assert.equal(payload(createBytesMessage({ destination, content: Buffer.from('raw') })), 'raw');
  assert.equal(payload(createObjectMessage({ destination, content: Buffer.from('aced', 'hex') })), Buffer.from('aced', 'hex').toString());
  const map = encodePrimitiveMap(
    new Map<string, Primitive>([
      ['x', intValue(1)],
      ['y', stringValue('z')],
    ]),
  );
  assert.equal(payload(createMapMessage({ destination, content: map })), '{x=1, y=z}');
});

test('characters that Java writes in its own way are written as UTF-8', () => {
  const modified = Buffer.concat([Buffer.from('0000000a', 'hex'), Buffer.from('61eda0bdedb880c08062', 'hex')]);
  assert.equal(payload(createTextMessage({ destination, content: modified })), 'a😀\0b');
});

test('compressed bodies are inflated; of a bytes message only the stated length counts', () => {
  const tail = Buffer.from('payload and the rest of the buffer');
  const stream = Buffer.concat([Buffer.from([0, 0, 0, 7]), deflateSync(tail)]);
  assert.equal(payload(createBytesMessage({ destination, compressed: true, content: stream })), 'payload');
  assert.equal(payload(createTextMessage({ destination, compressed: true, content: deflateSync(text('text')) })), 'text');
  const broken = createBytesMessage({ destination, compressed: true, content: Buffer.from('000000070102', 'hex') });
  assert.throws(() => toMqttMessage(broken, null, 128), { code: 'OPENWIRE_MALFORMED', message: /compressed message body/ });
});

test('QoS is the property where there is one, else 1 for persistent messages and 0 for others', () => {
  const qos = (fields: { persistent: boolean; marshalledProperties?: Buffer }) =>
    toMqttMessage(createBytesMessage({ destination, ...fields }), null, 128)!.qos;
  assert.deepEqual([qos({ persistent: true }), qos({ persistent: false })], [1, 0]);
  const marshalledProperties = encodePrimitiveMap(new Map([['ActiveMQ.MQTT.QoS', intValue(2)]]));
  assert.equal(qos({ persistent: false, marshalledProperties }), 2);
});

test('names are converted, id, path, expiry and RETAIN kept', () => {
  const message = toMqttMessage(
    createBytesMessage({
      destination,
      messageId,
      expiration: 5_000,
      brokerPath: [createBrokerId({ value: 'x' }), createBrokerId({ value: 'y' })],
      marshalledProperties: encodePrimitiveMap(new Map([['ActiveMQ.Retain', booleanValue(true)]])),
    }),
    null,
    128,
  )!;
  assert.deepEqual([message.topic, message.expiresAtMs, message.retain], ['a/b.c', 5_000, true]);
  assert.deepEqual([message.transit!.messageId, message.transit!.brokerPath], ['ID:app-1:2:3:4', ['x', 'y']]);
});

test('ids of other protocols stand as they are', () => {
  const message = createBytesMessage({ destination, messageId: createMessageId({ textView: 'ID:amqp-thing', producerSequenceId: 0 }) });
  assert.equal(toMqttMessage(message, null, 128)!.transit!.messageId, 'ID:amqp-thing:0:0:0');
});

test('what is not for a topic of MQTT is none', () => {
  for (const other of [
    createQueue({ physicalName: 'q' }),
    createTempTopic({ physicalName: 't' }),
    createTopic({ physicalName: 'a.>' }),
    null,
  ])
    assert.equal(toMqttMessage(createBytesMessage({ destination: other }), null, 128), null);
});
