import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { startBroker } from '../harness/mqtt-broker.ts';
import { bytes, Packets, PINGREQ, PINGRESP, packet, properties, text, userProperty } from '../harness/mqtt-bytes.ts';

const LEVELS = [3, 4, 5] as const;

test('QoS 0 goes out as PUBLISH with DUP, QoS and RETAIN clear, and nothing comes back [MQTT-4.3.1-1] [MQTT-2.2.1-2] [MQTT-2.2.2-1]', async (t) => {
  const broker = await startBroker(t);
  const v4 = await broker.client(4, { clientId: 'v4' });
  const v5 = await broker.client(5, { clientId: 'v5' });
  await v4.subscribe({ 'a/b': 0 });
  await v5.subscribe({ 'a/b': 0 });
  v4.send("30 0a 0003 'a/b' 'hello'");
  await v4.expect("30 0a 0003 'a/b' 'hello'");
  await v5.expect("30 0b 0003 'a/b' 00 'hello'");
  v5.send("30 0b 0003 'a/b' 00 'again'");
  await v5.expect("30 0b 0003 'a/b' 00 'again'");
  await v4.expect("30 0a 0003 'a/b' 'again'");
  await v4.expectNothing();
  await v5.expectNothing();
});

for (const level of LEVELS) {
  for (const subscribed of [0, 1, 2]) {
    for (const published of [0, 1, 2]) {
      test(`level ${level}: published with QoS ${published}, subscribed with QoS ${subscribed}: delivered with the lower [MQTT-3.8.4-8] [MQTT-3.3.4-1] [MQTT-2.2.1-5] [MQTT-4.3.2-2] [MQTT-4.3.2-4] [MQTT-4.3.3-2] [MQTT-4.3.3-4] [MQTT-4.3.3-8] [MQTT-4.3.3-11]`, async (t) => {
        const broker = await startBroker(t);
        const receiver = await broker.client(level, { clientId: 'receiver' });
        const sender = await broker.client(level, { clientId: 'sender' });
        await receiver.subscribe({ 'a/+': subscribed });
        await sender.publish({ topic: 'a/x', payload: 'p', qos: published, id: 777 });
        const qos = Math.min(subscribed, published);
        await receiver.expect(receiver.packets.publish({ topic: 'a/x', payload: 'p', qos, id: 1 }));
        if (qos === 1) receiver.send(receiver.packets.puback(1));
        if (qos === 2) {
          receiver.send(receiver.packets.pubrec(1));
          await receiver.expect(receiver.packets.pubrel(1));
          receiver.send(receiver.packets.pubcomp(1));
        }
        await receiver.expectNothing();
        await sender.expectNothing();
      });
    }
  }
}

test('versions do not matter to each other: every level reads what every level publishes', async (t) => {
  const broker = await startBroker(t);
  const peers = [];
  for (const level of LEVELS) {
    const peer = await broker.client(level, { clientId: `level ${level}` });
    await peer.subscribe({ '#': 1 });
    peers.push(peer);
  }
  let id = 0;
  for (const sender of peers) {
    for (const payload of ['', 'x', 'ü'.repeat(3_000)]) {
      id++;
      sender.send(sender.packets.publish({ topic: 'versions/Zürich', payload, qos: 1, id: 9 }));
      for (const receiver of peers) {
        const delivery = receiver.packets.publish({ topic: 'versions/Zürich', payload, qos: 1, id });
        if (receiver === sender) await receiver.expectInAnyOrder(delivery, receiver.packets.puback(9));
        else await receiver.expect(delivery);
        receiver.send(receiver.packets.puback(id));
      }
    }
  }
});

test('PUBACK and PUBREC say when nobody subscribes, in MQTT 5 alone (section 3.4.2.1)', async (t) => {
  const broker = await startBroker(t);
  const v5 = await broker.client(5, { clientId: 'v5' });
  v5.send(v5.packets.publish({ topic: 'nobody', qos: 1, id: 1 }), v5.packets.publish({ topic: 'nobody', qos: 2, id: 2 }));
  await v5.expect('40 03 0001 10  50 03 0002 10');
  v5.send(v5.packets.pubrel(2));
  await v5.expect('70 02 0002');
  await v5.subscribe({ somebody: 0 });
  v5.send(v5.packets.publish({ topic: 'somebody', qos: 1, id: 3 }));
  await v5.expectInAnyOrder('40 02 0003', v5.packets.publish({ topic: 'somebody' }));
  const v4 = await broker.client(4, { clientId: 'v4' });
  v4.send(v4.packets.publish({ topic: 'nobody', qos: 1, id: 1 }), v4.packets.publish({ topic: 'nobody', qos: 2, id: 2 }));
  await v4.expect('40 02 0001  50 02 0002');
});

