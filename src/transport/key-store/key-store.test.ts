import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { Authority, NO_OPENSSL } from '../../../test/harness/certificates.ts';
import { SOAK_FACTOR } from '../../../test/harness/soak.ts';
import { ConfigError } from '../../errors.ts';
import { type Identity, type KeyStoreFiles, readIdentities, readRevocationList, readTrusted } from './key-store.ts';

const skip = NO_OPENSSL ?? false;
const NO_KEYTOOL = spawnSync('keytool', ['-help']).error === undefined ? false : 'keytool, which is part of Java, is not installed';

const authority = NO_OPENSSL === null ? new Authority('Test CA') : null;
after(() => authority?.remove());
const ca = () => authority!;
const issued = NO_OPENSSL === null ? ca().issue('server', { subject: '/O=Example/CN=broker', names: 'DNS:broker.example' }) : null;
const server = () => issued!;

function files(paths: string | readonly string[], password = 'secret', keyPassword = password): KeyStoreFiles {
  return { paths: typeof paths === 'string' ? [paths] : paths, password, keyPassword };
}

/** Who each identity is of, and of whom its chain. */
function subjects(identities: readonly Identity[]): string[][] {
  return identities.map(({ chain }) => chain.map(({ subject }) => subject.replaceAll('\n', ', ')));
}

function refuses(read: () => unknown, message: RegExp): void {
  assert.throws(read, (error: unknown) => {
    assert.ok(error instanceof ConfigError, String(error));
    assert.equal(error.code, 'KEY_STORE');
    assert.match(error.message, message);
    return true;
  });
}

const WITH_CHAIN = [['O=Example, CN=broker', 'CN=Test CA']];

for (const [name, options] of [
  ['as openssl makes it', []],
  ['with 3DES and SHA-1, as it was long made', ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1']],
  ['with AES of 128 bits', ['-keypbe', 'AES-128-CBC', '-certpbe', 'AES-128-CBC']],
  ['with SHA-512', ['-macalg', 'sha512']],
  ['without encryption', ['-keypbe', 'NONE', '-certpbe', 'NONE']],
  ['without a MAC', ['-nomac']],
] as const) {
  test(`a PKCS#12 file ${name} has a key, its certificate and the chain`, { skip }, () => {
    const path = ca().pkcs12('store.p12', server(), 'secret', ...options);
    const identities = readIdentities(files(path));
    assert.deepEqual(subjects(identities), WITH_CHAIN);
    assert.ok(identities[0]!.chain[0]!.checkPrivateKey(identities[0]!.key));
    assert.deepEqual(
      readTrusted(files(path)).map(({ subject }) => subject),
      ['O=Example\nCN=broker', 'CN=Test CA'],
    );
  });
}

test('a PKCS#12 file with certificates alone is a trust store', { skip }, () => {
  const path = ca().path('trust.p12');
  execFileSync('openssl', ['pkcs12', '-export', '-nokeys', '-in', ca().certificate, '-passout', 'pass:secret', '-out', path], {
    stdio: 'pipe',
  });
  assert.deepEqual(
    readTrusted(files(path)).map(({ subject }) => subject),
    ['CN=Test CA'],
  );
  refuses(() => readIdentities(files(path)), /trust\.p12: there is no private key in it, and no file .*trust\.key beside it/);
});

test('a wrong password, none, and a file encrypted with RC2 are said, with what to do', { skip }, () => {
  const path = ca().pkcs12('store.p12', server(), 'secret');
  refuses(() => readIdentities(files(path, 'wrong')), /store\.p12: its password is wrong, or it is damaged$/);
  refuses(() => readIdentities(files(path, '')), /store\.p12: it has a password, and none is given$/);
  refuses(() => readIdentities(files(path, 'secret', 'wrong')), /store\.p12: the password of the key in it is wrong$/);
  const old = ca().pkcs12('old.p12', server(), 'secret', '-legacy');
  refuses(
    () => readIdentities(files(old)),
    /old\.p12: it is encrypted with RC2, as old programs do, .*: convert it with: openssl pkcs12 -legacy -in \S*old\.p12 -nodes -out \S*old\.pem$/,
  );
  const [, command] = /convert it with: (.*)$/.exec(messageOf(() => readIdentities(files(old))))!;
  execFileSync('sh', ['-c', `${command} -passin pass:secret`], { stdio: 'pipe' });
  assert.deepEqual(subjects(readIdentities(files(ca().path('old.pem'), ''))), WITH_CHAIN);
});

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return (error as Error).message;
  }
  return '';
}

