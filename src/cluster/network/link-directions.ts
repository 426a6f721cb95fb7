import type { Advert } from './demand.ts';
import type { LinkSettings } from './link-settings.ts';
import { formatNetworkProperties, parseNetworkProperties } from './network-properties.ts';
import { RouteRules } from './route-rules.ts';

/**
 * Which ways a link between brokers of ours carries messages, and by whose settings.
 *
 *     networkConnector of          carries
 *     us      the peer             to the peer     from the peer
 *     any     none                 yes             unless ours says duplex="false"
 *     none    any                  unless theirs   yes
 *     any     any                  yes             yes
 *
 * Each way goes by the settings of the broker that forwards, where it has a networkConnector, else by the other's (OpenWire specification
 * section 15.9).
 */
export class LinkDirections {
  #ours: LinkSettings | null;
  #theirs: LinkSettings | null;
  /** The rules by which the peer forwards: it is told of no wish that they refuse. */
  #theirRules!: RouteRules;

  /** At least one of the two: somebody has dialled. */
  constructor(ours: LinkSettings | null, theirs: LinkSettings | null) {
    this.#ours = ours;
    this.#theirs = theirs;
    this.#applyTheirs();
  }

  get ours(): LinkSettings | null {
    return this.#ours;
  }

  /** Whether messages cross to the peer. */
  get out(): boolean {
    return this.#ours !== null || this.#theirs?.duplex !== false;
  }

  /** Whether messages cross from the peer. */
  get in(): boolean {
    return this.#theirs !== null || this.#ours?.duplex !== false;
  }

  /** What we forward by. */
  get outSettings(): LinkSettings {
    return this.#ours ?? this.#theirs!;
  }

  setOurs(settings: LinkSettings): void {
    this.#ours = settings;
    this.#applyTheirs();
  }

  /** The peer's networkConnector, as it tells of it. */
  setTheirs(properties: string): void {
    this.#theirs = parseNetworkProperties(properties);
    this.#applyTheirs();
  }

  /** Our networkConnector, as we tell of it; null where we have none. */
  describeOurs(brokerName: string): string | null {
    return this.#ours === null ? null : formatNetworkProperties(this.#ours, brokerName);
  }

  /** Whether this broker would take this wish of ours: it is told of no other. */
  takes({ brokerPath }: Advert, peerId: string): boolean {
    return this.in && this.#theirRules.acceptsDemand(brokerPath, peerId);
  }

  /** Whether the peer looks at what our own clients want: a static bridge does not. */
  takesOurs(peerId: string): boolean {
    return this.in && this.#theirRules.acceptsDemand([], peerId);
  }

  #applyTheirs(): void {
    this.#theirRules = new RouteRules(this.#theirs ?? this.#ours!);
  }
}
