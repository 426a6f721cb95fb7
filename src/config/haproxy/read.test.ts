// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are variables of haproxy.cfg
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { REPOSITORY_ROOT } from '../../../test/harness/repository-root.ts';
import { loadHAProxy } from './load.ts';
import type { ProxyModel, Proxy as ProxySection, Server } from './model.ts';
import { type ReadOptions, readHAProxy } from './read.ts';

const CLASSIC = readFileSync(join(REPOSITORY_ROOT, 'test/fixtures/classic/haproxy.cfg'));
const TIMEOUTS = 'defaults\n timeout connect 5s\n timeout client 1h\n timeout server 1h\n';

const read = (text: string, options: ReadOptions = {}) => readHAProxy([{ file: 'x.cfg', text }], { environment: {}, ...options });

/** The model of a file without errors. */
function model(text: string, options: ReadOptions = {}): ProxyModel {
  const result = read(text, options);
  assert.ok(result.model, result.diagnostics.map((d) => d.text).join('\n'));
  return result.model;
}

function proxy(text: string, name: string, options: ReadOptions = {}): ProxySection {
  const found = model(text, options).proxies.find((candidate) => candidate.name === name);
  assert.ok(found);
  return found;
}

function server(line: string): Server {
  return proxy(`${TIMEOUTS}backend b\n server ${line}\n`, 'b').servers[0]!;
}

/** What is said, without the place. */
function said(text: string, options: ReadOptions = {}): string[] {
  return read(text, options).diagnostics.map(({ level, origin, message }) => `${origin === 'haproxy' ? level : 'ours'}: ${message}`);
}

test('the classic file: two proxies and a backend, as its lines say', () => {
  const { model, diagnostics } = readHAProxy([{ file: 'haproxy.cfg', text: CLASSIC }], { environment: {} });
  assert.ok(model);
  assert.equal(model.global.maxconn, 10_240);
  assert.equal(model.global.daemon, true);
  const [target] = model.global.log;
  assert.deepEqual(
    [target?.kind, target?.address, target?.port, target?.facility, target?.maxLevel, target?.format],
    ['udp', '127.0.0.1', 514, 16, 6, 'local'],
  );
  const [stats, frontend, backend] = model.proxies;
  assert.deepEqual([stats?.name, stats?.kind, stats?.id, stats?.mode], ['admin_stats', 'listen', 2, 'http']);
  assert.deepEqual(
    [stats?.stats?.uri, stats?.stats?.refreshSeconds, stats?.stats?.auth],
    ['/haproxy', 30, [{ user: 'admin', password: 'admin' }]],
  );
  assert.deepEqual(
    stats?.log.map(({ facility, maxLevel }) => [facility, maxLevel]),
    [
      [16, 6],
      [19, 3],
    ],
    "a proxy's own log line adds to those of defaults",
  );
  assert.deepEqual([frontend?.kind, frontend?.mode, frontend?.defaultBackend, frontend?.tcplog], ['frontend', 'tcp', 'mqtt_agent', false]);
  assert.deepEqual(
    frontend?.binds.map(({ host, port, v4only, text }) => [host, port, v4only, text]),
    [['', 9_999, true, '*:9999']],
  );
  assert.deepEqual([backend?.timeouts.connect, backend?.timeouts.queue, backend?.timeouts.server], [500_000, 500_000, 500_000]);
  assert.deepEqual(
    backend?.servers.map(({ name, id, host, port, weight, maxconn, interMs, check }) => [
      name,
      id,
      host,
      port,
      weight,
      maxconn,
      interMs,
      check,
    ]),
    [
      ['s1', 1, '172.17.0.10', 1_883, 1, 2_000, 60_000, false],
      ['s2', 2, '172.17.0.10', 1_884, 1, 2_000, 60_000, false],
    ],
  );
  assert.deepEqual(
    diagnostics.map(({ severity, line, origin }) => [severity, line, origin]),
    [
      ['warning', 34, 'haproxy'],
      ['warning', 36, 'roundhouse'],
      ['warning', 37, 'roundhouse'],
    ],
  );
});

