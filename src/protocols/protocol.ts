import type { Connection, ConnectionHandler } from '../transport/connection.ts';

/** What a transportConnector says of the connections it accepts. */
export interface ConnectorOptions {
  readonly name: string;
  /** Largest packet or frame accepted, in bytes (`wireFormat.maxFrameSize`). */
  readonly maxFrameSize: number;
  /** Milliseconds from the accepted connection to its first complete packet (`transport.connectAttemptTimeout`); 0: for ever. */
  readonly connectAttemptTimeoutMs: number;
  /** MQTT: keep alive for clients that ask for 0, in milliseconds, whole seconds up to 65,535 (`transport.defaultKeepAlive`); 0: none. */
  readonly defaultKeepAliveMs: number;
  /** MQTT: whether clients that are silent for longer than their keep alive are let go (`transport.useInactivityMonitor`). */
  readonly useInactivityMonitor: boolean;
  /** MQTT: whether clients may publish to topics that begin with `$` (`transport.publishDollarTopics`). */
  readonly publishDollarTopics: boolean;
  /** MQTT: QoS 1 and 2 messages sent ahead of their acknowledgements (`transport.activeMQSubscriptionPrefetch`); 0: as many as usual. */
  readonly subscriptionPrefetch: number;
  /** MQTT: whether a client's certificate, where it has proved to hold one, tells its user name (`transport.certificateUserName=cn`). */
  readonly certificateUserName: boolean;
  /**
   * MQTT: where the next client of this connector may go, asked when the broker stops: `host:port`, several with spaces between
   * (`updateClusterClients`); null: nowhere in particular.
   */
  elsewhere(): string | null;
  /** OpenWire: offered in WireFormatInfo (`wireFormat.maxInactivityDuration`), in milliseconds. */
  readonly maxInactivityDurationMs: number;
}

/** Bytes in, frames out: one handler a connection. An instance serves one broker. */
export interface Protocol {
  readonly name: string;
  /** Connector URI schemes it serves, e.g. `mqtt`, `mqtt+nio`. */
  readonly schemes: readonly string[];
  /** Whether a client whose first bytes are `bytes[start, end)`, one at least, speaks it; `maybe`: more of them will show. */
  sniff(bytes: Buffer, start: number, end: number): 'yes' | 'no' | 'maybe';
  accept(connection: Connection, options: ConnectorOptions): ConnectionHandler;
  /** Takes up what the store has. Called once, before any connection is accepted. */
  restore?(): void;
  /** What was restored goes on (wills, lifetimes). Called once, when linked brokers can be reached and before clients are accepted. */
  goOn?(): void;
  /** Tells every client that it has to go elsewhere for the time being, and why, and closes all connections. Sessions stay. */
  disconnectClients?(text: string): void;
  /**
   * Tells every client that the server goes (MQTT 5: DISCONNECT 0x8B, or 0x9C with a Server Reference), closes all connections and stops all
   * timers. A connection that has not said yet what it wants is left open where there is somewhere to send it: its CONNECT is answered with
   * that.
   * @param serverReference where clients may go meanwhile; null: where their connectors say (`ConnectorOptions.elsewhere`)
   */
  stop(serverReference: string | null): void;
}
