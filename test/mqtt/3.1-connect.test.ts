import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Authenticator } from '../../src/core/ports.ts';
import { startBroker } from '../harness/mqtt-broker.ts';
import { bytes, connackV3, Packets, PINGREQ, PINGRESP, packet, properties, text, userProperty } from '../harness/mqtt-bytes.ts';

const LEVELS = [3, 4, 5] as const;

/** What a CONNACK of MQTT 5 says of this broker: Receive Maximum 65,535, Topic Alias Maximum 256, Maximum Packet Size 100,000,000. */
const SERVER_PROPERTIES = '21 ffff 22 0100 27 05f5e100';

test('MQTT 3.1.1 is admitted with a CONNACK of four bytes [MQTT-3.2.0-1] [MQTT-3.1.4-5] [MQTT-3.2.2-1]', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.dial();
  peer.send("10 10 0004 'MQTT' 04 02 003c 0004 'test'");
  await peer.expect('20 02 00 00');
  await peer.expectNothing();
});

test('MQTT 3.1 is admitted by its own name', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.dial();
  peer.send("10 12 0006 'MQIsdp' 03 02 003c 0004 'test'");
  await peer.expect('20 02 00 00');
  await peer.expectNothing();
});

test('MQTT 5 is admitted with what the server accepts [MQTT-3.2.0-1] [MQTT-3.1.4-5] [MQTT-3.2.2-1]', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.dial();
  peer.send("10 11 0004 'MQTT' 05 02 003c 00 0004 'test'");
  await peer.expect(`20 0e 00 00 0b ${SERVER_PROPERTIES}`);
  await peer.expectNothing();
});

test('the Maximum Packet Size is announced as no more than the largest Remaining Length, which some clients take for the largest value', async (t) => {
  const broker = await startBroker(t, { connector: { maxFrameSize: 256 * 1024 * 1024 } });
  const peer = await broker.dial();
  peer.send("10 11 0004 'MQTT' 05 02 003c 00 0004 'test'");
  await peer.expect('20 0e 00 00 0b 21 ffff 22 0100 27 0fffffff');
});

test('packets in the same write as CONNECT are answered in their order (section 3.1.4)', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.dial({ level: 5 });
  peer.send(peer.packets.connect({ clientId: 'eager' }), peer.packets.subscribe(1, { a: 1 }), PINGREQ);
  await peer.expectConnack(0);
  await peer.expect(peer.packets.suback(1, 1), PINGRESP);
});

test('a bridge that marks its protocol level is a client like any other', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.dial();
  peer.send("10 12 0006 'MQIsdp' 83 02 003c 0004 'brdg'");
  await peer.expect('20 02 00 00');
});

for (const { what, connect, answer } of [
  { what: 'MQIsdp at level 4', connect: "0006 'MQIsdp' 04 02 003c 0001 'a'", answer: '20 02 00 01' },
  { what: 'MQTT at level 3', connect: "0004 'MQTT' 03 02 003c 0001 'a'", answer: '20 02 00 01' },
  { what: 'MQTT at level 0', connect: "0004 'MQTT' 00 02 003c 0001 'a'", answer: '20 02 00 01' },
  { what: 'MQTT at level 6', connect: "0004 'MQTT' 06 02 003c 00 0001 'a'", answer: '20 03 00 84 00' },
  { what: 'another protocol name', connect: "0004 'mqtt' 04 02 003c 0001 'a'", answer: '20 02 00 01' },
]) {
  test(`${what} is refused with the unsupported version's code, and closed [MQTT-3.1.2-1] [MQTT-3.1.2-2] [MQTT-3.2.2-7]`, async (t) => {
    const broker = await startBroker(t);
    const peer = await broker.dial();
    peer.send(packet(0x10, connect));
    await peer.expect(answer);
    await peer.expectClose();
  });
}

