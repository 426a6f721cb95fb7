import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Frame, FrameCursor, Message, type PropertiesForm, type WireForm } from './message.ts';

function borrowed(buffer: Buffer, start: number, end: number): Message {
  return new Message('t', 0, false, buffer, start, end, true, null, 0, null, null);
}

/** A form that counts how often it was asked to encode. */
function countingForm(slot: number): WireForm & { encoded: number } {
  return {
    slot,
    encoded: 0,
    encode(message: Message): Frame {
      this.encoded++;
      const buffer = Buffer.concat([Buffer.from(`${slot}:`), message.payload]);
      return { buffer, start: 0, end: buffer.length, packetIdentifierAt: 0 };
    },
  };
}

for (const size of [0, 5, 1_024, 1_025, 100_000]) {
  test(`a kept message of ${size} bytes does not change with the buffer it arrived in`, () => {
    const buffer = Buffer.alloc(size + 10, 'x');
    const message = borrowed(buffer, 3, 3 + size);
    assert.equal(message.borrowed, true);
    assert.equal(message.keep(), message);
    buffer.fill('y');
    assert.equal(message.borrowed, false);
    assert.equal(message.payloadLength, size);
    assert.ok(message.payload.equals(Buffer.alloc(size, 'x')));
    const copy = Buffer.alloc(size + 2, '.');
    message.copyPayload(copy, 1);
    assert.equal(copy.toString(), `.${'x'.repeat(size)}.`);
    const payload = message.payload;
    message.keep();
    assert.equal(message.payload.buffer, payload.buffer, 'a second time nothing is copied');
  });
}

test('each form is encoded once, however often it is asked for', () => {
  const message = Message.of('t', Buffer.from('abc'));
  const forms = [countingForm(0), countingForm(3)];
  for (let i = 0; i < 3; i++) for (const form of forms) assert.equal(message.frame(form).buffer.toString(), `${form.slot}:abc`);
  assert.deepEqual(
    forms.map(({ encoded }) => encoded),
    [1, 1],
  );
});

test('the frame a message arrived in serves as its form, before and after the message is kept', () => {
  const buffer = Buffer.from('xx0:abc');
  const message = borrowed(buffer, 4, 7);
  const forms = [countingForm(0), countingForm(1)];
  message.setFrame(forms[0]!, 2, 1);
  const cursor = new FrameCursor();
  const located = (): string => {
    message.locate(forms[0]!, cursor);
    assert.equal(cursor.packetIdentifierAt, 1);
    return cursor.buffer.toString('latin1', cursor.start, cursor.end);
  };
  assert.equal(located(), '0:abc');
  assert.equal(cursor.buffer, buffer, 'nothing is copied');
  const own = message.frame(forms[1]!);
  message.keep();
  buffer.fill(0);
  assert.equal(located(), '0:abc');
  const { buffer: kept, start, end } = message.frame(forms[0]!);
  assert.equal(kept.toString('latin1', start, end), '0:abc');
  assert.equal(message.frame(forms[1]!), own);
  assert.deepEqual(
    forms.map(({ encoded }) => encoded),
    [0, 1],
  );
  assert.equal(message.payload.toString(), 'abc');
});

test('properties stay as they came and are decoded once, when somebody asks; a kept message has them still', () => {
  const properties = {
    payloadFormatIndicator: 0,
    contentType: 'c',
    responseTopic: null,
    correlationData: null,
    userProperties: [],
  } as const;
  let decoded = 0;
  const form: PropertiesForm = {
    decode(bytes, start, end) {
      decoded++;
      assert.equal(bytes.toString('latin1', start, end), 'PP');
      return properties;
    },
  };
  const buffer = Buffer.from('..PPabc');
  const message = borrowed(buffer, 4, 7);
  message.setEncodedProperties(form, 2);
  assert.equal(message.size, 't'.length + 'PPabc'.length);
  message.keep();
  buffer.fill(0);
  assert.equal(message.bodyLength(form), 5);
  assert.equal(message.bodyLength({ decode: () => null }), -1);
  const body = Buffer.alloc(6, '.');
  message.copyBody(body, 1);
  assert.equal(body.toString(), '.PPabc');
  assert.equal(decoded, 0);
  assert.equal(message.properties, properties);
  assert.equal(message.properties, properties);
  assert.equal(decoded, 1);
});
