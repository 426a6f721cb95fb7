import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SOAK_FACTOR } from '../../../../test/harness/soak.ts';
import { FrameSplitter } from './frame-splitter.ts';

const LIMIT_BYTES = 100_000;

function framed(content: Uint8Array): Buffer {
  const frame = Buffer.alloc(4 + content.length);
  frame.writeInt32BE(content.length);
  frame.set(content, 4);
  return frame;
}

/** Pushes the stream in chunks of the given sizes, each in a buffer that is overwritten afterwards, as a read buffer is. */
function split(stream: Buffer, chunkSizes: readonly number[], limitBytes = LIMIT_BYTES): Buffer[] {
  const frames: Buffer[] = [];
  const splitter = new FrameSplitter(limitBytes, (buffer, start, end) => frames.push(Buffer.from(buffer.subarray(start, end))));
  const readBuffer = Buffer.alloc(stream.length + 7);
  let at = 0;
  for (const size of [...chunkSizes, stream.length]) {
    const end = Math.min(stream.length, at + size);
    stream.copy(readBuffer, 7, at, end);
    splitter.push(readBuffer, 7, 7 + end - at);
    readBuffer.fill(0xee);
    at = end;
  }
  assert.equal(splitter.heldBytes, 0);
  return frames;
}

test('any split of a stream of frames gives the same frames', () => {
  const contents = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 8 });
  fc.assert(
    fc.property(contents, fc.array(fc.nat(30), { maxLength: 20 }), (frames, chunkSizes) => {
      const expected = frames.map((content) => Buffer.from(content));
      assert.deepEqual(split(Buffer.concat(frames.map(framed)), chunkSizes), expected);
    }),
    { numRuns: 2000 * SOAK_FACTOR },
  );
});

test('a stream that comes byte by byte gives the same frames', () => {
  const contents = [Buffer.from([1]), Buffer.alloc(300, 2), Buffer.from([3, 4])];
  const stream = Buffer.concat(contents.map(framed));
  assert.deepEqual(split(stream, new Array(stream.length).fill(1)), contents);
});

test('a frame that grows over several rooms is whole', () => {
  const content = Buffer.from(Array.from({ length: 90_000 }, (_, index) => index % 251));
  assert.deepEqual(split(framed(content), new Array(70).fill(1300)), [content]);
});

test('a whole frame is handed on where it lies, without a copy', () => {
  const chunk = Buffer.concat([Buffer.from([9, 9]), framed(Buffer.from([1, 2]))]);
  const seen: [Buffer, number, number][] = [];
  new FrameSplitter(10, (...frame) => seen.push(frame)).push(chunk, 2, chunk.length);
  assert.equal(seen.length, 1);
  assert.equal(seen[0]![0], chunk);
  assert.deepEqual(seen[0]!.slice(1), [6, 8]);
});

test('a frame of exactly the largest size passes, a larger one is refused by its size field alone', () => {
  assert.deepEqual(split(framed(Buffer.alloc(16, 5)), [], 16), [Buffer.alloc(16, 5)]);
  for (const chunkSizes of [[], [1, 1, 1], [4]]) {
    const announced = Buffer.from([0, 0, 0, 17]);
    assert.throws(() => split(announced, chunkSizes, 16), {
      code: 'OPENWIRE_MALFORMED',
      message: 'OpenWire frame: a size from 1 to 16 bytes was expected, 17 came',
    });
  }
});

test('a size of nothing or less is refused', () => {
  for (const size of [0, -1, -2147483648]) {
    const field = Buffer.alloc(4);
    field.writeInt32BE(size);
    assert.throws(() => split(field, []), { code: 'OPENWIRE_MALFORMED' });
  }
});

test('an announced frame takes no more memory than what has come of it asks for', () => {
  const splitter = new FrameSplitter(2_000_000_000, () => assert.fail('no frame is complete'));
  const before = process.memoryUsage().arrayBuffers;
  const announced = Buffer.from([0x70, 0, 0, 0, 1, 2, 3]);
  splitter.push(announced, 0, announced.length);
  assert.equal(splitter.heldBytes, 7);
  assert.ok(process.memoryUsage().arrayBuffers - before < 10_000_000);
});

test('the limit may change between two frames of one chunk, as the negotiation changes it', () => {
  const sizes: number[] = [];
  const splitter = new FrameSplitter(2, (_, start, end) => {
    sizes.push(end - start);
    splitter.maxFrameSizeBytes = 50;
  });
  const stream = Buffer.concat([framed(Buffer.alloc(2)), framed(Buffer.alloc(50))]);
  splitter.push(stream, 0, stream.length);
  assert.deepEqual(sizes, [2, 50]);
});

test('after stop nothing more is handed on, not even from the chunk at hand', () => {
  let frames = 0;
  const splitter = new FrameSplitter(10, () => {
    frames++;
    splitter.stop();
  });
  const stream = Buffer.concat([framed(Buffer.alloc(1)), framed(Buffer.alloc(1)), Buffer.from([0, 0])]);
  splitter.push(stream, 0, stream.length);
  splitter.push(stream, 0, stream.length);
  assert.equal(frames, 1);
});