test('a proxy starts from the defaults above it, and a later defaults section starts afresh', () => {
  const text = `defaults\n mode http\n retries 5\n option redispatch 2\n timeout connect 1s\ndefaults\n timeout connect 2s\nbackend b\n`;
  const { mode, retries, redispatch, timeouts } = proxy(text, 'b');
  assert.deepEqual([mode, retries, redispatch, timeouts.connect], ['tcp', 3, null, 2_000]);
});

test('a proxy takes the defaults that it names, and these may build on others', () => {
  const text = `defaults a\n retries 5\n timeout connect 1s\ndefaults b from a\n timeout connect 2s\ndefaults c\nbackend x from b\n`;
  const { retries, timeouts } = proxy(text, 'x');
  assert.deepEqual([retries, timeouts.connect], [5, 2_000]);
});

test('timeout queue is timeout connect unless it is set', () => {
  assert.equal(proxy('backend b\n timeout connect 7s\n', 'b').timeouts.queue, 7_000);
  assert.equal(proxy('backend b\n timeout connect 7s\n timeout queue 1s\n', 'b').timeouts.queue, 1_000);
  assert.equal(proxy('backend b\n timeout connect 0\n', 'b').timeouts.connect, null, '0 is no timeout');
});

test('option redispatch alone is the last retry only, and no option redispatch takes it back', () => {
  assert.equal(proxy('backend b\n option redispatch\n', 'b').redispatch, -1);
  assert.equal(proxy('backend b\n option redispatch 3\n', 'b').redispatch, 3);
  assert.equal(proxy('defaults\n option redispatch\nbackend b\n no option redispatch\n', 'b').redispatch, null);
});

test('options go on, off with no, and back with default', () => {
  const options =
    'defaults\n option dontlognull\n option logasap\nfrontend f\n no option dontlognull\n default option logasap\n option clitcpka\n';
  const { dontlognull, logasap, clitcpka } = proxy(`${options} timeout client 1h\n bind :1\n`, 'f');
  assert.deepEqual([dontlognull, logasap, clitcpka], [false, false, true]);
});

test('a bind line may list addresses and ranges of ports: each is a listener', () => {
  const { binds } = proxy('frontend f\n bind 127.0.0.1:1883-1885,[::]:1883 name x maxconn 5\n', 'f');
  assert.deepEqual(
    binds.map(({ host, port, v4only, name, maxconn }) => [host, port, v4only, name, maxconn]),
    [
      ['127.0.0.1', 1_883, false, 'x', 5],
      ['127.0.0.1', 1_884, false, 'x', 5],
      ['127.0.0.1', 1_885, false, 'x', 5],
      ['::', 1_883, false, 'x', 5],
    ],
  );
});

test('a bind line may be a unix socket', () => {
  const [bind] = proxy('frontend f\n bind unix@/run/x.sock backlog 9\n', 'f').binds;
  assert.deepEqual([bind?.path, bind?.port, bind?.backlog], ['/run/x.sock', 0, 9]);
});

test('backlog of the proxy is that of its listeners without one', () => {
  const { binds } = proxy('frontend f\n backlog 7\n bind :1\n bind :2 backlog 9\n', 'f');
  assert.deepEqual(
    binds.map(({ backlog }) => backlog),
    [7, 9],
  );
});

test('server words', () => {
  const s = server('s1 10.0.0.1:1883 weight 3 maxconn 10 minconn 2 maxqueue 5 backup disabled id 9');
  assert.deepEqual(
    [s.weight, s.maxconn, s.minconn, s.maxqueue, s.backup, s.disabled, s.id, s.host, s.port],
    [3, 10, 2, 5, true, true, 9, '10.0.0.1', 1_883],
  );
  const plain = server('s1 10.0.0.1');
  assert.deepEqual([plain.weight, plain.maxconn, plain.port, plain.id, plain.interMs], [1, 0, 0, 1, 2_000]);
});

