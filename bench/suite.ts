import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrokerProcess } from './broker-process.ts';
import type { PeerRounds } from './comparison.ts';
import { FIGURES, type Round } from './figures.ts';
import { stopGenerators } from './generate.ts';
import { measure, prepare } from './measure.ts';
import type { Peer, Storage } from './peers.ts';
import { ACTIVEMQ, needsActiveMQ, needsFreshBroker, type Scenario } from './scenarios.ts';

export interface SuiteSettings {
  readonly rounds: number;
  readonly seconds: number;
  /** The baseline first. */
  readonly peers: readonly Peer[];
  /** For the scenarios that compare with it; null where there is none. */
  readonly activemq: Peer | null;
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
    const { seconds } = settings;
    const { storage } = scenario;
    const peers = peersOf(scenario, settings);
    const rounds = Math.min(settings.rounds, scenario.roundsMax ?? settings.rounds);
    const measurement = await prepare(scenario.measurement, () => brokers.get(peers[0]!, storage), seconds);
    const measured = peers.map((peer) => ({ peer: peer.name, rounds: [] as Round[] }));
    for (let number = 0; number < rounds; number++) {
      // Forwards, then backwards: neither always comes first.
      const order = number % 2 === 0 ? peers : peers.toReversed();
      for (const peer of order) {
        const round = await measure(measurement, await brokers.get(peer, storage), seconds, () => brokers.get(peer, 'memory'));
        if (needsFreshBroker(measurement)) await brokers.stop(peer, storage);
        measured[peers.indexOf(peer)]!.rounds.push(round);
        settings.say(`${scenario.name}, round ${number + 1} of ${rounds}, ${peer.name}: ${formatRound(scenario, round)}`);
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

/** Who is measured, in this order. */
function peersOf(scenario: Scenario, { peers, activemq }: SuiteSettings): readonly Peer[] {
  if (scenario.isOwn === true) return peers.slice(1);
  if (activemq === null || !needsActiveMQ(scenario)) return peers;
  return [peers[0]!, activemq, ...peers.slice(1)];
}

/** Brokers by peer and storage, each with a folder for its files that goes with it. */
class RunningBrokers {
  readonly #folder = mkdtempSync(join(tmpdir(), 'roundhouse-bench-'));
  /** Those that are still starting included: they are stopped as well. */
  readonly #running: Readonly<Record<Storage, Map<Peer, Promise<BrokerProcess>>>> = {
    memory: new Map(),
    disk: new Map(),
    'disk-each': new Map(),
  };
  #started = 0;

  get(peer: Peer, storage: Storage): Promise<BrokerProcess> {
    const running = this.#running[storage];
    let broker = running.get(peer);
    if (broker === undefined) {
      broker = this.#start(peer, storage);
      running.set(peer, broker);
    }
    return broker;
  }

  async stop(peer: Peer, storage: Storage): Promise<void> {
    const broker = this.#running[storage].get(peer);
    this.#running[storage].delete(peer);
    // One that could not start has nothing to stop; whoever asked for it is told.
    await broker?.then(
      (running) => running.stop(),
      () => {},
    );
  }

  async close(): Promise<void> {
    for (const storage of Object.keys(this.#running) as Storage[])
      await Promise.all([...this.#running[storage].keys()].map((peer) => this.stop(peer, storage)));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #start(peer: Peer, storage: Storage): Promise<BrokerProcess> {
    const folder = join(this.#folder, String(this.#started++));
    mkdirSync(folder);
    return peer.start(folder, storage);
  }
}

function formatRound({ rows }: Scenario, { figures, flaws }: Round): string {
  const parts = rows.flatMap(({ figure, against }) =>
    [figure, ...(against === null || against === 'baseline' || against === ACTIVEMQ ? [] : [against])].map((name) => {
      const found = figures[name];
      return `${name} ${found === undefined ? 'not measured' : FIGURES[name].format(found.value)}`;
    }),
  );
  return [...parts, ...flaws.map((flaw) => flaw.toUpperCase())].join(', ');
}
