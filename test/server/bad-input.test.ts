import assert from 'node:assert/strict';
import { chmod, mkdir, readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { balancerCfg, brokerXml, DeploymentFolder } from '../harness/deployment-files.ts';
import { freePorts, type Outcome, Program, runProgram } from '../harness/program.ts';

const folder = await DeploymentFolder.make();
after(() => folder.remove());
const inFolder = { cwd: folder.path };

/** The program refused with exit code 1, saying `message` and no stack trace. */
function assertRefused(outcome: Outcome, message: RegExp): void {
  const said = outcome.stdout + outcome.stderr;
  assert.match(said, message);
  assert.doesNotMatch(said, /^\s+at .*[:(]/m, 'a stack trace');
  assert.doesNotMatch(said, /mistake in Roundhouse/);
  assert.equal(outcome.code, 1, said);
}

const [mqttPort, otherPort] = (await freePorts(2)) as [number, number];
const good = brokerXml({ mqttPort });
await mkdir(join(folder.path, 'folder.xml'));
await folder.write('good.xml', good);
await folder.write('empty.xml', '');
await folder.write('blank.xml', ' \n\n');
await folder.write('truncated.xml', good.slice(0, good.length / 2));
await folder.write('not-xml.xml', 'global\n  maxconn 10\n');
await folder.write('binary.xml', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1, 2, 0xff, 0xfe]));
await folder.write(
  'wrong-word.xml',
  good.replace('<persistenceAdapter>', '<persistanceAdapter>').replace('</persistenceAdapter>', '</persistanceAdapter>'),
);
await folder.write('no-broker.xml', '<beans xmlns="http://www.springframework.org/schema/beans"/>');
await folder.write('unresolvable.xml', good.replace('127.0.0.1', 'no-such-host.invalid'));
await folder.write('elsewhere.xml', good.replace('127.0.0.1', '192.0.2.1'));
await folder.write('empty.cfg', '');
await folder.write('wrong-word.cfg', balancerCfg({ port: mqttPort, statsPort: otherPort, serverPorts: [1] }).replace('bind', 'bnid'));
await folder.write('truncated.cfg', balancerCfg({ port: mqttPort, statsPort: otherPort, serverPorts: [1] }).trimEnd());
await folder.write('notes.txt', 'hello\n');

for (const [file, message] of [
  ['missing.xml', /missing\.xml: error: .*no such file/],
  ['missing.cfg', /missing\.cfg: error: .*no such file/],
  ['folder.xml', /folder\.xml: error: .*is a folder/],
  ['empty.xml', /empty\.xml(:\d+)*: error: .*empty/],
  ['blank.xml', /blank\.xml(:\d+)*: error: /],
  ['truncated.xml', /truncated\.xml:\d+:\d+: error: /],
  ['not-xml.xml', /not-xml\.xml:1:\d+: error: /],
  ['binary.xml', /binary\.xml(:\d+)*: error: /],
  ['wrong-word.xml', /wrong-word\.xml:3:\d+: error: .*persistanceAdapter.*persistenceAdapter/],
  ['no-broker.xml', /no-broker\.xml(:\d+)*: error: .*broker/],
  ['empty.cfg', /empty\.cfg(:\d+)*: (error|warning): /],
  ['wrong-word.cfg', /wrong-word\.cfg:\d+(:\d+)?: error: .*bnid/],
  ['truncated.cfg', /truncated\.cfg:\d+(:\d+)?: error: .*[Mm]issing LF/],
  ['notes.txt', /notes\.txt: error: .*\.xml.*\.cfg/],
] as const) {
  test(`check of ${file} says where and what, and ends with 1`, async () => {
    const outcome = await runProgram(['check', file], inFolder);
    assertRefused(outcome, message);
    assert.match(outcome.stdout, /\n1 file: [1-9]\d* errors?, .*: not valid\n$/);
  });

  test(`up with ${file} starts nothing, not even the good one beside it`, async () => {
    const outcome = await runProgram(['up', 'good.xml', file], inFolder);
    assertRefused(outcome, message);
    assert.doesNotMatch(outcome.stdout + outcome.stderr, /is up|listens/);
  });
}

