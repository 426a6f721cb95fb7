import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { connect, connectAsync, type IDisconnectPacket, type MqttClient } from 'mqtt';
import { balancerCfg, DeploymentFolder } from '../harness/deployment-files.ts';
import { bytes, packet, properties, text } from '../harness/mqtt-bytes.ts';
import { MqttPeer } from '../harness/mqtt-peer.ts';
import { freePorts } from '../harness/program.ts';
import { REPOSITORY_ROOT } from '../harness/repository-root.ts';
import { ScramClient } from '../harness/scram-client.ts';

type Library = typeof import('../../src/index.ts');

const here = new URL(import.meta.url.endsWith('.ts') ? '../../src/index.ts' : '../../src/index.js', import.meta.url);
/** As a program imports it where this is the build that package.json names, else beside this test. */
const isPackage = pathToFileURL(join(REPOSITORY_ROOT, 'dist', 'src', 'index.js')).href === here.href;
const library: Library = await import(isPackage ? 'roundhouse' : here.href);
const { deriveScramCredential, ScramSha256, startBalancer, startBroker } = library;

const folder = await DeploymentFolder.make();
after(() => folder.remove());

async function broker(t: TestContext, options: Partial<Parameters<Library['startBroker']>[0] & object> = {}) {
  const started = await startBroker({ transportConnectors: ['mqtt://127.0.0.1:0'], log: 'silent', ...options });
  t.after(() => started.stop());
  return started;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('the package exports its surface, and nothing else', () => {
  assert.deepEqual(Object.keys(library).sort(), [
    'CodedError',
    'ConfigError',
    'ScramSha256',
    'createLog',
    'deriveScramCredential',
    'formatDiagnostic',
    'hasErrors',
    'readActiveMQ',
    'readHAProxy',
    'silentLog',
    'startBalancer',
    'startBroker',
  ]);
});

test('a broker in words takes MQTT clients on a port of the system, and the program publishes and subscribes beside them', async (t) => {
  const embedded = await broker(t, { brokerName: 'edge & co' });
  const [connector] = embedded.connectors;
  assert.equal(connector!.protocol, 'mqtt');
  assert.ok(connector!.port > 0);
  assert.match(embedded.id, /^ID:/);

  const client = connect({ host: '127.0.0.1', port: connector!.port, protocolVersion: 5 });
  t.after(() => client.end(true));
  await client.subscribeAsync('to/client', { qos: 1 });
  const toProgram = new Promise<string>((resolve) => {
    void embedded.subscribe('to/program', ({ payload }) => resolve(payload.toString()));
  });
  const toClient = new Promise<string>((resolve) => client.on('message', (topic, payload) => resolve(`${topic} ${payload}`)));
  assert.equal(embedded.publish('to/client', 'hello', { qos: 1, properties: { contentType: 'text/plain' } }), 1);
  await client.publishAsync('to/program', 'hi', { qos: 2 });
  assert.equal(await toProgram, 'hi');
  assert.equal(await toClient, 'to/client hello');
});

test('what is published right after subscribe at a linked broker arrives, and so do retained messages', async (t) => {
  const one = await broker(t, { transportConnectors: ['tcp://127.0.0.1:0'] });
  const two = await broker(t, { transportConnectors: [], networkConnectors: [`static:(tcp://127.0.0.1:${one.connectors[0]!.port})`] });
  const received: string[] = [];
  // The link needs a moment: its first sign is that something crosses it.
  await new Promise<void>((resolve) => {
    void one.subscribe('probe', () => resolve());
    const timer = setInterval(() => two.publish('probe', ''), 20);
    t.after(() => clearInterval(timer));
  });
  for (let i = 0; i < 20; i++) {
    await two.subscribe(`topic/${i}`, ({ topic, payload }) => received.push(`${topic} ${payload}`));
    one.publish(`topic/${i}`, String(i), { qos: 1 });
  }
  one.publish('kept', 'yes', { retain: true });
  for (let i = 0; i < 200 && received.length < 20; i++) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(
    received,
    Array.from({ length: 20 }, (_, i) => `topic/${i} ${i}`),
  );
  const kept = new Promise<boolean>((resolve) => {
    void two.subscribe('kept', ({ payload, retained }) => resolve(retained && payload.toString() === 'yes'));
  });
  assert.equal(await kept, true);
});

test('nothing arrives after unsubscribe', async (t) => {
  const embedded = await broker(t);
  let count = 0;
  const subscription = await embedded.subscribe('a', () => count++);
  embedded.publish('a', '');
  await turn();
  subscription.unsubscribe();
  embedded.publish('a', '');
  await turn();
  assert.equal(count, 1);
});

const USERS = `<plugins><simpleAuthenticationPlugin anonymousAccessAllowed="false"><users>
<authenticationUser username="ann" password="\${password}" groups="users"/></users></simpleAuthenticationPlugin></plugins>`;

function xmlWith(inside: string, connectors = '<transportConnector name="mqtt" uri="mqtt://127.0.0.1:0"/>'): string {
  return `<broker xmlns="http://activemq.apache.org/schema/core" persistent="false">${inside}<transportConnectors>${connectors}</transportConnectors></broker>`;
}

const logIn = (port: number, options: object = {}) =>
  connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0, protocolVersion: 5, ...options });

