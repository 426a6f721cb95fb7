import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameCursor, Message } from '../../core/message.ts';
import { MQTT_5 } from './wire/control-packet.ts';
import { locateFrame } from './wire-forms.ts';

test('a wall clock that steps back makes no Message Expiry Interval larger than there is', () => {
  const publishedAtMs = 1_800_000_000_000;
  const expiresAtMs = publishedAtMs + 0xffff_ffff * 1000;
  const message = new Message('x', 0, false, Buffer.alloc(0), 0, 0, false, null, expiresAtMs, null, null);
  const frame = new FrameCursor();
  locateFrame(message, MQTT_5, 0, [], publishedAtMs - 60_000, frame);
  assert.equal(frame.buffer.subarray(frame.start, frame.end).toString('hex'), '3009 0001 78 05 02ffffffff'.replaceAll(' ', ''));
});
