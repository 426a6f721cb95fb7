/**
 * Roundhouse beside mosquitto, and where durability is compared beside ActiveMQ, in the same run on the same machine: each broker alone on the first core, the load generator
 * on the second, taking turns.
 *
 *     npm run bench                                    every scenario that has something to reach
 *     npm run bench -- --all                           every scenario; --list names them
 *     npm run bench -- --scenario qos1-10-pairs        these (may be repeated)
 *     npm run bench -- --rounds 3 --seconds 2          shorter
 *     npm run bench -- --brief                         the table as docs/performance.md has it
 *     npm run bench -- --json figures.json             the table and every figure of every round
 *     npm run bench -- --target other=1883             another broker that runs already, as the one compared
 *     npm run bench -- --broker-command "CMD {config}" Roundhouse, started in another way
 *
 * Exit code 1: a figure is beyond its floor in floors.json, or a run was not loss-free.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { REPOSITORY_ROOT } from '../test/harness/repository-root.ts';
import { type Floors, isPassed, type PeerRounds, type RowSummary, summarize } from './comparison.ts';
import { describeMachine } from './machine.ts';
import { activemqFault, activemqPeer, mosquittoPeer, type Peer, roundhousePeer, targetPeer } from './peers.ts';
import { formatBriefTable, formatRun, formatTable } from './report.ts';
import { ACTIVEMQ, hasBar, needsActiveMQ, SCENARIOS, type Scenario, selectScenarios } from './scenarios.ts';
import { runScenario, type SuiteSettings } from './suite.ts';

interface Settings extends SuiteSettings {
  readonly scenarios: readonly Scenario[];
  readonly isBrief: boolean;
  readonly jsonFile: string | undefined;
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
      brief: { type: 'boolean', default: false },
      json: { type: 'string' },
      target: { type: 'string', multiple: true, default: [] },
      'broker-command': { type: 'string' },
    },
  });
  if (values.list) {
    for (const { name, rows } of SCENARIOS) process.stdout.write(`${name.padEnd(28)} ${rows[0]!.title}\n`);
    return null;
  }
  const usual = values.all ? SCENARIOS : SCENARIOS.filter(hasBar);
  const targets = values.target.map(targetPeer);
  const scenarios = values.scenario.length > 0 ? selectScenarios(values.scenario) : usual;
  return {
    scenarios,
    rounds: positive('rounds', values.rounds),
    seconds: positive('seconds', values.seconds),
    isBrief: values.brief,
    jsonFile: values.json,
    peers: [mosquittoPeer(), ...(targets.length > 0 ? targets : [roundhousePeer(values['broker-command'])])],
    activemq: scenarios.some(needsActiveMQ) ? findActiveMQ() : null,
    say: (line) => process.stderr.write(`${line}\n`),
  };
}

/** null, and a word about it, where it cannot be compared with. */
function findActiveMQ(): Peer | null {
  const fault = activemqFault();
  if (fault === null) return activemqPeer();
  process.stderr.write(`bench: rows against ActiveMQ are left out: ${fault}\n`);
  return null;
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new Error(`--${name}: expected a number above 0, got "${text}"`);
}

/** Runs everything; true where every floor is kept and nothing was lost. */
async function compare(settings: Settings): Promise<boolean> {
  const floors = readFloors();
  const { rounds, seconds, peers } = settings;
  const run = { machine: describeMachine(), rounds, seconds };
  const summaries: RowSummary[] = [];
  const details: { scenario: string; measured: readonly PeerRounds[] }[] = [];
  for (const scenario of settings.scenarios) {
    const measured = await runScenario(scenario, settings);
    details.push({ scenario: scenario.name, measured });
    summaries.push(...summarize(scenario, measured, floors));
  }
  const names = [peers[0]!.name, ACTIVEMQ, ...peers.slice(1).map(({ name }) => name)];
  const table = settings.isBrief ? formatBriefTable(summaries, names) : formatTable(summaries);
  process.stdout.write(`${formatRun(run)}\n\n${table}\n`);
  if (settings.jsonFile !== undefined) writeFileSync(settings.jsonFile, `${JSON.stringify({ ...run, summaries, details }, null, 2)}\n`);
  return isPassed(summaries);
}

function readFloors(): Floors {
  return JSON.parse(readFileSync(join(REPOSITORY_ROOT, 'bench', 'floors.json'), 'utf8')) as Floors;
}
