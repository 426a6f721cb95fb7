import type { LoadOptions } from './load.ts';

/** A traffic pattern that brokers are compared with. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly load: Omit<LoadOptions, 'host' | 'port' | 'subscriberPort' | 'warmupSeconds' | 'seconds' | 'brokerPid'>;
}

/** Bytes; what a sensor's reading takes. */
const SMALL_PAYLOAD = 64;

const basis: Scenario['load'] = {
  mode: 'pair',
  publishers: 1,
  subscribers: 1,
  qos: 0,
  payloadBytes: SMALL_PAYLOAD,
  window: 20,
  version: 4,
  persistent: false,
  rate: 0,
};

/** Every scenario, by the name that `--scenario` takes. Floors for some of them are in floors.json. */
export const SCENARIOS: readonly Scenario[] = [
  scenario('qos0-100-pairs', 'QoS 0, 100 pairs, window 20', { publishers: 100 }),
  scenario('fanout-100', 'QoS 0, fan-out 1 to 100, window 20', { mode: 'fanout', subscribers: 100 }),
  scenario('fanin-100', 'QoS 0, fan-in 100 to 1, window 20', { mode: 'fanin', publishers: 100 }),
  scenario('qos0-1-pair', 'QoS 0, 1 pair, window 200', { window: 200 }),
  scenario('qos0-10-pairs', 'QoS 0, 10 pairs, window 100', { publishers: 10, window: 100 }),
  // One message per wake-up: the worst case, in which system calls are all the cost. CPU time per message is the figure here.
  scenario('qos0-100-pairs-window-1', 'QoS 0, 100 pairs, window 1', { publishers: 100, window: 1 }),
  scenario('qos1-10-pairs', 'QoS 1, 10 pairs, window 20', { publishers: 10, qos: 1 }),
  scenario('qos1-10-pairs-persistent', 'QoS 1, 10 pairs, window 20, persistent sessions', { publishers: 10, qos: 1, persistent: true }),
  scenario('qos2-10-pairs', 'QoS 2, 10 pairs, window 20', { publishers: 10, qos: 2 }),
  scenario('qos0-1kb', 'QoS 0, 10 pairs, window 20, 1 KB', { publishers: 10, payloadBytes: 1024 }),
  scenario('qos0-16kb', 'QoS 0, 10 pairs, window 20, 16 KB', { publishers: 10, payloadBytes: 16_384 }),
  scenario('mqtt5-100-pairs', 'MQTT 5, QoS 0, 100 pairs, window 20', { publishers: 100, version: 5 }),
  scenario('mqtt5-qos1-10-pairs', 'MQTT 5, QoS 1, 10 pairs, window 20', { publishers: 10, qos: 1, version: 5 }),
  // Latency of a broker that has time: 10,000 messages a second over all.
  scenario('paced-100-pairs', 'QoS 0, 100 pairs, 100 messages a second each', { publishers: 100, rate: 100 }),
];

/** The scenarios with these names, in that order. */
export function selectScenarios(names: readonly string[]): Scenario[] {
  return names.map((name) => {
    const found = SCENARIOS.find((candidate) => candidate.name === name);
    if (found === undefined)
      throw new Error(`--scenario ${name}: expected one of ${SCENARIOS.map((candidate) => candidate.name).join(', ')}`);
    return found;
  });
}

function scenario(name: string, title: string, difference: Partial<Scenario['load']>): Scenario {
  return { name, title, load: { ...basis, ...difference } };
}
