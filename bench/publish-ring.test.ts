import assert from 'node:assert/strict';
import { test } from 'node:test';
import { publishTemplate } from './frames.ts';
import { PublishRing } from './publish-ring.ts';

test('at QoS 0 a slice holds as many equal packets as were asked for', () => {
  const template = publishTemplate('load/1', 4, 0, 64, 1);
  const ring = new PublishRing(template, 20);
  assert.equal(ring.frameBytes, template.bytes.length);
  assert.deepEqual(ring.take(3), Buffer.concat([template.bytes, template.bytes, template.bytes]));
  assert.equal(ring.take(20).length, 20 * ring.frameBytes);
});

test('at QoS 0 the block stays small for large packets and never holds less than one', () => {
  const ring = new PublishRing(publishTemplate('load/1', 4, 0, 1_000_000, 1), 200);
  assert.equal(ring.take(200).length, ring.frameBytes);
});

test('at QoS 1 packet identifiers count on through slices and around the ring, and skip 0 [MQTT-2.2.1-2]', () => {
  const template = publishTemplate('load/1', 4, 1, 64, 1);
  const window = 7;
  const ring = new PublishRing(template, window);
  const sent = 65_540;
  const identifiers: number[] = [];
  while (identifiers.length < sent) {
    const bytes = ring.take(Math.min(5, sent - identifiers.length));
    assert.ok(bytes.length <= 5 * ring.frameBytes && bytes.length > 0);
    for (let at = 0; at < bytes.length; at += ring.frameBytes) identifiers.push(bytes.readUInt16BE(at + template.packetIdentifierOffset));
  }
  assert.deepEqual(
    identifiers,
    Array.from({ length: sent }, (_, index) => (index % 65_535) + 1),
  );
});

test('at QoS 1 the last `window` packets keep their bytes: they may not have left yet', () => {
  const template = publishTemplate('load/1', 4, 1, 16, 1);
  const ring = new PublishRing(template, 4);
  const slices = [ring.take(1), ring.take(1), ring.take(1), ring.take(1)];
  assert.deepEqual(
    slices.map((slice) => slice.readUInt16BE(template.packetIdentifierOffset)),
    [1, 2, 3, 4],
  );
});