/** Packets that end the connection; MQTT 5 is told why. */
const WRONG: { what: string; reason: number; v4?: string | Buffer; v5?: string | Buffer }[] = [
  { what: 'QoS 3 [MQTT-3.3.1-4]', reason: 0x81, v4: "36 05 0001 'a' 0001", v5: "36 06 0001 'a' 0001 00" },
  { what: 'DUP at QoS 0 [MQTT-3.3.1-2]', reason: 0x81, v4: "38 03 0001 'a'", v5: "38 04 0001 'a' 00" },
  { what: 'Packet Identifier 0 [MQTT-2.2.1-3]', reason: 0x82, v4: "32 05 0001 'a' 0000", v5: "32 06 0001 'a' 0000 00" },
  { what: 'no Packet Identifier', reason: 0x81, v4: "32 03 0001 'a'", v5: "32 03 0001 'a'" },
  { what: 'nothing at all', reason: 0x81, v4: '30 00', v5: '30 00' },
  { what: 'half a topic length', reason: 0x81, v4: '30 01 00', v5: '30 01 00' },
  { what: 'a topic that is cut off', reason: 0x81, v4: "30 04 0003 'ab'", v5: "30 04 0003 'ab'" },
  { what: 'a topic that is no UTF-8 [MQTT-3.3.2-1] [MQTT-1.5.4-1]', reason: 0x81, v4: '30 04 0002 c328', v5: '30 05 0002 c328 00' },
  { what: 'a surrogate in the topic [MQTT-1.5.4-1]', reason: 0x81, v4: '30 05 0003 edbfbf', v5: '30 06 0003 edbfbf 00' },
  { what: 'U+0000 in the topic [MQTT-4.7.3-2]', reason: 0x81, v4: "30 05 0003 'a' 00 'b'", v5: "30 06 0003 'a' 00 'b' 00" },
  { what: "'#' in the topic [MQTT-3.3.2-2]", reason: 0x90, v4: "30 05 0003 'a/#'", v5: "30 06 0003 'a/#' 00" },
  { what: "'+' in the topic [MQTT-4.7.0-1]", reason: 0x90, v4: "30 05 0003 'a/+'", v5: "30 06 0003 'a/+' 00" },
  { what: 'an empty topic [MQTT-4.7.3-1]', reason: 0x82, v4: '30 03 0000 78', v5: '30 04 0000 00 78' },
  { what: 'an empty topic and properties, but no alias (section 3.3.2.1)', reason: 0x82, v5: '30 05 0000 02 01 01' },
  { what: 'no properties [MQTT-2.2.2-1]', reason: 0x81, v5: "30 03 0001 'a'" },
  { what: 'properties longer than the packet', reason: 0x81, v5: "30 05 0001 'a' 05 01" },
  { what: 'a Subscription Identifier [MQTT-3.3.4-6]', reason: 0x82, v5: "30 06 0001 'a' 02 0b 01" },
  { what: 'a Topic Alias of 0 [MQTT-3.3.2-8]', reason: 0x94, v5: "30 07 0001 'a' 03 23 0000" },
  { what: 'a Topic Alias over the maximum [MQTT-3.3.2-9] [MQTT-3.2.2-17]', reason: 0x94, v5: "30 07 0001 'a' 03 23 0101" },
  { what: 'a Topic Alias that was not set (section 3.3.2.3.4)', reason: 0x82, v5: '30 06 0000 03 23 0001' },
  { what: 'two Topic Aliases (section 3.3.2.3.4)', reason: 0x82, v5: "30 0a 0001 'a' 06 23 0001 23 0001" },
  { what: 'a wildcard in the Response Topic [MQTT-3.3.2-14]', reason: 0x82, v5: "30 0a 0001 'a' 06 08 0003 'b/#'" },
  { what: 'a Response Topic that is no UTF-8 [MQTT-3.3.2-13]', reason: 0x81, v5: "30 08 0001 'a' 04 08 0001 ff" },
  { what: 'a Content Type that is no UTF-8 [MQTT-3.3.2-19]', reason: 0x81, v5: "30 08 0001 'a' 04 03 0001 ff" },
  { what: 'a Payload Format Indicator of 2 (section 3.3.2.3.2)', reason: 0x82, v5: "30 06 0001 'a' 02 01 02" },
  { what: 'a Will Delay Interval (section 2.2.2.2)', reason: 0x81, v5: "30 09 0001 'a' 05 18 00000001" },
  { what: 'a property that is none', reason: 0x81, v5: "30 06 0001 'a' 02 7f 00" },
  { what: 'a packet type that only a server sends (section 2.1.2)', reason: 0x82, v4: '20 02 00 00', v5: '20 03 00 00 00' },
  { what: 'the reserved packet type 0 (section 2.1.2)', reason: 0x82, v4: '00 00', v5: '00 00' },
];

