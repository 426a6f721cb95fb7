import assert from 'node:assert/strict';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { FileBroker } from '../harness/broker-file.ts';
import { DeploymentFolder } from '../harness/deployment-files.ts';
import { mountMemory } from '../harness/mounted-folder.ts';
import { MqttPeer } from '../harness/mqtt-peer.ts';

const PAYLOAD_BYTES = 8 * 1024;

const folder = await DeploymentFolder.make();
after(() => folder.remove());
let brokers = 0;

interface Limits {
  readonly memory?: string;
  readonly store?: string;
  readonly temp?: string;
}

async function start(
  t: TestContext,
  { memory = 'limit="1 mb"', store = 'limit="1 gb"', temp = 'limit="1 gb"' }: Limits,
  data = join(folder.path, `data-${++brokers}`),
) {
  const broker = await FileBroker.start(
    t,
    `<persistenceAdapter><kahaDB directory="${data}" journalMaxFileLength="256kb"/></persistenceAdapter>
     <systemUsage><systemUsage>
       <memoryUsage><memoryUsage ${memory}/></memoryUsage>
       <storeUsage><storeUsage ${store}/></storeUsage>
       <tempUsage><tempUsage ${temp}/></tempUsage>
     </systemUsage></systemUsage>
     <transportConnectors><transportConnector name="mqtt" uri="mqtt://127.0.0.1:0"/></transportConnectors>`,
    `usage-${brokers}`,
    data,
  );
  const client = async (clientId: string, clean = true, sessionPresent = false) =>
    (await MqttPeer.dial(broker.port('mqtt'))).connect({ clientId, clean }, sessionPresent);
  return { broker, usage: broker.server.broker.usage, data, client };
}

function payload(number: number): Buffer {
  return Buffer.alloc(PAYLOAD_BYTES, `${number} `);
}

type Started = Awaited<ReturnType<typeof start>>;

/** Publishes one after the other. @returns how many were acknowledged before one had to wait, at most `max` */
async function publish({ broker, usage }: Started, publisher: MqttPeer, max: number): Promise<number> {
  for (let number = 1; number <= max; number++) {
    publisher.send(publisher.packets.publish({ topic: 'data', qos: 1, id: number, payload: payload(number) }));
    await broker.until(() => publisher.receivedBytes > 0 || usage.waiting > 0, 'an answer, or that there is none');
    if (publisher.receivedBytes === 0) return number - 1;
    await publisher.expectAcknowledgement(0x40, number);
  }
  return max;
}

/** Takes and acknowledges what comes: each message that was published, in order. DUP is what it may be. */
async function takeAll(subscriber: MqttPeer, from: number, through: number): Promise<void> {
  for (let number = from; number <= through; number++) {
    const { header, body } = await subscriber.packet();
    assert.equal(header & ~8, 0x32);
    const at = 2 + 'data'.length;
    assert.ok(body.subarray(at + 2).equals(payload(number)), `message ${number}`);
    subscriber.send(subscriber.packets.puback(body.readUInt16BE(at)));
  }
}

test('a stored session’s messages leave memory, however many wait, and nobody has to', async (t) => {
  const started = await start(t, {});
  const { usage, client } = started;
  const away = await client('away', false);
  await away.subscribe({ data: 1 });
  await away.disconnect();
  const publisher = await client('publisher');
  assert.equal(await publish(started, publisher, 400), 400, 'three times what fits');
  assert.ok(usage.memory.percent < 100);
  assert.equal(usage.temp.bytes, 0);
  await takeAll(await client('away', false, true), 1, 400);
});

