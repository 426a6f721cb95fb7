import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { connect as connectSocket, createServer } from 'node:net';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { FileBroker } from '../harness/broker-file.ts';
import { Authority, NO_OPENSSL } from '../harness/certificates.ts';
import { ClientProgram, DEBIAN_PYTHON, needsMosquittoClients, needsPaho } from '../harness/mqtt-programs.ts';
import { REPOSITORY_ROOT } from '../harness/repository-root.ts';

/** Real clients over TLS, WebSocket and socket files, from the file to the wire. */

const skip = NO_OPENSSL ?? false;
const authority = NO_OPENSSL === null ? new Authority('Fleet CA') : null;
const stranger = NO_OPENSSL === null ? new Authority('Another CA') : null;
after(() => {
  authority?.remove();
  stranger?.remove();
});

const made =
  authority === null || stranger === null
    ? null
    : {
        ca: authority,
        other: stranger,
        server: authority.issue('server', { subject: '/CN=localhost', names: 'DNS:localhost,IP:127.0.0.1' }),
        renewed: authority.issue('renewed', { subject: '/CN=renewed', names: 'DNS:localhost,IP:127.0.0.1' }),
        client: authority.issue('client', { subject: '/CN=device-7' }),
        expired: authority.issue('expired', { subject: '/CN=old', expired: true }),
        foreign: stranger.issue('foreign', { subject: '/CN=foreign' }),
      };
const files = () => made!;

let stores = 0;

/** A broker with TLS: `tls` asks for no certificate, `mutual` needs one; `wss` is WebSocket over TLS. */
async function startTls(t: TestContext): Promise<FileBroker & { store: string }> {
  const { ca, server } = files();
  const store = ca.pkcs12(`broker-${stores++}.p12`, server, 'secret');
  const broker = await FileBroker.start(
    t,
    `<sslContext><sslContext keyStore="${store}" keyStorePassword="secret" trustStore="${ca.certificate}"/></sslContext>
    <transportConnectors>
      <transportConnector name="tls" uri="mqtt+ssl://127.0.0.1:0"/>
      <transportConnector name="mutual" uri="mqtt+nio+ssl://127.0.0.1:0?transport.needClientAuth=true&amp;transport.connectAttemptTimeout=500"/>
      <transportConnector name="wss" uri="wss://127.0.0.1:0"/>
    </transportConnectors>`,
  );
  return Object.assign(broker, { store });
}

const startPlain = (t: TestContext, uri: string) =>
  FileBroker.start(t, `<transportConnectors><transportConnector name="c" uri="${uri}"/></transportConnectors>`);

async function connect(t: TestContext, url: string, options: IClientOptions = {}): Promise<MqttClient> {
  const client = await mqtt.connectAsync(url, { reconnectPeriod: 0, connectTimeout: 20_000, ...options });
  client.on('error', () => {});
  t.after(() => client.end(true));
  return client;
}

/** Every QoS with payloads of 0 B, 1 B and 1 MB, to oneself. */
async function exchange(client: MqttClient): Promise<void> {
  await client.subscribeAsync('a/#', { qos: 2 });
  for (const qos of [0, 1, 2] as const) {
    for (const size of [0, 1, 1024 * 1024]) {
      const payload = randomBytes(size);
      const arrival = new Promise<Buffer>((resolve) => client.once('message', (_topic, received) => resolve(received)));
      await client.publishAsync('a/b', payload, { qos });
      assert.ok((await arrival).equals(payload), `QoS ${qos}, ${size} bytes`);
    }
  }
}

const trusting = (): IClientOptions => ({ ca: readFileSync(files().ca.certificate) });

