import type { Clock } from '../../timing/clock.ts';
import { TimerEntry, type TimerWheel } from '../../timing/timer-wheel.ts';

/**
 * What real connections tell about a server, when nothing else checks it.
 *
 * ```
 *              a connection failed                     its time is up
 *   trusted ───────────────────────► suspect ─────────────────────────► probation
 *      ▲                                ▲                                   │
 *      │ it served one                  └── one client is sent: the probe ──┘
 *      └── from any state
 * ```
 * A suspect is not shut out: it is tried last, after every server in good standing. On probation it takes its turn again, for one
 * client; until that one's outcome is known it is a suspect as before. So a server that is down costs at most one connection attempt
 * per period, and one that came back has traffic within that period.
 */
export class PassiveHealth {
  /** Failed connections, and how often a server in good standing became none. */
  failures = 0;
  downs = 0;
  /** When it last went from good to bad or back, on the clock's monotonic scale. */
  changedAtMs = 0;
  #standing: 'trusted' | 'suspect' | 'probation' = 'trusted';
  #failure: Failure | null = null;
  #downMs = 0;
  readonly #clock: Clock;
  readonly #wheel: TimerWheel;
  readonly #events: PassiveHealthOptions;
  readonly #timer: TimerEntry<PassiveHealth>;

  constructor(options: PassiveHealthOptions) {
    this.#clock = options.clock;
    this.#wheel = options.wheel;
    this.#events = options;
    this.#timer = new TimerEntry<PassiveHealth>(this, (health) => health.#release());
  }

  /** True when the server takes its turn as usual. */
  get trusted(): boolean {
    return this.#standing !== 'suspect';
  }

  /** True when asking it would likely cost a client a second or more, rather than a millisecond. */
  get costly(): boolean {
    return !this.trusted && (this.#failure === 'silent' || this.#failure === 'mute');
  }

  /** What its last connection died of; null when all is well. */
  get failure(): Failure | null {
    return this.#failure;
  }

  /** How long it has been failing, all times together, in milliseconds. */
  get downMs(): number {
    return this.#downMs + (this.#failure === null ? 0 : this.#clock.monotonicMs() - this.changedAtMs);
  }

  /** A connection to it failed. */
  blame(failure: Failure): void {
    this.failures++;
    if (this.#failure === null) {
      this.downs++;
      this.changedAtMs = this.#clock.monotonicMs();
      this.#events.onFailing?.(failure);
    }
    this.#failure = failure;
    this.#becomeSuspect();
    this.#events.onChange();
  }

  /** It did what `failure` said that it could not. */
  commend(evidence: Evidence): void {
    if (this.#failure === null || CURED_BY[this.#failure] > EVIDENCE_RANK[evidence]) return;
    this.#downMs = this.downMs;
    this.changedAtMs = this.#clock.monotonicMs();
    this.#failure = null;
    this.#standing = 'trusted';
    this.#wheel.cancel(this.#timer);
    this.#events.onWorking?.();
    this.#events.onChange();
  }

  /** A client is being sent to it. */
  attempt(): void {
    if (this.#standing === 'probation') this.#becomeSuspect();
  }

  #becomeSuspect(): void {
    this.#standing = 'suspect';
    this.#wheel.schedule(this.#timer, MEMORY_MS[this.#failure!]);
  }

  #release(): void {
    this.#standing = 'probation';
    this.#events.onChange();
  }
}

export interface PassiveHealthOptions {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  /** The server's standing changed, whichever way. */
  readonly onChange: () => void;
  /** For people: the first failure after all was well, and the end of it. */
  readonly onFailing?: (failure: Failure) => void;
  readonly onWorking?: () => void;
}

/**
 * - `refused` its port is closed, or the host says so: found out in a millisecond.
 * - `silent`  it did not answer the handshake in time.
 * - `closed`  it closed before its first byte, a client that another server served well.
 * - `mute`    it took a complete CONNECT and said nothing.
 */
export type Failure = 'refused' | 'silent' | 'closed' | 'mute';

/** A handshake, or a first byte: the second proves more. */
export type Evidence = 'connected' | 'answered';

const EVIDENCE_RANK: Readonly<Record<Evidence, number>> = { connected: 1, answered: 2 };
const CURED_BY: Readonly<Record<Failure, number>> = { refused: 1, silent: 1, closed: 2, mute: 2 };

/**
 * How long a failure is remembered, in milliseconds. Asking a closed port costs the probing client a millisecond, so it is asked every
 * second; one that swallows the handshake or the CONNECT costs it a second or more, so it is asked seldom.
 */
const MEMORY_MS: Readonly<Record<Failure, number>> = { refused: 1_000, silent: 10_000, closed: 1_000, mute: 10_000 };
