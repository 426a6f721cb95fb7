import { booleanOf, defaultNumber, numberOf, textOf } from './bean-values.ts';
import type { Bean } from './bind.ts';
import type { DestinationModel, NetworkConnectorModel } from './model.ts';
import { readDestinations } from './read-destinations.ts';
import { readDiscovery } from './read-discovery.ts';
import type { Reading } from './reading.ts';
import { trimmed } from './source-text.ts';

/** ActiveMQ's name of a network connector that has none. */
const DEFAULT_NAME = 'NC';

/** The links a broker keeps. Every one gets a name of its own, since names are part of client ids. */
export function readNetworkConnectors(beans: readonly Bean[], reading: Reading): NetworkConnectorModel[] {
  const connectors: NetworkConnectorModel[] = [];
  const byName = new Map<string, NetworkConnectorModel>();
  /** The last number that was put behind each name. */
  const numbers = new Map<string, number>();
  for (const bean of beans) {
    const connector = readNetworkConnector(bean, reading);
    if (connector === null) continue;
    const sameName = byName.get(connector.name);
    let number = numbers.get(connector.name) ?? 1;
    let name = connector.name;
    while (byName.has(name)) name = `${connector.name}-${++number}`;
    numbers.set(connector.name, number);
    if (sameName !== undefined) {
      const message = `the network connector of line ${sameName.place.line} has the name ${connector.name} too, and names must differ: this one is read as ${name}`;
      reading.warn(bean.values.get('name')?.place ?? bean.place, 'name', message);
    }
    const named = { ...connector, name };
    byName.set(name, named);
    connectors.push(named);
  }
  return connectors;
}

function readNetworkConnector(bean: Bean, reading: Reading): NetworkConnectorModel | null {
  const uriValue = bean.values.get('uri');
  if (uriValue === undefined) {
    const message = '<networkConnector> needs a uri, such as uri="static:(tcp://host:61616)" or uri="multicast://default"';
    reading.error(bean.place, 'networkConnector', message);
    return null;
  }
  const uri = trimmed(uriValue.text);
  const discovery = readDiscovery(uri, reading);
  const duplex = bean.values.get('duplex')?.value;
  const prefetchSize = numberOf(bean, 'prefetchSize', defaultNumber('networkConnector', 'prefetchSize'));
  if (prefetchSize < 1) {
    reading.error(bean.values.get('prefetchSize')!.text.at(0), 'prefetchSize', `prefetchSize: expected at least 1, found ${prefetchSize}`);
  }
  if (!booleanOf(bean, 'conduitSubscriptions', true)) {
    const message =
      'conduitSubscriptions="false" has no effect: a message crosses a link once, however many subscribe; in ActiveMQ subscribers to topics would get copies';
    reading.warn(bean.values.get('conduitSubscriptions')!.place, 'conduitSubscriptions', message);
  }
  const networkTTL = numberOf(bean, 'networkTTL', defaultNumber('networkConnector', 'networkTTL'));
  const destinations = (property: string): DestinationModel[] => readDestinations(bean.beans.get(property)?.items ?? [], reading);
  const model = {
    place: bean.place,
    name: textOf(bean, 'name', DEFAULT_NAME),
    uri: uri.text,
    duplex: typeof duplex === 'boolean' ? duplex : null,
    messageTTL: numberOf(bean, 'messageTTL', networkTTL),
    consumerTTL: numberOf(bean, 'consumerTTL', networkTTL),
    prefetchSize,
    userName: bean.values.get('userName')?.text.text ?? null,
    password: bean.values.get('password')?.text.text ?? null,
    staticBridge: booleanOf(bean, 'staticBridge', false),
    dynamicallyIncludedDestinations: destinations('dynamicallyIncludedDestinations'),
    staticallyIncludedDestinations: destinations('staticallyIncludedDestinations'),
    excludedDestinations: destinations('excludedDestinations'),
  };
  return discovery === null ? null : { ...model, discovery };
}