test('what waits for a clean session goes to temporary files and comes back in order; when they are full, too, publishers wait', async (t) => {
  const started = await start(t, { temp: 'limit="1 mb"' });
  const { broker, usage, client, data } = started;
  const slow = await client('slow');
  await slow.subscribe({ data: 1 });
  slow.stall();
  const publisher = await client('publisher');
  const acknowledged = await publish(started, publisher, 100_000);
  assert.ok(usage.temp.percent > 90, `${usage.temp.percent} % of temporary files`);
  assert.ok(usage.memory.isFull);
  assert.ok(readdirSync(join(data, 'tmp_storage')).length > 1);
  const warning = broker.lines.find(({ message }) => message.startsWith('publishers wait'))!;
  assert.deepEqual(
    [warning.level, warning.facts.limit, warning.facts.topic, warning.facts.clientId],
    ['warn', 'memoryUsage', 'data', 'publisher'],
  );

  slow.readOn();
  await takeAll(slow, 1, acknowledged + 1);
  await publisher.expectAcknowledgement(0x40, acknowledged + 1);
  await broker.until(() => usage.memory.bytes === 0, 'nothing to be kept any more');
  await broker.until(() => readdirSync(join(data, 'tmp_storage')).length <= 1, 'the files to go');
});

test('the store is full: who publishes for it waits, others do not, and when a consumer has made room all goes on', async (t) => {
  const started = await start(t, { store: 'limit="2 mb"' });
  const { broker, usage, client } = started;
  const away = await client('away', false);
  await away.subscribe({ data: 1 });
  await away.disconnect();
  const publisher = await client('publisher');
  const acknowledged = await publish(started, publisher, 100_000);
  assert.ok(acknowledged > 200 && acknowledged < 300, `${acknowledged} messages fill 2 MB`);
  assert.ok(usage.store.isFull);
  const other = await client('other');
  await other.publish({ topic: 'nobody', qos: 1 });
  const reader = await client('reader');
  await reader.subscribe({ read: 1 });
  await other.publish({ topic: 'read', qos: 1, payload: 'x' });
  await reader.expect(reader.packets.publish({ topic: 'read', qos: 1, id: 1, payload: 'x' }));

  const back = await client('away', false, true);
  await takeAll(back, 1, acknowledged);
  await publisher.expectAcknowledgement(0x40, acknowledged + 1);
  await takeAll(back, acknowledged + 1, acknowledged + 1);
  await publisher.publish({ topic: 'data', qos: 1, id: 1, payload: payload(acknowledged + 2) });
  await takeAll(back, acknowledged + 2, acknowledged + 2);
  await broker.until(() => usage.store.percent < 50, 'room in the store');
});

