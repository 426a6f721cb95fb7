import { test } from 'node:test';
import { startBroker } from '../harness/mqtt-broker.ts';
import { bytes, type Level, packet } from '../harness/mqtt-bytes.ts';

const LEVELS = [3, 4, 5] as const;

/** The packets that a client sends beside PUBLISH: type, flags, and a body that is right but for the flags. */
const PACKETS: readonly { name: string; type: number; flags: number; body: (level: Level) => string }[] = [
  { name: 'PUBACK', type: 4, flags: 0, body: () => '0001' },
  { name: 'PUBREC', type: 5, flags: 0, body: () => '0001' },
  { name: 'PUBREL', type: 6, flags: 2, body: () => '0001' },
  { name: 'PUBCOMP', type: 7, flags: 0, body: () => '0001' },
  { name: 'SUBSCRIBE', type: 8, flags: 2, body: (level) => `0001 ${level === 5 ? '00' : ''} 0001 'a' 00` },
  { name: 'UNSUBSCRIBE', type: 10, flags: 2, body: (level) => `0001 ${level === 5 ? '00' : ''} 0001 'a'` },
  { name: 'PINGREQ', type: 12, flags: 0, body: () => '' },
  { name: 'DISCONNECT', type: 14, flags: 0, body: () => '' },
];

/** MQTT 3.1 gives DUP, the highest flag, to packets that are sent again, and says of acknowledgements that they do not use it. */
const MAY_HAVE_DUP = ['PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP', 'SUBSCRIBE', 'UNSUBSCRIBE'];

for (const { name, type, flags, body } of PACKETS) {
  test(`${name} with any flags but its own is malformed [MQTT-2.1.3-1] [MQTT-3.6.1-1] [MQTT-3.8.1-1] [MQTT-3.10.1-1] [MQTT-3.14.1-1]`, async (t) => {
    const broker = await startBroker(t);
    for (const level of LEVELS) {
      for (let wrong = 0; wrong < 16; wrong++) {
        if (wrong === flags || (level === 3 && MAY_HAVE_DUP.includes(name) && wrong === (flags | 8))) continue;
        const peer = await broker.client(level, { clientId: 'a' });
        peer.send(packet((type << 4) | wrong, body(level)));
        await peer.expectEnd(0x81);
      }
    }
  });
}

test('CONNECT with any flags but 0000 is malformed [MQTT-2.1.3-1] [MQTT-3.1.4-1]', async (t) => {
  const broker = await startBroker(t);
  for (const level of LEVELS) {
    for (let wrong = 1; wrong < 16; wrong++) {
      const peer = await broker.dial({ level });
      const connect = bytes(peer.packets.connect({ clientId: 'a' }));
      connect[0] = 0x10 | wrong;
      peer.send(connect);
      if (level === 5) await peer.expectConnack(0x81);
      await peer.expectClose();
    }
  }
});
