import { test } from 'node:test';
import type { AuthenticationMechanism, Verdict } from '../../src/core/ports.ts';
import { startBroker, type TestBroker } from '../harness/mqtt-broker.ts';
import { bytes, type Part, PINGREQ, PINGRESP, packet, properties, text } from '../harness/mqtt-bytes.ts';
import type { MqttPeer } from '../harness/mqtt-peer.ts';

const ADMITTED: Verdict = { kind: 'admitted', principal: { userName: 'u', groups: [] } };

/** Lets everybody in at once, also those who prove who they are anew. */
const MECHANISM: AuthenticationMechanism = { name: 'M', start: () => ({ step: () => ({ ...ADMITTED, data: null }) }) };

const AUTHENTICATION_METHOD = "15 0001 'M'";

/** The packets of a client that have properties, around these. */
const PACKETS: Readonly<Record<string, (content: Part) => Buffer>> = {
  CONNECT: (content) => packet(0x10, "0004 'MQTT' 05 02 0000", properties(content), text('a')),
  'the will': (content) => packet(0x10, "0004 'MQTT' 05 06 0000 00", text('a'), properties(content), text('w'), text('')),
  PUBLISH: (content) => packet(0x30, text('a'), properties(content)),
  PUBACK: (content) => packet(0x40, '0001 00', properties(content)),
  PUBREC: (content) => packet(0x50, '0001 00', properties(content)),
  PUBREL: (content) => packet(0x62, '0001 00', properties(content)),
  PUBCOMP: (content) => packet(0x70, '0001 00', properties(content)),
  SUBSCRIBE: (content) => packet(0x82, '0001', properties(content), text('a'), '00'),
  UNSUBSCRIBE: (content) => packet(0xa2, '0001', properties(content), text('a')),
  DISCONNECT: (content) => packet(0xe0, '00', properties(content)),
  AUTH: (content) => packet(0xf0, '19', properties(content)),
};

const ACKNOWLEDGEMENTS = ['PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP'];

/** The properties of table 2-4: name, bytes, the packets of a client that may have them, and another one that they may not be without. */
const PROPERTIES: readonly { name: string; property: string; packets: readonly string[]; needs?: string }[] = [
  { name: 'Payload Format Indicator', property: '01 01', packets: ['PUBLISH', 'the will'] },
  { name: 'Message Expiry Interval', property: '02 00000001', packets: ['PUBLISH', 'the will'] },
  { name: 'Content Type', property: "03 0001 't'", packets: ['PUBLISH', 'the will'] },
  { name: 'Response Topic', property: "08 0001 't'", packets: ['PUBLISH', 'the will'] },
  { name: 'Correlation Data', property: '09 0001 00', packets: ['PUBLISH', 'the will'] },
  { name: 'Subscription Identifier', property: '0b 01', packets: ['SUBSCRIBE'] },
  { name: 'Session Expiry Interval', property: '11 00000000', packets: ['CONNECT', 'DISCONNECT'] },
  { name: 'Assigned Client Identifier', property: "12 0001 'c'", packets: [] },
  { name: 'Server Keep Alive', property: '13 0001', packets: [] },
  { name: 'Authentication Method', property: AUTHENTICATION_METHOD, packets: ['CONNECT', 'AUTH'] },
  { name: 'Authentication Data', property: '16 0001 00', packets: ['CONNECT', 'AUTH'], needs: AUTHENTICATION_METHOD },
  { name: 'Request Problem Information', property: '17 01', packets: ['CONNECT'] },
  { name: 'Will Delay Interval', property: '18 00000001', packets: ['the will'] },
  { name: 'Request Response Information', property: '19 00', packets: ['CONNECT'] },
  { name: 'Response Information', property: "1a 0001 'r'", packets: [] },
  { name: 'Server Reference', property: "1c 0001 's'", packets: ['DISCONNECT'] },
  { name: 'Reason String', property: "1f 0001 'r'", packets: [...ACKNOWLEDGEMENTS, 'DISCONNECT', 'AUTH'] },
  { name: 'Receive Maximum', property: '21 0001', packets: ['CONNECT'] },
  { name: 'Topic Alias Maximum', property: '22 0001', packets: ['CONNECT'] },
  { name: 'Topic Alias', property: '23 0001', packets: ['PUBLISH'] },
  { name: 'Maximum QoS', property: '24 01', packets: [] },
  { name: 'Retain Available', property: '25 01', packets: [] },
  { name: 'User Property', property: "26 0001 'n' 0001 'v'", packets: Object.keys(PACKETS) },
  { name: 'Maximum Packet Size', property: '27 00001000', packets: ['CONNECT'] },
  { name: 'Wildcard Subscription Available', property: '28 01', packets: [] },
  { name: 'Subscription Identifier Available', property: '29 01', packets: [] },
  { name: 'Shared Subscription Available', property: '2a 01', packets: [] },
];

