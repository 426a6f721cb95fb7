import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MqttPeer } from '../harness/mqtt-peer.ts';
import { StoredBroker } from '../harness/stored-broker.ts';

const PUBACK = 0x40;
const PUBREC = 0x50;

/** Sends messages whose payloads are their Packet Identifiers. */
function publish(publisher: MqttPeer, ...messages: readonly (readonly [id: number, qos: 1 | 2])[]): void {
  for (const [id, qos] of messages) publisher.send(publisher.packets.publish({ topic: 't', payload: `${id}`, qos, id }));
}

test('a message is sent at QoS 1 while it is stored, acknowledged when it is, and at QoS 2 sent then; nobody overtakes', async (t) => {
  const stored = await StoredBroker.start(t);
  const client = await stored.broker.client(4, { clientId: 'c', clean: false });
  await client.subscribe({ t: 2 });
  const publisher = await stored.broker.client(4, { clientId: 'p' });
  stored.files.syncFault = new Error('EIO: i/o error, fdatasync');
  publish(publisher, [1, 1], [2, 2], [3, 1]);
  await client.expect(client.packets.publish({ topic: 't', payload: '1', qos: 1, id: 1 }));
  await stored.broker.until(() => stored.broker.broker.store.failure !== null, 'the failure');
  await client.expectNothing();
  await publisher.expectNothing();
  stored.files.syncFault = null;
  await client.expect(
    client.packets.publish({ topic: 't', payload: '2', qos: 2, id: 2 }),
    client.packets.publish({ topic: 't', payload: '3', qos: 1, id: 3 }),
  );
  for (const [header, id] of [
    [PUBACK, 1],
    [PUBREC, 2],
    [PUBACK, 3],
  ] as const)
    await publisher.expectAcknowledgement(header, id);
});

test('a message that its receiver has acknowledged is not lost, and is acknowledged only behind what is still to be stored', async (t) => {
  const stored = await StoredBroker.start(t);
  const client = await stored.broker.client(4, { clientId: 'c', clean: false });
  await client.subscribe({ t: 1 });
  const publisher = await stored.broker.client(4, { clientId: 'p' });
  stored.files.syncFault = new Error('EIO: i/o error, fdatasync');
  publish(publisher, [1, 1], [2, 1]);
  for (const id of [1, 2]) await client.expect(client.packets.publish({ topic: 't', payload: `${id}`, qos: 1, id }));
  await stored.broker.until(() => stored.broker.broker.store.failure !== null, 'the failure');
  client.send(client.packets.puback(2));
  await client.expectNothing();
  await publisher.expectNothing();
  stored.files.syncFault = null;
  for (const id of [1, 2]) await publisher.expectAcknowledgement(PUBACK, id);
  await stored.flushed();
  await stored.kill();
  const again = await stored.broker.client(4, { clientId: 'c', clean: false }, true);
  await again.expect(again.packets.publish({ topic: 't', payload: '1', qos: 1, id: 1, dup: true }));
  await again.expectNothing();
});

test('a message of QoS 2 goes to no session before it is stored, whatever QoS it goes at', async (t) => {
  const stored = await StoredBroker.start(t);
  const clients = await Promise.all([1, 2].map((qos) => stored.broker.client(4, { clientId: `c${qos}`, clean: false })));
  for (const [i, client] of clients.entries()) await client.subscribe({ t: i + 1 });
  const publisher = await stored.broker.client(4, { clientId: 'p' });
  stored.files.syncFault = new Error('EIO: i/o error, fdatasync');
  publish(publisher, [1, 2]);
  await stored.broker.until(() => stored.broker.broker.store.failure !== null, 'the failure');
  for (const client of [...clients, publisher]) await client.expectNothing();
  stored.files.syncFault = null;
  for (const [i, client] of clients.entries()) await client.expect(client.packets.publish({ topic: 't', payload: '1', qos: i + 1, id: 1 }));
  await publisher.expectAcknowledgement(PUBREC, 1);
});

test('without concurrentStoreAndDispatchTopics nothing is sent before it is stored', async (t) => {
  const stored = await StoredBroker.start(t, { concurrentStoreAndDispatch: false });
  const client = await stored.broker.client(4, { clientId: 'c', clean: false });
  await client.subscribe({ t: 1 });
  const publisher = await stored.broker.client(4, { clientId: 'p' });
  stored.files.syncFault = new Error('EIO: i/o error, fdatasync');
  publish(publisher, [1, 1], [2, 1]);
  await stored.broker.until(() => stored.broker.broker.store.failure !== null, 'the failure');
  await client.expectNothing();
  await publisher.expectNothing();
  stored.files.syncFault = null;
  for (const id of [1, 2]) await client.expect(client.packets.publish({ topic: 't', payload: `${id}`, qos: 1, id }));
  for (const id of [1, 2]) await publisher.expectAcknowledgement(PUBACK, id);
});

test('a message that comes after a kill carries no DUP for one that was never written and had its identifier [MQTT-3.3.1-1]', async (t) => {
  const stored = await StoredBroker.start(t);
  const client = await stored.broker.client(4, { clientId: 'c', clean: false });
  await client.subscribe({ t: 1 });
  const publisher = await stored.broker.client(4, { clientId: 'p' });
  // While this is on its way to the disk, the others come and go.
  stored.files.syncMs = 200;
  publisher.send(publisher.packets.publish({ topic: 'other', payload: 'x', retain: true }));
  const { writes } = stored.files;
  await stored.broker.until(() => stored.files.writes > writes, 'the batch to be on its way');
  publish(publisher, [1, 1], [2, 1], [3, 1]);
  for (const id of [1, 2, 3]) {
    await client.expect(client.packets.publish({ topic: 't', payload: `${id}`, qos: 1, id }));
    client.send(client.packets.puback(id));
  }
  await client.expectNothing();
  stored.files.syncMs = 0;
  for (const id of [1, 2, 3]) await publisher.expectAcknowledgement(PUBACK, id);
  await client.destroy();
  await stored.broker.disconnected('c');
  await stored.flushed();
  await stored.kill();
  const later = await stored.broker.client(4, { clientId: 'p' });
  publish(later, [7, 1]);
  await later.expectAcknowledgement(PUBACK, 7);
  const again = await stored.broker.client(4, { clientId: 'c', clean: false }, true);
  const { header, body } = await again.packet();
  assert.deepEqual([header, body.subarray(-1).toString()], [0x32, '7']);
});
