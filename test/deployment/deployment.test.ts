import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DeploymentFolder } from '../harness/deployment-files.ts';
import { freePorts, Program, runProgram } from '../harness/program.ts';
import { REPOSITORY_ROOT } from '../harness/repository-root.ts';
import { connectClient, deliveringPairs, retainedSeenEverywhere, willsSeenEverywhere } from './fleet.ts';

const PAIRS = 16;

interface Running {
  readonly program: Program;
  readonly host: string;
  readonly balancer: number;
  readonly statistics: number;
  readonly brokers: readonly number[];
}

/** What a deployment of two brokers behind one balancer must do, whichever files it was started from. */
function behavesAsOne(running: () => Running): void {
  for (const qos of [0, 1, 2] as const) {
    test(`${PAIRS} of ${PAIRS} pairs connected through the balancer deliver at QoS ${qos}, published right after SUBACK`, async () => {
      const { host, balancer } = running();
      assert.equal(await deliveringPairs(host, balancer, PAIRS, qos, 7 + qos), PAIRS);
    });
  }

  test('a retained message set through the balancer is there for every later subscriber of each broker', async () => {
    const { host, balancer, brokers } = running();
    assert.equal(await retainedSeenEverywhere(host, balancer, brokers, PAIRS), PAIRS * brokers.length);
  });

  test('the wills of clients that are cut off reach subscribers of each broker', async () => {
    const { host, balancer, brokers } = running();
    assert.deepEqual(await willsSeenEverywhere(host, balancer, brokers, PAIRS), [PAIRS, PAIRS]);
  });

  test('a client id that connects to the other broker ends its older connection', async () => {
    const { host, brokers } = running();
    const older = await connectClient(host, brokers[0]!, { clientId: 'wanderer' });
    const closed = new Promise<void>((resolve) => older.once('close', () => resolve()));
    const newer = await connectClient(host, brokers[1]!, { clientId: 'wanderer' });
    await closed;
    assert.equal(newer.connected, true);
    await Promise.all([newer.endAsync(), older.endAsync(true)]);
  });

  test('the statistics page and its CSV are there for admin:admin, and for nobody else', async () => {
    const { host, statistics } = running();
    const page = await get(host, statistics, '/haproxy', 'admin:admin');
    assert.equal(page.status, 200);
    assert.match(page.body, /Statistics Report for/);
    const csv = await get(host, statistics, '/haproxy;csv', 'admin:admin');
    assert.match(csv.body, /^# pxname,svname,qcur,qmax,scur,smax,/);
    assert.match(csv.body, /^mqtt_agent,BACKEND,/m);
    assert.equal((await get(host, statistics, '/haproxy', 'admin:wrong')).status, 401);
    assert.equal((await get(host, statistics, '/haproxy', null)).status, 401);
  });
}

describe('our own files, as npm start runs them (on other ports)', () => {
  let running: Running;
  let folder: DeploymentFolder;

  before(async () => {
    folder = await DeploymentFolder.make();
    const ports = await freePorts(6);
    const replaced = new Map([1883, 1884, 61616, 61626, 9999, 8888].map((port, i) => [String(port), String(ports[i])]));
    const files: string[] = [];
    for (const name of ['activemq-1.xml', 'activemq-2.xml', 'haproxy.cfg', 'credentials.properties']) {
      const text = await readFile(join(REPOSITORY_ROOT, 'conf', name), 'utf8');
      const path = await folder.write(
        name,
        text.replace(/(?<=127\.0\.0\.1:)\d+/g, (port) => replaced.get(port) ?? port),
      );
      if (!name.endsWith('.properties')) files.push(path);
    }
    const program = new Program(['up', ...files], { cwd: folder.path });
    running = { program, host: '127.0.0.1', balancer: ports[4]!, statistics: ports[5]!, brokers: [ports[0]!, ports[1]!] };
    await program.saying(/mosquitto_sub/);
  });

  after(async () => {
    running.program.kill();
    assert.equal((await running.program.ended).code, 0);
    await folder.remove();
  });

  behavesAsOne(() => running);
});

describe('the three classic files, unmodified, on one host', () => {
  // Another address of the loopback interface: whatever else runs on this machine has its ports on 127.0.0.1.
  const HOST = '127.0.0.9';
  const MAPS = ['--map-address', `172.17.0.10=${HOST}`, '--map-address', `0.0.0.0=${HOST}`];
  const FILES = ['activemq-1.xml', 'activemq-2.xml', 'haproxy.cfg'].map((name) => join(REPOSITORY_ROOT, 'test/fixtures/classic', name));
  let running: Running;
  let folder: DeploymentFolder;

  before(async () => {
    folder = await DeploymentFolder.make();
    const program = new Program(['up', ...MAPS, ...FILES], { cwd: folder.path });
    running = { program, host: HOST, balancer: 9999, statistics: 8888, brokers: [1883, 1884] };
    await program.saying(/mosquitto_sub/);
  });

  after(async () => {
    running.program.kill();
    assert.equal((await running.program.ended).code, 0);
    await folder.remove();
  });

  behavesAsOne(() => running);

  test('check names what is wrong with them, and finds them valid', async () => {
    const outcome = await runProgram(['check', ...FILES], { cwd: folder.path });
    assert.equal(outcome.code, 0, outcome.stdout + outcome.stderr);
    const said = outcome.stdout + outcome.stderr;
    for (const pattern of [
      /Log4jLogQuery/,
      /credentials\.properties/,
      /broker2/,
      /multicast:\/\/default/,
      /haproxy\.cfg:34.*tcplog/,
      /maxconn/,
      /inter/,
      /timeout connect/,
    ])
      assert.match(said, pattern);
  });
});

function get(host: string, port: number, path: string, credentials: string | null): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = credentials === null ? {} : { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
    request({ host, port, path, headers, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', reject);
    })
      .on('error', reject)
      .end();
  });
}