test('PEM: in one file in any order, in several with commas, the key beside under its name, or encrypted', { skip }, () => {
  const { certificate, key } = server();
  assert.deepEqual(subjects(readIdentities(files(ca().bundle('all.pem', ca().certificate, key, certificate)))), WITH_CHAIN);
  assert.deepEqual(subjects(readIdentities(files([certificate, key, ca().certificate]))), WITH_CHAIN);
  assert.deepEqual(subjects(readIdentities(files(certificate))), [['O=Example, CN=broker']]);
  const locked = ca().issue('locked', { subject: '/CN=locked', password: 'open sesame' });
  assert.deepEqual(subjects(readIdentities(files(locked.certificate, '', 'open sesame'))), [['CN=locked']]);
  refuses(() => readIdentities(files(locked.certificate, '', 'wrong')), /locked\.key: the password of the key in it is wrong$/);
  refuses(() => readIdentities(files(locked.certificate, '')), /locked\.key: the key in it is encrypted, and no password is given$/);
  assert.deepEqual(
    readTrusted(files([ca().certificate, locked.certificate], '')).map(({ subject }) => subject),
    ['CN=Test CA', 'CN=locked'],
  );
});

test('a key without its certificate, and files that are none, are said', { skip }, () => {
  const other = ca().issue('other', { subject: '/CN=other' });
  refuses(() => readIdentities(files([server().certificate, other.key])), /server\.crt: no certificate in it is of its private key$/);
  const path = ca().path('nothing.pem');
  for (const [content, message] of [
    ['', /it is neither PEM nor PKCS#12 nor JKS$/],
    ['hello', /it is neither PEM nor PKCS#12 nor JKS$/],
    ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', /a certificate in it cannot be read/],
    ['-----BEGIN DH PARAMETERS-----\nAAAA\n-----END DH PARAMETERS-----\n', /it has no key and no certificate between dashed lines/],
    ['-----BEGIN CERTIFICATE-----\nAAAA\n', /it has no key and no certificate between dashed lines/],
    ['\x30\x03\x02\x01\x03', /its ASN\.1 is malformed/],
    ['\xce\xce\xce\xce', /JCEKS key store, which Java alone reads: convert it with: keytool -importkeystore .* -srcstoretype JCEKS/],
  ] as const) {
    writeFileSync(path, content, 'latin1');
    refuses(() => readIdentities(files(path)), message);
  }
  refuses(() => readIdentities(files(ca().path('missing.pem'))), /missing\.pem: there is no such file$/);
  if (process.getuid?.() === 0) return; // whom nothing is hidden from
  writeFileSync(path, 'x');
  chmodSync(path, 0);
  refuses(() => readIdentities(files(path)), /this process may not read it$/);
});

test('a folder has the identities of every store in it, by name; the first is for clients that name no server', { skip }, () => {
  const folder = ca().path('stores');
  mkdirSync(folder);
  const second = ca().issue('second', { subject: '/CN=second' });
  copyFileSync(server().certificate, `${folder}/b.crt`);
  copyFileSync(server().key, `${folder}/b.key`);
  copyFileSync(ca().bundle('second.pem', second.key, second.certificate), `${folder}/a.pem`);
  copyFileSync(ca().pkcs12('c.p12', server(), 'secret'), `${folder}/c.p12`);
  writeFileSync(`${folder}/README`, 'not a store');
  assert.deepEqual(subjects(readIdentities(files(folder))), [['CN=second'], ['O=Example, CN=broker'], WITH_CHAIN[0]!]);
  const empty = ca().path('empty');
  mkdirSync(empty);
  refuses(() => readIdentities(files(empty)), /empty: the folder has no key store: expected files that end in \.pem, /);
});

test('a list of revoked certificates is PEM or DER', { skip }, () => {
  const list = ca().revoke(null);
  assert.match(readRevocationList(list), /^-----BEGIN X509 CRL-----/);
  const der = ca().path('crl.der');
  execFileSync('openssl', ['crl', '-in', list, '-outform', 'DER', '-out', der]);
  assert.equal(readRevocationList(der).replace(/\s/g, ''), readFileSync(list, 'latin1').replace(/\s/g, ''));
  refuses(() => readRevocationList(server().certificate), /server\.crt: there is no list of revoked certificates in it$/);
});

/** Java's tool, on a store of this type. */
function keytool(type: string, store: string, ...args: readonly string[]): void {
  execFileSync('keytool', [...args, '-noprompt', '-storetype', type, '-keystore', store, '-storepass', 'changeit'], { stdio: 'pipe' });
}

for (const type of ['JKS', 'PKCS12']) {
  test(`what Java’s keytool makes as ${type}: keys, several of them, and trusted certificates`, { skip: skip || NO_KEYTOOL }, () => {
    const store = ca().path(`java.${type}`);
    for (const name of ['one', 'two']) {
      const algorithm = name === 'one' ? 'RSA' : 'EC';
      const own = type === 'JKS' ? ['-keypass', 'of the key'] : [];
      keytool(type, store, '-genkeypair', '-alias', name, '-keyalg', algorithm, '-dname', `CN=${name}, O=Java`, '-validity', '10', ...own);
    }
    const keyPassword = type === 'JKS' ? 'of the key' : 'changeit';
    assert.deepEqual(subjects(readIdentities(files(store, 'changeit', keyPassword))).sort(), [['O=Java, CN=one'], ['O=Java, CN=two']]);
    refuses(() => readIdentities(files(store, 'wrong')), /its password is wrong, or it is damaged$/);
    const trust = ca().path(`trust.${type}`);
    keytool(type, trust, '-importcert', '-alias', 'ca', '-file', ca().certificate);
    assert.deepEqual(
      readTrusted(files(trust, 'changeit')).map(({ subject }) => subject),
      ['CN=Test CA'],
    );
    if (type === 'JKS') {
      refuses(() => readIdentities(files(store, 'changeit', 'wrong')), /the password of the key in it is wrong$/);
      assert.equal(readTrusted(files(trust, '')).length, 1, 'without a password, as Java reads it');
    }
  });
}

test('any bytes of a key store changed, or its end cut off, give the same material or an error of ours', { skip }, () => {
  const path = ca().path('mutated');
  const originals = [
    ca().pkcs12('original.p12', server(), 'secret', '-nomac', '-iter', '1'),
    ca().pkcs12('clear.p12', server(), 'secret', '-keypbe', 'NONE', '-certpbe', 'NONE', '-nomac'),
    ca().bundle('original.pem', server().key, server().certificate),
    ...(NO_KEYTOOL === false ? [jksOf()] : []),
  ].map((original) => readFileSync(original));
  fc.assert(
    fc.property(
      fc.constantFrom(...originals),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
      fc.option(fc.nat()),
      (original, changes, cut) => {
        const bytes = Buffer.from(original);
        for (const [place, value] of changes) bytes[place % bytes.length] = value;
        writeFileSync(path, cut === null ? bytes : bytes.subarray(0, cut % bytes.length));
        // Without a password, so that a digest that covers all does not hide what is behind it.
        for (const read of [readIdentities, readTrusted]) {
          for (const password of ['secret', '']) {
            try {
              read(files(path, password, 'secret'));
            } catch (error) {
              assert.ok(error instanceof ConfigError, `${error} ${(error as Error).stack}`);
            }
          }
        }
      },
    ),
    { numRuns: 150 * SOAK_FACTOR },
  );
});

function jksOf(): string {
  const store = ca().path('fuzz.jks');
  keytool('JKS', store, '-genkeypair', '-alias', 'a', '-keyalg', 'EC', '-dname', 'CN=a', '-keypass', 'secret');
  return store;
}
