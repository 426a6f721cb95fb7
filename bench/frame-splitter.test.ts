import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameSplitter } from './frame-splitter.ts';
import { variableByteInteger } from './frames.ts';

interface Frame {
  readonly first: number;
  readonly body: string;
}

function encode({ first, body }: Frame): Buffer {
  const bytes = Buffer.from(body, 'latin1');
  return Buffer.concat([Buffer.from([first]), variableByteInteger(bytes.length), bytes]);
}

/** What a splitter finds in a stream that arrives in these pieces. */
function split(pieces: readonly Uint8Array[]): { frames: Frame[]; pendingBytes: number } {
  const frames: Frame[] = [];
  const splitter = new FrameSplitter((first, bytes, start, end) => {
    frames.push({ first, body: Buffer.from(bytes.subarray(start, end)).toString('latin1') });
  });
  for (const piece of pieces) {
    // As from a socket: a longer buffer that is used again, so nothing may rely on it after the call.
    const buffer = new Uint8Array(piece.length + 8).fill(0xff);
    buffer.set(piece);
    splitter.push(buffer, piece.length);
    buffer.fill(0xee);
  }
  return { frames, pendingBytes: splitter.pendingBytes };
}

const FRAMES: readonly Frame[] = [
  { first: 0x30, body: 'a'.repeat(70) },
  { first: 0xd0, body: '' },
  { first: 0x32, body: 'b'.repeat(127) },
  { first: 0x32, body: 'c'.repeat(128) },
  { first: 0x40, body: '\0\x01' },
  { first: 0x30, body: 'd'.repeat(16_384) },
];

test('packets in one piece are found in order, with and without a body, around the lengths where the header grows', () => {
  assert.deepEqual(split([Buffer.concat(FRAMES.map(encode))]), { frames: [...FRAMES], pendingBytes: 0 });
});

test('packets that arrive byte by byte are the same packets', () => {
  const stream = Buffer.concat(FRAMES.slice(0, 5).map(encode));
  assert.deepEqual(split([...stream].map((byte) => Buffer.from([byte]))).frames, FRAMES.slice(0, 5));
});

test('where a stream is cut does not matter', () => {
  const body = fc.oneof(
    fc.string({ maxLength: 40 }).map((text) => Buffer.from(text, 'utf8').toString('latin1')),
    fc.integer({ min: 100, max: 20_000 }).map((length) => 'x'.repeat(length)),
  );
  const frame = fc.tuple(fc.integer({ min: 0x10, max: 0xff }), body).map(([first, text]): Frame => ({ first, body: text }));
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 12 }), (frames, cuts) => {
      const stream = Buffer.concat(frames.map(encode));
      const places = [0, ...cuts.map((cut) => cut % (stream.length + 1)).sort((a, b) => a - b), stream.length];
      const pieces = places.slice(1).map((end, index) => stream.subarray(places[index], end));
      assert.deepEqual(split(pieces), { frames, pendingBytes: 0 });
    }),
    { numRuns: 200 },
  );
});

test('an unfinished packet waits, and its bytes are counted', () => {
  const stream = encode(FRAMES[0]!);
  assert.deepEqual(split([stream.subarray(0, 30)]), { frames: [], pendingBytes: 30 });
  assert.deepEqual(split([stream.subarray(0, 1)]), { frames: [], pendingBytes: 1 });
});

test('a Remaining Length of five bytes is an error, whole or in pieces [MQTT-1.5.5]', () => {
  const bytes = Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 0x01]);
  assert.throws(() => split([bytes]), /more than four bytes/);
  assert.throws(() => split([...bytes].map((byte) => Buffer.from([byte]))), /more than four bytes/);
  assert.throws(() => split([bytes.subarray(0, 5)]), /more than four bytes/);
});