test('the users of a file may connect, by password and by SCRAM-SHA-256, and nobody else may', async (t) => {
  const embedded = await startBroker({ xml: xmlWith(USERS), definitions: { password: 'sesame' }, log: 'silent' });
  t.after(() => embedded.stop());
  const { port } = embedded.connectors[0]!;
  const client = await logIn(port, { username: 'ann', password: 'sesame' });
  await client.endAsync();
  await assert.rejects(logIn(port, { username: 'ann', password: 'guess' }), { code: 0x86 });
  await assert.rejects(logIn(port), { code: 0x87 });
  await assert.rejects(logIn(port, { protocolVersion: 4, username: 'ann', password: 'guess' }), { code: 4 });
  await assert.rejects(logIn(port, { protocolVersion: 4 }), { code: 5 });
  const scram = new ScramClient('ann', 'sesame');
  assert.ok((await scramConnack(port, scram)).includes(scram.expectedServerFinal));
});

/** Logs in with SCRAM-SHA-256 over a bare socket; resolves with CONNACK. */
async function scramConnack(port: number, scram: ScramClient): Promise<Buffer> {
  const method = (data: Buffer) => bytes('15', text('SCRAM-SHA-256'), '16', text(data));
  const peer = await MqttPeer.dial(port, { level: 5 });
  peer.send(peer.packets.connect({ clientId: 's', properties: method(scram.first) }));
  const { body } = await peer.packet();
  peer.send(packet(0xf0, '18', properties(method(scram.final(body.subarray(21))))));
  const connack = await peer.expectConnack(0);
  await peer.disconnect();
  return connack;
}

test('brokers with the same users link where their connectors log in', async (t) => {
  const openwire = '<transportConnector name="openwire" uri="tcp://127.0.0.1:0"/>';
  const definitions = { password: 'sesame' };
  const one = await startBroker({ xml: xmlWith(USERS, openwire), definitions, log: 'silent' });
  t.after(() => one.stop());
  const link = `<networkConnectors><networkConnector uri="static:(tcp://127.0.0.1:${one.connectors[0]!.port})" userName="ann" password="\${password}"/></networkConnectors>`;
  const two = await startBroker({ xml: xmlWith(USERS + link), definitions, log: 'silent' });
  t.after(() => two.stop());
  await new Promise<void>((resolve) => {
    void one.subscribe('probe', () => resolve());
    const timer = setInterval(() => two.publish('probe', ''), 20);
    t.after(() => clearInterval(timer));
  });
});

test('a program decides who may connect, by credentials and by mechanisms of its own', async (t) => {
  const seen: (string | null)[] = [];
  const embedded = await broker(t, {
    authenticator: {
      async authenticate({ userName }) {
        seen.push(userName);
        if (userName === 'bob') return { kind: 'admitted', principal: { userName, groups: ['g'] } };
        return { kind: 'refused', reason: 'notAuthorized', text: 'bob alone may' };
      },
    },
    mechanisms: [
      new ScramSha256({
        find: async (userName) =>
          userName === 'ann' ? { credential: await deriveScramCredential('sesame'), principal: { userName, groups: [] } } : null,
      }),
    ],
  });
  const { port } = embedded.connectors[0]!;
  const client = await logIn(port, { username: 'bob' });
  await client.endAsync();
  await assert.rejects(logIn(port, { username: 'eve' }), { code: 0x87 });
  const scram = new ScramClient('ann', 'sesame');
  assert.ok((await scramConnack(port, scram)).includes(scram.expectedServerFinal));
  assert.deepEqual(seen, ['bob', 'eve']);
});

