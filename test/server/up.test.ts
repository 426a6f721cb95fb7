import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { balancerCfg, brokerXml, DeploymentFolder } from '../harness/deployment-files.ts';
import { freePorts, Program } from '../harness/program.ts';

const folder = await DeploymentFolder.make();
after(() => folder.remove());

/** Starts `up` and waits for its overview; ended after the test, however that ends. */
async function up(t: TestContext, args: readonly string[]): Promise<Program> {
  const program = new Program(['up', ...args], { cwd: folder.path });
  t.after(async () => {
    program.kill('SIGKILL');
    await program.ended;
  });
  await program.saying(/Ctrl-C stops everything/);
  return program;
}

/** Two linked brokers and a balancer over them, on ports of their own. */
async function writeDeployment(name: string) {
  const [mqtt1, mqtt2, link1, link2, port, statsPort] = (await freePorts(6)) as [number, number, number, number, number, number];
  await folder.write(`${name}-1.xml`, brokerXml({ mqttPort: mqtt1, openwirePort: link1, linkTo: link2, brokerName: 'one' }));
  await folder.write(`${name}-2.xml`, brokerXml({ mqttPort: mqtt2, openwirePort: link2, linkTo: link1, brokerName: 'two' }));
  await folder.write(`${name}.cfg`, balancerCfg({ port, statsPort, serverPorts: [mqtt1, mqtt2] }));
  return { files: [`${name}-1.xml`, `${name}-2.xml`, `${name}.cfg`], mqtt1, mqtt2, port, statsPort };
}

function pidOf(program: Program, name: string): number {
  const match = new RegExp(`^  ${name} +.*process (\\d+)$`, 'm').exec(program.stdout);
  assert.ok(match, program.stdout);
  return Number(match[1]);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function untilGone(pid: number): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (isRunning(pid)) {
    assert.ok(performance.now() < deadline, `process ${pid} is still there`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const CONNECT = Buffer.from(`101000044d5154540402003c0004${Buffer.from('test').toString('hex')}`, 'hex');

/** Connects as an MQTT 3.1.1 client; resolves with what came back first, empty when it was closed. */
function connack(port: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(CONNECT));
    socket.once('data', (data) => {
      socket.destroy();
      resolve(data);
    });
    socket.once('close', () => resolve(Buffer.alloc(0)));
    socket.once('error', reject);
  });
}

test('up runs everything, says what is where, and stops cleanly with exit code 0', async (t) => {
  const { files, mqtt1, mqtt2, port, statsPort } = await writeDeployment('classic');
  const program = await up(t, files);
  for (const address of [mqtt1, mqtt2, port]) {
    assert.ok(program.stdout.includes(`127.0.0.1:${address}`), program.stdout);
    assert.deepEqual(await connack(address), Buffer.from('20020000', 'hex'));
  }
  assert.ok(program.stdout.includes(`http://127.0.0.1:${statsPort}/haproxy (user admin)`), program.stdout);
  assert.match(program.stdout, /store +\S*data\/classic-1\/kahadb\n/);
  assert.match(program.stdout, new RegExp(`mosquitto_pub -h 127\\.0\\.0\\.1 -p ${port} `));
  assert.ok(existsSync(join(folder.path, 'data', 'classic-2', 'kahadb')));
  const pids = ['classic-1', 'classic-2', 'classic'].map((name) => pidOf(program, name));
  assert.equal(new Set(pids).size, 3);
  program.kill('SIGTERM');
  const { code, stderr } = await program.ended;
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^classic-1 \| .*broker stopped/m);
  assert.doesNotMatch(stderr, /starting it again|killed/);
  assert.deepEqual(pids.filter(isRunning), []);
});

test('a broker killed with SIGKILL is started again and said so; the others do not notice', async (t) => {
  const { files, mqtt1 } = await writeDeployment('killed');
  const program = await up(t, files);
  const pids = ['killed-1', 'killed-2', 'killed'].map((name) => pidOf(program, name));
  for (let round = 0; round < 2; round++) {
    const again = round + 1;
    process.kill(pids[0]!, 'SIGKILL');
    await program.until(() => ([...program.stderr.matchAll(/up again/g)].length === again ? true : null), `not up again (${again})`);
    assert.match(program.stderr, /\(killed-1\): ended unexpectedly: starting it again .*SIGKILL/);
    assert.deepEqual(await connack(mqtt1), Buffer.from('20020000', 'hex'));
    pids[0] = Number([...program.stderr.matchAll(/up again .*"processId":(\d+)/g)].at(-1)![1]);
  }
  assert.deepEqual(pids.filter(isRunning), pids);
  program.kill('SIGINT');
  assert.equal((await program.ended).code, 0);
});

