import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { BlockList } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Credentials } from '../../src/core/ports.ts';
import { startBroker as startEmbeddedBroker } from '../../src/index.ts';
import { type Facts, type Log, silentLog } from '../../src/telemetry/log.ts';
import { type ProxyValue, writeProxyHeaderV1, writeProxyHeaderV2 } from '../../src/transport/proxy-header-writer.ts';
import { createProxyStage } from '../../src/transport/proxy-stage.ts';
import { needsHaproxy, startHaproxy } from '../balancer/real-haproxy.ts';
import { Authority, NO_OPENSSL } from '../harness/certificates.ts';
import { startBroker, type TestBroker, type TestBrokerOptions } from '../harness/mqtt-broker.ts';
import { connackV3 } from '../harness/mqtt-bytes.ts';
import { MqttPeer } from '../harness/mqtt-peer.ts';
import { ClientProgram, needsMosquittoClients } from '../harness/mqtt-programs.ts';
import { freePorts } from '../harness/program.ts';

const MEGABYTE = 1024 * 1024;

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');

const CLIENT = { source: { address: '192.0.2.7', port: 4711 }, destination: { address: '198.51.100.1', port: 1883 } };

/** A log, and where the clients that it says are connected come from. */
function watchClients(): { log: Log; lines: string[]; addressOf: (clientId: string) => string | undefined } {
  const addresses = new Map<unknown, string>();
  const lines: string[] = [];
  const write = (message: string, facts?: Facts): void => {
    lines.push(message);
    if (message === 'client connected') addresses.set(facts!.clientId, String(facts!.remoteAddress));
  };
  return { log: { ...silentLog, error: write, warn: write, info: write, debug: write }, lines, addressOf: (id) => addresses.get(id) };
}

function startBehindProxy(t: TestContext, options: TestBrokerOptions = {}): Promise<TestBroker> {
  return startBroker(t, { stages: [createProxyStage('required', LOOPBACK)], ...options });
}

/** What a proxy says of a client's TLS. */
function tlsValue(flags: number, verify: number, commonName: string): ProxyValue {
  const name = Buffer.from(commonName);
  return { type: 0x20, value: Buffer.from([flags, 0, 0, 0, verify, 0x22, 0, name.length, ...name]) };
}

for (const [version, header] of [
  [1, writeProxyHeaderV1(CLIENT)],
  [2, writeProxyHeaderV2(CLIENT)],
] as const) {
  test(`an MQTT client behind a PROXY header of version ${version} is served as any other, from its own address`, async (t) => {
    const { log, addressOf } = watchClients();
    const broker = await startBehindProxy(t, { log });
    for (const level of [3, 4, 5] as const) {
      const peer = await broker.dial({ level });
      peer.send(header, peer.packets.connect({ clientId: `c${level}` })); // in one write
      if (level === 5) await peer.expectConnack(0);
      else await peer.expect('20 02 00 00');
      await peer.subscribe({ x: 2 });
      peer.send(peer.packets.publish({ topic: 'x', payload: 'y' }));
      await peer.expect(peer.packets.publish({ topic: 'x', payload: 'y' }));
      assert.equal(addressOf(`c${level}`), '192.0.2.7:4711');
    }
  });
}

test('behind a proxy `addressConnectsPerSecond` is about the addresses in its headers', async (t) => {
  const broker = await startBehindProxy(t, { limits: { addressConnectsPerSecond: 1 }, fakeClock: true });
  for (const [address, returnCode] of [
    ['192.0.2.7', 0],
    ['192.0.2.8', 0],
    ['192.0.2.7', 3],
  ] as const) {
    const peer = await broker.dial();
    peer.send(writeProxyHeaderV2({ ...CLIENT, source: { address, port: 4711 } }), peer.packets.connect({ clientId: address }));
    await peer.expect(connackV3(false, returnCode));
  }
});

test('transport.proxyProtocol and transport.proxyProtocolTrusted of a connector’s URI decide who may send a header', async (t) => {
  const { log, addressOf, lines } = watchClients();
  const options = (mode: string, trusted: string) =>
    `mqtt://127.0.0.1:0?transport.proxyProtocol=${mode}&transport.proxyProtocolTrusted=${trusted}&transport.connectAttemptTimeout=60000`;
  const broker = await startEmbeddedBroker({
    transportConnectors: [
      options('required', '127.0.0.1'),
      options('required', '10.0.0.0/8'),
      options('optional', '::1'),
      'mqtt://127.0.0.1:0',
    ],
    log,
  });
  t.after(() => broker.stop());
  const [required, required10, optional, off] = broker.connectors.map(({ port }) => port);
  const connect = async (port: number, clientId: string, header?: Buffer): Promise<MqttPeer> => {
    const peer = await MqttPeer.dial(port);
    peer.send(...(header === undefined ? [] : [header]), peer.packets.connect({ clientId }));
    return peer;
  };
  await (await connect(required!, 'trusted', writeProxyHeaderV2(CLIENT))).expect('20 02 00 00');
  assert.equal(addressOf('trusted'), '192.0.2.7:4711');
  await (await connect(optional!, 'direct')).expect('20 02 00 00');
  assert.match(addressOf('direct')!, /^127\.0\.0\.1:\d+$/);
  for (const [port, header] of [
    [required, undefined],
    [required10, writeProxyHeaderV2(CLIENT)],
    [required10, undefined],
    [optional, writeProxyHeaderV2(CLIENT)],
    [off, writeProxyHeaderV2(CLIENT)],
    [off, writeProxyHeaderV1(CLIENT)],
  ] as const) {
    await (await connect(port!, 'refused', header)).expectClose();
  }
  assert.equal(addressOf('refused'), undefined);
  assert.equal(lines.filter((line) => line === 'a client did not get as far as its protocol').length, 4);
});

