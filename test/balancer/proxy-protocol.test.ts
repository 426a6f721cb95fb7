import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Balancer } from '../../src/balancer/balancer.ts';
import { readHAProxy } from '../../src/config/haproxy/read.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { writeProxyHeaderV1, writeProxyHeaderV2 } from '../../src/transport/proxy-header-writer.ts';
import { type ProxyHeader, readProxyHeader } from '../../src/transport/proxy-protocol.ts';
import { freePorts } from '../harness/program.ts';
import { startPeer } from './peers.ts';
import { needsHaproxy, startHaproxy } from './real-haproxy.ts';

/** The same clients and servers around the real haproxy and around ours: bytes and log lines must agree in all but ports and dates. */

const CLIENT = { source: { address: '192.0.2.7', port: 4711 }, destination: { address: '198.51.100.1', port: 1883 } };
const CLIENT_6 = { source: { address: '2001:db8::7', port: 4711 }, destination: { address: '2001:db8::1', port: 1883 } };
const PATHS = { source: { address: '/run/client.sock', port: null }, destination: { address: '/run/server.sock', port: null } };

/** One balancer of either kind, with a server that keeps what it is sent, and a log. */
interface Stage {
  readonly port: number;
  readonly path: string;
  readonly lines: string[];
  /** What the server got from each client, when the client has closed. */
  readonly received: Buffer[];
  dial(unix?: boolean): Socket;
}

type Kind = 'haproxy' | 'ours';

async function start(t: TestContext, kind: Kind, words: { bind?: string; server?: string; section?: string }): Promise<Stage> {
  const received: Buffer[] = [];
  const server = await startPeer(t, (socket) => {
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('end', () => {
      received.push(Buffer.concat(chunks));
      socket.end();
    });
  });
  const lines: string[] = [];
  const log = createSocket('udp4', (message) => lines.push(String(message)));
  await new Promise<void>((resolve) => log.bind(0, '127.0.0.1', resolve));
  t.after(() => log.close());
  const [port] = await freePorts(1);
  const configuration = (folder: string): string => `defaults
  mode tcp
  log 127.0.0.1:${log.address().port} local0
  timeout connect 20s
  timeout client 20s
  timeout server 20s
listen mqtt
  bind 127.0.0.1:${port} ${words.bind ?? ''}
  bind ${join(folder, 's.sock')} ${words.bind ?? ''}
  ${words.section ?? 'option tcplog'}
  server s 127.0.0.1:${server.port} ${words.server ?? ''}
`;
  const folder = kind === 'haproxy' ? await startReal(t, configuration) : await startOurs(t, configuration);
  const path = join(folder, 's.sock');
  const dial = (unix = false): Socket => {
    const socket = unix ? connect({ path }) : connect({ host: '127.0.0.1', port: port!, noDelay: true });
    socket.on('error', () => {});
    t.after(() => socket.destroy());
    return socket;
  };
  return { port: port!, path, lines, received, dial };
}

async function startReal(t: TestContext, configuration: (folder: string) => string): Promise<string> {
  // The probe of its start must not be seen: it is made at another port.
  const [probe] = await freePorts(1);
  const text = (folder: string): string => `${configuration(folder)}listen probe\n  no log\n  bind 127.0.0.1:${probe}\n`;
  const { folder } = await startHaproxy(t, text, () => probe!);
  return folder;
}

async function startOurs(t: TestContext, configuration: (folder: string) => string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'balancer-'));
  const { model, diagnostics } = readHAProxy([{ file: 'haproxy.cfg', text: configuration(folder) }], { environment: {} });
  assert.deepEqual(
    diagnostics.filter(({ severity }) => severity === 'error'),
    [],
  );
  const balancer = new Balancer(model!, { log: silentLog });
  await balancer.start();
  t.after(async () => {
    await balancer.stop({ hard: true });
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > deadline) assert.fail(`waited 20 s for ${what}`);
    await delay(2);
  }
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.resume();
    socket.once('close', () => resolve());
  });
}

