import type { Limits } from '../../core/limits.ts';
import { TokenBucket } from '../../timing/token-bucket.ts';
import { LimitError } from './limit-error.ts';
import { CONNECTION_RATE_EXCEEDED } from './wire/reason-code.ts';

/** Client ids whose connects are counted, those that connected last. One costs about 200 bytes. */
const CLIENT_IDS_MAX = 65_536;

/** How often clients are admitted: `connectsPerSecond` by each connector, `clientConnectsPerMinute` of each client id. */
export class ConnectRates {
  readonly #limits: Limits;
  readonly #byConnector = new Map<string, TokenBucket>();
  /** The one that connected longest ago first. */
  readonly #byClientId = new Map<string, TokenBucket>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** @throws LimitError MQTT_CONNECTION_RATE_EXCEEDED */
  countConnect(connector: string, nowMs: number): void {
    const perSecond = this.#limits.connectsPerSecond;
    if (perSecond === 0) return;
    let bucket = this.#byConnector.get(connector);
    if (bucket === undefined) {
      bucket = new TokenBucket(perSecond, perSecond, nowMs);
      this.#byConnector.set(connector, bucket);
    }
    if (!bucket.tryTake(nowMs))
      throw new LimitError(
        'MQTT_CONNECTION_RATE_EXCEEDED',
        `more than ${perSecond} clients a second connect`,
        CONNECTION_RATE_EXCEEDED,
        'connectsPerSecond',
      );
  }

  /** @throws LimitError MQTT_CONNECTION_RATE_EXCEEDED */
  countClient(clientId: string, nowMs: number): void {
    const perMinute = this.#limits.clientConnectsPerMinute;
    if (perMinute === 0) return;
    const bucket = this.#byClientId.get(clientId) ?? new TokenBucket(perMinute / 60, perMinute, nowMs);
    this.#byClientId.delete(clientId);
    this.#byClientId.set(clientId, bucket);
    if (this.#byClientId.size > CLIENT_IDS_MAX) this.#byClientId.delete(this.#byClientId.keys().next().value!);
    if (!bucket.tryTake(nowMs))
      throw new LimitError(
        'MQTT_CONNECTION_RATE_EXCEEDED',
        `this client id connects more than ${perMinute} times a minute`,
        CONNECTION_RATE_EXCEEDED,
        'clientConnectsPerMinute',
      );
  }
}
