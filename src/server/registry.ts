import type { Broker } from '../core/broker.ts';
import { MqttProtocol } from '../protocols/mqtt/protocol.ts';
import type { Protocol } from '../protocols/protocol.ts';

/** Makes a protocol for one broker. */
export type ProtocolFactory = (broker: Broker) => Protocol;

/** Every protocol that a transportConnector can speak: the one list to extend. */
const PROTOCOLS: readonly ProtocolFactory[] = [(broker) => new MqttProtocol(broker)];

/** One instance of each protocol for this broker, found by the schemes of connector URIs (`mqtt`, `mqtt+nio`, `tcp`). */
export class ProtocolRegistry {
  readonly protocols: readonly Protocol[];
  readonly #byScheme = new Map<string, Protocol>();

  constructor(broker: Broker, more: readonly Protocol[] = []) {
    this.protocols = [...PROTOCOLS.map((create) => create(broker)), ...more];
    for (const protocol of this.protocols) for (const scheme of protocol.schemes) this.#byScheme.set(scheme, protocol);
  }

  get(scheme: string): Protocol | undefined {
    return this.#byScheme.get(scheme);
  }
}
