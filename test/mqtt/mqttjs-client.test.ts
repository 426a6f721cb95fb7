import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import mqtt, { type IClientOptions, type IConnackPacket, type IDisconnectPacket, type IPublishPacket, type MqttClient } from 'mqtt';
import { generate } from 'mqtt-packet';
import { UserList } from '../../src/security/user-list.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { startBroker, type TestBroker } from '../harness/mqtt-broker.ts';
import { PEER_WAIT_MS } from '../harness/mqtt-peer.ts';
import { ScramClient } from '../harness/scram-client.ts';

/** MQTT.js against the broker. */

const VERSIONS = [3, 4, 5] as const;
type Version = (typeof VERSIONS)[number];

async function connect(t: TestContext, broker: TestBroker, version: Version, options: IClientOptions = {}): Promise<MqttClient> {
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker.port}`, {
    protocolVersion: version,
    protocolId: version === 3 ? 'MQIsdp' : 'MQTT',
    reconnectPeriod: 0,
    connectTimeout: PEER_WAIT_MS,
    ...options,
  });
  client.on('error', () => {}); // what went wrong shows in what does not come
  t.after(() => client.end(true));
  return client;
}

/** The next `count` messages. Call it before whatever makes them come. */
function messages(client: MqttClient, count: number): Promise<{ topic: string; payload: Buffer; packet: IPublishPacket }[]> {
  const received: { topic: string; payload: Buffer; packet: IPublishPacket }[] = [];
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${received.length} of ${count} messages came`)), PEER_WAIT_MS);
    const take = (topic: string, payload: Buffer, packet: IPublishPacket): void => {
      received.push({ topic, payload, packet });
      if (received.length < count) return;
      clearTimeout(timer);
      client.off('message', take);
      resolve(received);
    };
    client.on('message', take);
  });
}

