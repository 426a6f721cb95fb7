import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts, type Outcome, Program, runProgram } from '../harness/program.ts';
import { REPOSITORY_ROOT } from '../harness/repository-root.ts';

/** Bound of each wait, in ms, far above what it takes on a busy machine. */
const WAIT_MS = 60_000;

const TIMEOUTS = 'defaults\n timeout connect 5s\n timeout client 1h\n timeout server 1h\n';

interface World {
  readonly folder: string;
  readonly file: string;
  readonly port: number;
  /** Sessions that the server behind the balancer has. */
  readonly sessions: Set<Socket>;
}

/** A folder with a haproxy.cfg that leads from `port` to a server that answers "hello". `global` goes into its global section. */
async function makeWorld(t: TestContext, global = ''): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'roundhouse-haproxy-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const sessions = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sessions.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sessions.delete(socket));
    socket.write('hello');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    for (const socket of sessions) socket.destroy();
  });
  const address = server.address() as { port: number };
  const [port] = (await freePorts(1)) as [number];
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(
    file,
    `global\n${global}${TIMEOUTS}frontend f\n bind 127.0.0.1:${port}\n default_backend b\nbackend b\n server s 127.0.0.1:${address.port}\n`,
  );
  return { folder, file, port, sessions };
}

/** Milliseconds without a word after which a connection counts as not served; far more than the server behind needs to greet. */
const GREETING_WAIT_MS = 20_000;

/** A client that has heard "hello", or null when it was refused. */
function greet(port: number): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('data', () => {
      socket.setTimeout(0);
      resolve(socket);
    });
    socket.once('error', () => resolve(null));
    socket.once('close', () => resolve(null));
    // A handshake that ends just as the port is closed leaves a client that believes it is connected, and nobody who would tell it.
    socket.setTimeout(GREETING_WAIT_MS, () => socket.destroy());
  });
}

