import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrokerProcess } from './broker-process.ts';
import type { PeerRounds } from './comparison.ts';
import { FIGURES, type Round } from './figures.ts';
import { stopGenerators } from './generate.ts';
import { measure, prepare } from './measure.ts';
import type { Peer } from './peers.ts';
import { needsFreshBroker, type Scenario } from './scenarios.ts';

export interface SuiteSettings {
  readonly rounds: number;
  readonly seconds: number;
  /** The baseline first. */
  readonly peers: readonly Peer[];
  /** Is told of every round. */
  say(line: string): void;
}

/** All rounds of one scenario, on brokers started for it: none inherits the other scenarios' memory or compiled code. */
export async function runScenario(scenario: Scenario, settings: SuiteSettings): Promise<PeerRounds[]> {
  const brokers = new RunningBrokers();
  let isStopping = false;
  // A second signal, as a terminal and who started us may each send one, must not end us before the brokers.
  const onSignal = (): void => {
    if (isStopping) return;
    isStopping = true;
    stopGenerators();
    void brokers.close().then(() => process.exit(130));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    const { peers, seconds } = settings;
    const measurement = await prepare(scenario.measurement, () => brokers.get(peers[0]!), seconds);
    const measured = peers.map((peer) => ({ peer: peer.name, rounds: [] as Round[] }));
    for (let number = 0; number < settings.rounds; number++) {
      // Forwards, then backwards: neither always comes first.
      const order = number % 2 === 0 ? peers : peers.toReversed();
      for (const peer of order) {
        const round = await measure(measurement, await brokers.get(peer), seconds);
        if (needsFreshBroker(measurement)) await brokers.stop(peer);
        measured[peers.indexOf(peer)]!.rounds.push(round);
        settings.say(`${scenario.name}, round ${number + 1} of ${settings.rounds}, ${peer.name}: ${formatRound(scenario, round)}`);
      }
    }
    return measured;
  } finally {
    process.removeListener('SIGINT', onSignal);
    process.removeListener('SIGTERM', onSignal);
    stopGenerators();
    await brokers.close();
  }
}

/** Brokers by peer, each with a folder for its files that goes with it. */
class RunningBrokers {
  readonly #folder = mkdtempSync(join(tmpdir(), 'roundhouse-bench-'));
  /** Those that are still starting included: they are stopped as well. */
  readonly #running = new Map<Peer, Promise<BrokerProcess>>();
  #started = 0;

  get(peer: Peer): Promise<BrokerProcess> {
    let broker = this.#running.get(peer);
    if (broker === undefined) {
      broker = this.#start(peer);
      this.#running.set(peer, broker);
    }
    return broker;
  }

  async stop(peer: Peer): Promise<void> {
    const broker = this.#running.get(peer);
    this.#running.delete(peer);
    // One that could not start has nothing to stop; whoever asked for it is told.
    await broker?.then(
      (running) => running.stop(),
      () => {},
    );
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((peer) => this.stop(peer)));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #start(peer: Peer): Promise<BrokerProcess> {
    const folder = join(this.#folder, String(this.#started++));
    mkdirSync(folder);
    return peer.start(folder);
  }
}

function formatRound({ rows }: Scenario, { figures, flaws }: Round): string {
  const parts = rows.flatMap(({ figure, against }) =>
    [figure, ...(against === null || against === 'baseline' ? [] : [against])].map((name) => {
      const found = figures[name];
      return `${name} ${found === undefined ? 'not measured' : FIGURES[name].format(found.value)}`;
    }),
  );
  return [...parts, ...flaws.map((flaw) => flaw.toUpperCase())].join(', ');
}
