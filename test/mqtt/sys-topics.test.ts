import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type StartBrokerOptions, startBroker } from '../../src/server/embedding.ts';
import type { Level } from '../harness/mqtt-bytes.ts';
import { MqttPeer } from '../harness/mqtt-peer.ts';
import { needsMosquitto, startMosquitto } from '../harness/mqtt-programs.ts';
import { SysReader } from '../harness/sys-reader.ts';

/** What mosquitto(8) of version 2.0 documents below `$SYS/broker/`. */
const DOCUMENTED: readonly string[] = [
  'bytes/received',
  'bytes/sent',
  'clients/active',
  'clients/connected',
  'clients/disconnected',
  'clients/expired',
  'clients/inactive',
  'clients/maximum',
  'clients/total',
  'heap/current',
  'heap/maximum',
  ...['connections', 'bytes/received', 'bytes/sent', 'messages/received', 'messages/sent'].flatMap(averages),
  ...['publish/dropped', 'publish/received', 'publish/sent', 'sockets'].flatMap(averages),
  'messages/inflight',
  'messages/received',
  'messages/sent',
  'messages/stored',
  'publish/messages/dropped',
  'publish/messages/received',
  'publish/messages/sent',
  'retained messages/count',
  'store/messages/bytes',
  'store/messages/count',
  'subscriptions/count',
  'version',
];

/** What stands for something that we do not have, and why. */
const EXCEPTIONS: Readonly<Record<string, string>> = { 'connection/#': 'state of bridges: links between brokers are none' };

function averages(topic: string): string[] {
  return ['1min', '5min', '15min'].map((period) => `load/${topic}/${period}`);
}

async function client(port: number, level: Level, clientId: string, clean = true): Promise<MqttPeer> {
  return (await MqttPeer.dial(port, { level })).connect({ clientId, clean });
}

async function ours(t: TestContext, options: Partial<StartBrokerOptions> = {}): Promise<number> {
  const broker = await startBroker({
    transportConnectors: ['mqtt://127.0.0.1:0'],
    log: 'silent',
    sysIntervalSeconds: 1,
    ...options,
  } as StartBrokerOptions);
  t.after(() => broker.stop());
  return broker.connectors.find(({ protocol }) => protocol === 'mqtt')!.port;
}

test('$SYS is published at the start, retained, and what has changed at each interval; wildcards at the first level do not match it', async (t) => {
  const port = await ours(t);
  const all = await client(port, 5, 'all');
  await all.subscribe({ '#': 0, '+/broker/uptime': 0 });
  const reader = await SysReader.start(port);
  const first = await reader.read();
  assert.equal(first.retained, true);
  await reader.until((values) => values.has('version') && values.has('uptime') && values.size >= DOCUMENTED.length);
  await reader.until((values) => values.get('clients/connected') === '2');
  let again = await reader.read();
  while (again.topic !== '$SYS/broker/uptime') again = await reader.read();
  assert.equal(again.retained, false, 'to those who have subscribed before a message comes as any other [MQTT-3.3.1-12]');
  await all.expectNothing();
});

test('with an interval of 0 there is no $SYS', async (t) => {
  const port = await ours(t, { sysIntervalSeconds: 0 });
  const reader = await client(port, 4, 'reader');
  await reader.subscribe({ '$SYS/#': 0 });
  await reader.expectNothing();
});

