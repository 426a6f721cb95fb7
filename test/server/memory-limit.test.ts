import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { FileBroker } from '../harness/broker-file.ts';
import { DeploymentFolder } from '../harness/deployment-files.ts';
import { PINGREQ, PINGRESP } from '../harness/mqtt-bytes.ts';
import { MqttPeer } from '../harness/mqtt-peer.ts';

const KB = 1024;

const folder = await DeploymentFolder.make();
after(() => folder.remove());
let brokers = 0;

/** A broker whose file has these policy entries. Clients are sent one message of QoS 1 at a time: the others wait. */
async function start(t: TestContext, entries: string, persistent = true) {
  const data = persistent ? join(folder.path, `data-${++brokers}`) : undefined;
  const broker = await FileBroker.start(
    t,
    `<destinationPolicy><policyMap><policyEntries>${entries}</policyEntries></policyMap></destinationPolicy>
     <transportConnectors>
       <transportConnector name="mqtt" uri="mqtt://127.0.0.1:0?transport.activeMQSubscriptionPrefetch=1"/>
     </transportConnectors>`,
    'memory-limit',
    data,
  );
  const client = async (clientId: string, level: 4 | 5 = 4, clean = true) =>
    (await MqttPeer.dial(broker.port('mqtt'), { level })).connect({ clientId, clean });
  return { broker, usage: broker.server.broker.usage, client };
}

type Started = Awaited<ReturnType<typeof start>>;

function payload(number: number, bytes: number): Buffer {
  return Buffer.alloc(bytes, `${number} `);
}

/** Publishes one after the other until one is not answered. @returns how many are acknowledged; the next one waits */
async function fill({ broker, usage }: Started, publisher: MqttPeer, topic: string, bytes = 4 * KB): Promise<number> {
  const waiting = usage.waiting;
  for (let number = 1; ; number++) {
    publisher.send(publisher.packets.publish({ topic, qos: 1, id: number, payload: payload(number, bytes) }));
    await broker.until(() => publisher.receivedBytes > 0 || usage.waiting > waiting, 'an answer, or that there is none');
    if (publisher.receivedBytes === 0) return number - 1;
    await publisher.expectAcknowledgement(0x40, number);
  }
}

/** Takes and acknowledges what comes on one topic: each message that was published, in order. */
async function takeAll(subscriber: MqttPeer, topic: string, through: number, bytes = 4 * KB): Promise<void> {
  for (let number = 1; number <= through; number++) {
    const { header, body } = await subscriber.packet();
    const qos = (header >> 1) & 3;
    const at = 2 + topic.length;
    assert.equal(body.toString('latin1', 2, at), topic);
    assert.ok(body.subarray(qos === 0 ? at : at + 2).equals(payload(number, bytes)), `message ${number}`);
    if (qos > 0) subscriber.send(subscriber.packets.puback(body.readUInt16BE(at)));
  }
}

for (const persistent of [true, false]) {
  test(`a topic at its memoryLimit (persistent="${persistent}"): its publishers wait, others go on, and nothing acknowledged is lost`, async (t) => {
    const started = await start(t, '<policyEntry topic="limited.*" memoryLimit="256kb"/>', persistent);
    const { broker, usage, client } = started;
    const [slowA, slowB] = [await client('slow a'), await client('slow b')];
    await slowA.subscribe({ 'limited/a': 1 });
    await slowB.subscribe({ 'limited/b': 1, other: 1 });
    const [publisherA, publisherB] = [await client('publisher a'), await client('publisher b')];

    const acknowledged = await fill(started, publisherA, 'limited/a');
    assert.ok(acknowledged > 40 && acknowledged < 70, `${acknowledged} messages fill 256 KB`);
    const warning = broker.lines.find(({ message }) => message.startsWith('publishers wait'))!;
    assert.equal(warning.message, 'publishers wait: the memoryLimit of a topic is reached');
    const { limit, limitBytes, topic, destination, clientId } = warning.facts;
    assert.deepEqual(
      { limit, limitBytes, topic, destination, clientId },
      { limit: 'memoryLimit', limitBytes: 256 * KB, topic: 'limited/a', destination: 'limited.*', clientId: 'publisher a' },
    );
    publisherA.send(PINGREQ);
    await publisherA.expect(PINGRESP);

    // Its neighbour has as much for itself, and a topic without a limit has no bound but memory as a whole.
    for (let id = 1; id <= 30; id++) await publisherB.publish({ topic: 'limited/b', qos: 1, id, payload: payload(id, 4 * KB) });
    for (let id = 1; id <= 100; id++) await publisherB.publish({ topic: 'other', qos: 1, id, payload: payload(id, 4 * KB) });
    assert.equal(usage.waiting, 1);

    await takeAll(slowA, 'limited/a', acknowledged + 1);
    await publisherA.expectAcknowledgement(0x40, acknowledged + 1);
    await takeAll(slowB, 'limited/b', 30);
    await takeAll(slowB, 'other', 100);
    await broker.until(() => usage.memory.bytes === 0 && !usage.isShort && usage.waiting === 0, 'nothing to be kept any more');
  });
}

