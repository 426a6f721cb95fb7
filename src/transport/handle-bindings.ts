import type { Socket } from 'node:net';

/**
 * Node's own bindings to TCP sockets, one layer below `net.Socket`. They are no public API: whoever uses them asks here first, and has
 * another way where they are not as expected.
 */

/** A request that libuv keeps while a write waits for the kernel. */
export interface WriteRequest {
  handle: Handle | null;
  oncomplete: ((this: WriteRequest, status: number) => void) | null;
  /** What the write is of, while libuv has it. */
  bytes: unknown;
}

interface ShutdownRequest {
  handle: Handle | null;
  oncomplete: ((this: ShutdownRequest, status: number) => void) | null;
}

/** A connected TCP socket. Calls return 0 or a negative libuv error. */
export interface Handle {
  /** Ours: who the handle belongs to. */
  owner: unknown;
  onread: ((this: Handle) => void) | null;
  /** Bytes that libuv has queued. */
  readonly writeQueueSize: number;
  readStart(): number;
  readStop(): number;
  /** Reads go into `buffer`, and `onread` is told how many bytes. */
  useUserBuffer(buffer: Buffer): void;
  writeBuffer(request: WriteRequest, bytes: Buffer): number;
  writev(request: WriteRequest, pieces: Buffer[], allBuffers: true): number;
  shutdown(request: ShutdownRequest): number;
  close(callback: (this: Handle) => void): void;
  setNoDelay(on: boolean): number;
  setKeepAlive(on: boolean, initialDelaySeconds: number): number;
  getpeername(out: { address?: string; port?: number }): number;
}

/** A listening socket. */
export interface ListeningHandle {
  onconnection: ((status: number, handle: Handle | undefined) => void) | null;
}

export interface HandleBindings {
  readonly WriteWrap: new () => WriteRequest;
  readonly ShutdownWrap: new () => ShutdownRequest;
  /** What the last call had to say, at the indexes below. */
  readonly state: Int32Array;
  readonly kReadBytesOrError: number;
  readonly kLastWriteWasAsync: number;
  readonly UV_EOF: number;
}

/** Methods that a handle must have. */
const METHODS = [
  'readStart',
  'readStop',
  'useUserBuffer',
  'writeBuffer',
  'writev',
  'shutdown',
  'close',
  'setNoDelay',
  'setKeepAlive',
  'getpeername',
] as const;

/** null where Node has none, or different ones; also with ROUNDHOUSE_PUBLIC_SOCKETS=1, for tests and for who wants no part of it. */
export function loadHandleBindings(): HandleBindings | null {
  if (process.env.ROUNDHOUSE_PUBLIC_SOCKETS === '1') return null;
  const { binding } = process as { binding?: (name: string) => Record<string, unknown> };
  if (typeof binding !== 'function') return null;
  try {
    const { TCP } = binding('tcp_wrap') as { TCP?: { prototype: object } };
    const { UV_EOF } = binding('uv');
    const { WriteWrap, ShutdownWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = binding('stream_wrap');
    const isWhole =
      TCP !== undefined &&
      METHODS.every((name) => typeof (TCP.prototype as Record<string, unknown>)[name] === 'function') &&
      typeof WriteWrap === 'function' &&
      typeof ShutdownWrap === 'function' &&
      streamBaseState instanceof Int32Array &&
      [kReadBytesOrError, kLastWriteWasAsync, UV_EOF].every((value) => typeof value === 'number');
    if (!isWhole) return null;
    return { WriteWrap, ShutdownWrap, state: streamBaseState, kReadBytesOrError, kLastWriteWasAsync, UV_EOF } as unknown as HandleBindings;
  } catch {
    return null; // a permission model or a build of Node that has none of it
  }
}

/**
 * Takes the TCP socket out of a net.Socket that is paused and has neither bytes nor a goodbye under way. The net.Socket is closed then, the
 * connection goes on with whoever has the handle. null where it cannot be had: then nothing has changed.
 */
export function takeHandle(socket: Socket): Handle | null {
  const holder = socket as unknown as { _handle?: Handle | null };
  const handle = holder._handle;
  if (handle == null || !METHODS.every((name) => typeof handle[name] === 'function')) return null;
  if (socket.destroyed || !socket.readable || !socket.writable || socket.readableLength > 0 || socket.writableLength > 0) return null;
  holder._handle = null;
  // The handle knows its net.Socket by a symbol of Node's own, which would keep that from being collected.
  const known = handle as unknown as Record<symbol, unknown>;
  for (const key of Object.getOwnPropertySymbols(handle)) if (known[key] === socket) known[key] = null;
  socket.destroy();
  return handle;
}

/** The listening socket of a net.Server; null where it cannot be had, or is no TCP socket. */
export function listeningHandleOf(server: object): ListeningHandle | null {
  const handle = (server as { _handle?: ListeningHandle | null })._handle;
  return handle != null && 'onconnection' in handle && 'setNoDelay' in handle ? handle : null;
}