test('a file and a program cannot both say who may connect', async () => {
  const authenticator = { authenticate: () => assert.fail() };
  await assert.rejects(startBroker({ xml: xmlWith(USERS), definitions: { password: 'x' }, authenticator, log: 'silent' }), {
    code: 'CONFIGURATION',
    message: /simpleAuthenticationPlugin.*authenticator/,
  });
});

/** The next DISCONNECT of a client. */
const disconnected = (client: MqttClient) => new Promise<IDisconnectPacket>((resolve) => client.once('disconnect', resolve));

test('a program disconnects a client, with its reason', async (t) => {
  const embedded = await broker(t);
  const client = await logIn(embedded.connectors[0]!.port, { clientId: 'sensor' });
  t.after(() => client.end(true));
  const told = disconnected(client);
  assert.equal(embedded.disconnectClient('sensor', { reasonString: 'maintenance' }), true);
  const { reasonCode, properties } = await told;
  assert.deepEqual([reasonCode, properties?.reasonString], [0x98, 'maintenance']);
  assert.equal(embedded.disconnectClient('sensor'), false);
  for (const reasonString of ['a\0b', '\ud800', 'x'.repeat(65_536)])
    assert.throws(() => embedded.disconnectClient('sensor', { reasonString }), { code: 'INVALID_TEXT' });
});

test('a program sends clients elsewhere, those that are there and those that come, until it lets them in again', async (t) => {
  const embedded = await broker(t);
  const { port } = embedded.connectors[0]!;
  const client = await logIn(port);
  t.after(() => client.end(true));
  const told = disconnected(client);
  embedded.redirectClients({ serverReference: 'b.example:1883', permanently: true });
  const { reasonCode, properties } = await told;
  assert.deepEqual([reasonCode, properties?.serverReference], [0x9d, 'b.example:1883']);
  embedded.redirectClients({});
  await assert.rejects(logIn(port), { code: 0x9c });
  embedded.redirectClients(null);
  await (await logIn(port)).endAsync();
});

test('a program that stops its broker says where clients may go', async (t) => {
  const embedded = await broker(t);
  const client = await logIn(embedded.connectors[0]!.port);
  t.after(() => client.end(true));
  const told = disconnected(client);
  assert.throws(() => embedded.stop({ serverReference: '\0' }), { code: 'INVALID_TEXT' });
  await embedded.stop({ serverReference: 'b.example:1883' });
  const { reasonCode, properties } = await told;
  assert.deepEqual([reasonCode, properties?.serverReference], [0x9c, 'b.example:1883']);
});

test('a data folder is made, locked and given up', async (t) => {
  const dataDirectory = join(folder.path, 'data');
  const first = await broker(t, { dataDirectory });
  assert.ok(existsSync(dataDirectory));
  await assert.rejects(broker(t, { dataDirectory }), { code: 'DATA_DIRECTORY_LOCKED' });
  await first.stop();
  await broker(t, { dataDirectory });
});

test('errors in a configuration are one ConfigError that names each', async () => {
  await assert.rejects(startBroker({ transportConnectors: ['mqtt://127.0.0.1:0', 'stomp://127.0.0.1:0'], log: 'silent' }), {
    name: 'ConfigError',
    code: 'CONFIGURATION',
    message: /activemq\.xml:\d+:\d+: error: .*stomp/,
  });
  await assert.rejects(startBroker(join(folder.path, 'missing.xml')), { code: 'CONFIGURATION', message: /no such file/ });
  await assert.rejects(startBalancer({ cfg: 'frontend a\n bnid :1\n', log: 'silent' }), { code: 'CONFIGURATION', message: /bnid/ });
});

test('limits and the interval of $SYS are said beside the configuration; what they do is counted', async (t) => {
  const embedded = await broker(t, { limits: { sessions: 1 }, sysIntervalSeconds: 1 });
  const { port } = embedded.connectors[0]!;
  const uptimes: string[] = [];
  await embedded.subscribe('$SYS/broker/uptime', ({ payload }) => uptimes.push(payload.toString()));
  const first = connect({ host: '127.0.0.1', port, clientId: 'first' });
  t.after(() => first.end(true));
  await new Promise((resolve) => first.once('connect', resolve));
  const second = connect({ host: '127.0.0.1', port, clientId: 'second', reconnectPeriod: 0, protocolVersion: 5 });
  t.after(() => second.end(true));
  const refusal = await new Promise<Error & { code?: unknown }>((resolve) => second.once('error', resolve));
  assert.equal(refusal.code, 0x97);
  assert.equal(embedded.counters.refusedBy.sessions, 1);
  assert.equal(embedded.counters.clientsConnected, 1);
  for (const deadline = Date.now() + 20_000; uptimes.length < 3; ) {
    assert.ok(Date.now() < deadline, `in 20 s these came: ${uptimes}`);
    await delay(20);
  }
  assert.deepEqual(uptimes[0], '0 seconds', 'the retained one');
});