test('default-server is what the servers below it start from', () => {
  const text = `${TIMEOUTS}backend b\n server a 1.1.1.1:1\n default-server weight 7 maxconn 9\n server c 1.1.1.2:1\n server d 1.1.1.3:1 weight 2\n`;
  assert.deepEqual(
    proxy(text, 'b').servers.map(({ weight, maxconn }) => [weight, maxconn]),
    [
      [1, 0],
      [7, 9],
      [2, 9],
    ],
  );
});

test('ids are given in file order around those that the file fixes', () => {
  const text = `${TIMEOUTS}backend a\n server x 1.1.1.1:1 id 2\n server y 1.1.1.1:1\n server z 1.1.1.1:1\nbackend b\n id 3\nbackend c\nbackend d\n`;
  const { proxies } = model(text);
  assert.deepEqual(
    proxies.map(({ id }) => id),
    [2, 3, 4, 5],
  );
  assert.deepEqual(
    proxies[0]?.servers.map(({ id }) => id),
    [2, 3, 4],
  );
});

test('a listen section with servers is its own backend, unless it names another', () => {
  assert.equal(proxy(`${TIMEOUTS}listen l\n bind :1\n server s 1.1.1.1:1\n`, 'l').defaultBackend, 'l');
  assert.equal(proxy(`${TIMEOUTS}backend b\n server s 1.1.1.1:1\nlisten l\n bind :1\n default_backend b\n`, 'l').defaultBackend, 'b');
});

test('use_backend without a condition comes before default_backend', () => {
  const backends = `backend a\n server s 1.1.1.1:1\nbackend b\n server s 1.1.1.1:1\n`;
  assert.equal(proxy(`${TIMEOUTS}${backends}frontend f\n bind :1\n default_backend a\n use_backend b\n`, 'f').defaultBackend, 'b');
});

test('log targets: UDP, unix sockets, descriptors, formats and levels', () => {
  const lines = [
    '127.0.0.1:1514 len 200 format rfc5424 local3 notice err',
    '/dev/log daemon',
    'stdout format raw local0',
    'fd@2 user',
    'fd@7 kern',
  ];
  const targets = model(`global\n${lines.map((line) => ` log ${line}\n`).join('')}`).global.log;
  assert.deepEqual(
    targets.map(({ kind, address, port, format, facility, maxLevel, minLevel, lengthMax }) => [
      kind,
      address,
      port,
      format,
      facility,
      maxLevel,
      minLevel,
      lengthMax,
    ]),
    [
      ['udp', '127.0.0.1', 1_514, 'rfc5424', 19, 5, 3, 200],
      ['unix', '/dev/log', 0, 'local', 3, 7, 0, 1_024],
      ['stdout', '', 0, 'raw', 16, 7, 0, 1_024],
      ['stderr', '', 0, 'local', 1, 7, 0, 1_024],
      ['fd', '7', 0, 'local', 0, 7, 0, 1_024],
    ],
  );
});

test('log-send-hostname makes rfc3164 the default format of the lines after it', () => {
  const [target] = model('global\n log-send-hostname\n log 127.0.0.1 local0\n').global.log;
  assert.equal(target?.format, 'rfc3164');
});

test('no log forgets the targets of defaults, log global copies those of global', () => {
  const text = 'global\n log 1.1.1.1 local0\ndefaults\n log global\nbackend a\nbackend b\n no log\n log 2.2.2.2 local1\n';
  assert.deepEqual(
    model(text).proxies.map(({ log }) => log.map(({ address }) => address)),
    [['1.1.1.1'], ['2.2.2.2']],
  );
});

test('statistics: defaults of uri and realm, scope, description', () => {
  const text = `global\n node n1\n description our balancer\nlisten s\n mode http\n bind :1\n timeout client 1h\n stats enable\n stats scope .\n stats hide-version\n stats show-node\n stats show-desc\n stats show-legends\n`;
  const { place: _, ...stats } = proxy(text, 's').stats!;
  assert.deepEqual(stats, {
    uri: '/haproxy?stats',
    realm: 'HAProxy Statistics',
    refreshSeconds: null,
    auth: [],
    hideVersion: true,
    showNode: 'n1',
    showDesc: 'our balancer',
    showLegends: true,
    scope: ['.'],
  });
});

