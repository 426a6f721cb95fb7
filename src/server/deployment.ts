import type { BrokerModel, BrokerSource } from '../config/activemq/model.ts';
import type { Diagnostic } from '../config/diagnostic.ts';
import type { Bind, ProxyModel } from '../config/haproxy/model.ts';
import type { Limits } from '../core/limits.ts';
import type { MapAddress } from './address-map.ts';
import type { ListenAddress } from './listen-address.ts';

/** What one file asks to run. */
export type Unit = BrokerUnit | BalancerUnit;

interface UnitBase {
  /** Unique in its deployment: the file's base name, with as many folders before it as it takes. */
  readonly name: string;
  /** As the user gave it. */
  readonly file: string;
}

export interface BrokerUnit extends UnitBase {
  readonly kind: 'broker';
  readonly model: BrokerModel;
  /** Where the model comes from, for advice. */
  readonly source: BrokerSource;
  /** Those that are to differ from their defaults, in the file or in what it was read with. */
  readonly limits: Partial<Limits>;
}

export interface BalancerUnit extends UnitBase {
  readonly kind: 'balancer';
  readonly model: ProxyModel;
}

/** Files read together. */
export interface Deployment {
  /** In the order of the files; those with errors are left out. */
  readonly units: readonly Unit[];
  /** All that there is to say about the files: each alone, together, and on this machine. */
  readonly diagnostics: readonly Diagnostic[];
}

/** The addresses that a unit listens on. Unix sockets are not among them. */
export function listenAddresses(unit: Unit, mapAddress: MapAddress): ListenAddress[] {
  if (unit.kind === 'broker') {
    return unit.model.transportConnectors
      .filter(({ socketFile }) => socketFile === null)
      .map((connector) => ({
        ...connector.place,
        what: `connector "${connector.name}"`,
        host: mapAddress(connector.host),
        port: connector.port,
        v6only: false,
      }));
  }
  const addresses: ListenAddress[] = [];
  for (const { proxy, bind } of listeningBinds(unit.model)) {
    addresses.push({
      file: bind.place.file,
      line: bind.place.line,
      column: 0,
      what: `${proxy.kind} ${proxy.name}`,
      host: mapAddress(bind.host),
      port: bind.port,
      v6only: bind.v6only,
    });
  }
  return addresses;
}

/** Binds to TCP addresses of proxies that are not disabled. */
export function listeningBinds(model: ProxyModel): { proxy: ProxyModel['proxies'][number]; bind: Bind }[] {
  return model.proxies
    .filter((proxy) => !proxy.disabled)
    .flatMap((proxy) => proxy.binds.filter((bind) => bind.path === null).map((bind) => ({ proxy, bind })));
}

/**
 * Names for files, each unique: `activemq-1` for `conf/activemq-1.xml`; where two files share their base name, with the folders that tell
 * them apart (`one/activemq`).
 */
export function uniqueNames(files: readonly string[]): string[] {
  const paths = files.map((file) =>
    file
      .replaceAll('\\', '/')
      .split('/')
      .filter((part) => part !== '' && part !== '.'),
  );
  const nameWith = (path: readonly string[], parts: number) =>
    path
      .slice(-parts)
      .join('/')
      .replace(/\.[^./]+$/, '');
  return paths.map((path, i) => {
    const clashes = (parts: number) => paths.some((other, j) => i !== j && nameWith(other, parts) === nameWith(path, parts));
    let parts = 1;
    while (parts < path.length && clashes(parts)) parts++;
    return clashes(parts) ? `${nameWith(path, parts)}-${i + 1}` : nameWith(path, parts);
  });
}