/** CONNECT packets that are wrong: MQTT 5 is told the reason in CONNACK, before it a wrong CONNECT gets no answer. */
const WRONG: { what: string; v4?: string; v5?: string; reason?: number }[] = [
  { what: 'the reserved flag set [MQTT-3.1.2-3]', v4: "0004 'MQTT' 04 03 0000 0001 'a'", v5: "0004 'MQTT' 05 03 0000 00 0001 'a'" },
  {
    what: 'a Will QoS of 3 [MQTT-3.1.2-12]',
    v4: "0004 'MQTT' 04 1e 0000 0001 'a' 0001 'w' 0000",
    v5: "0004 'MQTT' 05 1e 0000 00 0001 'a' 00 0001 'w' 0000",
  },
  { what: 'a Will QoS without a will [MQTT-3.1.2-11]', v4: "0004 'MQTT' 04 0a 0000 0001 'a'", v5: "0004 'MQTT' 05 0a 0000 00 0001 'a'" },
  { what: 'Will Retain without a will [MQTT-3.1.2-13]', v4: "0004 'MQTT' 04 22 0000 0001 'a'", v5: "0004 'MQTT' 05 22 0000 00 0001 'a'" },
  {
    what: 'the will announced and not there [MQTT-3.1.2-9]',
    v4: "0004 'MQTT' 04 06 0000 0001 'a'",
    v5: "0004 'MQTT' 05 06 0000 00 0001 'a'",
  },
  {
    what: 'a user name announced and not there [MQTT-3.1.2-17]',
    v4: "0004 'MQTT' 04 82 0000 0001 'a'",
    v5: "0004 'MQTT' 05 82 0000 00 0001 'a'",
  },
  {
    what: 'a user name not announced [MQTT-3.1.2-16]',
    v4: "0004 'MQTT' 04 02 0000 0001 'a' 0001 'u'",
    v5: "0004 'MQTT' 05 02 0000 00 0001 'a' 0001 'u'",
  },
  {
    what: 'a password announced and not there [MQTT-3.1.2-19]',
    v4: "0004 'MQTT' 04 c2 0000 0001 'a' 0001 'u'",
    v5: "0004 'MQTT' 05 42 0000 00 0001 'a'",
  },
  {
    what: 'a password not announced [MQTT-3.1.2-18]',
    v4: "0004 'MQTT' 04 82 0000 0001 'a' 0001 'u' 0001 'p'",
    v5: "0004 'MQTT' 05 82 0000 00 0001 'a' 0001 'u' 0001 'p'",
  },
  { what: 'a password without a user name [MQTT3-3.1.2-22]', v4: "0004 'MQTT' 04 42 0000 0001 'a' 0001 'p'" },
  { what: 'no client identifier [MQTT-3.1.3-3]', v4: "0004 'MQTT' 04 02 0000", v5: "0004 'MQTT' 05 02 0000 00" },
  {
    what: 'a client identifier that is no UTF-8 [MQTT-3.1.3-4]',
    v4: "0004 'MQTT' 04 02 0000 0002 c328",
    v5: "0004 'MQTT' 05 02 0000 00 0002 c328",
  },
  {
    what: 'a surrogate in the client identifier [MQTT-1.5.4-1]',
    v4: "0004 'MQTT' 04 02 0000 0003 eda080",
    v5: "0004 'MQTT' 05 02 0000 00 0003 eda080",
  },
  {
    what: 'U+0000 in the client identifier [MQTT-1.5.4-2]',
    v4: "0004 'MQTT' 04 02 0000 0003 'a' 00 'b'",
    v5: "0004 'MQTT' 05 02 0000 00 0003 'a' 00 'b'",
  },
  {
    what: 'U+0000 in the user name [MQTT-3.1.3-12]',
    v4: "0004 'MQTT' 04 82 0000 0001 'a' 0001 00",
    v5: "0004 'MQTT' 05 82 0000 00 0001 'a' 0001 00",
  },
  {
    what: 'a Will Topic that is no UTF-8 [MQTT-3.1.3-11]',
    v4: "0004 'MQTT' 04 06 0000 0001 'a' 0001 ff 0000",
    v5: "0004 'MQTT' 05 06 0000 00 0001 'a' 00 0001 ff 0000",
  },
  {
    what: 'a wildcard in the Will Topic [MQTT-4.7.0-1]',
    v4: "0004 'MQTT' 04 06 0000 0001 'a' 0001 '#' 0000",
    v5: "0004 'MQTT' 05 06 0000 00 0001 'a' 00 0001 '#' 0000",
    reason: 0x90,
  },
  {
    what: 'an empty Will Topic [MQTT-4.7.3-1]',
    v4: "0004 'MQTT' 04 06 0000 0001 'a' 0000 0000",
    v5: "0004 'MQTT' 05 06 0000 00 0001 'a' 00 0000 0000",
    reason: 0x90,
  },
  {
    what: 'a Will Topic of the server, for which MQTT 3.1.1 has no return code [MQTT3-3.2.2-6]',
    v4: "0004 'MQTT' 04 06 0000 0001 'a' 0006 '$SYS/x' 0000",
    v5: "0004 'MQTT' 05 06 0000 00 0001 'a' 00 0006 '$SYS/x' 0000",
    reason: 0x90,
  },
  {
    what: 'a wildcard in the Response Topic of the will [MQTT-3.3.2-14]',
    v5: "0004 'MQTT' 05 06 0000 00 0001 'a' 06 08 0003 'a/#' 0001 'w' 0000",
    reason: 0x82,
  },
  { what: 'nothing behind the protocol name', v4: "0004 'MQTT'" },
  { what: 'nothing behind the level', v4: "0004 'MQTT' 04", v5: "0004 'MQTT' 05" },
  { what: 'half a keep alive', v4: "0004 'MQTT' 04 02 00", v5: "0004 'MQTT' 05 02 00" },
  { what: 'no properties', v5: "0004 'MQTT' 05 02 0000" },
  { what: 'properties that are longer than the packet', v5: "0004 'MQTT' 05 02 0000 7f 0001 'a'" },
  { what: 'an unknown property', v5: "0004 'MQTT' 05 02 0000 02 2b 00 0001 'a'" },
  { what: 'a property of another packet (section 2.2.2.2)', v5: "0004 'MQTT' 05 02 0000 03 13 0000 0001 'a'" },
  { what: 'a property cut off', v5: "0004 'MQTT' 05 02 0000 02 11 00 0001 'a'" },
  { what: 'a property identifier with a byte too many [MQTT-1.5.5-1]', v5: "0004 'MQTT' 05 02 0000 04 a1 00 0001 0001 'a'" },
  { what: 'half a user property [MQTT-1.5.7-1]', v5: "0004 'MQTT' 05 02 0000 04 26 0001 'k' 0001 'a'" },
  { what: 'a property that is there twice (section 3.1.2.11)', v5: "0004 'MQTT' 05 02 0000 06 21 0001 21 0001 0001 'a'", reason: 0x82 },
  { what: 'a Receive Maximum of 0 (section 3.1.2.11.3)', v5: "0004 'MQTT' 05 02 0000 03 21 0000 0001 'a'", reason: 0x82 },
  { what: 'a Maximum Packet Size of 0 (section 3.1.2.11.4)', v5: "0004 'MQTT' 05 02 0000 05 27 00000000 0001 'a'", reason: 0x82 },
  { what: 'a Request Problem Information of 2 (section 3.1.2.11.7)', v5: "0004 'MQTT' 05 02 0000 02 17 02 0001 'a'", reason: 0x82 },
  { what: 'a Request Response Information of 2 (section 3.1.2.11.6)', v5: "0004 'MQTT' 05 02 0000 02 19 02 0001 'a'", reason: 0x82 },
  { what: 'Authentication Data without a method (section 3.1.2.11.10)', v5: "0004 'MQTT' 05 02 0000 03 16 0000 0001 'a'", reason: 0x82 },
  {
    what: 'an Authentication Method that is not known [MQTT-4.12.0-1]',
    v5: "0004 'MQTT' 05 02 0000 06 15 0003 'abc' 0001 'a'",
    reason: 0x8c,
  },
  { what: 'bytes too many', v4: "0004 'MQTT' 04 02 0000 0001 'a' 00", v5: "0004 'MQTT' 05 02 0000 00 0001 'a' 00" },
];

