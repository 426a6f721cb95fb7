import { isIPv4 } from 'node:net';
import { type ConnectorUri, parseConnectorUri } from '../connector-uri.ts';
import { describe } from './dispositions.ts';
import type { MulticastModel } from './model.ts';
import { readOptions } from './option-values.ts';
import type { Reading } from './reading.ts';
import { DISCOVERY_SCHEMES, SCHEMES } from './schemes.ts';
import { type LocatedText, slice, trimmed } from './source-text.ts';
import { didYouMean } from './suggestion.ts';
import { MULTICAST_OPTIONS, NEIGHBOUR_OPTIONS, STATIC_OPTIONS } from './uri-options.ts';

/** What `multicast://default` means. OpenWire specification section 16.2. */
export const MULTICAST_DEFAULT: MulticastModel = {
  address: '239.255.2.3',
  port: 6155,
  group: 'default',
  timeToLive: 1,
  keepAliveIntervalMs: 500,
};

export interface StaticNeighbour {
  readonly host: string;
  readonly port: number;
}

/** The URI of a network connector; null after an error. */
export function readDiscovery(
  uri: LocatedText,
  reading: Reading,
): { kind: 'static'; uris: readonly StaticNeighbour[] } | { kind: 'multicast'; multicast: MulticastModel } | null {
  const parsed = parseConnectorUri(uri.text);
  if (parsed.kind === 'problem') {
    reading.error(uri.at(parsed.index), 'uri', `uri: ${parsed.message}`);
    return null;
  }
  if (parsed.scheme === 'multicast') {
    const multicast = readMulticast(uri, 'uri', reading);
    return multicast === null ? null : { kind: 'multicast', multicast };
  }
  const rule = Object.hasOwn(SCHEMES, parsed.scheme) ? SCHEMES[parsed.scheme] : undefined;
  if (parsed.kind === 'plain' && rule?.protocol === 'openwire' && !rule.carriage.tls) {
    reading.warn(uri.at(0), 'uri', `ActiveMQ links to listed brokers with static:(${uri.text}); it is read as that`);
    const neighbour = readNeighbour(uri, reading);
    return neighbour === null ? null : { kind: 'static', uris: [neighbour] };
  }
  if (!isHonouredDiscovery(parsed.scheme, uri, 'uri', reading)) return null;
  if (parsed.kind === 'plain') {
    reading.error(uri.at(0), 'uri', `list the brokers to link to: static:(tcp://host:61616,tcp://other:61616), found "${uri.text}"`);
    return null;
  }
  readOptions(
    parsed.options.filter(({ name }) => !/^(?:discovered|nested)\./.test(name)),
    STATIC_OPTIONS,
    uri,
    reading,
  );
  const ofEach = parsed.options.filter(({ name }) => /^(?:discovered|nested)\./.test(name));
  readOptions(
    ofEach.map((option) => {
      const prefix = option.name.indexOf('.') + 1;
      return { ...option, name: option.name.slice(prefix), nameIndex: option.nameIndex + prefix };
    }),
    NEIGHBOUR_OPTIONS,
    uri,
    reading,
  );
  if (parsed.components.length === 0) {
    reading.error(uri.at(0), 'uri', `${parsed.scheme}:(...) lists no broker: write ${parsed.scheme}:(tcp://host:61616)`);
    return null;
  }
  const neighbours = parsed.components.map(({ index, text }) => readNeighbour(trimmed(slice(uri, index, index + text.length)), reading));
  const uris = neighbours.filter((neighbour) => neighbour !== null);
  return uris.length === neighbours.length ? { kind: 'static', uris } : null;
}

/** `multicast://default?group=...`, `multicast://239.255.2.3:6155` */
export function readMulticast(uri: LocatedText, keyword: string, reading: Reading): MulticastModel | null {
  const parsed = parseConnectorUri(uri.text);
  if (parsed.kind === 'problem') {
    reading.error(uri.at(parsed.index), keyword, `${keyword}: ${parsed.message}`);
    return null;
  }
  if (!isHonouredDiscovery(parsed.scheme, uri, keyword, reading)) return null;
  if (parsed.scheme !== 'multicast' || parsed.kind === 'composite') {
    reading.error(uri.at(0), keyword, `${keyword} announces a connector by multicast://default, found "${uri.text}"`);
    return null;
  }
  const options = readOptions(parsed.options, MULTICAST_OPTIONS, uri, reading);
  const group = readGroup(parsed, uri, keyword, reading);
  if (group === null) return null;
  const name = options.text(group.group, 'group');
  if (name === '') {
    reading.error(uri.at(0), 'group', `${keyword}: the group has no name`);
    return null;
  }
  return {
    ...group,
    group: name,
    timeToLive: options.number(MULTICAST_DEFAULT.timeToLive, 'timeToLive'),
    keepAliveIntervalMs: options.number(MULTICAST_DEFAULT.keepAliveIntervalMs, 'keepAliveInterval'),
  };
}

