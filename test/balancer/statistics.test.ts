import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { COLUMNS } from '../../src/balancer/stats/columns.ts';
import type { ProxyModel, Stats } from '../../src/config/haproxy/model.ts';
import { bind, frontAndBack, model, type SectionSketch, STATS, section } from './model-builder.ts';
import { answersMqtt, closedPort, echoes, MqttClient, startBalancer, startPeer } from './peers.ts';
import { needsHaproxy, startHaproxy } from './real-haproxy.ts';

const AUTHORIZATION = `Authorization: Basic ${Buffer.from('admin:admin').toString('base64')}\r\n`;

function statistics(change: Partial<Stats> = {}, sketch: SectionSketch = {}): ProxyModel {
  return model([
    section({ name: 'admin_stats', mode: 'http', tcplog: false, binds: [bind()], stats: { ...STATS, ...change }, ...sketch }),
    section({ name: 'fe', kind: 'frontend', id: 3, binds: [bind()], defaultBackend: 'be' }),
    section({ name: 'be', kind: 'backend', id: 4, servers: [1, { port: 2, backup: true }, { port: 3, disabled: true }] }),
  ]);
}

/** Sends bytes, half-closes when told, and resolves with everything that came back. */
async function ask(port: number, request: string | Buffer, options: { fin?: boolean } = {}): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  socket.on('error', () => {});
  socket.write(request);
  if (options.fin !== false) socket.end();
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('end', () => socket.end());
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return Buffer.concat(chunks).toString('latin1');
}

const get = (port: number, target: string, headers = ''): Promise<string> =>
  ask(port, `GET ${target} HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`);

const bodyOf = (answer: string): string => answer.slice(answer.indexOf('\r\n\r\n') + 4);

test('without the right password there is the answer that HAProxy gives', async (t) => {
  const { port } = await startBalancer(t, statistics({ auth: [{ user: 'admin', password: 'admin' }] }));
  const expected =
    'HTTP/1.1 401 Unauthorized\r\ncontent-length: 112\r\ncache-control: no-cache\r\ncontent-type: text/html\r\n' +
    'www-authenticate: Basic realm="HAProxy Statistics"\r\nconnection: close\r\n\r\n' +
    '<html><body><h1>401 Unauthorized</h1>\nYou need a valid user and password to access this content.\n</body></html>\n';
  assert.equal(await get(port, '/haproxy'), expected);
  assert.equal(await get(port, '/haproxy;csv', `Authorization: Basic ${Buffer.from('admin:wrong').toString('base64')}\r\n`), expected);
  assert.equal(await get(port, '/haproxy', 'Authorization: Bearer xyz\r\n'), expected);
  assert.match(await get(port, '/haproxy', AUTHORIZATION), /^HTTP\/1\.1 200 OK\r\n/);
});

test('the page shows every proxy and server under the names that HAProxy uses', async (t) => {
  const { balancer, port } = await startBalancer(t, statistics({ refreshSeconds: 30 }), { version: '1.2.3' });
  const answer = await get(port, '/haproxy');
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\ncache-control: no-cache\r\ncontent-type: text\/html/);
  assert.match(answer, /\r\nrefresh: 30\r\n/);
  const page = bodyOf(answer);
  const words =
    'Queue,Session rate,Sessions,Bytes,Denied,Errors,Warnings,Server,Cur,Max,Limit,Total,LbTot,Last,In,Out,Req,Resp,Conn,Retr,Redis,' +
    'Status,LastChk,Wght,Act,Bck,Chk,Dwn,Dwntme,Thrtle';
  for (const word of words.split(',')) assert.ok(page.includes(`>${word}</th>`), word);
  for (const text of ['version 1.2.3', `pid = </b> ${process.pid}`, 'General process information', 'active UP, going down', 'CSV export']) {
    assert.ok(page.includes(text), text);
  }
  for (const name of ['admin_stats/Frontend', 'admin_stats/Backend', 'fe/Frontend', 'be/s1', 'be/s2', 'be/s3', 'be/Backend']) {
    assert.ok(page.includes(`id="${name}"`), name);
  }
  const lines = page.match(/<th scope="row">.*?<\/tr>/gs) ?? [];
  assert.equal(lines.length, 7);
  for (const line of lines) assert.equal(line.match(/<td/g)?.length, 30, line);
  assert.ok(page.includes('<tr class="maintain">') && page.includes('<tr class="backup_no_check">'));
  assert.equal(balancer.frontends[0]!.tally.intercepted, 1);
});