/** Reason Codes that CONNACK may have. MQTT 5.0 section 3.2.2.2, table 3-1. */
const CONNACK_REASONS = [
  0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x90, 0x95, 0x97, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9f,
];

for (const { what, v4, v5, reason } of WRONG) {
  test(`CONNECT with ${what} is refused [MQTT-3.1.4-1] [MQTT3-3.1.4-1] [MQTT-3.2.2-7] [MQTT-3.2.2-8] [MQTT-4.13.2-1]`, async (t) => {
    const broker = await startBroker(t);
    if (v4 !== undefined) {
      const peer = await broker.dial();
      peer.send(packet(0x10, v4), PINGREQ);
      await peer.expectClose();
    }
    if (v5 !== undefined) {
      const peer = await broker.dial({ level: 5 });
      peer.send(packet(0x10, v5), PINGREQ);
      assert.ok(CONNACK_REASONS.includes(reason ?? 0x81));
      await peer.expectConnack(reason ?? 0x81);
      await peer.expectClose();
    }
    assert.equal(broker.broker.sessions.size, 0, 'a refused client leaves no session behind');
  });
}

test('nothing that follows a refused CONNECT is looked at [MQTT-3.1.4-6] [MQTT-3.14.0-1]', async (t) => {
  const broker = await startBroker(t);
  const watcher = await broker.client(5, { clientId: 'watcher' });
  await watcher.subscribe({ '#': 0 });
  const refused = [
    { level: 3, connect: { clientId: '' }, answer: connackV3(false, 2) },
    { level: 4, connect: { clientId: '', clean: false }, answer: connackV3(false, 2) },
    { level: 5, connect: { clientId: 'a', properties: "15 0001 'x' 17 00" }, answer: bytes('20 03 00 8c 00') },
  ] as const;
  for (const { level, connect, answer } of refused) {
    const peer = await broker.dial({ level });
    const publish = peer.packets.publish({ topic: 'after', qos: 1, id: 1, retain: true });
    peer.send(peer.packets.connect(connect), publish, peer.packets.connect({ clientId: 'b' }), PINGREQ, peer.packets.disconnect());
    await peer.expect(answer);
    await peer.expectClose();
  }
  await watcher.expectNothing();
  assert.equal(broker.broker.sessions.size, 1);
  assert.equal(broker.broker.retained.size, 0);
});