test('a file says its limits as properties of its placeholder configurer, and the program beside it has the last word', async (t) => {
  const xml = (limit: string, value: string) => `<beans xmlns="http://www.springframework.org/schema/beans">
  <bean class="org.springframework.beans.factory.config.PropertyPlaceholderConfigurer">
    <property name="properties"><props><prop key="roundhouse.limit.${limit}">${value}</prop></props></property>
  </bean>
  <broker xmlns="http://activemq.apache.org/schema/core" persistent="false">
    <transportConnectors><transportConnector name="mqtt" uri="mqtt://127.0.0.1:0"/></transportConnectors>
  </broker>
</beans>`;
  for (const [limits, sessions] of [
    [{}, 1],
    [{ sessions: 2 }, 2],
  ] as const) {
    const started = await startBroker({ xml: xml('sessions', '1'), log: 'silent', limits });
    t.after(() => started.stop());
    const dial = async (clientId: string) => {
      const peer = await MqttPeer.dial(started.connectors[0]!.port);
      peer.send(peer.packets.connect({ clientId }));
      return peer;
    };
    for (let i = 0; i < sessions; i++) await (await dial(`c${i}`)).expect('20 02 00 00');
    await (await dial('beyond')).expect('20 02 00 03');
    assert.equal(started.counters.refusedBy.sessions, 1);
  }
  await assert.rejects(startBroker({ xml: xml('sesions', '1'), log: 'silent' }), {
    code: 'CONFIGURATION',
    message: 'activemq.xml:3:40: error: property roundhouse.limit.sesions: there is no limit sesions; did you mean sessions?',
  });
});

test('limits and intervals that are none reject the start, and no client of the program publishes below $SYS', async (t) => {
  await assert.rejects(broker(t, { limits: { sessions: 0, nonsense: 1 } as never }), {
    code: 'INVALID_LIMIT',
    message: 'limit sessions: expected a whole number from 1 on (sessions), found 0\nthere is no limit nonsense',
  });
  await assert.rejects(broker(t, { sysIntervalSeconds: 0.5 }), { code: 'INVALID_SYS_INTERVAL' });
  const embedded = await broker(t);
  assert.throws(() => embedded.publish('$SYS/broker/uptime', 'x'), { code: 'INVALID_MESSAGE', message: /broker's own/ });
});

test('a taken port rejects the start and leaves nothing open', async (t) => {
  const first = await broker(t);
  const uri = `mqtt://127.0.0.1:${first.connectors[0]!.port}`;
  const dataDirectory = join(folder.path, 'taken');
  await assert.rejects(broker(t, { transportConnectors: ['mqtt://127.0.0.1:0', uri], dataDirectory }), {
    code: 'PORT_TAKEN',
    message: /activemq\.xml:\d+: .*taken/,
  });
  await broker(t, { dataDirectory });
});

test('a balancer from a text or a file, with an address that stands in for another', async (t) => {
  const embedded = await broker(t);
  const [port, statsPort] = (await freePorts(2)) as [number, number];
  const cfg = balancerCfg({ port, statsPort, serverPorts: [embedded.connectors[0]!.port] }).replace(
    /server s1 127\.0\.0\.1/,
    'server s1 172.17.0.10',
  );
  const balancer = await startBalancer({ cfg, mapAddress: { '172.17.0.10': '127.0.0.1' }, log: 'silent' });
  assert.deepEqual(
    balancer.addresses.map((address) => address.port),
    [statsPort, port],
  );
  const client = connect({ host: '127.0.0.1', port });
  await new Promise((resolve) => client.once('connect', resolve));
  await client.endAsync(true);
  await balancer.stop();
  const again = await startBalancer({ file: await folder.write('again.cfg', cfg), log: 'silent' });
  await again.stop();
});

test('a broker that was stopped takes nothing more, and one without a configuration does not start', async (t) => {
  const started = await broker(t);
  await started.stop();
  assert.throws(() => started.publish('a', 'b'), { code: 'BROKER_STOPPED' });
  for (const nothing of [undefined, {}]) await assert.rejects(startBroker(nothing as never), { code: 'CONFIGURATION' });
});
