import type { NetworkConnectorModel, TransportConnectorModel } from '../config/activemq/model.ts';
import type { Diagnostic, Severity } from '../config/diagnostic.ts';
import { limitsWith } from '../core/limits.ts';
import type { MapAddress } from './address-map.ts';
import type { BalancerUnit, BrokerUnit, Unit } from './deployment.ts';
import { formatAddress } from './listen-address.ts';

/** Listening sockets, links, logs, the store, and what Node itself holds open, in descriptors. */
const DESCRIPTORS_RESERVED = 64;

/** `maximumConnections` of a connector that does not say: ActiveMQ's, as good as none. */
const CONNECTIONS_UNLIMITED = 2_147_483_647;

/** What there is to say about files that are to run together: each of these is right alone. */
export function adviseDeployment(units: readonly Unit[], mapAddress: MapAddress): Diagnostic[] {
  const brokers = units.filter((unit) => unit.kind === 'broker');
  const balancers = units.filter((unit) => unit.kind === 'balancer');
  return [
    ...adviseEqualNames(brokers),
    ...adviseLinks(brokers, mapAddress),
    ...balancers.flatMap((balancer) => adviseServers(balancer, brokers, mapAddress)),
  ];
}

/** Brokers of one name: harmless here, and a nuisance. */
export function adviseEqualNames(brokers: readonly BrokerUnit[]): Diagnostic[] {
  const first = new Map<string, BrokerUnit>();
  const notes: Diagnostic[] = [];
  for (const broker of brokers) {
    const { brokerName } = broker.model;
    const namesake = first.get(brokerName);
    if (namesake === undefined) first.set(brokerName, broker);
    else {
      notes.push(
        say(
          'note',
          broker.source.places.brokerName,
          'brokerName',
          `brokerName "${brokerName}" is also that of ${namesake.file}: nothing breaks, since brokers know each other by an id made at each start, but a name of its own would tell them apart in logs`,
        ),
      );
    }
  }
  return notes;
}

/** Which brokers reach which: links that go one way, and brokers that no link reaches. */
export function adviseLinks(brokers: readonly BrokerUnit[], mapAddress: MapAddress): Diagnostic[] {
  const advice: Diagnostic[] = [];
  const linked = new Map<BrokerUnit, Set<BrokerUnit>>(brokers.map((broker) => [broker, new Set([broker])]));
  for (const from of brokers) {
    for (const connector of from.model.networkConnectors) {
      for (const to of brokers) {
        if (to === from || !leadsTo(connector, to, mapAddress)) continue;
        linked.get(from)!.add(to);
        linked.get(to)!.add(from);
        const hasWayBack = to.model.networkConnectors.some((back) => leadsTo(back, from, mapAddress));
        if (hasWayBack || connector.duplex === true) continue;
        advice.push(
          connector.duplex === false
            ? say(
                'warning',
                connector.place,
                'networkConnector',
                `duplex="false" and ${to.file} has no networkConnector back: what is published at ${to.name} does not reach subscribers at ${from.name}`,
              )
            : say(
                'note',
                connector.place,
                'networkConnector',
                `${connector.uri} is the only link between ${from.name} and ${to.name}: ActiveMQ would forward one way over it, from ${from.name}; between Roundhouse brokers it forwards both ways unless it says duplex="false"`,
              ),
        );
      }
    }
  }
  const [root] = brokers;
  if (root === undefined) return advice;
  const reached = reachable(root, linked);
  for (const broker of brokers) {
    if (reached.has(broker)) continue;
    advice.push(
      say(
        'warning',
        broker.source.places.broker,
        'networkConnectors',
        `no networkConnector links ${broker.name} with ${root.name}: what is published at one does not reach subscribers at the other`,
      ),
    );
  }
  return advice;
}

/** A balancer's servers beside the brokers that they are. */
export function adviseServers(balancer: BalancerUnit, brokers: readonly BrokerUnit[], mapAddress: MapAddress): Diagnostic[] {
  const advice: Diagnostic[] = [];
  for (const { servers } of balancer.model.proxies) {
    const found = servers.map((server) => ({ server, connector: connectorOf(server, brokers, mapAddress) }));
    const someAreOurs = found.some(({ connector }) => connector !== null);
    for (const { server, connector } of found) {
      const address = formatAddress(mapAddress(server.host), server.port);
      if (connector === null) {
        if (!someAreOurs || server.port === 0) continue;
        const message = `server ${server.name} is at ${address}, where no broker of these files listens`;
        advice.push(say('warning', server.place, 'server', message));
      } else if (server.maxconn > connector.maximumConnections) {
        const { maximumConnections, place } = connector;
        const message = `server ${server.name} may get ${server.maxconn} connections, but its connector closes those beyond maximumConnections=${maximumConnections} (${place.file}:${place.line}): clients would lose them instead of waiting`;
        advice.push(say('warning', server.place, 'maxconn', message));
      }
    }
  }
  return advice;
}