for (const { what, reason, v4, v5 } of WRONG) {
  test(`PUBLISH with ${what} ends the connection, and nothing is delivered [MQTT-4.13.1-1] [MQTT-4.13.2-1]`, async (t) => {
    const broker = await startBroker(t);
    const watcher = await broker.client(5, { clientId: 'watcher' });
    await watcher.subscribe({ '#': 0 });
    for (const [level, wrong] of [[4, v4] as const, [5, v5] as const]) {
      if (wrong === undefined) continue;
      const peer = await broker.client(level, { clientId: 'wrong' });
      peer.send(wrong, peer.packets.publish({ topic: 'after' }), PINGREQ);
      await peer.expectEnd(reason);
    }
    await watcher.expectNothing();
  });
}

test('where a connector lets clients publish to $ topics, $SYS/ and $share/ are still the server’s [MQTT3-3.3.5-2]', async (t) => {
  const broker = await startBroker(t, { connector: { publishDollarTopics: true } });
  const v5 = await broker.client(5, { clientId: 'v5', properties: '17 00' });
  const v4 = await broker.client(4, { clientId: 'v4' });
  await v4.subscribe({ '$mine/#': 0, '$SYS/#': 0 });
  v5.send(v5.packets.publish({ topic: '$mine/a' }));
  await v4.expect(v4.packets.publish({ topic: '$mine/a' }));
  v5.send(v5.packets.publish({ topic: '$SYS/a' }), v5.packets.publish({ topic: '$SYS/a', qos: 1, id: 1 }));
  v5.send(v5.packets.publish({ topic: '$SYS/a', qos: 2, id: 2 }), v5.packets.publish({ topic: '$share/g/a', qos: 1, id: 3 }));
  await v5.expect('40 03 0001 87  50 03 0002 87  40 03 0003 87');
  v4.send(v4.packets.publish({ topic: '$SYS/a', qos: 1, id: 1 }), v4.packets.publish({ topic: '$SYS/a', qos: 2, id: 2 }));
  await v4.expect('40 02 0001  50 02 0002');
  v4.send(v4.packets.pubrel(2));
  await v4.expect('70 02 0002');
  await v4.expectNothing();
});

test('a PUBACK or PUBREC that refuses has the reason in words, for a client that wants it and has room for it [MQTT-3.1.2-29] [MQTT-3.4.2-2] [MQTT-3.5.2-2]', async (t) => {
  const broker = await startBroker(t);
  const words = properties('1f', text('this topic is not for clients to publish to'));
  for (const [asked, said] of [
    ['', words],
    ['17 01', words],
    ['17 00', ''],
    ['27 00000034', words],
    ['27 00000033', ''],
  ] as const) {
    const peer = await broker.client(5, { clientId: 'a', properties: asked });
    for (const qos of [1, 2]) {
      peer.send(peer.packets.publish({ topic: '$SYS/a', qos, id: 7 }));
      await peer.expect(packet(qos === 1 ? 0x40 : 0x50, '0007 87', said));
    }
  }
});

