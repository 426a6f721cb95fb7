import { Balancer } from '../balancer/balancer.ts';
import type { BoundAddress } from '../balancer/listener.ts';
import type { ProxyModel } from '../config/haproxy/model.ts';
import { ConfigError } from '../errors.ts';
import type { Log } from '../telemetry/log.ts';
import type { MapAddress } from './address-map.ts';
import { formatAddress } from './listen-address.ts';
import { dropPrivileges } from './privileges.ts';
import { programVersion } from './program-version.ts';

export interface BalancerServerOptions {
  readonly log: Log;
  /** What stands in for an address that the file names. */
  readonly mapAddress?: MapAddress;
}

/** One balancer with everything that a haproxy.cfg asks for. */
export class BalancerServer {
  readonly balancer: Balancer;
  readonly #log: Log;

  constructor(model: ProxyModel, options: BalancerServerOptions) {
    this.#log = options.log;
    this.balancer = new Balancer(model, { ...options, version: programVersion() });
  }

  /** What is listened on. */
  get addresses(): BoundAddress[] {
    return this.balancer.boundAddresses();
  }

  /** @throws ConfigError with all addresses that cannot be had, in HAProxy's words; nothing stays open then */
  async start(): Promise<void> {
    await this.balancer.start();
    for (const { proxy, host, port, path } of this.addresses)
      this.#log.info('proxy listens', { proxy, address: path ?? formatAddress(host, port) });
    this.#log.info('balancer is up');
  }

  /** Ends at once, sessions too, as HAProxy does on SIGTERM: clients reconnect. */
  async stop(): Promise<void> {
    await this.balancer.stop({ hard: true });
    this.#log.info('balancer stopped');
  }
}

export async function startBalancerServer(model: ProxyModel, options: BalancerServerOptions): Promise<BalancerServer> {
  const server = new BalancerServer(model, options);
  await server.start();
  return server;
}

/**
 * The same in a process of its own, which then becomes the account that the file names (`user`, `group`, `uid`, `gid`).
 * @throws ConfigError PRIVILEGES when it cannot; nothing stays open then
 */
export async function startBalancerProcess(model: ProxyModel, options: BalancerServerOptions): Promise<BalancerServer> {
  const server = await startBalancerServer(model, options);
  const problem = dropPrivileges(model.global);
  if (problem === null) return server;
  await server.stop();
  throw new ConfigError('PRIVILEGES', problem);
}