test('a refusing CONNACK says that no session is present, also where there is one [MQTT-3.2.2-6] [MQTT-3.2.2-7]', async (t) => {
  const broker = await startBroker(t);
  const kept = await broker.client(5, { clientId: 'a', properties: '11 ffffffff' });
  await kept.disconnect();
  const v4 = await broker.dial();
  v4.send(packet(0x10, "0004 'MQTT' 06 00 0000 0001 'a'"));
  await v4.expect('20 03 00 84 00');
  await v4.expectClose();
  const old = await broker.dial();
  old.send(packet(0x10, "0006 'MQIsdp' 04 00 0000 0001 'a'"));
  await old.expect('20 02 00 01');
  await old.expectClose();
  const v5 = await broker.dial({ level: 5 });
  v5.send(v5.packets.connect({ clientId: 'a', clean: false, properties: "15 0001 'x' 17 00" }));
  await v5.expect('20 03 00 8c 00');
  await v5.expectClose();
  await broker.client(5, { clientId: 'a', clean: false }, true);
});

test('Response Information is sent to a client that asks for it, and to no other [MQTT-3.1.2-28]', async (t) => {
  const broker = await startBroker(t);
  for (const asked of ['', '19 00']) {
    const peer = await broker.dial({ level: 5 });
    peer.send(peer.packets.connect({ clientId: 'a', properties: asked }));
    await peer.expect(`20 0e 00 00 0b ${SERVER_PROPERTIES}`);
    await peer.disconnect();
  }
  const peer = await broker.dial({ level: 5 });
  peer.send(peer.packets.connect({ clientId: 'a', properties: '19 01' }));
  await peer.expect(`20 1c 00 00 19 1a 000b 'response/a/' ${SERVER_PROPERTIES}`);
});

