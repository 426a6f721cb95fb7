import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { type EmbeddedBroker, type StartBrokerOptions, startBroker } from '../../src/index.ts';
import { createWireFormatInfo } from '../../src/protocols/openwire/wire/commands.ts';
import { BEFORE_NEGOTIATION, WireFormat } from '../../src/protocols/openwire/wire/wire-format.ts';
import { type Facts, type Log, silentLog } from '../../src/telemetry/log.ts';
import { writeProxyHeaderV2 } from '../../src/transport/proxy-header-writer.ts';
import { Authority, NO_OPENSSL } from '../harness/certificates.ts';
import { MqttPeer } from '../harness/mqtt-peer.ts';

async function start(t: TestContext, options: StartBrokerOptions): Promise<EmbeddedBroker> {
  const broker = await startBroker(options);
  t.after(() => broker.stop());
  return broker;
}

function portOf(broker: EmbeddedBroker): number {
  return broker.connectors[0]!.port;
}

const WIRE_FORMAT_INFO = new WireFormat(BEFORE_NEGOTIATION).encode(createWireFormatInfo({ version: 12 }));

test('an auto connector serves MQTT clients of every version beside brokers that link to it', async (t) => {
  for (const scheme of ['auto', 'auto+nio']) {
    const hub = await start(t, { brokerName: 'hub', transportConnectors: [`${scheme}://127.0.0.1:0`], log: 'silent' });
    const { scheme: known, protocol, port } = hub.connectors[0]!;
    assert.deepEqual([known, protocol], [scheme, 'auto']);
    const far = await start(t, {
      brokerName: 'far',
      transportConnectors: ['mqtt://127.0.0.1:0'],
      networkConnectors: [`static:(tcp://127.0.0.1:${port})`],
      log: 'silent',
    });
    for (const level of [3, 4, 5] as const) {
      const near = await (await MqttPeer.dial(port, { level })).connect({ clientId: `near ${level}` });
      const remote = await (await MqttPeer.dial(portOf(far), { level })).connect({ clientId: `remote ${level}` });
      await near.subscribe({ 'to/near': 1 });
      const deadline = Date.now() + 20_000;
      for (let answered = false; !answered; ) {
        assert.ok(Date.now() < deadline, 'the link comes up');
        remote.send(remote.packets.publish({ topic: 'to/near', payload: 'x' }));
        await delay(50);
        answered = near.receivedBytes > 0;
      }
      await near.expect(near.packets.publish({ topic: 'to/near', payload: 'x' }));
      await near.destroy();
      await remote.destroy();
    }
  }
});

test('what is neither MQTT nor OpenWire is closed, and the log has its first bytes; auto.protocols leaves one of them out', async (t) => {
  const reasons: unknown[] = [];
  const log: Log = { ...silentLog, info: (_message: string, facts?: Facts) => facts?.stage === 'auto' && reasons.push(facts.reason) };
  const closedAfter = (port: number, bytes: Buffer): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.on('close', () => resolve());
      socket.resume();
      socket.write(bytes);
    });
  const both = await start(t, { transportConnectors: ['auto://127.0.0.1:0'], log });
  await closedAfter(portOf(both), Buffer.from('GET / HTTP/1.1\r\n'));
  const mqtt = await start(t, { transportConnectors: ['auto://127.0.0.1:0?auto.protocols=mqtt'], log });
  await closedAfter(portOf(mqtt), WIRE_FORMAT_INFO);
  await (await MqttPeer.dial(portOf(mqtt))).connect({ clientId: 'a' });
  const openwire = await start(t, { transportConnectors: ['auto://127.0.0.1:0?auto.protocols=default'], log });
  await closedAfter(portOf(openwire), Buffer.from('100d00044d5154540402003c000161', 'hex'));
  assert.deepEqual(reasons.slice(0, 1), ['the first bytes are neither mqtt nor openwire: 474554202f20485454502f312e310d0a']);
  assert.match(String(reasons[1]), /^the first bytes are neither mqtt: 0000/);
  assert.match(String(reasons[2]), /^the first bytes are neither openwire: 100d00044d515454/);
});

