/**
 * Roundhouse beside mosquitto, in the same run on the same machine: each broker alone on the first core, the load generator
 * on the second, taking turns.
 *
 *     npm run bench                                    the scenarios that have a floor
 *     npm run bench -- --all                           every scenario; --list names them
 *     npm run bench -- --scenario qos1-10-pairs        these (may be repeated)
 *     npm run bench -- --rounds 3 --seconds 2          shorter
 *     npm run bench -- --json figures.json             every figure of every round
 *     npm run bench -- --target other=1883             another broker that runs already, as the one compared
 *     npm run bench -- --broker-command "CMD {config}" Roundhouse, started in another way
 *
 * Exit code 1: a ratio is below its floor in floors.json, or a run was not loss-free.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { REPOSITORY_ROOT } from '../test/harness/repository-root.ts';
import type { BrokerProcess } from './broker-process.ts';
import { type Floors, formatTable, type PeerRounds, type ScenarioSummary, summarize } from './comparison.ts';
import type { LoadResult } from './load.ts';
import { formatLoadOptions } from './load-options.ts';
import { describeMachine, onOwnCore } from './machine.ts';
import { mosquittoPeer, type Peer, roundhousePeer, targetPeer } from './peers.ts';
import { SCENARIOS, type Scenario, selectScenarios } from './scenarios.ts';

/** Seconds of every round before counting starts: brokers and generator compile their hot paths meanwhile. */
const WARMUP_SECONDS = 1;

interface Settings {
  readonly scenarios: readonly Scenario[];
  readonly rounds: number;
  readonly seconds: number;
  readonly jsonFile: string | undefined;
  /** The baseline first. */
  readonly peers: readonly Peer[];
}

await main();

async function main(): Promise<void> {
  let settings: Settings | null;
  try {
    settings = readSettings(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`bench: ${(error as Error).message}\n`);
    process.exitCode = 2;
    return;
  }
  if (settings === null) return;
  try {
    process.exitCode = (await compare(settings)) ? 0 : 1;
  } catch (error) {
    process.stderr.write(`bench: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}

/** @returns null where there is nothing to run */
function readSettings(args: string[]): Settings | null {
  const { values } = parseArgs({
    args,
    options: {
      all: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      scenario: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      json: { type: 'string' },
      target: { type: 'string', multiple: true, default: [] },
      'broker-command': { type: 'string' },
    },
  });
  if (values.list) {
    for (const { name, title } of SCENARIOS) process.stdout.write(`${name.padEnd(28)} ${title}\n`);
    return null;
  }
  const named = values.scenario.length > 0 ? values.scenario : Object.keys(readFloors());
  const targets = values.target.map(targetPeer);
  return {
    scenarios: values.all ? SCENARIOS : selectScenarios(named),
    rounds: positive('rounds', values.rounds),
    seconds: positive('seconds', values.seconds),
    jsonFile: values.json,
    peers: [mosquittoPeer(), ...(targets.length > 0 ? targets : [roundhousePeer(values['broker-command'])])],
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new Error(`--${name}: expected a number above 0, got "${text}"`);
}

/** Runs everything; true where every floor is kept and nothing was lost. */
async function compare(settings: Settings): Promise<boolean> {
  const floors = readFloors();
  const summaries: ScenarioSummary[] = [];
  const details: { scenario: string; measured: readonly PeerRounds[] }[] = [];
  for (const scenario of settings.scenarios) {
    const measured = await measureScenario(scenario, settings);
    details.push({ scenario: scenario.name, measured });
    summaries.push(summarize(scenario, measured, floors));
  }
  process.stdout.write(`${formatTable(summaries)}\n`);
  if (settings.jsonFile !== undefined) {
    const report = { machine: describeMachine(), rounds: settings.rounds, seconds: settings.seconds, summaries, details };
    writeFileSync(settings.jsonFile, `${JSON.stringify(report, null, 2)}\n`);
  }
  return summaries.every((summary) => summary.isPassed);
}

/** All rounds of one scenario, on brokers started for it: none inherits the other scenarios' memory or compiled code. */
async function measureScenario(scenario: Scenario, settings: Settings): Promise<PeerRounds[]> {
  const folder = mkdtempSync(join(tmpdir(), 'roundhouse-bench-'));
  const brokers: BrokerProcess[] = [];
  const stopAll = async (): Promise<void> => {
    await Promise.all(brokers.map((broker) => broker.stop()));
    rmSync(folder, { recursive: true, force: true });
  };
  const onSignal = (): void => void stopAll().then(() => process.exit(130));
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  try {
    for (const peer of settings.peers) brokers.push(await peer.start(folder));
    const measured = settings.peers.map((peer) => ({ peer: peer.name, rounds: [] as LoadResult[] }));
    for (let round = 0; round < settings.rounds; round++) {
      // Forwards, then backwards: neither always comes first.
      const order = measured.map((_, index) => (round % 2 === 0 ? index : measured.length - 1 - index));
      for (const index of order) {
        const result = await generate(scenario, brokers[index]!, settings.seconds);
        measured[index]!.rounds.push(result);
        const rate = Math.round(result.deliveredPerSecond).toLocaleString('en');
        process.stderr.write(
          `${scenario.title}, round ${round + 1} of ${settings.rounds}: ${measured[index]!.peer} ${rate} deliveries/s\n`,
        );
      }
    }
    return measured;
  } finally {
    process.removeListener('SIGINT', onSignal);
    process.removeListener('SIGTERM', onSignal);
    await stopAll();
  }
}

/** One run of the load generator, in a process of its own. */
async function generate(scenario: Scenario, broker: BrokerProcess, seconds: number): Promise<LoadResult> {
  const options = formatLoadOptions({
    ...scenario.load,
    host: '127.0.0.1',
    port: broker.port,
    subscriberPort: broker.port,
    warmupSeconds: WARMUP_SECONDS,
    seconds,
    brokerPid: broker.pid,
  });
  const [command, ...args] = onOwnCore('generator', [process.execPath, ...process.execArgv, siblingModule('generator'), ...options]);
  const child = spawn(command!, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8');
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (output === '') throw new Error(`the load generator gave no figures (exit code ${code})`);
  return JSON.parse(output) as LoadResult;
}

/** A neighbour of this module, compiled where this one is. */
function siblingModule(name: string): string {
  return join(import.meta.dirname, `${name}${import.meta.filename.endsWith('.ts') ? '.ts' : '.js'}`);
}

function readFloors(): Floors {
  return JSON.parse(readFileSync(join(REPOSITORY_ROOT, 'bench', 'floors.json'), 'utf8')) as Floors;
}
