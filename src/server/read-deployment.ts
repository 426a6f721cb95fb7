import { isIP } from 'node:net';
import { basename, extname, join, relative, resolve } from 'node:path';
import { adviseBrokers } from '../config/activemq/advice.ts';
import { readActiveMQ } from '../config/activemq/read.ts';
import type { Diagnostic } from '../config/diagnostic.ts';
import { adviseHAProxy } from '../config/haproxy/advice.ts';
import { type HostLookup, loadHAProxy, systemLookup } from '../config/haproxy/load.ts';
import type { ProxyModel } from '../config/haproxy/model.ts';
import { createAddressMap, type MapAddress } from './address-map.ts';
import { readConfigurationFile, readPropertiesFile } from './configuration-file.ts';
import { type BalancerUnit, type BrokerUnit, type Deployment, listenAddresses, type Unit, uniqueNames } from './deployment.ts';
import { adviseDeployment, adviseOpenFiles, adviseSessions, connectorOf } from './deployment-advice.ts';
import { readFileLimits } from './limit-options.ts';
import { findCollisions } from './listen-address.ts';
import { diskSpace, openFileLimit, usableMemoryBytes } from './machine.ts';
import type { ReadOptions } from './run-options.ts';

/** What file endings mean; `roundhouse broker` and `roundhouse balancer` take any. */
const KINDS: readonly { readonly ending: string; readonly kind: Unit['kind'] }[] = [
  { ending: '.xml', kind: 'broker' },
  { ending: '.cfg', kind: 'balancer' },
];

/** A configuration that is in no file; `file` is what messages call it. */
export interface InlineFile {
  readonly file: string;
  readonly text: string;
}

/**
 * Reads files that are to run together, and says all that there is to say about them.
 *
 * @param kind what all files are, whatever their names end in
 */
export async function readDeployment(
  sources: readonly (string | InlineFile)[],
  options: ReadOptions,
  kind: Unit['kind'] | null = null,
): Promise<Deployment> {
  const files = sources.map((source) => (typeof source === 'string' ? source : source.file));
  const diagnostics: Diagnostic[] = [];
  const units: Unit[] = [];
  const mapAddress = createAddressMap(options.addressPairs);
  const names = uniqueNames(files);
  const seen = new Map<string, string>();
  for (const [i, file] of files.entries()) {
    const fileKind = kind ?? KINDS.find(({ ending }) => file.toLowerCase().endsWith(ending))?.kind;
    if (fileKind === undefined) {
      diagnostics.push(ofFile('error', file, 'expected a name that ends in .xml (a broker) or .cfg (a balancer)'));
      continue;
    }
    const path = resolve(file);
    if (seen.has(path)) {
      diagnostics.push(ofFile('error', file, `given twice, first as ${seen.get(path)}`));
      continue;
    }
    seen.set(path, file);
    const source = sources[i]!;
    const { bytes, problem } =
      typeof source === 'string' ? readConfigurationFile(source) : { bytes: Buffer.from(source.text), problem: null };
    if (problem !== null) {
      diagnostics.push(ofFile('error', file, problem));
      continue;
    }
    const name = names[i]!;
    const unit =
      fileKind === 'broker'
        ? readBroker(file, name, bytes, options, diagnostics)
        : await readBalancer(file, name, bytes, mapAddress, diagnostics);
    if (unit !== null) units.push(unit);
  }
  const divided = divideStoreFolders(units, diagnostics);
  const addresses = divided.flatMap((unit) => listenAddresses(unit, mapAddress));
  diagnostics.push(
    ...(await findCollisions(addresses)),
    ...(await adviseOnThisMachine(divided, mapAddress)),
    ...adviseDeployment(divided, mapAddress),
  );
  return { units: divided, diagnostics };
}

function readBroker(file: string, name: string, bytes: Buffer, options: ReadOptions, diagnostics: Diagnostic[]): BrokerUnit | null {
  const {
    model,
    source,
    diagnostics: found,
  } = readActiveMQ(bytes, file, {
    defines: options.definitions,
    env: process.env,
    readFile: readPropertiesFile,
    dataDirectoryDefault: resolve('data', basename(file, extname(file))),
  });
  diagnostics.push(...found);
  if (model === null || source === null) return null;
  const fromFile = readFileLimits(source.settings);
  diagnostics.push(...fromFile.diagnostics);
  return { kind: 'broker', name, file, model, source, limits: { ...fromFile.limits, ...options.limits } };
}