test('limits of an auto connector hold for the protocol that they name', async (t) => {
  const options = 'wireFormat.mqtt.maxFrameSize=1000&maximumConnections=1&protocolDetectionTimeOut=400';
  const broker = await start(t, { transportConnectors: [`auto://127.0.0.1:0?${options}`], log: 'silent' });
  const silent = await MqttPeer.dial(portOf(broker));
  const large = await (await MqttPeer.dial(portOf(broker), { level: 5 })).connect({ clientId: 'large' });
  const surplus = await MqttPeer.dial(portOf(broker), { level: 4 });
  surplus.send(surplus.packets.connect({ clientId: 'surplus' }));
  await surplus.expect('20 02 00 03');
  large.send(large.packets.publish({ topic: 'a', payload: 'x'.repeat(1_000) }));
  await large.expectDisconnect(0x95);
  await silent.expectClose();
});

test('an auto connector behind a proxy reads the PROXY header first', async (t) => {
  const addresses: unknown[] = [];
  const log: Log = { ...silentLog, debug: (message, facts) => message === 'client connected' && addresses.push(facts!.remoteAddress) };
  const options = 'transport.proxyProtocol=required&transport.proxyProtocolTrusted=127.0.0.1';
  const broker = await start(t, { transportConnectors: [`auto://127.0.0.1:0?${options}`], log });
  const peer = await MqttPeer.dial(portOf(broker));
  const header = writeProxyHeaderV2({ source: { address: '192.0.2.7', port: 4711 }, destination: { address: '192.0.2.1', port: 1 } });
  for (const byte of header) await peer.sent(Buffer.of(byte));
  await peer.connect({ clientId: 'a' });
  assert.deepEqual(addresses, ['192.0.2.7:4711']);
});

test('an auto connector with TLS finds out what is spoken within it, also behind a PROXY header', async (t) => {
  if (NO_OPENSSL !== null) return t.skip(NO_OPENSSL);
  const authority = new Authority('test');
  t.after(() => authority.remove());
  const issued = authority.issue('broker', { subject: '/CN=localhost', names: 'DNS:localhost,IP:127.0.0.1' });
  const keyStore = authority.pkcs12('broker.p12', issued, 'secret');
  const proxied = '?transport.proxyProtocol=optional&amp;transport.proxyProtocolTrusted=127.0.0.1';
  for (const scheme of ['auto+ssl', 'auto+nio+ssl']) {
    const xml = `<broker xmlns="http://activemq.apache.org/schema/core" persistent="false">
  <sslContext><sslContext keyStore="file:${keyStore}" keyStorePassword="secret"/></sslContext>
  <transportConnectors><transportConnector uri="${scheme}://127.0.0.1:0${proxied}"/></transportConnectors>
</broker>`;
    const broker = await start(t, { xml, log: 'silent' });
    for (const header of [Buffer.alloc(0), writeProxyHeaderV2(null)]) {
      for (const [first, answer] of [
        [Buffer.from('100d00044d5154540402003c000161', 'hex'), '20020000'],
        [WIRE_FORMAT_INFO, Buffer.from('ActiveMQ').toString('hex')],
      ] as const) {
        const plain = connect(portOf(broker), '127.0.0.1');
        t.after(() => plain.destroy());
        await new Promise((resolve) => plain.once('connect', resolve));
        plain.write(header);
        const socket = connectTls({ socket: plain, rejectUnauthorized: false, servername: 'localhost' });
        await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
        for (const byte of first) socket.write(Buffer.of(byte));
        const received = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
        assert.ok(received.toString('hex').includes(answer), received.toString('hex'));
        socket.destroy();
      }
    }
  }
});

test('a full connector closes brokers that dial it, and says once that it is full', async (t) => {
  const warnings: string[] = [];
  const hub = await start(t, {
    brokerName: 'hub',
    transportConnectors: ['tcp://127.0.0.1:0?maximumConnections=0'],
    log: { ...silentLog, warn: (message: string) => warnings.push(message) },
  });
  const far = await start(t, {
    brokerName: 'far',
    transportConnectors: ['mqtt://127.0.0.1:0'],
    networkConnectors: [`static:(tcp://127.0.0.1:${portOf(hub)})`],
    log: 'silent',
  });
  const deadline = Date.now() + 20_000;
  while (warnings.length === 0) {
    assert.ok(Date.now() < deadline, 'the connector says that it is full');
    await delay(10);
  }
  await delay(1_000); // it is dialled again and again
  assert.deepEqual(warnings, ['connector is full: further connections are turned away']);
  await (await MqttPeer.dial(portOf(far))).connect({ clientId: 'a' });
});
