import type { PeerAddress } from './discovery.ts';

/**
 * The text of one multicast datagram (OpenWire specification section 16.2):
 *
 *     default.ActiveMQ-4.alive.%localhost%tcp://10.0.0.5:61616
 *     └─group┘          └state┘ └─name──┘ └──────service─────┘
 */
export interface Announcement {
  readonly alive: boolean;
  /** The connector's URI: what identifies the service. */
  readonly service: string;
}

/** ActiveMQ always writes this name, and no receiver uses it. */
const NAME = 'localhost';

export function formatAnnouncement(group: string, { alive, service }: Announcement): string {
  return `${group}.ActiveMQ-4.${alive ? 'alive' : 'dead'}.%${NAME}%${service}`;
}

/** Reads a datagram; null for another group's, and for anything that is no announcement. */
export function parseAnnouncement(group: string, text: string): Announcement | null {
  const prefix = `${group}.ActiveMQ-4.`;
  if (!text.startsWith(prefix)) return null;
  const match = /^(alive|dead)\.%[^%]*%(\S+)$/.exec(text.slice(prefix.length));
  return match === null ? null : { alive: match[1] === 'alive', service: match[2]! };
}

/** Schemes of connector URIs that we can dial; `auto` connectors answer OpenWire too. */
const DIALLED_SCHEMES = new Set(['tcp', 'nio', 'auto', 'auto+nio', 'openwire']);

/** Host and port of an announced connector URI, or null where it is none that we can dial. */
export function dialledAddress(service: string): PeerAddress | null {
  const match = /^([a-z][a-z0-9+]*):\/\/(?:\[([0-9a-fA-F:.%]+)\]|([^\s:/?#[\]]+)):(\d{1,5})(?:[/?#]|$)/.exec(service);
  if (match === null || !DIALLED_SCHEMES.has(match[1]!)) return null;
  const port = Number(match[4]);
  return port > 0 && port <= 65_535 ? { host: match[2] ?? match[3]!, port } : null;
}
