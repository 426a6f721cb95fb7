import type { Broker } from '../core/broker.ts';
import { MqttProtocol } from '../protocols/mqtt/protocol.ts';
import type { BrokerLinks } from '../protocols/openwire/broker-links.ts';
import { OpenWireProtocol } from '../protocols/openwire/protocol.ts';
import type { Protocol } from '../protocols/protocol.ts';

/** Makes a protocol for one broker and its links to others. */
type ProtocolFactory = (broker: Broker, links: BrokerLinks) => Protocol;

/** Every protocol that a transportConnector can speak: the one list to extend. */
const PROTOCOLS: readonly ProtocolFactory[] = [
  (broker) => new MqttProtocol(broker),
  (broker, links) => new OpenWireProtocol(broker, links),
];

/** One instance of each protocol for this broker, found by the schemes of connector URIs (`mqtt`, `mqtt+nio`, `tcp`). */
export class ProtocolRegistry {
  readonly protocols: readonly Protocol[];
  readonly #byScheme = new Map<string, Protocol>();

  constructor(broker: Broker, links: BrokerLinks) {
    this.protocols = PROTOCOLS.map((create) => create(broker, links));
    for (const protocol of this.protocols) for (const scheme of protocol.schemes) this.#byScheme.set(scheme, protocol);
  }

  get(scheme: string): Protocol | undefined {
    return this.#byScheme.get(scheme);
  }

  /** `mqtt`, `openwire` */
  named(name: string): Protocol | undefined {
    return this.protocols.find((protocol) => protocol.name === name);
  }
}