test('when the parent is killed with SIGKILL, its children end by themselves', async (t) => {
  const { files } = await writeDeployment('orphan');
  const program = await up(t, files);
  const pids = ['orphan-1', 'orphan-2', 'orphan'].map((name) => pidOf(program, name));
  program.kill('SIGKILL');
  for (const pid of pids) await untilGone(pid);
});

test('a stop while everything starts is a clean stop', async () => {
  const { files } = await writeDeployment('early');
  const program = new Program(['up', ...files], { cwd: folder.path });
  await program.saying(/connector listens/);
  program.kill('SIGTERM');
  const { code, stderr } = await program.ended;
  assert.equal(code, 0, stderr);
});

test('a hung broker is not waited for when the stop is asked for twice', async (t) => {
  const { files } = await writeDeployment('hung');
  const program = await up(t, files);
  const pid = pidOf(program, 'hung-1');
  process.kill(pid, 'SIGSTOP');
  program.kill('SIGTERM');
  await program.saying(/stopping/);
  await new Promise((resolve) => setTimeout(resolve, 400)); // two signals at once are one wish
  program.kill('SIGTERM');
  assert.equal((await program.ended).code, 130);
  await untilGone(pid);
});

test('a signal that comes twice at once is one wish, as npm passes Ctrl-C on once more', async (t) => {
  const { files } = await writeDeployment('twice');
  const program = await up(t, files);
  program.kill('SIGINT');
  program.kill('SIGTERM');
  assert.equal((await program.ended).code, 0);
});

test('a broker whose port is taken while it restarts says so, keeps trying, and is back when the port is free', async (t) => {
  const { files, mqtt1 } = await writeDeployment('robbed');
  const program = await up(t, files);
  const thief = createServer();
  t.after(() => thief.close());
  process.kill(pidOf(program, 'robbed-1'), 'SIGKILL');
  await new Promise<void>((resolve, reject) => {
    // Its process has to be gone first, and its successor needs far longer to get here than we do.
    const take = () => thief.listen(mqtt1, '127.0.0.1');
    thief.on('listening', resolve).on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') setTimeout(take, 1);
      else reject(error);
    });
    take();
  });
  await program.saying(/\(robbed-1\): could not start: trying again .*robbed-1\.xml:\d+: .*taken/);
  thief.close();
  await program.saying(/\(robbed-1\): up again/);
  assert.deepEqual(await connack(mqtt1), Buffer.from('20020000', 'hex'));
});

test('two brokers that would get the same data folder get a sub-folder each, and it is said', async (t) => {
  const { files } = await writeDeployment('sub');
  const program = await up(t, [...files, '-D', 'activemq.data=together']);
  const base = join(folder.path, 'together');
  for (const name of ['sub-1', 'sub-2']) {
    assert.ok(program.stdout.includes(join(base, name, 'kahadb')), program.stdout);
    assert.ok(existsSync(join(base, name, 'kahadb')));
  }
  assert.ok(!existsSync(join(base, 'kahadb')));
  assert.match(program.stderr, /sub-2\.xml:\d+:\d+: warning: .*together\/kahadb, too: each gets a sub-folder of its own/);
});

test('one path written in both files is divided, too', async (t) => {
  const storeFolder = join(folder.path, 'written', 'kahadb');
  const [mqtt1, mqtt2] = (await freePorts(2)) as [number, number];
  await folder.write('w-1.xml', brokerXml({ mqttPort: mqtt1, storeFolder }));
  await folder.write('w-2.xml', brokerXml({ mqttPort: mqtt2, storeFolder }));
  const program = await up(t, ['w-1.xml', 'w-2.xml']);
  for (const name of ['w-1', 'w-2']) assert.ok(program.stdout.includes(join(storeFolder, name)), program.stdout);
});

test('with --log-json every line on standard error is JSON that names its process', async (t) => {
  const [mqttPort] = (await freePorts(1)) as [number];
  await folder.write('json.xml', brokerXml({ mqttPort }));
  const program = await up(t, ['json.xml', '--log-json']);
  program.kill('SIGTERM');
  const { code, stderr } = await program.ended;
  assert.equal(code, 0);
  const lines = stderr
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
  assert.ok(lines.some(({ msg, process }) => msg === 'broker is up' && process === 'json'));
  assert.ok(lines.some(({ msg, process }) => msg === 'stopped' && process === undefined));
});