/** Bytes with this client's own port, and the balancer's, made equal; a checksum is then another one. */
function comparable(bytes: Buffer, clientPort: number, port: number): string {
  const text = bytes.toString('latin1');
  if (text.startsWith('PROXY')) return text.replaceAll(String(clientPort), 'CLIENT').replaceAll(String(port), 'PORT');
  const copy = Buffer.from(bytes);
  const header = readProxyHeader(bytes, 0, bytes.length);
  assert.ok(typeof header === 'object', bytes.toString('hex'));
  if (header.source?.port === clientPort) {
    const at = 16 + (header.source.address.includes(':') ? 32 : 8);
    copy.writeUInt32BE(0, at);
    const checksum = copy.indexOf(Buffer.from([3, 0, 4]), at + 4);
    if (checksum === at + 4) copy.writeUInt32BE(0, checksum + 3);
  }
  return copy.toString('hex');
}

for (const words of [
  'send-proxy',
  'send-proxy-v2',
  'send-proxy-v2-ssl',
  'send-proxy-v2-ssl-cn',
  'send-proxy-v2 proxy-v2-options crc32c',
  'send-proxy-v2 proxy-v2-options crc32c,unique-id,authority,ssl,cert-cn,ssl-cipher,cert-sig,cert-key',
  'proxy-v2-options crc32c',
  'send-proxy send-proxy-v2',
  'send-proxy-v2 no-send-proxy',
  'send-proxy send-proxy-v2 no-send-proxy-v2',
  'send-proxy-v2-ssl-cn no-send-proxy-v2-ssl',
]) {
  test(`a server with ${words} gets what haproxy sends in front of the client’s bytes`, async (t) => {
    if (!needsHaproxy(t)) return;
    const seen: Record<Kind, string[]> = { haproxy: [], ours: [] };
    for (const kind of ['haproxy', 'ours'] as const) {
      const stage = await start(t, kind, { server: words });
      for (const unix of [false, true]) {
        const before = stage.received.length;
        const socket = stage.dial(unix);
        await new Promise((resolve) => socket.once('connect', resolve));
        const clientPort = socket.localPort ?? 0;
        socket.end('hello');
        await closed(socket);
        await until(() => stage.received.length > before, 'the server to have it all');
        seen[kind].push(comparable(stage.received.at(-1)!, clientPort, stage.port));
      }
    }
    assert.deepEqual(seen.ours, seen.haproxy);
    assert.ok(seen.ours.every((bytes) => bytes.endsWith('hello') || bytes.endsWith(Buffer.from('hello').toString('hex'))));
  });
}