/** Address, port and group out of a multicast URI's host and port. */
function readGroup(
  parsed: ConnectorUri,
  uri: LocatedText,
  keyword: string,
  reading: Reading,
): Pick<MulticastModel, 'address' | 'port' | 'group'> | null {
  const { address, group } = MULTICAST_DEFAULT;
  const port = parsed.port ?? MULTICAST_DEFAULT.port;
  if (parsed.host === 'default') return { address, port, group };
  if (isIPv4(parsed.host)) {
    const firstByte = Number(parsed.host.split('.')[0]);
    if (firstByte >= 224 && firstByte <= 239) return { address: parsed.host, port, group };
    reading.error(
      uri.at(parsed.hostIndex),
      keyword,
      `${parsed.host} is no multicast address: expected 224.0.0.0 to 239.255.255.255, or "default"`,
    );
    return null;
  }
  if (!/^[A-Za-z0-9_-]+$/.test(parsed.host)) {
    reading.error(uri.at(parsed.hostIndex), keyword, `expected multicast://default or an IPv4 multicast address, found "${parsed.host}"`);
    return null;
  }
  const message = `"${parsed.host}" is read as the group multicast://default?group=${parsed.host}; ActiveMQ would look it up as a host name`;
  reading.warn(uri.at(parsed.hostIndex), keyword, message);
  return { address, port, group: parsed.host };
}

function isHonouredDiscovery(scheme: string, uri: LocatedText, keyword: string, reading: Reading): boolean {
  const disposition = Object.hasOwn(DISCOVERY_SCHEMES, scheme) ? DISCOVERY_SCHEMES[scheme] : undefined;
  if (disposition === undefined) {
    const suggestion = didYouMean(scheme, Object.keys(DISCOVERY_SCHEMES));
    reading.error(uri.at(0), scheme, `${keyword}: unknown scheme ${scheme}: expected static or multicast${suggestion}`);
    return false;
  }
  if (disposition.kind === 'refused') reading.error(uri.at(0), scheme, describe(`scheme ${scheme}`, disposition));
  return disposition.kind !== 'refused';
}

/** One of the brokers in `static:(...)`. */
function readNeighbour(uri: LocatedText, reading: Reading): StaticNeighbour | null {
  const parsed = parseConnectorUri(uri.text);
  if (parsed.kind === 'problem') {
    reading.error(uri.at(parsed.index), 'uri', `uri: ${parsed.message}`);
    return null;
  }
  const rule = Object.hasOwn(SCHEMES, parsed.scheme) ? SCHEMES[parsed.scheme] : undefined;
  const discovery = Object.hasOwn(DISCOVERY_SCHEMES, parsed.scheme) ? DISCOVERY_SCHEMES[parsed.scheme] : undefined;
  if (rule === undefined && discovery === undefined) {
    const suggestion = didYouMean(parsed.scheme, Object.keys(SCHEMES));
    reading.error(uri.at(0), parsed.scheme, `unknown scheme ${parsed.scheme}: links need tcp:// or nio://${suggestion}`);
    return null;
  }
  if (rule?.protocol !== 'openwire' || rule.carriage.tls) {
    const disposition = discovery?.kind === 'refused' ? discovery : rule?.disposition;
    const reason = /ssl/.test(parsed.scheme)
      ? 'links over TLS are not supported yet'
      : disposition?.kind === 'refused'
        ? describe('it', disposition)
        : 'links speak OpenWire: name the tcp:// connector of the other broker';
    reading.error(uri.at(0), parsed.scheme, `no link to ${parsed.scheme}://: ${reason}`);
    return null;
  }
  if (parsed.kind === 'composite' || parsed.host === '' || parsed.port === null) {
    reading.error(uri.at(0), 'uri', `a neighbour is written as tcp://host:61616, found "${uri.text}"`);
    return null;
  }
  readOptions(parsed.options, NEIGHBOUR_OPTIONS, uri, reading);
  return { host: parsed.host, port: parsed.port };
}
