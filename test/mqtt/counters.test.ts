import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBroker } from '../harness/mqtt-broker.ts';
import { connackV3, PINGREQ, PINGRESP } from '../harness/mqtt-bytes.ts';

test('packets are counted as they come and go, PUBLISH by QoS and with the bytes of its payload', async (t) => {
  const { broker, client } = await start(t);
  const { counters } = broker.broker;
  const receiver = await client('r'); // CONNECT, CONNACK
  await receiver.subscribe({ 'a/+': 1 }); // SUBSCRIBE, SUBACK
  const sender = await client('s'); // CONNECT, CONNACK
  sender.send(sender.packets.publish({ topic: 'a/0', payload: '1234' }), PINGREQ);
  await sender.expect(PINGRESP);
  await sender.publish({ topic: 'a/1', payload: '12345', qos: 1 }); // PUBACK
  await sender.publish({ topic: 'a/2', payload: '123456', qos: 2 }); // PUBREC, PUBREL, PUBCOMP
  await sender.publish({ topic: 'b', payload: '1234567', qos: 1 }); // for nobody: PUBACK
  await receiver.expect(receiver.packets.publish({ topic: 'a/0', payload: '1234' }));
  for (const [i, payload] of ['12345', '123456'].entries())
    await receiver.expect(receiver.packets.publish({ topic: `a/${i + 1}`, payload, qos: 1, id: i + 1 }));
  receiver.send(receiver.packets.puback(1), receiver.packets.puback(2));
  await receiver.expectNothing(); // PINGREQ, PINGRESP
  assert.deepEqual(counters.publishReceived, [1, 2, 1]);
  assert.equal(counters.publishBytesReceived, 4 + 5 + 6 + 7);
  assert.deepEqual(counters.publishSent, [1, 2, 0]);
  assert.equal(counters.publishBytesSent, 4 + 5 + 6);
  assert.equal(counters.packetsReceived, 2 + 1 + 4 + 1 + 1 + 2 + 1);
  assert.equal(counters.answersSent, 2 + 1 + 1 + 2 + 2 + 1);
  assert.deepEqual([counters.published, counters.delivered, counters.dropped], [4, 3, 0]);
  assert.deepEqual([counters.sockets, counters.connects, counters.protocolErrors], [2, 2, 0]);
});

test('clients are counted while they are connected, and the most there were at a time', async (t) => {
  const { broker, client } = await start(t);
  const { counters } = broker.broker;
  const peers = [await client('a'), await client('b'), await client('c')];
  assert.deepEqual([counters.clientsConnected, counters.clientsMaximum], [3, 3]);
  await client('a'); // takes over
  await peers[0]!.expectClose();
  await peers[1]!.disconnect();
  await peers[2]!.destroy();
  await broker.until(() => counters.clientsConnected === 1, 'two to be gone');
  assert.equal(counters.clientsMaximum, 3);
});

test('a session that nobody came back to in time is counted as expired, one that was ended is not', async (t) => {
  const { broker } = await start(t, true);
  const { counters } = broker.broker;
  for (const clientId of ['late', 'back']) {
    const peer = await broker.client(5, { clientId, properties: '11 0000000a' });
    await peer.disconnect();
  }
  const back = await broker.client(5, { clientId: 'back', properties: '11 0000000a' });
  broker.pass(20_000);
  assert.equal(counters.sessionsExpired, 1);
  await back.disconnect();
  assert.equal(broker.broker.sessions.size, 1);
});

test('what a client does wrong is counted, also before it is one', async (t) => {
  const { broker, client } = await start(t);
  const { counters } = broker.broker;
  const noMqtt = await broker.dial();
  noMqtt.send("'GET /'");
  await noMqtt.expectClose();
  const noConnect = await broker.dial();
  noConnect.send("10 0c 0004 'MQTX' 04 02 003c 0000");
  await noConnect.expect(connackV3(false, 1));
  await noConnect.expectClose();
  const wrong = await client('a');
  wrong.send('36 06 0001 0061 0001 00');
  await wrong.expectClose();
  assert.deepEqual([counters.protocolErrors, counters.sockets, counters.connects], [3, 3, 2]);
});

test('messages that are dropped are counted by what dropped them', async (t) => {
  const broker = await startBroker(t, { limits: { sessionQueueMessages: 2, sessionQueueBytes: 1_000 } });
  const { counters } = broker.broker;
  const away = await broker.client(4, { clientId: 'away', clean: false });
  await away.subscribe({ x: 1 });
  await away.disconnect();
  const small = await broker.client(5, { clientId: 'small', properties: '27 00000020' });
  await small.subscribe({ y: 0 });
  const sender = await broker.client(4, { clientId: 's' });
  for (let i = 0; i < 2; i++) await sender.publish({ topic: 'x', qos: 1, payload: Buffer.alloc(2_000) });
  for (let i = 0; i < 5; i++) await sender.publish({ topic: 'x', qos: 1 });
  await sender.publish({ topic: 'y', payload: Buffer.alloc(100) });
  assert.equal(counters.dropped, 6);
  assert.deepEqual(counters.droppedBy, {
    sessionQueueMessages: 3,
    sessionQueueBytes: 2,
    connectionQueueBytes: 0,
    pendingMessageLimit: 0,
    maximumPacketSize: 1,
    linkedBroker: 0,
    noSpace: 0,
    temporaryFile: 0,
  });
});

async function start(t: Parameters<typeof startBroker>[0], fakeClock = false) {
  const broker = await startBroker(t, { fakeClock });
  return { broker, client: (clientId: string) => broker.client(4, { clientId }) };
}
