import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasErrors } from '../diagnostic.ts';
import { BIND_KEYWORDS, GLOBAL_KEYWORDS, PROXY_KEYWORDS, PROXY_OPTIONS, SERVER_KEYWORDS } from './keywords.ts';
import { readHAProxy } from './read.ts';

const TIMEOUTS = 'defaults\n timeout connect 5s\n timeout client 1h\n timeout server 1h\n';
const BACKEND = `${TIMEOUTS}backend b\n server s 10.0.0.1:1883\n`;
const FRONTEND = `${BACKEND}frontend f\n bind :1\n default_backend b\n`;
const STATISTICS = `${TIMEOUTS}listen s\n bind :1\n mode http\n stats enable\n`;

const read = (text: string) => readHAProxy([{ file: 'x.cfg', text }], { environment: {} });

/** The last line of a file must be refused: leaving it out would change who gets in, where traffic goes or what is on the wire. */
for (const [file, line] of [
  [FRONTEND, 'bind :2 ssl crt /etc/x.pem'],
  [FRONTEND, 'bind :2 crt /etc/x.pem'],
  [FRONTEND, 'bind :2 accept-netscaler-cip 5'],
  [FRONTEND, 'bind :2 interface eth0'],
  [FRONTEND, 'bind :2 transparent'],
  [FRONTEND, 'bind :2 namespace blue'],
  [FRONTEND, 'bind :2 proto h2'],
  [FRONTEND, 'bind /run/x.sock mode 600'],
  [FRONTEND, 'bind abns@x'],
  [FRONTEND, 'bind fd@3'],
  [FRONTEND, 'use_backend b if { src 10.0.0.0/8 }'],
  [FRONTEND, 'use_backend b unless TRUE'],
  [FRONTEND, 'use_backend %[req.ssl_sni]'],
  [FRONTEND, 'tcp-request connection reject if { src 10.0.0.0/8 }'],
  [FRONTEND, 'tcp-request connection reject unless { src 10.0.0.0/8 }'],
  [FRONTEND, 'tcp-request connection silent-drop'],
  [FRONTEND, 'tcp-request connection expect-proxy layer4'],
  [FRONTEND, 'tcp-request session reject'],
  [FRONTEND, 'tcp-request content reject unless { req.payload(0,0),mqtt_is_valid }'],
  [FRONTEND, 'tcp-request content switch-mode http'],
  [FRONTEND, 'filter spoe engine x config y'],
  [BACKEND, 'tcp-response content reject'],
  [BACKEND, 'tcp-request content reject'],
  [BACKEND, 'balance leastconn'],
  [BACKEND, 'balance source'],
  [BACKEND, 'balance hash req.payload(0,0)'],
  [BACKEND, 'stick on src'],
  [BACKEND, 'stick match src'],
  [BACKEND, 'use-server s if TRUE'],
  [BACKEND, 'persist rdp-cookie'],
  [BACKEND, 'source 10.0.0.9'],
  [BACKEND, 'dispatch 10.0.0.2:1883'],
  [BACKEND, 'option transparent'],
  [BACKEND, 'server t 10.0.0.2:1883 ssl verify none'],
  [BACKEND, 'server t 10.0.0.2:1883 source 10.0.0.9'],
  [BACKEND, 'server t 10.0.0.2:1883 socks4 10.0.0.3:1080'],
  [BACKEND, 'server t 10.0.0.2:1883 namespace blue'],
  [BACKEND, 'server t 10.0.0.2:+5'],
  [BACKEND, 'server t *:1883'],
  [BACKEND, 'server t /run/x.sock'],
  [BACKEND, 'server-template t 3 broker.example:1883'],
  [STATISTICS, 'http-request deny unless { src 10.0.0.0/8 }'],
  [STATISTICS, 'http-request auth unless { src 10.0.0.0/8 }'],
  [STATISTICS, 'http-request use-service prometheus-exporter'],
  [STATISTICS, 'stats http-request deny unless { src 10.0.0.0/8 }'],
  [STATISTICS, 'monitor-uri /alive'],
  [STATISTICS, 'server s 10.0.0.1:80'],
  ['global\n', 'lua-load /etc/x.lua'],
  ['global\n', 'maxconnrate 10'],
  ['global\n', 'log ring@x local0'],
  ['global\n', 'log tcp@10.0.0.1:514 local0'],
  ['', 'program p'],
  ['', 'log-forward l'],
] as const) {
  test(`"${line}" is refused at its line`, () => {
    const text = `${file} ${line}\n`;
    const { model, diagnostics } = read(text);
    assert.equal(model, null);
    const last = text.split('\n').length - 1;
    const refusals = diagnostics.filter(({ severity }) => severity === 'error');
    assert.ok(
      refusals.some(
        ({ origin, line: at, message }) => origin === 'roundhouse' && at === last && /not supported yet|does not lead/.test(message),
      ),
      JSON.stringify(refusals.map(({ text }) => text)),
    );
  });
}

