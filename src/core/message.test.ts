import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Frame, Message, type WireForm } from './message.ts';

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
  message.dropFrames();
  message.frame(forms[0]!);
  assert.equal(forms[0]!.encoded, 2);
});

test('the frame a message arrived in serves until the message is kept, frames with bytes of their own stay', () => {
  const buffer = Buffer.from('0:abc');
  const message = borrowed(buffer, 2, 5);
  const arrived = { buffer, start: 0, end: 5, packetIdentifierAt: 0 };
  const forms = [countingForm(0), countingForm(1)];
  message.setFrame(forms[0]!, arrived);
  assert.equal(message.frame(forms[0]!), arrived);
  const own = message.frame(forms[1]!);
  message.keep();
  buffer.fill(0);
  assert.equal(message.frame(forms[0]!).buffer.toString(), '0:abc');
  assert.equal(message.frame(forms[1]!), own);
  assert.deepEqual(
    forms.map(({ encoded }) => encoded),
    [1, 1],
  );
});
