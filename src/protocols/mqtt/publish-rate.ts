import type { BrokerCounters } from '../../core/counters.ts';
import type { Limits } from '../../core/limits.ts';
import { TokenBucket } from '../../timing/token-bucket.ts';

/**
 * How fast one connection publishes, against `publishMessagesPerSecond` and `publishBytesPerSecond`.
 *
 * Nothing is counted a message: what a chunk of input has added to the broker's counters is this connection's, since a chunk is handled in
 * one go. A chunk that goes beyond the rate is taken, and paid for by a pause.
 */
export class PublishRate {
  readonly #counters: BrokerCounters;
  readonly #messages: TokenBucket | null;
  readonly #bytes: TokenBucket | null;
  #messagesBefore = 0;
  #bytesBefore = 0;

  constructor(limits: Limits, counters: BrokerCounters, nowMs: number) {
    const bucket = (perSecond: number) => (perSecond === 0 ? null : new TokenBucket(perSecond, perSecond, nowMs));
    this.#counters = counters;
    this.#messages = bucket(limits.publishMessagesPerSecond);
    this.#bytes = bucket(limits.publishBytesPerSecond);
  }

  /** null where there is no such limit. */
  static create(limits: Limits, counters: BrokerCounters, nowMs: number): PublishRate | null {
    if (limits.publishMessagesPerSecond === 0 && limits.publishBytesPerSecond === 0) return null;
    return new PublishRate(limits, counters, nowMs);
  }

  /** A chunk of input begins. */
  begin(): void {
    this.#messagesBefore = this.#published();
    this.#bytesBefore = this.#counters.publishBytesReceived;
  }

  /** It has been handled: null, or the limit that it went beyond and for how many milliseconds there is to be a pause. */
  end(nowMs: number): { readonly limit: 'publishMessagesPerSecond' | 'publishBytesPerSecond'; readonly pauseMs: number } | null {
    const messagesMs = this.#messages?.spend(this.#published() - this.#messagesBefore, nowMs) ?? 0;
    const bytesMs = this.#bytes?.spend(this.#counters.publishBytesReceived - this.#bytesBefore, nowMs) ?? 0;
    if (messagesMs === 0 && bytesMs === 0) return null;
    return messagesMs >= bytesMs
      ? { limit: 'publishMessagesPerSecond', pauseMs: messagesMs }
      : { limit: 'publishBytesPerSecond', pauseMs: bytesMs };
  }

  #published(): number {
    const [qos0, qos1, qos2] = this.#counters.publishReceived;
    return qos0 + qos1 + qos2;
  }
}
