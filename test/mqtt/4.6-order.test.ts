import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBroker } from '../harness/mqtt-broker.ts';
import { PINGREQ } from '../harness/mqtt-bytes.ts';

const LEVELS = [3, 4, 5] as const;

for (const level of LEVELS) {
  test(`level ${level}: messages of one client keep their order per topic and QoS, over full windows, queues and reconnects [MQTT-4.6.0-1] [MQTT-4.6.0-5] [MQTT-4.6.0-6]`, async (t) => {
    const broker = await startBroker(t, { limits: { inflightMessages: 5 } });
    const connect = { clientId: 'a', clean: false, properties: '11 ffffffff' };
    let peer = await broker.client(level, connect);
    await peer.subscribe({ 'o/+': 2 });
    const sender = await broker.client(5, { clientId: 's' });
    const count = 1_200;
    const packets: Buffer[] = [];
    for (let i = 0; i < count; i++) {
      const id = i + 1;
      packets.push(sender.packets.publish({ topic: `o/${i % 3}`, payload: `${i}`, qos: 1 + (i % 2), id }));
      if (i % 2 === 1) packets.push(sender.packets.pubrel(id));
    }
    sender.send(...packets, PINGREQ);
    while ((await sender.packet()).header !== 0xd0);

    /** Numbers in the order in which they came for the first time, by topic and QoS. */
    const seen = new Map<string, number[]>();
    const done = new Set<number>();
    let sinceConnect = 0;
    while (done.size < count) {
      const { header, body } = await peer.packet();
      const id = (at: number) => body.readUInt16BE(at);
      if (header >> 4 === 6) {
        peer.send(peer.packets.pubcomp(id(0)));
        continue;
      }
      const qos = (header >> 1) & 3;
      const number = Number(body.subarray(2 + 3 + 2 + (level === 5 ? 1 : 0)).toString());
      const key = `${body.subarray(2, 5)} ${qos}`;
      if (!done.has(number)) {
        done.add(number);
        seen.set(key, [...(seen.get(key) ?? []), number]);
      } else {
        assert.ok((header & 8) !== 0, 'only a message sent again comes twice');
      }
      if (++sinceConnect === 100) {
        // The connection is lost with messages unacknowledged.
        await peer.destroy();
        await broker.disconnected('a');
        peer = await broker.client(level, connect, true);
        sinceConnect = 0;
      } else {
        peer.send(qos === 1 ? peer.packets.puback(id(5)) : peer.packets.pubrec(id(5)));
      }
    }
    assert.equal(seen.size, 6);
    for (const [key, numbers] of seen)
      assert.deepEqual(
        numbers,
        [...numbers].sort((a, b) => a - b),
        key,
      );
  });
}

for (const level of LEVELS) {
  test(`level ${level}: PUBACK and PUBREC leave in the order of their messages, PUBCOMP in the order of PUBREL [MQTT-4.6.0-2] [MQTT-4.6.0-3] [MQTT-2.2.1-5]`, async (t) => {
    const broker = await startBroker(t);
    const watcher = await broker.client(level, { clientId: 'w' });
    await watcher.subscribe({ x: 0 });
    const peer = await broker.client(level, { clientId: 'a' });
    const ids = Array.from({ length: 300 }, (_, i) => 1 + ((i * 7_919) % 60_000));
    peer.send(...ids.map((id, i) => peer.packets.publish({ topic: 'x', qos: 1 + (i % 2), id })));
    for (const [i, id] of ids.entries()) await peer.expect(i % 2 === 0 ? peer.packets.puback(id) : peer.packets.pubrec(id));
    const released = ids.filter((_, i) => i % 2 === 1).reverse();
    peer.send(...released.map((id) => peer.packets.pubrel(id)));
    await peer.expect(...released.map((id) => peer.packets.pubcomp(id)));
  });
}