/** The broker refuses the packet. */
async function expectRefusal(peer: MqttPeer, isConnect: boolean, reason: number): Promise<void> {
  if (!isConnect) {
    await peer.expectDisconnect(reason);
    return;
  }
  await peer.expectConnack(reason);
  await peer.expectClose();
}

/** The broker takes the packet. */
async function expectAcceptance(peer: MqttPeer, name: string): Promise<void> {
  if (name === 'DISCONNECT') {
    await peer.expectClose();
    return;
  }
  peer.send(PINGREQ);
  for (;;) {
    const { header, whole } = await peer.packet();
    if (whole.equals(PINGRESP)) return;
    if (header === 0xe0) throw new Error(`${name} was refused: ${whole.toString('hex')}`);
  }
}

for (const [name, around] of Object.entries(PACKETS)) {
  const isConnect = name === 'CONNECT' || name === 'the will';

  const peerOf = (broker: TestBroker): Promise<MqttPeer> => {
    if (isConnect) return broker.dial({ level: 5 });
    return broker.client(5, { clientId: 'a', ...(name === 'AUTH' ? { properties: AUTHENTICATION_METHOD } : {}) });
  };

  test(`${name} has the properties that are listed for it, each once, and no others (section 2.2.2.2)`, async (t) => {
    const broker = await startBroker(t, { authenticator: { authenticate: () => ADMITTED }, mechanisms: [MECHANISM] });
    const peerFor = () => peerOf(broker);
    for (const { name: propertyName, property, packets, needs } of PROPERTIES) {
      await t.test(propertyName, async () => {
        // AUTH is never without its method.
        const required = name === 'AUTH' ? AUTHENTICATION_METHOD : packets.includes(name) ? (needs ?? '') : '';
        const beside = required === property ? '' : required;
        const once = await peerFor();
        once.send(around(bytes(property, beside)));
        // A Subscription Identifier may be in a PUBLISH, but not in a client's [MQTT-3.3.4-6].
        const isServers = propertyName === 'Subscription Identifier' && name === 'PUBLISH';
        if (!packets.includes(name)) {
          await expectRefusal(once, isConnect, isServers ? 0x82 : 0x81);
          return;
        }
        await expectAcceptance(once, name);
        await once.destroy();
        const twice = await peerFor();
        twice.send(around(bytes(property, property, beside)));
        if (propertyName === 'User Property') await expectAcceptance(twice, name);
        else await expectRefusal(twice, isConnect, 0x82);
        await twice.destroy();
      });
    }
    for (const id of ['00', '04', '0a', '14', '1e', '2b', '7f', '8001']) {
      const peer = await peerFor();
      peer.send(around(`${id} 00`));
      await expectRefusal(peer, isConnect, 0x81);
    }
  });

  test(`${name} with a Property Length that is not that of its properties is malformed (section 2.2.2.1)`, async (t) => {
    const broker = await startBroker(t, { authenticator: { authenticate: () => ADMITTED }, mechanisms: [MECHANISM] });
    const whole = around(name === 'AUTH' ? `26 0001 'n' 0001 'v' ${AUTHENTICATION_METHOD}` : "26 0001 'n' 0001 'v'");
    const at = whole.indexOf(0x26) - 1;
    for (const wrong of [1, 4, 6, 200]) {
      const changed = Buffer.from(whole);
      changed[at] = wrong; // 200 takes the next byte for its second
      const peer = await peerOf(broker);
      peer.send(changed);
      // Content that a wrong length lets out of the properties is payload in PUBLISH, and something else that is wrong everywhere else.
      await expectRefusal(peer, isConnect, 0x81);
    }
  });
}
