import { CLIENT_ADDRESSES_MAX } from './link-limits.ts';

/** What carries MQTT at an address. A client that is sent elsewhere goes on as it is: it is told addresses of its own kind only. */
export type ClientCarriage = 'mqtt' | 'mqtt+ssl' | 'ws' | 'wss';

/** Where MQTT clients find a broker. */
export interface ClientAddress {
  readonly carriage: ClientCarriage;
  /** `host:port`, an IPv6 address in brackets. */
  readonly authority: string;
}

/** Of a URI as brokers tell it: no spaces, no path. */
const URI = /^(mqtt|mqtt\+ssl|ws|wss):\/\/((?:\[[0-9a-fA-F:.]+\]|[^\s:/[\]@?#]{1,255}):\d{1,5})$/;

/** As a broker tells its neighbours: `mqtt://10.0.0.1:1883 wss://10.0.0.1:8443`. */
export function formatClientAddresses(addresses: readonly ClientAddress[]): string {
  return addresses
    .slice(0, CLIENT_ADDRESSES_MAX)
    .map(({ carriage, authority }) => `${carriage}://${authority}`)
    .join(' ');
}

/** What is no address of a known kind is passed over: a later version may know more. */
export function parseClientAddresses(text: string): ClientAddress[] {
  return text
    .split(' ', CLIENT_ADDRESSES_MAX)
    .map((uri) => URI.exec(uri))
    .filter((match) => match !== null)
    .map(([, carriage, authority]) => ({ carriage: carriage as ClientCarriage, authority: authority! }));
}
