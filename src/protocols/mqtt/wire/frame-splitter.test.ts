import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { clientStream } from '../../../../test/harness/mqtt-arbitraries.ts';
import { SOAK_FACTOR } from '../../../../test/harness/soak.ts';
import { ProtocolError } from '../../../errors.ts';
import { PACKET_SIZE_MAX } from './control-packet.ts';
import { FrameSplitter } from './frame-splitter.ts';

/** Collects what a splitter hands on, as copies: the bytes are valid during the call only. */
class Collector {
  readonly packets: string[] = [];
  readonly bodies: number[] = [];
  stopAfter = Number.POSITIVE_INFINITY;

  onPacket(buffer: Buffer, packetStart: number, start: number, end: number): boolean {
    this.packets.push(buffer.toString('hex', packetStart, end));
    this.bodies.push(end - start);
    return this.packets.length < this.stopAfter;
  }
}

/** Pushes the chunks one after the other, each in a larger buffer whose other bytes are rubbish, and overwrites it afterwards. */
function push(splitter: FrameSplitter, chunks: readonly Buffer[], sink: Collector): void {
  for (const [i, chunk] of chunks.entries()) {
    const margin = i % 3;
    const around = Buffer.alloc(chunk.length + 2 * margin, 0xff);
    chunk.copy(around, margin);
    splitter.push(around, margin, margin + chunk.length, sink);
    around.fill(0xaa);
  }
}

test('any split of a stream gives the same packets', () => {
  fc.assert(
    fc.property(clientStream, fc.array(fc.nat(), { maxLength: 12 }), ({ packets }, cuts) => {
      const stream = Buffer.concat(packets);
      const places = [...new Set(cuts.map((cut) => cut % (stream.length + 1)))].sort((a, b) => a - b);
      const chunks = [...places, stream.length].map((place, i) => stream.subarray(places[i - 1] ?? 0, place));
      const sink = new Collector();
      const splitter = new FrameSplitter(PACKET_SIZE_MAX);
      push(splitter, chunks, sink);
      assert.deepEqual(
        sink.packets,
        packets.map((packet) => packet.toString('hex')),
      );
      assert.equal(splitter.partial, false);
    }),
    { numRuns: 1_000 * SOAK_FACTOR },
  );
});

test('a stream byte by byte gives the same packets', () => {
  fc.assert(
    fc.property(clientStream, ({ packets }) => {
      const stream = Buffer.concat(packets);
      const sink = new Collector();
      push(
        new FrameSplitter(PACKET_SIZE_MAX),
        [...stream].map((byte) => Buffer.from([byte])),
        sink,
      );
      assert.equal(sink.packets.join(''), stream.toString('hex'));
      assert.equal(sink.packets.length, packets.length);
    }),
    { numRuns: 100 * SOAK_FACTOR },
  );
});

test('packets of every length of Remaining Length are cut at their end', () => {
  for (const size of [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152]) {
    const length: number[] = [];
    for (let rest = size; ; rest = Math.floor(rest / 128)) {
      length.push((rest & 127) | (rest >= 128 ? 128 : 0));
      if (rest < 128) break;
    }
    const packet = Buffer.concat([Buffer.from([0x30, ...length]), Buffer.alloc(size, 1), Buffer.from([0xc0, 0])]);
    for (const cut of [1, 2, length.length, length.length + 1, length.length + 2, packet.length - 3, packet.length]) {
      const sink = new Collector();
      push(new FrameSplitter(PACKET_SIZE_MAX), [packet.subarray(0, cut), packet.subarray(cut)], sink);
      assert.deepEqual(sink.bodies, [size, 0], `${size} bytes cut at ${cut}`);
    }
  }
});

test('a packet over the limit is refused at its header, one at the limit is not', () => {
  for (const chunks of [['30 62'], ['30', '62'], ['c000 30 62']]) {
    const bytes = chunks.map((hex) => Buffer.from(hex.replaceAll(' ', ''), 'hex'));
    push(new FrameSplitter(100), bytes, new Collector());
    assert.throws(() => push(new FrameSplitter(99), bytes, new Collector()), { code: 'MQTT_PACKET_TOO_LARGE', reasonCode: 0x95 });
  }
});

test('a Remaining Length of five bytes is malformed as soon as the fourth says so [MQTT-1.5.5-1]', () => {
  const wrong = Buffer.from('3080808080', 'hex');
  for (let cut = 1; cut <= wrong.length; cut++) {
    const splitter = new FrameSplitter(PACKET_SIZE_MAX);
    assert.throws(() => push(splitter, [wrong.subarray(0, cut), wrong.subarray(cut)], new Collector()), {
      code: 'MQTT_MALFORMED_PACKET',
      reasonCode: 0x81,
    });
  }
  push(new FrameSplitter(PACKET_SIZE_MAX), [wrong.subarray(0, 4)], new Collector());
});

test('when the sink stops, what follows is not looked at, wherever it lies', () => {
  const wrong = Buffer.from('c000c000ffffffffffff', 'hex');
  for (let cut = 0; cut < 4; cut++) {
    const sink = new Collector();
    sink.stopAfter = 2;
    const splitter = new FrameSplitter(PACKET_SIZE_MAX);
    push(splitter, [wrong.subarray(0, cut)], sink);
    push(splitter, [wrong.subarray(cut)], sink);
    assert.deepEqual(sink.packets, ['c000', 'c000']);
  }
});

test('memory follows what has come, not what was announced', () => {
  const before = process.memoryUsage().arrayBuffers;
  const splitters = Array.from({ length: 1_000 }, () => new FrameSplitter(PACKET_SIZE_MAX));
  for (const splitter of splitters) splitter.push(Buffer.from('30ffffff7f0000', 'hex'), 0, 7, new Collector());
  assert.ok(process.memoryUsage().arrayBuffers - before < 64 * 1024 * 1024);
  assert.ok(splitters.every((splitter) => splitter.partial));
});

test('arbitrary bytes give packets or a ProtocolError', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }), (chunks) => {
      const sink = new Collector();
      const splitter = new FrameSplitter(1_000);
      try {
        push(
          splitter,
          chunks.map((chunk) => Buffer.from(chunk)),
          sink,
        );
      } catch (error) {
        assert.ok(error instanceof ProtocolError, String(error));
        return;
      }
      const given = Buffer.concat(chunks).toString('hex');
      assert.ok(given.startsWith(sink.packets.join('')));
    }),
    { numRuns: 2_000 * SOAK_FACTOR },
  );
});