test('after a PUBREC that refuses, the identifier is free at once [MQTT-4.3.3-9]', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.client(5, { clientId: 'a', properties: '17 00' });
  peer.send(
    peer.packets.publish({ topic: '$SYS/a', qos: 2, id: 2 }),
    peer.packets.publish({ topic: 'x', qos: 2, id: 2 }),
    peer.packets.pubrel(2),
    peer.packets.pubrel(2),
  );
  await peer.expect('50 03 0002 87  50 03 0002 10  70 02 0002  70 03 0002 92');
});

test('the application’s properties reach every MQTT 5 subscriber unaltered and in order [MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-17] [MQTT-3.3.2-18] [MQTT-3.3.2-20]', async (t) => {
  const broker = await startBroker(t);
  const sender = await broker.client(5, { clientId: 'sender' });
  const v5 = await broker.client(5, { clientId: 'v5' });
  const v4 = await broker.client(4, { clientId: 'v4' });
  await v5.subscribe({ a: 1 });
  await v4.subscribe({ a: 1 });
  const users = [
    userProperty('b', '2'),
    userProperty('a', '1'),
    userProperty('b', '2'),
    userProperty('', ''),
    userProperty('ü', '\u{feff}'),
  ];
  const sent = bytes('01 01', '03', text('text/plain'), '08', text('re/ply'), '09', text(Buffer.from([0, 255])), ...users);
  for (const [i, size] of [3, 5_000].entries()) {
    const message = { topic: 'a', payload: Buffer.alloc(size, 'p'), qos: 1 };
    await sender.publish({ ...message, properties: sent });
    await v5.expect(v5.packets.publish({ ...message, id: i + 1, properties: sent }));
    await v4.expect(v4.packets.publish({ ...message, id: i + 1 }));
  }
});

test('a Payload Format Indicator of 0 is passed on as one, none as none, however the packet is put together [MQTT-3.3.2-4]', async (t) => {
  const broker = await startBroker(t, { fakeClock: true });
  const sender = await broker.client(5, { clientId: 'sender', will: { topic: 'w', properties: '01 00' } });
  const receiver = await broker.client(5, { clientId: 'receiver' });
  await receiver.subscribe({ plain: 0, expires: 0, w: 0 });
  await receiver.subscribe({ identified: 0 }, '0b 07');
  for (const indicator of ['', '01 00', '01 01']) {
    sender.send(sender.packets.publish({ topic: 'plain', properties: indicator }));
    await receiver.expect(receiver.packets.publish({ topic: 'plain', properties: indicator }));
    sender.send(sender.packets.publish({ topic: 'identified', properties: indicator }));
    await receiver.expect(receiver.packets.publish({ topic: 'identified', properties: bytes(indicator, '0b 07') }));
    sender.send(sender.packets.publish({ topic: 'expires', properties: bytes(indicator, '02 00000009') }));
    await receiver.expect(receiver.packets.publish({ topic: 'expires', properties: bytes(indicator, '02 00000009') }));
    sender.send(sender.packets.publish({ topic: 'plain', properties: bytes('23 0001', indicator) }));
    await receiver.expect(receiver.packets.publish({ topic: 'plain', properties: indicator }));
  }
  await sender.destroy();
  await receiver.expect(receiver.packets.publish({ topic: 'w', properties: '01 00' }));
});

test('properties for the server alone are not passed on: a Topic Alias is a connection’s [MQTT-3.1.2-27] [MQTT-3.3.2-7] [MQTT-3.3.2-12]', async (t) => {
  const broker = await startBroker(t);
  const sender = await broker.client(5, { clientId: 'sender', properties: '11 ffffffff' });
  const receiver = await broker.client(5, { clientId: 'receiver', properties: '22 0010' });
  await receiver.subscribe({ '#': 0 });
  sender.send(
    sender.packets.publish({ topic: 'a/1', properties: '23 0001' }),
    sender.packets.publish({ topic: '', properties: '23 0001' }),
  );
  sender.send(
    sender.packets.publish({ topic: 'a/2', properties: '23 0100' }),
    sender.packets.publish({ topic: '', properties: '23 0100' }),
  );
  sender.send(
    sender.packets.publish({ topic: 'a/3', properties: '23 0001' }),
    sender.packets.publish({ topic: '', properties: '23 0001' }),
  );
  sender.send(
    sender.packets.publish({ topic: '', properties: '23 0100', payload: 'x' }),
    sender.packets.publish({ topic: '', properties: '23 0100', payload: 'x' }),
  );
  for (const topic of ['a/1', 'a/1', 'a/2', 'a/2', 'a/3', 'a/3']) await receiver.expect(receiver.packets.publish({ topic }));
  for (let i = 0; i < 2; i++) await receiver.expect(receiver.packets.publish({ topic: 'a/2', payload: 'x' }));
  const others = await broker.client(5, { clientId: 'other' });
  others.send(others.packets.publish({ topic: '', properties: '23 0001' }));
  await others.expectDisconnect(0x82);
  await sender.destroy();
  await broker.disconnected('sender');
  const again = await broker.client(5, { clientId: 'sender', clean: false }, true);
  again.send(again.packets.publish({ topic: '', properties: '23 0001' }));
  await again.expectDisconnect(0x82);
});

