import type { Broker } from '../../core/broker.ts';
import type { Verdict } from '../../core/ports.ts';
import type { BrokerLinks } from './broker-links.ts';
import type { Channel, ChannelHandler } from './channel.ts';
import {
  type BaseCommand,
  type BrokerInfo,
  type ConnectionInfo,
  createConnectionError,
  createExceptionResponse,
  type DataStructure,
  isCommand,
  type Throwable,
} from './wire/commands.ts';
import { BROKER_INFO, CONNECTION_ERROR, CONNECTION_INFO, SHUTDOWN_INFO } from './wire/structures.ts';
import type { PeerOffer } from './wire/wire-format-info.ts';

/** What connections of one connector share. */
export interface ConnectionContext {
  readonly broker: Broker;
  readonly links: BrokerLinks;
  /** Name of the transportConnector. */
  readonly connector: string;
  /** From the negotiation until it is known who has dialled and may, in milliseconds. */
  readonly loginTimeoutMs: number;
  /** Said once for all connections. */
  sayClientsUnsupported(address: string): void;
  /** Said once for each host. */
  sayRefused(address: string, reason: string): void;
  /** The network of brokers has taken over. */
  handedOver(connection: OpenWireConnection): void;
  /** @returns whether it was a probe, of which nothing is said */
  closed(connection: OpenWireConnection): boolean;
}

/**
 * An accepted OpenWire connection until it is known who dialled (OpenWire specification section 8): a broker, which the network of brokers
 * takes over, or a client. Where the broker asks who connects, another broker logs in with the ConnectionInfo behind its BrokerInfo.
 */
export class OpenWireConnection implements ChannelHandler {
  readonly #context: ConnectionContext;
  #channel: Channel | null = null;
  #offer: PeerOffer | null = null;
  /** The broker that has introduced itself and not logged in yet. */
  #peer: BrokerInfo | null = null;
  #timer: NodeJS.Timeout | null = null;
  #address: string;

  constructor(context: ConnectionContext, address: string) {
    this.#context = context;
    this.#address = address;
  }

  onNegotiated(channel: Channel, offer: PeerOffer): void {
    this.#channel = channel;
    this.#offer = offer;
    const { links, loginTimeoutMs } = this.#context;
    if (loginTimeoutMs > 0)
      this.#timer = setTimeout(() => channel.fail(`it has not introduced itself within ${loginTimeoutMs} ms`), loginTimeoutMs);
    channel.send(links.introduction());
  }

  onCommand(command: DataStructure): void {
    switch (command.kind) {
      case BROKER_INFO:
        this.#onBroker(command);
        return;
      case CONNECTION_INFO:
        if (this.#peer === null) this.#refuseClient(command);
        else this.#logIn(this.#peer, command);
        return;
      case SHUTDOWN_INFO:
      case CONNECTION_ERROR:
        this.#channel!.end();
        return;
      default:
        if (this.#peer === null) this.#refuseClient(command);
        else this.#refuse(command, 'it does not log in');
    }
  }

  onPublication(): void {
    this.#channel!.fail('a message came before anything that introduces its sender');
  }

  onResponse(): void {}

  onDrain(): void {}

  onClosed(fault: string | null): void {
    this.#stopTimer();
    const wasProbe = this.#context.closed(this);
    if (fault === null || wasProbe) return;
    this.#context.broker.log.warn('OpenWire connection closed', { address: this.#address, reason: fault });
  }

  #onBroker(peer: BrokerInfo): void {
    if (!peer.networkConnection || peer.brokerId === null) {
      this.#refuseClient(peer);
      return;
    }
    const { refusal } = this.#channel!.connection;
    if (refusal !== null) {
      this.#refuse(peer, refusal);
      return;
    }
    const { authenticator, mechanisms } = this.#context.broker;
    if (authenticator === null && mechanisms.size === 0) this.#accept(peer);
    else this.#peer = peer;
  }

  #logIn(peer: BrokerInfo, login: ConnectionInfo): void {
    const { broker, connector } = this.#context;
    if (broker.authenticator === null) {
      this.#refuse(login, 'an Authentication Method is needed, and links have none');
      return;
    }
    const credentials = {
      clientId: login.clientId ?? '',
      connector,
      remoteAddress: this.#address,
      userName: login.userName,
      password: login.password === null ? null : Buffer.from(login.password),
      certificateName: null,
    };
    let verdict: Verdict | Promise<Verdict>;
    try {
      verdict = broker.authenticator.authenticate(credentials);
    } catch (error) {
      this.#failed(login, error);
      return;
    }
    if (!('then' in verdict)) {
      this.#settle(peer, login, verdict);
      return;
    }
    const channel = this.#channel!;
    channel.suspend();
    const settle = (action: () => void): void => {
      if (channel.closing) return;
      action();
      channel.release();
    };
    verdict.then(
      (found) => settle(() => this.#settle(peer, login, found)),
      (error: unknown) => settle(() => this.#failed(login, error)),
    );
  }

  #settle(peer: BrokerInfo, login: ConnectionInfo, verdict: Verdict): void {
    if (verdict.kind === 'refused') {
      this.#refuse(login, verdict.text);
      return;
    }
    if (login.responseRequired) this.#channel!.respond(login.commandId);
    this.#accept(peer);
  }

  #failed(login: ConnectionInfo, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#context.broker.log.warn('an authenticator failed: a broker is not linked', { address: this.#address, reason });
    this.#refuse(login, 'the server cannot tell at present who may connect');
  }

  #accept(peer: BrokerInfo): void {
    const channel = this.#channel!;
    this.#stopTimer();
    if (!channel.connection.admit(null)) {
      channel.end(); // the connector has said once for all that it is full
      return;
    }
    this.#context.handedOver(this);
    channel.handOver(this.#context.links.accept(channel, this.#offer!, peer));
  }

  #refuseClient(command: DataStructure): void {
    this.#context.sayClientsUnsupported(this.#address);
    this.#end(command, UNSUPPORTED);
  }

  #refuse(command: DataStructure, reason: string): void {
    this.#context.sayRefused(this.#address, reason);
    this.#end(command, { className: 'java.lang.SecurityException', message: reason, stack: [], cause: null });
  }

  #end(command: DataStructure, exception: Throwable): void {
    const channel = this.#channel!;
    const request: BaseCommand | null = isCommand(command) && command.responseRequired ? command : null;
    if (request !== null) channel.send(createExceptionResponse({ correlationId: request.commandId, exception }));
    else channel.send(createConnectionError({ exception }));
    channel.end();
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

const UNSUPPORTED: Throwable = {
  className: 'javax.jms.JMSException',
  message: 'OpenWire clients are not supported yet: this connector links brokers. Use MQTT.',
  stack: [],
  cause: null,
};
