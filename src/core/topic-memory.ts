import type { Log } from '../telemetry/log.ts';
import type { BrokerCounters } from './counters.ts';
import type { DestinationPolicy } from './destination-policies.ts';
import type { Message } from './message.ts';
import { Retries } from './retries.ts';
import { Gauge, HOLDER_BYTES, MESSAGE_BYTES } from './usage.ts';

/**
 * What waits in memory for subscribers, topic by topic, against `memoryLimit` of the topic's policy. It is part of what `Usage.memory`
 * counts. Topics without such a limit are not counted, and of the others those alone are known here that something waits for, or that
 * somebody has waited to publish to of late.
 */
export class TopicMemory {
  readonly #policyOf: (topic: string) => DestinationPolicy | null;
  readonly #counters: BrokerCounters;
  readonly #log: Log;
  readonly #onTurn: () => void;
  readonly #gauges = new Map<string, Gauge>();
  readonly #full = new Set<Gauge>();
  /** Of all topics together: however many are full, no more are tried at once. */
  readonly #retries = new Retries();

  /** @param onTurn called when a topic's limit is reached, and when it no longer is */
  constructor(policyOf: (topic: string) => DestinationPolicy | null, counters: BrokerCounters, log: Log, onTurn: () => void) {
    this.#policyOf = policyOf;
    this.#counters = counters;
    this.#log = log;
    this.#onTurn = onTurn;
  }

  /** Whether a topic is full. */
  get isShort(): boolean {
    return this.#full.size > 0;
  }

  /** Topics known. */
  get size(): number {
    return this.#gauges.size;
  }

  /** Publishers that wait. */
  get waiting(): number {
    let waiting = 0;
    for (const gauge of this.#gauges.values()) waiting += gauge.waiting;
    return waiting;
  }

  /** The limit that a topic has reached; null: it has not, or none. */
  fullOf(topic: string): Gauge | null {
    const gauge = this.#gauges.get(topic);
    return gauge?.isFull ? gauge : null;
  }

  /** The message waits for one more. */
  hold(message: Message): void {
    const gauge = this.#gauges.get(message.topic) ?? this.#begin(message.topic);
    gauge?.add(message.waiters++ === 0 ? message.size + MESSAGE_BYTES : HOLDER_BYTES);
  }

  /** A message that was counted waits for one less. */
  release(message: Message): void {
    const gauge = this.#gauges.get(message.topic)!;
    gauge.subtract(--message.waiters === 0 ? message.size + MESSAGE_BYTES : HOLDER_BYTES);
    this.#forget(message.topic, gauge);
  }

  close(): void {
    for (const gauge of this.#gauges.values()) gauge.close();
  }

  /** @returns null when the topic has no limit */
  #begin(topic: string): Gauge | null {
    const policy = this.#policyOf(topic);
    if (policy === null || policy.memoryLimitBytes === Number.POSITIVE_INFINITY) return null;
    const gauge: Gauge = new Gauge('memoryLimit', this.#counters, this.#log, () => this.#turned(gauge), {
      limit: 'the memoryLimit of a topic',
      facts: { topic, destination: policy.destination },
      warningIntervalMs: policy.blockedProducerWarningIntervalMs,
      retries: this.#retries,
      onQuiet: () => this.#forget(topic, gauge),
    });
    gauge.limitBytes = policy.memoryLimitBytes;
    this.#gauges.set(topic, gauge);
    return gauge;
  }

  /** One at which somebody waits, or has waited of late, stays: the next to wait there is not told of anew. */
  #forget(topic: string, gauge: Gauge): void {
    if (gauge.isIdle) this.#gauges.delete(topic);
  }

  #turned(gauge: Gauge): void {
    if (gauge.isFull) this.#full.add(gauge);
    else this.#full.delete(gauge);
    this.#onTurn();
  }
}