for (const [name, header] of [
  ['version 1', writeProxyHeaderV1(CLIENT)],
  ['version 1, IPv6', writeProxyHeaderV1(CLIENT_6)],
  ['version 1, UNKNOWN', writeProxyHeaderV1(null)],
  ['version 2', writeProxyHeaderV2(CLIENT)],
  ['version 2, IPv6', writeProxyHeaderV2(CLIENT_6, [{ type: 0x04, value: Buffer.alloc(3) }], { checksum: true })],
  ['version 2, LOCAL', writeProxyHeaderV2(null)],
] as const) {
  test(`a bind with accept-proxy takes a header of ${name} as haproxy does: the client’s address in the log and towards the server`, async (t) => {
    if (!needsHaproxy(t)) return;
    const seen: Record<Kind, string[]> = { haproxy: [], ours: [] };
    for (const kind of ['haproxy', 'ours'] as const) {
      const stage = await start(t, kind, { bind: 'accept-proxy', server: 'send-proxy' });
      const socket = stage.dial();
      await new Promise((resolve) => socket.once('connect', resolve));
      const clientPort = socket.localPort!;
      socket.end(Buffer.concat([header, Buffer.from('hello')]));
      await closed(socket);
      await until(() => stage.received.length === 1 && stage.lines.length === 1, 'the bytes and the line');
      const client = /: (\S+) \[/.exec(stage.lines[0]!)![1]!;
      seen[kind].push(comparable(stage.received[0]!, clientPort, stage.port), client.replace(String(clientPort), 'CLIENT'));
    }
    assert.deepEqual(seen.ours, seen.haproxy);
  });
}

test('a header comes in pieces, and what follows in the same piece is the client’s', async (t) => {
  const stage = await start(t, 'ours', { bind: 'accept-proxy', server: 'send-proxy-v2' });
  const socket = stage.dial();
  for (const byte of Buffer.concat([writeProxyHeaderV2(CLIENT), Buffer.from('he')])) {
    socket.write(Buffer.of(byte));
    await delay(1);
  }
  socket.end('llo');
  await closed(socket);
  await until(() => stage.received.length === 1, 'the bytes');
  const bytes = stage.received[0]!;
  const header = readProxyHeader(bytes, 0, bytes.length) as ProxyHeader;
  assert.deepEqual(header.source, CLIENT.source);
  assert.equal(bytes.toString('latin1', header.size), 'hello');
});

const REFUSED: readonly { readonly what: string; readonly bytes: Buffer }[] = [
  { what: 'something else', bytes: Buffer.from('hello world, this is no header') },
  { what: 'a wrong port', bytes: Buffer.from('PROXY TCP4 1.2.3.4 5.6.7.8 9 x\r\n') },
  { what: 'half a header', bytes: Buffer.from('PROXY TCP4 1.2.3') },
  { what: 'a family that there is not', bytes: Buffer.from('0d0a0d0a000d0a515549540a2141000c7f0000017f000001b794c2dd', 'hex') },
  { what: 'nothing', bytes: Buffer.alloc(0) },
];

for (const section of ['option tcplog', 'option tcplog\n  option dontlognull', '']) {
  test(`clients without a good header are closed, and the log says of them what haproxy says: ${section === '' ? 'no tcplog' : section.replace('\n ', ',')}`, async (t) => {
    if (!needsHaproxy(t)) return;
    const seen: Record<Kind, string[]> = { haproxy: [], ours: [] };
    for (const kind of ['haproxy', 'ours'] as const) {
      const stage = await start(t, kind, { bind: 'accept-proxy name entrance', section });
      for (const { bytes } of REFUSED) {
        const socket = stage.dial();
        await new Promise((resolve) => socket.once('connect', resolve));
        socket.end(bytes);
        await closed(socket);
      }
      // One that is let in ends what is to be compared.
      const last = stage.dial();
      await new Promise((resolve) => last.once('connect', resolve));
      last.end(Buffer.concat([writeProxyHeaderV1(CLIENT), Buffer.from('hello')]));
      await closed(last);
      await until(() => stage.lines.some((line) => line.includes('192.0.2.7:4711')), 'the line of the one that is let in');
      assert.equal(stage.received.length, 1);
      const lines = stage.lines.filter((line) => !line.includes('192.0.2.7:4711'));
      seen[kind] = lines.map((line) => line.replace(/^.*?: (?=\S+ \[)/, '').replace(/:\d+ \[[^\]]*\]/, ':PORT [DATE]'));
    }
    assert.deepEqual(seen.ours, seen.haproxy);
  });
}

test('a client that is silent where a header is due is closed after timeout client, and no server hears of it', async (t) => {
  const stage = await start(t, 'ours', { bind: 'accept-proxy', section: 'option tcplog\n  timeout client 300' });
  const silent = stage.dial();
  await closed(silent);
  const half = stage.dial();
  half.write('PROXY TCP4');
  await closed(half);
  await until(() => stage.lines.length === 2, 'both lines');
  assert.match(stage.lines[0]!, /mqtt\/1: Timeout while waiting for PROXY protocol header\s*$/);
  assert.match(stage.lines[1]!, /mqtt\/1: Truncated PROXY protocol header received\s*$/);
  assert.equal(stage.received.length, 0);
});

test('unix addresses in a header are taken, and are no IP addresses for the next server', async (t) => {
  const stage = await start(t, 'ours', { bind: 'accept-proxy', server: 'send-proxy' });
  const socket = stage.dial();
  socket.end(Buffer.concat([writeProxyHeaderV2(PATHS), Buffer.from('hello')]));
  await closed(socket);
  await until(() => stage.received.length === 1, 'the bytes');
  assert.equal(stage.received[0]!.toString(), 'PROXY UNKNOWN\r\nhello');
});
