import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { brokerXml, DeploymentFolder } from '../harness/deployment-files.ts';
import { freePorts, runProgram } from '../harness/program.ts';
import { REPOSITORY_ROOT } from '../harness/repository-root.ts';

const folder = await DeploymentFolder.make();
after(() => folder.remove());

const CLASSIC = ['activemq-1.xml', 'activemq-2.xml', 'haproxy.cfg'].map((name) =>
  join(REPOSITORY_ROOT, 'test', 'fixtures', 'classic', name),
);
const MAPS = ['--map-address', '172.17.0.10=127.0.0.1', '--map-address', '0.0.0.0=127.0.0.1'];

test('the classic files are valid, and what is wrong or odd in them is said at its line', async () => {
  const { code, stdout, stderr } = await runProgram(['check', ...CLASSIC, ...MAPS], { cwd: folder.path });
  assert.equal(code, 0, stdout + stderr);
  assert.equal(stderr, '');
  for (const expected of [
    /activemq-2\.xml:106:\d+: note: multicast:\/\/default is the only link between activemq-2 and activemq-1/,
    /activemq-1\.xml:32:\d+: warning: .*Log4jLogQuery/,
    /activemq-1\.xml:27:\d+: warning: properties file .*credentials\.properties does not exist/,
    /activemq-2\.xml:40:\d+: note: brokerName "broker2" is also that of \S*activemq-1\.xml/,
    /activemq-2\.xml:106:\d+: note: links with every broker on this network/,
    /activemq-1\.xml:70:\d+: note: nothing in this file lets tools look into the broker/,
    /haproxy\.cfg:36(:\d+)?: warning: the servers of 'mqtt_agent' take 4000 connections at a time, though their connectors allow 20000/,
    /haproxy\.cfg:\d+(:\d+)?: warning: timeout connect of 8 min 20 s/,
    /haproxy\.cfg:\d+(:\d+)?: note: log lines go to UDP port 514/,
    /haproxy\.cfg:\d+(:\d+)?: note: the password of 'admin' is easily guessed/,
    /haproxy\.cfg:34(:\d+)?: warning: .*'option tcplog' directive is ignored in backends/,
    /haproxy\.cfg:36(:\d+)?: warning: .*'inter'.*'check'/,
    /\n3 files: 0 errors, \d+ warnings, \d+ notes: valid\n$/,
  ])
    assert.match(stdout, expected);
  assert.ok(!existsSync(join(folder.path, 'data')), 'check makes nothing');
});

test('open ports are a warning unless a map closes them', async () => {
  const open = /listens on every address of this machine/;
  assert.match((await runProgram(['check', ...CLASSIC], { cwd: folder.path })).stdout, open);
  assert.doesNotMatch((await runProgram(['check', ...CLASSIC, ...MAPS], { cwd: folder.path })).stdout, open);
});

test('the files of conf/ have no errors, and no warnings but those that are the machine’s', async () => {
  const conf = ['activemq-1.xml', 'activemq-2.xml', 'haproxy.cfg'].map((name) => join(REPOSITORY_ROOT, 'conf', name));
  const { code, stdout } = await runProgram(['check', ...conf], { cwd: folder.path });
  assert.equal(code, 0);
  const ofTheMachine = /a process may have \d+ files|free at|of memory there are|open files/;
  assert.deepEqual(
    stdout.split('\n').filter((line) => / (warning|error): /.test(line) && !ofTheMachine.test(line)),
    [],
  );
});

test('diagnostics stand by file as given and by line, also those about two files', async () => {
  const { stdout } = await runProgram(['check', CLASSIC[1]!, CLASSIC[0]!], { cwd: folder.path });
  const places = [...stdout.matchAll(/^\S*activemq-([12])\.xml:(\d+):(\d+): /gm)].map(([, file, line, column]) => [
    file === '2' ? 0 : 1,
    Number(line),
    Number(column),
  ]);
  assert.ok(places.length > 10);
  const sorted = places.toSorted((a, b) => a[0]! - b[0]! || a[1]! - b[1]! || a[2]! - b[2]!);
  assert.deepEqual(places, sorted);
});

test('a connector that takes more clients than the limit of sessions is named', async () => {
  const [mqttPort] = (await freePorts(1)) as [number];
  await folder.write('many.xml', brokerXml({ mqttPort }).replace(`:${mqttPort}"`, `:${mqttPort}?maximumConnections=500"`));
  const check = (...options: string[]) => runProgram(['check', 'many.xml', ...options], { cwd: folder.path });
  assert.match(
    (await check('--limit', 'sessions=499')).stdout,
    /^many\.xml:\d+:\d+: warning: connector mqtt takes 500 clients, .*499 sessions/m,
  );
  assert.doesNotMatch((await check('--limit', 'sessions=500')).stdout, /500 clients/);
});

test('two files that ask for one port, and one data folder for two brokers, are named without starting anything', async () => {
  const [mqttPort] = (await freePorts(1)) as [number];
  await folder.write('p-1.xml', brokerXml({ mqttPort }));
  await folder.write('p-2.xml', brokerXml({ mqttPort }));
  const { code, stdout } = await runProgram(['check', 'p-1.xml', 'p-2.xml', '-D', 'activemq.data=one'], { cwd: folder.path });
  assert.equal(code, 1);
  assert.match(stdout, /^p-2\.xml:\d+:\d+: error: connector "mqtt" cannot listen on .* first at p-1\.xml:\d+/m);
  assert.match(stdout, /^p-2\.xml:\d+:\d+: warning: another of these brokers keeps its store in .*one\/kahadb/m);
  assert.match(stdout, /^p-2\.xml:\d+:\d+: warning: no networkConnector links p-2 with p-1/m);
});

test('severities are coloured where colours are wanted, and only there', async () => {
  const ESC = '\u001b';
  const coloured = await runProgram(['check', CLASSIC[0]!], { cwd: folder.path, env: { FORCE_COLOR: '1' } });
  assert.ok(coloured.stdout.includes(`${ESC}[33mwarning${ESC}[39m`));
  const plain = await runProgram(['check', CLASSIC[0]!], { cwd: folder.path, env: { FORCE_COLOR: '1', NO_COLOR: '1' } });
  assert.ok(!plain.stdout.includes(ESC));
});

test('check names a store folder that holds a store of ActiveMQ’s own, and makes none that is not there', async () => {
  const file = await folder.write('kaha.xml', brokerXml({ mqttPort: 1883 }));
  const data = join(folder.path, 'kaha-data');
  const first = await runProgram(['check', '-D', `activemq.data=${data}`, file]);
  assert.equal(first.code, 0, first.stdout);
  assert.equal(existsSync(data), false);
  await mkdir(join(data, 'kahadb'), { recursive: true });
  await writeFile(join(data, 'kahadb', 'db-1.log'), '');
  const second = await runProgram(['check', '-D', `activemq.data=${data}`, file]);
  assert.equal(second.code, 1);
  assert.match(second.stdout, /kaha\.xml:\d+:\d+: error: .*store of ActiveMQ's own \(db-1\.log\)/);
});

test('an empty folder placeholder is a usage error: it would put the store into the root folder', async () => {
  const outcome = await runProgram(['check', '-D', 'activemq.data=', 'any.xml']);
  assert.equal(outcome.code, 2);
  assert.match(outcome.stderr, /Expected a folder after activemq\.data=/);
});
