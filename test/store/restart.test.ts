import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { bytes, connackV3, two } from '../harness/mqtt-bytes.ts';
import type { MqttPeer } from '../harness/mqtt-peer.ts';
import { StoredBroker } from '../harness/stored-broker.ts';

/** A persistent client with a Receive Maximum of 2. */
const CLIENT = { clientId: 'c', clean: false, properties: bytes('11ffffffff', '21', two(2)) };

/** Five messages for a client that has been sent two of them and has acknowledged none. */
async function withTwoSent(t: TestContext): Promise<{ stored: StoredBroker; client: MqttPeer }> {
  const stored = await StoredBroker.start(t);
  const client = await stored.broker.client(5, CLIENT);
  await client.subscribe({ t: 1 });
  const publisher = await stored.broker.client(4, { clientId: 'p' });
  for (let i = 1; i <= 5; i++) await publisher.publish({ topic: 't', payload: `${i}`, qos: 1 });
  for (let i = 1; i <= 2; i++) await client.expect(client.packets.publish({ topic: 't', payload: `${i}`, qos: 1, id: i }));
  return { stored, client };
}

/** The client comes back, and acknowledges each: which of the five carry DUP. */
async function repeated(stored: StoredBroker): Promise<number[]> {
  const client = await stored.broker.client(5, CLIENT, true);
  const found: number[] = [];
  for (let i = 1; i <= 5; i++) {
    const { header, body } = await client.packet();
    assert.equal(body.subarray(-1).toString(), `${i}`);
    if ((header & 8) !== 0) found.push(i);
    client.send(client.packets.puback(i));
  }
  return found;
}

test('after a stop in good order DUP is on what was sent before, and on nothing else [MQTT-3.3.1-1] [MQTT-3.3.1-3]', async (t) => {
  const { stored } = await withTwoSent(t);
  await stored.restart();
  assert.deepEqual(await repeated(stored), [1, 2]);
});

test('so it is after a kill for a client that was away, also the second time', async (t) => {
  const { stored, client } = await withTwoSent(t);
  await client.destroy();
  await stored.broker.disconnected('c');
  await stored.flushed();
  await stored.kill();
  await stored.kill();
  assert.deepEqual(await repeated(stored), [1, 2]);
});

test('after a kill, for a client that was connected, DUP is on all that may have been sent', async (t) => {
  const { stored } = await withTwoSent(t);
  await stored.kill();
  assert.deepEqual(await repeated(stored), [1, 2, 3, 4, 5]);
});

test('a CONNECT that the store fails is refused when its time is up, and the next ones at once', async (t) => {
  const stored = await StoredBroker.start(t);
  stored.files.syncFault = new Error('EIO: i/o error, fdatasync');
  const client = await stored.broker.dial({ level: 5 });
  client.send(client.packets.connect(CLIENT));
  await stored.broker.until(() => stored.broker.broker.store.failure !== null, 'the failure');
  const next = await stored.broker.dial({ level: 4 });
  next.send(next.packets.connect({ clientId: 'n', clean: false }));
  await next.expect(connackV3(false, 3));
  await next.expectClose();
  stored.broker.pass(31_000);
  await client.expectConnack(0x88);
  await client.expectClose();
  stored.files.syncFault = null;
  await stored.broker.until(() => stored.broker.broker.store.failure === null, 'the end of it');
  await stored.broker.client(4, { clientId: 'n', clean: false });
});

test('while the store is behind, nobody who makes it grow is read from, also without promises; a silent one is not disconnected', async (t) => {
  const stored = await StoredBroker.start(t, { unwrittenBytesMax: 100_000 });
  const { broker } = stored;
  const publisher = await broker.client(4, { clientId: 'p', keepAlive: 10 });
  stored.files.writeFault = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  const count = 300;
  for (let i = 0; i < count; i++) publisher.send(publisher.packets.publish({ topic: `r/${i}`, payload: 'x'.repeat(10_000), retain: true }));
  await broker.until(() => broker.broker.store.isBehind, 'the store to be behind');
  await new Promise((resolve) => setTimeout(resolve, 100));
  const read = broker.broker.retained.size;
  assert.ok(read < count / 2, `${read} were read`);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(broker.broker.retained.size, read);
  broker.pass(60_000);
  stored.files.writeFault = null;
  await broker.until(() => broker.broker.retained.size === count, 'all of them');
  await publisher.expectNothing();
});
