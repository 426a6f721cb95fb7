import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { clientPacket, encode, level, mutated } from '../../../../test/harness/mqtt-arbitraries.ts';
import type { Level } from '../../../../test/harness/mqtt-bytes.ts';
import { SOAK_FACTOR } from '../../../../test/harness/soak.ts';
import { ProtocolError } from '../../../errors.ts';
import { AcknowledgementView, readDisconnect } from './acknowledgement.ts';
import { readAuth } from './auth.ts';
import { connectLevel, readConnect } from './connect.ts';
import { PUBLISH } from './control-packet.ts';
import { propertiesEnd, readProperties, WILL } from './property.ts';
import { PublishView } from './publish.ts';
import { readSubscribe, readUnsubscribe } from './subscribe.ts';

const publish = new PublishView();
const acknowledgement = new AcknowledgementView();

/** Every function that reads a packet's body, with all that it found out. */
const READERS: readonly ((buffer: Buffer, header: number, start: number, end: number, version: Level) => unknown)[] = [
  (buffer, header, start, end) => readConnect(buffer, header, start, end),
  (buffer, _header, start, end) => connectLevel(buffer, start, end),
  (buffer, header, start, end, version) => {
    publish.read(buffer, header, start, end, version);
    const { qos, topic, packetIdentifier, properties, forwardsProperties, propertiesStart, payloadStart } = publish;
    // What is passed on unread must be what reading accepts, to the byte.
    const forwarded = forwardsProperties ? readProperties(buffer, propertiesStart, end, PUBLISH) : null;
    if (forwardsProperties) assert.equal(propertiesEnd(buffer, propertiesStart, end), payloadStart);
    return { qos, topic, packetIdentifier, properties, forwarded, payloadAt: payloadStart - start };
  },
  (buffer, header, start, end, version) => {
    acknowledgement.read(buffer, header, start, end, version);
    return { ...acknowledgement };
  },
  (buffer, header, start, end, version) => readSubscribe(buffer, header, start, end, version),
  (buffer, header, start, end, version) => readUnsubscribe(buffer, header, start, end, version),
  (buffer, header, start, end, version) => readDisconnect(buffer, header, start, end, version),
  (buffer, header, start, end, version) => readAuth(buffer, header, start, end, version),
  (buffer, header, start, end) => readProperties(buffer, start, end, header & 15),
  (buffer, _header, start, end) => readProperties(buffer, start, end, WILL),
];

/**
 * Gives `body` to all readers: at the very end of its buffer, where a read beyond it would not pass unseen, and amid other bytes, which
 * must make no difference.
 */
function readWithAll(header: number, body: Buffer, version: Level): void {
  const alone = Buffer.from(body);
  const amid = Buffer.concat([Buffer.alloc(3, 0x01), body, TAIL]);
  for (const [i, reader] of READERS.entries()) {
    const first = outcome(() => reader(alone, header, 0, alone.length, version));
    const second = outcome(() => reader(amid, header, 3, 3 + body.length, version));
    assert.deepEqual(second, first, `reader ${i}`);
  }
}

/** Longer than any field that a length of two bytes can announce. */
const TAIL = Buffer.alloc(70_000, 0x01);

function outcome(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { code: error.code, message: error.message };
  }
}

test('arbitrary bytes raise a ProtocolError or nothing, in every function that reads', () => {
  fc.assert(
    fc.property(fc.nat(255), fc.uint8Array({ maxLength: 60 }), level, (header, body, version) =>
      readWithAll(header, Buffer.from(body), version),
    ),
    { numRuns: 3_000 * SOAK_FACTOR },
  );
});

test('packets with faults raise a ProtocolError or nothing, in every function that reads', () => {
  const broken = level.chain((version) =>
    fc.tuple(
      fc.constant(version),
      mutated(clientPacket(version).map((packet) => encode(packet, version))).filter((bytes) => bytes.length > 2),
    ),
  );
  fc.assert(
    fc.property(broken, ([version, bytes]) => {
      const lengthBytes = bytes[1]! < 128 ? 1 : bytes[2]! < 128 ? 2 : 3;
      readWithAll(bytes[0]!, bytes.subarray(1 + lengthBytes), version);
    }),
    { numRuns: 2_000 * SOAK_FACTOR },
  );
});

test('a valid packet cut short anywhere raises a ProtocolError, except where it may end', () => {
  fc.assert(
    fc.property(
      level.chain((version) => fc.tuple(fc.constant(version), clientPacket(version))),
      ([version, packet]) => {
        const bytes = encode(packet, version);
        const bodyAt = bytes[1]! < 128 ? 2 : bytes[2]! < 128 ? 3 : 4;
        for (let end = bodyAt; end < Math.min(bytes.length, 200); end++) readWithAll(bytes[0]!, bytes.subarray(bodyAt, end), version);
      },
    ),
    { numRuns: 100 * SOAK_FACTOR },
  );
});
