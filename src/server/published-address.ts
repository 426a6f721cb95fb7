import { lookup, lookupService } from 'node:dns/promises';
import { hostname } from 'node:os';
import { isEveryAddress, publishedHost } from '../cluster/discovery/local-address.ts';
import type { PublishedAddressModel } from '../config/activemq/model.ts';

/** How long a name server may take to say what the machine or one of its addresses is called, in milliseconds. */
const LOOKUP_MS = 3_000;

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/**
 * Where others find a connector, as its publishedAddressPolicy says.
 *
 * @param bound where it listens
 */
export async function publishedAddress(policy: PublishedAddressModel, bound: HostAndPort): Promise<HostAndPort> {
  const { hosts, ports } = policy;
  const host = await hostBy(policy.hostStrategy, bound);
  // Files written for ActiveMQ name what it calls a connector at every address: the machine.
  const names = [host, ...(isEveryAddress(bound.host) ? [hostname()] : []), bound.host];
  const mapped = names.find((name) => Object.hasOwn(hosts, name));
  return {
    host: mapped === undefined ? host : hosts[mapped]!,
    port: Object.hasOwn(ports, bound.port) ? ports[bound.port]! : bound.port,
  };
}

/** What name servers do not tell, or not in time, is published as it is. */
async function hostBy(strategy: PublishedAddressModel['hostStrategy'], { host, port }: HostAndPort): Promise<string> {
  const address = publishedHost(host);
  switch (strategy) {
    case 'default':
      return address;
    case 'ipAddress':
      return inTime(addressOf(address), address);
    case 'hostName':
      return isEveryAddress(host) ? hostname() : inTime(nameOf(address, port), address);
    case 'fqdn':
      return isEveryAddress(host) ? inTime(nameOf(hostname(), port), hostname()) : inTime(nameOf(address, port), address);
  }
}

async function addressOf(host: string): Promise<string> {
  return (await lookup(host)).address;
}

async function nameOf(host: string, port: number): Promise<string> {
  return (await lookupService(await addressOf(host), port)).hostname;
}

async function inTime(answer: Promise<string>, otherwise: string): Promise<string> {
  let timer: NodeJS.Timeout | null = null;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, LOOKUP_MS, otherwise);
  });
  const found = await Promise.race([answer.catch(() => otherwise), late]);
  clearTimeout(timer!);
  return found;
}
