/** Servers that one client is told of, at most: it needs one, and the others are for when that one cannot be reached. */
const REFERENCES_MAX = 4;

/**
 * Servers that clients are sent to (MQTT 5.0 section 4.11). Each client is told several, and which comes first changes from one to the
 * next, so that they do not all go to one place.
 */
export class ServerReferences {
  readonly #texts: readonly string[];
  #turn = 0;

  /** @param authorities `host:port` */
  constructor(authorities: readonly string[]) {
    this.#texts = authorities.map((_, i) => [...authorities.slice(i), ...authorities.slice(0, i)].slice(0, REFERENCES_MAX).join(' '));
  }

  /** What the next client is told: `host:port`, several with spaces between; null: there are none. */
  next(): string | null {
    return this.#texts.length === 0 ? null : this.#texts[this.#turn++ % this.#texts.length]!;
  }
}