for (const version of VERSIONS) {
  test(`MQTT.js ${version}: payloads of 0 B, 1 B and 1 MB at every QoS arrive as they were sent`, async (t) => {
    const broker = await startBroker(t);
    const receiver = await connect(t, broker, version);
    const sender = await connect(t, broker, version);
    await receiver.subscribeAsync('a/#', { qos: 2 });
    for (const qos of [0, 1, 2] as const) {
      for (const size of [0, 1, 1024 * 1024]) {
        const payload = randomBytes(size);
        const arrival = messages(receiver, 1);
        await sender.publishAsync('a/b', payload, { qos });
        const [message] = await arrival;
        assert.equal(message!.packet.qos, qos);
        assert.ok(message!.payload.equals(payload));
      }
    }
  });

  test(`MQTT.js ${version}: thousands of messages at once arrive in order, at every QoS`, async (t) => {
    const broker = await startBroker(t);
    const receiver = await connect(t, broker, version);
    const sender = await connect(t, broker, version);
    await receiver.subscribeAsync('a', { qos: 2 });
    const count = 2_000; // MQTT.js does not look at the Receive Maximum
    for (const qos of [0, 1, 2] as const) {
      const arrival = messages(receiver, count);
      await Promise.all(Array.from({ length: count }, (_, i) => sender.publishAsync('a', String(i), { qos })));
      assert.deepEqual(
        (await arrival).map(({ payload }) => Number(payload)),
        Array.from({ length: count }, (_, i) => i),
      );
    }
  });

  test(`MQTT.js ${version}: retained message, and its removal`, async (t) => {
    const broker = await startBroker(t);
    const client = await connect(t, broker, version);
    await client.publishAsync('r/a', 'kept', { retain: true, qos: 1 });
    const arrival = messages(client, 1);
    await client.subscribeAsync('r/+');
    const [message] = await arrival;
    assert.deepEqual([message!.topic, message!.payload.toString(), message!.packet.retain], ['r/a', 'kept', true]);
    await client.unsubscribeAsync('r/+');
    await client.publishAsync('r/a', '', { retain: true, qos: 1 });
    assert.equal(broker.broker.retained.size, 0);
  });

  test(`MQTT.js ${version}: will, and none after a goodbye`, async (t) => {
    const broker = await startBroker(t);
    const watcher = await connect(t, broker, version);
    await watcher.subscribeAsync('will/#', { qos: 1 });
    const will = (name: string) => ({ will: { topic: `will/${name}`, payload: Buffer.from('gone'), qos: 1 as const, retain: false } });
    const leaver = await connect(t, broker, version, will('leaver'));
    await leaver.endAsync();
    const lost = await connect(t, broker, version, will('lost'));
    const arrival = messages(watcher, 1);
    lost.stream.destroy();
    const [message] = await arrival;
    assert.equal(message!.topic, 'will/lost');
  });

  test(`MQTT.js ${version}: a persistent session is found again with what came meanwhile`, async (t) => {
    const broker = await startBroker(t);
    const keep: IClientOptions = {
      clientId: 'keeper',
      clean: false,
      ...(version === 5 ? { properties: { sessionExpiryInterval: 1_000 } } : {}),
    };
    const first = await connect(t, broker, version, keep);
    await first.subscribeAsync('s', { qos: 2 });
    await first.endAsync();
    const sender = await connect(t, broker, version);
    for (const qos of [1, 2] as const) await sender.publishAsync('s', `qos ${qos}`, { qos });
    const again = mqtt.connect(`mqtt://127.0.0.1:${broker.port}`, {
      ...keep,
      protocolVersion: version,
      protocolId: version === 3 ? 'MQIsdp' : 'MQTT',
      reconnectPeriod: 0,
    });
    t.after(() => again.end(true));
    const arrival = messages(again, 2);
    const connack = await new Promise<IConnackPacket>((resolve) => again.once('connect', resolve));
    assert.equal(connack.sessionPresent, version !== 3);
    assert.deepEqual(
      (await arrival).map(({ payload }) => payload.toString()),
      ['qos 1', 'qos 2'],
    );
  });

  test(`MQTT.js ${version}: a client that is cut off while it publishes QoS 2 goes on after its reconnect, nothing is lost or doubled`, async (t) => {
    const broker = await startBroker(t);
    const receiver = await connect(t, broker, version);
    await receiver.subscribeAsync('x', { qos: 2 });
    const sender = await connect(t, broker, version, {
      clientId: 'cut',
      clean: false,
      reconnectPeriod: 20,
      ...(version === 5 ? { properties: { sessionExpiryInterval: 1_000 } } : {}),
    });
    const count = 300;
    const arrival = messages(receiver, count);
    const sent = Array.from({ length: count }, (_, i) => sender.publishAsync('x', String(i), { qos: 2 }));
    await sent[20];
    sender.stream.destroy();
    await sent[150];
    sender.stream.destroy();
    await Promise.all(sent);
    const received = (await arrival).map(({ payload }) => Number(payload));
    assert.deepEqual(
      [...received].sort((a, b) => a - b),
      Array.from({ length: count }, (_, i) => i),
    );
    await receiver.publishAsync('done', '', { qos: 1 });
    assert.equal(new Set(received).size, count);
  });
}

test('MQTT.js 5: properties, subscription identifiers, options and reason codes', async (t) => {
  const broker = await startBroker(t);
  const client = await connect(t, broker, 5, { clientId: 'props' });
  await client.subscribeAsync('p/+', { qos: 1, nl: true, rap: true, rh: 2, properties: { subscriptionIdentifier: 268_435_455 } });
  const sender = await connect(t, broker, 5);
  const arrival = messages(client, 1);
  await client.publishAsync('p/mine', 'not to me', { qos: 1 });
  await sender.publishAsync('p/a', 'x', {
    qos: 1,
    retain: true,
    properties: {
      payloadFormatIndicator: true,
      messageExpiryInterval: 60,
      responseTopic: 're/ply',
      correlationData: Buffer.from([0, 1]),
      contentType: 'text/plain',
      userProperties: { a: ['1', '2'], b: '3' },
    },
  });
  const [message] = await arrival;
  assert.equal(message!.topic, 'p/a');
  assert.equal(message!.packet.retain, true);
  const { userProperties, correlationData, ...rest } = message!.packet.properties!;
  assert.deepEqual({ ...userProperties }, { a: ['1', '2'], b: '3' });
  assert.deepEqual([...correlationData!], [0, 1]);
  assert.deepEqual(rest, {
    payloadFormatIndicator: true,
    messageExpiryInterval: 60,
    responseTopic: 're/ply',
    contentType: 'text/plain',
    subscriptionIdentifier: 268_435_455,
  });
});

