import type { Facts, Log } from '../telemetry/log.ts';
import type { BrokerCounters } from './counters.ts';
import type { UsageName } from './limits.ts';
import type { Message } from './message.ts';
import { Retries } from './retries.ts';
import type { TopicMemory } from './topic-memory.ts';

/** What keeping a message somewhere takes; combined as bits. 0: nothing, it leaves at once. */
export const MEMORY = 1;
export const STORE = 2;

export interface UsageLimits {
  /** Bytes of memory for messages; Infinity: no limit. */
  readonly memoryBytes: number;
  /** Bytes of journal files. */
  readonly storeBytes: number;
  /** Bytes of temporary files. */
  readonly tempBytes: number;
  /** Whether publishers that can be told are refused at once, instead of waiting. */
  readonly sendFailIfNoSpace: boolean;
  /** ...or when they have waited for so long, in milliseconds; 0: they are not. */
  readonly sendFailIfNoSpaceAfterTimeoutMs: number;
}

const UNLIMITED: UsageLimits = {
  memoryBytes: Number.POSITIVE_INFINITY,
  storeBytes: Number.POSITIVE_INFINITY,
  tempBytes: Number.POSITIVE_INFINITY,
  sendFailIfNoSpace: false,
  sendFailIfNoSpaceAfterTimeoutMs: 0,
};

/**
 * What a message costs beside its bytes while it is kept: the object, its buffer and an entry in a queue, in bytes. Measured, and rounded
 * up; without it a million small messages would be ten times as large as they seem.
 */
export const MESSAGE_BYTES = 512;

/** What one more who keeps the same message costs: an entry in a queue, in bytes. */
export const HOLDER_BYTES = 128;

/** The share of the memory limit from which on messages are paged to disk, where they can be: ActiveMQ's `cursorMemoryHighWaterMark`. */
const PAGING_SHARE = 0.7;

/** The share of the memory limit from which on waiting publications are no longer read ahead, whoever's they are. */
const PARKED_SHARE_MAX = 0.1;

/** Between two lines in the log while publishers wait, in milliseconds: ActiveMQ's default of `blockedProducerWarningInterval`. */
export const WARNING_INTERVAL_MS = 30_000;

/** Somebody who has something to publish that there is no room for. */
export interface WaitingPublisher {
  /** Who it is and what it publishes, for the log. */
  facts(): Facts;
  /** There is room: it publishes what it can. It waits no more, unless it says so again. */
  goOn(): void;
  /** There is no more room than before, but what it has may need none any more. It waits on, unless it leaves. Left out: that changes nothing. */
  retry?(): void;
}

/** How those who wait at a gauge are told of and tried. */
export interface WaitOptions {
  /** The limit, for the log. */
  readonly limit: string;
  /** What the log says of the gauge. */
  readonly facts: Facts;
  /** Between two lines in the log, in milliseconds; 0: there is none. */
  readonly warningIntervalMs: number;
  readonly retries: Retries;
  /** Called when nobody has waited for a whole interval. */
  onQuiet(): void;
}

/**
 * Bytes in use against one limit, and who waits for there to be fewer. Whoever takes bytes adds them, and subtracts the same when it gives
 * them up.
 */
export class Gauge {
  readonly name: UsageName;
  bytes = 0;
  /** Whether the limit is reached. */
  isFull = false;
  #limitBytes = Number.POSITIVE_INFINITY;
  readonly #counters: BrokerCounters;
  readonly #log: Log;
  readonly #onTurn: () => void;
  /** In the order in which they began to wait. */
  readonly #waiting = new Set<WaitingPublisher>();
  #wakes = false;
  /** While somebody waits, and until a whole interval has passed without anybody. */
  #watch: NodeJS.Timeout | null = null;
  #waitedSinceLine = 0;
  readonly #options: WaitOptions;

