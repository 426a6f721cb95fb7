import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { type EmbeddedBroker, startBroker } from '../../src/server/embedding.ts';
import { bytes, text, userProperty } from '../harness/mqtt-bytes.ts';
import { MqttPeer } from '../harness/mqtt-peer.ts';
import { SOAK_FACTOR } from '../harness/soak.ts';

let here: EmbeddedBroker;
let there: EmbeddedBroker;

before(async () => {
  const transportConnectors = ['mqtt://127.0.0.1:0', 'tcp://127.0.0.1:0'];
  here = await startBroker({ brokerName: 'here', transportConnectors, log: 'silent' });
  there = await startBroker({
    brokerName: 'there',
    transportConnectors,
    networkConnectors: [`static:(tcp://127.0.0.1:${portOf(here, 'openwire')})`],
    log: 'silent',
  });
  let linked = false;
  await there.subscribe('is there a link', () => {
    linked = true;
  });
  while (!linked) {
    here.publish('is there a link', '?');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
});

after(async () => {
  await there.stop();
  await here.stop();
});

function portOf(broker: EmbeddedBroker, protocol: string): number {
  return broker.connectors.find((connector) => connector.protocol === protocol)!.port;
}

async function client(broker: EmbeddedBroker, clientId: string, properties = ''): Promise<MqttPeer> {
  const peer = await MqttPeer.dial(portOf(broker, 'mqtt'), { level: 5 });
  return peer.connect({ clientId, properties });
}

const ALL = bytes(
  '01 01',
  '03',
  text('text/plain; ünï'),
  '08',
  text('re/ply, to?'),
  '09',
  text(Buffer.from([0, 1, 0xff, 0x80])),
  userProperty('b', '1'),
  userProperty('a', '2'),
  userProperty('b', '3'),
  userProperty('', ''),
);

for (const [what, filter] of [
  ['an ordinary subscriber', 'over/#'],
  ['a member of a shared subscription', '$share/g/over/#'],
] as const) {
  test(`everything that an application attaches reaches ${what} at the other broker as it was, in its order`, async () => {
    const sender = await client(here, 'sender');
    const receiver = await client(there, 'receiver');
    await receiver.subscribe({ [filter]: 2 });
    let id = 0;
    for (const properties of [ALL, '', '01 00', '03 0000', '09 0000', bytes(userProperty('x'.repeat(65_535), '😀'.repeat(16_383)))])
      for (const qos of [0, 1, 2]) {
        const payload = properties === '' ? '' : `QoS ${qos}`;
        await sender.publish({ topic: 'over/x', qos, payload, properties });
        await receiver.expect(receiver.packets.publish({ topic: 'over/x', qos, payload, properties, id: qos === 0 ? 0 : ++id }));
      }
    for (const peer of [sender, receiver]) await peer.disconnect();
  });
}

test('RETAIN, subscription identifiers, topic aliases and the QoS granted are matters of each broker and its client', async () => {
  const sender = await client(here, 'sender');
  const receiver = await client(there, 'receiver');
  await receiver.subscribe({ '$share/g/own/x': 0x08 | 1 }, '0b 07');
  await receiver.subscribe({ 'own/+': 2, 'own/#': 0 }, '0b 08');
  sender.send(sender.packets.publish({ topic: 'own/x', qos: 2, id: 1, retain: true, properties: '23 0001' }));
  await sender.expectAcknowledgement(0x50, 1);
  await receiver.expectInAnyOrder(
    receiver.packets.publish({ topic: 'own/x', qos: 2, id: 1, properties: '0b 08 0b 08' }),
    receiver.packets.publish({ topic: 'own/x', qos: 1, id: 2, retain: true, properties: '0b 07' }),
  );
  sender.send(sender.packets.publish({ topic: 'own/x', retain: true }));
  for (const peer of [sender, receiver]) peer.send('c000');
  for (const peer of [sender, receiver]) await peer.destroy();
});

test('a message says at the other broker how long it may still live', async () => {
  const sender = await client(here, 'sender');
  for (const filter of ['short/x', '$share/g/short/x']) {
    const receiver = await client(there, 'sleeper', '11 0000ffff');
    await receiver.subscribe({ [filter]: 1 });
    await sender.publish({ topic: 'short/x', qos: 1, properties: '02 00000064' });
    const now = await receiver.packet();
    await receiver.disconnect(4); // the session stays
    await sender.publish({ topic: 'short/x', qos: 1, payload: 'waits', properties: '02 00000064' });
    await sender.publish({ topic: 'short/x', qos: 1, payload: 'dies', properties: '02 00000001' });
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    const again = await MqttPeer.dial(portOf(there, 'mqtt'), { level: 5 });
    await again.connect({ clientId: 'sleeper', clean: false }, true);
    const kept = [await again.packet(), await again.packet()];
    const expiry = ({ body }: { body: Buffer }): number => body.readUInt32BE(body.length - 4 - (body.toString().endsWith('waits') ? 5 : 0));
    assert.equal(now.body.length, kept[0]!.body.length, 'the one that was not acknowledged comes again');
    assert.equal(expiry(now), 100);
    assert.ok(expiry(kept[1]!) <= 98 && expiry(kept[1]!) > 60, `${expiry(kept[1]!)} seconds are left of 100`);
    await again.expectNothing();
    await again.disconnect(0, '11 00000000');
  }
  await sender.disconnect();
});

test('any properties reach the other broker unchanged', async () => {
  const sender = await client(here, 'sender');
  const receiver = await client(there, 'receiver');
  await receiver.subscribe({ any: 0, '$share/g/any': 0 });
  const word = fc
    .string({ unit: 'binary', maxLength: 20 })
    .filter((value) => !value.includes('\0') && Buffer.from(value).toString() === value);
  const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
  const properties = fc
    .record({
      format: optional(fc.constantFrom(0, 1)),
      contentType: optional(word),
      responseTopic: optional(word.filter((topic) => topic !== '' && !/[+#]/.test(topic))),
      correlation: optional(fc.uint8Array({ maxLength: 300 })),
      user: fc.array(fc.tuple(word, word), { maxLength: 6 }),
    })
    .map(({ format, contentType, responseTopic, correlation, user }) =>
      bytes(
        format === null ? '' : Buffer.from([1, format]),
        ...(contentType === null ? [] : ['03', text(contentType)]),
        ...(responseTopic === null ? [] : ['08', text(responseTopic)]),
        ...(correlation === null ? [] : ['09', text(Buffer.from(correlation))]),
        ...user.map(([name, value]) => userProperty(name, value)),
      ),
    );
  await fc.assert(
    fc.asyncProperty(properties, async (content) => {
      sender.send(sender.packets.publish({ topic: 'any', properties: content }));
      const expected = receiver.packets.publish({ topic: 'any', properties: content });
      await receiver.expect(expected, expected);
    }),
    { numRuns: 60 * SOAK_FACTOR },
  );
  for (const peer of [sender, receiver]) await peer.disconnect();
});

test('a will waits for its delay in vain where its client comes back at another broker, with its connection here still open or not [MQTT-3.1.3-9]', async () => {
  const watcher = await client(here, 'watcher of wills');
  await watcher.subscribe({ 'will/#': 1 });
  const ofWill = async (clientId: string) => {
    const peer = await MqttPeer.dial(portOf(here, 'mqtt'), { level: 5 });
    return peer.connect({ clientId, properties: '11 00000064', will: { topic: `will/${clientId}`, properties: '18 00000001' } });
  };
  const [moved, lost, gone] = [await ofWill('moved'), await ofWill('lost'), await ofWill('gone')];
  await lost.destroy();
  await client(there, 'lost');
  await client(there, 'moved');
  await moved.expectDisconnect(0x8e);
  await gone.destroy(); // the last one whose delay begins
  const id = 1;
  await watcher.expect(watcher.packets.publish({ topic: 'will/gone', id }));
  await watcher.expectNothing();
});
