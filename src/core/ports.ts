import type { Stamp } from './hybrid-clock.ts';
import type { Message } from './message.ts';
import type { SlowConsumerStrategy } from './slow-consumers.ts';

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

/** What connections have carried since the start, in bytes. */
export interface Traffic {
  readonly bytesReceived: number;
  readonly bytesSent: number;
}

/** One client's state, which may outlive its connection. What it keeps differs per protocol; the registry needs only this. */
export interface Session {
  readonly clientId: string;
  readonly connected: boolean;
  /** Messages that wait for the client. */
  readonly queued: number;
  /** QoS 1 and 2 messages sent and not acknowledged. */
  readonly inflight: number;
  /** Both in bytes of payload, topic and properties. */
  readonly heldBytes: number;
  /** Messages that it did not get, since the broker's start. */
  readonly dropped: number;
  /** PUBACK, PUBREC and PUBCOMP that came, counted. */
  readonly acknowledgements: number;
  /** Whether more waits for the client than it may have in flight. */
  readonly isSlow: boolean;
  /** Of its subscriptions' policies; null: none has one. */
  readonly slowConsumerStrategies: ReadonlySet<SlowConsumerStrategy> | null;
  /** When its present or last connection claimed the client id. */
  readonly claimedAt: Stamp;
  /** Lets go of messages that have expired while they waited. */
  removeExpired(): void;
  /** Ends the connection because the same client id connected elsewhere (MQTT 5: DISCONNECT 0x8E). Keeps the session's state. */
  takeOver(): void;
  /** The client is at another broker now: as `takeOver`, and a will that waits for its delay is not published. */
  connectedElsewhere(): void;
  /** Ends the connection because an operator or a policy wants it. Keeps the session's state. */
  dismiss(dismissal: Dismissal): void;
  /** Ends connection and session: nothing of it stays. */
  discard(): void;
}

/** Why and with what words a client is sent away. */
export interface Dismissal {
  /**
   * `administrativeAction`: it may come again. `useAnotherServer`: for the time being it should go elsewhere. `serverMoved`: from now on.
   * `quotaExceeded`: more waits for it than a policy of the file lets. MQTT 5: DISCONNECT 0x98, 0x9C, 0x9D, 0x97; clients of earlier
   * versions cannot be told.
   */
  readonly reason: 'administrativeAction' | 'useAnotherServer' | 'serverMoved' | 'quotaExceeded';
  /** For clients that want reasons, and for the log; null: none. */
  readonly text: string | null;
  /** Where to go instead, as `host:port`; several with spaces between (MQTT 5.0 section 4.11). null: the client knows. */
  readonly serverReference: string | null;
}

/** Who a client has proved to be. */
export interface Principal {
  readonly userName: string;
  readonly groups: readonly string[];
}

/** Where a client comes from, before it is known who it is. */
export interface ClientOrigin {
  readonly clientId: string;
  /** Name of the transportConnector. */
  readonly connector: string;
  readonly remoteAddress: string;
}

/** What a client brings along to prove who it is. */
export interface Credentials extends ClientOrigin {
  /** null: none. */
  readonly userName: string | null;
  readonly password: Buffer | null;
  /**
   * Common Name of the certificate that the client has proved to own, where the connector takes it for the user name; null: there is none,
   * or the connector does not ask for it. It needs no password.
   */
  readonly certificateName: string | null;
}

/** Why a client is not let in. */
export interface Refusal {
  readonly kind: 'refused';
  readonly reason: 'badUserNameOrPassword' | 'notAuthorized' | 'unavailable';
  /** For the log, and for clients that want reasons: nothing secret, and nothing that tells a wrong name from a wrong password. */
  readonly text: string;
}

export type Verdict = { readonly kind: 'admitted'; readonly principal: Principal } | Refusal;

/** Decides who may connect. */
export interface Authenticator {
  /**
   * A promise makes this client wait, and no other. What is thrown or rejected is for the log; the client is told that the server is
   * unavailable.
   */
  authenticate(credentials: Credentials): Verdict | Promise<Verdict>;
}

/** One step of an exchange: ask the client for more, let it in with a last word of our own, or refuse it. */
export type AuthenticationStep =
  | { readonly kind: 'continue'; readonly data: Buffer | null }
  | { readonly kind: 'admitted'; readonly principal: Principal; readonly data: Buffer | null }
  | Refusal;

/** One client's way through a mechanism. */
export interface AuthenticationExchange {
  /**
   * Takes what the client says; it is not called again before its answer is there.
   * @param data null: the client sent none
   */
  step(data: Buffer | null): AuthenticationStep | Promise<AuthenticationStep>;
}

/** A way to prove who one is in several steps: an Authentication Method (MQTT 5.0 section 4.12), mostly a SASL mechanism. */
export interface AuthenticationMechanism {
  /** As clients name it: `SCRAM-SHA-256`. */
  readonly name: string;
  start(client: ClientOrigin): AuthenticationExchange;
}
