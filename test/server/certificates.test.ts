import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'node:tls';
import { Authority, type Issued, NO_OPENSSL } from '../harness/certificates.ts';
import { DeploymentFolder } from '../harness/deployment-files.ts';
import { freePorts, Program, runProgram } from '../harness/program.ts';
import { REPOSITORY_ROOT } from '../harness/repository-root.ts';

const skip = NO_OPENSSL ?? false;
const folder = await DeploymentFolder.make();
const authority = NO_OPENSSL === null ? new Authority('Test CA') : null;
after(() => {
  authority?.remove();
  return folder.remove();
});

/** Milliseconds for what takes some ten. */
const WAIT_MS = 30_000;

function install({ certificate, key }: Issued): void {
  copyFileSync(key, join(folder.path, 'broker.key'));
  copyFileSync(certificate, join(folder.path, 'broker.crt'));
}

async function writeBroker(name: string): Promise<number> {
  const [port] = (await freePorts(1)) as [number];
  await folder.write(
    `${name}.xml`,
    `<broker xmlns="http://activemq.apache.org/schema/core" persistent="false">
      <sslContext><sslContext keyStore="broker.crt"/></sslContext>
      <transportConnectors><transportConnector name="tls" uri="mqtt+ssl://127.0.0.1:${port}"/></transportConnectors>
    </broker>`,
  );
  return port;
}

/** The common name in the certificate that a port shows. */
function shownAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

async function untilShown(port: number, name: string): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while ((await shownAt(port)) !== name) {
    assert.ok(Date.now() < deadline, `the certificate of ${name} is not shown`);
    await delay(20);
  }
}

for (const [command, isUp] of [
  ['broker', /broker is up/],
  ['up', /Ctrl-C stops everything/],
] as const) {
  test(`${command}: SIGHUP has certificates read again, and nothing ends`, { skip }, async (t) => {
    const [one, two] = ['one', 'two'].map((name) => authority!.issue(`${command}-${name}`, { subject: `/CN=${name}` }));
    install(one!);
    const port = await writeBroker(command);
    const program = new Program([command, `${command}.xml`], { cwd: folder.path });
    t.after(async () => {
      program.kill('SIGKILL');
      await program.ended;
    });
    await program.saying(isUp);
    assert.equal(await shownAt(port), 'one');
    install(two!);
    program.kill('SIGHUP');
    await untilShown(port, 'two');
    program.kill('SIGTERM');
    assert.equal((await program.ended).code, 0, program.stderr);
  });
}

test('a terminal that closes ends the broker in it', { skip: skip || noPython() }, async (t: TestContext) => {
  install(authority!.issue('terminal', { subject: '/CN=terminal' }));
  const port = await writeBroker('terminal');
  // Gives the broker a terminal of its own, closes it when the broker is up, and prints how the broker ended.
  const child = spawn('python3', [
    '-c',
    `import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.chdir(sys.argv[1])
    os.execv(sys.argv[2], sys.argv[2:])
said = b''
while b'broker is up' not in said:
    said += os.read(terminal, 65536)
os.close(terminal)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))`,
    folder.path,
    process.execPath,
    join(REPOSITORY_ROOT, 'bin/roundhouse'),
    'broker',
    'terminal.xml',
  ]);
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
  await new Promise((resolve) => child.once('close', resolve));
  assert.equal(output.trim(), '-1', 'SIGHUP');
  await assert.rejects(shownAt(port));
});

function noPython(): string | false {
  return spawnSync('python3', ['-c', 'import pty']).status === 0 ? false : 'python3, which makes terminals, is not installed';
}

test('check says what is wrong with a certificate and starts nothing; up does not begin with it', { skip }, async () => {
  await writeBroker('checked');
  install(authority!.issue('old', { subject: '/CN=old', expired: true }));
  const old = await runProgram(['check', 'checked.xml'], { cwd: folder.path });
  assert.equal(old.code, 0, old.stdout);
  assert.match(
    old.stdout,
    /checked\.xml:2:\d+: warning: .*broker\.crt: the certificate of CN=old has expired, on Feb {2}1 00:00:00 2020 GMT/,
  );
  await folder.write('broker.crt', 'nonsense');
  for (const command of ['check', 'up', 'broker']) {
    const { code, stdout, stderr } = await runProgram([command, 'checked.xml'], { cwd: folder.path });
    assert.equal(code, 1, command);
    assert.match(stdout + stderr, /checked\.xml:2\S* .*broker\.crt: it is neither PEM nor PKCS#12 nor JKS/, command);
  }
});
