import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brokerFile, readText, saidOfBroker } from '../../../test/harness/activemq-file.ts';
import type { SslContextModel } from './model.ts';

function read(attributes: string): SslContextModel {
  const { model, diagnostics } = readText(brokerFile(`<sslContext><sslContext ${attributes}/></sslContext>`));
  assert.deepEqual(diagnostics, []);
  return model!.sslContext!;
}

const place = (column: number) => ({ file: 'broker.xml', line: 2, column });

test('a key store, a trust store and a list of revoked certificates', () => {
  assert.deepEqual(
    read('keyStore="broker.ks" keyStorePassword="one" keyStoreKeyPassword="two" trustStore="file:trust/ca.pem" crlPath="/etc/crl.pem"'),
    {
      place: place(13),
      keyStore: { place: place(25), paths: ['/etc/fleet/broker.ks'], password: 'one', keyPassword: 'two' },
      trustStore: { place: place(95), paths: ['/etc/fleet/trust/ca.pem'], password: '', keyPassword: '' },
      crlPath: '/etc/crl.pem',
    },
  );
});

test('the password of the key is that of its store unless the file says', () => {
  assert.equal(read('keyStore="k" keyStorePassword="one"').keyStore!.keyPassword, 'one');
  assert.deepEqual(read('keyStore="k" trustStore="t" trustStorePassword="three"').trustStore!.password, 'three');
});

test('files that belong together are listed with commas, and URLs may stand for paths', () => {
  assert.deepEqual(read('keyStore="/etc/fullchain.pem, classpath:privkey.pem"').keyStore!.paths, [
    '/etc/fullchain.pem',
    '/etc/fleet/privkey.pem',
  ]);
  assert.deepEqual(read('keyStore="file:///etc/a.p12"').keyStore!.paths, ['/etc/a.p12']);
});

test('types are those of Java, in any case, and ours for PEM', () => {
  for (const type of ['jks', 'JKS', 'pkcs12', 'PKCS12', 'pem', 'PEM'])
    assert.ok(read(`keyStore="k" keyStoreType="${type}" trustStoreType="${type}"`));
});

for (const [attributes, expected] of [
  ['keyStore="k" keyStoreType="bcfks"', '2:52: error: keyStoreType: expected jks, pkcs12 or pem, found "bcfks"'],
  ['keyStore="https://host/k"', '2:35: error: keyStore: expected a path or a file: URL, found "https://host/k"'],
  ['keyStore=" "', '2:25: error: keyStore names no file'],
  [
    'keyStore="k" protocol="TLS"',
    '2:38: warning: protocol: in ActiveMQ it is the family of TLS; it bounds no server in Java either: transport.enabledProtocols does, so it has no effect',
  ],
  [
    'keyStore="k" keyStoreAlgorithm="SunX509"',
    "2:38: warning: keyStoreAlgorithm: in ActiveMQ it chooses among Java's ways to do TLS; TLS is done by OpenSSL here, so it has no effect",
  ],
  ['keystore="k"', '2:25: error: unknown attribute keystore of <sslContext>'],
] as const) {
  test(`<sslContext ${attributes}/>: ${expected.slice(0, 60)}`, () => {
    const lines = saidOfBroker(`<sslContext><sslContext ${attributes}/></sslContext>`).map((line) => line.replace('broker.xml:', ''));
    assert.ok(
      lines.some((line) => line.startsWith(expected)),
      lines.join('\n'),
    );
  });
}