/** Connections that a broker's connectors allow and the machine does not. `limit` is in descriptors for a process; null: not known. */
export function adviseOpenFiles(brokers: readonly BrokerUnit[], limit: number | null): Diagnostic[] {
  const advice: Diagnostic[] = [];
  for (const { model } of brokers) {
    const connectors = model.transportConnectors.filter(({ maximumConnections }) => maximumConnections < CONNECTIONS_UNLIMITED);
    const allowed = connectors.reduce((sum, { maximumConnections }) => sum + maximumConnections, 0);
    if (limit === null || connectors.length === 0 || allowed + DESCRIPTORS_RESERVED <= limit) continue;
    const largest = connectors.reduce((a, b) => (b.maximumConnections > a.maximumConnections ? b : a));
    const message = `maximumConnections of this broker's connectors add up to ${allowed}, but a process may have ${limit} files and connections open here: raise the limit (ulimit -n), or lower maximumConnections so that clients are refused in good order`;
    advice.push(say('warning', largest.place, 'maximumConnections', message));
  }
  return advice;
}

/** Connectors that let in more clients than there can be sessions. */
export function adviseSessions(brokers: readonly BrokerUnit[]): Diagnostic[] {
  return brokers.flatMap(({ model, limits }) => {
    const { sessions } = limitsWith(limits);
    return model.transportConnectors
      .filter(({ scheme, maximumConnections }) => scheme.startsWith('mqtt') && maximumConnections < CONNECTIONS_UNLIMITED)
      .filter(({ maximumConnections }) => maximumConnections > sessions)
      .map(({ place, name, maximumConnections }) =>
        say(
          'warning',
          place,
          'maximumConnections',
          `connector ${name} takes ${maximumConnections} clients, but there can be ${sessions} sessions: the others are refused (--limit sessions=...)`,
        ),
      );
  });
}

function leadsTo({ discovery }: NetworkConnectorModel, to: BrokerUnit, mapAddress: MapAddress): boolean {
  if (discovery.kind === 'static')
    return discovery.uris.some((uri) => to.model.transportConnectors.some((connector) => answers(connector, uri, mapAddress)));
  const { address, port, group } = discovery.multicast;
  return to.model.transportConnectors.some(
    ({ discovery: announced }) =>
      announced !== null && announced.address === address && announced.port === port && announced.group === group,
  );
}

/** The connector that a balancer's server is; null when it is none of these brokers'. */
export function connectorOf(
  server: { readonly host: string; readonly port: number },
  brokers: readonly BrokerUnit[],
  mapAddress: MapAddress,
): TransportConnectorModel | null {
  for (const { model } of brokers) {
    const connector = model.transportConnectors.find((candidate) => answers(candidate, server, mapAddress));
    if (connector !== undefined) return connector;
  }
  return null;
}

/** Whether who dials `dialled` reaches the connector, as far as can be told without asking the network. */
function answers(connector: TransportConnectorModel, dialled: { host: string; port: number }, mapAddress: MapAddress): boolean {
  if (connector.port !== dialled.port || connector.port === 0) return false;
  const listening = canonical(mapAddress(connector.host));
  return listening === '0.0.0.0' || listening === '::' || listening === canonical(mapAddress(dialled.host));
}

function canonical(host: string): string {
  const name = host.toLowerCase();
  return name === 'localhost' || name === '::1' ? '127.0.0.1' : name;
}

function reachable(root: BrokerUnit, linked: ReadonlyMap<BrokerUnit, ReadonlySet<BrokerUnit>>): Set<BrokerUnit> {
  const reached = new Set([root]);
  for (const broker of reached) for (const next of linked.get(broker)!) reached.add(next); // a Set is walked on into what is added meanwhile
  return reached;
}

function say(severity: Severity, place: { file: string; line: number; column?: number }, keyword: string, message: string): Diagnostic {
  return { severity, file: place.file, line: place.line, column: place.column ?? 0, keyword, message };
}
