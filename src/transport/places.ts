import type { Log } from '../telemetry/log.ts';

/**
 * Connections of one connector that may be open before they have said who they are. Twice as many as the kernel hands over at once
 * (`net.core.somaxconn`, 4,096), so that a fleet that reconnects in one moment is not taken for silence. Each costs a kilobyte or so, and
 * some tens of them while it is within TLS's handshake.
 */
export const WAITING_MAX = 8_192;

/** The same while `maximumConnections` are connected, and all that comes has to be told that there is no place for it. */
export const SURPLUS_MAX = 256;

/** A full connector counts as full until it has this share of its places free: one that is just at its limit is one overload, not many. */
const RELIEF_SHARE = 1 / 16;

/** Counts since the start. */
export interface PlaceCounters {
  /** Connections accepted. */
  accepted: number;
  /** Connections turned away because `maximumConnections` were connected, with a word or without. */
  refused: number;
  /** Connections closed because they were the oldest that had not said who they are, and too many more had come. */
  displaced: number;
  /** Connections that came, said nothing and went, as health checks do. */
  probes: number;
}

/** Something that takes up a file descriptor. */
export interface Occupant {
  destroy(): void;
}

/**
 * The places of one connector.
 *
 *     accepted ─► waiting: who it is is not known ─► admitted: has one of `maximumConnections` places ─► gone
 *
 * What waits takes no place from those that are known, so that sockets which say nothing lock nobody out: beyond a bound the one that has
 * waited for longest gives way.
 */
export class Places {
  readonly counters: PlaceCounters = { accepted: 0, refused: 0, displaced: 0, probes: 0 };
  readonly #connector: string;
  readonly #maximum: number;
  readonly #log: Log;
  readonly #waiting = new Set<Occupant>();
  readonly #admitted = new Set<Occupant>();
  /** Said once when the limit is reached: an overload must not flood the log. */
  #full = false;
  #refusedBefore = 0;
  #crowded = false;

  constructor(options: { connector: string; maximumConnections: number; log: Log }) {
    this.#connector = options.connector;
    this.#maximum = options.maximumConnections;
    this.#log = options.log;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  get admitted(): number {
    return this.#admitted.size;
  }

  /** A socket was accepted. */
  arrive(occupant: Occupant): void {
    this.counters.accepted++;
    this.#makeRoom();
    this.#waiting.add(occupant);
  }

  /** Who waited goes on waiting as somebody else: the socket has become a connection. */
  become(earlier: Occupant, later: Occupant): void {
    if (this.#waiting.delete(earlier)) this.#waiting.add(later);
  }

  /**
   * Gives a place until `leave`.
   * @param from whose place it takes over, if that has one: then there is always one
   * @returns false when none is free
   */
  admit(occupant: Occupant, from: Occupant | null): boolean {
    if (this.#admitted.has(occupant)) return true;
    const passes = from !== null && this.#admitted.delete(from);
    if (passes) this.#waiting.add(from);
    else if (this.#admitted.size >= this.#maximum) {
      this.#refuse();
      return false;
    }
    this.#waiting.delete(occupant);
    this.#admitted.add(occupant);
    return true;
  }

  /** @returns whether it was waiting */
  leave(occupant: Occupant): boolean {
    if (this.#waiting.delete(occupant)) {
      if (this.#waiting.size < WAITING_MAX / 2) this.#crowded = false;
      return true;
    }
    this.#admitted.delete(occupant);
    if (this.#full && this.#maximum - this.#admitted.size >= Math.max(1, this.#maximum * RELIEF_SHARE)) this.#relieved();
    return false;
  }

  #makeRoom(): void {
    const isFull = this.#admitted.size >= this.#maximum;
    if (this.#waiting.size < (isFull ? SURPLUS_MAX : WAITING_MAX)) return;
    const [oldest] = this.#waiting;
    this.#waiting.delete(oldest!);
    oldest!.destroy();
    if (isFull) this.#refuse();
    else this.#displace();
  }

  #refuse(): void {
    this.counters.refused++;
    if (this.#full) return;
    this.#full = true;
    this.#refusedBefore = this.counters.refused - 1;
    this.#log.warn('connector is full: further connections are turned away', {
      connector: this.#connector,
      maximumConnections: this.#maximum,
    });
  }

  #relieved(): void {
    this.#full = false;
    const refused = this.counters.refused - this.#refusedBefore;
    this.#log.info('connector has places again', { connector: this.#connector, refused });
  }

  #displace(): void {
    this.counters.displaced++;
    if (this.#crowded) return;
    this.#crowded = true;
    this.#log.warn('too many connections say nothing: the oldest of them give way', { connector: this.#connector, waiting: WAITING_MAX });
  }
}