test('Response Information is a prefix of the client’s own that any topic can begin with', async (t) => {
  const broker = await startBroker(t);
  for (const [clientId, prefix] of [
    ['a/b+c#d%2f', 'response/a%2fb%2bc%23d%252f/'],
    ['Zürich 💡', 'response/Zürich 💡/'],
    ['x'.repeat(1_014), `response/${'x'.repeat(1_014)}/`],
  ] as const) {
    const peer = await broker.dial({ level: 5 });
    peer.send(peer.packets.connect({ clientId, properties: '19 01' }));
    const { body } = await peer.packet();
    const at = body[2]! < 128 ? 3 : 4;
    assert.equal(body[at], 0x1a);
    assert.equal(body.subarray(at + 3, at + 3 + body.readUInt16BE(at + 1)).toString(), prefix);
    await peer.subscribe({ [`${prefix}#`]: 0 });
    peer.send(peer.packets.publish({ topic: `${prefix}1`, payload: 'answer' }));
    await peer.expect(peer.packets.publish({ topic: `${prefix}1`, payload: 'answer' }));
  }
  const long = await broker.dial({ level: 5 });
  long.send(long.packets.connect({ clientId: 'x'.repeat(1_015), properties: '19 01' }));
  await long.expect(`20 0e 00 00 0b ${SERVER_PROPERTIES}`);
});

test('Response Information is left out where CONNACK has no room for it [MQTT-3.1.2-24]', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.dial({ level: 5 });
  peer.send(peer.packets.connect({ clientId: 'a', properties: '19 01 27 0000001d' }));
  await peer.expect(`20 0e 00 00 0b ${SERVER_PROPERTIES}`);
  const roomy = await broker.dial({ level: 5 });
  roomy.send(roomy.packets.connect({ clientId: 'b', properties: '19 01 27 0000001e' }));
  await roomy.expect(`20 1c 00 00 19 1a 000b 'response/b/' ${SERVER_PROPERTIES}`);
});

test('a Session Expiry Interval beyond the broker’s is lowered, which CONNACK says (section 3.2.2.3.2)', async (t) => {
  const broker = await startBroker(t, { fakeClock: true, limits: { sessionExpiryInterval: 100 } });
  for (const [asked, told] of [
    ['', ''],
    ['11 00000064', ''],
    ['11 00000065', '11 00000064'],
    ['11 ffffffff', '11 00000064'],
  ] as const) {
    const peer = await broker.dial({ level: 5 });
    peer.send(peer.packets.connect({ clientId: 'a', properties: asked }));
    await peer.expect(packet(0x20, '00 00', properties(told, SERVER_PROPERTIES)));
    await peer.disconnect(0, '11 00000000'); // the same again, or an end of the session
  }
});

test('no session outlives the broker’s Session Expiry Interval: not by DISCONNECT, not one of MQTT 3', async (t) => {
  const broker = await startBroker(t, { fakeClock: true, limits: { sessionExpiryInterval: 100 } });
  const v5 = await broker.client(5, { clientId: 'v5', properties: '11 00000001' });
  await v5.disconnect(0, '11 ffffffff');
  for (const level of [3, 4] as const) await (await broker.client(level, { clientId: `v${level}`, clean: false })).disconnect();
  await broker.until(() => broker.connections === 0, 'all to be gone');
  broker.pass(99_000);
  assert.equal(broker.broker.sessions.size, 3);
  broker.pass(1_200);
  assert.equal(broker.broker.sessions.size, 0);
});

test('every QoS and retained messages are served: CONNACK limits neither, and a retained will of QoS 2 is admitted [MQTT-3.2.2-9] [MQTT-3.2.2-10] [MQTT-3.2.2-12] [MQTT-3.2.2-13]', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.dial({ level: 5 });
  peer.send(peer.packets.connect({ clientId: 'a', will: { topic: 'w', qos: 2, retain: true } }));
  await peer.expect(`20 0e 00 00 0b ${SERVER_PROPERTIES}`); // neither 24 (Maximum QoS) nor 25 (Retain Available)
  await peer.subscribe({ a: 0, b: 1, c: 2 });
});

test('a CONNECT cut short at every byte is never admitted and harms nobody', async (t) => {
  const broker = await startBroker(t);
  for (const level of [3, 4, 5] as const) {
    const will = { topic: 'w', payload: 'p', properties: '18 00000001' };
    const whole = new Packets(level).connect({ clientId: 'cut', will, userName: 'u', password: 'p', properties: '21 0001' });
    const body = whole.subarray(2);
    for (let size = 0; size < body.length; size++) {
      // MQTT 3.1: the user name and the password may be missing whatever their flags say.
      if (level === 3 && (size === body.length - 3 || size === body.length - 6)) continue;
      const peer = await broker.dial({ level });
      peer.send(packet(0x10, body.subarray(0, size)));
      if (level === 5 && size > 6) await peer.expectConnack(0x81);
      await peer.expectClose();
    }
    const peer = await broker.dial({ level });
    peer.send(whole);
    assert.equal((await peer.packet()).body[1], 0);
    await peer.disconnect();
  }
});