/** Names are resolved as the balancer will use them: an address that stands in for a name is looked up in its place. */
async function readBalancer(
  file: string,
  name: string,
  bytes: Buffer,
  mapAddress: MapAddress,
  diagnostics: Diagnostic[],
): Promise<BalancerUnit | null> {
  const lookup: HostLookup = async (host, version) => {
    const mapped = mapAddress(host);
    return isIP(mapped) === 0 ? systemLookup(mapped, version) : mapped;
  };
  const { model, hasListener, diagnostics: found } = await loadHAProxy([{ file, text: bytes }], { lookup });
  diagnostics.push(...found);
  if (model === null) return null;
  if (hasListener) return { kind: 'balancer', name, file, model };
  diagnostics.push(ofFile('error', file, "nothing in it listens: expected a frontend or listen section with a 'bind' line"));
  return null;
}

/** What each file means on this machine: its disks, its memory, its open files, with the addresses that will be used. */
async function adviseOnThisMachine(units: readonly Unit[], mapAddress: MapAddress): Promise<Diagnostic[]> {
  const openFiles = await openFileLimit();
  const brokers = units.filter((unit) => unit.kind === 'broker');
  const balancers = units.filter((unit) => unit.kind === 'balancer').map(({ model }) => withAddresses(model, mapAddress));
  const balancerServers = balancers.flatMap(({ proxies }) => proxies.flatMap(({ servers }) => servers));
  const connectors = balancerServers.flatMap((server) => {
    const connector = connectorOf(server, brokers, mapAddress);
    return connector === null ? [] : [{ host: server.host, port: server.port, maximumConnections: connector.maximumConnections }];
  });
  const advised = await Promise.all(
    brokers.map(async ({ model, source }) => ({
      model: {
        ...model,
        transportConnectors: model.transportConnectors.map((connector) =>
          connector.socketFile === null ? { ...connector, host: mapAddress(connector.host) } : connector,
        ),
      },
      source,
      disk: await diskSpace(model.persistenceAdapter.directory || model.dataDirectory),
    })),
  );
  return [
    ...adviseBrokers(advised, { memoryBytes: usableMemoryBytes(), balancerServers }),
    ...adviseOpenFiles(brokers, openFiles),
    ...adviseSessions(brokers),
    ...balancers.flatMap((model) => adviseHAProxy(model, { openFilesLimit: openFiles, connectors })),
  ];
}

function withAddresses(model: ProxyModel, mapAddress: MapAddress): ProxyModel {
  const mapped = <T extends { readonly host: string }>(place: T): T => ({ ...place, host: mapAddress(place.host) });
  return {
    ...model,
    proxies: model.proxies.map((proxy) => ({ ...proxy, binds: proxy.binds.map(mapped), servers: proxy.servers.map(mapped) })),
  };
}

/**
 * Where two brokers would keep their store in one folder, each gets a sub-folder of it, called by its name: on one machine one path may
 * well stand in two files that were written for two machines, or be given to all with -D activemq.data.
 */
function divideStoreFolders(units: readonly Unit[], diagnostics: Diagnostic[]): Unit[] {
  const storeOf = (unit: Unit) =>
    unit.kind === 'broker' && unit.model.persistenceAdapter.kind !== 'memory' ? unit.model.persistenceAdapter.directory : null;
  return units.map((unit) => {
    const directory = storeOf(unit);
    if (unit.kind !== 'broker' || directory === null || units.every((other) => other === unit || storeOf(other) !== directory)) return unit;
    const { dataDirectory, persistenceAdapter } = unit.model;
    const below = relative(dataDirectory, directory);
    const isBelow = below !== '' && !below.startsWith('..');
    const divided = join(isBelow ? dataDirectory : directory, unit.name);
    const store = isBelow ? join(divided, below) : divided;
    diagnostics.push({
      severity: 'warning',
      ...unit.source.places.persistenceAdapter,
      keyword: 'persistenceAdapter',
      message: `another of these brokers keeps its store in ${directory}, too: each gets a sub-folder of its own, this one ${store}`,
    });
    const model = {
      ...unit.model,
      dataDirectory: isBelow ? divided : dataDirectory,
      persistenceAdapter: { ...persistenceAdapter, directory: store },
    };
    return { ...unit, model };
  });
}

function ofFile(severity: Diagnostic['severity'], file: string, message: string): Diagnostic {
  return { severity, file, line: 0, column: 0, keyword: '', message };
}
