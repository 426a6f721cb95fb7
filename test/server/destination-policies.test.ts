import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import mqtt from 'mqtt';
import { brokerFile } from '../harness/activemq-file.ts';
import { DeploymentFolder } from '../harness/deployment-files.ts';
import { PINGREQ, PINGRESP } from '../harness/mqtt-bytes.ts';
import { MqttPeer } from '../harness/mqtt-peer.ts';
import { freePorts, Program } from '../harness/program.ts';
import { REPOSITORY_ROOT } from '../harness/repository-root.ts';
import { SysReader } from '../harness/sys-reader.ts';

const PAYLOAD_BYTES = 4_000;
/** In all 32 MB: more than a socket and what may be on its way to it hold. */
const MESSAGES = 8_000;

const folder = await DeploymentFolder.make();
after(() => folder.remove());

async function start(t: TestContext, text: (ports: readonly [number, number]) => string) {
  const ports = (await freePorts(2)) as [number, number];
  const file = await folder.write(`${ports[0]}.xml`, text(ports));
  const program = new Program(['broker', file, '--sys-interval', '1', '-D', `activemq.data=${folder.path}/${ports[0]}`], {
    cwd: folder.path,
  });
  t.after(async () => {
    program.kill();
    await program.ended;
  });
  await program.saying(/broker is up/);
  const client = async (clientId: string, level: 4 | 5 = 4, properties = '') =>
    (await MqttPeer.dial(ports[0], { level })).connect({ clientId, clean: level === 5 || clientId !== 'durable', properties });
  return { program, client, port: ports[0] };
}

/** A broker with these policies and nothing stored. */
const withPolicies =
  (entries: string) =>
  ([port]: readonly [number, number]): string =>
    brokerFile(
      `<destinationPolicy><policyMap><policyEntries>${entries}</policyEntries></policyMap></destinationPolicy>`,
      ' persistent="false"',
      `<transportConnectors><transportConnector name="mqtt" uri="mqtt://127.0.0.1:${port}"/></transportConnectors>`,
    );

test('with the classic file a QoS 0 subscriber that has stalled keeps exactly the newest 1,000 messages beyond its socket', async (t) => {
  const classic = await readFile(join(REPOSITORY_ROOT, 'test', 'fixtures', 'classic', 'activemq-1.xml'), 'utf8');
  const { program, client, port } = await start(t, ([mqtt, openwire]) =>
    classic
      .replace('0.0.0.0:1883', `127.0.0.1:${mqtt}`)
      .replaceAll('0.0.0.0:61616', `127.0.0.1:${openwire}`)
      .replace(/ discoveryUri="[^"]*"/, ''),
  );
  const slow = await client('slow');
  await slow.subscribe({ 'fleet/#': 0 });
  slow.stall();
  const sender = await client('sender');
  for (let n = 0; n < MESSAGES; n++) {
    sender.send(sender.packets.publish({ topic: `fleet/${n % 7}`, payload: `${n}`.padEnd(PAYLOAD_BYTES) }));
    if (n % 200 === 0) await sender.expectNothing();
  }
  await sender.expectNothing();
  const sys = await SysReader.start(port);
  await sys.oneUpdate();
  const discarded = Number(sys.values.get('publish/messages/dropped/pendingMessageLimit'));
  slow.readOn();
  const numbers: number[] = [];
  while (numbers.at(-1) !== MESSAGES - 1) numbers.push(Number((await slow.packet()).body.subarray(-PAYLOAD_BYTES).toString('latin1')));
  slow.send(PINGREQ);
  await slow.expect(PINGRESP);
  const inSocket = numbers.findIndex((n, i) => n !== i);
  assert.deepEqual(
    numbers.slice(inSocket),
    Array.from({ length: 1_000 }, (_, i) => MESSAGES - 1_000 + i),
  );
  assert.equal(numbers.length, MESSAGES - discarded);
  const lines = program.stderr.split('\n').filter((line) => line.includes('messages for a client are dropped'));
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /pendingMessageLimit/);
});

test('a slow client is disconnected by the strategy of the file, and its session has its messages', async (t) => {
  const { program, client } = await start(
    t,
    withPolicies(`<policyEntry topic="fleet.>" durableTopicPrefetch="2"><slowConsumerStrategy>
      <abortSlowAckConsumerStrategy checkPeriod="200" maxSlowDuration="400" maxTimeSinceLastAck="300"/></slowConsumerStrategy></policyEntry>`),
  );
  const slow = await client('slow', 5, '11 000000ff');
  await slow.subscribe({ 'fleet/+': 1 });
  const sender = await client('sender');
  for (let i = 0; i < 3; i++) await sender.publish({ topic: 'fleet/a', qos: 1, payload: `${i}` });
  for (let id = 1; id <= 2; id++) await slow.expect(slow.packets.publish({ topic: 'fleet/a', qos: 1, id, payload: `${id - 1}` }));
  await slow.expectDisconnect(0x97);
  assert.match(program.stderr, /a client that does not keep up is disconnected/);
  await sender.expectNothing();
});

test('retained messages that have expired are let go of at the period of the file', async (t) => {
  const { client, port } = await start(t, withPolicies('<policyEntry topic=">" expireMessagesPeriod="300"/>'));
  const sender = await client('sender', 5);
  await sender.publish({ topic: 'fleet/kept', qos: 1, retain: true, payload: 'x' });
  const sys = await SysReader.start(port);
  await sys.oneUpdate();
  const before = Number(sys.values.get('retained messages/count'));
  for (let i = 0; i < 5; i++) await sender.publish({ topic: `fleet/${i}`, qos: 1, retain: true, payload: 'x', properties: '02 00000001' });
  // Nobody asks for them: without a search they would stay for ever.
  await sys.oneUpdate();
  await sys.until((values) => Number(values.get('retained messages/count')) === before);
});

