import type { PublishTemplate } from './frames.ts';

/** Bytes that one write of equal packets aims at: more would only wait in the kernel. */
const BLOCK_BYTES = 262_144;

/** Largest packet identifier; 0 is none. MQTT 5.0 section 2.2.1. */
const PACKET_IDENTIFIER_MAX = 65_535;

/**
 * Ready-made copies of one publisher's PUBLISH, side by side, so that sending n of them is one write of a slice.
 *
 * At QoS 0 all copies are equal for ever and a slice may be sent at any time. Above that each copy gets its packet
 * identifier just before it is sent. There are as many copies as the window is long: the one that comes next has been
 * delivered to somebody, so its bytes have left the process and may be overwritten.
 */
export class PublishRing {
  readonly frameBytes: number;
  readonly #copies: Buffer;
  readonly #count: number;
  readonly #identifierOffset: number;
  #next = 0;
  #lastIdentifier = 0;

  constructor(template: PublishTemplate, window: number) {
    this.frameBytes = template.bytes.length;
    this.#identifierOffset = template.packetIdentifierOffset;
    this.#count = this.#identifierOffset >= 0 ? window : Math.max(1, Math.min(window, Math.floor(BLOCK_BYTES / this.frameBytes)));
    this.#copies = Buffer.alloc(this.#count * this.frameBytes, template.bytes);
  }

  /** The bytes of at most `wanted` packets that stand side by side; take again for the rest. */
  take(wanted: number): Buffer {
    if (this.#identifierOffset < 0) return this.#copies.subarray(0, Math.min(wanted, this.#count) * this.frameBytes);
    const count = Math.min(wanted, this.#count - this.#next);
    const start = this.#next * this.frameBytes;
    const end = start + count * this.frameBytes;
    for (let at = start + this.#identifierOffset; at < end; at += this.frameBytes) this.#writeIdentifier(at);
    this.#next = (this.#next + count) % this.#count;
    return this.#copies.subarray(start, end);
  }

  #writeIdentifier(at: number): void {
    const identifier = this.#lastIdentifier === PACKET_IDENTIFIER_MAX ? 1 : this.#lastIdentifier + 1;
    this.#lastIdentifier = identifier;
    this.#copies[at] = identifier >> 8;
    this.#copies[at + 1] = identifier & 0xff;
  }
}
