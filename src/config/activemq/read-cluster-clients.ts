import { beanOf, booleanOf, textOf } from './bean-values.ts';
import type { Bean } from './bind.ts';
import type { ClusterClientsModel, PublishedAddressModel } from './model.ts';
import type { Reading } from './reading.ts';
import { split } from './source-text.ts';
import { listed } from './suggestion.ts';
import { parseInteger } from './values.ts';

/** ActiveMQ's names of them, in either case. */
const STRATEGIES = { DEFAULT: 'default', IPADDRESS: 'ipAddress', HOSTNAME: 'hostName', FQDN: 'fqdn' } as const;

/** Which brokers clients of a connector are sent to when this one stops. @returns null: none */
export function readClusterClients(connector: Bean, reading: Reading): ClusterClientsModel | null {
  const filter = connector.values.get('updateClusterFilter')?.text;
  const isUpdated = booleanOf(connector, 'updateClusterClients', false);
  const brokerNames = filter === undefined ? [] : split(filter, ',').filter(({ text }) => text !== '');
  for (const name of brokerNames) {
    try {
      new RegExp(name.text);
    } catch {
      const message = `updateClusterFilter: expected regular expressions with commas between, found "${name.text}"`;
      reading.error(name.at(0), 'updateClusterFilter', message);
    }
  }
  if (filter !== undefined && !isUpdated) {
    const { place } = connector.values.get('updateClusterFilter')!;
    reading.warn(place, 'updateClusterFilter', 'updateClusterFilter has no effect without updateClusterClients="true"');
  }
  return isUpdated ? { brokerNames: brokerNames.map(({ text }) => text) } : null;
}

/** Where others are told to find a connector. */
export function readPublishedAddress(connector: Bean, reading: Reading): PublishedAddressModel {
  const policy = beanOf(connector, 'publishedAddressPolicy');
  if (policy === undefined) return { hostStrategy: 'default', hosts: {}, ports: {} };
  const hosts: Record<string, string> = {};
  for (const { key, values } of policy.maps.get('hostMapping') ?? []) hosts[key.text.trim()] = values[0]!.text.trim();
  const ports: Record<string, number> = {};
  for (const { key, values } of policy.maps.get('portMapping') ?? []) {
    const [from, to] = [key, values[0]!].map((text) => {
      const parsed = parseInteger(text.text, 1, 65_535);
      if ('problem' in parsed) reading.error(text.at(0), 'portMapping', `portMapping: ${parsed.problem}`);
      return 'problem' in parsed ? 0 : Number(parsed.value);
    });
    ports[from!] = to!;
  }
  return { hostStrategy: readStrategy(policy, reading), hosts, ports };
}

function readStrategy(policy: Bean, reading: Reading): PublishedAddressModel['hostStrategy'] {
  const word = textOf(policy, 'publishedHostStrategy', 'DEFAULT').toUpperCase();
  if (Object.hasOwn(STRATEGIES, word)) return STRATEGIES[word as keyof typeof STRATEGIES];
  const expected = listed(Object.keys(STRATEGIES), 'or');
  const { text } = policy.values.get('publishedHostStrategy')!;
  reading.error(text.at(0), 'publishedHostStrategy', `publishedHostStrategy: expected ${expected}, found "${text.text}"`);
  return 'default';
}
