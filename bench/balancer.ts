/**
 * The balancer beside HAProxy, in the same run: `tsx bench/balancer.ts [rounds]`.
 *
 * Every round runs each path in a new order; a figure is the median over the rounds. Absolute figures belong to the machine, ratios carry
 * over; processor time per gigabyte, message and connection is the steadiest on a shared one.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Balancer } from '../src/balancer/balancer.ts';
import { silentLog } from '../src/telemetry/log.ts';
import { bind, frontAndBack } from '../test/balancer/model-builder.ts';
import { freePort } from './broker-process.ts';
import { findProgram, onOwnCore } from './machine.ts';
import { cpuSecondsOf } from './process-usage.ts';

const RUN_MS = 1_000;
const MESSAGE = Buffer.alloc(64, 0x61);
const CHUNK = Buffer.alloc(65_536, 0x62);
/** The first byte tells the server at the end of the path what to do with the rest. */
const SINK = Buffer.from('s');
const ECHO = Buffer.from('e');

interface Path {
  readonly name: string;
  readonly port: number;
  /** The proxy's process; 0 where there is none. */
  readonly pid: number;
}

interface Figures {
  readonly [name: string]: number;
}

async function main(rounds: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-balancer-'));
  const children: ChildProcess[] = [];
  try {
    const serverPort = await freePort();
    children.push(await start(['server', String(serverPort)], serverPort));
    const paths: Path[] = [{ name: 'direct', port: serverPort, pid: 0 }];
    const haproxy = findProgram('haproxy');
    if (haproxy !== null) {
      const port = await freePort();
      const file = join(folder, 'haproxy.cfg');
      writeFileSync(file, haproxyConfiguration(port, serverPort));
      const child = await run(onOwnCore('broker', [haproxy, '-db', '-f', file]), port);
      children.push(child);
      paths.push({ name: 'haproxy', port, pid: child.pid ?? 0 });
    } else {
      console.log('haproxy is not installed: no comparison');
    }
    const port = await freePort();
    const child = await start(['balancer', String(port), String(serverPort)], port);
    children.push(child);
    paths.push({ name: 'roundhouse', port, pid: child.pid ?? 0 });
    report(await measure(paths, rounds));
  } finally {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(paths: readonly Path[], rounds: number): Promise<Map<string, Figures[]>> {
  const results = new Map<string, Figures[]>(paths.map((path) => [path.name, []]));
  for (let round = 0; round < rounds; round++) {
    const order = paths.map((path) => ({ path, at: Math.random() })).sort((a, b) => a.at - b.at);
    for (const { path } of order) {
      const bulk = await withCpu(path, () => pour(path.port, 1));
      const bulk8 = await withCpu(path, () => pour(path.port, 8));
      const alone = await pingPong(path.port, 1);
      const crowd = await withCpu(path, () => pingPong(path.port, 50));
      const dials = await withCpu(path, () => dialAgain(path.port));
      results.get(path.name)!.push({
        'bulk 1 MB/s': bulk.result / 1e6,
        'bulk 8 MB/s': bulk8.result / 1e6,
        'CPU s/GB': bulk8.cpuSeconds / ((bulk8.result * RUN_MS) / 1e12),
        'ping-pong 1 p50 µs': alone.medianUs,
        'ping-pong 50 msgs/s': crowd.result.perSecond,
        'CPU µs/msg': (crowd.cpuSeconds * 1e6) / (crowd.result.perSecond * (RUN_MS / 1_000)),
        'connections/s': dials.result,
        'CPU µs/connection': (dials.cpuSeconds * 1e6) / (dials.result * (RUN_MS / 1_000)),
      });
    }
  }
  return results;
}

async function withCpu<T>(path: Path, task: () => Promise<T>): Promise<{ result: T; cpuSeconds: number }> {
  const before = cpuSecondsOf(path.pid) ?? 0;
  const result = await task();
  return { result, cpuSeconds: (cpuSecondsOf(path.pid) ?? 0) - before };
}

/** @returns bytes a second, one way, over so many connections */
async function pour(port: number, connections: number): Promise<number> {
  let bytes = 0;
  const sockets = await Promise.all(Array.from({ length: connections }, () => dial(port, SINK)));
  const from = performance.now();
  const end = from + RUN_MS;
  for (const socket of sockets) {
    const fill = (): void => {
      while (performance.now() < end) {
        bytes += CHUNK.length;
        if (!socket.write(CHUNK)) return;
      }
    };
    socket.on('drain', fill);
    fill();
  }
  await pause(RUN_MS);
  for (const socket of sockets) {
    bytes -= socket.writableLength;
    socket.destroy();
  }
  return (bytes * 1_000) / (performance.now() - from);
}

/** One message at a time on each connection. */
async function pingPong(port: number, connections: number): Promise<{ perSecond: number; medianUs: number }> {
  const sockets = await Promise.all(Array.from({ length: connections }, () => dial(port, ECHO)));
  const latencies: number[] = [];
  let messages = 0;
  const from = performance.now();
  for (const socket of sockets) {
    let sentAt = performance.now();
    let missing = MESSAGE.length;
    socket.on('data', (chunk: Buffer) => {
      missing -= chunk.length;
      if (missing > 0) return;
      missing = MESSAGE.length;
      messages++;
      const now = performance.now();
      if (connections === 1) latencies.push(now - sentAt);
      sentAt = now;
      socket.write(MESSAGE);
    });
    socket.write(MESSAGE);
  }
  await pause(RUN_MS);
  const perSecond = (messages * 1_000) / (performance.now() - from);
  for (const socket of sockets) socket.destroy();
  return { perSecond, medianUs: median(latencies) * 1_000 };
}

/** Connect, one byte there and back, close; one after the other. */
async function dialAgain(port: number): Promise<number> {
  const from = performance.now();
  let number = 0;
  while (performance.now() - from < RUN_MS) {
    const socket = await dial(port, ECHO);
    socket.write('x');
    await new Promise<void>((resolve) => socket.once('data', () => resolve()));
    socket.destroy();
    number++;
  }
  return (number * 1_000) / (performance.now() - from);
}

function dial(port: number, first: Buffer): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    socket.on('error', reject);
    socket.once('connect', () => {
      socket.write(first);
      resolve(socket);
    });
  });
}

