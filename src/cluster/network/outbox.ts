import type { Frame } from '../../core/message.ts';
import { type Gauge, MESSAGE_BYTES } from '../../core/usage.ts';
import type { GroupAddress } from '../../protocols/openwire/group-address.ts';

/** Entries the ring starts with. */
const INITIAL_CAPACITY = 64;

const NOT_SENT = 0;

/** Whether the command with id `a` was sent after that with id `b`: ids are counted up to 2^31 - 1 and round again. */
export function isLaterCommand(a: number, b: number): boolean {
  return (a - b) << 1 > 0;
}

/**
 * QoS 1 and 2 messages for one peer, in order, from their publication to the peer's acknowledgement.
 *
 *        acknowledged │ sent, waiting for an answer │ not sent yet
 *     ────────────────┼─────────────────────────────┼──────────────►
 *                    head                         unsent           tail
 *
 * Each has a sequence number, counted up without gaps for as long as we know the peer: it tells a message sent again from a new one.
 * The ring outlives the link: after a reconnect everything not acknowledged is sent again.
 */
export class Outbox {
  readonly #memory: Gauge;
  readonly #messagesMax: number;
  readonly #bytesMax: number;
  /** null: acknowledged out of order. Capacities are powers of two. */
  #frames: (Frame | null)[] = new Array<Frame | null>(INITIAL_CAPACITY).fill(null);
  #commandIds: number[] = new Array<number>(INITIAL_CAPACITY).fill(NOT_SENT);
  /** Whom each is for, where that is one shared subscription alone. */
  #addresses: (GroupAddress | null)[] = new Array<GroupAddress | null>(INITIAL_CAPACITY).fill(null);
  /** Index of the oldest entry. */
  #head = 0;
  #size = 0;
  #sent = 0;
  #bytes = 0;
  /** Sequence number of the oldest entry. */
  #headSequence = 1;
  /** What was sent at least once: everything up to this number. */
  #everSent = 0;

  /** @param memory where what is kept counts */
  constructor(limits: { messages: number; bytes: number }, memory: Gauge) {
    this.#memory = memory;
    this.#messagesMax = limits.messages;
    this.#bytesMax = limits.bytes;
  }

  /** Messages kept. */
  get size(): number {
    return this.#size;
  }

  /** Bytes of their frames. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Number that the next message gets. */
  get nextNumber(): number {
    return this.#headSequence + this.#size;
  }

  /** Messages not sent yet on this link. */
  get unsent(): number {
    return this.#size - this.#sent;
  }

  /** Messages sent and not acknowledged. */
  get inFlight(): number {
    return this.#sent;
  }

  /** True when there is no room for a message of any size. */
  get full(): boolean {
    return this.#size >= this.#messagesMax || this.#bytes >= this.#bytesMax;
  }

