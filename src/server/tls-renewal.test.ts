import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { after, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Authority, type Issued, NO_OPENSSL } from '../../test/harness/certificates.ts';
import { type Log, silentLog } from '../telemetry/log.ts';
import type { TlsStage } from '../transport/tls-stage.ts';
import { TlsRenewal } from './tls-renewal.ts';

/** Bound for every wait, in milliseconds. */
const WAIT_MS = 20_000;
const LOOK_MS = 20;
const skip = NO_OPENSSL ?? false;

const authority = NO_OPENSSL === null ? new Authority('Test CA') : null;
after(() => authority?.remove());

interface Renewing {
  readonly renewal: TlsRenewal;
  readonly lines: string[];
  /** Puts a certificate where the broker looks. */
  install(issued: Issued): void;
  readonly folder: string;
}

let folders = 0;

function start(t: TestContext, first: Issued, lookMs = LOOK_MS): Renewing {
  const folder = authority!.path(`installed-${folders++}`);
  mkdirSync(folder);
  const install = ({ certificate, key }: Issued): void => {
    copyFileSync(key, `${folder}/broker.key`);
    copyFileSync(certificate, `${folder}/broker.crt`);
  };
  install(first);
  const lines: string[] = [];
  const say = (message: string, facts?: Record<string, unknown>): void => {
    lines.push(`${message}: ${facts?.reason ?? facts?.subject}`);
  };
  const log: Log = { ...silentLog, info: say, warn: say };
  const files = { keyStore: { paths: [`${folder}/broker.crt`], password: '', keyPassword: '' }, trustStore: null, crlPath: null };
  const renewal = new TlsRenewal(files, log, lookMs);
  t.after(() => renewal.stop());
  return { renewal, lines, install, folder };
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!condition()) {
    if (Date.now() > deadline) assert.fail(`waited ${WAIT_MS} ms for ${what}`);
    await delay(2);
  }
}

const OPTIONS = { clientAuth: 'none', verifyHostName: false, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3', cipherSuites: null } as const;

/** Counts what a connector is given. */
function countUses(stage: TlsStage): () => number {
  let uses = 0;
  const use = stage.use.bind(stage);
  stage.use = (credentials) => {
    uses++;
    use(credentials);
  };
  return () => uses;
}

test('a certificate that changes is read again, once, and given to every connector', { skip }, async (t) => {
  const [one, two] = ['one', 'two'].map((name) => authority!.issue(name, { subject: `/CN=${name}` }));
  const { renewal, lines, install } = start(t, one!);
  const uses = [renewal.createStage(OPTIONS), renewal.createStage(OPTIONS)].map(countUses);
  await delay(5 * LOOK_MS);
  assert.deepEqual(lines, []);
  install(two!);
  await until(() => lines.length > 0, 'the log');
  await delay(5 * LOOK_MS);
  assert.deepEqual(lines, ['certificates were read again: CN=two']);
  assert.deepEqual(
    uses.map((count) => count()),
    [1, 1],
  );
});

test('a broken file leaves the old certificate in place and is said once; the next good one is taken', { skip }, async (t) => {
  const [one, two] = ['a', 'b'].map((name) => authority!.issue(name, { subject: `/CN=${name}` }));
  const { renewal, lines, install, folder } = start(t, one!);
  const uses = countUses(renewal.createStage(OPTIONS));
  writeFileSync(`${folder}/broker.crt`, 'nonsense');
  await until(() => lines.length > 0, 'the log');
  await delay(5 * LOOK_MS);
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /^the new certificate cannot be used, the old one stays: .*broker\.crt: it is neither PEM nor PKCS#12 nor JKS$/);
  assert.equal(uses(), 0);
  install({ certificate: two!.certificate, key: one!.key });
  await until(() => lines.length > 1, 'the log');
  assert.match(lines[1]!, /: no certificate in it is of its private key$/);
  install(two!);
  await until(() => lines.length > 2, 'the log');
  assert.equal(lines[2], 'certificates were read again: CN=b');
  assert.equal(uses(), 1);
});

test('on demand files are read at once', { skip }, (t) => {
  const [one, two] = ['c', 'd'].map((name) => authority!.issue(name, { subject: `/CN=${name}` }));
  const { renewal, lines, install } = start(t, one!, 1_000_000);
  install(two!);
  renewal.renew();
  renewal.renew();
  assert.deepEqual(lines, ['certificates were read again: CN=d', 'certificates were read again: CN=d']);
});

test('a certificate whose life is over is used, and said', { skip }, (t) => {
  const { lines } = start(t, authority!.issue('old', { subject: '/CN=old', expired: true }));
  assert.equal(lines.length, 1);
  assert.match(
    lines[0]!,
    /^a certificate is not valid now: .*broker\.crt: the certificate of CN=old has expired, on Feb {2}1 00:00:00 2020 GMT$/,
  );
});

test('files that cannot be read are an error at the start', { skip }, () => {
  const files = { keyStore: { paths: ['/nonexistent'], password: '', keyPassword: '' }, trustStore: null, crlPath: null };
  assert.throws(() => new TlsRenewal(files, silentLog), { code: 'KEY_STORE', message: '/nonexistent: there is no such file' });
});
