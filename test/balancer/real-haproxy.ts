import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

/** Bound for the real haproxy to start, in milliseconds; it takes some 20 on an idle machine, and seconds on one with much else to do. */
const START_MS = 60_000;

/** The installed haproxy's version such as `2.6.12`, or null when there is none. */
export function haproxyVersion(): string | null {
  try {
    return /version (\d+\.\d+(?:\.\d+)?)/.exec(execFileSync('haproxy', ['-v'], { encoding: 'utf8' }))?.[1] ?? null;
  } catch {
    return null;
  }
}

/** True when 2.6 is there, which all comparisons are made against; otherwise skips the test and says why. */
export function needsHaproxy(t: TestContext): boolean {
  const version = haproxyVersion();
  if (version?.startsWith('2.6')) return true;
  t.skip(version === null ? 'haproxy is not installed' : `haproxy ${version} is installed, the comparison is with 2.6`);
  return false;
}

export interface RealHaproxy {
  /** Its own folder, for the sockets that the configuration names. */
  readonly folder: string;
  readonly output: () => string;
  signal(name: NodeJS.Signals): void;
}

/**
 * Runs the real haproxy in the foreground until the test ends.
 *
 * @param configuration gets the folder; sockets in it keep tests from fighting for ports
 * @param probe         what must accept connections before this resolves: a socket path or a port
 */
export async function startHaproxy(
  t: TestContext,
  configuration: (folder: string) => string,
  probe: (folder: string) => string | number,
): Promise<RealHaproxy> {
  const folder = mkdtempSync(join(tmpdir(), 'haproxy-'));
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(file, configuration(folder));
  const child: ChildProcess = spawn('haproxy', ['-db', '-f', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    output += chunk;
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  t.after(async () => {
    child.kill('SIGKILL');
    await exited;
    rmSync(folder, { recursive: true, force: true });
  });
  const deadline = Date.now() + START_MS;
  while (!(await accepts(probe(folder)))) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`haproxy did not start: ${output}`);
    await delay(20);
  }
  return { folder, output: () => output, signal: (name) => child.kill(name) };
}

function accepts(target: string | number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = typeof target === 'string' ? connect({ path: target }) : connect({ host: '127.0.0.1', port: target });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
