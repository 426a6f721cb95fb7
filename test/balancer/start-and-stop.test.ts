import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Balancer } from '../../src/balancer/balancer.ts';
import { ConfigError } from '../../src/errors.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { bind, frontAndBack, model, section, udpLog } from './model-builder.ts';
import { answersMqtt, closedPort, MqttClient, startBalancer, startPeer } from './peers.ts';

test('every address that cannot be bound is named, and nothing stays open', async (t) => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  t.after(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const free = await closedPort();
  const balancer = new Balancer(
    model([
      section({
        name: 'both',
        binds: [
          bind({ port: free, place: { file: 'h.cfg', line: 7 } }),
          bind({ port, place: { file: 'h.cfg', line: 8 } }),
          bind({ host: '10.99.99.99', port: 1, place: { file: 'h.cfg', line: 9 } }),
        ],
      }),
      section({ name: 'fe', kind: 'frontend', binds: [bind({ port, place: { file: 'h.cfg', line: 12 } })] }),
      section({ name: 'ux', binds: [bind({ path: '/nonexistent/dir/x.sock', place: { file: 'h.cfg', line: 15 } })] }),
    ]),
    { log: silentLog },
  );
  await assert.rejects(balancer.start(), (error: ConfigError) => {
    assert.ok(error instanceof ConfigError);
    assert.equal(error.code, 'PORT_TAKEN');
    assert.deepEqual(error.message.split('\n'), [
      `Binding [h.cfg:8] for proxy both: cannot bind socket (Address already in use) for [127.0.0.1:${port}]`,
      'Binding [h.cfg:9] for proxy both: cannot bind socket (Cannot assign requested address) for [10.99.99.99:1]',
      `Binding [h.cfg:12] for frontend fe: cannot bind socket (Address already in use) for [127.0.0.1:${port}]`,
      'Binding [h.cfg:15] for proxy ux: cannot bind UNIX socket (No such file or directory) [/nonexistent/dir/x.sock]',
    ]);
    return true;
  });
  const again = createServer();
  await new Promise<void>((resolve, reject) => again.once('error', reject).listen(free, '127.0.0.1', resolve));
  again.close();
});

test('a server whose name does not resolve is named with its line', async () => {
  const servers = [{ port: 1, host: 'no-such-host.invalid', place: { file: 'h.cfg', line: 20 } }];
  const balancer = new Balancer(frontAndBack({ servers }), { log: silentLog });
  await assert.rejects(balancer.start(), {
    code: 'ADDRESS_UNRESOLVED',
    message: "[h.cfg:20] : 'server be/s1' : could not resolve address 'no-such-host.invalid'.",
  });
});

test('one machine can stand in for others: addresses are mapped where they are bound and connected to', async (t) => {
  const peer = await startPeer(t, answersMqtt);
  const asked = new Set<string>();
  const { balancer, port } = await startBalancer(
    t,
    frontAndBack({ servers: [{ port: peer.port, host: '172.17.0.10' }], front: { binds: [bind({ host: '', text: '*:0' })] } }),
    {
      mapAddress: (host) => {
        asked.add(host);
        return host === '172.17.0.10' || host === '0.0.0.0' ? '127.0.0.1' : host;
      },
    },
  );
  assert.equal(balancer.boundAddresses()[0]!.host, '127.0.0.1');
  assert.deepEqual([...asked].sort(), ['0.0.0.0', '172.17.0.10']);
  const client = new MqttClient(port);
  assert.equal(await client.outcome, 'connack');
  client.close();
});

test('a soft stop closes the door, says so in the log, and waits for the sessions to end', async (t) => {
  const receiver = createSocket('udp4');
  await new Promise<void>((resolve) => receiver.bind(0, '127.0.0.1', resolve));
  t.after(() => receiver.close());
  const lines: string[] = [];
  receiver.on('message', (message) => lines.push(message.toString().trim()));
  const log = [udpLog((receiver.address() as AddressInfo).port, { maxLevel: 4 })];
  const peer = await startPeer(t, answersMqtt);
  const { balancer, port } = await startBalancer(t, frontAndBack({ servers: [peer.port], front: { log }, back: { log } }));
  const client = new MqttClient(port);
  assert.equal(await client.outcome, 'connack');
  let stopped = false;
  const stopping = balancer.stop().then(() => {
    stopped = true;
  });
  while (lines.length < 2) await delay(5);
  assert.deepEqual(lines, ['Proxy fe stopped (cumulated conns: FE: 1, BE: 0).', 'Proxy be stopped (cumulated conns: FE: 0, BE: 1).']);
  await client.ping();
  const late = connect({ host: '127.0.0.1', port });
  assert.equal(((await new Promise((resolve) => late.once('error', resolve))) as NodeJS.ErrnoException).code, 'ECONNREFUSED');
  assert.equal(stopped, false);
  client.close();
  await stopping;
});

test('hard-stop-after ends the sessions that a soft stop waits for', async (t) => {
  const peer = await startPeer(t, answersMqtt);
  const { balancer, port } = await startBalancer(t, frontAndBack({ servers: [peer.port], global: { hardStopAfterMs: 200 } }));
  const client = new MqttClient(port);
  assert.equal(await client.outcome, 'connack');
  await balancer.stop();
  await client.ended;
});

test('a hard stop ends everything, also what waits for a server', async (t) => {
  const peer = await startPeer(t, answersMqtt);
  const { balancer, port } = await startBalancer(t, frontAndBack({ servers: [{ port: peer.port, maxconn: 1 }] }));
  const clients = [new MqttClient(port)];
  assert.equal(await clients[0]!.outcome, 'connack');
  clients.push(new MqttClient(port));
  while (balancer.backends[0]!.queue.length === 0) await delay(5);
  await balancer.stop({ hard: true });
  for (const client of clients) await client.ended;
  assert.equal(balancer.load.connections.value, 0);
});

test('a unix socket is listened on, also where a dead process left its file', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'balancer-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'mqtt.sock');
  spawnSync(process.execPath, [
    '-e',
    `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`,
  ]);
  assert.ok(existsSync(path));
  const peer = await startPeer(t, answersMqtt);
  const { balancer } = await startBalancer(t, frontAndBack({ servers: [peer.port], front: { binds: [bind({ path })] } }));
  assert.equal(balancer.boundAddresses()[0]!.path, path);
  const socket = connect({ path });
  socket.write(Buffer.from('100d00044d5154540402003c000161', 'hex'));
  await new Promise<void>((resolve) => socket.once('data', () => resolve()));
  socket.destroy();
});
