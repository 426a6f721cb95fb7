import type { Duplex } from 'node:stream';
import type { Wire, WireOwner } from './wire.ts';

/** One of Node's streams as a wire: a socket, or what TLS has made of it. */
export class StreamWire implements Wire {
  readonly #stream: Duplex;
  #owner: WireOwner | null = null;
  /** A write was not passed on at once: the owner is to be told when all of it has been. */
  #waiting = false;
  #error: Error | null = null;

  constructor(stream: Duplex) {
    this.#stream = stream;
  }

  get unsentBytes(): number {
    return this.#stream.writableLength;
  }

  get destroyed(): boolean {
    return this.#stream.destroyed;
  }

  start(owner: WireOwner): void {
    const stream = this.#stream;
    this.#owner = owner;
    stream.on('error', (error) => {
      this.#error ??= error;
    });
    // The stream closes its side when the peer has: what this turn has gathered must leave before.
    stream.prependListener('end', () => owner.onEnd());
    stream.on('close', () => owner.onClose(this.#error));
    stream.on('data', (chunk: Buffer) => owner.onData(chunk, 0, chunk.length));
  }

  send(bytes: Buffer): void {
    this.#stream.write(bytes, this.#onWritten);
    this.#waiting = this.#stream.writableLength > 0;
  }

  sendAll(pieces: Buffer[]): void {
    const stream = this.#stream;
    stream.cork();
    for (const piece of pieces) stream.write(piece, this.#onWritten);
    stream.uncork();
    this.#waiting = stream.writableLength > 0;
  }

  end(): void {
    this.#stream.end();
  }

  destroy(): void {
    this.#stream.destroy();
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  // Node's own 'drain' comes only after much was queued, and TLS queues everything for a moment.
  readonly #onWritten = (): void => {
    if (!this.#waiting || this.#stream.writableLength > 0 || this.#stream.destroyed) return;
    this.#waiting = false;
    this.#owner?.onDrain();
  };
}
