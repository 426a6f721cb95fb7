import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectSocket, type Socket } from 'node:net';
import { after, type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { createWebSocketStream, WebSocket } from 'ws';
import { FileBroker } from '../harness/broker-file.ts';
import { Authority, NO_OPENSSL } from '../harness/certificates.ts';
import { Packets } from '../harness/mqtt-bytes.ts';
import { MqttPeer } from '../harness/mqtt-peer.ts';

/** What waits for a slow subscriber leaves as its connection drains: whatever carries it has to say when that is. */

const PAYLOAD_BYTES = 4_000;
const MESSAGES = 8_000;
const LIMIT = 1_000;

const authority = NO_OPENSSL === null ? new Authority('Fleet CA') : null;
after(() => authority?.remove());

interface Reading {
  /** Of the network, below whatever is spoken there. */
  readonly socket: Socket;
  readonly stream: NodeJS.ReadWriteStream;
}

async function start(t: TestContext, uri: string, rest = ''): Promise<FileBroker> {
  return FileBroker.start(
    t,
    `<destinationPolicy><policyMap><policyEntries><policyEntry topic=">"><pendingMessageLimitStrategy>
      <constantPendingMessageLimitStrategy limit="${LIMIT}"/></pendingMessageLimitStrategy></policyEntry></policyEntries></policyMap></destinationPolicy>
    ${rest}
    <transportConnectors><transportConnector name="slow" uri="${uri}"/><transportConnector name="mqtt" uri="mqtt://127.0.0.1:0"/></transportConnectors>`,
  );
}

async function check(t: TestContext, broker: FileBroker, { socket, stream }: Reading): Promise<void> {
  t.after(() => socket.destroy());
  const packets = new Packets(4);
  const received: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    received.push(chunk);
    size += chunk.length;
  });
  stream.on('error', () => {});
  stream.write(Buffer.concat([packets.connect({ clientId: 'slow' }), packets.subscribe(1, { a: 0 })]));
  const head = 4 + 5; // CONNACK, SUBACK
  await broker.until(() => size === head, 'SUBACK');
  socket.pause();
  const sender = await (await MqttPeer.dial(broker.port('mqtt'))).connect({ clientId: 'sender' });
  for (let n = 0; n < MESSAGES; n++) {
    sender.send(sender.packets.publish({ topic: 'a', payload: `${n}`.padEnd(PAYLOAD_BYTES) }));
    if (n % 200 === 0) await sender.expectNothing();
  }
  await sender.expectNothing();
  const { counters } = broker.server.broker;
  assert.ok(counters.dropped > 0);
  socket.resume();
  const packetBytes = packets.publish({ topic: 'a', payload: ''.padEnd(PAYLOAD_BYTES) }).length;
  const expected = MESSAGES - counters.dropped;
  await broker.until(() => size >= head + expected * packetBytes, `${expected} messages, of which ${size} bytes have come`);
  const all = Buffer.concat(received);
  assert.equal(all.length, head + expected * packetBytes);
  const numbers = Array.from({ length: expected }, (_, i) => {
    const end = head + (i + 1) * packetBytes;
    return Number(all.toString('latin1', end - PAYLOAD_BYTES, end));
  });
  const inSocket = numbers.findIndex((n, i) => n !== i);
  assert.deepEqual(
    numbers.slice(inSocket),
    Array.from({ length: LIMIT }, (_, i) => MESSAGES - LIMIT + i),
  );
}

test('over TCP a subscriber that has stalled gets what its socket held, and then exactly the newest messages', async (t) => {
  const broker = await start(t, 'mqtt://127.0.0.1:0');
  const socket = connectSocket(broker.port('slow'), '127.0.0.1');
  await once(socket, 'connect');
  await check(t, broker, { socket, stream: socket });
});

test('over TLS a subscriber that has stalled gets what its socket held, and then exactly the newest messages', {
  skip: NO_OPENSSL ?? false,
}, async (t) => {
  const server = authority!.issue('server', { subject: '/CN=localhost', names: 'DNS:localhost,IP:127.0.0.1' });
  const store = authority!.pkcs12('broker.p12', server, 'secret');
  const broker = await start(
    t,
    'mqtt+ssl://127.0.0.1:0',
    `<sslContext><sslContext keyStore="${store}" keyStorePassword="secret"/></sslContext>`,
  );
  const socket = connectTls({ port: broker.port('slow'), host: '127.0.0.1', ca: readFileSync(authority!.certificate) });
  await once(socket, 'secureConnect');
  await check(t, broker, { socket, stream: socket });
});

test('over WebSocket a subscriber that has stalled gets what its socket held, and then exactly the newest messages', async (t) => {
  const broker = await start(t, 'ws://127.0.0.1:0');
  let socket: Socket | undefined;
  const webSocket = new WebSocket(`ws://127.0.0.1:${broker.port('slow')}/mqtt`, 'mqtt', {
    createConnection: () => {
      socket = connectSocket(broker.port('slow'), '127.0.0.1');
      return socket;
    },
  });
  await once(webSocket, 'open');
  await check(t, broker, { socket: socket!, stream: createWebSocketStream(webSocket) });
});