function report(results: Map<string, Figures[]>): void {
  const names = Object.keys([...results.values()][0]![0]!);
  const baseline = results.get('haproxy');
  const rows = [...results].map(([path, figures]) => {
    const cells = names.map((name) => {
      const value = median(figures.map((f) => f[name]!));
      const ratio =
        baseline === undefined || path === 'haproxy' ? Number.NaN : median(figures.map((f, i) => f[name]! / baseline[i]![name]!));
      const text = value >= 100 ? value.toFixed(0) : value.toFixed(2);
      return [name, Number.isFinite(ratio) ? `${text} (${ratio.toFixed(2)}×)` : text] as const;
    });
    return [path, Object.fromEntries(cells)] as const;
  });
  console.table(Object.fromEntries(rows));
}

/** This file again, as the server at the end or as our balancer. */
function start(role: readonly string[], port: number): Promise<ChildProcess> {
  const core = role[0] === 'balancer' ? 'broker' : 'generator';
  return run(onOwnCore(core, [process.execPath, ...process.execArgv, fileURLToPath(import.meta.url), ...role]), port);
}

async function run(command: readonly string[], port: number): Promise<ChildProcess> {
  const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'ignore', 'inherit'] });
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${command.join(' ')} ended at once`);
    const up = await dial(port, ECHO).then(
      (socket) => {
        socket.destroy();
        return true;
      },
      () => false,
    );
    if (up) return child;
    await pause(50);
  }
}

function serve(port: number): void {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {});
    socket.once('data', (first: Buffer) => {
      if (first[0] === SINK[0]) {
        socket.on('data', () => {});
        return;
      }
      if (first.length > 1) socket.write(first.subarray(1));
      socket.on('data', (chunk) => socket.write(chunk));
    });
  });
  server.listen(port, '127.0.0.1');
}

async function balance(port: number, serverPort: number): Promise<void> {
  const balancer = new Balancer(frontAndBack({ servers: [serverPort], front: { binds: [bind({ port })] } }), { log: silentLog });
  await balancer.start();
}

function haproxyConfiguration(port: number, serverPort: number): string {
  return `global
 nbthread 1
 maxconn 1000
defaults
 mode tcp
 timeout connect 5s
 timeout client 60s
 timeout server 60s
listen bench
 bind 127.0.0.1:${port}
 server s1 127.0.0.1:${serverPort}
`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const [role, ...ports] = process.argv.slice(2);
if (role === 'server') serve(Number(ports[0]));
else if (role === 'balancer') await balance(Number(ports[0]), Number(ports[1]));
else await main(Number(role ?? 3));
