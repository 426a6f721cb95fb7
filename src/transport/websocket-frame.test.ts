import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SOAK_FACTOR } from '../../test/harness/soak.ts';
import { clientClose, clientFrame, type FrameFields } from '../../test/harness/websocket-bytes.ts';
import {
  BINARY,
  CLOSE,
  CONTINUATION,
  closeFrame,
  FrameReader,
  type FrameSink,
  frameHeader,
  PING,
  PONG,
  WebSocketError,
} from './websocket-frame.ts';

const FRAME_SIZE_MAX = 100_000;

/** Writes down what a reader tells. */
class Recorder implements FrameSink {
  readonly pieces: Buffer[] = [];
  readonly pings: string[] = [];
  closeCode: number | null = null;

  onPayload(chunk: Buffer, start: number, end: number): void {
    assert.equal(this.closeCode, null, 'nothing comes after a close frame');
    assert.ok(end > start);
    this.pieces.push(Buffer.from(chunk.subarray(start, end)));
  }

  onPing(payload: Buffer): void {
    this.pings.push(payload.toString('latin1'));
  }

  onCloseFrame(code: number): void {
    assert.equal(this.closeCode, null);
    this.closeCode = code;
  }

  get told(): { payload: string; pings: string[]; closeCode: number | null } {
    return { payload: Buffer.concat(this.pieces).toString('latin1'), pings: this.pings, closeCode: this.closeCode };
  }
}

/** Reads a stream in pieces that end at `cuts`. Returns what it told, and the code it closed with because of an error. */
function read(stream: Buffer, cuts: readonly number[] = []): { told: Recorder['told']; fault: number | null; message: string } {
  const reader = new FrameReader(FRAME_SIZE_MAX);
  const sink = new Recorder();
  let at = 0;
  try {
    for (const cut of [...cuts, stream.length]) {
      // Amid other bytes, which must make no difference.
      const chunk = Buffer.concat([Buffer.from('xx'), stream.subarray(at, cut), Buffer.from('yy')]);
      reader.push(chunk, 2, chunk.length - 2, sink);
      assert.equal(chunk.toString('latin1', 0, 2) + chunk.toString('latin1', chunk.length - 2), 'xxyy');
      at = cut;
    }
  } catch (error) {
    assert.ok(error instanceof WebSocketError, String(error));
    return { told: sink.told, fault: error.closeCode, message: error.message };
  }
  return { told: sink.told, fault: null, message: '' };
}

const MESSAGES: readonly { name: string; frames: readonly FrameFields[]; payload: string; pings?: string[] }[] = [
  { name: 'RFC 6455 section 5.7: a masked message, here binary', frames: [{ opcode: BINARY, payload: 'Hello' }], payload: 'Hello' },
  { name: 'an empty frame', frames: [{ opcode: BINARY }], payload: '' },
  { name: 'a length of 16 bits', frames: [{ opcode: BINARY, payload: 'a'.repeat(300) }], payload: 'a'.repeat(300) },
  { name: 'a length of 64 bits', frames: [{ opcode: BINARY, payload: 'b'.repeat(70_000) }], payload: 'b'.repeat(70_000) },
  { name: 'a length with more bits than it needs', frames: [{ opcode: BINARY, payload: 'c', lengthBits: 64 }], payload: 'c' },
  {
    name: 'a message in fragments, pings between them',
    frames: [
      { opcode: BINARY, payload: 'He', fin: false },
      { opcode: PING, payload: 'one' },
      { opcode: CONTINUATION, payload: '', fin: false },
      { opcode: CONTINUATION, payload: 'll', fin: false },
      { opcode: PING },
      { opcode: CONTINUATION, payload: 'o' },
      { opcode: BINARY, payload: '!' },
    ],
    payload: 'Hello!',
    pings: ['one', ''],
  },
  { name: 'a pong that nobody asked for', frames: [{ opcode: PONG, payload: 'x'.repeat(125) }], payload: '' },
];

for (const { name, frames, payload, pings = [] } of MESSAGES) {
  test(`${name} is read, split at every byte or not at all [MQTT-6.0.0-2]`, () => {
    const stream = Buffer.concat(frames.map(clientFrame));
    const expected = { payload, pings, closeCode: null };
    assert.deepEqual(read(stream).told, expected);
    if (stream.length > 1_000) {
      for (let cut = 0; cut < 20; cut++) assert.deepEqual(read(stream, [cut]).told, expected);
      return;
    }
    for (let cut = 0; cut <= stream.length; cut++) assert.deepEqual(read(stream, [cut]).told, expected);
    assert.deepEqual(read(stream, [...stream.keys()]).told, expected);
  });
}

