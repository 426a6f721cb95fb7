import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { FileBroker } from '../harness/broker-file.ts';
import { brokerXml, DeploymentFolder } from '../harness/deployment-files.ts';
import { connackV3, packet, properties, text } from '../harness/mqtt-bytes.ts';
import { MqttPeer } from '../harness/mqtt-peer.ts';
import { freePorts, Program } from '../harness/program.ts';

/** Where clients are sent when a broker stops: `updateClusterClients` and what belongs to it. MQTT 5.0 section 4.11. */

/** A connector for MQTT. */
const mqtt = (words = '', inside = '') =>
  `<transportConnector name="mqtt" uri="mqtt://127.0.0.1:0" ${words}>${inside}</transportConnector>`;
const UPDATES = 'updateClusterClients="true"';

/** @param connectors for clients; one for links is there in any case */
const broker = (t: TestContext, name: string, connectors: string, linkTo: readonly FileBroker[] = []): Promise<FileBroker> => {
  const peers = linkTo.map((peer) => `tcp://127.0.0.1:${peer.port('links')}`);
  const network = peers.length === 0 ? '' : `<networkConnectors><networkConnector uri="static:(${peers.join(',')})"/></networkConnectors>`;
  const links = '<transportConnector name="links" uri="tcp://127.0.0.1:0"/>';
  return FileBroker.start(t, `${network}<transportConnectors>${links}${connectors}</transportConnectors>`, name);
};

/** Waits until a broker knows where to send clients of its neighbours, so many of them. */
async function linked(to: FileBroker, neighbours: number): Promise<void> {
  const addresses = () => to.server.network!.clientAddresses('mqtt', () => true);
  await to.until(() => addresses().length === neighbours, `${neighbours} neighbours`);
}

const client = async (of: FileBroker, level: 3 | 4 | 5, clientId: string, connector = 'mqtt'): Promise<MqttPeer> =>
  (await MqttPeer.dial(of.port(connector), { level })).connect({ clientId, ...(level === 5 ? { properties: '17 00' } : {}) });

/** DISCONNECT of MQTT 5 with this way, or without one. */
const disconnect = (reference: string | null) =>
  reference === null ? packet(0xe0, '8b 00') : packet(0xe0, '9c', properties('1c', text(reference)));

test('a broker that stops sends its MQTT 5 clients to the linked broker, also those that are about to connect; earlier ones are closed', async (t) => {
  const other = await broker(t, 'other', mqtt());
  const leaving = await broker(t, 'leaving', mqtt(UPDATES), [other]);
  await linked(leaving, 1);
  const reference = `127.0.0.1:${other.port('mqtt')}`;
  const v5 = await client(leaving, 5, 'v5');
  const old = [await client(leaving, 3, 'v3'), await client(leaving, 4, 'v4')];
  const late5 = await MqttPeer.dial(leaving.port('mqtt'), { level: 5 });
  const late4 = await MqttPeer.dial(leaving.port('mqtt'), { level: 4 });
  await leaving.until(() => leaving.server.broker.counters.sockets === 5, 'all to be accepted');
  const stopped = leaving.server.stop();
  late5.send(late5.packets.connect({ clientId: 'late', properties: '17 00' }));
  late4.send(late4.packets.connect({ clientId: 'late' }));
  await v5.expect(disconnect(reference));
  await v5.expectClose();
  for (const peer of old) await peer.expectClose();
  await late5.expect(packet(0x20, '00 9c', properties('1c', text(reference))));
  await late5.expectClose();
  await late4.expect(connackV3(false, 3));
  await late4.expectClose();
  await stopped;
  await client(other, 5, 'v5');
});

test('without updateClusterClients, without a neighbour, and after the neighbour has gone clients are told that the broker stops', async (t) => {
  const other = await broker(t, 'other', mqtt());
  const silent = await broker(t, 'silent', mqtt(), [other]);
  const alone = await broker(t, 'alone', mqtt(UPDATES));
  const left = await broker(t, 'left', mqtt(UPDATES), [other]);
  for (const one of [silent, left]) await linked(one, 1);
  const clients = await Promise.all([silent, alone, left].map((of) => client(of, 5, 'c')));
  await silent.server.stop();
  await other.server.stop();
  await linked(left, 0);
  await alone.server.stop();
  await left.server.stop();
  for (const peer of clients) {
    await peer.expect(disconnect(null));
    await peer.expectClose();
  }
});

