import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { getCiphers } from 'node:tls';
import { openSslName } from './cipher-suites.ts';

test('names of IANA become OpenSSL’s: every suite that this Node has, as the openssl program names it', (t) => {
  const listed = spawnSync('openssl', ['ciphers', '-stdname', 'ALL:@SECLEVEL=0'], { encoding: 'utf8' });
  if (listed.error !== undefined) {
    t.skip(`the openssl program cannot be run: ${listed.error.message}`);
    return;
  }
  const names = new Set(getCiphers().map((name) => name.toUpperCase()));
  let compared = 0;
  for (const line of listed.stdout.split('\n')) {
    const [iana, , openSsl] = line.trim().split(/\s+/);
    if (iana === undefined || openSsl === undefined || !names.has(openSsl) || /PSK|SRP/.test(openSsl)) continue;
    compared++;
    assert.equal(openSslName(iana), openSsl);
    assert.equal(openSslName(openSsl), openSsl);
    if (iana.includes('_WITH_')) assert.equal(openSslName(iana.replace('TLS_', 'SSL_')), openSsl);
  }
  assert.ok(compared >= 20, `${compared} suites`);
});

test('what is no suite of this Node has no name', () => {
  for (const name of [
    '',
    'TLS_RSA_WITH_RC4_128_MD5',
    'TLS_PSK_WITH_AES_128_CBC_SHA',
    'PSK-AES128-CBC-SHA',
    'TLS_toString_WITH_x',
    'ALL',
    '!aNULL',
  ])
    assert.equal(openSslName(name), null, name);
});
