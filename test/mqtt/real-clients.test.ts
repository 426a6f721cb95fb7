import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { after, describe, type TestContext, test } from 'node:test';
import type { QoS } from '../../src/core/message.ts';
import { needsHaproxy, startHaproxy } from '../balancer/real-haproxy.ts';
import { Authority, NO_OPENSSL } from '../harness/certificates.ts';
import { brokerXml, DeploymentFolder } from '../harness/deployment-files.ts';
import { ClientProgram, DEBIAN_PYTHON, needsMosquittoClients, needsPaho } from '../harness/mqtt-programs.ts';
import { freePorts, Program } from '../harness/program.ts';
import { mosquittoClient, mqttJsClient, type RealClient, type ReceivedMessage, type Route, type Version } from '../harness/real-clients.ts';
import { REPOSITORY_ROOT } from '../harness/repository-root.ts';

/** Every client there is at hand, in every version, over every transport, against one broker in a process of its own. */

const MEGABYTE = 1024 * 1024;
const VERSIONS: readonly Version[] = ['3.1', '3.1.1', '5'];

const folder = await DeploymentFolder.make();
const authority = NO_OPENSSL === null ? new Authority('Test CA') : null;
const issued = authority === null ? null : issue(authority);
const [tcp, proxied, ws, ssl] = (await freePorts(4)) as [number, number, number, number];
await folder.write(
  'clients.xml',
  brokerXml({
    mqttPort: tcp,
    connectors: [
      `mqtt://127.0.0.1:${proxied}?transport.proxyProtocol=required&transport.proxyProtocolTrusted=127.0.0.1`,
      `ws://127.0.0.1:${ws}`,
      ...(issued === null ? [] : [`mqtt+ssl://127.0.0.1:${ssl}?needClientAuth=true`]),
    ],
    ...(issued === null ? {} : { sslContext: issued.sslContext }),
  }),
);
const broker = new Program(['broker', 'clients.xml'], { cwd: folder.path });
after(async () => {
  broker.kill('SIGKILL');
  await broker.ended;
  authority?.remove();
  await folder.remove();
});
await broker.saying(/broker is up/);

function issue(by: Authority) {
  const server = by.issue('server', { subject: '/CN=broker', names: 'DNS:localhost,IP:127.0.0.1' });
  const client = by.issue('client', { subject: '/CN=device-7' });
  return {
    sslContext: { keyStore: `${server.certificate},${server.key}`, trustStore: by.certificate },
    tls: { authority: by.certificate, ...client },
  };
}

/** How to get to the broker; null: the test is skipped, and has said why. */
type FindRoute = (t: TestContext) => Route | null | Promise<Route | null>;

const TRANSPORTS: readonly { readonly name: string; readonly webSocket: boolean; readonly find: FindRoute }[] = [
  { name: 'TCP', webSocket: false, find: () => ({ port: tcp, webSocket: false, tls: null }) },
  { name: 'TLS with a client certificate', webSocket: false, find: secureRoute },
  { name: 'WebSocket', webSocket: true, find: () => ({ port: ws, webSocket: true, tls: null }) },
  { name: 'TCP through haproxy with send-proxy-v2', webSocket: false, find: routeThroughHaproxy },
];

function secureRoute(t: TestContext): Route | null {
  if (issued !== null) return { port: ssl, webSocket: false, tls: issued.tls };
  t.skip(NO_OPENSSL!);
  return null;
}

async function routeThroughHaproxy(t: TestContext): Promise<Route | null> {
  if (!needsHaproxy(t)) return null;
  const [port] = (await freePorts(1)) as [number];
  await startHaproxy(
    t,
    () => `defaults
  mode tcp
  timeout connect 20s
  timeout client 60s
  timeout server 60s
listen mqtt
  bind 127.0.0.1:${port}
  server broker 127.0.0.1:${proxied} send-proxy-v2
`,
    () => port,
  );
  return { port, webSocket: false, tls: null };
}

const DOES = 'does every QoS with 0 B, 1 B and 1 MB, a retained message, a will, a persistent session and a shared subscription';

/** Tests at once. Much of their time is the clients' own waiting. */
const CONCURRENCY = 4;

describe('real clients', { concurrency: CONCURRENCY }, () => {
  for (const { name, webSocket, find } of TRANSPORTS) {
    for (const version of VERSIONS) {
      // mosquitto_pub and mosquitto_sub have no WebSocket.
      if (!webSocket) {
        test(`mosquitto, MQTT ${version} over ${name}: ${DOES} [MQTT3-7.0.0-2]`, async (t) => {
          if (!needsMosquittoClients(t)) return;
          const route = await find(t);
          if (route !== null) await doEverything(await mosquittoClient(t, version, route));
        });
      }

      test(`MQTT.js, MQTT ${version} over ${name}: ${DOES} [MQTT3-7.0.0-2]`, async (t) => {
        const route = await find(t);
        if (route !== null) await doEverything(await mqttJsClient(t, version, route));
      });

      test(`paho, MQTT ${version} over ${name}: ${DOES} [MQTT3-7.0.0-2]`, async (t) => {
        if (!needsPaho(t)) return;
        const route = await find(t);
        if (route === null) return;
        const script = join(REPOSITORY_ROOT, 'test/harness/mqtt-paho.py');
        const transport = [
          ...(route.webSocket ? ['ws'] : []),
          ...(route.tls === null ? [] : [route.tls.authority, route.tls.certificate, route.tls.key]),
        ];
        const output = await new ClientProgram(t, DEBIAN_PYTHON, [script, String(route.port), version, ...transport]).output();
        const steps = ['payloads', 'burst', 'retained', 'will', 'session', 'shared', ...(version === '5' ? ['properties'] : [])];
        assert.deepEqual(output.toString().trim().split('\n'), steps);
      });
    }
  }
});

