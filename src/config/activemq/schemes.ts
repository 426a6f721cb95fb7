import { BECAUSE, type Disposition, honoured, refused } from './dispositions.ts';

/** What speaks on a port. */
export type WireProtocol = 'mqtt' | 'openwire';

/** What is spoken on a port: one protocol, or what is found out of each client. */
export type Spoken = WireProtocol | 'auto';

/** What carries the protocol. */
export interface Carriage {
  /** A port, or a socket file. */
  readonly socket: 'tcp' | 'unix';
  readonly tls: boolean;
  readonly webSocket: boolean;
}

export interface SchemeRule {
  readonly disposition: Disposition;
  /** null: not honoured. */
  readonly protocol: Spoken | null;
  readonly carriage: Carriage;
}

const TCP: Carriage = { socket: 'tcp', tls: false, webSocket: false };
const TLS: Carriage = { ...TCP, tls: true };

const NOT_YET = 'this protocol is not supported yet';
const CLIENT_SIDE = 'this scheme is for clients and links; a connector listens with mqtt://, tcp:// or one of their kin';

const listens = (protocol: Spoken, does: string, carriage = TCP): SchemeRule => ({
  disposition: honoured(does),
  protocol,
  carriage,
});
const refuses = (does: string, because: string): SchemeRule => ({ disposition: refused(does, because), protocol: null, carriage: TCP });
const several = (names: string, rule: SchemeRule): Record<string, SchemeRule> =>
  Object.fromEntries(names.split(' ').map((name) => [name, rule]));

/** Schemes of a transport connector's URI. */
export const SCHEMES: Readonly<Record<string, SchemeRule>> = {
  ...several('mqtt mqtt+nio', listens('mqtt', 'listens for MQTT clients')),
  ...several('tcp nio openwire', listens('openwire', 'listens for OpenWire, which links between brokers speak')),
  ...several('mqtt+ssl mqtt+nio+ssl', listens('mqtt', 'listens for MQTT clients over TLS', TLS)),
  ws: listens('mqtt', 'listens for MQTT clients over WebSocket; STOMP over WebSocket is not supported yet', { ...TCP, webSocket: true }),
  wss: listens('mqtt', 'listens for MQTT clients over WebSocket and TLS', { ...TLS, webSocket: true }),
  'mqtt+unix': listens('mqtt', 'listens for MQTT clients at a socket file (not in ActiveMQ)', { ...TCP, socket: 'unix' }),
  ...several('ssl nio+ssl', listens('openwire', 'listens for OpenWire over TLS', TLS)),
  ...several('auto auto+nio', listens('auto', 'finds out what its clients speak: MQTT or OpenWire here')),
  ...several('auto+ssl auto+nio+ssl', listens('auto', 'finds out what its clients speak, over TLS: MQTT or OpenWire here', TLS)),
  ...several('stomp stomp+nio', refuses('listens for STOMP clients', NOT_YET)),
  ...several('stomp+ssl stomp+nio+ssl', refuses('listens for STOMP clients over TLS', NOT_YET)),
  ...several('amqp amqp+nio', refuses('listens for AMQP clients', NOT_YET)),
  ...several('amqp+ssl amqp+nio+ssl', refuses('listens for AMQP clients over TLS', NOT_YET)),
  ...several('amqp+ws amqp+wss', refuses('listens for AMQP clients over WebSocket', NOT_YET)),
  http: refuses('listens for OpenWire in HTTP', NOT_YET),
  https: refuses('listens for OpenWire in HTTP over TLS', BECAUSE.notOpen),
  udp: refuses('listens for datagrams', NOT_YET),
  vm: refuses('lets code in the same Java machine connect', 'there is no Java here'),
  ...several(
    'failover fanout discovery static simple masterslave multicast peer mock',
    refuses('is how clients find brokers', CLIENT_SIDE),
  ),
};

/** Schemes of a `discoveryUri` and of a network connector's URI, and what becomes of them. */
export const DISCOVERY_SCHEMES: Readonly<Record<string, Disposition>> = {
  multicast: honoured('finds and announces brokers by multicast datagrams'),
  static: honoured('links to the brokers it lists'),
  simple: honoured('links to the brokers it lists; another name of static'),
  masterslave: refused(
    'links to whichever of several brokers is the master',
    'this is not supported yet; list the brokers in static:(...)',
  ),
  failover: refused('reconnects by itself to one of several brokers', 'this is not supported for links; list the brokers in static:(...)'),
  fanout: refused('connects to several brokers at once', 'this is for clients; list the brokers in static:(...)'),
  zeroconf: refused('finds brokers by Zeroconf', 'this is not supported; use multicast://default or static:(...)'),
  rendezvous: refused('finds brokers by Zeroconf', 'this is not supported; use multicast://default or static:(...)'),
  http: refused('finds brokers by a registry over HTTP', 'this is not supported; use multicast://default or static:(...)'),
  ldap: refused('finds brokers in an LDAP directory', 'this is not supported; use multicast://default or static:(...)'),
  peer: refused('makes a network of brokers inside clients', 'this is for clients; use multicast://default or static:(...)'),
};
