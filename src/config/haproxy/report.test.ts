import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readHAProxy } from './read.ts';
import { type RenderOptions, renderHAProxyReport } from './report.ts';

const TIMEOUTS = 'defaults\n timeout connect 5s\n timeout client 1h\n timeout server 1h\n';
const FRONTEND = `${TIMEOUTS}backend b\n server s 10.0.0.1:1\nfrontend f\n bind :1\n default_backend b\n`;

function render(text: string, options: Partial<RenderOptions> = {}) {
  const result = readHAProxy([{ file: 'x.cfg', text }], { environment: {} });
  return renderHAProxyReport(result.diagnostics, {
    pid: 7,
    version: '1.2',
    executable: '/bin/x',
    hasListener: result.hasListener,
    zeroWarning: result.zeroWarning,
    check: true,
    ...options,
  });
}

const PROLOGUE = '[NOTICE]   (7) : haproxy version is 1.2\n[NOTICE]   (7) : path to executable is /bin/x\n';

test('a good file is said to be valid, and nothing else', () =>
  assert.deepEqual(render(FRONTEND), { stdout: 'Configuration file is valid\n', stderr: '', exitCode: 0 }));

test('a file in which nothing listens is good, and exit code 2', () =>
  assert.deepEqual(render('global\n'), {
    stdout: 'Configuration file has no error but will not start (no listener) => exit(2).\n',
    stderr: '',
    exitCode: 2,
  }));

test('errors: two lines before, one after the file, one at the end', () =>
  assert.deepEqual(render('global\n foo\n'), {
    stdout: '',
    stderr:
      `${PROLOGUE}[ALERT]    (7) : config : parsing [x.cfg:2] : unknown keyword 'foo' in 'global' section\n` +
      '[ALERT]    (7) : config : Error(s) found in configuration file : x.cfg\n' +
      '[ALERT]    (7) : config : Fatal errors found in configuration.\n',
    exitCode: 1,
  }));

test('an .alert ends it without the last line', () => {
  const { stderr } = render('global\n .alert "no more"\n foo\n');
  assert.equal(
    stderr,
    `${PROLOGUE}[ALERT]    (7) : config : parsing [x.cfg:2]: 'no more'.\n[ALERT]    (7) : config : Error(s) found in configuration file : x.cfg\n`,
  );
});

test('warnings are counted on standard output', () => {
  const { stdout, stderr, exitCode } = render(`${FRONTEND} option redispatch\n`);
  assert.equal(stdout, 'Warnings were found.\nConfiguration file is valid\n');
  assert.equal(
    stderr,
    `${PROLOGUE}[WARNING]  (7) : config : parsing [x.cfg:10] : 'redispatch' ignored because frontend 'f' has no backend capability.\n`,
  );
  assert.equal(exitCode, 0);
});

test('with -dW or zero-warning a warning is fatal', () => {
  for (const { stderr, exitCode, stdout } of [
    render(`${FRONTEND} option redispatch\n`, { zeroWarning: true }),
    render(`global\n zero-warning\n${FRONTEND} option redispatch\n`),
  ]) {
    assert.equal(exitCode, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /\[ALERT\] {4}\(7\) : config : Some warnings were found and 'zero-warning' is set\. Aborting\.\n$/);
  }
});

test('a warning of ours is printed in the same form and counts for nothing', () => {
  const text = `${FRONTEND} rate-limit sessions 5\n log-tag x\n`;
  const { stdout, stderr, exitCode } = render(text, { zeroWarning: true });
  assert.equal(stdout, 'Configuration file is valid\n');
  assert.equal(exitCode, 0);
  assert.equal(stderr, `${PROLOGUE}[WARNING]  (7) : config : parsing [x.cfg:11] : 'log-tag' has an effect in the 'global' section only.\n`);
});

test('.notice is a NOTICE without the lines before, and .diag is shown in diagnostic mode only', () => {
  const text = `global\n .notice hello\n .diag look\n`;
  assert.equal(render(text).stderr, "[NOTICE]   (7) : config : parsing [x.cfg:2]: 'hello'.\n");
  assert.match(render(text, { diagnosticMode: true }).stderr, /\[DIAG\] {5}\(7\) : config : parsing \[x\.cfg:3\]: 'look'\.\n$/);
});

test('-q says nothing, whatever there is', () => {
  assert.deepEqual(render('global\n foo\n', { quiet: true }), { stdout: '', stderr: '', exitCode: 1 });
  assert.deepEqual(render(FRONTEND, { quiet: true }), { stdout: '', stderr: '', exitCode: 0 });
});

test('quiet in the file mutes what follows, and -V does not let it', () => {
  const text = 'global\n foo\n quiet\n bar\n';
  assert.match(render(text).stderr, /foo/);
  assert.doesNotMatch(render(text).stderr, /bar|Fatal/);
  assert.match(render(text, { verbose: true }).stderr, /bar[\s\S]*Fatal/);
});

test('a message for editors is one line, without the quoted source', () => {
  const [quote] = readHAProxy([{ file: 'x.cfg', text: 'global\n node "x\n' }], { environment: {} }).diagnostics;
  assert.deepEqual([quote?.message, quote?.line, quote?.column], ['unmatched quote at position 7:', 2, 7]);
  const [timeouts] = readHAProxy([{ file: 'x.cfg', text: 'frontend f\n bind :1\n default_backend b\nbackend b\n' }], {
    environment: {},
  }).diagnostics;
  assert.match(timeouts!.message, /^missing timeouts for frontend 'f'\. While not properly invalid, .* 'server'\.$/);
  assert.equal(timeouts?.line, 1);
});