test('a client gets as many aliases as it accepts, each with its topic first and in its place after that [MQTT-3.1.2-26] [MQTT-3.1.2-27] [MQTT-3.3.2-11]', async (t) => {
  const broker = await startBroker(t);
  const sender = await broker.client(5, { clientId: 'sender' });
  const receiver = await broker.client(5, { clientId: 'receiver', properties: '11 ffffffff 22 0002' });
  await receiver.subscribe({ '#': 1 });
  const publish = receiver.packets.publish.bind(receiver.packets);
  const content = "26 0001 'a' 0001 'b'";
  for (const topic of ['topic/1', 'topic/2', 'topic/3'])
    for (let i = 0; i < 2; i++) sender.send(sender.packets.publish({ topic, payload: 'p', properties: content }));
  await receiver.expect(
    publish({ topic: 'topic/1', payload: 'p', properties: `23 0001 ${content}` }),
    publish({ topic: '', payload: 'p', properties: `23 0001 ${content}` }),
    publish({ topic: 'topic/2', payload: 'p', properties: `23 0002 ${content}` }),
    publish({ topic: '', payload: 'p', properties: `23 0002 ${content}` }),
    publish({ topic: 'topic/3', payload: 'p', properties: content }),
    publish({ topic: 'topic/3', payload: 'p', properties: content }),
  );
  await sender.publish({ topic: 'topic/2', payload: 'q', qos: 1 });
  await receiver.expect(publish({ topic: '', payload: 'q', qos: 1, id: 1, properties: '23 0002' }));
  await receiver.destroy();
  await broker.disconnected('receiver');
  const again = await broker.client(5, { clientId: 'receiver', clean: false, properties: '11 ffffffff 22 0001' }, true);
  await again.expect(again.packets.publish({ topic: 'topic/2', payload: 'q', qos: 1, id: 1, dup: true, properties: '23 0001' }));
});

test('an alias is not set by a message that is larger than the client accepts [MQTT-3.1.2-24]', async (t) => {
  const broker = await startBroker(t);
  const sender = await broker.client(5, { clientId: 'sender' });
  const receiver = await broker.client(5, { clientId: 'receiver', properties: '22 0002 27 00000064' });
  await receiver.subscribe({ '#': 0 });
  sender.send(
    sender.packets.publish({ topic: 'topic/1', payload: 'x'.repeat(100) }),
    sender.packets.publish({ topic: 'topic/1', payload: 'p' }),
  );
  await receiver.expect(receiver.packets.publish({ topic: 'topic/1', payload: 'p', properties: '23 0001' }));
});

test('an alias and its topic hold for QoS 1 and 2, and with wildcards they are refused as any topic', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.client(5, { clientId: 'a' });
  await peer.subscribe({ t: 0 });
  peer.send(
    peer.packets.publish({ topic: 't', qos: 2, id: 5, properties: '23 0007' }),
    peer.packets.publish({ topic: '', qos: 1, id: 6, properties: '23 0007' }),
  );
  await peer.expectInAnyOrder(
    peer.packets.publish({ topic: 't' }),
    peer.packets.publish({ topic: 't' }),
    peer.packets.pubrec(5),
    peer.packets.puback(6),
  );
  peer.send(peer.packets.publish({ topic: 't/#', properties: '23 0007' }));
  await peer.expectDisconnect(0x90);
});