async function until<T>(look: () => T | null | Promise<T | null>, what: string): Promise<T> {
  const deadline = performance.now() + WAIT_MS;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (performance.now() > deadline) throw new Error(`not within ${WAIT_MS / 1000} s: ${what}`);
    await delay(20);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** How it ended, which must be soon. */
async function outcome(program: Program): Promise<Outcome> {
  const timer = setTimeout(() => program.kill('SIGKILL'), WAIT_MS);
  const ended = await program.ended;
  clearTimeout(timer);
  assert.notEqual(ended.signal, 'SIGKILL', `it did not end by itself within ${WAIT_MS / 1000} s`);
  return ended;
}

/** Starts it in the foreground; resolves with a client that got through. */
async function start(t: TestContext, world: World, ...args: string[]): Promise<{ program: Program; client: Socket }> {
  const program = new Program(['haproxy', '-db', '-f', world.file, ...args]);
  t.after(async () => {
    program.kill('SIGKILL');
    await program.ended;
  });
  const client = await until(() => {
    if (program.child.exitCode !== null) throw new Error(program.said);
    return greet(world.port);
  }, 'a client that is served');
  t.after(() => client.destroy());
  return { program, client };
}

const closed = (socket: Socket) => new Promise<void>((resolve) => (socket.closed ? resolve() : socket.once('close', () => resolve())));

test('-c says valid and returns 0, says what is wrong and returns 1, and returns 2 where nothing listens', async (t) => {
  const { folder, file } = await makeWorld(t);
  const good = await runProgram(['haproxy', '-c', '-f', file]);
  assert.deepEqual(good, { code: 0, signal: null, stdout: 'Configuration file is valid\n', stderr: '' });

  writeFileSync(join(folder, 'bad.cfg'), 'global\n demon\n');
  const bad = await runProgram(['haproxy', '-c', '-f', 'bad.cfg'], { cwd: folder });
  assert.equal(bad.code, 1);
  assert.equal(bad.stdout, '');
  const lines = bad.stderr.split('\n');
  assert.match(lines[0]!, /^\[NOTICE\] {3}\(\d+\) : haproxy version is 2\.6\.12-roundhouse/);
  assert.match(lines[1]!, /^\[NOTICE\] {3}\(\d+\) : path to executable is /);
  assert.match(
    lines[2]!,
    /^\[ALERT\] {4}\(\d+\) : config : parsing \[bad\.cfg:2\] : unknown keyword 'demon' in 'global' section; did you mean 'daemon' maybe \?$/,
  );
  assert.match(lines[3]!, /Error\(s\) found in configuration file : bad\.cfg$/);
  assert.match(lines[4]!, /Fatal errors found in configuration\.$/);

  writeFileSync(join(folder, 'none.cfg'), 'global\n');
  const none = await runProgram(['haproxy', '-c', '-f', join(folder, 'none.cfg')]);
  assert.equal(none.code, 2);
  assert.match(none.stdout, /will not start \(no listener\) => exit\(2\)\.$/m);
});

test('-c of the classic file: valid, with HAProxy’s warning and ours in its form', async () => {
  const file = join(REPOSITORY_ROOT, 'test/fixtures/classic/haproxy.cfg');
  const { code, stdout, stderr } = await runProgram(['haproxy', '-c', '-f', file]);
  assert.equal(code, 0);
  assert.equal(stdout, 'Warnings were found.\nConfiguration file is valid\n');
  for (const said of stderr.trimEnd().split('\n').slice(2))
    assert.match(said, /^\[WARNING\] {2}\(\d+\) : config : (parsing )?\[.*haproxy\.cfg:\d+\] : /);
  assert.match(stderr, /'option tcplog' directive is ignored in backends\./);
  assert.match(stderr, /'inter': no effect without 'check'/);
});

test('-q says nothing', async (t) => {
  const { folder } = await makeWorld(t);
  writeFileSync(join(folder, 'bad.cfg'), 'global\n demon\n');
  const said = await runProgram(['haproxy', '-c', '-q', '-f', join(folder, 'bad.cfg')]);
  assert.deepEqual(said, { code: 1, signal: null, stdout: '', stderr: '' });
});

test('a folder stands for its .cfg files by name, and -C goes somewhere first', async (t) => {
  const { folder } = await makeWorld(t);
  mkdirSync(join(folder, 'd'));
  writeFileSync(join(folder, 'd/b.cfg'), 'global\n foo\n');
  writeFileSync(join(folder, 'd/a.cfg'), 'global\n maxconn 5\n');
  writeFileSync(join(folder, 'd/c.txt'), 'bar\n');
  const { code, stderr } = await runProgram(['haproxy', '-C', folder, '-c', '-f', 'd']);
  assert.equal(code, 1);
  assert.match(stderr, /parsing \[d\/b\.cfg:2\] : unknown keyword 'foo'/);
  assert.doesNotMatch(stderr, /bar|a\.cfg/);
});

test('a file that is not there, and a folder that is not there', async (t) => {
  const { folder } = await makeWorld(t);
  const file = await runProgram(['haproxy', '-c', '-f', 'nope.cfg'], { cwd: folder });
  assert.equal(file.code, 1);
  assert.match(file.stderr, /config : Cannot open configuration file\/directory nope\.cfg : No such file or directory\n$/);
  const directory = await runProgram(['haproxy', '-C', join(folder, 'nope'), '-c', '-f', 'x']);
  assert.equal(directory.code, 1);
  assert.match(directory.stderr, / : Could not change to directory .*nope : No such file or directory\n$/);
});

test('a wrong command line prints the usage and returns 1', async () => {
  const { code, stdout, stderr } = await runProgram(['haproxy', '-c']);
  assert.equal(code, 1);
  assert.match(stdout, /^HAProxy version 2\.6\.12-roundhouse/);
  assert.match(stderr, /^Usage : haproxy \[-f <cfgfile\|cfgdir>\]\*/);
});

test('-v prints a version in HAProxy’s form', async () => {
  const { code, stdout, stderr } = await runProgram(['haproxy', '-v']);
  assert.equal(code, 0);
  assert.equal(stderr, '');
  assert.match(stdout, /^HAProxy version 2\.6\.12-roundhouse\d+\.\d+\.\d+ - Roundhouse/);
});

test('-cc evaluates a condition', async () => {
  const code = async (condition: string) => (await runProgram(['haproxy', '-cc', condition])).code;
  assert.deepEqual([await code('version_atleast(2.5)'), await code('version_atleast(2.9)'), await code('foo')], [0, 1, 2]);
});

test('SIGUSR1 stops softly: no new clients, those there stay until they leave, then exit code 0', async (t) => {
  const world = await makeWorld(t);
  const { program, client } = await start(t, world);
  program.kill('SIGUSR1');
  await until(async () => {
    const late = await greet(world.port);
    late?.destroy();
    return late === null ? true : null;
  }, 'the port to be closed');
  assert.equal(program.child.exitCode, null);
  assert.ok(!client.closed);
  client.end();
  assert.deepEqual((({ code, signal }) => ({ code, signal }))(await program.ended), { code: 0, signal: null });
});

test('SIGTERM ends sessions and the process at once, and shows as the cause', async (t) => {
  const world = await makeWorld(t);
  const { program, client } = await start(t, world);
  program.kill('SIGTERM');
  const { code, signal } = await outcome(program);
  assert.deepEqual({ code, signal }, { code: null, signal: 'SIGTERM' });
  await closed(client);
});

test('SIGTERM after SIGUSR1 does not wait any longer', async (t) => {
  const world = await makeWorld(t);
  const { program, client } = await start(t, world);
  program.kill('SIGUSR1');
  await until(async () => ((await greet(world.port)) === null ? true : null), 'the port to be closed');
  program.kill('SIGTERM');
  assert.equal((await outcome(program)).signal, 'SIGTERM');
  await closed(client);
});

test('SIGHUP and SIGUSR2 end nothing', async (t) => {
  const world = await makeWorld(t);
  const { program } = await start(t, world);
  program.kill('SIGHUP');
  program.kill('SIGUSR2');
  await program.saying(/\[WARNING\] {2}\(\d+\) : SIGUSR2: reloading is not supported yet/);
  const other = await greet(world.port);
  assert.ok(other);
  other.destroy();
});

test('a port that is taken: HAProxy’s words, and exit code 1', async (t) => {
  const world = await makeWorld(t);
  const squatter = createServer();
  await new Promise<void>((resolve) => squatter.listen(world.port, '127.0.0.1', resolve));
  t.after(() => squatter.close());
  for (const mode of ['-db', '-D']) {
    const { code, stderr } = await runProgram(['haproxy', mode, '-f', world.file]);
    assert.equal(code, 1, mode);
    assert.match(
      stderr,
      /\[ALERT\] {4}\(\d+\) : Binding \[.*haproxy\.cfg:7\] for frontend f: cannot bind socket \(Address already in use\) for \[127\.0\.0\.1:\d+\]\n/,
    );
    assert.match(stderr, /\[ALERT\] {4}\(\d+\) : \[haproxy\.main\(\)\] Some protocols failed to start their listeners! Exiting\.\n$/);
  }
});

test('a file in which nothing listens is not run', async (t) => {
  const { folder } = await makeWorld(t);
  writeFileSync(join(folder, 'none.cfg'), 'global\n');
  const { code, stderr } = await runProgram(['haproxy', '-f', join(folder, 'none.cfg')]);
  assert.equal(code, 1);
  assert.match(stderr, /No enabled listener found \(check for 'bind' directives\) ! Exiting\.\n$/);
});

/** Runs it to the background and makes sure that nothing of it is left after the test. */
async function startInBackground(t: TestContext, world: World, ...args: string[]): Promise<number> {
  const pidfile = join(world.folder, 'haproxy.pid');
  const said = await runProgram(['haproxy', '-f', world.file, '-p', pidfile, ...args]);
  assert.deepEqual(said, { code: 0, signal: null, stdout: '', stderr: '' });
  const pid = Number(readFileSync(pidfile, 'utf8'));
  t.after(() => {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  });
  return pid;
}

test('-D returns 0 once clients are served, leaves its pid in the file, and stops softly', async (t) => {
  const world = await makeWorld(t);
  const pid = await startInBackground(t, world, '-D');
  const client = await greet(world.port);
  assert.ok(client, 'it listens before its starter returns');
  client.destroy();
  assert.ok(isAlive(pid));
  process.kill(pid, 'SIGUSR1');
  await until(() => (isAlive(pid) ? null : true), 'the process to end');
});

test('daemon in the file means -D, and -db overrides it', async (t) => {
  const world = await makeWorld(t, ' daemon\n');
  const pid = await startInBackground(t, world);
  process.kill(pid, 'SIGTERM');
  await until(() => (isAlive(pid) ? null : true), 'the process to end');
  const { program } = await start(t, world);
  assert.equal(program.child.exitCode, null);
});

test('a pidfile that cannot be written is fatal in the background, and not looked at in the foreground', async (t) => {
  const world = await makeWorld(t);
  const pidfile = join(world.folder, 'nope', 'x.pid');
  const { code, stderr } = await runProgram(['haproxy', '-D', '-f', world.file, '-p', pidfile]);
  assert.equal(code, 1);
  assert.match(stderr, /\[haproxy\.main\(\)\] Cannot create pidfile .*x\.pid\n$/);
  assert.equal(await greet(world.port), null, 'nothing stays open');
  await start(t, world, '-p', pidfile);
  assert.ok(!existsSync(pidfile));
});

/** The same configuration with one more port, by which the new process can be told from the old one. */
async function successor(world: World): Promise<World> {
  const [port] = (await freePorts(1)) as [number];
  const file = join(world.folder, 'successor.cfg');
  writeFileSync(
    file,
    readFileSync(world.file, 'utf8').replace('\nbackend b', `\nlisten m\n bind 127.0.0.1:${port}\n default_backend b\nbackend b`),
  );
  return { ...world, file, port };
}

test('-sf takes over from an old process, whose sessions may finish', async (t) => {
  const world = await makeWorld(t);
  const old = await start(t, world);
  await start(t, await successor(world), '-sf', String(old.program.child.pid));
  const client = await greet(world.port);
  assert.ok(client, 'the new process has the old port');
  client.destroy();
  assert.ok(!old.client.closed, 'the old session goes on');
  assert.equal(old.program.child.exitCode, null);
  old.client.end();
  assert.equal((await outcome(old.program)).code, 0);
});

test('-st ends the old process and its sessions', async (t) => {
  const world = await makeWorld(t);
  const old = await start(t, world);
  await start(t, await successor(world), '-st', String(old.program.child.pid));
  assert.equal((await outcome(old.program)).signal, 'SIGTERM');
  await closed(old.client);
});

test('user and group of the file are who it becomes once its ports are open', async (t) => {
  if (process.platform !== 'linux') return t.skip('who a process is, is read from /proc');
  if (process.getuid?.() !== 0) return t.skip('only root can become somebody else');
  const world = await makeWorld(t, ' uid 65534\n gid 65534\n');
  const { program } = await start(t, world);
  const status = await until(() => {
    const text = readFileSync(`/proc/${program.child.pid}/status`, 'utf8');
    return /^Uid:\t65534\t/m.test(text) ? text : null;
  }, 'the process to become another user');
  assert.match(status, /^Uid:\t65534\t65534\t65534\t65534$/m);
  assert.match(status, /^Gid:\t65534\t65534\t65534\t65534$/m);
  assert.match(status, /^Groups:\s*65534\s*$/m);
  const client = await greet(world.port);
  assert.ok(client, 'and it still serves');
  client.destroy();
});