  /** @returns false when there is no room: the message is not kept */
  push(frame: Frame, address: GroupAddress | null = null): boolean {
    const bytes = frame.end - frame.start;
    if (this.#size >= this.#messagesMax || this.#bytes + bytes > this.#bytesMax) return false;
    if (this.#size === this.#frames.length) this.#grow();
    const at = (this.#head + this.#size) & (this.#frames.length - 1);
    this.#frames[at] = frame;
    this.#commandIds[at] = NOT_SENT;
    this.#addresses[at] = address;
    this.#size++;
    this.#bytes += bytes;
    this.#memory.add(bytes + MESSAGE_BYTES);
    return true;
  }

  /** The oldest message that is to be sent on this link, or null. Passes over those that were acknowledged out of order before. */
  next(): Frame | null {
    const mask = this.#frames.length - 1;
    while (this.#sent < this.#size) {
      const frame = this.#frames[(this.#head + this.#sent) & mask]!;
      if (frame !== null) return frame;
      this.#sent++;
    }
    return null;
  }

  /** Sequence number of what `next()` returned. */
  get nextSequence(): number {
    return this.#headSequence + this.#sent;
  }

  /** What `next()` returned went out with this command id, which is never 0. */
  nextSent(commandId: number): void {
    this.#commandIds[(this.#head + this.#sent) & (this.#frames.length - 1)] = commandId;
    this.#everSent = Math.max(this.#everSent, this.nextSequence);
    this.#sent++;
  }

  /** What `next()` returned is not to be sent at all: it counts as acknowledged. */
  skip(): void {
    this.#release((this.#head + this.#sent) & (this.#frames.length - 1));
    this.#sent++;
    this.#dropAcknowledged();
  }

  /** The peer answered a command. @returns whether it was one of these */
  acknowledge(commandId: number): boolean {
    const mask = this.#frames.length - 1;
    for (let i = 0; i < this.#sent; i++) {
      const at = (this.#head + i) & mask;
      const sent = this.#commandIds[at]!;
      if (sent !== commandId) {
        if (sent !== NOT_SENT && isLaterCommand(sent, commandId)) return false;
        continue; // the peer answers in order: it is nearly always the first
      }
      this.#release(at);
      this.#dropAcknowledged();
      return true;
    }
    return false;
  }

  /** The peer says it has everything up to this sequence number: what it need not get again after a reconnect. */
  acknowledgeThrough(sequence: number): void {
    while (this.#size > 0 && this.#headSequence <= sequence) {
      this.#release(this.#head);
      if (this.#sent === 0) this.#sent++;
      this.#dropHead();
    }
  }

  /** The link broke: everything not acknowledged is to be sent again. */
  rewind(): void {
    this.#sent = 0;
  }

  /**
   * Goes through the messages that are for one shared subscription alone, between two links. Those that `take` takes leave the outbox.
   * `sent`: the peer may have had it.
   */
  takeAddressed(take: (address: GroupAddress, frame: Frame, sent: boolean) => boolean): void {
    const mask = this.#frames.length - 1;
    for (let i = 0; i < this.#size; i++) {
      const at = (this.#head + i) & mask;
      const address = this.#addresses[at]!;
      const frame = this.#frames[at]!;
      if (frame !== null && address !== null && take(address, frame, this.#headSequence + i <= this.#everSent)) this.#release(at);
    }
    while (this.#sent === 0 && this.#size > 0 && this.#frames[this.#head] === null) {
      this.#sent++;
      this.#dropHead();
    }
  }

  clear(): void {
    this.acknowledgeThrough(Number.MAX_SAFE_INTEGER);
  }

  #release(at: number): void {
    const frame = this.#frames[at]!;
    if (frame === null) return;
    const bytes = frame.end - frame.start;
    this.#bytes -= bytes;
    this.#memory.subtract(bytes + MESSAGE_BYTES);
    this.#frames[at] = null;
    this.#commandIds[at] = NOT_SENT;
    this.#addresses[at] = null;
  }

  #dropAcknowledged(): void {
    while (this.#sent > 0 && this.#frames[this.#head] === null) this.#dropHead();
  }

  #dropHead(): void {
    this.#head = (this.#head + 1) & (this.#frames.length - 1);
    this.#headSequence++;
    this.#size--;
    this.#sent--;
  }

  #grow(): void {
    const old = this.#frames.length;
    const frames = new Array<Frame | null>(old * 2).fill(null);
    const commandIds = new Array<number>(old * 2).fill(NOT_SENT);
    const addresses = new Array<GroupAddress | null>(old * 2).fill(null);
    for (let i = 0; i < this.#size; i++) {
      frames[i] = this.#frames[(this.#head + i) & (old - 1)]!;
      commandIds[i] = this.#commandIds[(this.#head + i) & (old - 1)]!;
      addresses[i] = this.#addresses[(this.#head + i) & (old - 1)]!;
    }
    this.#frames = frames;
    this.#commandIds = commandIds;
    this.#addresses = addresses;
    this.#head = 0;
  }
}