test('an unreadable file is said to be so', { skip: process.getuid?.() === 0 ? 'root may read everything' : false }, async () => {
  const path = await folder.write('unreadable.xml', good);
  await chmod(path, 0);
  assertRefused(await runProgram(['check', 'unreadable.xml'], inFolder), /unreadable\.xml: error: .*permission/);
});

for (const command of ['up', 'broker']) {
  test(`${command} with a host that does not resolve names line and host`, async () => {
    assertRefused(
      await runProgram([command, 'unresolvable.xml'], inFolder),
      /unresolvable\.xml:\d+.*no-such-host\.invalid.*does not resolve/,
    );
  });

  test(`${command} on an address of another machine names line and address`, async () => {
    assertRefused(await runProgram([command, 'elsewhere.xml'], inFolder), /elsewhere\.xml:\d+.*192\.0\.2\.1:\d+.*no such address/);
  });

  test(`${command} on a taken port names line and address, and touches no folder of the other`, async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(mqttPort, '127.0.0.1', resolve));
    const outcome = await runProgram([command, 'good.xml', '-D', `activemq.data=taken-${command}`], inFolder);
    server.close();
    assertRefused(outcome, new RegExp(`good\\.xml:\\d+.*127\\.0\\.0\\.1:${mqttPort}.*taken`));
  });

  test(`${command} on a folder with a store of ActiveMQ's own is refused with advice`, async () => {
    const store = join(folder.path, `kaha-${command}`, 'kahadb');
    await mkdir(store, { recursive: true });
    await folder.write(`kaha-${command}/kahadb/db-1.log`, 'x');
    const outcome = await runProgram([command, 'good.xml', '-D', `activemq.data=kaha-${command}`], inFolder);
    assertRefused(outcome, /db-1\.log.*-D activemq\.data=/);
    assert.deepEqual(await readdir(store), ['db-1.log']);
  });

  test(`${command} where the data folder is a file is refused`, async () => {
    const outcome = await runProgram([command, 'good.xml', '-D', 'activemq.data=notes.txt'], inFolder);
    assertRefused(outcome, /notes\.txt.*is not a folder/);
  });
}

test('a second broker on a data folder is refused, naming the process that has it; the first goes on', async () => {
  const first = new Program(['broker', 'good.xml', '-D', 'activemq.data=shared'], inFolder);
  await first.saying(/broker is up/);
  await folder.write('second.xml', brokerXml({ mqttPort: otherPort }));
  for (const command of ['broker', 'up']) {
    const outcome = await runProgram([command, 'second.xml', '-D', 'activemq.data=shared'], inFolder);
    assertRefused(outcome, new RegExp(`shared/kahadb: in use by another broker \\(process ${first.child.pid},`));
  }
  assert.equal(first.child.exitCode, null);
  first.kill();
  assert.equal((await first.ended).code, 0);
  const second = new Program(['broker', 'second.xml', '-D', 'activemq.data=shared'], inFolder);
  await second.saying(/broker is up/);
  second.kill();
  assert.equal((await second.ended).code, 0);
});

test('a port that two of the files ask for is refused before anything runs, naming both places', async () => {
  await folder.write('twin.xml', brokerXml({ mqttPort }));
  assertRefused(
    await runProgram(['up', 'good.xml', 'twin.xml'], inFolder),
    new RegExp(`twin\\.xml:\\d+:\\d+: error: .*127\\.0\\.0\\.1:${mqttPort}.*first at good\\.xml:\\d+`),
  );
});

test('the same file twice is refused', async () => {
  assertRefused(await runProgram(['up', 'good.xml', './good.xml'], inFolder), /good\.xml: error: .*given twice/);
});
