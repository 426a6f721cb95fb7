import { type Clock, systemClock } from '../timing/clock.ts';
import { TimerEntry, TimerWheel } from '../timing/timer-wheel.ts';
import type { Broker } from './broker.ts';
import { LOAD_PERIODS, LoadAverage } from './load-average.ts';
import { Message } from './message.ts';
import type { Traffic } from './ports.ts';
import { SYS_LOADS, SYS_VALUES, type SysSnapshot, takeSnapshot } from './sys-values.ts';

export interface SysTopicsOptions {
  readonly broker: Broker;
  /** Of the program. */
  readonly version: string;
  /** 0: nothing is ever published. */
  readonly intervalSeconds: number;
  readonly traffic: Traffic;
  /** Bytes of memory in use. */
  readonly heapBytes: () => number;
  readonly clock?: Clock;
}

/**
 * What the broker says of itself: `$SYS/broker/...` with mosquitto's names, retained, at an interval, and only what has changed.
 * It stays here: linked brokers do not get it.
 */
export class SysTopics {
  static readonly #isDue = (topics: SysTopics): void => topics.#onTimer();
  readonly #options: SysTopicsOptions;
  readonly #clock: Clock;
  readonly #timers: TimerWheel;
  readonly #timer = new TimerEntry<SysTopics>(this, SysTopics.#isDue);
  readonly #loads = SYS_LOADS.map(() => new LoadAverage());
  /** What was last published, by topic. */
  readonly #published = new Map<string, string>();
  #startedAtMs = 0;
  #updatedAtMs = 0;
  #heapBytesMax = 0;

  constructor(options: SysTopicsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#timers = new TimerWheel({ clock: this.#clock });
  }

  start(): void {
    if (this.#options.intervalSeconds === 0) return;
    this.#startedAtMs = this.#clock.monotonicMs();
    this.#updatedAtMs = this.#startedAtMs;
    this.#onTimer();
  }

  stop(): void {
    this.#timers.clear();
  }

  /** Publishes what has changed since the last call. */
  update(): void {
    const { broker } = this.#options;
    const nowMs = this.#clock.monotonicMs();
    const snapshot = this.#snapshot(nowMs);
    for (const { topic, value } of SYS_VALUES) this.#publish(topic, String(value(snapshot)));
    for (const [i, { topic, total }] of SYS_LOADS.entries()) {
      const load = this.#loads[i]!;
      load.update(total(snapshot), nowMs - this.#updatedAtMs);
      for (const [j, { name }] of LOAD_PERIODS.entries()) this.#publish(`load/${topic}/${name}`, load.perMinute[j]!.toFixed(2));
    }
    const { droppedBy, refusedBy } = broker.counters;
    for (const [reason, count] of Object.entries(droppedBy)) if (count > 0) this.#publish(`publish/messages/dropped/${reason}`, `${count}`);
    for (const [limit, count] of Object.entries(refusedBy)) if (count > 0) this.#publish(`limits/refused/${limit}`, `${count}`);
    this.#updatedAtMs = nowMs;
  }

  #onTimer(): void {
    this.update();
    this.#timers.schedule(this.#timer, this.#options.intervalSeconds * 1000);
  }

  #snapshot(nowMs: number): SysSnapshot {
    const { broker, version, traffic, heapBytes } = this.#options;
    const heap = heapBytes();
    this.#heapBytesMax = Math.max(this.#heapBytesMax, heap);
    const uptimeMs = nowMs - this.#startedAtMs;
    return takeSnapshot(broker, { version, uptimeMs, traffic, heapBytes: heap, heapBytesMax: this.#heapBytesMax });
  }

  #publish(topic: string, value: string): void {
    if (this.#published.get(topic) === value) return;
    this.#published.set(topic, value);
    this.#options.broker.publishOwn(Message.of(`$SYS/broker/${topic}`, Buffer.from(value), 0, true));
  }
}