test('MQTT 3.1: a user name or password flag whose field is missing is let pass, unused flags are not looked at', async (t) => {
  const broker = await startBroker(t);
  for (const connect of [
    "0006 'MQIsdp' 03 c2 0000 0001 'a'",
    "0006 'MQIsdp' 03 c2 0000 0001 'a' 0001 'u'",
    "0006 'MQIsdp' 03 3b 0000 0001 'a'",
  ]) {
    const peer = await broker.dial({ level: 3 });
    peer.send(packet(0x10, connect));
    await peer.expect(connackV3(false));
    await peer.disconnect();
  }
});

for (const { what, first } of [
  { what: 'PUBLISH', first: '30 03 0001 61' },
  { what: 'SUBSCRIBE', first: "82 06 0001 0001 'a' 00" },
  { what: 'PINGREQ', first: 'c0 00' },
  { what: 'DISCONNECT', first: 'e0 00' },
  { what: 'AUTH', first: 'f0 00' },
  { what: 'the reserved packet type 0', first: '00 00' },
  { what: 'a HTTP request', first: Buffer.from('GET / HTTP/1.1\r\nHost: broker:1883\r\n\r\n') },
  { what: 'the first byte of a HTTP request', first: Buffer.from('G') },
  { what: 'a TLS hello', first: '16 0301 00c8 010000c40303' },
  { what: 'an OpenWire greeting', first: "00000146 01 'ActiveMQ' 0000000c" },
  { what: 'a PROXY header', first: Buffer.from('PROXY TCP4 127.0.0.1 127.0.0.1 1 1883\r\n') },
]) {
  test(`${what} in place of CONNECT closes the connection without an answer [MQTT-3.1.0-1] [MQTT-3.14.0-1]`, async (t) => {
    const broker = await startBroker(t);
    const peer = await broker.dial();
    peer.send(first);
    await peer.expectClose();
  });
}

test('a second CONNECT is a protocol error and gets no CONNACK [MQTT-3.1.0-2] [MQTT-3.2.0-2]', async (t) => {
  const broker = await startBroker(t);
  for (const level of LEVELS) {
    const peer = await (await broker.dial({ level })).connect({ clientId: 'twice' });
    peer.send(peer.packets.connect({ clientId: 'twice' }));
    await peer.expectEnd(0x82);
  }
});

test('client identifiers of one to 23 letters and digits are allowed, so are longer ones and all of UTF-8: none is refused [MQTT-3.1.3-5] [MQTT-3.1.3-8]', async (t) => {
  const broker = await startBroker(t);
  const ids = ['0', 'abcdefghijklmnopqrstuvw', 'x'.repeat(24), 'y'.repeat(65_535), 'Zürich/#+ $💡', '\u{feff}bom', ' '];
  for (const level of LEVELS) {
    for (const clientId of ids) {
      const peer = await (await broker.dial({ level })).connect({ clientId });
      assert.ok(broker.broker.sessions.get(clientId), 'the identifier is taken as it is');
      await peer.disconnect();
    }
  }
});

test('MQTT 3.1 needs a client identifier', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.dial({ level: 3 });
  peer.send(peer.packets.connect({ clientId: '' }));
  await peer.expect('20 02 00 02');
  await peer.expectClose();
});

test('MQTT 3.1.1: an empty client identifier needs Clean Session [MQTT-3.1.3-6] [MQTT3-3.1.3-7] [MQTT3-3.1.3-8] [MQTT3-3.1.3-9]', async (t) => {
  const broker = await startBroker(t);
  const refused = await broker.dial();
  refused.send(refused.packets.connect({ clientId: '', clean: false }));
  await refused.expect('20 02 00 02');
  await refused.expectClose();
  const [a, b] = [await broker.dial(), await broker.dial()];
  await a.connect({ clientId: '' });
  await b.connect({ clientId: '' });
  await a.expectNothing();
  assert.equal(broker.broker.sessions.size, 2, 'each has an identifier of its own');
});

