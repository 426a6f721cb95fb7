import { TimerEntry, type TimerWheel } from '../timing/timer-wheel.ts';
import type { Session } from './ports.ts';
import type { SessionRegistry } from './session-registry.ts';

/** Sessions visited in one turn of the event loop: a few milliseconds' worth where a visit finds nothing to do. */
const SESSIONS_A_TURN = 20_000;

/** Visits every session once in a period, so many at a time that nobody has to wait for it. */
export class SessionRounds {
  static readonly #isDue = (rounds: SessionRounds): void => rounds.#goOn();
  readonly #sessions: SessionRegistry;
  readonly #periodMs: number;
  readonly #visit: (session: Session) => void;
  readonly #timers: TimerWheel;
  readonly #timer = new TimerEntry<SessionRounds>(this, SessionRounds.#isDue);
  /** Where the round is; null between two. A session that comes or goes meanwhile is met or not. */
  #round: IterableIterator<Session> | null = null;

  constructor(options: {
    readonly sessions: SessionRegistry;
    readonly periodMs: number;
    readonly visit: (session: Session) => void;
    readonly timers: TimerWheel;
  }) {
    this.#sessions = options.sessions;
    this.#periodMs = options.periodMs;
    this.#visit = options.visit;
    this.#timers = options.timers;
  }

  start(): void {
    this.#timers.schedule(this.#timer, this.#periodMs);
  }

  stop(): void {
    this.#timers.cancel(this.#timer);
    this.#round = null;
  }

  #goOn(): void {
    this.#round ??= this.#sessions.values();
    for (let visited = 0; visited < SESSIONS_A_TURN; visited++) {
      const { done, value } = this.#round.next();
      if (done) {
        this.#round = null;
        this.start();
        return;
      }
      this.#visit(value);
    }
    this.#timers.schedule(this.#timer, 0); // the next tick
  }
}
