import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

/** Milliseconds that a test waits for something the program is to do, far above what it takes on a busy machine. */
const WAIT_MS = 60_000;

/** How the program is run: compiled beside a compiled test, from its source beside a source test. */
export const PROGRAM: readonly string[] = findProgram();

export interface ProgramOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

export interface Outcome {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `roundhouse ARGS...` as a process of its own, with what it has said so far. */
export class Program {
  readonly child: ChildProcess;
  readonly ended: Promise<Outcome>;
  stdout = '';
  stderr = '';
  #outcome: Outcome | null = null;
  readonly #watchers = new Set<() => void>();

  constructor(args: readonly string[], options: ProgramOptions = {}) {
    const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
    this.child = spawn(process.execPath, [...PROGRAM, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: options.cwd,
      env: { ...environment, ...options.env },
    });
    for (const stream of ['stdout', 'stderr'] as const) {
      this.child[stream]!.setEncoding('utf8').on('data', (text: string) => {
        this[stream] += text;
        this.#changed();
      });
    }
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code, signal) => {
        this.#outcome = { code, signal, stdout: this.stdout, stderr: this.stderr };
        this.#changed();
        resolve(this.#outcome);
      });
    });
  }

  /** Everything it has said, standard output first. */
  get said(): string {
    return this.stdout + this.stderr;
  }

  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    this.child.kill(signal);
  }

  /** Resolves with the match as soon as what it has said matches; from `after` characters of `said` on where given. */
  async saying(pattern: RegExp): Promise<RegExpExecArray> {
    const match = await this.until(() => pattern.exec(this.said), `the program did not say ${pattern}`);
    return match;
  }

  /** Resolves with the first answer of `look` that is not null, asked whenever the program has said more. */
  until<T>(look: () => T | null, otherwise: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (action: () => void) => {
        clearTimeout(timer);
        this.#watchers.delete(check);
        action();
      };
      const fail = (why: string) => settle(() => reject(new Error(`${otherwise}: ${why}; it said:\n${this.said}`)));
      const check = () => {
        const answer = look();
        if (answer !== null) settle(() => resolve(answer));
        else if (this.#outcome !== null) fail(`it ended with ${this.#outcome.code ?? this.#outcome.signal}`);
      };
      const timer = setTimeout(() => fail(`not within ${WAIT_MS / 1000} s`), WAIT_MS);
      this.#watchers.add(check);
      check();
    });
  }

  #changed(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}

/** Runs the program to its end. */
export async function runProgram(args: readonly string[], options: ProgramOptions = {}): Promise<Outcome> {
  const program = new Program(args, options);
  const timer = setTimeout(() => program.kill('SIGKILL'), WAIT_MS);
  const outcome = await program.ended;
  clearTimeout(timer);
  return outcome;
}

/** TCP ports of 127.0.0.1 that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function findProgram(): string[] {
  const compiled = fileURLToPath(new URL('../../src/main.js', import.meta.url));
  if (existsSync(compiled)) return [compiled];
  return [...process.execArgv, fileURLToPath(new URL('../../src/main.ts', import.meta.url))];
}
