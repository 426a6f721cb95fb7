import { isIP } from 'node:net';
import type { Log } from '../../telemetry/log.ts';
import type { Clock } from '../../timing/clock.ts';
import type { Discovery } from './discovery.ts';
import { isLoopbackHost } from './local-address.ts';
import { MulticastDiscovery, type MulticastOptions } from './multicast.ts';

type Group = Omit<MulticastOptions, 'interfaceAddress' | 'log' | 'clock'>;

/** The multicast groups of one broker: connectors that use the same one share a socket. */
export class MulticastGroups {
  readonly #agents = new Map<string, MulticastDiscovery>();
  readonly #options: {
    readonly mapAddress: (host: string) => string;
    readonly announcements: readonly { readonly multicast: Group; readonly host: string }[];
    readonly log: Log;
    readonly clock: Clock;
  };

  constructor(options: {
    mapAddress: (host: string) => string;
    announcements: readonly { readonly multicast: Group; readonly host: string }[];
    log: Log;
    clock: Clock;
  }) {
    this.#options = options;
    for (const { multicast } of options.announcements) this.discoveryFor(multicast);
  }

  discoveryFor(group: Group): Discovery {
    return this.#agentFor(group);
  }

  announce(group: Group, service: string): void {
    this.#agentFor(group).announce(service);
  }

  async start(): Promise<void> {
    for (const agent of this.#agents.values()) await agent.start();
  }

  async stop(): Promise<void> {
    for (const agent of this.#agents.values()) await agent.stop();
  }

  #agentFor(multicast: Group): MulticastDiscovery {
    const key = `${multicast.address}:${multicast.port}/${multicast.group}`;
    let agent = this.#agents.get(key);
    if (agent === undefined) {
      const { log, clock } = this.#options;
      const { address, port, group, timeToLive, keepAliveIntervalMs } = multicast;
      agent = new MulticastDiscovery({
        address,
        port,
        group,
        timeToLive,
        keepAliveIntervalMs,
        interfaceAddress: this.#interfaceAddress(),
        log,
        clock,
      });
      this.#agents.set(key, agent);
    }
    return agent;
  }

  /**
   * The interface to stay on: where every address is mapped to one, that one's; and the loopback interface where this broker announces
   * nothing that another machine could dial.
   */
  #interfaceAddress(): string | null {
    const { mapAddress, announcements } = this.#options;
    const mapped = mapAddress('0.0.0.0');
    if (mapped !== '0.0.0.0' && isIP(mapped) === 4) return mapped;
    return announcements.length > 0 && announcements.every(({ host }) => isLoopbackHost(host)) ? '127.0.0.1' : null;
  }
}
