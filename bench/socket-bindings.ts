/**
 * Node's own bindings to TCP sockets, one layer below `net.Socket`. They are no public API. The load generator uses them since it has
 * to be cheaper than the brokers that it measures: a connection costs it half as much, and a write of a few bytes too.
 */

/** A TCP socket. Calls return 0 or a negative libuv error. */
export interface TcpHandle {
  /** Ours: who the handle belongs to. */
  owner: unknown;
  onread: ((this: TcpHandle) => void) | null;
  /** Bytes that libuv has queued. */
  readonly writeQueueSize: number;
  connect(request: ConnectRequest, address: string, port: number): number;
  setNoDelay(on: boolean): number;
  readStart(): number;
  /** Reads go into `buffer`, and `onread` is told how many bytes. */
  useUserBuffer(buffer: Buffer): void;
  writeBuffer(request: WriteRequest, bytes: Buffer): number;
  writev(request: WriteRequest, pieces: Buffer[], allBuffers: true): number;
  shutdown(request: ShutdownRequest): number;
  close(callback: (this: TcpHandle) => void): void;
}

export interface ConnectRequest {
  oncomplete: ((status: number, handle: TcpHandle) => void) | null;
}

/** A request that libuv keeps while a write waits for the kernel. */
export interface WriteRequest {
  handle: TcpHandle | null;
  oncomplete: ((this: WriteRequest, status: number) => void) | null;
  /** What the write is of, while libuv has it. */
  bytes: unknown;
}

export interface ShutdownRequest {
  handle: TcpHandle | null;
  oncomplete: ((this: ShutdownRequest) => void) | null;
}

export interface SocketBindings {
  readonly TCP: { new (type: number): TcpHandle; readonly prototype: object };
  readonly SOCKET: number;
  readonly TCPConnectWrap: new () => ConnectRequest;
  readonly WriteWrap: new () => WriteRequest;
  readonly ShutdownWrap: new () => ShutdownRequest;
  /** What the last call had to say, at the indexes below. */
  readonly state: Int32Array;
  readonly kReadBytesOrError: number;
  readonly kLastWriteWasAsync: number;
  readonly UV_EOF: number;
}

/** @throws Error where this Node does not have them as expected */
export function loadSocketBindings(): SocketBindings {
  const { binding } = process as { binding?: (name: string) => Record<string, unknown> };
  if (typeof binding !== 'function') throw missing('process.binding');
  const { TCP, TCPConnectWrap, constants } = binding('tcp_wrap');
  const { WriteWrap, ShutdownWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = binding('stream_wrap');
  const { UV_EOF } = binding('uv');
  for (const [name, value] of Object.entries({ TCP, TCPConnectWrap, WriteWrap, ShutdownWrap }))
    if (typeof value !== 'function') throw missing(name);
  const SOCKET = (constants as { SOCKET?: unknown } | undefined)?.SOCKET;
  for (const [name, value] of Object.entries({ SOCKET, kReadBytesOrError, kLastWriteWasAsync, UV_EOF }))
    if (typeof value !== 'number') throw missing(name);
  if (!(streamBaseState instanceof Int32Array)) throw missing('streamBaseState');
  const found = {
    TCP,
    SOCKET,
    TCPConnectWrap,
    WriteWrap,
    ShutdownWrap,
    state: streamBaseState,
    kReadBytesOrError,
    kLastWriteWasAsync,
    UV_EOF,
  };
  return found as unknown as SocketBindings;
}

function missing(what: string): Error {
  return new Error(`the load generator needs Node's bindings to sockets; Node ${process.versions.node} has no ${what}`);
}
