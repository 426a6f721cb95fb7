import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runProgram } from '../harness/program.ts';
import { REPOSITORY_ROOT } from '../harness/repository-root.ts';

const { version } = JSON.parse(readFileSync(join(REPOSITORY_ROOT, 'package.json'), 'utf8'));

test('--version prints the version of package.json', async () => {
  assert.deepEqual(await runProgram(['--version']), { code: 0, signal: null, stdout: `${version}\n`, stderr: '' });
});

test('--help names every command', async () => {
  const { code, stdout } = await runProgram(['--help']);
  assert.equal(code, 0);
  for (const command of ['up', 'broker', 'balancer', 'check', 'haproxy']) assert.match(stdout, new RegExp(`^  ${command}\\b`, 'm'));
});

for (const command of ['up', 'broker', 'balancer', 'check']) {
  test(`${command} --help names its options`, async () => {
    const { code, stdout } = await runProgram([command, '--help']);
    assert.equal(code, 0);
    for (const option of [
      '-D <name=value>',
      '--map-address <A=B>',
      '--limit <name=value>',
      '--sys-interval <seconds>',
      '--log-level <level>',
      '--log-json',
      '--help',
    ])
      assert.ok(stdout.includes(option), option);
  });
}

for (const [args, message] of [
  [['frobnicate'], /unknown command 'frobnicate'/],
  [['chekc', 'a.xml'], /unknown command 'chekc' \(Did you mean check\?\)/],
  [['check'], /missing required argument 'file'/],
  [['up'], /missing required argument 'file'/],
  [['broker', 'a.xml', 'b.xml'], /too many arguments/],
  [['check', '--frob', 'a.xml'], /unknown option '--frob'/],
  [['check', '--log-levle', 'info', 'a.xml'], /unknown option '--log-levle' \(Did you mean --log-level\?\)/],
  [['check', 'a.xml', '-D'], /option '-D <name=value>' argument missing/],
  [['check', '-D', 'name', 'a.xml'], /-D <name=value>' argument 'name' is invalid\. Expected name=value\./],
  [['check', '-D', '=value', 'a.xml'], /argument '=value' is invalid/],
  [['check', 'a.xml', '--map-address'], /option '--map-address <A=B>' argument missing/],
  [['check', '--map-address', '172.17.0.10', 'a.xml'], /--map-address 172\.17\.0\.10: has no "="; expected A=B/],
  [['check', '--map-address', '172.17.0.10:1883=127.0.0.1', 'a.xml'], /"172\.17\.0\.10:1883" is neither an address nor a host name/],
  [['check', '--map-address', 'a=b', '--map-address', 'a=c', 'a.xml'], /a is mapped to b and to c/],
  [['check', '--limit', 'sesions=5', 'a.xml'], /argument 'sesions=5' is invalid\. there is no limit sesions; did you mean sessions\?/],
  [['broker', '--limit', 'sessions=0', 'a.xml'], /limit sessions: expected a whole number from 1 on \(sessions\), found 0/],
  [['up', '--limit', 'sessionQueueBytes=5tb', 'a.xml'], /limit sessionQueueBytes: unit must be b, kb, mb or gb, found "tb"/],
  [['up', '--sys-interval', 'often', 'a.xml'], /expected a whole number, found "often" \(seconds; 0: nothing is published\)/],
  [['check', '--log-level', 'loud', 'a.xml'], /Allowed choices are error, warn, info, debug, silent/],
] as const) {
  test(`"${args.join(' ')}" is one line on standard error and exit code 2`, async () => {
    const { code, stdout, stderr } = await runProgram(args);
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.match(stderr, message);
    assert.match(stderr, /^roundhouse: [^\n]+\n$/);
  });
}

test('without a command the help goes to standard error, with exit code 2', async () => {
  const { code, stdout, stderr } = await runProgram([]);
  assert.equal(code, 2);
  assert.equal(stdout, '');
  assert.match(stderr, /Usage: roundhouse/);
});

test('everything behind "haproxy" is for its own command line, also what looks like an option of ours', async () => {
  const version = await runProgram(['haproxy', '-v']);
  assert.equal(version.code, 0);
  assert.match(version.stdout, /^HAProxy version 2\.6/);
  const usage = await runProgram(['haproxy', '--map-address', 'a=b']);
  assert.equal(usage.code, 1);
  assert.match(usage.stdout + usage.stderr, /Usage : haproxy/);
  const file = join(REPOSITORY_ROOT, 'test', 'fixtures', 'classic', 'haproxy.cfg');
  const check = await runProgram(['haproxy', '-c', '-V', '-f', file]);
  assert.equal(check.code, 0, check.stderr);
});
