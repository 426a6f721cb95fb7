import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { REPOSITORY_ROOT } from '../../../test/harness/repository-root.ts';
import { type AdviceFacts, adviseHAProxy, descriptorsNeeded, inWords } from './advice.ts';
import { readHAProxy } from './read.ts';

const CLASSIC = readFileSync(join(REPOSITORY_ROOT, 'test/fixtures/classic/haproxy.cfg'), 'utf8');
const TIMEOUTS = 'defaults\n timeout connect 5s\n timeout client 1h\n timeout server 1h\n';
const GOOD = `${TIMEOUTS}frontend f\n bind :1\n default_backend b\nbackend b\n server s 10.0.0.1:1883\n`;

function advise(text: string, facts: AdviceFacts = {}): string[] {
  const { model, diagnostics } = readHAProxy([{ file: 'x.cfg', text }], { environment: {} });
  assert.ok(model, diagnostics.map((d) => d.text).join('\n'));
  return adviseHAProxy(model, facts).map(({ line, severity, message, origin }) => {
    assert.equal(origin, 'roundhouse');
    return `${line} ${severity}: ${message}`;
  });
}

/** The one piece of advice that matches; `expected` is its line and severity. */
function one(advice: readonly string[], pattern: RegExp, expected: string): void {
  const found = advice.filter((text) => pattern.test(text));
  assert.equal(found.length, 1, `${pattern}\n${advice.join('\n')}`);
  assert.ok(found[0]!.startsWith(`${expected}: `), found[0]);
}

test('nothing is said of a file that is right for MQTT', () => assert.deepEqual(advise(GOOD, { openFilesLimit: 1_024 }), []));

test('the classic file: each of its defects at its line', () => {
  const advice = advise(CLASSIC, {
    openFilesLimit: 20_000,
    connectors: [
      { host: '172.17.0.10', port: 1_883, maximumConnections: 10_000 },
      { host: '172.17.0.10', port: 1_884, maximumConnections: 10_000 },
    ],
  });
  one(advice, /maxconn 10240 takes 20510 open files, and a process may have 20000 here/, '5 warning');
  one(advice, /take 4000 connections at a time, though their connectors allow 20000\..* 8 min 20 s without a CONNACK/, '36 warning');
  one(advice, /timeout connect of 8 min 20 s: a server that does not answer at all/, '14 warning');
  one(advice, /timeout client of 8 min 20 s cuts silent MQTT clients whose keep alive is above 5 min 33 s/, '15 note');
  one(advice, /timeout server of 8 min 20 s cuts/, '16 note');
  one(advice, /frontend 'mqtt_proxy' has no 'option tcplog'.*The one in line 34 counts for nothing/, '34 warning');
  assert.deepEqual(
    advice.filter((text) => /log lines go to UDP port 514/.test(text)).map((text) => text.slice(0, 7)),
    ['3 note:', '22 note'],
  );
  one(advice, /the password of 'admin' is easily guessed, and \*:8888 can be reached/, '25 warning');
  one(advice, /plain HTTP/, '25 note');
  one(advice, /'admin_stats' has no 'timeout http-request'/, '19 note');
});

test('maxconn is held against the open files there are', () => {
  const text = `global\n maxconn 1000\n${GOOD}`;
  assert.equal(descriptorsNeeded(1_000), 2_030);
  assert.deepEqual(advise(text, { openFilesLimit: 2_030 }), []);
  assert.deepEqual(advise(text), [], 'nobody knows the limit');
  one(advise(text, { openFilesLimit: 2_029 }), /takes 2030 open files.*HAProxy would not start/, '2 warning');
  one(
    advise(`global\n maxconn 1000\n no strict-limits\n${GOOD}`, { openFilesLimit: 2_029 }),
    /here: as many are served as fit/,
    '2 warning',
  );
});

test('timeouts shorter than one and a half times the usual keep alive cut healthy clients', () => {
  const text = (client: string, more = '') =>
    GOOD.replace('timeout client 1h', `timeout client ${client}`).replace('timeout server', `${more}timeout server`);
  one(advise(text('89s')), /timeout client of 1 min 29 s: .* they would be cut\. At least 1 min 30 s/, '3 warning');
  one(advise(text('90s')), /whose keep alive is above 1 min;/, '3 note');
  assert.deepEqual(advise(text('1s', 'timeout tunnel 1h\n ')), [], 'timeout tunnel replaces it');
});

test('a line of defaults that several proxies use is spoken of once', () => {
  const text = `${TIMEOUTS.replace('1h', '10s')}frontend f\n bind :1\n default_backend b\nfrontend g\n bind :2\n default_backend b\nbackend b\n server s 10.0.0.1:1\n`;
  one(advise(text), /timeout client of 10 s/, '3 warning');
});

test('clients beyond all servers’ maxconn wait: a warning where they wait long, a note where they do not', () => {
  const text = (queue: string) =>
    `${GOOD.replace('default_backend', 'maxconn 100\n default_backend').replace('1883', '1883 maxconn 10')} timeout queue ${queue}\n`;
  one(advise(text('5m')), /take 10 connections at a time\. .* 5 min without a CONNACK/, '10 warning');
  one(advise(text('2s')), /it waits for 2 s/, '10 note');
  assert.deepEqual(advise(text('5m').replace('maxconn 100', 'maxconn 10')), [], 'the frontend lets no more in');
});

test('a frontend that logs without tcplog says little', () => {
  one(
    advise(`global\n log stdout local0\n${GOOD.replace('defaults\n', 'defaults\n log global\n')}`),
    /frontend 'f' has no 'option tcplog'/,
    '8 warning',
  );
  assert.deepEqual(advise(`global\n log stdout local0 notice\n${GOOD.replace('defaults\n', 'defaults\n log global\n')}`), []);
});

test('statistics that others can reach want a password that is none of the first to be tried', () => {
  const page = (bind: string, auth: string) =>
    advise(`${TIMEOUTS} timeout http-request 5s\nlisten s\n bind ${bind}\n mode http\n stats enable\n${auth}`).filter(
      (text) => !/plain HTTP/.test(text),
    );
  one(page('*:8888', ''), /the statistics of 's' ask for no password, and \*:8888 can be reached/, '9 warning');
  one(page('*:8888', ' stats auth admin:admin\n'), /the password of 'admin' is easily guessed/, '10 warning');
  one(page('127.0.0.1:8888', ' stats auth admin:admin\n'), /is easily guessed\.$/, '10 note');
  assert.deepEqual(page('127.0.0.1:8888', ''), []);
  assert.deepEqual(page('*:8888', ' stats auth ops:Wz4-kk-92\n'), []);
});

for (const [ms, words] of [
  [250, '250 ms'],
  [5_000, '5 s'],
  [90_000, '1 min 30 s'],
  [500_000, '8 min 20 s'],
  [3_600_000, '1 h'],
] as const) {
  test(`${ms} ms is ${words}`, () => assert.equal(inWords(ms), words));
}
