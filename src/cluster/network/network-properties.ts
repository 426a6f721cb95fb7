import { DEFAULT_LINK_SETTINGS, type DestinationPattern, type LinkSettings } from './link-settings.ts';

/*
 * A connector's settings as they cross in BrokerInfo: the text of a Java properties file (OpenWire specification section 15.2). The acceptor
 * of a link that carries messages both ways forwards by them.
 */

const SCHEMES = { queue: 'queue', topic: 'topic', tempQueue: 'temp-queue', tempTopic: 'temp-topic' } as const;
const DESTINATION = /^(queue|topic|temp-queue|temp-topic):\/\/(.+)$/;

export function formatNetworkProperties(settings: LinkSettings, brokerName: string): string {
  const entries: [string, string][] = [
    ['name', settings.name],
    ['brokerName', brokerName],
    ['messageTTL', `${settings.messageTTL}`],
    ['consumerTTL', `${settings.consumerTTL}`],
    ['prefetchSize', `${settings.prefetchSize}`],
    ['staticBridge', `${settings.staticBridge}`],
  ];
  if (settings.duplex !== null) entries.push(['duplex', `${settings.duplex}`]);
  for (const key of ['dynamicallyIncludedDestinations', 'staticallyIncludedDestinations', 'excludedDestinations'] as const) {
    if (settings[key].length > 0) entries.push([key, formatDestinations(settings[key])]); // ActiveMQ logs an error for an empty list
  }
  return entries.map(([key, value]) => `${escapeText(key)}=${escapeText(value)}\n`).join('');
}

/** Reads what we know of it; keys we do not know and values that make no sense leave the default. */
export function parseNetworkProperties(text: string): LinkSettings {
  const entries = parseProperties(text);
  const defaults = DEFAULT_LINK_SETTINGS;
  const duplex = entries.get('duplex');
  return {
    name: entries.get('name') ?? defaults.name,
    duplex: duplex === 'true' ? true : duplex === 'false' ? false : null,
    messageTTL: integer(entries.get('messageTTL'), -1, defaults.messageTTL),
    consumerTTL: integer(entries.get('consumerTTL'), -1, defaults.consumerTTL),
    prefetchSize: integer(entries.get('prefetchSize'), 1, defaults.prefetchSize),
    userName: null,
    password: null,
    staticBridge: entries.get('staticBridge') === 'true',
    dynamicallyIncludedDestinations: parseDestinations(entries.get('dynamicallyIncludedDestinations')),
    staticallyIncludedDestinations: parseDestinations(entries.get('staticallyIncludedDestinations')),
    excludedDestinations: parseDestinations(entries.get('excludedDestinations')),
  };
}

function integer(text: string | undefined, min: number, otherwise: number): number {
  const value = text !== undefined && /^-?\d{1,9}$/.test(text) ? Number(text) : otherwise;
  return value < min ? otherwise : value;
}

/** `[queue://A,topic://B]`. A comma inside a name cannot be told from one between names; ActiveMQ's names have none. */
function formatDestinations(patterns: readonly DestinationPattern[]): string {
  return `[${patterns.map(({ kind, physicalName }) => `${SCHEMES[kind]}://${physicalName}`).join(',')}]`;
}

function parseDestinations(text: string | undefined): DestinationPattern[] {
  if (text === undefined) return [];
  const found: DestinationPattern[] = [];
  for (const part of text.replace(/^\[|\]$/g, '').split(',')) {
    const match = DESTINATION.exec(part.trim());
    if (match === null) continue;
    const kind = (Object.keys(SCHEMES) as (keyof typeof SCHEMES)[]).find((key) => SCHEMES[key] === match[1])!;
    found.push({ kind, physicalName: match[2]! });
  }
  return found;
}

function escapeText(text: string): string {
  return text.replace(/[\\:=#!]/g, '\\$&').replace(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function parseProperties(text: string): Map<string, string> {
  const entries = new Map<string, string>();
  for (const line of text.split(/\r\n|\r|\n/)) {
    const trimmed = line.trimStart();
    if (trimmed === '' || trimmed.startsWith('#') || trimmed.startsWith('!')) continue;
    const match = /^((?:\\.|[^\\=:\s])*)\s*[=:]?\s*(.*)$/s.exec(trimmed); // U+2028 and U+2029 end no line of such a file
    if (match === null) continue;
    entries.set(unescapeText(match[1]!), unescapeText(match[2]!));
  }
  return entries;
}

function unescapeText(text: string): string {
  return text.replace(/\\u([0-9a-fA-F]{4})|\\(.)/g, (_, code: string | undefined, character: string) =>
    code === undefined ? character : String.fromCharCode(Number.parseInt(code, 16)),
  );
}