for (const version of [3, 4, 5] as const) {
  const options: IClientOptions = { protocolVersion: version, protocolId: version === 3 ? 'MQIsdp' : 'MQTT' };
  test(`MQTT.js ${version} over WebSocket: payloads of 0 B, 1 B and 1 MB at every QoS`, async (t) => {
    const broker = await startPlain(t, 'ws://127.0.0.1:0');
    await exchange(await connect(t, `ws://127.0.0.1:${broker.port('c')}/mqtt`, options));
  });

  test(`MQTT.js ${version} over WebSocket and TLS: the same`, { skip }, async (t) => {
    const broker = await startTls(t);
    await exchange(await connect(t, `wss://localhost:${broker.port('wss')}`, { ...options, ...trusting() }));
  });

  test(`MQTT.js ${version} over TLS: the same`, { skip }, async (t) => {
    const broker = await startTls(t);
    await exchange(await connect(t, `mqtts://localhost:${broker.port('tls')}`, { ...options, ...trusting() }));
  });
}

for (const version of ['3.1', '3.1.1', '5']) {
  for (const [name, connector, words] of [
    ['TLS with a client certificate', 'mutual', () => [files().ca.certificate, files().client.certificate, files().client.key]],
    ['WebSocket and TLS', 'wss', () => ['ws', files().ca.certificate]],
  ] as const) {
    test(`paho ${version} over ${name}: payloads, bursts, retained messages, wills, sessions, shares`, { skip }, async (t) => {
      if (!needsPaho(t)) return;
      const broker = await startTls(t);
      const script = join(REPOSITORY_ROOT, 'test/harness/mqtt-paho.py');
      const client = new ClientProgram(t, DEBIAN_PYTHON, [script, String(broker.port(connector)), version, ...words()]);
      const steps = (await client.output()).toString().trim().split('\n');
      assert.equal(steps.length, version === '5' ? 7 : 6, steps.join());
    });
  }
}

/** What mosquitto_pub prints when it publishes over TLS; rejects with it when it could not. */
async function mosquittoPub(t: TestContext, port: number, ...more: readonly string[]): Promise<string> {
  const args = ['-h', 'localhost', '-p', String(port), '-q', '1', '-t', 'a', '-m', 'x', ...more];
  return (await new ClientProgram(t, 'mosquitto_pub', args).output()).toString();
}

const withCa = () => ['--cafile', files().ca.certificate];
const as = (name: 'client' | 'expired' | 'foreign') => ['--cert', files()[name].certificate, '--key', files()[name].key];

test('mosquitto over TLS: with a certificate where one is needed, without where none is', { skip }, async (t) => {
  if (!needsMosquittoClients(t)) return;
  const broker = await startTls(t);
  await mosquittoPub(t, broker.port('tls'), ...withCa());
  await mosquittoPub(t, broker.port('mutual'), ...withCa(), ...as('client'));
  assert.equal(broker.server.broker.counters.published, 2);
});

for (const [name, more, said, reason] of [
  ['no certificate', () => [], /not authori[sz]ed|refused/i, /^a client certificate is needed$/],
  ['an expired certificate', () => as('expired'), /not authori[sz]ed|refused/i, /CERT_HAS_EXPIRED/],
  ['a certificate of another CA', () => as('foreign'), /not authori[sz]ed|refused/i, /the client certificate is not good: UNABLE_TO_/],
] as const) {
  test(`mosquitto with ${name} is told so in CONNACK, the log has why, and others go on`, { skip }, async (t) => {
    if (!needsMosquittoClients(t)) return;
    const broker = await startTls(t);
    await assert.rejects(mosquittoPub(t, broker.port('mutual'), ...withCa(), ...more()), said);
    await broker.logged(reason);
    assert.equal(broker.server.broker.counters.published, 0);
    await mosquittoPub(t, broker.port('mutual'), ...withCa(), ...as('client'));
    assert.equal(broker.server.broker.counters.published, 1);
  });
}

test('mosquitto that does not trust the broker says so, and so does the log', { skip }, async (t) => {
  if (!needsMosquittoClients(t)) return;
  const broker = await startTls(t);
  await assert.rejects(mosquittoPub(t, broker.port('tls'), '--cafile', files().other.certificate), /TLS error|certificate verify failed/i);
  await broker.logged(/does not trust the certificate of the broker/);
});

