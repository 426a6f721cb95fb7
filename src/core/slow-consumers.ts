import type { Log } from '../telemetry/log.ts';
import { type Clock, systemClock } from '../timing/clock.ts';
import { TimerWheel } from '../timing/timer-wheel.ts';
import type { Broker } from './broker.ts';
import type { Session } from './ports.ts';
import { SessionRounds } from './session-rounds.ts';

/** When a client that does not keep up is disconnected: a `slowConsumerStrategy` of the file. It is one by identity. */
export interface SlowConsumerStrategy {
  /** `abortSlow`: as much waits for it as it may have in flight. `abortSlowAck`: it has been sent messages and acknowledges none. */
  readonly kind: 'abortSlow' | 'abortSlowAck';
  /** How often clients are looked at. */
  readonly checkPeriodMs: number;
  /** It is disconnected when it was found slow for so long, in whole periods... */
  readonly maxSlowDurationMs: number;
  /** ...or so many times running. Infinity for either: not for this. */
  readonly maxSlowCount: number;
  /** `abortSlowAck`: without an acknowledgement for longer than this it is slow. */
  readonly maxTimeSinceLastAckMs: number;
}

/** What is remembered of a client from one look to the next. */
interface Observed {
  /** How often it was found slow, running. */
  times: number;
  /** Its acknowledgements at the first look that saw so many, and when that was. */
  acknowledgements: number;
  sinceMs: number;
}

/** Disconnects clients that are too slow, by the strategies of their subscriptions' policies. Their sessions stay. */
export class SlowConsumers {
  readonly #broker: Broker;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #timers: TimerWheel;
  readonly #rounds: SessionRounds[];

  constructor(broker: Broker, strategies: Iterable<SlowConsumerStrategy>, clock: Clock = systemClock) {
    this.#broker = broker;
    this.#log = broker.log;
    this.#clock = clock;
    this.#timers = new TimerWheel({ clock });
    this.#rounds = [...strategies].map((strategy) => {
      const observed = new WeakMap<Session, Observed>();
      const visit = (session: Session): void => this.#look(session, strategy, observed);
      return new SessionRounds({ sessions: broker.sessions, periodMs: strategy.checkPeriodMs, visit, timers: this.#timers });
    });
  }

  start(): void {
    for (const rounds of this.#rounds) rounds.start();
  }

  stop(): void {
    for (const rounds of this.#rounds) rounds.stop();
  }

  /** For tests with a clock of their own: does what is due. */
  advance(): void {
    this.#timers.advance();
  }

  #look(session: Session, strategy: SlowConsumerStrategy, observed: WeakMap<Session, Observed>): void {
    if (!session.connected || session.slowConsumerStrategies?.has(strategy) !== true) {
      observed.delete(session);
      return;
    }
    const times = strategy.kind === 'abortSlow' ? timesBehind(session, observed) : this.#timesSilent(session, strategy, observed);
    if (times * strategy.checkPeriodMs < strategy.maxSlowDurationMs && times < strategy.maxSlowCount) return;
    observed.delete(session);
    this.#broker.counters.slowClients++;
    const { clientId, queued, inflight } = session;
    this.#log.warn('a client that does not keep up is disconnected', { clientId, strategy: strategy.kind, queued, inflight, times });
    session.dismiss({ reason: 'quotaExceeded', text: 'it does not keep up with its messages', serverReference: null });
  }

  /** How often a client with messages in flight was found not to acknowledge, running. */
  #timesSilent(session: Session, { maxTimeSinceLastAckMs }: SlowConsumerStrategy, observed: WeakMap<Session, Observed>): number {
    if (session.inflight === 0) {
      observed.delete(session);
      return 0;
    }
    const now = this.#clock.monotonicMs();
    const { acknowledgements } = session;
    const known = observed.get(session);
    if (known === undefined || known.acknowledgements !== acknowledgements) {
      observed.set(session, { times: 0, acknowledgements, sinceMs: now });
      return 0;
    }
    return now - known.sinceMs > maxTimeSinceLastAckMs ? ++known.times : 0;
  }
}

/** How often a client was found behind, running. */
function timesBehind(session: Session, observed: WeakMap<Session, Observed>): number {
  if (!session.isSlow) {
    observed.delete(session);
    return 0;
  }
  const known = observed.get(session);
  if (known !== undefined) return ++known.times;
  observed.set(session, { times: 1, acknowledgements: 0, sinceMs: 0 });
  return 1;
}