test('publishers faster than their subscribers, at every limit at once: each subscriber gets all of each publisher, in order, and nothing stays', async (t) => {
  const publishers = 4;
  const count = 150;
  const limits = { memory: 'limit="256 kb"', store: 'limit="2 mb"', temp: 'limit="512 kb"' };
  const { broker, usage, client } = await start(t, limits);
  const slow = async (clientId: string): Promise<MqttPeer> =>
    (await MqttPeer.dial(broker.port('mqtt'), { level: 5 })).connect({ clientId, properties: '21 0005' }); // Receive Maximum 5
  const subscribers = [await slow('clean 1'), await slow('clean 2'), await client('stored', false)];
  for (const subscriber of subscribers) await subscriber.subscribe({ 'p/+': 1 });
  const publishAll = async (name: number): Promise<void> => {
    const publisher = await client(`publisher ${name}`);
    for (let number = 1; number <= count; number++) {
      await publisher.publish({
        topic: `p/${name}`,
        qos: 1,
        id: number,
        payload: Buffer.alloc(1 + ((number * 977) % PAYLOAD_BYTES), `${number} `),
      });
    }
  };
  const takeEverything = async (subscriber: MqttPeer, pauseMs: number): Promise<void> => {
    const got = new Array<number>(publishers).fill(0);
    for (let left = publishers * count; left > 0; left--) {
      const { header, body } = await subscriber.packet();
      assert.equal(header & ~8, 0x32);
      const name = Number(body.subarray(4, 5));
      const number = ++got[name]!;
      const expected = Buffer.alloc(1 + ((number * 977) % PAYLOAD_BYTES), `${number} `);
      assert.ok(body.subarray(subscriber.level === 5 ? 8 : 7).equals(expected), `message ${number} of publisher ${name}`);
      subscriber.send(subscriber.packets.puback(body.readUInt16BE(5)));
      if (left % 20 === 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  };
  const published = Promise.all(Array.from({ length: publishers }, (_, name) => publishAll(name)));
  await broker.until(() => usage.waiting === publishers, 'all to wait');
  assert.ok(usage.temp.percent > 80, `${usage.temp.percent} % of temporary files`);
  await Promise.all([published, ...subscribers.map((subscriber, i) => takeEverything(subscriber, 20 * (i + 1)))]);
  await broker.until(() => usage.memory.bytes === 0, 'nothing to be kept');
  await broker.until(() => usage.store.percent < 50, 'room in the store');
});

test('nothing that was acknowledged is lost when the broker stops while publishers wait', async (t) => {
  const started = await start(t, { store: 'limit="1 mb"' });
  const { client, data } = started;
  const away = await client('away', false);
  await away.subscribe({ data: 1 });
  await away.disconnect();
  const acknowledged = await publish(started, await client('publisher'), 100_000);
  await started.broker.server.stop();
  const again = await start(t, { store: 'limit="1 mb"' }, data);
  assert.ok(again.usage.store.isFull, 'what is there counts at once');
  const back = await again.client('away', false, true);
  await takeAll(back, 1, acknowledged);
  await back.expectNothing();
});

test('limits beyond what the machine has are lowered, which the log says', async (t) => {
  const { broker, usage } = await start(t, { memory: 'limit="100000 gb"', store: 'limit="100000 gb"', temp: 'percentLimit="100"' });
  const lowered = broker.lines.filter(({ message }) => message === 'a limit of systemUsage is larger than what there is, and is lowered');
  assert.deepEqual(
    lowered.map(({ level, facts }) => [level, facts.limit]),
    [
      ['warn', 'memoryUsage'],
      ['warn', 'storeUsage'],
      ['warn', 'tempUsage'],
    ],
  );
  for (const { facts } of lowered) assert.ok(Number(facts.limitBytes) <= Number(facts.there));
  assert.equal(usage.memory.limitBytes, lowered[0]!.facts.limitBytes);
  assert.equal(usage.store.limitBytes, lowered[1]!.facts.limitBytes);
});

test('a broker that starts on a disk that is nearly full takes what is to be stored when the disk has space again', async (t) => {
  const disk = mountMemory(16);
  if (typeof disk === 'string') {
    t.skip(disk);
    return;
  }
  const filler = join(disk.path, 'filler');
  writeFileSync(filler, Buffer.alloc(14 * 1024 * 1024));
  const { broker, usage, client } = await start(t, {}, join(disk.path, 'store'));
  t.after(() => disk.unmount());
  const away = await client('away', false);
  await away.subscribe({ data: 1 });
  await away.disconnect();
  const publisher = await client('publisher');
  const count = 500;
  for (let number = 1; number <= count; number++)
    publisher.send(publisher.packets.publish({ topic: 'data', qos: 1, id: number, payload: payload(number) }));
  const hasFailed = (): boolean => broker.lines.some(({ message }) => message.includes('the store cannot write'));
  await broker.until(() => usage.store.isFull || hasFailed(), 'the limit, or the disk, to be reached');
  assert.ok(usage.store.limitBytes < 4 * 1024 * 1024, `${usage.store.limitBytes} bytes`);
  rmSync(filler);
  for (let number = 1; number <= count; number++) await publisher.expectAcknowledgement(0x40, number);
  assert.ok(usage.store.limitBytes > 8 * 1024 * 1024, `${usage.store.limitBytes} bytes`);
  await takeAll(await client('away', false, true), 1, count);
});
