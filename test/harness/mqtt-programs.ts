import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';

/** Bound for one run of a real client, in milliseconds; most take some ten. */
const RUN_MS = 60_000;

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
  readonly #ended: Promise<number | null>;

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
      this.#child.once('close', (code) => resolve(code));
    });
    const timer = setTimeout(() => this.kill(), RUN_MS);
    t.after(async () => {
      clearTimeout(timer);
      this.kill();
      await this.#ended;
    });
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
