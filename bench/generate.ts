import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { BrokerProcess } from './broker-process.ts';
import type { LoadResult } from './load.ts';
import { formatLoadOptions } from './load-options.ts';
import { atLowPriority, onOwnCore } from './machine.ts';
import { nodeCommand } from './node-command.ts';
import type { Load } from './scenarios.ts';
import type { Step } from './step.ts';

/** Seconds of every run before counting starts: brokers and generator compile their hot paths meanwhile. */
export const WARMUP_SECONDS = 1;

/** A run of the load generator, in a process of its own. */
export class GeneratorRun {
  readonly result: Promise<LoadResult>;
  #isOver = false;

  /** @param isPolite whether it lets others on its core go first */
  constructor(load: Load, broker: BrokerProcess, seconds: number, isPolite = false) {
    const options = formatLoadOptions({
      ...load,
      host: '127.0.0.1',
      port: broker.port,
      subscriberPort: broker.port,
      warmupSeconds: WARMUP_SECONDS,
      seconds,
      brokerPid: broker.pid,
    });
    this.result = runProgram<LoadResult>('generator', options, isPolite).finally(() => {
      this.#isOver = true;
    });
    this.result.catch(() => {}); // whoever awaits it is told; it may be somebody who still awaits something else
  }

  get isOver(): boolean {
    return this.#isOver;
  }
}

/** What a neighbour of this module prints, run on the generator's core. */
export async function runProgram<T>(name: string, options: readonly string[], isPolite = false): Promise<T> {
  const child = startSibling(name, options, isPolite);
  let output = '';
  child.stdout!.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8');
  });
  const code = await closed(child);
  if (output === '') throw new Error(`${name} gave no figures (exit code ${code})`);
  return JSON.parse(output) as T;
}

/** Many idle clients, in a process of their own. */
export class CrowdProcess {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  }

  /** Connects everybody. */
  static async connect(broker: BrokerProcess, clients: number): Promise<{ crowd: CrowdProcess; connected: Step }> {
    const options = [`--port=${broker.port}`, `--clients=${clients}`, `--keep-alive=${KEEP_ALIVE_S}`, `--broker-pid=${broker.pid}`];
    const crowd = new CrowdProcess(startSibling('crowd-program', options, false));
    return { crowd, connected: (await crowd.#answer()) as Step };
  }

  /** Everybody subscribes to so many filters. */
  async subscribe(perClient: number): Promise<Step> {
    this.#child.stdin!.write(`subscribe ${perClient}\n`);
    return (await this.#answer()) as Step;
  }

  /** Disconnects everybody; returns how many connections the broker had closed before. */
  async leave(): Promise<number> {
    const gone = closed(this.#child);
    this.#child.stdin!.write('leave\n');
    const { closed: cut } = (await this.#answer()) as { closed: number };
    await gone;
    return cut;
  }

  async #answer(): Promise<unknown> {
    const line = await this.#lines.next();
    if (line.done) throw new Error('the crowd ended without an answer');
    return JSON.parse(line.value);
  }
}

/** Seconds: what many MQTT clients use unless told otherwise. */
const KEEP_ALIVE_S = 60;

/** A neighbour of this module as a program on the generator's core. */
function startSibling(name: string, options: readonly string[], isPolite: boolean): ChildProcess {
  const own = [...nodeCommand(name), ...options];
  const [command, ...args] = onOwnCore('generator', isPolite ? atLowPriority(own) : own);
  const child = spawn(command!, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  children.add(child);
  child.once('close', () => children.delete(child));
  return child;
}

const children = new Set<ChildProcess>();

/** Ends what is still running, when the whole comparison ends early. */
export function stopGenerators(): void {
  for (const child of children) child.kill('SIGKILL');
}

async function closed(child: ChildProcess): Promise<number | null> {
  const [code] = (await once(child, 'close')) as [number | null];
  return code;
}
