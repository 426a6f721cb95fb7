import type { PeerCertificate } from './stage.ts';

/**
 * Whoever waits for a connection that has more than this many bytes queued is told when they have left (`onDrain`), whether the kernel took
 * them at once or not. Who has written less need not wait: it leaves with this turn of the event loop.
 */
export const DRAIN_BYTES_MIN = 65_536;

/**
 * One stream connection, as protocols see it.
 *
 * Writers just write: bytes gather in the connection and leave in one system call when the turn of the event loop ends (`turn.ts`).
 */
export interface Connection {
  readonly id: number;
  /** `127.0.0.1:51234`. */
  readonly remoteAddress: string;
  /** What the other side has proved to be, by TLS or by the word of a proxy that is trusted; null: nothing. */
  readonly peerCertificate: PeerCertificate | null;
  /** The host name that the other side asked for, where TLS or a trusted proxy tells it; null: not known. */
  readonly serverName: string | null;
  /** Name of the transportConnector that accepted it; empty for one we opened. */
  readonly connector: string;
  /** Bytes accepted by `write` and not yet taken by the kernel. */
  readonly queuedBytes: number;
  /** Of these, bytes that the kernel was offered and did not take: while there are some, `onDrain` will come. */
  readonly unsentBytes: number;
  /** False once closing began: a write is then dropped. */
  readonly writable: boolean;
  /** Queues bytes. `bytes` must not change afterwards; use `writeCopy` for bytes that will. */
  write(bytes: Buffer): void;
  /** Queues a copy of `source[start, end)`: for bytes that live in a read buffer. */
  writeCopy(source: Buffer, start: number, end: number): void;
  /**
   * Makes room for `size` bytes at the end of the output and returns where they start in `output`.
   * The caller fills all of them before it does anything else. For frames with fields to patch.
   */
  reserve(size: number): number;
  /** The buffer that the last `reserve` pointed into. */
  readonly output: Buffer;
  /** Sends what is queued, then closes. */
  end(): void;
  /** Closes at once; what is queued is lost. */
  destroy(): void;
  pause(): void;
  resume(): void;
  /** Why the client must be turned away, which its protocol tells it in its own words, instead of admitting it; null: nothing. */
  readonly refusal: string | null;
  /**
   * Takes one of the connector's places (`maximumConnections`) until the connection closes. To be called when it is known who connects.
   * @param from a connection that this one replaces: its place passes over
   * @returns false when no place is free, or there is a `refusal`
   */
  admit(from: Connection | null): boolean;
  /** Counts the connection as a probe: it came, said nothing and went, as health checks do. */
  countProbe(): void;
}

/** What a protocol does with a connection. All calls are synchronous and must not throw. */
export interface ConnectionHandler {
  /** `chunk[start, end)` are valid during this call only: copy what must stay. */
  onData(chunk: Buffer, start: number, end: number): void;
  /** Nothing is queued any more, after more than `DRAIN_BYTES_MIN` bytes were or the kernel has not taken some at once. */
  onDrain(): void;
  /** Called once, last. `error` is null after an orderly end. */
  onClose(error: Error | null): void;
}
