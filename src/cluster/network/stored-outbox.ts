import type { Frame, Message } from '../../core/message.ts';
import { type Store, type Stored, type StoredSession, WAITING } from '../../core/store.ts';
import { GroupAddress } from '../../protocols/openwire/group-address.ts';
import {
  type BrokerPathBytes,
  createBrokerPath,
  EMPTY_PATH,
  type LinkTransit,
  type Origin,
  originOf,
} from '../../protocols/openwire/message-origin.ts';
import type { PublicationForm } from '../../protocols/openwire/publication-form.ts';
import { DurableCursor } from './durable-cursor.ts';
import { isLaterCommand } from './outbox.ts';

/** What many messages for the peer have in common: who published them, by which brokers they came, and whom they are for. */
interface Provenance {
  readonly origin: Origin;
  readonly path: BrokerPathBytes;
  /** null: all subscribers. */
  readonly address: GroupAddress | null;
}

export interface StoredOutboxOptions {
  readonly store: Store;
  /** What the store has for the peer. */
  readonly stored: StoredSession;
  readonly form: PublicationForm;
  readonly limits: { readonly messages: number; readonly bytes: number; readonly provenances: number };
  /** More may be sent. */
  onSafe(): void;
}

/** Attributes of the store that name a provenance, by its number. */
const PROVENANCE = 'provenance/';

/**
 * QoS 1 and 2 messages that persistent subscribers at a linked broker are to get, in order, from their publication to the peer's
 * acknowledgement, however long it is away and however often we are started anew meanwhile.
 *
 *     first                 sendNext          safe            next
 *       │ sent, not answered    │ may be sent   │ not durable   │
 *
 * The store has the messages, each once for all who get it, and gives them numbers that never repeat: the peer, which keeps the last one it
 * has got together with the message, knows what it is sent a second time. Nothing is sent before it is durable, since after a crash its
 * number could be another message's. A message keeps the id under which brokers know it that get it by several ways.
 */
export class StoredOutbox {
  readonly #stored: StoredSession;
  readonly #form: PublicationForm;
  readonly #limits: StoredOutboxOptions['limits'];
  readonly #cursor: DurableCursor;
  readonly #onSafe: () => void;
  #sendNext: number;
  /** Below, the peer may have had it. After a restart it is not known. */
  #everSent: number;
  /** Command ids of what was sent on this link, and its numbers, from `#head` on; 0: answered before the one in front. */
  #commandIds: number[] = [];
  #numbers: number[] = [];
  #head = 0;
  readonly #provenances = new Map<number, Provenance>();
  readonly #provenanceNumbers = new Map<string, number>();
  #lastProvenance: Provenance | null = null;
  #lastProvenanceNumber = 0;
  #nextProvenance = 1;
  /** Messages for one shared subscription alone, as far as this process knows. */
  readonly #addressed = new Map<number, GroupAddress>();
  #entry: Stored | null = null;

  constructor({ store, stored, form, limits, onSafe }: StoredOutboxOptions) {
    this.#stored = stored;
    this.#form = form;
    this.#limits = limits;
    this.#onSafe = onSafe;
    this.#cursor = new DurableCursor(store, () => stored.next, onSafe);
    this.#sendNext = stored.first;
    this.#everSent = stored.next;
    for (const [name, value] of stored.attributes) if (name.startsWith(PROVENANCE)) this.#restore(name, value);
  }

  /** Messages kept. */
  get size(): number {
    return this.#stored.size;
  }

  /** The same in bytes, by `Message.size`. */
  get bytes(): number {
    return this.#stored.bytes;
  }

  /** Whether something could be sent and has not been. */
  get isBehind(): boolean {
    return this.#sendNext < this.#cursor.safe;
  }

  /** Messages sent on this link and not answered, at most. */
  get inFlight(): number {
    return this.#commandIds.length - this.#head;
  }

  /** True when there is no room for a message of any size. */
  get full(): boolean {
    const { messages, bytes, provenances } = this.#limits;
    return this.#stored.size >= messages || this.#stored.bytes >= bytes || this.#provenances.size >= provenances;
  }

