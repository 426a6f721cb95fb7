import assert from 'node:assert/strict';
import { test } from 'node:test';
import { publishTemplate, type Qos } from './frames.ts';
import { PublishRing } from './publish-ring.ts';

const template = (qos: Qos, payloadBytes: number, topic = 'load/1') =>
  publishTemplate(topic, 1, { version: 4, qos, payloadBytes, userProperties: 0 });

test('at QoS 0 a slice holds as many equal packets as were asked for', () => {
  const packet = template(0, 64);
  const ring = new PublishRing([packet], 20);
  assert.equal(ring.frameBytes, packet.bytes.length);
  assert.deepEqual(ring.take(3), Buffer.concat([packet.bytes, packet.bytes, packet.bytes]));
  assert.equal(ring.take(20).length, 20 * ring.frameBytes);
});

test('at QoS 0 the block stays small for large packets and never holds less than one', () => {
  const ring = new PublishRing([template(0, 1_000_000)], 200);
  assert.equal(ring.take(200).length, ring.frameBytes);
});

test('at QoS 1 packet identifiers count on through slices and around the ring, and skip 0 [MQTT-2.2.1-2]', () => {
  const packet = template(1, 64);
  const window = 7;
  const ring = new PublishRing([packet], window);
  const sent = 65_540;
  const identifiers: number[] = [];
  while (identifiers.length < sent) {
    const bytes = ring.take(Math.min(5, sent - identifiers.length));
    assert.ok(bytes.length <= 5 * ring.frameBytes && bytes.length > 0);
    for (let at = 0; at < bytes.length; at += ring.frameBytes) identifiers.push(bytes.readUInt16BE(at + packet.packetIdentifierOffset));
  }
  assert.deepEqual(
    identifiers,
    Array.from({ length: sent }, (_, index) => (index % 65_535) + 1),
  );
});

test('at QoS 1 the last `window` packets keep their bytes: they may not have left yet', () => {
  const packet = template(1, 16);
  const ring = new PublishRing([packet], 4);
  const slices = [ring.take(1), ring.take(1), ring.take(1), ring.take(1)];
  assert.deepEqual(
    slices.map((slice) => slice.readUInt16BE(packet.packetIdentifierOffset)),
    [1, 2, 3, 4],
  );
});

for (const qos of [0, 1] as const) {
  test(`packets of several topics take turns, whatever is asked for at a time, QoS ${qos}`, () => {
    const topics = ['load/a', 'load/b', 'load/c'];
    const ring = new PublishRing(
      topics.map((topic) => template(qos, 16, topic)),
      5,
    );
    const taken: string[] = [];
    for (const wanted of [1, 2, 5, 4, 3, 5]) {
      const bytes = ring.take(wanted);
      for (let at = 0; at < bytes.length; at += ring.frameBytes) taken.push(bytes.toString('latin1', at + 4, at + 10));
    }
    assert.ok(taken.length >= 6);
    assert.deepEqual(
      taken,
      taken.map((_, index) => topics[index % 3]),
    );
  });
}

test('a ring of packets of different lengths is refused', () => {
  assert.throws(() => new PublishRing([template(0, 16), template(0, 17)], 5), /one length/);
});
