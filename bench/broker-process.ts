import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { siblingFile } from './node-command.ts';

/** Milliseconds until a started broker must accept connections; the first start also compiles, and Java takes its time. */
const START_TIMEOUT_MS = 60_000;
const POLL_MS = 50;

/** Milliseconds between asking a broker to stop and making it. */
const STOP_TIMEOUT_MS = 5_000;

/** Milliseconds for a full garbage collection; a heap of a gigabyte takes a few seconds. */
const COLLECT_TIMEOUT_MS = 60_000;

/** How much of a broker's output is kept to explain a failed start. */
const OUTPUT_TAIL_CHARACTERS = 2_000;

/** A broker that was started for the comparison, or one that runs already (`pid` 0). */
export interface BrokerProcess {
  readonly port: number;
  readonly pid: number;
  /** Has it collect its garbage; returns the bytes then in use, null where it has no collector or we cannot ask. */
  collectGarbage(): Promise<number | null>;
  stop(): Promise<void>;
}

export interface StartOptions {
  /** Where to put the file that heap-probe.ts writes, for brokers that run on Node. */
  readonly heapFile?: string;
}

/** Starts a command that listens on a port of the loopback interface, and waits until it does. */
export async function startBroker(
  name: string,
  command: readonly string[],
  port: number,
  { heapFile }: StartOptions = {},
): Promise<BrokerProcess> {
  const env = heapFile === undefined ? process.env : { ...process.env, ...probed(heapFile) };
  const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'], env });
  let output = '';
  const collect = (chunk: Buffer): void => {
    output = (output + chunk.toString('utf8')).slice(-OUTPUT_TAIL_CHARACTERS);
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const failed = new Promise<never>((_, reject) => {
    child.once('error', (error) => reject(new Error(`${name}: cannot run ${command[0]} (${error.message})`)));
    child.once('exit', (code, signal) =>
      reject(new Error(`${name} ended (${signal ?? `exit code ${code}`}) before it listened:\n${output}`)),
    );
  });
  failed.catch(() => {}); // also rejects when it is stopped later, which is then expected
  try {
    await Promise.race([waitUntilListening(name, port), failed]);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  const collectGarbage = () => (heapFile === undefined ? Promise.resolve(null) : askForHeap(name, child, heapFile));
  return { port, pid: child.pid!, collectGarbage, stop: () => stop(child) };
}

/** A broker that somebody else runs. */
export function runningBroker(port: number): BrokerProcess {
  return { port, pid: 0, collectGarbage: () => Promise.resolve(null), stop: () => Promise.resolve() };
}

/** A port of the loopback interface that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
  return address.port;
}

/** The environment in which Node loads the probe. */
function probed(heapFile: string): NodeJS.ProcessEnv {
  const probe = pathToFileURL(siblingFile('heap-probe')).href;
  return { NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --import=${probe}`.trim(), ROUNDHOUSE_HEAP_FILE: heapFile };
}

async function askForHeap(name: string, child: ChildProcess, file: string): Promise<number> {
  rmSync(file, { force: true });
  child.kill('SIGUSR2');
  const endMs = performance.now() + COLLECT_TIMEOUT_MS;
  while (!existsSync(file)) {
    if (performance.now() > endMs) throw new Error(`${name} did not report its heap within ${COLLECT_TIMEOUT_MS / 1000} s`);
    await sleep(POLL_MS);
  }
  const { heapUsedBytes, externalBytes } = JSON.parse(readFileSync(file, 'utf8')) as { heapUsedBytes: number; externalBytes: number };
  return heapUsedBytes + externalBytes;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timeout = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(timeout);
}

async function waitUntilListening(name: string, port: number): Promise<void> {
  const endMs = performance.now() + START_TIMEOUT_MS;
  while (!(await isListening(port))) {
    if (performance.now() > endMs) throw new Error(`${name} does not listen on port ${port} after ${START_TIMEOUT_MS / 1000} s`);
    await sleep(POLL_MS);
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
