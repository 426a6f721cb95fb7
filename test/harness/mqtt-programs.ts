import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts } from './program.ts';

/** Bound for one run of a real client, in milliseconds; most take some ten, and on a machine with much else to do a thousand times as much. */
const RUN_MS = 300_000;

/** Debian's own Python, which python3-paho-mqtt is installed for, whatever other one is first in the path. */
export const DEBIAN_PYTHON = '/usr/bin/python3';

/** True when mosquitto_pub and mosquitto_sub are there; otherwise skips the test and says why. */
export function needsMosquittoClients(t: TestContext): boolean {
  for (const program of ['mosquitto_pub', 'mosquitto_sub']) {
    if (spawnSync(program, ['--help']).error === undefined) continue;
    t.skip(`${program} is not installed`);
    return false;
  }
  return true;
}

/** True when Debian's Python has paho; otherwise skips the test and says why. */
export function needsPaho(t: TestContext): boolean {
  const probe = spawnSync(DEBIAN_PYTHON, ['-c', 'import paho.mqtt.client']);
  if (probe.error === undefined && probe.status === 0) return true;
  t.skip(probe.error === undefined ? 'python3-paho-mqtt is not installed' : `${DEBIAN_PYTHON} is not installed`);
  return false;
}

/** A real client that runs until it ends or the test does. */
export class ClientProgram {
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #stdout: Buffer[] = [];
  #stderr = '';
  /** Its exit code, or the signal that has ended it. */
  readonly #ended: Promise<number | NodeJS.Signals | null>;

  constructor(t: TestContext, name: string, args: readonly string[], input?: Buffer) {
    this.#name = name;
    this.#child = spawn(name, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stdout!.on('data', (chunk: Buffer) => this.#stdout.push(chunk));
    this.#child.stderr!.on('data', (chunk: Buffer) => {
      this.#stderr += chunk;
    });
    this.#child.stdin!.on('error', () => {}); // it may end before it has read all
    this.#child.stdin!.end(input);
    this.#ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code, signal) => resolve(code ?? signal));
    });
    const timer = setTimeout(() => this.kill(), RUN_MS);
    t.after(async () => {
      clearTimeout(timer);
      this.kill();
      await this.#ended;
    });
  }

  /** What it prints, from now on. */
  onOutput(take: (chunk: Buffer) => void): void {
    this.#child.stdout!.on('data', take);
  }

  /** Ends it without a word. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** What it printed, when it has ended by itself with exit code 0. */
  async output(): Promise<Buffer> {
    const code = await this.#ended;
    if (code !== 0) throw new Error(`${this.#name} ended with ${code}: ${this.#stderr || Buffer.concat(this.#stdout).toString()}`);
    return Buffer.concat(this.#stdout);
  }
}

/** True when mosquitto itself is there; otherwise skips the test and says why. */
export function needsMosquitto(t: TestContext): boolean {
  if (spawnSync('mosquitto', ['-h']).error === undefined) return true;
  t.skip('mosquitto is not installed');
  return false;
}

/** A real mosquitto with these lines of configuration on a free port of the loopback interface, until the test ends. @returns its port */
export async function startMosquitto(t: TestContext, ...configuration: readonly string[]): Promise<number> {
  const [port] = (await freePorts(1)) as [number];
  const folder = await mkdtemp(join(tmpdir(), 'roundhouse-mosquitto-'));
  const file = join(folder, 'mosquitto.conf');
  await writeFile(file, [`listener ${port} 127.0.0.1`, 'allow_anonymous true', ...configuration, ''].join('\n'));
  const child = spawn('mosquitto', ['-c', file], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => resolve());
  });
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  });
  const deadline = Date.now() + RUN_MS;
  while (!(await accepts(port))) {
    if (Date.now() > deadline || child.exitCode !== null) throw new Error(`mosquitto does not listen on port ${port}`);
    await delay(50);
  }
  return port;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}
