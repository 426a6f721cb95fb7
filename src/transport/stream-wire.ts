import type { Duplex } from 'node:stream';
import type { Wire, WireOwner } from './wire.ts';

/** One of Node's streams as a wire: a socket, or what TLS has made of it. */
export class StreamWire implements Wire {
  readonly #stream: Duplex;
  /** What the stream had not passed on when it was last asked; it is asked after each write. */
  #unsentBytes = 0;
  #error: Error | null = null;

  constructor(stream: Duplex) {
    this.#stream = stream;
  }

  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  get destroyed(): boolean {
    return this.#stream.destroyed;
  }

  start(owner: WireOwner): void {
    const stream = this.#stream;
    stream.on('error', (error) => {
      this.#error ??= error;
    });
    // The stream closes its side when the peer has: what this turn has gathered must leave before.
    stream.prependListener('end', () => owner.onEnd());
    stream.on('drain', () => {
      this.#unsentBytes = 0;
      owner.onDrain();
    });
    stream.on('close', () => owner.onClose(this.#error));
    stream.on('data', (chunk: Buffer) => owner.onData(chunk, 0, chunk.length));
  }

  send(bytes: Buffer): void {
    this.#stream.write(bytes);
    this.#unsentBytes = this.#stream.writableLength;
  }

  sendAll(pieces: Buffer[]): void {
    const stream = this.#stream;
    stream.cork();
    for (const piece of pieces) stream.write(piece);
    stream.uncork();
    this.#unsentBytes = stream.writableLength;
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
}
