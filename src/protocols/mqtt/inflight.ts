import type { Message, QoS } from '../../core/message.ts';
import type { SharedGroup } from '../../core/shared-group.ts';

/** A message for a client that waits, or is on its way and may have to be sent again: to it, or to another member of the group. */
export interface Kept {
  readonly message: Message;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly identifiers: readonly number[];
  /** The shared subscription it came by; null: an ordinary one. */
  readonly group: SharedGroup | null;
}

/** What is known of a Packet Identifier in use; combined as bits. 0: not in use. */
export const QOS_1 = 1;
export const QOS_2 = 2;
/** QoS 2: PUBREC came, PUBREL was sent. */
export const RELEASED = 4;
/** Sent on the present connection, where it counts against the client's Receive Maximum. */
export const SENT = 8;

/** Slots at the first message, and never more than there are Packet Identifiers. Powers of two. */
const SLOTS_MIN = 16;
const SLOTS_MAX = 65_536;

/** From this many slots on they are given back when nothing is in flight any more. */
const SLOTS_KEPT_MAX = 256;

/**
 * Messages in flight to one client, by Packet Identifier: a table with one slot for each `identifier & mask`.
 *
 *     identifier  ... 17   18   19 ...            mask 15
 *     slot             1    2    3
 *     state            .  QOS_1  QOS_2 | RELEASED
 *
 * Identifiers are given out in turn, so that neighbours never share a slot; one whose slot is taken is passed over. At most half of the
 * slots are in use. What a session keeps of a message stands beside its slot; one that ends with its connection keeps nothing, and an
 * acknowledged message then costs neither an object nor a copy.
 */
export class Inflight {
  #states: Uint8Array | null = null;
  #identifiers: Uint16Array | null = null;
  /** When a slot's message was sent or released, in steps of `#step`: the order to do it again in. */
  #steps: Float64Array | null = null;
  #kept: (Kept | null)[] | null = null;
  #mask = 0;
  #size = 0;
  #step = 0;
  #last = 0;

  /** Identifiers in use. */
  get size(): number {
    return this.#size;
  }

  /** Takes the next identifier not in use [MQTT-2.2.1-4]. There must be one: see `Limits.packetIdentifiers`. */
  add(state: number, kept: Kept | null): number {
    if (this.#states === null || (this.#size + 1) * 2 > this.#mask + 1) this.#grow();
    const states = this.#states!;
    const mask = this.#mask;
    let identifier = this.#last;
    let slot: number;
    do {
      identifier = identifier === 65_535 ? 1 : identifier + 1;
      slot = identifier & mask;
    } while (states[slot] !== 0);
    this.#last = identifier;
    states[slot] = state;
    this.#identifiers![slot] = identifier;
    this.#size++;
    if (kept !== null) {
      this.#kept ??= new Array(mask + 1).fill(null);
      this.#steps ??= new Float64Array(mask + 1);
      this.#kept[slot] = kept;
      this.#steps[slot] = ++this.#step;
    }
    return identifier;
  }

  /** 0 when the identifier is not in use. */
  stateOf(identifier: number): number {
    const slot = identifier & this.#mask;
    const states = this.#states;
    return states !== null && this.#identifiers![slot] === identifier ? states[slot]! : 0;
  }

  /** null when nothing is kept of it. The identifier must be in use. */
  keptOf(identifier: number): Kept | null {
    return this.#kept === null ? null : this.#kept[identifier & this.#mask]!;
  }

  /** The identifier must be in use. */
  setState(identifier: number, state: number): void {
    this.#states![identifier & this.#mask] = state;
  }

  /** PUBREC came: the message itself is not needed any more, and the identifier becomes the last one released. It must be in use. */
  release(identifier: number, state: number): void {
    const slot = identifier & this.#mask;
    this.#states![slot] = state | RELEASED;
    if (this.#kept !== null) this.#kept[slot] = null;
    if (this.#steps !== null) this.#steps[slot] = ++this.#step;
  }

  /** The identifier must be in use. */
  delete(identifier: number): void {
    const slot = identifier & this.#mask;
    this.#states![slot] = 0;
    if (this.#kept !== null) this.#kept[slot] = null;
    if (--this.#size === 0 && this.#mask >= SLOTS_KEPT_MAX) this.#forget();
  }

  /** Nothing counts as sent on the present connection any more. */
  clearSent(): void {
    const states = this.#states;
    if (states !== null) for (let slot = 0; slot < states.length; slot++) states[slot] = states[slot]! & ~SENT;
  }

  clear(): void {
    this.#size = 0;
    this.#forget();
  }

  /** Those in use in the order in which they were sent; released ones in the order in which they were released. */
  inOrder(): number[] {
    const states = this.#states;
    if (states === null) return [];
    const slots: number[] = [];
    for (let slot = 0; slot < states.length; slot++) if (states[slot] !== 0) slots.push(slot);
    const steps = this.#steps;
    if (steps !== null) slots.sort((a, b) => steps[a]! - steps[b]!);
    return slots.map((slot) => this.#identifiers![slot]!);
  }

  #forget(): void {
    this.#states = null;
    this.#identifiers = null;
    this.#steps = null;
    this.#kept = null;
    this.#mask = 0;
  }

  #grow(): void {
    const slots = this.#states === null ? SLOTS_MIN : (this.#mask + 1) * 2;
    if (slots > SLOTS_MAX) return;
    const mask = slots - 1;
    const states = new Uint8Array(slots);
    const identifiers = new Uint16Array(slots);
    const steps = this.#steps === null ? null : new Float64Array(slots);
    const kept: (Kept | null)[] | null = this.#kept === null ? null : new Array(slots).fill(null);
    const old = this.#states;
    if (old !== null) {
      for (let from = 0; from < old.length; from++) {
        if (old[from] === 0) continue;
        const identifier = this.#identifiers![from]!;
        const to = identifier & mask;
        states[to] = old[from]!;
        identifiers[to] = identifier;
        if (steps !== null) steps[to] = this.#steps![from]!;
        if (kept !== null) kept[to] = this.#kept![from]!;
      }
    }
    this.#states = states;
    this.#identifiers = identifiers;
    this.#steps = steps;
    this.#kept = kept;
    this.#mask = mask;
  }
}