test('$SYS stays at its broker: a client of a linked broker gets that one’s own, and its clients cannot publish there', async (t) => {
  const far = await startBroker({ transportConnectors: ['mqtt://127.0.0.1:0', 'tcp://127.0.0.1:0'], log: 'silent', sysIntervalSeconds: 1 });
  t.after(() => far.stop());
  const portOf = (protocol: string) => far.connectors.find((connector) => connector.protocol === protocol)!.port;
  const near = await ours(t, { networkConnectors: [`static:(tcp://127.0.0.1:${portOf('openwire')})`], sysIntervalSeconds: 0 } as never);
  const reader = await client(near, 4, 'reader');
  await reader.subscribe({ '$SYS/#': 1, 'linked/#': 1 });
  const farClient = await client(portOf('mqtt'), 5, 'far');
  // The link is up when a message crosses it: the far broker has then told all of its retained messages.
  for (let crossed = false; !crossed; ) {
    farClient.send(farClient.packets.publish({ topic: 'linked/x', qos: 1, id: 1 }));
    crossed = (await farClient.packet()).whole.equals(farClient.packets.puback(1)); // else: nobody subscribes
  }
  await reader.expect(reader.packets.publish({ topic: 'linked/x', qos: 1, id: 1 }));
  reader.send(reader.packets.puback(1));
  const farReader = await SysReader.start(portOf('mqtt'));
  await farReader.oneUpdate(); // meanwhile the far broker has published some more
  await reader.expectNothing();
  const late = await client(near, 4, 'late');
  await late.subscribe({ '$SYS/broker/uptime': 0 });
  await late.expectNothing();
  farClient.send(farClient.packets.publish({ topic: '$SYS/broker/uptime', payload: 'never', qos: 1, id: 2, retain: true }));
  assert.match((await farClient.packet()).whole.toString('hex'), /^40..000287/, 'Not authorized, and why');
  await farReader.oneUpdate();
  assert.match(farReader.values.get('uptime')!, /^\d+ seconds$/);
});

/** The same for both: a session whose client is away, one with a shared subscription, publishes at each QoS, a retained message. */
async function traffic(port: number): Promise<void> {
  const away = await client(port, 4, 'away', false);
  await away.subscribe({ 'x/#': 1, 'y/+': 1 });
  await away.disconnect();
  const sharer = await client(port, 5, 'sharer');
  await sharer.subscribe({ '$share/g/z': 0 });
  const receiver = await client(port, 4, 'receiver');
  await receiver.subscribe({ 'x/#': 2 });
  const sender = await client(port, 4, 'sender');
  for (const qos of [0, 1, 2]) await sender.publish({ topic: `x/${qos}`, payload: 'payload', qos });
  await sender.publish({ topic: 'r', payload: 'kept', qos: 1, retain: true });
}

/** Of its payloads. */
const PAYLOAD_BYTES = 3 * 'payload'.length + 'kept'.length;

/**
 * Numbers that the traffic above and the reader make the same on both sides. Not among them: `publish/messages/received`, where mosquitto
 * 2.0 leaves out QoS 2 and retained messages, and `clients/maximum`, where it counts sessions whose client is away.
 */
const EQUAL: readonly string[] = [
  'clients/active',
  'clients/connected',
  'clients/disconnected',
  'clients/expired',
  'clients/inactive',
  'clients/total',
  'messages/received',
  'bytes/received',
  'publish/messages/dropped',
  'publish/bytes/received',
  'subscriptions/count',
  'shared_subscriptions/count',
];

test('beside a real mosquitto: the same topics, values that read the same, and equal counts for equal traffic', async (t) => {
  if (!needsMosquitto(t)) return;
  const ports = { theirs: await startMosquitto(t, 'sys_interval 1'), ours: await ours(t) };
  const told = { theirs: new Map<string, string>(), ours: new Map<string, string>() };
  for (const who of ['theirs', 'ours'] as const) {
    await traffic(ports[who]);
    const reader = await SysReader.start(ports[who]);
    await reader.until((values) => values.get('publish/bytes/received') === `${PAYLOAD_BYTES}`);
    await reader.oneUpdate();
    for (const [topic, value] of reader.values) told[who].set(topic, value);
  }
  const missing = (topics: Iterable<string>) => [...topics].filter((topic) => !told.ours.has(topic) && !(topic in EXCEPTIONS));
  assert.deepEqual(missing(told.theirs.keys()), [], 'what it publishes');
  assert.deepEqual(missing(DOCUMENTED), [], 'what it documents');
  for (const [topic, value] of told.theirs) assert.equal(shapeOf(told.ours.get(topic)!), shapeOf(value), topic);
  const counts = (values: ReadonlyMap<string, string>) => Object.fromEntries(EQUAL.map((topic) => [topic, values.get(topic)]));
  assert.deepEqual(counts(told.ours), counts(told.theirs));
});

/** A value with its digits and the program's name taken out of it. */
function shapeOf(value: string): string {
  return value.replace(/^(mosquitto|roundhouse)/, 'name').replace(/\d+/g, '0');
}
