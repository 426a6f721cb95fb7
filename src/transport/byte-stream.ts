/**
 * What a connection reads from and writes to: a socket, or what a stage has put around one.
 *
 * The part of Node's streams that `TcpConnection` uses, with the same meaning.
 */
export interface ByteStream {
  /** Bytes written and not yet taken by what is below. */
  readonly writableLength: number;
  readonly destroyed: boolean;
  write(bytes: Buffer): unknown;
  /** What is written until `uncork` may leave in one piece. */
  cork(): unknown;
  uncork(): unknown;
  /** Sends what is written, then says goodbye. */
  end(): unknown;
  destroy(): unknown;
  pause(): unknown;
  resume(): unknown;
  on(event: 'data', listener: (chunk: Buffer) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'drain' | 'close', listener: () => void): unknown;
  prependListener(event: 'end', listener: () => void): unknown;
}
