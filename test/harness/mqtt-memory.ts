import type { Connection, ConnectionHandler } from '../../src/transport/connection.ts';

/** A connection without a socket: what is said to it is answered within the call. */
export class MemoryConnection implements Connection {
  readonly id = 0;
  readonly remoteAddress = 'memory:0';
  readonly peerCertificate = null;
  readonly refusal = null;
  readonly serverName = null;
  readonly connector = 'memory';
  output: Buffer = Buffer.alloc(0);
  /** What the broker wrote, in order. Reserved places are filled after they were asked for. */
  readonly said: Buffer[] = [];
  /** What the connection pretends to have queued. */
  queuedBytes = 0;
  readonly unsentBytes = 0;
  ended = false;

  get writable(): boolean {
    return !this.ended;
  }

  reserve(size: number): number {
    this.output = Buffer.alloc(size);
    if (this.writable) this.said.push(this.output);
    return 0;
  }

  writeCopy(source: Buffer, start: number, end: number): void {
    this.write(Buffer.from(source.subarray(start, end)));
  }

  write(bytes: Buffer): void {
    if (this.writable) this.said.push(bytes);
  }

  end(): void {
    this.ended = true;
  }

  destroy(): void {
    this.ended = true;
  }

  pause(): void {}

  resume(): void {}

  admit(): boolean {
    return true;
  }

  countProbe(): void {}
}

/** What a connector would say of such a connection. */
export const MEMORY_CONNECTOR = {
  name: 'memory',
  maxFrameSize: 1_000_000,
  connectAttemptTimeoutMs: 30_000,
  defaultKeepAliveMs: 0,
  useInactivityMonitor: true,
  publishDollarTopics: false,
  subscriptionPrefetch: 0,
  certificateUserName: false,
  elsewhere: () => null,
  maxInactivityDurationMs: 30_000,
};

/** Gives bytes to a handler. They are good for the call only, as with a socket's read buffer. */
export function feed(handler: ConnectionHandler, bytes: Buffer): void {
  if (bytes.length === 0) return;
  const chunk = Buffer.from(bytes);
  handler.onData(chunk, 0, chunk.length);
  chunk.fill(0xee);
}