test('with certificateUserName the verified certificate that a trusted proxy tells of is the user; what is not verified is nobody’s', async (t) => {
  const asked: Credentials[] = [];
  const broker = await startBehindProxy(t, {
    connector: { certificateUserName: true },
    authenticator: {
      authenticate: (credentials) => {
        asked.push(credentials);
        return { kind: 'admitted', principal: { userName: credentials.certificateName ?? 'nobody', groups: [] } };
      },
    },
  });
  for (const value of [
    tlsValue(0x07, 0, 'sensor-ä'),
    tlsValue(0x07, 18, 'forged'),
    tlsValue(0x01, 0, 'none shown'),
    tlsValue(0x07, 0, ''),
  ]) {
    const peer = await broker.dial();
    peer.send(writeProxyHeaderV2(CLIENT, [value]));
    await peer.connect({ clientId: `c${asked.length}`, userName: 'u', password: 'p' });
  }
  assert.deepEqual(
    asked.map(({ certificateName, userName, remoteAddress }) => ({ certificateName, userName, remoteAddress })),
    ['sensor-ä', null, null, null].map((certificateName) => ({ certificateName, userName: 'u', remoteAddress: '192.0.2.7:4711' })),
  );
});

test('without certificateUserName a proxy’s word on a certificate is not asked for', async (t) => {
  const asked: Credentials[] = [];
  const broker = await startBehindProxy(t, {
    authenticator: {
      authenticate: (credentials) => {
        asked.push(credentials);
        return { kind: 'admitted', principal: { userName: 'u', groups: [] } };
      },
    },
  });
  const peer = await broker.dial();
  peer.send(writeProxyHeaderV2(CLIENT, [tlsValue(0x07, 0, 'sensor')]));
  await peer.connect({ clientId: 'a' });
  assert.equal(asked[0]!.certificateName, null);
});

test('a health check that sends a PROXY header of its own (LOCAL), or nothing, is a probe: counted, not logged, no client', async (t) => {
  const { log, lines } = watchClients();
  const broker = await startBehindProxy(t, { log });
  for (const header of [Buffer.alloc(0), writeProxyHeaderV2(null), writeProxyHeaderV2(CLIENT), writeProxyHeaderV1(null)]) {
    const before = broker.placeCounters.probes;
    const peer = await broker.dial();
    peer.send(header);
    peer.end();
    await peer.expectClose();
    await broker.until(() => broker.placeCounters.probes === before + 1, 'the probe to be counted');
  }
  assert.equal(broker.broker.counters.probes, 4);
  assert.deepEqual(lines, []);
});

/** haproxy in front of the broker; resolves with its port. */
async function startProxy(t: TestContext, broker: TestBroker, words: string, bindWords = ''): Promise<number> {
  const [port] = await freePorts(1);
  await startHaproxy(
    t,
    () => `defaults
  mode tcp
  timeout connect 20s
  timeout client 60s
  timeout server 60s
listen mqtt
  bind 127.0.0.1:${port} ${bindWords}
  server broker 127.0.0.1:${broker.port} ${words}
`,
    () => port!,
  );
  return port!;
}

