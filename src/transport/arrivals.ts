import type { Socket } from 'node:net';
import type { Arrival, Stage } from './stage.ts';
import { addressOf } from './tcp-connection.ts';

/**
 * Sockets of one connector that may be within its stages at once. Each costs what a half-done handshake costs (TLS: some tens of
 * kilobytes), and is no connection yet. Beyond it the one that has been at it for longest has to go: whoever opens sockets and is silent
 * keeps nobody out.
 */
export const ARRIVALS_MAX = 1_000;

const NO_BYTES = Buffer.alloc(0);

export interface ArrivalsOptions {
  /** Not empty. */
  readonly stages: readonly Stage[];
  /** Time for all stages together, in milliseconds; 0: no bound. */
  readonly timeoutMs: number;
  onArrived(arrival: Arrival): void;
  /** @param stage the name of the stage that it did not get through */
  onFailed(arrival: Arrival, stage: string, reason: string): void;
}

/** One socket and the stage it is in. */
interface Pending {
  arrival: Arrival;
  stage: Stage;
  /** It was said to have failed, and only has to close. */
  failed: boolean;
}

/** The sockets of one connector that are on their way through its stages. */
export class Arrivals {
  readonly #options: ArrivalsOptions;
  /** By accepted socket, the oldest first. */
  readonly #pending = new Map<Socket, Pending>();

  constructor(options: ArrivalsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#pending.size;
  }

  admit(socket: Socket): void {
    const { stages, timeoutMs } = this.#options;
    if (this.#pending.size >= ARRIVALS_MAX) this.#dropOldest();
    const pending: Pending = {
      arrival: { socket, stream: socket, head: NO_BYTES, remoteAddress: addressOf(socket), peerCertificate: null },
      stage: stages[0]!,
      failed: false,
    };
    this.#pending.set(socket, pending);
    const timer = timeoutMs === 0 ? null : setTimeout(() => this.#expire(socket, pending), timeoutMs);
    const leave = (): void => {
      if (timer !== null) clearTimeout(timer);
      socket.off('close', leave);
      this.#pending.delete(socket);
    };
    socket.on('close', leave);
    // Whoever reads the socket hears of its errors, too; this only keeps one between two stages from being nobody's.
    socket.on('error', () => {});
    this.#begin(pending, 0, leave);
  }

  /** Destroys all that are still on their way. */
  close(): void {
    for (const socket of this.#pending.keys()) socket.destroy();
  }

  #begin(pending: Pending, index: number, leave: () => void): void {
    const stage = this.#options.stages[index];
    if (stage === undefined) {
      leave();
      this.#options.onArrived(pending.arrival);
      return;
    }
    pending.stage = stage;
    stage.begin(pending.arrival, {
      done: (arrival) => {
        if (pending.failed) return;
        pending.arrival = arrival;
        this.#begin(pending, index + 1, leave);
      },
      failed: (reason) => this.#fail(pending, reason),
    });
  }

  #dropOldest(): void {
    for (const [socket, pending] of this.#pending) {
      this.#fail(pending, `still not done when ${ARRIVALS_MAX} others had come`);
      socket.destroy();
      this.#pending.delete(socket);
      return;
    }
  }

  #expire(socket: Socket, pending: Pending): void {
    this.#fail(pending, `not done within ${this.#options.timeoutMs} ms`);
    socket.destroy();
  }

  #fail(pending: Pending, reason: string): void {
    if (pending.failed) return;
    pending.failed = true;
    this.#options.onFailed(pending.arrival, pending.stage.name, reason);
  }
}