test('a log option in mode tcp is tcplog, in mode http httplog', () => {
  const logged = (lines: string) => {
    const { tcplog, httplog } = proxy(
      `global\n log stdout local0\nfrontend f\n bind :1\n timeout client 1h\n log global\n stats enable\n${lines}`,
      'f',
    );
    return [tcplog, httplog];
  };
  assert.deepEqual(logged(' option tcplog\n'), [true, false]);
  assert.deepEqual(logged(' option httplog\n'), [true, false]);
  assert.deepEqual(logged(' mode http\n option httplog\n'), [false, true]);
  assert.deepEqual(logged(''), [false, false]);
});

test('setenv, presetenv, unsetenv and resetenv change what later lines see, and not the process', () => {
  const text = (lines: string) => `global\n${lines} description "$A/$B"\n`;
  const description = (lines: string) => model(text(lines), { environment: { A: 'a' } }).global.description;
  assert.equal(description(''), 'a/');
  assert.equal(description(' setenv A x\n presetenv B y\n'), 'x/y');
  assert.equal(description(' presetenv A x\n'), 'a/');
  assert.equal(description(' unsetenv A\n setenv B z\n'), '/z');
  assert.equal(description(' setenv B z\n resetenv B\n'), '/z');
});

test('.FILE, .LINE and .SECTION are known', () => {
  assert.equal(model('global\n\n description "${.FILE} $.LINE ${.SECTION}"\n').global.description, 'x.cfg 3 global');
});

test('lines in an .if block that does not hold are not read', () => {
  const text = 'global\n.if defined(A)\n maxconn 1\n.elif streq("$B",b)\n maxconn 2\n.else\n foo\n.endif\n';
  assert.equal(model(text, { environment: { A: '' } }).global.maxconn, 1);
  assert.equal(model(text, { environment: { B: 'b' } }).global.maxconn, 2);
  assert.deepEqual(said(text), ["ALERT: unknown keyword 'foo' in 'global' section"]);
});

test('CRLF files are read, and comments may be in UTF-8', () => {
  assert.equal(model('global #日志\r\n maxconn 5 #é\r\n').global.maxconn, 5);
});

test('a variable that is not set is told, unless it has a default', () => {
  assert.deepEqual(said('global\n description "x$NOPE${A-}"\n'), [
    "ours: the environment variable 'NOPE' is not set, and nothing takes its place.",
  ]);
  assert.deepEqual(said(`frontend f\n timeout client 1h\n default_backend b\n bind \${NOPE}:1\nbackend b\n`), [
    "ours: the environment variable 'NOPE' is not set, and nothing takes its place.",
  ]);
});

test('numbers that are none are taken for 0, as HAProxy does, and told', () => {
  assert.deepEqual(said('global\n maxconn abc\n'), ["ours: 'maxconn' expects an integer, 'abc' is taken for 0."]);
  assert.deepEqual(said('backend b\n retries 3x\n'), ["ours: 'retries' expects an integer, '3x' is taken for 3."]);
});

test('user and group are looked up, uid and gid taken as they are', () => {
  const users = { user: (name: string) => (name === 'haproxy' ? 42 : null), group: (name: string) => (name === 'haproxy' ? 43 : null) };
  const { uid, gid } = model('global\n user haproxy\n group haproxy\n', { users }).global;
  assert.deepEqual([uid, gid], [42, 43]);
  assert.deepEqual(said('global\n user nobody2\n', { users }), ["ALERT: cannot find user id for 'nobody2' (0:Success)"]);
  assert.equal(model('global\n uid 7\n', { users }).global.uid, 7);
});

test('an inert section is read past, with one warning and its unknown words', () => {
  assert.deepEqual(said('userlist u\n user a password x\n group g users a\n'), [
    "ours: section 'userlist' has no effect here: nothing can refer to it: `http_auth` is for rules that are refused.",
  ]);
  assert.ok(said('resolvers r\n nameservr x\n').includes("ALERT: unknown keyword 'nameservr' in 'resolvers' section"));
});

