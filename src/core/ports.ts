import type { Stamp } from './hybrid-clock.ts';
import type { Message } from './message.ts';

/**
 * The other brokers, as this one sees them: implemented by `cluster/`, or absent for a broker that stands alone.
 * Messages do not pass here: a remote broker is a Subscriber in the router like any other.
 */
export interface Cluster {
  /**
   * Resolves when every linked broker of ours knows all subscriptions made here before the call, or when it has waited long enough
   * (a named bound in `cluster/`). null when there is nobody to wait for: no link, or only suspect ones.
   */
  demandKnown(): Promise<void> | null;
  /** Tells linked brokers that this client connected here at `stamp`: an older connection of it elsewhere ends. */
  clientClaimed(clientId: string, stamp: Stamp): void;
  /** Tells linked brokers of a retained message set here, or removed with null. Called before the message itself is delivered. */
  retained(topic: string, message: Message | null, stamp: Stamp): void;
}

/** One client's state, which may outlive its connection. What it keeps differs per protocol; the registry needs only this. */
export interface Session {
  readonly clientId: string;
  readonly connected: boolean;
  /** QoS 1 and 2 messages that wait for the client. */
  readonly queued: number;
  /** QoS 1 and 2 messages sent and not acknowledged. */
  readonly inflight: number;
  /** Both in bytes of payload, topic and properties. */
  readonly heldBytes: number;
  /** When its present or last connection claimed the client id. */
  readonly claimedAt: Stamp;
  /** Ends the connection because the same client id connected elsewhere (MQTT 5: DISCONNECT 0x8E). Keeps the session's state. */
  takeOver(): void;
  /** Ends connection and session: nothing of it stays. */
  discard(): void;
}