for (const [name, stream, closeCode, message] of [
  ['a text frame [MQTT-6.0.0-1]', clientFrame({ opcode: 1, payload: 'hi' }), 1003, /text frame/],
  ['an unmasked frame', clientFrame({ opcode: BINARY, payload: 'hi', mask: null }), 1002, /not masked/],
  ['a reserved bit', clientFrame({ opcode: BINARY, reserved: 4 }), 1002, /reserved bit/],
  ['an unknown opcode of data', clientFrame({ opcode: 3 }), 1002, /opcode 3/],
  ['an unknown opcode of control', clientFrame({ opcode: 11 }), 1002, /opcode 11/],
  ['a fragmented ping', clientFrame({ opcode: PING, fin: false }), 1002, /control frame is fragmented/],
  ['a ping of 126 bytes', clientFrame({ opcode: PING, payload: 'x'.repeat(126) }), 1002, /more than 125/],
  ['a continuation of nothing', clientFrame({ opcode: CONTINUATION }), 1002, /continues nothing/],
  [
    'a message within a message',
    Buffer.concat([clientFrame({ opcode: BINARY, fin: false }), clientFrame({ opcode: BINARY })]),
    1002,
    /within another/,
  ],
  ['half a close code', clientFrame({ opcode: CLOSE, payload: 'x' }), 1002, /half a code/],
  ['a close code that is never sent', clientClose(1005), 1002, /code 1005/],
  ['a close code that nobody has defined', clientClose(2999), 1002, /code 2999/],
  ['a reason that is not UTF-8', clientFrame({ opcode: CLOSE, payload: Buffer.from('03e8ff', 'hex') }), 1007, /not UTF-8/],
  ['a frame that is too large', clientFrame({ opcode: BINARY, announced: 100_001n }), 1009, /100001 bytes: 100000 are the most/],
  ['a frame that is much too large', clientFrame({ opcode: BINARY, announced: 2n ** 62n }), 1009, /4611686018427387904 bytes/],
  ['a length with its highest bit', clientFrame({ opcode: BINARY, announced: 2n ** 63n }), 1002, /highest bit/],
] as const) {
  test(`${name} is an error with close code ${closeCode}, wherever it is split`, () => {
    const whole = read(stream);
    assert.equal(whole.fault, closeCode);
    assert.match(whole.message, message);
    for (let cut = 0; cut < Math.min(stream.length, 20); cut++) assert.equal(read(stream, [cut]).fault, closeCode);
  });
}

test('a frame that cannot be taken is found out by its header, before its payload', () => {
  for (const header of ['81', '82 05', '82 fe ffff 00000000']) {
    const bytes = Buffer.from(header.replaceAll(' ', ''), 'hex');
    const reader = new FrameReader(1_000);
    assert.throws(() => reader.push(bytes, 0, bytes.length, new Recorder()), WebSocketError, header);
  }
});

test('the code of a close frame is told, and what follows it is not read', () => {
  for (const [frame, code] of [
    [clientClose(1000, 'bye'), 1000],
    [clientClose(4999), 4999],
    [clientFrame({ opcode: CLOSE }), 1005],
  ] as const) {
    const stream = Buffer.concat([
      clientFrame({ opcode: BINARY, payload: 'last' }),
      frame,
      clientFrame({ opcode: 1 }),
      Buffer.alloc(20, 0xff),
    ]);
    for (let cut = 0; cut < stream.length; cut++)
      assert.deepEqual(read(stream, [cut]), { told: { payload: 'last', pings: [], closeCode: code }, fault: null, message: '' });
  }
});

test('headers of ours are the shortest there are, and never masked', () => {
  assert.equal(frameHeader(BINARY, 0).toString('hex'), '8200');
  assert.equal(frameHeader(PONG, 125).toString('hex'), '8a7d');
  assert.equal(frameHeader(BINARY, 126).toString('hex'), '827e007e');
  assert.equal(frameHeader(BINARY, 65_535).toString('hex'), '827effff');
  assert.equal(frameHeader(BINARY, 65_536).toString('hex'), '827f0000000000010000');
});

test('a close frame of ours has its code and as much of the reason as fits', () => {
  assert.equal(closeFrame(1000).toString('hex'), '880203e8');
  assert.equal(closeFrame(1003, 'no').toString('hex'), '880403eb6e6f');
  assert.equal(closeFrame(1005).toString('hex'), '8800');
  const long = closeFrame(1002, `${'x'.repeat(122)}\u00e9 and more`);
  assert.equal(long.length, 2 + 2 + 122);
});

const frame = fc.record({
  opcode: fc.constantFrom(BINARY, BINARY, PING, PONG),
  payload: fc.uint8Array({ maxLength: 125 }).map((bytes) => Buffer.from(bytes)),
  mask: fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
});

test('any frames in any pieces tell the same', () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.nat()), (frames, places) => {
      const stream = Buffer.concat(frames.map(clientFrame));
      const cuts = places.map((place) => place % (stream.length + 1)).sort((a, b) => a - b);
      const whole = read(stream);
      assert.equal(whole.fault, null);
      assert.equal(
        whole.told.payload,
        Buffer.concat(frames.filter(({ opcode }) => opcode === BINARY).map(({ payload }) => payload)).toString('latin1'),
      );
      assert.deepEqual(read(stream, cuts), whole);
    }),
    { numRuns: 300 * SOAK_FACTOR },
  );
});

test('any bytes at all, in any pieces, tell the same or the same error, and nothing else comes out', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    // Valid frames with a byte changed.
    fc.tuple(fc.array(frame, { minLength: 1, maxLength: 4 }), fc.nat(), fc.nat(255)).map(([frames, place, value]) => {
      const stream = Buffer.concat(frames.map(clientFrame));
      stream[place % stream.length] = value;
      return stream;
    }),
  );
  fc.assert(
    fc.property(bytes, fc.array(fc.nat()), (stream, places) => {
      const cuts = places.map((place) => place % (stream.length + 1)).sort((a, b) => a - b);
      assert.deepEqual(read(Buffer.from(stream), cuts), read(Buffer.from(stream)));
    }),
    { numRuns: 500 * SOAK_FACTOR },
  );
});
