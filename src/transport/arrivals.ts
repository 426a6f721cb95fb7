import type { Socket } from 'node:net';
import type { Places } from './places.ts';
import type { Arrival, Stage } from './stage.ts';

const NO_BYTES = Buffer.alloc(0);

export interface ArrivalsOptions {
  /** Not empty. */
  readonly stages: readonly Stage[];
  /** Time for all stages together, in milliseconds; 0: no bound. */
  readonly timeoutMs: number;
  /** Bounds how many are on their way. */
  readonly places: Places;
  /** @param accepted the socket by which `places` knows it */
  onArrived(arrival: Arrival, accepted: Socket): void;
  /** @param stage the name of the stage that it did not get through */
  onFailed(arrival: Arrival, stage: string, reason: string): void;
  /** It said nothing and went, as health checks do. */
  onProbe(): void;
}

const NOTHING_KNOWN = { peerCertificate: null, serverName: null, protocol: null, refusal: null } as const;

/** One socket and the stage it is in. */
interface Pending {
  arrival: Arrival;
  stage: Stage;
  /** Bytes of the accepted socket that earlier stages have used. */
  usedBytes: number;
  /** It was said to have failed, and only has to close. */
  failed: boolean;
}

/** The sockets of one connector that are on their way through its stages. */
export class Arrivals {
  readonly #options: ArrivalsOptions;
  /** By accepted socket. */
  readonly #pending = new Map<Socket, Pending>();

  constructor(options: ArrivalsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#pending.size;
  }

  admit(socket: Socket, remoteAddress: string): void {
    const { stages, timeoutMs, places } = this.#options;
    places.arrive(socket);
    const pending: Pending = {
      arrival: { socket, wire: null, head: NO_BYTES, remoteAddress, ...NOTHING_KNOWN },
      stage: stages[0]!,
      usedBytes: 0,
      failed: false,
    };
    this.#pending.set(socket, pending);
    const timer = timeoutMs === 0 ? null : setTimeout(() => this.#expire(socket, pending), timeoutMs);
    const leave = (): void => {
      if (timer !== null) clearTimeout(timer);
      socket.off('close', closed);
      this.#pending.delete(socket);
    };
    const closed = (): void => {
      leave();
      const isWaiting = places.leave(socket);
      if (isWaiting && !pending.failed && socket.bytesRead === pending.usedBytes) this.#options.onProbe();
    };
    socket.on('close', closed);
    // Whoever reads the socket hears of its errors, too; this only keeps one between two stages from being nobody's.
    socket.on('error', () => {});
    this.#begin(pending, 0, socket, leave);
  }

  /** Destroys all that are still on their way. */
  close(): void {
    for (const socket of this.#pending.keys()) socket.destroy();
  }

  #begin(pending: Pending, index: number, accepted: Socket, leave: () => void): void {
    const stage = this.#options.stages[index];
    if (stage === undefined) {
      leave();
      this.#options.onArrived(pending.arrival, accepted);
      return;
    }
    pending.stage = stage;
    stage.begin(pending.arrival, {
      done: (arrival) => {
        if (pending.failed || !this.#pending.has(accepted)) return;
        pending.arrival = arrival;
        pending.usedBytes = accepted.bytesRead - arrival.head.length;
        this.#begin(pending, index + 1, accepted, leave);
      },
      failed: (reason) => this.#fail(pending, reason),
    });
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