test('display options: no refresh, servers that serve, part of a name, and what is hidden', async (t) => {
  const { port } = await startBalancer(t, statistics({ refreshSeconds: 5, hideVersion: true, showNode: 'n1', showDesc: 'a & b' }), {
    version: '1.2.3',
  });
  assert.ok(!(await get(port, '/haproxy;norefresh')).includes('\r\nrefresh:'));
  const page = bodyOf(await get(port, '/haproxy;up'));
  assert.ok(page.includes('id="be/s1"') && !page.includes('id="be/s3"'));
  assert.ok(!page.includes('1.2.3'));
  assert.ok(page.includes('on n1: a &amp; b'));
  const part = bodyOf(await get(port, '/haproxy?scope=fe'));
  assert.ok(part.includes('id="fe"') && !part.includes('id="be"'));
});

test('scope limits what is told; a dot is the proxy itself', async (t) => {
  const { port } = await startBalancer(t, statistics({ scope: ['.', 'be'] }));
  const csv = bodyOf(await get(port, '/haproxy;csv'));
  assert.deepEqual(
    [
      ...new Set(
        csv
          .trim()
          .split('\n')
          .slice(1)
          .map((line) => line.split(',')[0]),
      ),
    ],
    ['admin_stats', 'be'],
  );
});

test('names cannot break out of the page or the CSV', async (t) => {
  const { port } = await startBalancer(
    t,
    model([
      section({ name: 'admin', mode: 'http', binds: [bind()], stats: STATS }),
      section({ name: '<script>"\'', kind: 'backend', id: 3, servers: [{ port: 1, name: 'a,"b"<i>' }] }),
    ]),
  );
  const page = bodyOf(await get(port, '/haproxy?scope=%3Cscript%3E'));
  assert.ok(!page.includes('<script>') && !page.includes('<i>') && page.includes('&lt;script&gt;'));
  assert.ok(bodyOf(await get(port, '/haproxy;csv')).includes('"<script>""\'","a,""b""<i>",'));
});

test('JSON carries the same fields with their tags', async (t) => {
  const { port } = await startBalancer(t, statistics());
  const answer = await get(port, '/haproxy;json');
  assert.match(answer, /content-type: application\/json\r\n/);
  const rows = JSON.parse(bodyOf(answer)) as { objType: string; field: { pos: number; name: string }; tags: object; value: object }[][];
  assert.deepEqual(
    rows.map((row) => row[0]!.objType),
    ['Frontend', 'Backend', 'Frontend', 'Server', 'Server', 'Server', 'Backend'],
  );
  assert.deepEqual(rows[0]![2], {
    objType: 'Frontend',
    proxyId: 2,
    id: 0,
    field: { pos: 4, name: 'scur' },
    processNum: 1,
    tags: { origin: 'Metric', nature: 'Gauge', scope: 'Process' },
    value: { type: 'u32', value: 1 },
  });
  const schema = JSON.parse(bodyOf(await get(port, '/haproxy;json-schema'))) as { type: string };
  assert.equal(schema.type, 'array');
});

