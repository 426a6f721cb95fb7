import type { Clock } from '../timing/clock.ts';

const PERIOD_MS = 1_000;

/** Events per second over a sliding second, as HAProxy's `rate` columns have it: this second's, plus the rest of the last one's. */
export class Rate {
  /** The most events seen in one second. */
  max = 0;
  readonly #clock: Clock;
  #startedAtMs: number;
  #current = 0;
  #previous = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedAtMs = clock.monotonicMs();
  }

  count(): void {
    this.#turn(this.#clock.monotonicMs());
    this.#current++;
    if (this.#current > this.max) this.max = this.#current;
  }

  get perSecond(): number {
    const nowMs = this.#clock.monotonicMs();
    this.#turn(nowMs);
    const left = (PERIOD_MS - (nowMs - this.#startedAtMs)) / PERIOD_MS;
    return this.#current + Math.floor(this.#previous * left);
  }

  /** Milliseconds until fewer than `limit` events lie in the sliding second; 0 when that is so now. */
  waitMs(limit: number): number {
    if (this.perSecond < limit) return 0;
    const elapsedMs = this.#clock.monotonicMs() - this.#startedAtMs;
    if (this.#current >= limit) return PERIOD_MS - elapsedMs + PERIOD_MS / limit;
    return Math.max(1, (1 - (limit - this.#current) / this.#previous) * PERIOD_MS - elapsedMs);
  }

  #turn(nowMs: number): void {
    const elapsedMs = nowMs - this.#startedAtMs;
    if (elapsedMs < PERIOD_MS) return;
    this.#previous = elapsedMs < 2 * PERIOD_MS ? this.#current : 0;
    this.#current = 0;
    this.#startedAtMs = nowMs - (elapsedMs % PERIOD_MS);
  }
}

/** HAProxy's "Avg over last 1024 success. conn.". */
const SAMPLES_MAX = 1_024;

/** Largest and average value of the last 1024, in whole milliseconds; the average of more is a sliding one that needs no list. */
export class Timing {
  max = 0;
  #sum = 0;
  #samples = 0;

  add(ms: number): void {
    if (ms > this.max) this.max = ms;
    if (this.#samples < SAMPLES_MAX) {
      this.#samples++;
      this.#sum += ms;
      return;
    }
    this.#sum += ms - Math.ceil(this.#sum / SAMPLES_MAX);
  }

  get average(): number {
    return this.#samples === 0 ? 0 : Math.ceil(this.#sum / this.#samples);
  }
}

/** A number that rises and falls, and the highest it has been. */
export class Gauge {
  max = 0;
  #value = 0;

  get value(): number {
    return this.#value;
  }

  rise(): void {
    this.#value++;
    if (this.#value > this.max) this.max = this.#value;
  }

  fall(): void {
    this.#value--;
  }
}

/** What a server and its backend both count; named after the columns of the statistics page. */
export class Tally {
  /** `scur`, `smax` */
  readonly sessions = new Gauge();
  /** `stot` */
  sessionsTotal = 0;
  /** `rate`, `rate_max` */
  readonly rate: Rate;
  /** `bin`, `bout` */
  bytesIn = 0;
  bytesOut = 0;
  /** `econ` */
  connectionErrors = 0;
  /** `eresp` */
  responseErrors = 0;
  /** `wretr`, `wredis` */
  retries = 0;
  redispatches = 0;
  /** `lbtot` */
  balanced = 0;
  /** `connect`: handshakes begun. */
  connects = 0;
  /** `cli_abrt`, `srv_abrt` */
  clientAborts = 0;
  serverAborts = 0;
  /** `lastsess` is counted from here; null before the first session. */
  lastSessionAtMs: number | null = null;
  /** `qtime`, `ctime`, `ttime` and their `_max`, of sessions that reached a server. */
  readonly queueTime = new Timing();
  readonly connectTime = new Timing();
  readonly totalTime = new Timing();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.rate = new Rate(clock);
  }

  countSession(): void {
    this.sessionsTotal++;
    this.rate.count();
    this.lastSessionAtMs = this.#clock.monotonicMs();
  }

  countTimes(queueMs: number, connectMs: number, totalMs: number): void {
    this.queueTime.add(queueMs);
    this.connectTime.add(connectMs);
    this.totalTime.add(totalMs);
  }
}
