import { getSystemErrorName } from 'node:util';
import { loadSocketBindings, type ShutdownRequest, type TcpHandle, type WriteRequest } from './socket-bindings.ts';

const bindings = loadSocketBindings();

/** Bytes read at once, over all sockets: each read is handled before the next begins, so they share one buffer. */
const READ_BYTES = 262_144;
const readBuffer = Buffer.allocUnsafeSlow(READ_BYTES);

/** A request that libuv has not taken over (it had nothing to wait for) can be used again. */
let spareRequest: WriteRequest | null = null;

let received = 0;

/** Bytes that all sockets of this process have received. */
export function receivedBytes(): number {
  return received;
}

/** What happens to a socket. */
export interface SocketOwner {
  onConnect(): void;
  /** `bytes[0, length)` came; they are valid during the call. */
  onRead(bytes: Buffer, length: number): void;
  /** Everything has left that the kernel did not take at once. */
  onDrain(): void;
  /** @param error null where the other side just closed, or we did */
  onClose(error: Error | null): void;
}

/** A TCP connection that we began, without Node's streams around it. */
export class DialledSocket {
  readonly #handle: TcpHandle = new bindings.TCP(bindings.SOCKET);
  readonly #owner: SocketOwner;
  #isClosing = false;
  #error: Error | null = null;
  /** Writes that the kernel has not taken whole. */
  #pendingWrites = 0;
  /** What is written between cork and uncork; null outside. */
  #corked: Buffer[] | null = null;

  /** @param address of IPv4 */
  constructor(address: string, port: number, owner: SocketOwner) {
    this.#owner = owner;
    this.#handle.owner = this;
    const request = new bindings.TCPConnectWrap();
    request.oncomplete = (status) => this.#connected(status);
    const status = this.#handle.connect(request, address, port);
    if (status !== 0) setImmediate(() => this.#fail('connect', status));
  }

  /** Bytes that the kernel has not taken yet. */
  get unsentBytes(): number {
    return this.#pendingWrites === 0 ? 0 : this.#handle.writeQueueSize;
  }

  /** Sends bytes that stay unchanged until they have left. */
  write(bytes: Buffer): void {
    if (this.#isClosing) return;
    if (this.#corked !== null) {
      this.#corked.push(bytes);
      return;
    }
    const request = takeRequest();
    this.#sent(this.#handle.writeBuffer(request, bytes), request, bytes);
  }

  /** Everything written between these two leaves in one system call. */
  cork(): void {
    this.#corked ??= [];
  }

  uncork(): void {
    const pieces = this.#corked;
    this.#corked = null;
    if (pieces === null || pieces.length === 0) return;
    if (pieces.length === 1) {
      this.write(pieces[0]!);
    } else if (!this.#isClosing) {
      const request = takeRequest();
      this.#sent(this.#handle.writev(request, pieces, true), request, pieces);
    }
  }

  /** Closes our side; the other one is to follow. */
  end(): void {
    if (this.#isClosing) return;
    const request = new bindings.ShutdownWrap();
    request.handle = this.#handle;
    request.oncomplete = onShutdown;
    const status = this.#handle.shutdown(request);
    if (status !== 0) this.#fail('shutdown', status);
  }

  destroy(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#handle.close(onClosed);
  }

  read(result: number): void {
    if (this.#isClosing) return;
    if (result > 0) {
      received += result;
      this.#owner.onRead(readBuffer, result);
    } else if (result === bindings.UV_EOF) this.destroy();
    else if (result < 0) this.#fail('read', result);
  }

  writeDone(status: number): void {
    this.#pendingWrites--;
    if (this.#isClosing) return;
    if (status < 0) this.#fail('write', status);
    else if (this.#pendingWrites === 0) this.#owner.onDrain();
  }

  closed(): void {
    this.#owner.onClose(this.#error);
  }

  #connected(status: number): void {
    if (this.#isClosing) return;
    if (status !== 0) {
      this.#fail('connect', status);
      return;
    }
    this.#handle.setNoDelay(true);
    this.#handle.onread = onRead;
    this.#handle.useUserBuffer(readBuffer);
    this.#handle.readStart();
    this.#owner.onConnect();
  }

  #sent(status: number, request: WriteRequest, bytes: Buffer | Buffer[]): void {
    if (status !== 0) {
      this.#fail('write', status);
    } else if (bindings.state[bindings.kLastWriteWasAsync] === 0) {
      spareRequest = request;
    } else {
      request.handle = this.#handle;
      request.bytes = bytes; // what libuv still has to send must not be collected
      this.#pendingWrites++;
    }
  }

  #fail(call: string, status: number): void {
    this.#error ??= new Error(`${call} ${getSystemErrorName(status)}`);
    this.destroy();
  }
}

function takeRequest(): WriteRequest {
  const spare = spareRequest;
  if (spare !== null) {
    spareRequest = null;
    return spare;
  }
  const request = new bindings.WriteWrap();
  request.oncomplete = onWritten;
  return request;
}

function onRead(this: TcpHandle): void {
  (this.owner as DialledSocket).read(bindings.state[bindings.kReadBytesOrError]!);
}

function onWritten(this: WriteRequest, status: number): void {
  (this.handle!.owner as DialledSocket).writeDone(status);
}

/** The other side's end is what closes the socket. */
function onShutdown(this: ShutdownRequest): void {}

function onClosed(this: TcpHandle): void {
  (this.owner as DialledSocket).closed();
}
