import type { Clock } from '../../timing/clock.ts';
import { TimerEntry, type TimerWheel } from '../../timing/timer-wheel.ts';

/** Whose keep alive it is. */
export interface KeptAlive {
  /** Whether it cannot be heard, through no fault of its own. */
  readonly isHeldBack: boolean;
  /** It has been silent for too long. */
  keepAliveExceeded(silentMs: number): void;
}

/** Watches one client's silence [MQTT-3.1.2-22]. */
export class KeepAlive {
  static readonly #fire = (keepAlive: KeepAlive): void => keepAlive.#look();
  readonly #client: KeptAlive;
  readonly #clock: Clock;
  readonly #timers: TimerWheel;
  readonly #limitMs: number;
  #heardAtMs: number;
  readonly #timer = new TimerEntry<KeepAlive>(this, KeepAlive.#fire);

  /** @param limitMs milliseconds without a packet after which the client counts as gone */
  constructor(client: KeptAlive, clock: Clock, timers: TimerWheel, limitMs: number) {
    this.#client = client;
    this.#clock = clock;
    this.#timers = timers;
    this.#limitMs = limitMs;
    this.#heardAtMs = clock.monotonicMs();
    timers.schedule(this.#timer, limitMs);
  }

  /** The client has sent something, or could not. */
  heard(): void {
    this.#heardAtMs = this.#clock.monotonicMs();
  }

  stop(): void {
    this.#timers.cancel(this.#timer);
  }

  #look(): void {
    if (this.#client.isHeldBack) this.heard();
    const silentMs = this.#clock.monotonicMs() - this.#heardAtMs;
    if (silentMs < this.#limitMs) this.#timers.schedule(this.#timer, this.#limitMs - silentMs);
    else this.#client.keepAliveExceeded(silentMs);
  }
}
