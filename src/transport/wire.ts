/** What a connection does its reading and writing with: a socket, or what stands for one. */
export interface Wire {
  /** Bytes given to `send` and not yet taken by the kernel. While it is 0 after a `send`, the bytes are the caller's again. */
  readonly unsentBytes: number;
  /** True once nothing more can be sent. */
  readonly destroyed: boolean;
  /** Begins to read. Called once, before anything else. */
  start(owner: WireOwner): void;
  /** Sends bytes that stay unchanged until they have left. */
  send(bytes: Buffer): void;
  /** Sends several pieces in one system call where that is possible. */
  sendAll(pieces: Buffer[]): void;
  /** Sends what is queued, then says goodbye. */
  end(): void;
  /** Closes at once; what is queued is lost. */
  destroy(): void;
  pause(): void;
  resume(): void;
}

/** Whom a wire tells what happens. Calls are synchronous and must not throw. */
export interface WireOwner {
  /** `chunk[start, end)` are valid during this call only. */
  onData(chunk: Buffer, start: number, end: number): void;
  /** The peer has closed its side; ours is closed as soon as this call has returned and what is queued has left. */
  onEnd(): void;
  /** What was queued has left. */
  onDrain(): void;
  /** Called once, last. */
  onClose(error: Error | null): void;
}
