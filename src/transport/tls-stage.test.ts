import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect as connectPlain, createServer } from 'node:net';
import { after, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { Authority, type Issued, NO_OPENSSL } from '../../test/harness/certificates.ts';
import { ConfigError } from '../errors.ts';
import { type Log, silentLog } from '../telemetry/log.ts';
import type { Connection, ConnectionHandler } from './connection.ts';
import type { Stage } from './stage.ts';
import { TcpListener } from './tcp-listener.ts';
import { readCredentials, type TlsCredentials } from './tls-credentials.ts';
import { TlsStage, type TlsStageOptions } from './tls-stage.ts';
import { Turn } from './turn.ts';

/** Bound for every wait, in milliseconds. */
const WAIT_MS = 20_000;
const skip = NO_OPENSSL ?? false;

const authority = NO_OPENSSL === null ? new Authority('Test CA') : null;
const stranger = NO_OPENSSL === null ? new Authority('Another CA') : null;
after(() => {
  authority?.remove();
  stranger?.remove();
});

interface Certificates {
  readonly ca: Authority;
  readonly other: Authority;
  readonly server: Issued;
  readonly second: Issued;
  readonly wild: Issued;
  readonly client: Issued;
  readonly expired: Issued;
  readonly revoked: Issued;
  readonly foreign: Issued;
}

const certificates: Certificates | null = authority === null || stranger === null ? null : issueAll(authority, stranger);

function issueAll(ca: Authority, other: Authority): Certificates {
  return {
    ca,
    other,
    server: ca.issue('server', { subject: '/CN=broker', names: 'DNS:broker.example,DNS:localhost,IP:127.0.0.1' }),
    second: ca.issue('second', { subject: '/CN=second.example' }),
    wild: ca.issue('wild', { subject: '/CN=wild', names: 'DNS:*.fleet.example' }),
    client: ca.issue('client', { subject: '/O=Example/OU=Buses, trams/CN=device-7', names: 'IP:127.0.0.1' }),
    expired: ca.issue('expired', { subject: '/CN=old', expired: true }),
    revoked: ca.issue('revoked', { subject: '/CN=stolen' }),
    foreign: other.issue('foreign', { subject: '/CN=foreign' }),
  };
}

function certs(): Certificates {
  return certificates!;
}

function credentialsOf(...identities: readonly Issued[]): TlsCredentials {
  const { ca } = certs();
  const all = identities.map(({ certificate, key }) =>
    readCredentials({
      keyStore: { paths: [certificate, key], password: '', keyPassword: '' },
      trustStore: { paths: [ca.certificate], password: '', keyPassword: '' },
      crlPath: null,
    }),
  );
  return { ...all[0]!, identities: all.flatMap((one) => one.identities) };
}

const DEFAULTS: TlsStageOptions = {
  clientAuth: 'none',
  verifyHostName: false,
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  cipherSuites: null,
};

interface Listening {
  readonly port: number;
  readonly stage: TlsStage;
  readonly connections: Connection[];
  readonly reasons: string[];
}

async function listen(
  t: TestContext,
  options: Partial<TlsStageOptions> = {},
  more: { credentials?: TlsCredentials; before?: readonly Stage[]; stagesTimeoutMs?: number } = {},
): Promise<Listening> {
  const stage = new TlsStage({ ...DEFAULTS, ...options }, more.credentials ?? credentialsOf(certs().server));
  const connections: Connection[] = [];
  const reasons: string[] = [];
  const log: Log = { ...silentLog, info: (_message, facts) => reasons.push(String(facts?.reason)) };
  const listener = new TcpListener({
    name: 'tls',
    host: '127.0.0.1',
    port: 0,
    maximumConnections: 100,
    turn: new Turn(),
    stages: [...(more.before ?? []), stage],
    stagesTimeoutMs: more.stagesTimeoutMs ?? WAIT_MS,
    log,
    onConnection: (connection): ConnectionHandler => {
      connections.push(connection);
      return { onData: (chunk, start, end) => connection.writeCopy(chunk, start, end), onDrain() {}, onClose() {} };
    },
  });
  await listener.listen();
  t.after(() => {
    listener.close();
    for (const connection of listener.connections) connection.destroy();
  });
  return { port: listener.port, stage, connections, reasons };
}

function as({ certificate, key }: Issued): Pick<ConnectionOptions, 'cert' | 'key'> {
  return { cert: certs().ca.bundle('cert.tmp', certificate), key };
}

/** A client of TLS that has shaken hands, or why it could not. */
async function dial(t: TestContext, port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const { cert, key, ...others } = options;
  const socket = connect({
    host: '127.0.0.1',
    port,
    servername: 'broker.example',
    ca: readFileSync(certs().ca.certificate),
    ...(cert === undefined ? {} : { cert: readFileSync(cert as string), key: readFileSync(key as string) }),
    ...others,
  });
  t.after(() => socket.destroy());
  return new Promise((resolve, reject) => {
    socket.once('secureConnect', () => {
      socket.off('error', reject);
      socket.on('error', () => {});
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

/** Sends something and waits for it to come back; null when the connection closes instead. */
function echo(socket: TLSSocket, text: string): Promise<string | null> {
  return new Promise((resolve) => {
    socket.once('data', (chunk) => resolve(chunk.toString()));
    socket.once('close', () => resolve(null));
    socket.write(text);
  });
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!condition()) {
    if (Date.now() > deadline) assert.fail(`waited ${WAIT_MS} ms for ${what}`);
    await delay(2);
  }
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`what is sent over ${version} arrives, in both directions and of any size`, { skip }, async (t) => {
    const { port } = await listen(t);
    const socket = await dial(t, port, { minVersion: version, maxVersion: version });
    assert.equal(socket.getProtocol(), version);
    const sent = Buffer.alloc(3_000_000, 'roundhouse ');
    let received = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
    });
    socket.write(sent);
    await until(() => received.length >= sent.length, 'the echo');
    assert.ok(received.equals(sent));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.end();
    await closed;
  });
}

test('an end of ours lets what is queued arrive before it', { skip }, async (t) => {
  const { port, connections } = await listen(t);
  const socket = await dial(t, port);
  await until(() => connections.length > 0, 'the connection');
  let received = 0;
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  connections[0]!.write(Buffer.alloc(2_000_000));
  connections[0]!.end();
  await new Promise((resolve) => socket.once('end', resolve));
  assert.equal(received, 2_000_000);
});

test('the connection knows who the client is by its certificate, and what it calls the server', { skip }, async (t) => {
  const { port, connections } = await listen(t, { clientAuth: 'need', verifyHostName: true });
  await dial(t, port, as(certs().client));
  await until(() => connections.length > 0, 'the connection');
  const { peerCertificate, serverName, refusal } = connections[0]!;
  assert.deepEqual(peerCertificate, { commonName: 'device-7', subject: 'CN=device-7,OU=Buses\\, trams,O=Example' });
  assert.equal(serverName, 'broker.example');
  assert.equal(refusal, null);
  assert.equal(connections[0]!.admit(null), true);
});

for (const [name, clientAuth, client, refusal] of [
  ['no certificate where one is needed', 'need', null, /^a client certificate is needed$/],
  ['an expired certificate', 'need', 'expired', /^the client certificate is not good: CERT_HAS_EXPIRED$/],
  ['a certificate of another CA', 'need', 'foreign', /^the client certificate is not good: UNABLE_TO_/],
  ['a bad certificate where none is needed', 'want', 'foreign', /^the client certificate is not good: UNABLE_TO_/],
] as const) {
  test(`a client with ${name} is to be turned away by its protocol, and gets no place`, { skip }, async (t) => {
    const { port, connections } = await listen(t, { clientAuth });
    const socket = await dial(t, port, client === null ? {} : as(certs()[client]));
    await until(() => connections.length > 0, 'the connection');
    assert.match(connections[0]!.refusal!, refusal);
    assert.equal(connections[0]!.peerCertificate, null);
    assert.equal(connections[0]!.admit(null), false);
    assert.equal(await echo(socket, 'x'), 'x', 'it can still be told why');
    const other = await dial(t, port, as(certs().client));
    assert.equal(await echo(other, 'y'), 'y');
    assert.equal(connections[1]!.admit(null), true);
  });
}

test('without a certificate a client is let in where one is wanted and not needed', { skip }, async (t) => {
  const { port, connections } = await listen(t, { clientAuth: 'want' });
  await dial(t, port);
  await until(() => connections.length > 0, 'the connection');
  assert.deepEqual([connections[0]!.refusal, connections[0]!.peerCertificate], [null, null]);
});

test('a certificate must name the client’s address where that is asked for', { skip }, async (t) => {
  const { port, connections } = await listen(t, { clientAuth: 'want', verifyHostName: true });
  await dial(t, port, as(certs().second));
  await until(() => connections.length > 0, 'the connection');
  assert.equal(connections[0]!.refusal, 'the client certificate does not name 127.0.0.1, where the client is');
});

test('a revoked certificate is not good', { skip }, async (t) => {
  const { ca, revoked, client, server } = certs();
  const list = readFileSync(ca.revoke(revoked), 'latin1');
  const { port, connections } = await listen(t, { clientAuth: 'need' }, { credentials: { ...credentialsOf(server), revoked: list } });
  await dial(t, port, as(revoked));
  await until(() => connections.length > 0, 'the connection');
  assert.equal(connections[0]!.refusal, 'the client certificate is not good: CERT_REVOKED');
  await dial(t, port, as(client));
  await until(() => connections.length > 1, 'the connection');
  assert.equal(connections[1]!.refusal, null);
});

for (const [serverName, commonName] of [
  ['broker.example', 'broker'],
  ['second.example', 'second.example'],
  ['tram.fleet.example', 'wild'],
  ['a.tram.fleet.example', 'broker'],
  ['unknown.example', 'broker'],
  [null, 'broker'],
] as const) {
  test(`a client that asks for ${serverName ?? 'no name'} gets the certificate of ${commonName}, as openssl s_client sees it`, {
    skip,
  }, async (t) => {
    const { server, second, wild } = certs();
    const { port } = await listen(t, {}, { credentials: credentialsOf(server, second, wild) });
    const name = serverName === null ? ['-noservername'] : ['-servername', serverName];
    const child = execFile('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...name]);
    t.after(() => child.kill());
    let output = '';
    child.stdout!.on('data', (text) => (output += text));
    await until(() => /^subject=.*$/m.test(output), 'the certificate');
    child.stdin!.end();
    assert.match(output, new RegExp(`^subject=CN = ${commonName.replaceAll('.', '\\.')}$`, 'm'));
  });
}

test('new credentials are for new handshakes; connections go on; those that OpenSSL does not take change nothing', { skip }, async (t) => {
  const { port, stage } = await listen(t);
  const early = await dial(t, port);
  assert.equal(early.getPeerCertificate().subject.CN, 'broker');
  stage.use(credentialsOf(certs().second));
  const late = await dial(t, port, { servername: 'second.example' });
  assert.equal(late.getPeerCertificate().subject.CN, 'second.example');
  assert.equal(await echo(early, 'still here'), 'still here');
  const [broken] = credentialsOf(certs().wild).identities;
  const mismatched = { ...broken!, chain: credentialsOf(certs().server).identities[0]!.chain };
  assert.throws(() => stage.use({ identities: [mismatched], trusted: [], revoked: null }), ConfigError);
  const after_ = await dial(t, port, { servername: 'second.example' });
  assert.equal(after_.getPeerCertificate().subject.CN, 'second.example');
});

test('only the versions that are enabled are spoken, and the log says so', { skip }, async (t) => {
  const { port, reasons } = await listen(t, { minVersion: 'TLSv1.3' });
  await assert.rejects(dial(t, port, { maxVersion: 'TLSv1.2' }), { code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
  await until(() => reasons.length > 0, 'the log');
  assert.deepEqual(reasons, ['the client speaks only versions of TLS that are not enabled']);
});

test('old versions can be enabled for devices that know no other', { skip }, async (t) => {
  const { port } = await listen(t, { minVersion: 'TLSv1' });
  const socket = await dial(t, port, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' });
  assert.equal(socket.getProtocol(), 'TLSv1.1');
  assert.equal(await echo(socket, 'x'), 'x');
});

test('only the cipher suites that are enabled are used', { skip }, async (t) => {
  const suite = 'ECDHE-ECDSA-AES128-GCM-SHA256';
  const { port, reasons } = await listen(t, { cipherSuites: suite });
  const socket = await dial(t, port, { maxVersion: 'TLSv1.2' });
  assert.equal(socket.getCipher().name, suite);
  await assert.rejects(dial(t, port, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' }), {
    code: /ALERT_HANDSHAKE_FAILURE/,
  });
  await until(() => reasons.length > 0, 'the log');
  assert.deepEqual(reasons, ['the client and the broker have no cipher suite in common']);
});

for (const [name, bytes, reason] of [
  ['a CONNECT packet without TLS', Buffer.from('101000044d5154540402003c000474657374', 'hex'), 'what came is no TLS'],
  ['an HTTP request without TLS', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'what came is HTTP without TLS'],
] as const) {
  test(`${name} ends its connection alone, and the log has why`, { skip }, async (t) => {
    const { port, reasons } = await listen(t);
    const socket = connectPlain({ host: '127.0.0.1', port }, () => socket.write(bytes));
    t.after(() => socket.destroy());
    await new Promise((resolve) =>
      socket
        .on('error', () => {})
        .on('data', () => {})
        .once('close', resolve),
    );
    await until(() => reasons.length > 0, 'the log');
    assert.deepEqual(reasons, [reason]);
    assert.equal(await echo(await dial(t, port), 'x'), 'x');
  });
}

test('a client that does not trust the broker says so, and the log has it', { skip }, async (t) => {
  const { port, reasons } = await listen(t);
  const child = execFile('openssl', [
    's_client',
    '-connect',
    `127.0.0.1:${port}`,
    '-CAfile',
    certs().other.certificate,
    '-verify_return_error',
  ]);
  t.after(() => child.kill());
  await until(() => reasons.length > 0, 'the log');
  assert.deepEqual(reasons, ['the client does not trust the certificate of the broker (unknown CA)']);
});

test('a half-open handshake is closed when its time is over; one that goes in it is forgotten', { skip }, async (t) => {
  const { port, reasons, connections } = await listen(t, {}, { stagesTimeoutMs: 300 });
  const hello = Buffer.from('16030100f5010000f10303', 'hex');
  const silent = [Buffer.alloc(0), hello].map((bytes) => {
    const socket = connectPlain({ host: '127.0.0.1', port }, () => socket.write(bytes));
    socket.on('error', () => {});
    t.after(() => socket.destroy());
    return new Promise((resolve) => socket.resume().once('close', resolve));
  });
  const gone = connectPlain({ host: '127.0.0.1', port }, () => gone.write(hello, () => gone.resetAndDestroy()));
  gone.on('error', () => {});
  assert.equal(await echo(await dial(t, port), 'x'), 'x');
  await Promise.all(silent);
  assert.equal(reasons.filter((reason) => reason === 'not done within 300 ms').length, 2);
  assert.equal(connections.length, 1);
});

test('a handshake begins behind what an earlier stage has read, also when that had read some of it', { skip }, async (t) => {
  const before: Stage = {
    name: 'header',
    begin(arrival, outcome) {
      const { socket } = arrival;
      socket.once('data', (chunk: Buffer) => {
        socket.pause();
        assert.equal(chunk.toString('latin1', 0, 6), 'header');
        outcome.done({ ...arrival, head: chunk.subarray(6), remoteAddress: '192.0.2.1:7' });
      });
    },
  };
  const { port, connections } = await listen(t, {}, { before: [before] });
  for (const inOnePiece of [true, false]) {
    // Between client and broker, somebody who puts the header before the first bytes.
    const relay = createServer((client) => {
      const upstream = connectPlain({ host: '127.0.0.1', port, noDelay: true });
      for (const socket of [client, upstream]) socket.on('error', () => {});
      if (!inOnePiece) upstream.write('header');
      client.once('data', (chunk: Buffer) => {
        upstream.write(inOnePiece ? Buffer.concat([Buffer.from('header'), chunk]) : chunk);
        client.pipe(upstream).pipe(client);
      });
    });
    await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
    t.after(() => relay.close());
    const socket = await dial(t, (relay.address() as AddressInfo).port);
    assert.equal(await echo(socket, 'x'), 'x');
    assert.equal(connections.at(-1)!.remoteAddress, '192.0.2.1:7');
  }
});
