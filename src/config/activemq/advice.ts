import type { Diagnostic, Severity } from '../diagnostic.ts';
import type { BrokerModel, BrokerSource, Place, UsageModel } from './model.ts';
import { SCHEMES } from './schemes.ts';

/** A broker's file, as read, and the disk its store is on. */
export interface AdvisedBroker {
  readonly model: BrokerModel;
  readonly source: BrokerSource;
  /** null: not known. */
  readonly disk: { readonly totalBytes: number; readonly freeBytes: number } | null;
}

export interface AdviceOptions {
  /** Bytes this process may use; null: not known. */
  readonly memoryBytes: number | null;
  /** Servers of balancers read together with the brokers. */
  readonly balancerServers: readonly BalancerServer[];
}

export interface BalancerServer {
  readonly place: { readonly file: string; readonly line: number };
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

/**
 * What is right by the letter in brokers' files and likely not what their author wants, with what to do about it.
 *
 * What files mean for each other (equal names, links, a store folder in two files, connection limits) is judged where
 * they are put together, which knows what their addresses stand for; a link is judged here when its file is alone.
 */
export function adviseBrokers(brokers: readonly AdvisedBroker[], options: AdviceOptions): Diagnostic[] {
  return brokers.flatMap((broker) => [
    ...adviseBeans(broker),
    ...(brokers.length === 1 ? adviseLinks(broker) : []),
    ...adviseMulticast(broker),
    ...adviseLogins(broker),
    ...adviseLimits(broker, options.memoryBytes),
    ...adviseManagement(broker),
    ...adviseOpenListeners(broker),
    ...adviseClientAddresses(broker, options.balancerServers),
  ]);
}

/** A bean that ActiveMQ dropped, and with which it no longer starts. */
function adviseBeans({ source }: AdvisedBroker): Diagnostic[] {
  return source.beans
    .filter(({ className }) => /\.Log4jLogQuery$/.test(className))
    .map(({ place, className }) =>
      say(
        'note',
        place,
        className,
        `ActiveMQ 5.17 and later do not start with this bean, since its class is gone; here it does no harm: remove it before the file is used there`,
      ),
    );
}

function adviseLinks({ model }: AdvisedBroker): Diagnostic[] {
  return model.networkConnectors
    .filter(({ duplex }) => duplex !== true)
    .map(({ place, duplex }) =>
      duplex === null
        ? say(
            'note',
            place,
            'networkConnector',
            'ActiveMQ forwards one way over this link, from this broker to the other; between Roundhouse brokers it forwards both ways: write duplex="false" where one way is meant',
          )
        : say(
            'note',
            place,
            'duplex',
            'duplex="false": what is published at the other broker does not come here, unless that one has a network connector back',
          ),
    );
}

/** Multicast finds whoever is there. */
function adviseMulticast({ model }: AdvisedBroker): Diagnostic[] {
  const notes: Diagnostic[] = [];
  for (const { place, discovery } of model.networkConnectors) {
    if (discovery.kind !== 'multicast') continue;
    const { group } = discovery.multicast;
    const message = `links with every broker on this network that announces itself in the group "${group}", without a password; to link with brokers you know, write uri="static:(tcp://host:61616)"`;
    notes.push(say('note', place, 'uri', message));
  }
  for (const { place, name, discovery } of model.transportConnectors) {
    if (discovery === null || asksForPasswords(model)) continue;
    const message = `connector ${name} is announced to the group "${discovery.group}": every broker on this network that looks there links with it, without a password; remove discoveryUri where neighbours list this broker in static:(...)`;
    notes.push(say('note', place, 'discoveryUri', message));
  }
  return notes;
}

/** Limits beyond the machine, which are lowered. */
function adviseLimits({ model, source, disk }: AdvisedBroker, memoryBytes: number | null): Diagnostic[] {
  const { memoryUsage, storeUsage, tempUsage } = model.systemUsage;
  const { places } = source;
  const warnings: Diagnostic[] = [];
  const check = (name: string, place: Place, limit: number | null, available: number, what: string, lowered = 'that') => {
    if (limit === null || limit <= available) return;
    const message = `the limit of ${formatBytes(limit)} is more than the ${formatBytes(available)} ${what}, and will be lowered to ${lowered}: write a smaller one`;
    warnings.push(say('warning', place, name, message));
  };
  if (memoryBytes !== null)
    check('memoryUsage', places.memoryUsage, memoryUsage.limitBytes, memoryBytes, 'of memory there are', '70 % of that');
  if (disk === null) return warnings;
  const where = `free at ${model.persistenceAdapter.directory === '' ? model.dataDirectory : model.persistenceAdapter.directory}`;
  const limitOf = ({ limitBytes, percentLimit }: UsageModel) =>
    percentLimit === null ? limitBytes : Math.floor((disk.totalBytes / 100) * percentLimit);
  if (model.persistenceAdapter.kind !== 'memory') check('storeUsage', places.storeUsage, limitOf(storeUsage), disk.freeBytes, where);
  check('tempUsage', places.tempUsage, limitOf(tempUsage), disk.freeBytes, where);
  return warnings;
}

/** No way to look inside is in the file. */
function adviseManagement({ source }: AdvisedBroker): Diagnostic[] {
  const { managementContext, places } = source;
  if (managementContext?.createConnector === true) return [];
  const why = managementContext === null ? 'no <managementContext>' : 'createConnector="false"';
  const message = `nothing in this file lets tools look into the broker (${why}, and no web console); connections and traffic are on the balancer's statistics page`;
  return [say('note', managementContext?.place ?? places.broker, 'managementContext', message)];
}

/** Links of a broker that asks for passwords, whose neighbours will do so too. */
function adviseLogins({ model }: AdvisedBroker): Diagnostic[] {
  if (!asksForPasswords(model)) return [];
  return model.networkConnectors
    .filter(({ userName }) => userName === null)
    .map(({ place, name }) => {
      const message = `the link ${name} does not log in: a neighbour that asks for a password, as this broker does, refuses it; write userName="..." password="..."`;
      return say('note', place, 'userName', message);
    });
}

function asksForPasswords({ authentication }: BrokerModel): boolean {
  return authentication !== null && authentication.anonymous === null;
}

/** Ports that are open to all and ask for no password. */
function adviseOpenListeners({ model }: AdvisedBroker): Diagnostic[] {
  if (asksForPasswords(model)) return [];
  return model.transportConnectors
    .filter(({ host, tls }) => (host === '0.0.0.0' || host === '::') && tls?.clientAuth !== 'need')
    .map(({ place, name, host, scheme, port }) => {
      const can = SCHEMES[scheme]?.protocol === 'openwire' ? 'link a broker to this one' : 'read and publish everything';
      const message = `connector ${name} listens on every address of this machine and asks for no password: whoever reaches port ${port} can ${can}; give it an inner address (${scheme}://127.0.0.1:${port}), run with --map-address ${host}=127.0.0.1, or keep the port behind a firewall`;
      return say('warning', place, 'uri', message);
    });
}

/** Behind a balancer all clients come from its address. */
function adviseClientAddresses({ model }: AdvisedBroker, servers: readonly BalancerServer[]): Diagnostic[] {
  return model.transportConnectors.flatMap((connector) => {
    const isAnyAddress = connector.host === '0.0.0.0' || connector.host === '::';
    const server = servers.find(({ host, port }) => port === connector.port && port !== 0 && (isAnyAddress || host === connector.host));
    if (server === undefined) return [];
    const message = `clients of connector ${connector.name} that come through server ${server.name} (${server.place.file}:${server.place.line}) are logged with the balancer's address, since it has no PROXY protocol to tell theirs; the balancer's own log has them`;
    return [say('note', connector.place, 'transportConnector', message)];
  });
}

/** `100 GB`, `72.4 GB`, in powers of 1024 as ActiveMQ counts. */
function formatBytes(bytes: number): string {
  const units = ['bytes', 'KB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number(value.toFixed(1))} ${units[unit]}`;
}

function say(severity: Severity, place: Place, keyword: string, message: string): Diagnostic {
  return { severity, file: place.file, line: place.line, column: place.column, keyword, message };
}