test('MQTT 5: an empty client identifier is assigned a unique one, also without Clean Start [MQTT-3.1.3-6] [MQTT-3.1.3-7] [MQTT-3.2.2-16]', async (t) => {
  const broker = await startBroker(t);
  const ids = new Set<string>();
  for (const clean of [true, false]) {
    const peer = await broker.dial({ level: 5 });
    peer.send(peer.packets.connect({ clientId: '', clean }));
    const said = await peer.expectConnack(0);
    assert.equal(said[1], 0x12, 'Assigned Client Identifier');
    const clientId = said.subarray(4, 4 + said.readUInt16BE(2)).toString();
    assert.ok(broker.broker.sessions.get(clientId));
    ids.add(clientId);
  }
  assert.equal(ids.size, 2);
});

test('reason strings are left out when the client asks for no problem information [MQTT-3.1.2-29]', async (t) => {
  const broker = await startBroker(t);
  const chatty = await broker.dial({ level: 5 });
  chatty.send(chatty.packets.connect({ properties: "15 0001 'x'" }));
  assert.ok((await chatty.expectConnack(0x8c)).length > 1, 'a reason string');
  const terse = await broker.dial({ level: 5 });
  terse.send(terse.packets.connect({ properties: "17 00 15 0001 'x'" }));
  await terse.expect('20 03 00 8c 00');
  await terse.expectClose();
  const later = await (await broker.dial({ level: 5 })).connect({ clientId: 'a', properties: '17 00' });
  later.send('00 00');
  await later.expect('e0 02 82 00');
  await later.expectClose();
});

test('a reason string never takes a refusal over the Maximum Packet Size, and there are no user properties [MQTT-3.2.2-19] [MQTT-3.2.2-20] [MQTT-3.1.2-24]', async (t) => {
  const broker = await startBroker(t);
  const small = await broker.dial({ level: 5 });
  small.send(small.packets.connect({ properties: "27 00000010 15 0001 'x'" }));
  await small.expect('20 03 00 8c 00');
  await small.expectClose();
  const tiny = await broker.dial({ level: 5 });
  tiny.send(tiny.packets.connect({ properties: "27 00000004 15 0001 'x'" }));
  await tiny.expectClose();
});

test('a Maximum Packet Size without room for CONNACK is refused, one with room is not [MQTT-3.1.2-24] [MQTT-3.1.4-2]', async (t) => {
  const broker = await startBroker(t);
  const exact = await broker.dial({ level: 5 });
  exact.send(exact.packets.connect({ clientId: 'a', properties: '27 00000010' }));
  await exact.expect(`20 0e 00 00 0b ${SERVER_PROPERTIES}`);
  const small = await broker.dial({ level: 5 });
  small.send(small.packets.connect({ clientId: 'b', properties: '27 0000000f' }));
  await small.expect('20 03 00 83 00');
  await small.expectClose();
  assert.equal(broker.broker.sessions.get('b'), undefined);
});

test('a small maxFrameSize is announced, and a packet over it is refused [MQTT-3.2.2-15]', async (t) => {
  const broker = await startBroker(t, { connector: { maxFrameSize: 100 } });
  const v5 = await broker.dial({ level: 5 });
  v5.send(v5.packets.connect({ clientId: 'v5' }));
  await v5.expect('20 0e 00 00 0b 21 ffff 22 0100 27 00000064');
  v5.send(v5.packets.publish({ topic: 'a', payload: Buffer.alloc(94) })); // 2 + 3 + 1 + 94 = 100
  await v5.expectNothing();
  v5.send(v5.packets.publish({ topic: 'a', payload: Buffer.alloc(95) }));
  await v5.expectDisconnect(0x95);
  const v4 = await (await broker.dial()).connect({ clientId: 'v4' });
  v4.send('30 ffffff7f'); // refused at its header: 256 MB are not waited for
  await v4.expectClose();
  const first = await broker.dial({ level: 5 });
  first.send(first.packets.connect({ clientId: 'x'.repeat(200) }));
  await first.expectClose();
});