test('QoS 0 that waits for a stalled subscriber counts, and a retained message does not', async (t) => {
  const started = await start(t, '<policyEntry topic="limited" memoryLimit="512kb"/>', false);
  const { broker, usage, client } = started;
  const publisher = await client('publisher');
  await publisher.publish({ topic: 'limited', qos: 1, retain: true, payload: Buffer.alloc(600 * KB) });
  assert.equal(usage.isShort, false);
  await publisher.publish({ topic: 'limited', qos: 1, retain: true, payload: '' });
  const slow = await client('slow');
  await slow.subscribe({ limited: 0 });
  slow.stall();
  const acknowledged = await fill(started, publisher, 'limited', 64 * KB);
  assert.ok(usage.memory.bytes < 600 * KB, `${usage.memory.bytes} bytes wait`);
  slow.readOn();
  await takeAll(slow, 'limited', acknowledged + 1, 64 * KB);
  await publisher.expectAcknowledgement(0x40, acknowledged + 1);
  await broker.until(() => usage.memory.bytes === 0, 'nothing to be kept any more');
});

test('a topic is full: a message that its subscribers take at once goes on, and one for a stored session too', async (t) => {
  const started = await start(t, '<policyEntry topic="limited" memoryLimit="64kb"/>');
  const { client } = started;
  const slow = await client('slow');
  await slow.subscribe({ limited: 1 });
  const waits = await client('waits');
  await fill(started, waits, 'limited');
  await slow.destroy();
  await waits.packet(); // what waited is published: the session it waited for has ended

  const away = await client('away', 4, false);
  await away.subscribe({ limited: 1 });
  await away.disconnect();
  for (let id = 1; id <= 50; id++) await waits.publish({ topic: 'limited', qos: 1, id, payload: payload(id, 4 * KB) });
  assert.equal(started.usage.isShort, false, 'what is stored does not count');
});

test('with sendFailIfNoSpace MQTT 5 publishers of a full topic are refused with 0x97; with producerFlowControl="false" nobody waits', async (t) => {
  const started = await start(
    t,
    `<policyEntry topic="refused" memoryLimit="64kb" sendFailIfNoSpace="true"/>
     <policyEntry topic="goes.on" memoryLimit="64kb" producerFlowControl="false"/>`,
  );
  const { client, usage } = started;
  const slow = await client('slow');
  await slow.subscribe({ refused: 1 });
  const publisher = await client('publisher', 5);
  let accepted = 0;
  for (;;) {
    publisher.send(publisher.packets.publish({ topic: 'refused', qos: 1, id: 1, payload: payload(accepted + 1, 4 * KB) }));
    const { body } = await publisher.packet();
    if (body[2] === 0x97) break;
    accepted++;
  }
  assert.ok(accepted > 10 && accepted < 20, `${accepted} messages fill 64 KB`);
  publisher.send(publisher.packets.publish({ topic: 'refused', qos: 2, id: 2, payload: 'x' }));
  const { header, body } = await publisher.packet();
  assert.deepEqual([header, body.readUInt16BE(0), body[2]], [0x50, 2, 0x97]);
  await takeAll(slow, 'refused', accepted);
  await publisher.publish({ topic: 'refused', qos: 1, payload: payload(1, 4 * KB) });
  await takeAll(slow, 'refused', 1);

  await slow.subscribe({ 'goes/on': 1 });
  for (let id = 1; id <= 50; id++) await publisher.publish({ topic: 'goes/on', qos: 1, id, payload: payload(id, 4 * KB) });
  assert.deepEqual([usage.isShort, usage.waiting], [true, 0]);
});

test('sendFailIfNoSpaceAfterTimeout of the entry: MQTT 5 publishers that have waited so long are refused with 0x97', async (t) => {
  const started = await start(t, '<policyEntry topic="limited" memoryLimit="64kb" sendFailIfNoSpaceAfterTimeout="300"/>');
  const { client, usage } = started;
  const slow = await client('slow');
  await slow.subscribe({ limited: 1 });
  const publisher = await client('publisher', 5);
  const acknowledged = await fill(started, publisher, 'limited');
  const { header, body } = await publisher.packet();
  assert.deepEqual([header, body.readUInt16BE(0), body[2], usage.waiting], [0x40, acknowledged + 1, 0x97, 0]);
  await takeAll(slow, 'limited', acknowledged);
  await slow.expectNothing();
});

test('advisoryWhenFull tells of a topic that has reached its memoryLimit', async (t) => {
  const started = await start(t, '<policyEntry topic=">" memoryLimit="64 kb" advisoryWhenFull="true"/>', false);
  const watcher = await started.client('watcher');
  await watcher.subscribe({ 'ActiveMQ/Advisory/FULL/#': 0 });
  const slow = await started.client('slow');
  await slow.subscribe({ 'a/b': 1 });
  await fill(started, await started.client('publisher'), 'a/b');
  const body = (await watcher.packet()).body.toString();
  assert.equal(body.slice(2, body.indexOf('{')), 'ActiveMQ/Advisory/FULL/Topic/a/b');
  const { usageName, usageCount } = JSON.parse(body.slice(body.indexOf('{')));
  assert.equal(usageName, 'memoryLimit');
  assert.ok(usageCount >= 64 * KB, `${usageCount} bytes`);
});