  /** @param onTurn called when the limit is reached, and when it no longer is */
  constructor(name: UsageName, counters: BrokerCounters, log: Log, onTurn: () => void, options: Partial<WaitOptions> = {}) {
    this.name = name;
    this.#options = {
      limit: 'a limit of systemUsage',
      facts: {},
      warningIntervalMs: WARNING_INTERVAL_MS,
      retries: new Retries(),
      onQuiet: () => {},
      ...options,
    };
    this.#onTurn = onTurn;
    this.#counters = counters;
    this.#log = log;
  }

  /** Whole percent of the limit; 0 without one. */
  get percent(): number {
    return this.limitBytes === 0 ? 100 : Math.floor((this.bytes / this.limitBytes) * 100);
  }

  /** Publishers that wait for room here. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Nothing is in use, and nobody has waited for a while. */
  get isIdle(): boolean {
    return this.bytes === 0 && this.#watch === null;
  }

  /** Infinity: none. */
  get limitBytes(): number {
    return this.#limitBytes;
  }

  /** Before anybody connects; that of a disk may rise after that. */
  set limitBytes(bytes: number) {
    this.#limitBytes = bytes;
    this.#turn();
  }

  add(bytes: number): void {
    this.bytes += bytes;
    if (!this.isFull && this.bytes >= this.#limitBytes) this.#turn();
  }

  subtract(bytes: number): void {
    this.bytes -= bytes;
    if (this.isFull && this.bytes < this.#limitBytes) this.#turn();
  }

  /** For what is measured and not counted. */
  set(bytes: number): void {
    this.bytes = bytes;
    if (this.isFull !== bytes >= this.#limitBytes) this.#turn();
  }

  /** The limit is reached, or no longer. */
  #turn(): void {
    this.isFull = this.bytes >= this.#limitBytes;
    this.#onTurn();
    if (!this.isFull && this.#waiting.size > 0) this.#wake();
  }

  /** The publisher is called when there is room, once, after those that came before it. */
  wait(publisher: WaitingPublisher): void {
    this.#counters.refusedBy[this.name]++;
    this.waitOn(publisher);
  }

  /** As `wait`, for one that has waited already. */
  waitOn(publisher: WaitingPublisher): void {
    this.#waiting.add(publisher);
    this.#waitedSinceLine++;
    this.#options.retries.add(publisher);
    if (this.#watch !== null) return;
    this.#warn('reached', publisher.facts());
    this.#lookLater();
  }

  /** It does not wait any more. */
  leave(publisher: WaitingPublisher): void {
    this.#waiting.delete(publisher);
    this.#options.retries.delete(publisher);
  }

  /** Nobody waits any more: the broker stops. */
  close(): void {
    this.#waiting.clear();
    if (this.#watch !== null) clearTimeout(this.#watch);
    this.#watch = null;
    this.#options.retries.close();
  }

  #lookLater(): void {
    this.#watch = setTimeout(() => this.#look(), this.#options.warningIntervalMs || WARNING_INTERVAL_MS);
    this.#watch.unref();
  }

  #look(): void {
    if (this.#waitedSinceLine > 0 || this.#waiting.size > 0) {
      const [longest] = this.#waiting;
      this.#warn('still reached', longest?.facts() ?? {});
      this.#lookLater();
      return;
    }
    this.#watch = null;
    const { facts, warningIntervalMs, onQuiet } = this.#options;
    if (warningIntervalMs > 0) this.#log.info('publishers do not wait any more', { limit: this.name, percent: this.percent, ...facts });
    onQuiet();
  }

  #warn(state: 'reached' | 'still reached', facts: Facts): void {
    this.#waitedSinceLine = 0;
    const { limit, warningIntervalMs, facts: own } = this.#options;
    if (warningIntervalMs === 0) return;
    const { name, bytes, limitBytes, percent, waiting } = this;
    this.#log.warn(`publishers wait: ${limit} is ${state}`, { limit: name, bytes, limitBytes, percent, waiting, ...facts, ...own });
  }

  /** Not from within whatever has given bytes up. */
  #wake(): void {
    if (this.#wakes) return;
    this.#wakes = true;
    setImmediate(() => {
      this.#wakes = false;
      // Who has to wait again is behind all others, and has its next turn then.
      for (let left = this.#waiting.size; left > 0 && !this.isFull; left--) {
        const [first] = this.#waiting;
        if (first === undefined) return;
        this.leave(first);
        first.goOn();
      }
    });
  }
}

/** A message that is on disk until its turn comes. */
export interface Spilled {
  /** `Message.size`. */
  readonly size: number;
  /** `Message.expiresAtMs`. */
  readonly expiresAtMs: number;
}

/** Where messages wait that there is little memory for. */
export interface Spill {
  /** Takes a message, once for all who keep it: each of them releases it. null: there is no room, it stays in memory. */
  take(message: Message): Spilled | null;
  /** null when the disk has damaged it. */
  read(spilled: Spilled): Message | null;
  release(spilled: Spilled): void;
}

/**
 * What the broker's messages take of memory and disk, against `<systemUsage>`.
 *
 *     memory   0 ─────────────── 70 % ─────────────── 100 %
 *              kept in memory │ paged: stored ones     │ publishers wait whose message
 *                             │ leave the cache, others │ would have to be kept
 *                             │ go to temporary files   │
 *     store    0 ─────────────────────────────────────── 100 %: who publishes for the store waits
 *     temp     0 ─────────────────────────────────────── 100 %: nothing more is paged there, memory fills up
 *
 * Counting is an addition and a comparison wherever a message begins or ceases to be kept; the publish path asks `isShort`.
 */
export class Usage {
  readonly memory: Gauge;
  readonly store: Gauge;
  readonly temp: Gauge;
  /** Whether some messages cannot be published: see `Broker.shortage`. */
  isShort = false;
  /** null: there is no disk to page to. Set before anybody connects. */
  spill: Spill | null = null;
  /** null: no policy has a `memoryLimit`. Set before anybody connects. */
  topics: TopicMemory | null = null;
  /** Called when memory is full: whoever has something there that is on disk, too, lets it go. */
  giveWay: () => void = () => {};
  #limits = UNLIMITED;
  #pagingFromBytes = Number.POSITIVE_INFINITY;
  #parkedBytes = 0;

  constructor(counters: BrokerCounters, log: Log) {
    const onTurn = (): void => this.turned();
    this.memory = new Gauge('memoryUsage', counters, log, onTurn);
    this.store = new Gauge('storeUsage', counters, log, onTurn);
    this.temp = new Gauge('tempUsage', counters, log, () => {});
  }

  /** None, until they are set: before anybody connects, when it is known what the machine has. Those of the disk may be raised after that. */
  get limits(): UsageLimits {
    return this.#limits;
  }

  set limits(limits: UsageLimits) {
    this.#limits = limits;
    this.memory.limitBytes = limits.memoryBytes;
    this.store.limitBytes = limits.storeBytes;
    this.temp.limitBytes = limits.tempBytes;
    this.#pagingFromBytes = limits.memoryBytes * PAGING_SHARE;
  }

  /** A limit is reached, or no longer. */
  turned(): void {
    this.isShort = this.isSystemShort || this.topics?.isShort === true;
  }

  /** Whether `<systemUsage>` leaves no room for some messages. */
  get isSystemShort(): boolean {
    return this.memory.isFull || this.store.isFull;
  }

  /** Whether memory is to be saved by keeping messages on disk. */
  get isPaging(): boolean {
    return this.memory.bytes >= this.#pagingFromBytes;
  }

  /** Publishers that wait. */
  get waiting(): number {
    return this.memory.waiting + this.store.waiting + (this.topics?.waiting ?? 0);
  }

  /** One more keeps the message in memory. */
  hold(message: Message): void {
    this.memory.add(message.holders++ === 0 ? message.size + MESSAGE_BYTES : HOLDER_BYTES);
  }

  /** One less does. */
  release(message: Message): void {
    this.memory.subtract(--message.holders === 0 ? message.size + MESSAGE_BYTES : HOLDER_BYTES);
  }

  /** As `hold`, by one for whom the message waits: it counts for its topic, too. */
  holdWaiting(message: Message): void {
    this.hold(message);
    if (this.topics !== null) this.topics.hold(message);
  }

  /** One for whom it waited does no more. */
  releaseWaiting(message: Message): void {
    this.release(message);
    if (message.waiters > 0) this.topics!.release(message);
  }

  /** Publications that wait take memory, too, but none that they themselves would have to wait for. */
  park(bytes: number): void {
    this.#parkedBytes += bytes;
  }

  unpark(bytes: number): void {
    this.#parkedBytes -= bytes;
  }

  /** Bytes of publications that wait: beside `memory`. */
  get parkedBytes(): number {
    return this.#parkedBytes;
  }

  /** Whether waiting publications take so much that no more are read ahead. */
  get isParkFull(): boolean {
    return this.#parkedBytes > this.memory.limitBytes * PARKED_SHARE_MAX;
  }

  /** The limit that stands in the way of a message which takes this much; null: there is room. */
  lacking(needs: number): Gauge | null {
    if ((needs & MEMORY) !== 0 && this.memory.isFull) {
      this.giveWay();
      if (this.memory.isFull) return this.memory;
    }
    return (needs & STORE) !== 0 && this.store.isFull ? this.store : null;
  }

  close(): void {
    this.memory.close();
    this.store.close();
    this.temp.close();
    this.topics?.close();
  }
}
