import {
  BINARY,
  closeFrame,
  FrameReader,
  type FrameSink,
  frameHeader,
  NO_STATUS_RECEIVED,
  NORMAL_CLOSURE,
  PONG,
  WebSocketError,
} from './websocket-frame.ts';
import type { Wire, WireOwner } from './wire.ts';

/** How long the other side may take to read what is before our Close frame, and to close, in milliseconds; as long as without WebSocket. */
const CLOSE_WAIT_MS = 10_000;

/**
 * Bytes that may wait for a peer that does not read, beyond which its pings go unanswered: whoever only sends pings must not fill the
 * memory with answers. RFC 6455 section 5.5.3 asks for an answer to the latest one.
 */
const UNSENT_FOR_PONG_MAX = 65_536;

/** The bytes within the binary frames of a WebSocket, on top of another wire. What is sent at once is one message of one frame. */
export class WebSocketWire implements Wire, WireOwner, FrameSink {
  readonly #wire: Wire;
  readonly #reader: FrameReader;
  #owner: WireOwner | null = null;
  /** Our Close frame is on its way: nothing may follow it. */
  #closing = false;
  #timer: NodeJS.Timeout | null = null;
  #error: Error | null = null;

  /** @param frameSizeMax largest payload of a frame that is taken, in bytes */
  constructor(wire: Wire, frameSizeMax: number) {
    this.#wire = wire;
    this.#reader = new FrameReader(frameSizeMax);
  }

  get unsentBytes(): number {
    return this.#wire.unsentBytes;
  }

  get destroyed(): boolean {
    return this.#closing || this.#wire.destroyed;
  }

  start(owner: WireOwner): void {
    this.#owner = owner;
    this.#wire.start(this);
  }

  send(bytes: Buffer): void {
    if (!this.#closing) this.#wire.sendAll([frameHeader(BINARY, bytes.length), bytes]);
  }

  sendAll(pieces: Buffer[]): void {
    if (this.#closing) return;
    let size = 0;
    for (const piece of pieces) size += piece.length;
    this.#wire.sendAll([frameHeader(BINARY, size), ...pieces]);
  }

  end(): void {
    this.#close(NORMAL_CLOSURE, '');
  }

  destroy(): void {
    this.#closing = true;
    this.#wire.destroy();
  }

  pause(): void {
    this.#wire.pause();
  }

  resume(): void {
    this.#wire.resume();
  }

  onData(chunk: Buffer, start: number, end: number): void {
    if (this.#error !== null) return;
    try {
      this.#reader.push(chunk, start, end, this);
    } catch (error) {
      if (!(error instanceof WebSocketError)) throw error;
      this.#error = error;
      this.#close(error.closeCode, error.message);
    }
  }

  onPayload(chunk: Buffer, start: number, end: number): void {
    this.#owner!.onData(chunk, start, end);
  }

  onPing(payload: Buffer): void {
    if (this.#closing || this.#wire.unsentBytes > UNSENT_FOR_PONG_MAX) return;
    this.#wire.sendAll([frameHeader(PONG, payload.length), payload]);
  }

  /** The client says goodbye: what is gathered for it leaves before ours. */
  onCloseFrame(code: number): void {
    this.#owner!.onEnd();
    this.#close(code === NO_STATUS_RECEIVED ? NORMAL_CLOSURE : code, '');
  }

  onEnd(): void {
    this.#owner!.onEnd();
  }

  onDrain(): void {
    this.#owner!.onDrain();
  }

  onClose(error: Error | null): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#owner!.onClose(this.#error ?? error);
  }

  #close(code: number, reason: string): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#wire.send(closeFrame(code, reason));
    this.#wire.end();
    this.#timer = setTimeout(() => this.#wire.destroy(), CLOSE_WAIT_MS).unref();
  }
}