test('rules of mode http are refused also where the mode is set after them, and in defaults that others use', () => {
  const rule = 'http-request deny unless { src 10.0.0.0/8 }';
  assert.equal(read(`${TIMEOUTS}listen s\n bind :1\n ${rule}\n mode http\n stats enable\n`).model, null);
  assert.equal(read(`defaults d\n mode http\n ${rule}\nlisten s from d\n bind :1\n stats enable\n`).model, null);
});

test('in mode tcp HAProxy ignores rules of mode http, and so do we', () => {
  const { model, diagnostics } = read(`${FRONTEND} http-request deny\n`);
  assert.ok(model);
  assert.ok(diagnostics.every(({ severity, origin }) => severity === 'warning' && origin === 'haproxy'));
});

test('mode http serves statistics only', () => {
  assert.ok(read(STATISTICS).model);
  assert.equal(read(`${TIMEOUTS}frontend f\n bind :1\n mode http\n`).model, null);
  assert.equal(read(`${TIMEOUTS} mode http\nbackend b\n server s 10.0.0.1:80\nfrontend f\n bind :1\n default_backend b\n`).model, null);
  assert.ok(read(`${TIMEOUTS} mode http\nfrontend f\n bind :1\n disabled\n`).model, 'a disabled proxy does not matter');
});

test('a rule that only notes something is inert', () => {
  const { model, diagnostics } = read(`${FRONTEND} tcp-request inspect-delay 5s\n tcp-request content set-var(sess.x) src\n`);
  assert.ok(model);
  assert.deepEqual(
    diagnostics.map(({ severity, origin }) => `${severity} ${origin}`),
    ['warning roundhouse', 'warning roundhouse'],
  );
});

test('a refusal does not hide what else is wrong', () => {
  const { diagnostics } = read(
    `${TIMEOUTS}backend b\n balance leastconn\n server s 10.0.0.1:1\n server s 10.0.0.2:1\nfrontend f\n default_backend x\n`,
  );
  const errors = diagnostics.filter(({ severity }) => severity === 'error').map(({ message }) => message);
  assert.equal(errors.length, 3);
});

// Every keyword that is no section of its own: known, and with the fate that the table says.
const unwanted = /unknown keyword|unknown option|out of section/;
for (const [name, keywords, head] of [
  ['global', GLOBAL_KEYWORDS, 'global\n'],
  ['backend', PROXY_KEYWORDS, `${TIMEOUTS}backend b\n`],
  ['frontend', PROXY_KEYWORDS, `${TIMEOUTS}frontend f\n`],
  ['option', PROXY_OPTIONS, `${TIMEOUTS}listen l\n option `],
  ['bind', BIND_KEYWORDS, `${TIMEOUTS}frontend f\n bind :1 `],
  ['server', SERVER_KEYWORDS, `${TIMEOUTS}backend b\n server s 10.0.0.1:1 `],
] as const) {
  test(`no keyword of ${name} is unknown, and none is dropped in silence`, () => {
    for (const { name: keyword, support } of keywords.values()) {
      if (keyword === 'original-to') continue; // HAProxy suggests it, and does not know it
      const { diagnostics } = read(`${head}${head.endsWith('\n') ? ' ' : ''}${keyword} x\n`);
      assert.ok(!diagnostics.some(({ message }) => unwanted.test(message) && message.includes(`'${keyword}'`)), keyword);
      if (support === 'refused' || support === 'removed') assert.ok(diagnostics.length > 0, keyword);
      if (support === 'removed') assert.ok(hasErrors(diagnostics), keyword);
      if (support === 'inert') assert.ok(diagnostics.length > 0, keyword);
    }
  });
}
