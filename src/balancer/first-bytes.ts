import { recogniseConnect } from '../protocols/mqtt/wire/recognise-connect.ts';

/**
 * What a client said before any server answered, kept so that it can be said again to another one.
 *
 * The bound: a CONNECT has at most five fields of 64 KiB, in practice some hundred bytes. Who sends more than this before any answer is
 * passed on and tied to its server.
 */
export const FIRST_BYTES_MAX = 65_536;

export class FirstBytes {
  /** How many bytes were kept; stays when they are forgotten. */
  length = 0;
  #chunks: Buffer[] | null = [];

  /** False once they are forgotten: nothing can be said again. */
  get kept(): boolean {
    return this.#chunks !== null;
  }

  get chunks(): readonly Buffer[] {
    return this.#chunks ?? [];
  }

  /** Keeps a chunk; unless told `always`, one too many makes it forget all. */
  add(chunk: Buffer, options: { always: boolean }): void {
    if (this.#chunks === null) return;
    if (!options.always && this.length + chunk.length > FIRST_BYTES_MAX) {
      this.#chunks = null;
      return;
    }
    this.#chunks.push(chunk);
    this.length += chunk.length;
  }

  forget(): void {
    this.#chunks = null;
  }

  /**
   * Whether they are an MQTT CONNECT, the only thing that may be said twice: one that no CONNACK has answered promised nothing to anybody,
   * whatever became of the server that got it. Nothing of the kind is known of other protocols: their first bytes may have had an effect.
   */
  recognise(): ReturnType<typeof recogniseConnect> {
    if (this.#chunks === null) return 'no';
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return recogniseConnect(this.#chunks[0] ?? EMPTY);
  }
}

const EMPTY = Buffer.alloc(0);