test('of several neighbours each client is told all, and another one first; updateClusterFilter leaves out those of other names', async (t) => {
  const [a, b, c] = [await broker(t, 'eu-1', mqtt()), await broker(t, 'eu-2', mqtt()), await broker(t, 'us-1', mqtt())];
  const leaving = await broker(t, 'leaving', mqtt(`${UPDATES} updateClusterFilter="eu-.*,ap-.*"`), [a, b, c]);
  await linked(leaving, 3);
  const clients = await Promise.all(['1', '2', '3', '4'].map((clientId) => client(leaving, 5, clientId)));
  await leaving.server.stop();
  const [first, second] = [a, b].map((of) => `127.0.0.1:${of.port('mqtt')}`);
  const told = await Promise.all(clients.map((peer) => peer.expectDisconnect(0x9c)));
  const ways = [`${first} ${second}`, `${second} ${first}`].map((way) => properties('1c', text(way)).toString('hex'));
  const counts = ways.map((way) => told.filter((bytes) => bytes.toString('hex') === way).length);
  assert.deepEqual(counts, [2, 2]);
});

test('a client is told addresses of its own kind, as the neighbour publishes them', async (t) => {
  const policy = `<publishedAddressPolicy><publishedAddressPolicy>
    <hostMapping><entry key="127.0.0.1" value="fleet.example"/></hostMapping><portMapping><entry key="PORT" value="8083"/></portMapping>
  </publishedAddressPolicy></publishedAddressPolicy>`;
  const [wsPort] = await freePorts(1);
  const ws = (uri: string, words = '', inside = '') => `<transportConnector name="ws" uri="${uri}" ${words}>${inside}</transportConnector>`;
  const other = await broker(t, 'other', mqtt() + ws(`ws://127.0.0.1:${wsPort}`, '', policy.replace('PORT', String(wsPort))));
  const leaving = await broker(t, 'leaving', mqtt(UPDATES) + ws('ws://127.0.0.1:0', UPDATES), [other]);
  await linked(leaving, 1);
  assert.deepEqual(
    leaving.server.network!.clientAddresses('ws', () => true),
    ['fleet.example:8083'],
  );
  assert.deepEqual(
    leaving.server.network!.clientAddresses('mqtt', () => true),
    [`127.0.0.1:${other.port('mqtt')}`],
  );
  assert.deepEqual(
    leaving.server.network!.clientAddresses('wss', () => true),
    [],
  );
});

test('a connector that needs a PROXY header is no address for clients, unless that of its proxy is published', async (t) => {
  const behind = 'mqtt://127.0.0.1:0?transport.proxyProtocol=required&amp;transport.proxyProtocolTrusted=127.0.0.1';
  const connector = (inside: string) => `<transportConnector name="mqtt" uri="${behind}">${inside}</transportConnector>`;
  const hidden = await broker(t, 'hidden', connector(''));
  const published = await broker(
    t,
    'published',
    connector('<publishedAddressPolicy><hostMapping><entry key="127.0.0.1" value="proxy.example"/></hostMapping></publishedAddressPolicy>'),
  );
  const leaving = await broker(t, 'leaving', mqtt(UPDATES), [hidden, published]);
  await linked(leaving, 1);
  assert.deepEqual(
    leaving.server.network!.clientAddresses('mqtt', () => true),
    [`proxy.example:${published.port('mqtt')}`],
  );
});

for (const isFrozen of [false, true]) {
  const what = isFrozen ? 'to no neighbour that is silent' : 'to its neighbour';
  test(`at SIGTERM a broker process sends its clients ${what}`, (t) => stopProcess(t, isFrozen));
}

async function stopProcess(t: TestContext, isFrozen: boolean): Promise<void> {
  const folder = await DeploymentFolder.make();
  const [mqttA, linksA, mqttB, linksB] = (await freePorts(4)) as [number, number, number, number];
  const files = [
    { brokerName: 'b', mqttPort: mqttB, openwirePort: linksB },
    { brokerName: 'a', mqttPort: mqttA, openwirePort: linksA, linkTo: linksB, mqttAttributes: UPDATES },
  ];
  const programs: Program[] = [];
  t.after(async () => {
    for (const program of programs) program.kill('SIGKILL');
    for (const program of programs) await program.ended;
    await folder.remove();
  });
  for (const file of files) {
    await folder.write(`${file.brokerName}.xml`, brokerXml(file));
    const program = new Program(['broker', `${file.brokerName}.xml`], { cwd: folder.path });
    programs.push(program);
    await program.saying(/broker is up/);
  }
  const [neighbour, leaving] = programs;
  await leaving!.saying(/link up/);
  const peer = await MqttPeer.dial(mqttA, { level: 5 });
  await peer.connect({ clientId: 'c', properties: '17 00' });
  if (isFrozen) {
    neighbour!.kill('SIGSTOP');
    await leaving!.saying(/linked broker is silent/);
  }
  leaving!.kill('SIGTERM');
  await peer.expect(disconnect(isFrozen ? null : `127.0.0.1:${mqttB}`));
  await peer.expectClose();
  assert.equal((await leaving!.ended).code, 0);
}
