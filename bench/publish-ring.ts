import type { PublishTemplate } from './frames.ts';

/** Bytes that one write of equal packets aims at: more would only wait in the kernel. */
const BLOCK_BYTES = 262_144;

/** Largest packet identifier; 0 is none. MQTT 5.0 section 2.2.1. */
const PACKET_IDENTIFIER_MAX = 65_535;

/**
 * Ready-made copies of one publisher's PUBLISH packets, side by side, so that sending n of them is one write of a slice.
 * Where there are several (one a topic), they take turns.
 *
 * At QoS 0 all copies stay as they are for ever and a slice may be sent at any time. Above that each copy gets its packet
 * identifier just before it is sent. There are at least as many copies as the window is long: the one that comes next has been
 * delivered to somebody, so its bytes have left the process and may be overwritten.
 */
export class PublishRing {
  readonly frameBytes: number;
  readonly #copies: Buffer;
  readonly #count: number;
  readonly #identifierOffset: number;
  /** Whether all copies are equal for ever: then a slice from the start is as good as any, and never ends at the ring's end. */
  readonly #isUniform: boolean;
  #next = 0;
  #lastIdentifier = 0;

  /** @param templates at least one; all of the same length */
  constructor(templates: readonly PublishTemplate[], window: number) {
    const [first] = templates;
    if (first === undefined || templates.some(({ bytes }) => bytes.length !== first.bytes.length))
      throw new Error('a ring needs packets of one length');
    this.frameBytes = first.bytes.length;
    this.#identifierOffset = first.packetIdentifierOffset;
    const isAcknowledged = this.#identifierOffset >= 0;
    this.#isUniform = !isAcknowledged && templates.length === 1;
    const wanted = isAcknowledged ? window : Math.max(1, Math.min(window, Math.floor(BLOCK_BYTES / this.frameBytes)));
    const rounds = Math.ceil(wanted / templates.length);
    this.#count = rounds * templates.length;
    const round = Buffer.concat(templates.map(({ bytes }) => bytes));
    this.#copies = Buffer.alloc(this.#count * this.frameBytes, round);
  }

  /** The bytes of at most `wanted` packets that stand side by side; take again for the rest. */
  take(wanted: number): Buffer {
    if (this.#isUniform) return this.#copies.subarray(0, Math.min(wanted, this.#count) * this.frameBytes);
    const count = Math.min(wanted, this.#count - this.#next);
    const start = this.#next * this.frameBytes;
    const end = start + count * this.frameBytes;
    if (this.#identifierOffset >= 0) this.#writeIdentifiers(start, end);
    this.#next = (this.#next + count) % this.#count;
    return this.#copies.subarray(start, end);
  }

  #writeIdentifiers(start: number, end: number): void {
    for (let at = start + this.#identifierOffset; at < end; at += this.frameBytes) {
      const identifier = this.#lastIdentifier === PACKET_IDENTIFIER_MAX ? 1 : this.#lastIdentifier + 1;
      this.#lastIdentifier = identifier;
      this.#copies[at] = identifier >> 8;
      this.#copies[at + 1] = identifier & 0xff;
    }
  }
}