test('requests on one connection are answered one after the other', async (t) => {
  const { port } = await startBalancer(t, statistics());
  const answer = await ask(port, 'GET /haproxy;csv HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\nHEAD /haproxy HTTP/1.1\r\n\r\n');
  assert.deepEqual(answer.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 503', 'HTTP/1.1 200']);
});

test('a client that asks and does not read is not answered without end', async (t) => {
  const { balancer, port } = await startBalancer(t, statistics());
  const { tally } = balancer.frontends[0]!;
  const socket = connect({ host: '127.0.0.1', port });
  t.after(() => socket.destroy());
  socket.pause();
  const number = 20_000;
  socket.write('GET /haproxy HTTP/1.1\r\n\r\n'.repeat(number));
  let before = -1;
  while (tally.requests === 0 || tally.requests !== before) {
    before = tally.requests;
    await delay(200);
  }
  assert.ok(tally.requests < number / 2, `${tally.requests} answered`);
  // As soon as it reads, it gets the rest.
  socket.resume();
  while (tally.requests < before + 50) await delay(20);
});

test('the statistics can be seen when the process is full', async (t) => {
  const peer = await startPeer(t, answersMqtt);
  const { balancer } = await startBalancer(
    t,
    frontAndBack({
      servers: [peer.port],
      global: { maxconn: 1 },
      more: [section({ name: 'admin', mode: 'http', id: 9, binds: [bind()], stats: STATS })],
    }),
  );
  const [front, admin] = balancer.boundAddresses();
  const client = new MqttClient(front!.port);
  assert.equal(await client.outcome, 'connack');
  assert.match(await get(admin!.port, '/haproxy;csv'), /^HTTP\/1\.1 200/);
  client.close();
});

test('garbage gets an answer or a closed connection, and hurts nobody', async (t) => {
  const { balancer, port } = await startBalancer(t, statistics());
  let seed = 7;
  const random = (limit: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % limit;
  };
  const mutate = (text: string): Buffer => {
    const bytes = Buffer.from(text, 'latin1');
    for (let i = random(4); i >= 0; i--) bytes[random(bytes.length)] = random(256);
    return bytes.subarray(0, random(bytes.length) + 1);
  };
  const asked: Promise<string>[] = [];
  for (let i = 0; i < 300; i++) {
    const garbage =
      i % 3 === 0
        ? Buffer.from(Array.from({ length: random(600) + 1 }, () => random(256)))
        : mutate(`GET /haproxy;csv HTTP/1.1\r\nHost: x\r\n${AUTHORIZATION}\r\n`.repeat(1 + random(3)));
    asked.push(ask(port, garbage));
    if (asked.length % 50 === 0) await Promise.all(asked);
  }
  for (const answer of await Promise.all(asked)) assert.match(answer, /^(HTTP\/1\.1 (200|303|400|503) |$)/);
  assert.match(await get(port, '/haproxy'), /^HTTP\/1\.1 200/);
  while (balancer.load.connections.value > 0) await delay(10);
});

test('a request that never ends is ended by the time-out, a silent connection without a word', async (t) => {
  const { balancer, port } = await startBalancer(t, statistics({}, { timeouts: { httpRequest: 300 } }));
  const [drip, silent] = await Promise.all([ask(port, 'GET /haproxy HT', { fin: false }), ask(port, '', { fin: false })]);
  assert.match(drip, /^HTTP\/1\.1 408 Request Time-out\r\n/);
  assert.equal(silent, '');
  assert.equal(balancer.frontends[0]!.tally.requestErrors, 1);
});

/** Sent to both, answers compared byte for byte, but for the header of our page and who ends the connection how. */
const REQUESTS: readonly string[] = [
  'GET /haproxy HTTP/1.1\r\n\r\n',
  'GET / HTTP/1.1\r\n\r\n',
  `POST /haproxy HTTP/1.1\r\n${AUTHORIZATION}Content-Length: 0\r\n\r\n`,
  `PUT /haproxy HTTP/1.1\r\n${AUTHORIZATION}\r\n`,
  `DELETE /haproxy HTTP/1.1\r\n${AUTHORIZATION}\r\n`,
  'GARBAGE\r\n\r\n',
  'GET / HTTP/1.1\r\nno colon\r\n\r\n',
  `GET / HTTP/1.1\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`,
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
];

test('the real haproxy answers the same to requests that are none of the page', async (t) => {
  if (!needsHaproxy(t)) return;
  const theirPort = await closedPort();
  await startHaproxy(
    t,
    () => `defaults\n timeout connect 5s\n timeout client 5s\n timeout server 5s\nlisten admin_stats\n mode http
 bind 127.0.0.1:${theirPort}\n stats uri /haproxy\n stats auth admin:admin\n`,
    () => theirPort,
  );
  const { port } = await startBalancer(t, statistics({ auth: [{ user: 'admin', password: 'admin' }] }));
  for (const request of REQUESTS) {
    const [theirs, ours] = await Promise.all([ask(theirPort, Buffer.from(request, 'latin1')), ask(port, Buffer.from(request, 'latin1'))]);
    const plain = (answer: string): string => answer.replace('connection: close\r\n', '');
    assert.equal(plain(ours), plain(theirs), JSON.stringify(request.slice(0, 60)));
  }
});

/** Columns whose value depends on time, or on how a connection to a server is kept. */
const UNLIKE: ReadonlySet<string> = new Set([
  ...['lastchg', 'lastsess', 'rate', 'rate_max', 'conn_rate', 'conn_rate_max', 'req_rate', 'req_rate_max', 'downtime'],
  ...['qtime', 'ctime', 'rtime', 'ttime', 'qtime_max', 'ctime_max', 'rtime_max', 'ttime_max', 'used_conn_cur', 'need_conn_est'],
]);

test('the CSV has the columns of the real haproxy, filled where it fills them, with the same figures after the same sessions', async (t) => {
  if (!needsHaproxy(t)) return;
  const echo = await startPeer(t, echoes);
  const resets = await startPeer(t, (socket) => socket.once('data', () => socket.resetAndDestroy()));
  const refused = await closedPort();
  const ports = await Promise.all(Array.from({ length: 4 }, quietPort));
  await startHaproxy(
    t,
    // With a stats socket HAProxy's own proxy has number 1, and those of the file begin with 2. With two threads it can count one session as
    // two at a time (smax).
    (
      folder,
    ) => `global\n maxconn 1000\n nbthread 1\n stats socket ${folder}/stats.sock\ndefaults\n mode tcp\n timeout connect 5s\n timeout client 5s\n timeout server 5s
listen admin\n mode http\n bind 127.0.0.1:${ports[0]}\n stats uri /haproxy
frontend fe\n bind 127.0.0.1:${ports[1]}\n maxconn 77\n default_backend be
backend be\n server s1 127.0.0.1:${echo.port} weight 3 maxconn 50 maxqueue 9\n server s2 127.0.0.1:${echo.port}
 server s3 127.0.0.1:1 disabled\n server s4 127.0.0.1:1 weight 0\n server b1 127.0.0.1:1 backup
listen resets\n bind 127.0.0.1:${ports[2]}\n server s1 127.0.0.1:${resets.port}
listen refused\n bind 127.0.0.1:${ports[3]}\n retries 0\n server s1 127.0.0.1:${refused}
backend unused\n fullconn 12\n server s1 127.0.0.1:1 disabled\n`,
    () => ports[0]!,
  );
  const { balancer } = await startBalancer(
    t,
    model([
      section({ name: 'admin', mode: 'http', tcplog: false, binds: [bind()], stats: STATS, defaultBackend: 'admin' }),
      section({ name: 'fe', kind: 'frontend', id: 3, maxconn: 77, binds: [bind()], defaultBackend: 'be' }),
      section({
        name: 'be',
        kind: 'backend',
        id: 4,
        servers: [
          { port: echo.port, weight: 3, maxconn: 50, maxqueue: 9 },
          echo.port,
          { port: 1, disabled: true },
          { port: 1, weight: 0 },
          { port: 1, backup: true, name: 'b1' },
        ],
      }),
      section({ name: 'resets', id: 5, binds: [bind()], defaultBackend: 'resets', servers: [resets.port] }),
      section({ name: 'refused', id: 6, retries: 0, binds: [bind()], defaultBackend: 'refused', servers: [refused] }),
      section({ name: 'unused', kind: 'backend', id: 7, fullconn: 12, servers: [{ port: 1, disabled: true }] }),
    ]),
  );
  const ourPorts = balancer.boundAddresses().map((address) => address.port);
  // The probe of the start was a session of theirs; let us have had one too.
  await ask(ourPorts[0]!, '');
  const theirs: Figures[] = [];
  const ours: Figures[] = [];
  for (const [side, results] of [
    [ports, theirs],
    [ourPorts, ours],
  ] as const) {
    const held: Socket[] = [];
    for (let i = 0; i < 6; i++) held.push(await talk(t, side[1]!));
    for (const socket of held) await hangUp(socket);
    await ask(side[2]!, 'x', { fin: false });
    await ask(side[3]!, '', { fin: false });
    await delay(20);
    results.push(figures(bodyOf(dechunked(await get(side[0]!, '/haproxy;csv')))));
  }
  assert.deepEqual(
    theirs[0]!.header,
    COLUMNS.map((column) => column.name),
  );
  assert.deepEqual(ours[0]!.header, theirs[0]!.header);
  assert.deepEqual(ours[0]!.filled, theirs[0]!.filled);
  assert.deepEqual(ours[0]!.values, theirs[0]!.values);
});

/**
 * A free port below those that the system gives out: clients of other tests that dial a port given up long ago would be counted as
 * sessions here.
 */
async function quietPort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

interface Figures {
  readonly header: string[];
  /** Names of the columns that are not empty, a row. */
  readonly filled: Record<string, string>;
  readonly values: Record<string, Record<string, string>>;
}

function figures(csv: string): Figures {
  const [head, ...lines] = csv.trim().split('\n');
  const header = head!.replace(/^# /, '').replace(/,$/, '').split(',');
  const filled: Record<string, string> = {};
  const values: Record<string, Record<string, string>> = {};
  for (const line of lines) {
    const fields = line.split(',');
    assert.equal(fields.length, header.length + 1, line);
    const name = `${fields[0]}/${fields[1]}`;
    filled[name] = header.filter((_, i) => fields[i] !== '').join(' ');
    // What a request of the statistics itself counts depends on when in its course the counters are read.
    if (fields[0] === 'admin') continue;
    values[name] = Object.fromEntries(header.map((column, i) => [column, fields[i]!] as const).filter(([column]) => !UNLIKE.has(column)));
  }
  return { header, filled, values };
}

function dechunked(answer: string): string {
  if (!/transfer-encoding: chunked/.test(answer)) return answer;
  let body = bodyOf(answer);
  let text = '';
  for (;;) {
    const size = Number.parseInt(body, 16);
    if (!(size > 0)) return `\r\n\r\n${text}`;
    const at = body.indexOf('\r\n') + 2;
    text += body.slice(at, at + size);
    body = body.slice(at + size + 2);
  }
}

async function talk(t: TestContext, port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port });
  t.after(() => socket.destroy());
  socket.on('error', () => {});
  socket.write('hello');
  await new Promise<void>((resolve) => socket.once('data', () => resolve()));
  return socket;
}

async function hangUp(socket: Socket): Promise<void> {
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.end();
  await closed;
}