for (const words of [
  'send-proxy',
  'send-proxy-v2',
  'send-proxy-v2-ssl-cn',
  'send-proxy-v2 proxy-v2-options crc32c,unique-id,authority,ssl,cert-cn',
]) {
  test(`mosquitto’s clients through haproxy with ${words}: every QoS, 0 B, 1 B and 1 MB, will and retained, each from its own address`, async (t) => {
    if (!needsHaproxy(t) || !needsMosquittoClients(t)) return;
    const { log, addressOf } = watchClients();
    const broker = await startBehindProxy(t, { log });
    const port = await startProxy(t, broker, words);
    const place = (version: string, address: string) => ['-h', '127.0.0.1', '-p', String(port), '-V', version, '-A', address];
    for (const version of ['mqttv31', 'mqttv311', 'mqttv5']) {
      for (const qos of ['0', '1', '2']) {
        for (const size of [0, 1, MEGABYTE]) {
          const payload = randomBytes(size);
          const receiver = new ClientProgram(t, 'mosquitto_sub', [
            ...place(version, '127.0.0.8'),
            '-i',
            'sub',
            '-q',
            qos,
            '-t',
            'a',
            '-C',
            '1',
            '-N',
          ]);
          await broker.until(() => broker.broker.router.size === 1, 'mosquitto_sub to subscribe');
          const what = size === 0 ? ['-n'] : ['-s'];
          await new ClientProgram(
            t,
            'mosquitto_pub',
            [...place(version, '127.0.0.9'), '-i', 'pub', '-q', qos, '-t', 'a', ...what],
            payload,
          ).output();
          assert.ok((await receiver.output()).equals(payload));
          await broker.until(() => broker.broker.router.size === 0, 'mosquitto_sub to leave');
        }
      }
    }
    for (const version of ['mqttv31', 'mqttv311', 'mqttv5']) {
      const run = (name: string, clientId: string, ...args: string[]) =>
        new ClientProgram(t, name, [...place(version, '127.0.0.8'), '-i', clientId, '-q', '1', ...args]);
      await run('mosquitto_pub', 'keeper', '-t', 'kept', '-m', 'kept', '-r').output();
      const kept = await run('mosquitto_sub', 'sub', '-t', 'kept', '-C', '1', '-F', '%r %p').output();
      assert.equal(kept.toString(), '1 kept\n');
      await broker.until(() => broker.broker.router.size === 0, 'mosquitto_sub to leave');
      const watcher = run('mosquitto_sub', 'watcher', '-t', 'will', '-C', '1');
      const lost = run('mosquitto_sub', 'lost', '-t', 'none', '--will-topic', 'will', '--will-payload', 'gone');
      await broker.until(() => broker.broker.router.size === 2, 'both to subscribe');
      lost.kill();
      assert.equal((await watcher.output()).toString(), 'gone\n');
      await broker.until(() => broker.broker.router.size === 0, 'mosquitto_sub to leave');
    }
    assert.match(addressOf('sub')!, /^127\.0\.0\.8:\d+$/);
    assert.match(addressOf('pub')!, /^127\.0\.0\.9:\d+$/);
  });
}

test('haproxy’s health checks with a PROXY header are probes', async (t) => {
  if (!needsHaproxy(t)) return;
  const { log, lines } = watchClients();
  const broker = await startBehindProxy(t, { log });
  await startProxy(t, broker, 'check inter 50 send-proxy-v2 check-send-proxy');
  await broker.until(() => broker.broker.counters.probes >= 3, 'three probes');
  assert.deepEqual(lines, []);
  assert.equal(broker.broker.sessions.size, 0);
});

test('the certificate of a client whose TLS ends at haproxy is its user name (send-proxy-v2-ssl-cn); without one the name of CONNECT counts', async (t) => {
  if (!needsHaproxy(t) || !needsMosquittoClients(t)) return;
  if (NO_OPENSSL !== null) return t.skip(NO_OPENSSL);
  const authority = new Authority('fleet');
  t.after(() => authority.remove());
  const server = authority.issue('server', { subject: '/CN=localhost', names: 'DNS:localhost,IP:127.0.0.1' });
  const device = authority.issue('device', { subject: '/O=Example/CN=device-7' });
  const asked: Credentials[] = [];
  const broker = await startBehindProxy(t, {
    connector: { certificateUserName: true },
    authenticator: {
      authenticate: (credentials) => {
        asked.push(credentials);
        return { kind: 'admitted', principal: { userName: credentials.certificateName ?? 'nobody', groups: [] } };
      },
    },
  });
  const pem = authority.bundle('server.pem', server.certificate, server.key);
  const port = await startProxy(t, broker, 'send-proxy-v2-ssl-cn', `ssl crt ${pem} ca-file ${authority.certificate} verify optional`);
  const tls = [
    '-h',
    'localhost',
    '-p',
    String(port),
    '--cafile',
    authority.certificate,
    '-A',
    '127.0.0.9',
    '-t',
    'a',
    '-m',
    'x',
    '-q',
    '1',
  ];
  const shown = ['--cert', device.certificate, '--key', device.key];
  for (const version of ['mqttv31', 'mqttv311', 'mqttv5']) {
    await new ClientProgram(t, 'mosquitto_pub', [...tls, ...shown, '-V', version]).output();
    await new ClientProgram(t, 'mosquitto_pub', [...tls, '-V', version, '-u', 'me', '-P', 'secret']).output();
  }
  assert.deepEqual(
    asked.map(({ certificateName, userName }) => [certificateName, userName]),
    Array.from({ length: 3 }, () => [
      ['device-7', null],
      [null, 'me'],
    ]).flat(),
  );
  for (const { remoteAddress } of asked) assert.match(remoteAddress, /^127\.0\.0\.9:\d+$/);
});
