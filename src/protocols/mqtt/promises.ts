import { Fifo } from '../../core/fifo.ts';
import type { DurabilityListener, Store } from '../../core/store.ts';
import { type SessionLink, writeAcknowledgement } from './session-link.ts';

/** Whom promises are made to. */
export interface PromisedLink extends SessionLink {
  readonly closed: boolean;
  answer(packet: Buffer): void;
}

/** Something that is to be written when the store has come to `position`. */
interface Promised {
  readonly position: number;
  /** null: an acknowledgement, in the fields behind it. */
  readonly packet: Buffer | null;
  readonly header: number;
  readonly packetIdentifier: number;
  readonly reasonCode: number;
}

/**
 * What one client is promised, in order, each to be written when the store has what it promises. A later one never overtakes: PUBACK and
 * its kin keep the order of what they answer [MQTT-4.6.0-2] [MQTT-4.6.0-3].
 */
export class Promises implements DurabilityListener {
  readonly #link: PromisedLink;
  readonly #store: Store;
  readonly #waiting = new Fifo<Promised>();

  constructor(link: PromisedLink, store: Store) {
    this.#link = link;
    this.#store = store;
  }

  get size(): number {
    return this.#waiting.length;
  }

  addAcknowledgement(position: number, header: number, packetIdentifier: number, reasonCode: number): void {
    this.#add({ position, packet: null, header, packetIdentifier, reasonCode });
  }

  addPacket(position: number, packet: Buffer): void {
    this.#add({ position, packet, header: 0, packetIdentifier: 0, reasonCode: 0 });
  }

  onDurable(): void {
    if (this.#link.closed) return;
    const { durable } = this.#store;
    for (;;) {
      const first = this.#waiting.peek();
      if (first === undefined) return;
      if (first.position > durable) {
        this.#store.whenDurable(first.position, this);
        return;
      }
      this.#waiting.shift();
      if (first.packet !== null) this.#link.answer(first.packet);
      else writeAcknowledgement(this.#link, first.header, first.packetIdentifier, first.reasonCode);
    }
  }

  #add(promised: Promised): void {
    this.#waiting.push(promised);
    if (this.#waiting.length === 1) this.#store.whenDurable(promised.position, this);
  }
}