test('where no Topic Alias is taken every one is refused [MQTT-3.2.2-18]', async (t) => {
  const broker = await startBroker(t, { limits: { topicAliasMaximum: 0 } });
  const peer = await broker.dial({ level: 5 });
  peer.send(peer.packets.connect({ clientId: 'a' }), peer.packets.publish({ topic: 'a', properties: '23 0001' }));
  await peer.expect('20 0e 00 00 0b 21 ffff 22 0000 27 05f5e100');
  await peer.expectDisconnect(0x94);
});

test('acknowledgements that refuse nothing carry a code at most: neither reason strings nor user properties make them too large [MQTT-3.4.2-2] [MQTT-3.4.2-3] [MQTT-3.5.2-2] [MQTT-3.5.2-3] [MQTT-3.6.2-2] [MQTT-3.6.2-3] [MQTT-3.7.2-2] [MQTT-3.7.2-3] [MQTT-3.1.2-29] [MQTT-3.4.2-1] [MQTT-3.5.2-1] [MQTT-3.6.2-1] [MQTT-3.7.2-1]', async (t) => {
  const broker = await startBroker(t);
  for (const properties of ['', '27 00000010', '17 00']) {
    const peer = await broker.client(5, { clientId: 'a', properties });
    peer.send(peer.packets.publish({ topic: 'nobody', qos: 1, id: 1, properties: userProperty('not', 'returned') }));
    peer.send(peer.packets.publish({ topic: 'nobody', qos: 2, id: 2 }), peer.packets.pubrec(3), peer.packets.pubrel(4));
    await peer.expect('40 03 0001 10  50 03 0002 10  62 03 0003 92  70 03 0004 92');
    await peer.disconnect();
  }
});

test('a byte order mark in a topic is a character like any other [MQTT-1.5.4-3]', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.client(4, { clientId: 'a' });
  await peer.subscribe({ '\u{feff}a': 0 });
  peer.send(peer.packets.publish({ topic: 'a' }), peer.packets.publish({ topic: '\u{feff}a' }));
  await peer.expect("30 06 0004 efbbbf 'a'");
});

test('packets split at every byte mean the same [MQTT-4.2.0-1]', async (t) => {
  const broker = await startBroker(t);
  for (const level of LEVELS) {
    const watcher = await broker.client(level, { clientId: 'watcher' });
    await watcher.subscribe({ 'split/#': 2 });
    const packets = new Packets(level);
    const stream = bytes(
      packets.connect({ clientId: 'split', will: { topic: 'w' } }),
      packets.subscribe(1, { x: 1, y: 2 }),
      packets.publish({ topic: 'split/a', payload: 'one', qos: 1, id: 1, properties: userProperty('a', 'b') }),
      packets.publish({ topic: 'split/a', payload: 'x'.repeat(200) }),
      packets.publish({ topic: 'split/b', payload: 'two', qos: 2, id: 2 }),
      packets.pubrel(2),
      packets.unsubscribe(2, 'x'),
      PINGREQ,
      packets.disconnect(),
    );
    let answers: Buffer | null = null;
    let received: Buffer | null = null;
    for (let at = 0; at <= stream.length; at++) {
      const peer = await broker.dial({ level });
      if (at > 0) await peer.sent(stream.subarray(0, at));
      // The first part is read before the second comes: a ping of another client is answered in between.
      await watcher.expectNothing();
      peer.send(stream.subarray(at));
      const said = await takeUntil(peer, PINGRESP);
      await peer.expectClose();
      const packetsSeen: Buffer[] = [];
      for (let i = 0; i < 3; i++) packetsSeen.push(withoutIdentifier((await watcher.packet()).whole));
      const seen = Buffer.concat(packetsSeen);
      answers ??= said;
      received ??= seen;
      assert.deepEqual(said, answers, `split at ${at}`);
      assert.deepEqual(seen, received, `split at ${at}`);
    }
    await watcher.destroy();
  }
});

test('packets byte by byte mean the same', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.client(5, { clientId: 'a' });
  await peer.subscribe({ '#': 0 });
  for (const byte of peer.packets.publish({ topic: 'a', payload: 'x'.repeat(150), properties: userProperty('a', 'b') }))
    await peer.sent(Buffer.from([byte]));
  await peer.expect(peer.packets.publish({ topic: 'a', payload: 'x'.repeat(150), properties: userProperty('a', 'b') }));
});

