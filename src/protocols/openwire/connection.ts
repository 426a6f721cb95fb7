import type { Log } from '../../telemetry/log.ts';
import type { BrokerLinks } from './broker-links.ts';
import type { Channel, ChannelHandler } from './channel.ts';
import {
  type BaseCommand,
  type BrokerInfo,
  createConnectionError,
  createExceptionResponse,
  type DataStructure,
  isCommand,
  type Throwable,
} from './wire/commands.ts';
import { BROKER_INFO, CONNECTION_ERROR, SHUTDOWN_INFO } from './wire/structures.ts';
import type { PeerOffer } from './wire/wire-format-info.ts';

/** What connections of one connector share. */
export interface ConnectionContext {
  readonly log: Log;
  readonly links: BrokerLinks;
  /** Said once for all connections. */
  sayClientsUnsupported(address: string): void;
  /** The network of brokers has taken over. */
  handedOver(connection: OpenWireConnection): void;
  /** @returns whether it was a probe, of which nothing is said */
  closed(connection: OpenWireConnection): boolean;
}

/**
 * An accepted OpenWire connection until it is known who dialled (OpenWire specification section 8): a broker, which the network of brokers
 * takes over, or a client.
 */
export class OpenWireConnection implements ChannelHandler {
  readonly #context: ConnectionContext;
  #channel: Channel | null = null;
  #offer: PeerOffer | null = null;
  #address: string;

  constructor(context: ConnectionContext, address: string) {
    this.#context = context;
    this.#address = address;
  }

  onNegotiated(channel: Channel, offer: PeerOffer): void {
    this.#channel = channel;
    this.#offer = offer;
    channel.send(this.#context.links.introduction());
  }

  onCommand(command: DataStructure): void {
    switch (command.kind) {
      case BROKER_INFO:
        this.#onBroker(command);
        return;
      case SHUTDOWN_INFO:
      case CONNECTION_ERROR:
        this.#channel!.end();
        return;
      default:
        this.#refuseClient(command);
    }
  }

  onPublication(): void {
    this.#channel!.fail('a message came before anything that introduces its sender');
  }

  onResponse(): void {}

  onDrain(): void {}

  onClosed(fault: string | null): void {
    const wasProbe = this.#context.closed(this);
    if (fault === null || wasProbe) return;
    this.#context.log.warn('OpenWire connection closed', { address: this.#address, reason: fault });
  }

  #onBroker(peer: BrokerInfo): void {
    const channel = this.#channel!;
    if (!peer.networkConnection || peer.brokerId === null) {
      this.#refuseClient(peer);
      return;
    }
    if (!channel.connection.admit(null)) {
      channel.end(); // the connector has said once for all that it is full
      return;
    }
    this.#context.handedOver(this);
    channel.handOver(this.#context.links.accept(channel, this.#offer!, peer));
  }

  #refuseClient(command: DataStructure): void {
    const channel = this.#channel!;
    this.#context.sayClientsUnsupported(this.#address);
    const request: BaseCommand | null = isCommand(command) && command.responseRequired ? command : null;
    if (request !== null) channel.send(createExceptionResponse({ correlationId: request.commandId, exception: UNSUPPORTED }));
    else channel.send(createConnectionError({ exception: UNSUPPORTED }));
    channel.end();
  }
}

const UNSUPPORTED: Throwable = {
  className: 'javax.jms.JMSException',
  message: 'OpenWire clients are not supported yet: this connector links brokers. Use MQTT.',
  stack: [],
  cause: null,
};