test('MQTT.js 5: topic aliases of its own making', async (t) => {
  const broker = await startBroker(t);
  const receiver = await connect(t, broker, 5);
  await receiver.subscribeAsync('long/topic/name/#', { qos: 1 });
  const sender = await connect(t, broker, 5, { autoUseTopicAlias: true, autoAssignTopicAlias: true });
  const arrival = messages(receiver, 600);
  for (let i = 0; i < 600; i++) await sender.publishAsync(`long/topic/name/${i % 300}`, String(i), { qos: 1 });
  assert.deepEqual(
    (await arrival).map(({ topic, payload }) => `${topic} ${payload}`),
    Array.from({ length: 600 }, (_, i) => `long/topic/name/${i % 300} ${i}`),
  );
});

const ANN = new UserList({ users: [{ userName: 'ann', password: 'sesame', groups: [] }], anonymous: null }, silentLog);

for (const version of VERSIONS) {
  test(`MQTT.js ${version}: user name and password`, async (t) => {
    const broker = await startBroker(t, { authenticator: ANN });
    const client = await connect(t, broker, version, { username: 'ann', password: 'sesame' });
    await client.publishAsync('a', 'x', { qos: 1 });
    await assert.rejects(connect(t, broker, version, { username: 'ann', password: 'guess' }), { code: version === 5 ? 0x86 : 4 });
    await assert.rejects(connect(t, broker, version), { code: version === 5 ? 0x87 : 5 });
  });
}

/** Begins to connect with SCRAM-SHA-256; each message of the server is kept. */
function connectByScram(t: TestContext, broker: TestBroker, scram: ScramClient, said: (Buffer | undefined)[]): MqttClient {
  const client = mqtt.connect(`mqtt://127.0.0.1:${broker.port}`, {
    protocolVersion: 5,
    reconnectPeriod: 0,
    properties: { authenticationMethod: 'SCRAM-SHA-256', authenticationData: scram.first },
  });
  client.handleAuth = (packet, callback) => {
    const data = packet.properties?.authenticationData;
    said.push(data);
    if (packet.reasonCode === 0) callback();
    else callback(undefined, answer(scram.final(data!), 0x18));
  };
  t.after(() => client.end(true));
  return client;
}

function answer(authenticationData: Buffer, reasonCode: number) {
  return { cmd: 'auth' as const, reasonCode, properties: { authenticationMethod: 'SCRAM-SHA-256', authenticationData } };
}

test('MQTT.js 5: SCRAM-SHA-256 at CONNECT, and anew while messages go on', async (t) => {
  const broker = await startBroker(t, { authenticator: ANN, mechanisms: [ANN.scram] });
  const scram = new ScramClient('ann', 'sesame');
  const said: (Buffer | undefined)[] = [];
  const client = connectByScram(t, broker, scram, said);
  const connack = await new Promise<IConnackPacket>((resolve, reject) => {
    client.once('connect', resolve);
    client.once('error', reject);
  });
  assert.deepEqual(connack.properties?.authenticationData, scram.expectedServerFinal);
  await client.subscribeAsync('a', { qos: 1 });
  const arrival = messages(client, 1);
  const done = new Promise<void>((resolve) =>
    client.on('packetreceive', (packet) => {
      if (packet.cmd === 'auth' && packet.reasonCode === 0) resolve();
    }),
  );
  client.stream.write(generate(answer(scram.first, 0x19), { protocolVersion: 5 }));
  await client.publishAsync('a', 'meanwhile', { qos: 1 });
  assert.equal((await arrival)[0]!.payload.toString(), 'meanwhile');
  await done;
  await broker.until(() => said.length === 3, 'the client to be asked');
  assert.deepEqual(said[2], scram.expectedServerFinal);
});

test('MQTT.js 5: SCRAM-SHA-256 with a wrong password is refused', async (t) => {
  const broker = await startBroker(t, { authenticator: ANN, mechanisms: [ANN.scram] });
  const client = connectByScram(t, broker, new ScramClient('ann', 'guess'), []);
  const error = await new Promise<{ code?: number }>((resolve) => client.once('error', (found) => resolve(found as { code?: number })));
  assert.equal(error.code, 0x86);
});

test('MQTT.js 5: who is taken over is told so', async (t) => {
  const broker = await startBroker(t);
  const first = await connect(t, broker, 5, { clientId: 'same' });
  const told = new Promise<IDisconnectPacket>((resolve) => first.once('disconnect', resolve));
  await connect(t, broker, 5, { clientId: 'same' });
  assert.equal((await told).reasonCode, 0x8e);
});
