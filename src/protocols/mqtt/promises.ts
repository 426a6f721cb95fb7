import { Fifo } from '../../core/fifo.ts';
import type { DurabilityListener, Store } from '../../core/store.ts';
import { type SessionLink, writeAcknowledgement } from './session-link.ts';

/** Whom promises are made to. */
export interface PromisedLink extends SessionLink {
  readonly closed: boolean;
  answer(packet: Buffer): void;
}

/** Slots of the ring at the first promise; a power of two. */
const SLOTS_MIN = 32;

/** From this many slots on they are given back when nothing waits any more. */
const SLOTS_KEPT_MAX = 1_024;

/**
 * What one client is promised, in order, each to be written when the store has what it promises. A later one never overtakes: PUBACK and
 * its kin keep the order of what they answer [MQTT-4.6.0-2] [MQTT-4.6.0-3].
 *
 * They stand in a ring of numbers, so that an acknowledgement costs no object.
 */
export class Promises implements DurabilityListener {
  readonly #link: PromisedLink;
  readonly #store: Store;
  /** What the store must have come to. */
  #positions = new Float64Array(0);
  /** Header, reason code and Packet Identifier of an acknowledgement, in 8, 8 and 16 bits; 0: the next of `#packets`. */
  #acknowledgements = new Uint32Array(0);
  readonly #packets = new Fifo<Buffer>();
  #mask = -1;
  #first = 0;
  #next = 0;

  constructor(link: PromisedLink, store: Store) {
    this.#link = link;
    this.#store = store;
  }

  get size(): number {
    return this.#next - this.#first;
  }

  addAcknowledgement(position: number, header: number, packetIdentifier: number, reasonCode: number): void {
    this.#add(position, (header << 24) | (reasonCode << 16) | packetIdentifier);
  }

  addPacket(position: number, packet: Buffer): void {
    this.#packets.push(packet);
    this.#add(position, 0);
  }

  onDurable(): void {
    if (this.#link.closed) return;
    const { durable } = this.#store;
    while (this.#first < this.#next) {
      const slot = this.#first & this.#mask;
      const position = this.#positions[slot]!;
      if (position > durable) {
        this.#store.whenDurable(position, this);
        return;
      }
      const acknowledgement = this.#acknowledgements[slot]!;
      this.#first++;
      if (acknowledgement === 0) this.#link.answer(this.#packets.shift()!);
      else writeAcknowledgement(this.#link, acknowledgement >>> 24, acknowledgement & 0xffff, (acknowledgement >>> 16) & 0xff);
    }
    this.#first = this.#next = 0;
    if (this.#mask >= SLOTS_KEPT_MAX) this.#resize(0);
  }

  #add(position: number, acknowledgement: number): void {
    if (this.size > this.#mask) this.#resize(Math.max(SLOTS_MIN, (this.#mask + 1) * 2));
    const slot = this.#next++ & this.#mask;
    this.#positions[slot] = position;
    this.#acknowledgements[slot] = acknowledgement;
    if (this.size === 1) this.#store.whenDurable(position, this);
  }

  #resize(slots: number): void {
    const positions = new Float64Array(slots);
    const acknowledgements = new Uint32Array(slots);
    const size = this.size;
    for (let i = 0; i < size; i++) {
      const slot = (this.#first + i) & this.#mask;
      positions[i] = this.#positions[slot]!;
      acknowledgements[i] = this.#acknowledgements[slot]!;
    }
    this.#positions = positions;
    this.#acknowledgements = acknowledgements;
    this.#mask = slots - 1;
    this.#first = 0;
    this.#next = size;
  }
}