test('host names stay names until they are resolved', async () => {
  const text = `${TIMEOUTS}backend b\n server s broker.example:1883\n`;
  const unresolved = read(text);
  assert.deepEqual(unresolved.hostNames, ['broker.example']);
  assert.equal(unresolved.model?.proxies[0]?.servers[0]?.host, 'broker.example');
  const resolved = await loadHAProxy([{ file: 'x.cfg', text }], { environment: {}, lookup: async () => '10.1.1.1' });
  assert.equal(resolved.model?.proxies[0]?.servers[0]?.host, '10.1.1.1');
});

test('a server whose name has no address is an error, a disabled server or another address, as init-addr says', async () => {
  const load = async (initAddr: string, toleratesUnresolved = false) => {
    const text = `${TIMEOUTS}backend b\n server s nohost:1883 ${initAddr}\n`;
    const result = await loadHAProxy([{ file: 'x.cfg', text }], { environment: {}, lookup: async () => null, toleratesUnresolved });
    const found = result.model?.proxies[0]?.servers[0];
    return [found === undefined ? null : `${found.host} ${found.disabled}`, ...result.diagnostics.map(({ text }) => text)];
  };
  assert.deepEqual(await load(''), [
    null,
    "config : [x.cfg:6] : 'server b/s' : could not resolve address 'nohost'.",
    'config : Failed to initialize server(s) addr.',
  ]);
  assert.deepEqual(await load('init-addr libc,none'), [
    'nohost true',
    "config : [x.cfg:6] : 'server b/s' : could not resolve address 'nohost', disabling server.",
  ]);
  assert.deepEqual(await load('init-addr libc,10.1.1.1'), [
    '10.1.1.1 false',
    "config : [x.cfg:6] : 'server b/s' : could not resolve address 'nohost', falling back to configured address.",
  ]);
  assert.equal((await load('', true))[0], 'nohost true');
});

test('a bind address that cannot be resolved is an error at its line', async () => {
  const text = 'frontend f\n timeout client 1h\n bind nohost:1883\n';
  const { diagnostics } = await loadHAProxy([{ file: 'x.cfg', text }], { environment: {}, lookup: async () => null });
  assert.equal(diagnostics[0]?.text, "config : parsing [x.cfg:3] : 'bind' : invalid address: 'nohost' in 'nohost:1883'");
});

test('a name behind ipv6@ is asked for as such', async () => {
  const asked: (0 | 4 | 6)[] = [];
  const text = `${TIMEOUTS}backend b\n server s ipv6@h:1\n server t h:1\n`;
  const lookup = async (_: string, version: 0 | 4 | 6) => {
    asked.push(version);
    return version === 6 ? '::1' : '10.1.1.1';
  };
  const { model } = await loadHAProxy([{ file: 'x.cfg', text }], { environment: {}, lookup });
  assert.deepEqual(asked, [6, 0]);
  assert.deepEqual(
    model?.proxies[0]?.servers.map(({ host }) => host),
    ['::1', '10.1.1.1'],
  );
});

test('several files are one configuration, and each is named where it fails', () => {
  const result = readHAProxy(
    [
      { file: 'a.cfg', text: 'global\n maxconn 5\n foo\n' },
      { file: 'b.cfg', text: 'backend b\n bar\n' },
    ],
    { environment: {} },
  );
  assert.deepEqual(
    result.diagnostics.map(({ file, line, unit }) => [file, line, unit]),
    [
      ['a.cfg', 3, 0],
      ['b.cfg', 2, 1],
    ],
  );
  assert.equal(result.model, null);
});

test('after 50 fatal lines HAProxy reads no further', () => {
  const { diagnostics } = read(`global\n${' foo\n'.repeat(60)}`);
  assert.equal(diagnostics.length, 51);
  assert.match(diagnostics.at(-1)!.text, /parsing \[x\.cfg:52\]: too many fatal errors \(50\), stopping now\.$/);
});
