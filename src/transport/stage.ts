import type { Socket } from 'node:net';
import type { Wire } from './wire.ts';

/** Who the other side is, as a certificate says that it has proved to hold. */
export interface PeerCertificate {
  /** The subject's common name (CN); empty when it has none. */
  readonly commonName: string;
  /** The subject as a distinguished name (RFC 2253: `CN=device-7,O=Example`); null when only the common name is known. */
  readonly subject: string | null;
}

/** A socket on its way from accept to its protocol, and what is known of it so far. */
export interface Arrival {
  /** The accepted socket, or what TLS has made of it: what the next stage reads from and writes to. */
  readonly socket: Socket;
  /** What the protocol will read from and write to, once WebSocket has put its frames around the socket; null: the socket itself. */
  readonly wire: Wire | null;
  /** Bytes that a stage has read and that are not its own: the first ones of what follows. */
  readonly head: Buffer;
  /** `127.0.0.1:51234`. The client's own, where a proxy has told it. */
  readonly remoteAddress: string;
  readonly peerCertificate: PeerCertificate | null;
  /** The host name that the client asked for, where TLS or a proxy tells it; null: not known. */
  readonly serverName: string | null;
  /** The protocol that the client speaks, where a stage has found that out; null: the connector's. */
  readonly protocol: string | null;
  /** Why the client must not be let in, which its protocol tells it in its own words; null: nothing speaks against it so far. */
  readonly refusal: string | null;
}

/**
 * One thing that happens to a socket between accept and its protocol.
 *
 *     accept ─► (PROXY header) ─► (TLS) ─► (WebSocket, or finding out what is spoken) ─► protocol
 *
 * A connector has the stages that its URI asks for, in this order. Plain TCP has none and pays for none.
 */
export interface Stage {
  /** What the log calls it: `TLS`. */
  readonly name: string;
  /**
   * Takes an arrival over, until it calls `done` or `failed`; neither, when the socket closes before. A socket that it gives on is paused,
   * with no listener for data; the first stage's may be flowing. Time is bounded by the caller, who destroys the accepted socket when it is
   * over. Must not throw.
   */
  begin(arrival: Arrival, outcome: StageOutcome): void;
}

export interface StageOutcome {
  done(arrival: Arrival): void;
  /** The other side got it wrong, and this is how. The stage itself tells it so in its own words, and closes the socket. */
  failed(reason: string): void;
}
