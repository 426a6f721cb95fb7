import type { Message } from '../../core/message.ts';
import type { Usage } from '../../core/usage.ts';
import type { JournalSession } from './session.ts';

/** Places that are kept for the next messages when all have been written. */
const PLACES_KEPT_MAX = 16_384;

/**
 * Messages of QoS 1 that came since the last batch was taken, and who gets them. They are written when the next one is: by then many have been
 * delivered and acknowledged, and those need not be written at all.
 *
 *     -1         -2         -3         number, until it is written
 *     message    (gone)     message    nobody needs -2 any more
 *     A 7, B 4   A 8        C 1        sessions and sequences
 *
 * A session's messages are in order of their sequences, as in the journal.
 */
export class UnwrittenMessages {
  readonly #usage: Usage;
  /** Messages, those that are gone among them. */
  count = 0;
  /** Of those that are not gone. */
  bytes = 0;
  /** Whether more may still be done for the last message. */
  #isOpen = false;
  #messages: (Message | null)[] = [];
  /** How many still need it. */
  #references: number[] = [];
  /** Where its deliveries begin in the two arrays behind. */
  #starts: number[] = [];
  #deliveries = 0;
  #sessions: (JournalSession | null)[] = [];
  #sequences: number[] = [];

  constructor(usage: Usage) {
    this.#usage = usage;
  }

  /** Whether there is a last message, and more may still be done for it. */
  get isOpen(): boolean {
    return this.#isOpen && this.#messages[this.count - 1] !== null;
  }

  /** Whether deliveries of this message can be added. */
  isLast(message: Message): boolean {
    return this.#isOpen && this.#messages[this.count - 1] === message;
  }

  /** @returns the message's number */
  add(message: Message, session: JournalSession, sequence: number): number {
    this.#usage.hold(message);
    this.bytes += message.size;
    const index = this.count++;
    this.#messages[index] = message;
    this.#references[index] = 0;
    this.#starts[index] = this.#deliveries;
    this.#isOpen = true;
    message.storedAs = -this.count;
    return this.addDelivery(session, sequence);
  }

  /** The same for one more session that gets the last message. */
  addDelivery(session: JournalSession, sequence: number): number {
    const index = this.#deliveries++;
    this.#sessions[index] = session;
    this.#sequences[index] = sequence;
    this.#references[this.count - 1]!++;
    return -this.count;
  }

  /** Nothing more is done for the last message. */
  close(): void {
    this.#isOpen = false;
  }

  /** null when there is no message of this number. */
  messageOf(number: number): Message | null {
    return this.#messages[-number - 1] ?? null;
  }

  /** null: nobody needs it any more. */
  messageAt(index: number): Message | null {
    return this.#messages[index]!;
  }

  /** Calls `visit` for each session that still needs it. */
  eachDelivery(index: number, visit: (session: JournalSession, sequence: number) => void): void {
    const end = index + 1 < this.count ? this.#starts[index + 1]! : this.#deliveries;
    for (let i = this.#starts[index]!; i < end; i++) {
      const session = this.#sessions[i]!;
      const sequence = this.#sequences[i]!;
      if (session.ring.refAt(sequence) === -index - 1) visit(session, sequence);
    }
  }

  /** One less needs the message. */
  unrefer(number: number): void {
    const index = -number - 1;
    if (--this.#references[index]! > 0) return;
    const message = this.#messages[index]!;
    this.#messages[index] = null;
    this.bytes -= message.size;
    this.#usage.release(message);
    message.storedAs = 0;
  }

  /** Forgets all: they are written, and go by other numbers. */
  clear(): void {
    if (this.#deliveries > PLACES_KEPT_MAX) {
      this.#messages = [];
      this.#references = [];
      this.#starts = [];
      this.#sessions = [];
      this.#sequences = [];
    } else {
      this.#messages.fill(null, 0, this.count);
      this.#sessions.fill(null, 0, this.#deliveries);
    }
    this.count = 0;
    this.bytes = 0;
    this.#deliveries = 0;
    this.#isOpen = false;
  }
}