  /**
   * Adds a message; it is sent when it is durable.
   *
   * @param address the shared subscription that it is for alone
   * @param passedOn the way it took to us; null where it is published here
   * @returns false when there is no room: the message is not kept
   */
  push(message: Message, address: GroupAddress | null, passedOn: LinkTransit | null): boolean {
    const { messages, bytes } = this.#limits;
    if (this.#stored.size >= messages || this.#stored.bytes + message.size > bytes) return false;
    const isKnown = passedOn !== null && passedOn.sequence >= 0; // below, it tells nothing: it gets an id of ours
    const origin = isKnown ? passedOn.origin : this.#form.origin;
    const provenance = this.#provenanceOf(origin, passedOn?.path ?? EMPTY_PATH, address);
    if (provenance === 0) return false;
    const id = isKnown ? passedOn.sequence : address === null ? this.#form.numberOf(message) : this.#form.nextNumber();
    const number = this.#stored.push(message, { qos: message.qos, retain: message.retain, identifiers: [provenance, id] });
    if (address !== null) this.#addressed.set(number, address);
    if (this.#cursor.appended()) this.#onSafe();
    return true;
  }

  /** The oldest message that is to be sent on this link, or null. */
  next(): Message | null {
    const stored = this.#stored;
    if (this.#sendNext < stored.first) this.#sendNext = stored.first;
    for (; this.#sendNext < this.#cursor.safe; this.#sendNext++) {
      if (stored.stateOf(this.#sendNext) !== WAITING) continue;
      this.#entry = stored.get(this.#sendNext);
      if (this.#entry !== null) return this.#entry.message;
      this.#remove(this.#sendNext); // its place on the disk is damaged, and the store has said so
    }
    return null;
  }

  /** Our number of what `next()` returned. */
  get nextNumber(): number {
    return this.#sendNext;
  }

  /** What `next()` returned, as the peer gets it. */
  get nextFrame(): Frame {
    const { message, identifiers } = this.#entry!;
    const [provenance, id] = identifiers as [number, number];
    const { origin, path, address } = this.#provenances.get(provenance)!;
    return this.#form.encodeAs(message, address, origin, path, id);
  }

  /** What `next()` returned went out with this command id, which is never 0. */
  nextSent(commandId: number): void {
    this.#commandIds.push(commandId);
    this.#numbers.push(this.#sendNext++);
    this.#everSent = Math.max(this.#everSent, this.#sendNext);
  }

  /** What `next()` returned is not to be sent at all. */
  skip(): void {
    this.#remove(this.#sendNext++);
  }

  /** The peer answered a command. @returns whether it was one of these */
  acknowledge(commandId: number): boolean {
    const at = this.#commandIds[this.#head] === commandId ? this.#head : this.#find(commandId);
    if (at < 0 || this.#numbers[at] === 0) return false;
    this.#remove(this.#numbers[at]!);
    this.#numbers[at] = 0;
    this.#dropAnswered();
    return true;
  }

  /** Whether this number can have been sent: one that was not is of a store that knew more than this one. */
  mayHaveSent(number: number): boolean {
    return number < this.#everSent;
  }

  /** The peer says it has everything up to this number. */
  acknowledgeThrough(number: number): void {
    const end = Math.min(number + 1, this.#stored.next);
    for (let each = this.#stored.first; each < end; each++) this.#remove(each);
  }

  /** The link broke: everything not answered is to be sent again. */
  rewind(): void {
    this.#sendNext = this.#stored.first;
    this.#commandIds = [];
    this.#numbers = [];
    this.#head = 0;
  }

  /** As `Outbox.takeAddressed`. */
  takeAddressed(take: (address: GroupAddress, message: Message, sent: boolean) => boolean): void {
    for (const [number, address] of [...this.#addressed]) {
      const message = this.#stored.get(number)?.message ?? null;
      if (message !== null && take(address, message.by(null), number < this.#everSent)) this.#remove(number);
    }
  }

  #remove(number: number): void {
    this.#stored.remove(number);
    if (this.#addressed.size > 0) this.#addressed.delete(number);
  }

  /** @returns where it is among those sent; -1 when it is none */
  #find(commandId: number): number {
    const commandIds = this.#commandIds;
    let low = this.#head;
    let high = commandIds.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const sent = commandIds[middle]!;
      if (sent === commandId) return middle;
      if (isLaterCommand(sent, commandId)) high = middle - 1;
      else low = middle + 1;
    }
    return -1;
  }

  #dropAnswered(): void {
    while (this.#head < this.#numbers.length && this.#numbers[this.#head] === 0) this.#head++;
    if (this.#head === this.#commandIds.length) {
      this.#commandIds.length = 0;
      this.#numbers.length = 0;
      this.#head = 0;
    } else if (this.#head >= 1_024 && this.#head * 2 >= this.#commandIds.length) {
      this.#commandIds = this.#commandIds.slice(this.#head);
      this.#numbers = this.#numbers.slice(this.#head);
      this.#head = 0;
    }
  }

  /** @returns 0 when there are too many */
  #provenanceOf(origin: Origin, path: BrokerPathBytes, address: GroupAddress | null): number {
    const last = this.#lastProvenance;
    if (last !== null && last.origin === origin && last.path === path && last.address === address) return this.#lastProvenanceNumber;
    const provenance: Provenance = { origin, path, address };
    const text = textOf(provenance);
    let number = this.#provenanceNumbers.get(text) ?? 0;
    if (number === 0) {
      if (this.#provenances.size >= this.#limits.provenances) this.#forgetProvenances();
      if (this.#provenances.size >= this.#limits.provenances) return 0;
      number = this.#nextProvenance;
      this.#stored.setAttribute(PROVENANCE + number, Buffer.from(text), true);
      this.#add(number, text, provenance);
    }
    this.#lastProvenance = provenance;
    this.#lastProvenanceNumber = number;
    return number;
  }

  #add(number: number, text: string, provenance: Provenance): void {
    this.#provenances.set(number, provenance);
    this.#provenanceNumbers.set(text, number);
    this.#nextProvenance = Math.max(this.#nextProvenance, number + 1);
  }

  /** Where no message is kept, none of them is needed any more. */
  #forgetProvenances(): void {
    if (this.#stored.size > 0) return;
    for (const number of this.#provenances.keys()) this.#stored.setAttribute(PROVENANCE + number, null);
    this.#provenances.clear();
    this.#provenanceNumbers.clear();
    this.#lastProvenance = null;
  }

  #restore(name: string, value: Buffer): void {
    const text = value.toString();
    const [origin, path, address] = JSON.parse(text) as [string, string[], [string, string, string, string[]] | null];
    this.#add(Number(name.slice(PROVENANCE.length)), text, {
      origin: originOf(origin) ?? this.#form.origin,
      path: path.length === 0 ? EMPTY_PATH : createBrokerPath(path),
      address: address === null ? null : new GroupAddress(...address),
    });
  }
}

/** As the store has it. */
function textOf({ origin, path, address }: Provenance): string {
  const to = address === null ? null : [address.name, address.filter, address.brokerId, address.visited];
  return JSON.stringify([origin.text, path.ids, to]);
}