for (const count of [4_000, 8_000]) {
  test(`${count} small packets in one write are all answered, in order`, async (t) => {
    const broker = await startBroker(t);
    const receiver = await broker.client(5, { clientId: 'receiver' });
    const sender = await broker.client(5, { clientId: 'sender' });
    await receiver.subscribe({ a: 0 });
    const packets: Buffer[] = [];
    for (let i = 1; i <= count; i++) packets.push(sender.packets.publish({ topic: 'a', payload: `${i}`, qos: i % 2, id: i }));
    sender.send(...packets, PINGREQ);
    for (let i = 1; i <= count; i += 2) await sender.expect(sender.packets.puback(i));
    await sender.expect(PINGRESP);
    for (let i = 1; i <= count; i++) await receiver.expect(receiver.packets.publish({ topic: 'a', payload: `${i}` }));
  });
}

for (const megabytes of [1, 16]) {
  test(`a PUBLISH of ${megabytes} MB goes to several subscribers and into the retained messages whole`, async (t) => {
    const broker = await startBroker(t);
    const payload = randomBytes(megabytes * 1024 * 1024);
    const sender = await broker.client(4, { clientId: 'sender' });
    const v4 = await broker.client(4, { clientId: 'v4' });
    const v5 = await broker.client(5, { clientId: 'v5' });
    await v4.subscribe({ 'big/#': 0 });
    await v5.subscribe({ 'big/#': 1 }, '0b 05');
    const published = sender.publish({ topic: 'big/one', payload, qos: 1, retain: true });
    await v4.expect(v4.packets.publish({ topic: 'big/one', payload }));
    await v5.expect(v5.packets.publish({ topic: 'big/one', payload, qos: 1, id: 1, properties: '0b 05' }));
    await published;
    v4.send(v4.packets.subscribe(9, { 'big/one': 0 }));
    await v4.expect(v4.packets.suback(9, 0), v4.packets.publish({ topic: 'big/one', payload, retain: true }));
  });
}

test('a Remaining Length with a byte too many is read and not passed on [MQTT-1.5.5-1]', async (t) => {
  const broker = await startBroker(t);
  for (const level of LEVELS) {
    const peer = await broker.client(level, { clientId: 'a' });
    await peer.subscribe({ a: 0 });
    peer.send(level === 5 ? "30 858000 0001 'a' 00 'x'" : "30 848000 0001 'a' 'x'");
    await peer.expect(peer.packets.publish({ topic: 'a', payload: 'x' }));
    await peer.disconnect();
  }
});

test('what is sent after a packet that ends the connection is not looked at', async (t) => {
  const broker = await startBroker(t);
  const watcher = await broker.client(4, { clientId: 'watcher' });
  await watcher.subscribe({ '#': 0 });
  const peer = await broker.client(5, { clientId: 'a' });
  peer.send(peer.packets.publish({ topic: 'before' }), peer.packets.disconnect(), peer.packets.publish({ topic: 'after' }));
  await peer.expectClose();
  await watcher.expect(watcher.packets.publish({ topic: 'before' }));
  await watcher.expectNothing();
});

test('a packet that only servers send ends the connection', async (t) => {
  const broker = await startBroker(t);
  for (const header of [0x20, 0x90, 0xb0, 0xd0]) {
    const peer = await broker.client(5, { clientId: 'a' });
    peer.send(packet(header, '0001 00'));
    await peer.expectDisconnect(0x82);
  }
});

async function takeUntil(peer: { packet(): Promise<{ whole: Buffer }> }, last: Buffer): Promise<Buffer> {
  const all: Buffer[] = [];
  do all.push((await peer.packet()).whole);
  while (!all.at(-1)!.equals(last));
  return Buffer.concat(all);
}

/** Packet Identifiers count on from test round to test round. */
function withoutIdentifier(publish: Buffer): Buffer {
  const copy = Buffer.from(publish);
  if ((copy[0]! & 6) !== 0) {
    const at = (copy[1]! < 128 ? 2 : 3) + 2 + 'split/a'.length;
    copy.writeUInt16BE(0, at);
  }
  return copy;
}
