import { type ChildProcess, fork } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { CodedError } from '../errors.ts';
import type { Log } from '../telemetry/log.ts';
import { type FromChild, type Job, STOP_WAIT_MS, type ToChild } from './child-messages.ts';

/** Pause before the first, second... restart in a row, in milliseconds; the last one repeats. */
export const RESTART_DELAYS_MS: readonly number[] = [0, 500, 1_000, 2_000, 5_000, 10_000];
/** A child that was up this long before it ended counts as healthy: its next restart is the first in a row again. Milliseconds. */
export const HEALTHY_AFTER_MS = 10_000;
/** How long a child may take to say that it is up, in milliseconds: reading a large store takes its time, hanging is another matter. */
export const START_WAIT_MS = 60_000;
/** Longest line of a child that is passed on in one piece, in characters. */
const LINE_LENGTH_MAX = 65_536;

export interface SupervisedProcessOptions {
  readonly log: Log;
  /** A line that the child wrote, without its end. */
  onLine(stream: 'stdout' | 'stderr', line: string): void;
  /** Makes the child; for tests. */
  readonly fork?: (job: Job) => ChildProcess;
  /** Monotonic clock in milliseconds; for tests. */
  readonly now?: () => number;
}

/**
 * One broker or balancer in a process of its own, started again whenever it ends without having been asked to.
 *
 *     start()  ->  starting -> up -> (ends) -> waiting -> starting -> ...        stop(), from anywhere  ->  stopping -> stopped
 */
export class SupervisedProcess {
  readonly job: Job;
  readonly #options: SupervisedProcessOptions;
  readonly #now: () => number;
  #child: ChildProcess | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** null until the child said that it is up. */
  #upSince: number | null = null;
  #restartsInARow = 0;
  #stopping = false;
  /** The first start: its failure is the caller's to handle. */
  #firstStart: { resolve(): void; reject(error: Error): void } | null = null;
  #ended: (() => void) | null = null;
  #stopped: Promise<void> | null = null;

  constructor(job: Job, options: SupervisedProcessOptions) {
    this.job = job;
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** null while no child is running. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /**
   * Resolves when the child is up.
   *
   * @throws CodedError with what the child could not have; the child has ended then and is not started again
   */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#firstStart = { resolve, reject };
      this.#spawn();
    });
  }

  /** Resolves when the child has ended: cleanly, or killed after `STOP_WAIT_MS`. Asked again, it is the same stop. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#stopping = true;
    this.#clearTimer();
    const child = this.#child;
    if (child === null) return;
    const ended = new Promise<void>((resolve) => {
      this.#ended = resolve;
    });
    send(child, { type: 'stop' });
    const timer = setTimeout(() => {
      this.#options.log.error('did not stop in time: killed', { ...this.#facts(), afterMs: STOP_WAIT_MS });
      child.kill('SIGKILL');
    }, STOP_WAIT_MS);
    await ended;
    clearTimeout(timer);
  }

  /** Has a running child read its keys and certificates again; one that is started later reads them anyway. */
  renewCertificates(): void {
    if (this.#child !== null && !this.#stopping) send(this.#child, { type: 'renewCertificates' });
  }

  /** Ends the child at once and for good. */
  kill(): void {
    this.#stopping = true;
    this.#clearTimer();
    this.#child?.kill('SIGKILL');
  }

  #spawn(): void {
    const child = (this.#options.fork ?? forkChild)(this.job);
    this.#child = child;
    this.#upSince = null;
    const startedAt = this.#now();
    let failure: CodedError | null = null;
    forwardLines(child.stdout, (line) => this.#options.onLine('stdout', line));
    forwardLines(child.stderr, (line) => this.#options.onLine('stderr', line));
    this.#timer = setTimeout(() => {
      failure = new CodedError('START_TIMEOUT', `${this.#title} did not come up within ${START_WAIT_MS / 1000} s`, 'internal');
      child.kill('SIGKILL');
    }, START_WAIT_MS);
    child.on('message', (message: FromChild) => {
      if (message.type === 'failed') failure = new CodedError(message.code, message.message, 'config');
      else this.#up(startedAt);
    });
    child.on('error', (error) => {
      failure = new CodedError('FORK_FAILED', `${this.#title} cannot be started as a process: ${error.message}`, 'internal', true, error);
      if (child.pid === undefined) this.#end(null, null, failure); // no process, so no 'exit' either
    });
    child.once('exit', (code, signal) => this.#end(code, signal, failure));
    send(child, { type: 'run', job: this.job });
  }

  #up(startedAt: number): void {
    this.#clearTimer();
    this.#upSince = this.#now();
    if (this.#firstStart !== null) {
      this.#firstStart.resolve();
      this.#firstStart = null;
      return;
    }
    this.#options.log.info('up again', { ...this.#facts(), tookMs: Math.round(this.#upSince - startedAt) });
  }

  #end(code: number | null, signal: NodeJS.Signals | null, failure: CodedError | null): void {
    const facts = this.#facts();
    this.#clearTimer();
    this.#child = null;
    const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
    if (this.#firstStart !== null) {
      this.#firstStart.reject(failure ?? new CodedError('START_FAILED', `${this.#title} ended (${how}) before it was up`, 'internal'));
      this.#firstStart = null;
      this.#stopping = true;
    }
    if (this.#stopping) {
      this.#ended?.();
      return;
    }
    if (this.#upSince !== null && this.#now() - this.#upSince >= HEALTHY_AFTER_MS) this.#restartsInARow = 0;
    const delayMs = RESTART_DELAYS_MS[Math.min(this.#restartsInARow, RESTART_DELAYS_MS.length - 1)]!;
    this.#restartsInARow++;
    this.#options.log.error(failure === null ? 'ended unexpectedly: starting it again' : 'could not start: trying again', {
      ...facts,
      ...(failure === null ? { how } : { reason: failure.message }),
      inMs: delayMs,
    });
    if (delayMs === 0) this.#spawn();
    else this.#timer = setTimeout(() => this.#spawn(), delayMs);
  }

  get #title(): string {
    return `${this.job.kind} ${this.job.name}`;
  }

  #facts(): { name: string; kind: string; processId: number | undefined } {
    return { name: this.job.name, kind: this.job.kind, processId: this.#child?.pid };
  }

  #clearTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

/** The child's program stands beside this file, compiled or not. Kind and name are arguments only so that `ps` shows them. */
function forkChild(job: Job): ChildProcess {
  const program = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? './child.ts' : './child.js', import.meta.url));
  return fork(program, [job.kind, job.name], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], serialization: 'advanced' });
}

/** A child that is just ending may have closed its channel: its exit tells the rest. */
function send(child: ChildProcess, message: ToChild): void {
  if (child.connected) child.send(message, () => {});
}

function forwardLines(stream: Readable | null, onLine: (line: string) => void): void {
  if (stream === null) return;
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    for (const line of lines) onLine(line);
    if (rest.length > LINE_LENGTH_MAX) {
      onLine(rest);
      rest = '';
    }
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
  });
}