test('the connectors of these tests insist: none passes without a PROXY header, nor with a certificate of another authority', async (t) => {
  await assert.rejects(mqttJsClient(t, '5', { port: proxied, webSocket: false, tls: null }), /closed before CONNACK|ECONNRESET/);
  if (issued === null) return;
  const stranger = new Authority('Another CA');
  t.after(() => stranger.remove());
  const forged = { authority: issued.tls.authority, ...stranger.issue('client', { subject: '/CN=device-7' }) };
  await assert.rejects(mqttJsClient(t, '5', { port: ssl, webSocket: false, tls: forged }), /Not authorized/);
});

let rounds = 0;

/** Under topics of its own, so that nothing of another test is in its way. */
async function doEverything(client: RealClient): Promise<void> {
  const round = rounds++;
  const root = `round-${round}`;
  await sendPayloads(client, `${root}/payloads`);
  await retain(client, `${root}/retained`);
  await leaveWills(client, `${root}/wills`);
  await keepSession(client, `${root}/session`, `keeper-${process.pid}-${round}`);
  await share(client, `${root}/shared`);
}

async function sendPayloads(client: RealClient, topic: string): Promise<void> {
  const receiver = await client.receive([topic]);
  for (const qos of [0, 1, 2] as const) {
    for (const size of [0, 1, MEGABYTE]) {
      const payload = randomBytes(size);
      await client.publish(topic, payload, qos);
      const message = await receiver.next();
      assert.ok(message.payload.equals(payload), `QoS ${qos}: ${size} bytes were sent, ${message.payload.length} came or others`);
      assert.deepEqual({ ...message, payload: null }, { topic, qos, retain: false, payload: null });
    }
  }
  await receiver.leave();
}

async function retain(client: RealClient, topic: string): Promise<void> {
  await client.publish(`${topic}/a`, Buffer.from('kept'), 1, true);
  const receiver = await client.receive([`${topic}/+`]);
  assert.deepEqual(await receiver.next(), { topic: `${topic}/a`, qos: 1, retain: true, payload: Buffer.from('kept') });
  await client.publish(`${topic}/a`, Buffer.alloc(0), 1, true);
  assert.deepEqual(await receiver.next(), { topic: `${topic}/a`, qos: 1, retain: false, payload: Buffer.alloc(0) });
  const late = await client.receive([`${topic}/+`]);
  await client.publish(`${topic}/b`, Buffer.from('live'), 1);
  assert.deepEqual(textOf(await late.next()), `${topic}/b live`);
  await receiver.leave();
  await late.leave();
}

async function leaveWills(client: RealClient, topic: string): Promise<void> {
  const watcher = await client.receive([`${topic}/#`]);
  await client.visit([`${topic}-none`], { willTopic: `${topic}/leaver` });
  const lost = await client.receive([`${topic}-none`], { willTopic: `${topic}/lost` });
  lost.vanish();
  assert.deepEqual(await watcher.next(), { topic: `${topic}/lost`, qos: 1, retain: false, payload: Buffer.from('gone') });
  await client.publish(`${topic}/end`, Buffer.from('end'), 1);
  assert.equal(textOf(await watcher.next()), `${topic}/end end`);
  await watcher.leave();
}

async function keepSession(client: RealClient, topic: string, session: string): Promise<void> {
  await client.visit([topic], { session });
  for (const qos of [1, 2] as QoS[]) await client.publish(topic, Buffer.from(`missed ${qos}`), qos);
  const again = await client.receive([topic], { session });
  for (const qos of [1, 2]) assert.deepEqual(await again.next(), { topic, qos, retain: false, payload: Buffer.from(`missed ${qos}`) });
  await again.leave();
}

async function share(client: RealClient, topic: string): Promise<void> {
  const filters = [`$share/group/${topic}/+`, `${topic}-end`];
  const members = [await client.receive(filters), await client.receive(filters)];
  const sent = Array.from({ length: 6 }, (_, i) => `${topic}/x ${i}`);
  for (const i of sent.keys()) await client.publish(`${topic}/x`, Buffer.from(`${i}`), 1);
  await client.publish(`${topic}-end`, Buffer.from('end'), 1);
  const received: string[][] = [];
  for (const member of members) {
    const texts: string[] = [];
    for (let text = textOf(await member.next()); text !== `${topic}-end end`; text = textOf(await member.next())) texts.push(text);
    assert.notDeepEqual(texts, [], 'a member had nothing to do');
    received.push(texts);
    await member.leave();
  }
  assert.deepEqual(received.flat().sort(), sent);
}

function textOf({ topic, payload }: ReceivedMessage): string {
  return `${topic} ${payload}`;
}
