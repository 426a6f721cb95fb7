import { getSystemErrorName } from 'node:util';
import { formatEndpoint } from './endpoint.ts';
import { type Handle, type HandleBindings, loadHandleBindings, type WriteRequest } from './handle-bindings.ts';
import type { Turn } from './turn.ts';
import type { Wire, WireOwner } from './wire.ts';

/** Bytes of one read. Every read is handled before the next begins, so that all sockets read into one buffer. */
const READ_BYTES = 262_144;

/**
 * Bytes that one socket may read in one turn of the event loop, before the others have theirs: one client at full speed must not keep
 * the rest waiting for longer than a few milliseconds.
 */
const READ_BUDGET_BYTES = READ_BYTES;

/** Node's own bindings to sockets; null where this Node does not have them, and its public streams have to do. */
export const bindings: HandleBindings | null = loadHandleBindings();

/** Seconds of silence after which the kernel asks whether a peer is there: as many as it is set to. */
const SYSTEM_DELAY = 0;

/** What the kernel does with a socket by itself. */
export interface SocketOptions {
  /** Small writes leave at once (TCP_NODELAY). Default: true. */
  readonly noDelay?: boolean;
  /** It asks after a peer of which nothing is heard (SO_KEEPALIVE). Default: false. */
  readonly keepAlive?: boolean;
}

const readBuffer = Buffer.allocUnsafeSlow(READ_BYTES);

/** A request that libuv has not taken over (it had nothing to wait for) can be used again. */
let spareRequest: WriteRequest | null = null;

/**
 * A TCP socket without Node's stream machinery around it: reads go into one buffer shared by all, and a write that the kernel takes at
 * once, as nearly all do, leaves no object behind. An idle one is a few hundred bytes of ours beside Node's handle.
 *
 * See docs/decisions/0007-raw-sockets.md for why, and what happens on a Node that does not have this.
 */
export class RawSocket implements Wire {
  readonly #handle: Handle;
  readonly #turn: Turn;
  #owner: WireOwner | null = null;
  #error: Error | null = null;
  #destroyed = false;
  /** Our side is closed, or will be when what is queued has left. */
  #ending = false;
  #shut = false;
  /** The peer has closed its side. */
  #peerEnded = false;
  #paused = false;
  /** Writes that the kernel has not taken whole. */
  #pendingWrites = 0;
  /** The turn in which `#readBytes` were read. */
  #readTurn = -1;
  #readBytes = 0;

  /** @param handle as accepted, and nobody else's */
  constructor(handle: Handle, turn: Turn, { noDelay = true, keepAlive = false }: SocketOptions = {}) {
    this.#handle = handle;
    this.#turn = turn;
    handle.owner = this;
    if (noDelay) handle.setNoDelay(true);
    if (keepAlive) handle.setKeepAlive(true, SYSTEM_DELAY);
  }

  get unsentBytes(): number {
    return this.#pendingWrites === 0 ? 0 : this.#handle.writeQueueSize;
  }

  get destroyed(): boolean {
    return this.#destroyed;
  }

  /** `127.0.0.1:51234`: the other end. */
  get remoteAddress(): string {
    const out: { address?: string; port?: number } = {};
    this.#handle.getpeername(out);
    return formatEndpoint({ address: out.address ?? 'unknown', port: out.port ?? 0 });
  }

  start(owner: WireOwner): void {
    this.#owner = owner;
    this.#handle.onread = onRead;
    this.#handle.useUserBuffer(readBuffer);
    this.#handle.readStart();
  }

  send(bytes: Buffer): void {
    if (this.#ending || this.#destroyed) return;
    const request = takeRequest();
    const status = this.#handle.writeBuffer(request, bytes);
    this.#sent(status, request, bytes);
  }

  sendAll(pieces: Buffer[]): void {
    if (this.#ending || this.#destroyed) return;
    const request = takeRequest();
    const status = this.#handle.writev(request, pieces, true);
    this.#sent(status, request, pieces);
  }

  end(): void {
    if (this.#ending || this.#destroyed) return;
    this.#ending = true;
    const request = new bindings!.ShutdownWrap();
    request.oncomplete = onShutdown;
    request.handle = this.#handle;
    const status = this.#handle.shutdown(request);
    if (status !== 0) this.#fail('shutdown', status);
  }

  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#handle.readStop();
    this.#handle.close(onClosed);
  }

  pause(): void {
    this.#paused = true;
    if (!this.#destroyed) this.#handle.readStop();
  }

  resume(): void {
    this.#paused = false;
    this.readOn();
  }

  /** Reads again after the turn in which it had read its share. */
  readOn(): void {
    if (!this.#paused && !this.#destroyed) this.#handle.readStart();
  }

  /** @param result as libuv gives it: bytes, or a negative error */
  read(result: number): void {
    if (this.#destroyed) return;
    if (result > 0) {
      this.#owner!.onData(readBuffer, 0, result);
      this.#countRead(result);
    } else if (result === bindings!.UV_EOF) {
      this.#peerEnded = true;
      this.#owner!.onEnd();
      this.end();
      if (this.#shut) this.destroy();
    } else if (result < 0) {
      this.#fail('read', result);
    }
  }

  writeDone(status: number): void {
    this.#pendingWrites--;
    if (this.#destroyed) return;
    if (status < 0) this.#fail('write', status);
    else if (this.#pendingWrites === 0 && this.#handle.writeQueueSize === 0) this.#owner!.onDrain();
  }

  shutdownDone(): void {
    this.#shut = true;
    if (this.#peerEnded) this.destroy();
  }

  closed(): void {
    this.#owner?.onClose(this.#error);
  }

  #countRead(bytes: number): void {
    if (this.#readTurn !== this.#turn.number) {
      this.#readTurn = this.#turn.number;
      this.#readBytes = 0;
    }
    this.#readBytes += bytes;
    if (this.#readBytes < READ_BUDGET_BYTES || this.#destroyed || this.#paused) return;
    this.#handle.readStop();
    this.#turn.readOn(this);
  }

  #sent(status: number, request: WriteRequest, bytes: Buffer | Buffer[]): void {
    if (status !== 0) {
      spareRequest = request;
      this.#fail('write', status);
    } else if (bindings!.state[bindings!.kLastWriteWasAsync] === 0) {
      spareRequest = request;
    } else {
      request.handle = this.#handle;
      request.bytes = bytes; // what libuv still has to send must not be collected
      this.#pendingWrites++;
    }
  }

  #fail(call: string, status: number): void {
    const code = getSystemErrorName(status);
    this.#error ??= Object.assign(new Error(`${call} ${code}`), { code, syscall: call });
    this.destroy();
  }
}

function takeRequest(): WriteRequest {
  const spare = spareRequest;
  if (spare !== null) {
    spareRequest = null;
    return spare;
  }
  const request = new bindings!.WriteWrap();
  request.oncomplete = onWritten;
  return request;
}

function onRead(this: Handle): void {
  (this.owner as RawSocket).read(bindings!.state[bindings!.kReadBytesOrError]!);
}

function onWritten(this: WriteRequest, status: number): void {
  (this.handle!.owner as RawSocket).writeDone(status);
}

function onShutdown(this: { handle: Handle | null }): void {
  (this.handle!.owner as RawSocket).shutdownDone();
}

function onClosed(this: Handle): void {
  (this.owner as RawSocket).closed();
}
