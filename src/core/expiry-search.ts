import { type Clock, systemClock } from '../timing/clock.ts';
import { TimerEntry, TimerWheel } from '../timing/timer-wheel.ts';
import type { Broker } from './broker.ts';
import { SessionRounds } from './session-rounds.ts';

/** Retained messages looked at in one turn of the event loop: about a millisecond's worth. */
const RETAINED_A_TURN = 10_000;

/**
 * Looks for messages that have expired, in sessions and among the retained ones, so that they take no room until somebody asks for them. Nobody
 * is ever sent one: that does not depend on this.
 */
export class ExpirySearch {
  static readonly #isDue = (search: ExpirySearch): void => search.#searchRetained();
  readonly #broker: Broker;
  readonly #periodMs: number;
  readonly #timers: TimerWheel;
  readonly #sessions: SessionRounds;
  readonly #timer = new TimerEntry<ExpirySearch>(this, ExpirySearch.#isDue);

  constructor(broker: Broker, periodMs: number, clock: Clock = systemClock) {
    this.#broker = broker;
    this.#periodMs = periodMs;
    this.#timers = new TimerWheel({ clock });
    this.#sessions = new SessionRounds({
      sessions: broker.sessions,
      periodMs,
      visit: (session) => session.removeExpired(),
      timers: this.#timers,
    });
  }

  start(): void {
    this.#sessions.start();
    this.#timers.schedule(this.#timer, this.#periodMs);
  }

  stop(): void {
    this.#timers.clear();
  }

  /** For tests with a clock of their own: does what is due. */
  advance(): void {
    this.#timers.advance();
  }

  #searchRetained(): void {
    const isDone = this.#broker.removeExpiredRetained(RETAINED_A_TURN);
    this.#timers.schedule(this.#timer, isDone ? this.#periodMs : 0);
  }
}