test('before it is a client nobody sends more than a large CONNECT; with it, whatever the connector takes', async (t) => {
  const broker = await startBroker(t);
  const large = 'x'.repeat(65_535);
  const peer = await broker.dial();
  peer.send(
    peer.packets.connect({ clientId: large, will: { topic: large, payload: large }, userName: large, password: large }),
    peer.packets.publish({ topic: 'a', payload: Buffer.alloc(2_000_000), qos: 1, id: 1 }),
  );
  await peer.expect('20 02 00 00 40 02 0001');
  const huge = await broker.dial();
  huge.send('10 80808001'); // 2 MB are not waited for
  await huge.expectClose();
});

test('a Remaining Length of five bytes is malformed [MQTT-1.5.5-1]', async (t) => {
  const broker = await startBroker(t);
  for (const level of [4, 5] as const) {
    const peer = await (await broker.dial({ level })).connect({ clientId: `c${level}` });
    peer.send('30 8080808001');
    await peer.expectEnd(0x81);
  }
});

test('a Remaining Length with a byte too many is read: simple devices write one of fixed size', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.dial();
  peer.send("10 8d808000 0004 'MQTT' 04 02 003c 0001 'a'");
  await peer.expect('20 02 00 00');
});

test('a connection that sends no CONNECT in time is closed', async (t) => {
  const broker = await startBroker(t, { fakeClock: true, connector: { connectAttemptTimeoutMs: 5_000 } });
  const silent = await broker.dial();
  const slow = await broker.dial();
  const good = await (await broker.dial()).connect({ clientId: 'good' });
  slow.send('10 10 0004');
  await good.expectNothing();
  broker.pass(4_900);
  await good.expectNothing();
  assert.equal(broker.connections, 3);
  broker.pass(200);
  await silent.expectClose();
  await slow.expectClose();
  await good.expectNothing();
});

test('the fields of CONNECT come in their order, whatever their bytes [MQTT-3.1.3-1]', async (t) => {
  const asked: unknown[] = [];
  const authenticator: Authenticator = {
    authenticate: ({ clientId, userName, password }) => {
      if (clientId === 'all') asked.push(userName, password);
      return { kind: 'admitted', principal: { userName: 'u', groups: [] } };
    },
  };
  const broker = await startBroker(t, { fakeClock: true, authenticator });
  for (const level of LEVELS) {
    const watcher = await broker.client(level, { clientId: 'watcher' });
    const topic = `w/${level}`;
    await watcher.subscribe({ [topic]: 2 });
    const peer = await broker.dial({ level });
    await peer.connect({
      clientId: 'all',
      will: {
        topic,
        payload: Buffer.from([0, 255, 0]),
        qos: 2,
        retain: true,
        properties: bytes('18 ffffffff 01 01', userProperty('a', 'b')),
      },
      userName: 'ü',
      password: Buffer.from([0, 255]),
      properties: bytes('11 00000001 21 0001 27 00001000 22 0001 19 01 17 01', userProperty('a', ''), userProperty('a', 'b')),
    });
    assert.deepEqual(asked.splice(0), ['ü', Buffer.from([0, 255])]);
    assert.ok(broker.broker.sessions.get('all'));
    await peer.destroy();
    await broker.disconnected('all');
    const properties = bytes('01 01', userProperty('a', 'b'));
    broker.pass(1_100); // the end of an MQTT 5 session, before the delay of its will
    await watcher.expect(watcher.packets.publish({ topic, payload: Buffer.from([0, 255, 0]), qos: 2, id: 1, properties }));
    await watcher.disconnect();
  }
});

test('MQTT 5 lets a password stand without a user name (section 3.1.2.9)', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.dial({ level: 5 });
  await peer.connect({ clientId: 'p', password: 'secret' });
});

test('AUTH is a protocol error where CONNECT had no Authentication Method [MQTT-4.12.0-7]', async (t) => {
  const broker = await startBroker(t);
  for (const level of [4, 5] as const) {
    const peer = await (await broker.dial({ level })).connect({ clientId: 'auth' });
    peer.send(packet(0xf0, '18', properties('15', text('m'))));
    await peer.expectEnd(0x82);
  }
});
