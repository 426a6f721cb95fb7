import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HAProxyArguments, parseHAProxyArguments } from './haproxy-arguments.ts';

function parse(line: string): HAProxyArguments {
  const parsed = parseHAProxyArguments(line.split(' '));
  assert.equal(parsed.kind, 'run', line);
  return (parsed as { arguments: HAProxyArguments }).arguments;
}

test('files: -f repeats, and what follows -- are files', () => {
  assert.deepEqual(parse('-f a -f b').paths, ['a', 'b']);
  assert.deepEqual(parse('-f a -- b -c').paths, ['a', 'b', '-c']);
  assert.equal(parse('-f a -- -c').check, false);
});

for (const [line, expected] of [
  ['-c -f a', { check: true }],
  ['-D -f a', { daemon: true, foreground: false }],
  ['-db -f a', { foreground: true, debug: false }],
  ['-d -f a', { foreground: true, debug: true }],
  ['-q -V -f a', { quiet: true, verbose: true }],
  ['-W -f a', { masterWorker: true }],
  ['-Ws -f a', { masterWorker: true }],
  ['-p /run/x.pid -f a', { pidfile: '/run/x.pid' }],
  ['-n 500 -f a', { maxconn: 500 }],
  ['-n abc -f a', { maxconn: null }],
  ['-N 50 -f a', { proxyMaxconn: 50 }],
  ['-C /etc -f a', { directory: '/etc' }],
  ['-dW -dD -dr -f a', { zeroWarning: true, diagnosticMode: true, toleratesUnresolved: true, foreground: false }],
  ['-de -dp -dS -dG -dR -dM -dL -dV -f a', { foreground: false, debug: false }],
  ['-m 100 -L here -x /run/x.sock -f a', { masterSocket: false }],
  ['-S /run/m.sock -f a', { masterSocket: true }],
  ['-sf 1 2 3 -f a', { oldProcesses: { pids: [1, 2, 3], wish: 'finish' } }],
  ['-st 4 -f a', { oldProcesses: { pids: [4], wish: 'terminate' } }],
  ['-f a -sf', { oldProcesses: { pids: [], wish: 'finish' } }],
  ['-cc 1', { condition: '1', paths: [] }],
] as const) {
  test(`haproxy ${line}`, () => {
    const found = parse(line);
    for (const [key, value] of Object.entries(expected)) assert.deepEqual(found[key as keyof HAProxyArguments], value, key);
  });
}

test('pids may come in one argument', () => {
  const parsed = parseHAProxyArguments(['-f', 'a', '-sf', '12 13']);
  assert.ok(parsed.kind === 'run');
  assert.deepEqual(parsed.arguments.oldProcesses.pids, [12, 13]);
});

for (const [line, expected] of [
  ['-v', { kind: 'version', details: false }],
  ['-vv', { kind: 'version', details: true }],
  ['-c', { kind: 'usage', alert: null }],
  ['a.cfg', { kind: 'usage', alert: null }],
  ['-hello -f a', { kind: 'usage', alert: null }],
  ['-c -n -f a', { kind: 'usage', alert: null }],
  ['-cc', { kind: 'usage', alert: null }],
  ['-f a -x', { kind: 'usage', alert: 'Unix socket path expected with the -x flag\n' }],
  ['-c -f', { kind: 'alert', alert: 'failed to copy argv.' }],
  ['-c -f a -p', { kind: 'alert', alert: 'failed to copy argv.' }],
  ['-c -f a -sf abc', { kind: 'alert', alert: '-sf option: some bytes unconsumed in PID list {abc}' }],
] as const) {
  test(`haproxy ${line} is ${expected.kind}`, () => assert.deepEqual(parseHAProxyArguments(line.split(' ')), expected));
}

test('no arguments at all are wrong', () => assert.deepEqual(parseHAProxyArguments([]), { kind: 'usage', alert: null }));