test('a certificate is renewed under live connections, and a broken file changes nothing', { skip }, async (t) => {
  const { writeFileSync } = await import('node:fs');
  const broker = await startTls(t);
  const url = `mqtts://localhost:${broker.port('tls')}`;
  const subjectOf = (client: MqttClient) => (client.stream as unknown as import('node:tls').TLSSocket).getPeerCertificate().subject.CN;
  const early = await connect(t, url, trusting());
  assert.equal(subjectOf(early), 'localhost');
  const renewed = files().ca.pkcs12('next.p12', files().renewed, 'secret');
  writeFileSync(broker.store, readFileSync(renewed));
  broker.server.renewCertificates();
  assert.equal(subjectOf(await connect(t, url, trusting())), 'renewed');
  writeFileSync(broker.store, 'nonsense');
  broker.server.renewCertificates();
  await broker.logged(/it is neither PEM nor PKCS#12 nor JKS/);
  assert.equal(subjectOf(await connect(t, url, trusting())), 'renewed');
  await exchange(early);
});

test('half-open handshakes are let go after connectAttemptTimeout, and keep nobody out', { skip }, async (t) => {
  const broker = await startTls(t);
  const { certificate, key } = files().client;
  const silent = Array.from({ length: 200 }, () => {
    const socket = connectSocket({ host: '127.0.0.1', port: broker.port('mutual') });
    socket.on('error', () => {});
    t.after(() => socket.destroy());
    return new Promise((resolve) => socket.resume().once('close', resolve));
  });
  const identity = { cert: readFileSync(certificate), key: readFileSync(key) };
  await exchange(await connect(t, `mqtts://localhost:${broker.port('mutual')}`, { ...trusting(), ...identity }));
  await Promise.all(silent);
});

test('a socket file: MQTT.js and mosquitto, its permissions, and gone when the broker has stopped', async (t) => {
  const path = join(REPOSITORY_ROOT, `.test-${process.pid}.sock`);
  const broker = await startPlain(t, `mqtt+unix://${path}?permissions=600`);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const client = new mqtt.MqttClient(() => connectSocket({ path }), { reconnectPeriod: 0 });
  t.after(() => client.end(true));
  await new Promise((resolve, reject) => client.once('connect', resolve).once('error', reject));
  await exchange(client);
  if (needsMosquittoClients(t)) await new ClientProgram(t, 'mosquitto_pub', ['--unix', path, '-t', 'a', '-m', 'x']).output();
  await broker.server.stop();
  assert.equal(existsSync(path), false);
});

test('a socket file that a killed program left is replaced; one that is listened at, and another kind of file, are not', async (t) => {
  const { mkdtempSync, rmSync, writeFileSync } = await import('node:fs');
  const { tmpdir } = await import('node:os');
  const folder = mkdtempSync(join(tmpdir(), 'roundhouse-sock-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const left = join(folder, 'left');
  const killed = new ClientProgram(t, process.execPath, [
    '-e',
    `require('node:net').createServer().listen(${JSON.stringify(left)}, () => process.kill(process.pid, 'SIGKILL'))`,
  ]);
  await assert.rejects(killed.output());
  assert.ok(existsSync(left));
  await startPlain(t, `mqtt+unix://${left}`);
  const used = join(folder, 'used');
  const owner = createServer();
  await new Promise<void>((resolve) => owner.listen(used, resolve));
  t.after(() => owner.close());
  await assert.rejects(startPlain(t, `mqtt+unix://${used}`), { code: 'PORT_TAKEN', message: /another program listens there$/ });
  const text = join(folder, 'text');
  writeFileSync(text, 'precious');
  await assert.rejects(startPlain(t, `mqtt+unix://${text}`), {
    code: 'LISTEN_FAILED',
    message: /there is a file there that is no socket$/,
  });
  assert.equal(readFileSync(text, 'utf8'), 'precious');
});
