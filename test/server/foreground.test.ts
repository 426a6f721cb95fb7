import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { balancerCfg, brokerXml, DeploymentFolder } from '../harness/deployment-files.ts';
import { freePorts, Program } from '../harness/program.ts';

const folder = await DeploymentFolder.make();
after(() => folder.remove());

async function start(t: TestContext, args: readonly string[], until: RegExp): Promise<Program> {
  const program = new Program(args, { cwd: folder.path });
  t.after(async () => {
    program.kill('SIGKILL');
    await program.ended;
  });
  await program.saying(until);
  return program;
}

async function startBroker(t: TestContext, name: string): Promise<{ program: Program; port: number }> {
  const [port] = (await freePorts(1)) as [number];
  await folder.write(`${name}.xml`, brokerXml({ mqttPort: port }));
  return { program: await start(t, ['broker', `${name}.xml`], /broker is up/), port };
}

/** Sends a CONNECT; resolves after CONNACK with everything that comes until the end. */
function session(port: number, packet: string, options: { allowHalfOpen?: boolean } = {}) {
  return new Promise<{ socket: Socket; received: Promise<Buffer> }>((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ port, host: '127.0.0.1', ...options }, () => socket.write(Buffer.from(packet, 'hex')));
    const received = new Promise<Buffer>((done) => socket.once('close', () => done(Buffer.concat(chunks))));
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      if (chunks.length === 1) resolve({ socket, received });
    });
    socket.once('error', reject);
  });
}

const CONNECT_5 = '101100044d5154540502003c00000474657374';
const CONNECT_3_1_1 = '101100044d5154540402003c00057465737433';

test('a stopping broker tells its MQTT 5 clients with DISCONNECT 0x8B, closes all, gives its folder up and ends with 0', async (t) => {
  const { program, port } = await startBroker(t, 'told');
  const five = await session(port, CONNECT_5);
  const three = await session(port, CONNECT_3_1_1);
  program.kill('SIGTERM');
  const last = (await five.received).subarray(-4);
  assert.match(last.toString('hex'), /(e0018b|e0028b00)$/);
  assert.deepEqual(await three.received, Buffer.from('20020000', 'hex'));
  const { code, stderr } = await program.ended;
  assert.equal(code, 0, stderr);
  assert.match(stderr, /stopping .*SIGTERM/);
  assert.ok(existsSync(join(folder.path, 'data', 'told', 'kahadb')), 'activemq.data is ./data/<file> unless set');
  await start(t, ['broker', 'told.xml'], /broker is up/);
});

test('Ctrl-C is a clean stop, too', async (t) => {
  const { program } = await startBroker(t, 'interrupted');
  program.kill('SIGINT');
  assert.equal((await program.ended).code, 0);
});

test('a client that does not close its side does not keep the broker from stopping', async (t) => {
  const { program, port } = await startBroker(t, 'halfopen');
  const client = await session(port, CONNECT_5, { allowHalfOpen: true });
  program.kill('SIGTERM');
  assert.equal((await program.ended).code, 0);
  client.socket.destroy();
});

test('the file may have any name where the command says what it is', async (t) => {
  const [mqttPort] = (await freePorts(1)) as [number];
  await folder.write('broker.conf', brokerXml({ mqttPort }));
  const program = await start(t, ['broker', 'broker.conf', '-D', 'activemq.data=elsewhere'], /broker is up/);
  assert.ok(existsSync(join(folder.path, 'elsewhere', 'kahadb')));
  program.kill();
  assert.equal((await program.ended).code, 0);
});

test('a balancer in the foreground carries bytes, and ends with 0', async (t) => {
  const upstream = createServer((socket) => socket.end('hello'));
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  t.after(() => upstream.close());
  const [port, statsPort] = (await freePorts(2)) as [number, number];
  const cfg = balancerCfg({ port, statsPort, serverPorts: [(upstream.address() as { port: number }).port] });
  await folder.write('alone.cfg', cfg);
  const program = await start(t, ['balancer', 'alone.cfg'], /balancer is up/);
  const received = await new Promise<string>((resolve, reject) => {
    let text = '';
    connect(port, '127.0.0.1')
      .on('data', (chunk) => {
        text += chunk;
      })
      .on('close', () => resolve(text))
      .on('error', reject);
  });
  assert.equal(received, 'hello');
  program.kill();
  const { code, stderr } = await program.ended;
  assert.equal(code, 0, stderr);
});

test('addresses of the files are replaced with --map-address', async (t) => {
  const [mqttPort] = (await freePorts(1)) as [number];
  const text = brokerXml({ mqttPort }).replaceAll('127.0.0.1', '172.17.0.10');
  await folder.write('mapped.xml', text);
  const program = await start(t, ['broker', 'mapped.xml', '--map-address', '172.17.0.10=127.0.0.1'], /broker is up/);
  await session(mqttPort, CONNECT_3_1_1);
  program.kill();
  assert.equal((await program.ended).code, 0);
});

test('whoever reads the output may stop reading it', async (t) => {
  const { program, port } = await startBroker(t, 'unread');
  program.child.stdout!.destroy();
  program.child.stderr!.destroy();
  for (let i = 0; i < 3; i++) await session(port, CONNECT_5); // each takes the session over, which is logged
  program.kill();
  assert.equal((await program.ended).code, 0);
});
