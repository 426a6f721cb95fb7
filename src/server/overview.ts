import type { MapAddress } from './address-map.ts';
import type { BalancerUnit, BrokerUnit, Unit } from './deployment.ts';
import { listeningBinds } from './deployment.ts';
import { formatAddress } from './listen-address.ts';

/** What runs, for the screen. */
export interface RunningUnit {
  readonly unit: Unit;
  readonly pid: number | null;
}

/** Where an MQTT client can connect. */
interface Entrance {
  readonly host: string;
  readonly port: number;
}

/**
 * What is where, and how to try it:
 *
 *     activemq-1  broker "broker2", process 4242
 *                 mqtt       127.0.0.1:1883
 *                 openwire   127.0.0.1:61616
 *                 store      /srv/data/activemq-1/kahadb
 */
export function renderOverview(running: readonly RunningUnit[], mapAddress: MapAddress): string {
  const width = Math.max(...running.map(({ unit }) => unit.name.length));
  const blocks = running.map(({ unit, pid }) => {
    const [title, rows] = unit.kind === 'broker' ? describeBroker(unit, mapAddress) : describeBalancer(unit, mapAddress);
    const labels = Math.max(...rows.map(([label]) => label.length));
    const process = pid === null ? '' : `, process ${pid}`;
    return [
      `  ${unit.name.padEnd(width)}  ${title}${process}`,
      ...rows.map(([label, text]) => `  ${' '.repeat(width)}  ${label.padEnd(labels)}  ${text}`),
    ].join('\n');
  });
  const lines = howToTry(running, mapAddress);
  return `\n${blocks.join('\n\n')}\n${lines.length === 0 ? '' : `\n  Try it, in two terminals:\n${lines.map((line) => `    ${line}`).join('\n')}\n`}\n  Ctrl-C stops everything.\n\n`;
}

type Row = readonly [label: string, text: string];

function describeBroker({ model }: BrokerUnit, mapAddress: MapAddress): [string, Row[]] {
  const rows: Row[] = model.transportConnectors.map((connector) => [
    connector.name === connector.scheme ? connector.name : `${connector.name} (${connector.scheme})`,
    connector.socketFile?.path ?? formatAddress(mapAddress(connector.host), connector.port),
  ]);
  rows.push(['store', model.persistenceAdapter.kind === 'memory' ? 'in memory' : model.persistenceAdapter.directory]);
  return [`broker "${model.brokerName}"`, rows];
}

function describeBalancer({ model }: BalancerUnit, mapAddress: MapAddress): [string, Row[]] {
  const rows: Row[] = [];
  for (const { proxy, bind } of listeningBinds(model)) {
    const address = formatAddress(mapAddress(bind.host), bind.port);
    if (proxy.stats !== null) {
      const users = proxy.stats.auth.map(({ user }) => user).join(', ');
      rows.push([
        proxy.name,
        `statistics: http://${formatAddress(reachable(mapAddress(bind.host)), bind.port)}${proxy.stats.uri}${users === '' ? '' : ` (user ${users})`}`,
      ]);
    } else {
      const backend = model.proxies.find(({ name, kind }) => kind !== 'frontend' && name === proxy.defaultBackend);
      const servers = (backend?.servers ?? []).map(({ host, port }) => formatAddress(mapAddress(host), port === 0 ? bind.port : port));
      rows.push([proxy.name, servers.length === 0 ? address : `${address} -> ${servers.join(', ')}`]);
    }
  }
  return ['balancer', rows];
}

/** Lines that can be pasted into a shell: through a balancer where there is one, else across brokers. */
function howToTry(running: readonly RunningUnit[], mapAddress: MapAddress): string[] {
  const brokers = running.map(({ unit }) => unit).filter((unit) => unit.kind === 'broker');
  const balancers = running.map(({ unit }) => unit).filter((unit) => unit.kind === 'balancer');
  const direct = brokers.flatMap((unit) => mqttEntrances(unit, mapAddress).slice(0, 1));
  const balanced = balancers.flatMap((unit) => balancedEntrances(unit, mapAddress));
  const [subscribe, publish] = balanced.length > 0 ? [balanced[0]!, balanced[0]!] : [direct[0], direct[1] ?? direct[0]];
  if (subscribe === undefined || publish === undefined) return [];
  return [
    `mosquitto_sub -h ${subscribe.host} -p ${subscribe.port} -v -q 1 -t 'demo/#'`,
    `mosquitto_pub -h ${publish.host} -p ${publish.port} -q 1 -t demo/hello -m 'It works'`,
  ];
}

function mqttEntrances({ model }: BrokerUnit, mapAddress: MapAddress): Entrance[] {
  return model.transportConnectors
    .filter(({ socketFile, tls }) => socketFile === null && tls === null)
    .filter(({ scheme, detection }) => scheme.startsWith('mqtt') || detection?.protocols.some(({ name }) => name === 'mqtt') === true)
    .map(({ host, port }) => ({ host: reachable(mapAddress(host)), port }));
}

/** Frontends in tcp mode that have servers behind them. */
function balancedEntrances({ model }: BalancerUnit, mapAddress: MapAddress): Entrance[] {
  return listeningBinds(model)
    .filter(({ proxy }) => proxy.mode === 'tcp' && proxy.defaultBackend !== null)
    .map(({ bind }) => ({ host: reachable(mapAddress(bind.host)), port: bind.port }));
}

/** An address that a client on this machine can use. */
function reachable(host: string): string {
  if (host === '' || host === '*' || host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}
