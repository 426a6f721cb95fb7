import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { LogTarget } from '../config/haproxy/model.ts';
import { silentLog } from '../telemetry/log.ts';
import { FakeClock } from '../timing/clock.ts';
import { DescriptorSink } from './log-sink.ts';
import { frame, INFO, Syslog, WARNING } from './syslog.ts';

const TARGET: LogTarget = {
  kind: 'udp',
  address: '127.0.0.1',
  port: 514,
  format: 'local',
  facility: 16,
  maxLevel: 7,
  minLevel: 0,
  lengthMax: 1024,
};
const AT = new Date(2026, 10, 22, 18, 47, 17, 652).getTime();

// Recorded from HAProxy 2.6.12, which has microseconds where we have milliseconds.
const FRAMES: readonly (readonly [LogTarget['format'], RegExp])[] = [
  ['raw', /^hello\n$/],
  ['short', /^<6>hello\n$/],
  ['priority', /^<134>hello\n$/],
  ['timed', /^<6>2026-11-22T18:47:17\.652000[+-]\d\d:\d\d hello\n$/],
  ['iso', /^2026-11-22T18:47:17\.652000[+-]\d\d:\d\d hello\n$/],
  ['local', new RegExp(`^<134>Nov 22 18:47:17 haproxy\\[${process.pid}\\]: hello\\n$`)],
  ['rfc3164', new RegExp(`^<134>Nov 22 18:47:17 localhost haproxy\\[${process.pid}\\]: hello\\n$`)],
  ['rfc5424', new RegExp(`^<134>1 2026-11-22T18:47:17\\.652000[+-]\\d\\d:\\d\\d - haproxy ${process.pid} - - hello\\n$`)],
];

for (const [format, expected] of FRAMES) {
  test(`a line in format ${format}`, () => assert.match(frame({ ...TARGET, format }, INFO, 'hello', AT, 'haproxy').toString(), expected));
}

test('a line is cut to the length of its target', () => {
  const text = 'x'.repeat(200);
  assert.equal(frame({ ...TARGET, lengthMax: 80 }, INFO, text, AT, 'haproxy').length, 81);
  assert.equal(frame({ ...TARGET, lengthMax: 80, kind: 'stdout' }, INFO, text, AT, 'haproxy').length, 80);
});

test('levels beyond the maximum are not sent, and more severe ones than the minimum are sent as that', async (t) => {
  const receiver = createSocket('udp4');
  t.after(() => receiver.close());
  await new Promise<void>((resolve) => receiver.bind(0, '127.0.0.1', resolve));
  const received: string[] = [];
  const three = new Promise<void>((resolve) => {
    receiver.on('message', (message) => {
      received.push(message.toString());
      if (received.length === 3) resolve();
    });
  });
  const syslog = new Syslog({ clock: new FakeClock(AT), tag: 'tag', log: silentLog });
  const { port } = receiver.address() as AddressInfo;
  const proxyLog = syslog.open(
    [
      { ...TARGET, port, format: 'priority', maxLevel: WARNING },
      { ...TARGET, port, format: 'priority', facility: 19, minLevel: INFO },
    ],
    (host) => host,
  );
  proxyLog.send(INFO, 'info');
  proxyLog.send(WARNING, 'warning');
  await three;
  await syslog.close();
  assert.deepEqual(received.sort(), ['<132>warning\n', '<158>info\n', '<158>warning\n']);
});

test('a syslog that is absent costs nothing but the lines', async () => {
  const syslog = new Syslog({ clock: new FakeClock(AT), tag: null, log: silentLog });
  const proxyLog = syslog.open(
    [
      { ...TARGET, port: 9 },
      { ...TARGET, kind: 'unix', address: '/nonexistent/log', port: 0 },
      { ...TARGET, kind: 'fd', address: '9999', port: 0 },
      { ...TARGET, address: 'no-such-host.invalid' },
    ],
    (host) => host,
  );
  for (let i = 0; i < 3_000; i++) proxyLog.send(INFO, `line ${i}`);
  await syslog.close();
});

test('lines on a descriptor come whole and in order', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'log-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'lines');
  const descriptor = openSync(file, 'w');
  const sink = new DescriptorSink(descriptor, silentLog);
  const expected: string[] = [];
  for (let i = 0; i < 5_000; i++) {
    expected.push(`line ${i}`);
    sink.send(Buffer.from(`line ${i}\n`));
    if (i % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await sink.close();
  closeSync(descriptor);
  assert.deepEqual(readFileSync(file, 'utf8').trimEnd().split('\n'), expected);
  assert.equal(sink.dropped, 0);
});

test('a descriptor that takes nothing bounds what waits for it', () => {
  const sink = new DescriptorSink(9_999, silentLog);
  const line = Buffer.alloc(65_536, 0x20);
  // Nothing leaves before the turn ends, so 16 of them make the bound of 1 MiB.
  for (let i = 0; i < 100; i++) sink.send(line);
  assert.equal(sink.dropped, 84);
});

test('a unix datagram socket gets one datagram a line', async (t) => {
  try {
    execFileSync('perl', ['-MSocket', '-e', '1']);
  } catch {
    return t.skip('perl is not installed');
  }
  const folder = mkdtempSync(join(tmpdir(), 'log-'));
  const path = join(folder, 'log');
  const receiver = spawn('perl', [
    '-MSocket',
    '-e',
    '$|=1; socket(S,AF_UNIX,SOCK_DGRAM,0); bind(S,pack_sockaddr_un($ARGV[0])); print "ready\\n"; while(recv(S,my $b,65536,0)||1){print "[",length($b),"]$b"}',
    path,
  ]);
  t.after(() => {
    receiver.kill();
    rmSync(folder, { recursive: true });
  });
  let output = '';
  const wait = (pattern: RegExp): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (pattern.test(output)) resolve();
      };
      receiver.stdout.on('data', check);
      check();
    });
  receiver.stdout.on('data', (chunk) => {
    output += chunk;
  });
  await wait(/ready/);
  const syslog = new Syslog({ clock: new FakeClock(AT), tag: null, log: silentLog });
  const proxyLog = syslog.open([{ ...TARGET, kind: 'unix', address: path, port: 0, format: 'priority' }], (host) => host);
  proxyLog.send(INFO, 'one');
  proxyLog.send(INFO, 'two');
  await syslog.close();
  await wait(/two/);
  assert.equal(output, 'ready\n[9]<134>one\n[9]<134>two\n');
});
