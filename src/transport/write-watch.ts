/** How often within the time allowed it is looked whether a peer takes what it is sent. */
const LOOKS = 4;
/** Shortest time between two looks, in milliseconds. */
const LOOK_MS_MIN = 50;

/** Something that is written to. */
export interface Written {
  /** Bytes that the kernel has not taken. */
  readonly unsentBytes: number;
  /** Bytes that the kernel has taken since the beginning. */
  readonly sentBytes: number;
  destroy(): void;
}

/** How much had been taken when it was last seen to be more, and when that was. */
interface Stall {
  readonly sentBytes: number;
  readonly sinceMs: number;
}

/**
 * Closes what takes nothing of what it is sent for a while. Connections are looked at from time to time, so that writing to them costs
 * nothing more.
 */
export class WriteWatch<C extends Written> {
  readonly #timeoutMs: number;
  readonly #connections: () => Iterable<C>;
  readonly #onStalled: (connection: C) => void;
  readonly #nowMs: () => number;
  /** Those that had something unsent at the last look. */
  #stalled = new Map<C, Stall>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: {
    timeoutMs: number;
    connections: () => Iterable<C>;
    onStalled: (connection: C) => void;
    nowMs?: () => number;
  }) {
    this.#timeoutMs = options.timeoutMs;
    this.#connections = options.connections;
    this.#onStalled = options.onStalled;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#timer = setInterval(() => this.look(), Math.max(LOOK_MS_MIN, options.timeoutMs / LOOKS)).unref();
  }

  look(): void {
    const now = this.#nowMs();
    const stalled = new Map<C, Stall>();
    for (const connection of this.#connections()) {
      if (connection.unsentBytes === 0) continue;
      const { sentBytes } = connection;
      const before = this.#stalled.get(connection);
      const since = before?.sentBytes === sentBytes ? before : { sentBytes, sinceMs: now };
      if (now - since.sinceMs >= this.#timeoutMs) {
        this.#onStalled(connection);
        connection.destroy();
      } else {
        stalled.set(connection, since);
      }
    }
    this.#stalled = stalled;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