test('advisories that a policyEntry asks for come to who subscribes to them by name, one for each message that is lost', async (t) => {
  const asked = 'advisoryForDiscardingMessages="true" advisoryForSlowConsumers="true" sendAdvisoryIfNoConsumers="true"';
  const limit = '<pendingMessageLimitStrategy><constantPendingMessageLimitStrategy limit="100"/></pendingMessageLimitStrategy>';
  const { client, port, program } = await start(t, withPolicies(`<policyEntry topic="fleet.>" ${asked}>${limit}</policyEntry>`));
  assert.doesNotMatch(program.stderr, /advisor/i);
  const watcher = await mqtt.connectAsync({ host: '127.0.0.1', port, protocolVersion: 5, clientId: 'watcher' });
  t.after(() => watcher.endAsync(true));
  const advisories: { topic: string; said: { discardedCount?: string; originBrokerId?: string }; payload: string }[] = [];
  watcher.on('message', (topic, payload, { properties }) =>
    advisories.push({ topic, said: { ...properties?.userProperties }, payload: payload.toString() }),
  );
  await watcher.subscribeAsync('ActiveMQ/Advisory/#');
  const slow = await client('slow');
  await slow.subscribe({ 'fleet/+': 0 });
  slow.stall();
  const sender = await client('sender');
  for (let n = 0; n < MESSAGES; n++) {
    sender.send(sender.packets.publish({ topic: 'fleet/a', payload: `${n}`.padEnd(PAYLOAD_BYTES) }));
    if (n % 200 === 0) await sender.expectNothing();
  }
  sender.send(sender.packets.publish({ topic: 'fleet/nobody/hears', payload: 'this' }));
  await sender.expectNothing();
  const sys = await SysReader.start(port);
  await sys.oneUpdate();
  const lost = Number(sys.values.get('publish/messages/dropped/pendingMessageLimit'));
  assert.ok(lost > 1_000, 'the flood was large enough');
  await watcher.publishAsync('ActiveMQ/Advisory/after', '', { qos: 1 });
  for (let tries = 3_000; tries > 0 && advisories.at(-1)?.topic !== 'ActiveMQ/Advisory/after'; tries--) await setTimeout(20);

  const about = (kind: string) => advisories.filter(({ topic }) => topic.startsWith(`ActiveMQ/Advisory/${kind}/`));
  const discarded = about('MessageDiscarded');
  assert.deepEqual(
    discarded.map(({ said }) => Number(said.discardedCount)),
    Array.from({ length: lost }, (_, i) => i + 1),
  );
  const { originBrokerId, ...rest } = discarded[0]!.said;
  assert.match(String(originBrokerId), /^ID:/);
  assert.deepEqual(rest, {
    originBrokerName: 'localhost',
    consumerId: 'slow',
    subscription: 'fleet/+',
    discardedCount: '1',
    orignalDestination: 'fleet/a',
  });
  assert.deepEqual([discarded[0]!.topic, about('SlowConsumer').length], ['ActiveMQ/Advisory/MessageDiscarded/Topic/fleet/a', 1]);
  const [unheard] = about('NoConsumer');
  assert.deepEqual([unheard!.topic, unheard!.payload], ['ActiveMQ/Advisory/NoConsumer/Topic/fleet/nobody/hears', 'this']);
});

test('who asks is advised of each message that is handed to a client, and when the client has acknowledged it or was sent it at QoS 0', async (t) => {
  const asked = 'advisoryForDelivery="true" advisoryForConsumed="true" includeBodyForAdvisory="true"';
  const { port, program } = await start(t, withPolicies(`<policyEntry topic="fleet.>" ${asked}/>`));
  assert.doesNotMatch(program.stderr, /advisor|includeBody/i);
  const connect = async (clientId: string, clean: boolean) => {
    const client = await mqtt.connectAsync({
      host: '127.0.0.1',
      port,
      protocolVersion: 5,
      clientId,
      clean,
      properties: { sessionExpiryInterval: clean ? 0 : 60 },
    });
    t.after(() => client.endAsync(true));
    return client;
  };
  const watcher = await connect('watcher', true);
  const said: string[] = [];
  watcher.on('message', (topic, payload, { properties }) => {
    const { consumerId } = { ...properties?.userProperties };
    said.push(`${topic.split('/')[2]} ${topic.split('/').slice(4).join('/')} ${consumerId}: ${payload}`);
  });
  await watcher.subscribeAsync('ActiveMQ/Advisory/#');
  const until = async (count: number) => {
    for (let tries = 3_000; tries > 0 && said.length < count; tries--) await setTimeout(20);
    return said.splice(0).sort();
  };
  for (const clean of [true, false]) {
    const clientId = clean ? 'clean' : 'kept';
    const subscriber = await connect(clientId, clean);
    await subscriber.subscribeAsync('fleet/+', { qos: 2 });
    const sender = await connect('sender', true);
    for (const qos of [0, 1, 2] as const) await sender.publishAsync(`fleet/${qos}`, `at ${qos}`, { qos });
    const both = ['MessageConsumed', 'MessageDelivered'];
    assert.deepEqual(
      await until(6),
      both.flatMap((kind) => [0, 1, 2].map((qos) => `${kind} fleet/${qos} ${clientId}: at ${qos}`)),
    );
    await subscriber.endAsync();
    if (clean) continue;
    await sender.publishAsync('fleet/1', 'while away', { qos: 1 });
    assert.deepEqual(await until(1), ['MessageDelivered fleet/1 kept: while away']);
    await connect(clientId, clean);
    assert.deepEqual(await until(1), ['MessageConsumed fleet/1 kept: while away']);
  }
});
