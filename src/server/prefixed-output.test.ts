import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PrefixedOutput } from './prefixed-output.ts';

function output(options: { json?: boolean; colours?: boolean }) {
  const written: string[] = [];
  const lines = new PrefixedOutput({
    names: ['activemq-1', 'haproxy'],
    json: options.json ?? false,
    colours: options.colours ?? false,
    write: (stream, text) => written.push(`${stream}: ${text}`),
  });
  return { lines, written };
}

const LOG_LINE = '{"level":30,"time":1795373751814,"process":"haproxy","port":9999,"msg":"listens"}';

test('a log line becomes text behind the name of its process, which it does not repeat', () => {
  const { lines, written } = output({});
  lines.line('haproxy', 'stderr', LOG_LINE);
  assert.match(written[0]!, /^stderr: haproxy {4}\| \[\d\d:\d\d:\d\d\.814\] INFO: listens \{"port":9999\}\n$/);
});

test('what is not a log line is passed on as it is', () => {
  const { lines, written } = output({});
  lines.line('activemq-1', 'stderr', '    at somewhere (file.ts:1:2)');
  lines.line('haproxy', 'stdout', '<134>mqtt_proxy mqtt_agent/s1 1/0/3');
  assert.deepEqual(written, [
    'stderr: activemq-1 |     at somewhere (file.ts:1:2)\n',
    'stdout: haproxy    | <134>mqtt_proxy mqtt_agent/s1 1/0/3\n',
  ]);
});

test('with JSON every line stays as it is, without a prefix', () => {
  const { lines, written } = output({ json: true });
  lines.line('haproxy', 'stderr', LOG_LINE);
  assert.deepEqual(written, [`stderr: ${LOG_LINE}\n`]);
});

test('colours tell names apart, and only where they are wanted', () => {
  const { lines, written } = output({ colours: true });
  lines.line('activemq-1', 'stdout', 'x');
  lines.line('haproxy', 'stdout', 'x');
  const ESC = '\u001b';
  assert.deepEqual(written, [`stdout: ${ESC}[36mactivemq-1 |${ESC}[39m x\n`, `stdout: ${ESC}[33mhaproxy    |${ESC}[39m x\n`]);
});
