import type { LimitName, Limits } from '../../core/limits.ts';
import { TokenBucket } from '../../timing/token-bucket.ts';
import { LimitError } from './limit-error.ts';
import { sourceNetwork } from './source-network.ts';
import { CONNECTION_RATE_EXCEEDED } from './wire/reason-code.ts';

/** Client ids and addresses whose connects are counted, at most: at least half as many that connected last. One costs about 200 bytes. */
const COUNTED_MAX = 65_536;

type RateLimit = Extract<LimitName, 'connectsPerSecond' | 'addressConnectsPerSecond' | 'clientConnectsPerMinute'>;

/**
 * How often clients are admitted: `addressConnectsPerSecond` from each address, `connectsPerSecond` by each connector,
 * `clientConnectsPerMinute` of each client id.
 */
export class ConnectRates {
  readonly #limits: Limits;
  readonly #byAddress = new RecentBuckets();
  readonly #byConnector = new RecentBuckets();
  readonly #byClientId = new RecentBuckets();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /**
   * The address counts first: one that is beyond its rate must not use up that of its connector.
   *
   * @throws LimitError MQTT_CONNECTION_RATE_EXCEEDED
   */
  countConnect(connector: string, remoteAddress: string, nowMs: number): void {
    const { addressConnectsPerSecond, connectsPerSecond } = this.#limits;
    if (addressConnectsPerSecond > 0) {
      const source = sourceNetwork(remoteAddress);
      if (source !== null && !this.#byAddress.bucket(source, addressConnectsPerSecond, addressConnectsPerSecond, nowMs).tryTake(nowMs))
        throw rateError(`more than ${addressConnectsPerSecond} clients a second connect from this address`, 'addressConnectsPerSecond');
    }
    if (connectsPerSecond > 0 && !this.#byConnector.bucket(connector, connectsPerSecond, connectsPerSecond, nowMs).tryTake(nowMs))
      throw rateError(`more than ${connectsPerSecond} clients a second connect`, 'connectsPerSecond');
  }

  /** @throws LimitError MQTT_CONNECTION_RATE_EXCEEDED */
  countClient(clientId: string, nowMs: number): void {
    const perMinute = this.#limits.clientConnectsPerMinute;
    if (perMinute > 0 && !this.#byClientId.bucket(clientId, perMinute / 60, perMinute, nowMs).tryTake(nowMs))
      throw rateError(`this client id connects more than ${perMinute} times a minute`, 'clientConnectsPerMinute');
  }
}

/**
 * A rate for each of the names that came last: of two halves the older one goes as a whole when the newer one is full. To take names from the
 * front of one Map, one by one, would mean to walk past all that are gone.
 */
class RecentBuckets {
  #newer = new Map<string, TokenBucket>();
  #older = new Map<string, TokenBucket>();

  bucket(name: string, perSecond: number, burst: number, nowMs: number): TokenBucket {
    const known = this.#newer.get(name);
    if (known !== undefined) return known;
    const bucket = this.#older.get(name) ?? new TokenBucket(perSecond, burst, nowMs);
    if (this.#newer.size >= COUNTED_MAX / 2) {
      this.#older = this.#newer;
      this.#newer = new Map();
    }
    this.#newer.set(name, bucket);
    return bucket;
  }
}

function rateError(message: string, limit: RateLimit): LimitError {
  return new LimitError('MQTT_CONNECTION_RATE_EXCEEDED', message, CONNECTION_RATE_EXCEEDED, limit);
}
