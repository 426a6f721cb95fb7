import { ByteReader } from '../../bytes/byte-reader.ts';
import type { ByteWriter } from '../../bytes/byte-writer.ts';
import type { Stamp } from '../../core/hybrid-clock.ts';
import type { Message } from '../../core/message.ts';
import type { Delivery, Lane } from '../../core/store.ts';
import { MESSAGE_BYTES, type Usage } from '../../core/usage.ts';
import type { Log as Logger } from '../../telemetry/log.ts';
import { TAG_ATTRIBUTE, TAG_NOTED, TAG_RECEIVED, TAG_RETAINED, TAG_SEEN, writeDelivery, writeStamp } from './entries.ts';
import type { Log } from './log.ts';
import { readMessage, type StoredPropertiesForm, writeMessage, writeText } from './message-codec.ts';
import type { Messages } from './messages.ts';
import {
  ATTRIBUTE,
  DELIVERIES,
  MESSAGE,
  MOVED,
  NOTED,
  RECEIVED,
  RECEIVED_DELETED,
  RECORD_HEADER_BYTES,
  RELEASED,
  REMOVED,
  RETAINED,
  SEEN,
  SESSION,
  SESSION_DROPPED,
} from './record.ts';
import { RecordReader } from './record-reader.ts';
import type { JournalSession, SessionStore } from './session.ts';
import { UnwrittenMessages } from './unwritten-messages.ts';

/** By how many bytes of messages a limit is overshot at most, before it is noticed. */
const UNCOUNTED_BYTES_MAX = 64 * 1024;

export interface RecordsOptions {
  readonly log: Log;
  readonly messages: Messages;
  readonly usage: Usage;
  readonly propertiesForm: StoredPropertiesForm;
  readonly logger: Logger;
  /** See `Store.dispatchesWhileStoring`. */
  readonly dispatchesWhileStoring: boolean;
  /** Bytes that the journal takes on disk. */
  diskBytes(): number;
  /** The session is no more. */
  onDropped(session: JournalSession): void;
}

/**
 * What happens to sessions and messages, as records of a log.
 *
 * Whatever is done for one published message (it is retained, sessions get it, its sender's Packet Identifier is noted) goes into one
 * record, which is there whole or not at all: it stays open until something else is done. A message of QoS 1 has none for a time: see
 * `UnwrittenMessages`.
 */
export class Records implements SessionStore {
  readonly #options: RecordsOptions;
  readonly #log: Log;
  readonly #messages: Messages;
  readonly #reader = new ByteReader();
  /** The message whose record is open, and its number; null when none is. */
  #open: Message | null = null;
  #openNumber = 0;
  #openKind = 0;
  #writer!: ByteWriter;
  /** A record of removals that is open: the session, the first sequence and how many. */
  #removing: JournalSession | null = null;
  #removingFirst = 0;
  #removingCount = 0;
  /** What was done with while a message's record was open: that is not ended for it. */
  readonly #removedMeanwhile: { session: JournalSession; sequence: number; number: number | null }[] = [];
  readonly #records = new RecordReader();
  readonly #unwritten: UnwrittenMessages;
  /** Bytes of messages that have come since the disk's usage was measured. */
  #uncounted = 0;
  /** Messages with numbers below are on disk. */
  #durableMessages: number;
  #makingRoom = false;

  constructor(options: RecordsOptions) {
    const { log, messages, usage } = options;
    this.#options = options;
    this.#log = log;
    this.#messages = messages;
    this.#unwritten = new UnwrittenMessages(usage);
    this.#durableMessages = messages.next;
  }

  /** Ends what is open: what is done from now on is about something else. @returns the log's mark */
  end(): number {
    this.#unwritten.close();
    if (this.#open !== null) this.#endRecord();
    return this.#log.mark;
  }

  /** Whether something has been done that the log's mark does not count yet. */
  get hasOpen(): boolean {
    return this.#open !== null;
  }

  /** Appends all that has been done. */
  endAll(): void {
    this.writeUnwritten();
    this.#endOpen();
    this.#uncounted = 0;
  }

  appendSession(session: JournalSession): void {
    const writer = this.#begin();
    writer.varint(session.id);
    writeText(writer, session.name);
    this.#log.end(SESSION);
  }

  /** @returns the message's number */
  appendRetained(message: Message, topic: string, stamp: Stamp): number {
    const number = this.#openRecordOf(message, true);
    this.#writer.varint(TAG_RETAINED);
    if (this.#openKind === DELIVERIES) writeText(this.#writer, topic);
    writeStamp(this.#writer, stamp);
    this.#messages.refer(number);
    return number;
  }

  appendRetainedRemoved(topic: string, stamp: Stamp): void {
    const writer = this.#begin();
    writeText(writer, topic);
    writeStamp(writer, stamp);
    this.#log.end(RETAINED);
  }

  appendDelivery(session: JournalSession, sequence: number, message: Message, delivery: Delivery): number {
    if (this.#unwritten.isLast(message)) return this.#unwritten.addDelivery(session, sequence);
    if (message.storedAs === 0 && message.qos === 1 && delivery.qos === 1 && this.#options.dispatchesWhileStoring) {
      this.#endOpen();
      this.#log.defer(message.size + MESSAGE_BYTES);
      this.#grow(message.size);
      return this.#unwritten.add(message.keep(), session, sequence);
    }
    const number = this.#openRecordOf(message, false);
    writeDelivery(this.#writer, session.id, sequence, message.size, delivery);
    this.#messages.refer(number);
    return number;
  }

  appendRemoved(session: JournalSession, sequence: number, number: number | null): void {
    if (number !== null && number < 0) {
      this.#unwritten.unrefer(number);
      this.#log.dismiss();
      return;
    }
    if (this.#open !== null) {
      this.#removedMeanwhile.push({ session, sequence, number });
      return;
    }
    if (this.#removing === session && sequence === this.#removingFirst + this.#removingCount) {
      this.#removingCount++;
    } else {
      this.#endRecord();
      this.#log.wake(); // the record is written when it is known how many follow
      this.#removing = session;
      this.#removingFirst = sequence;
      this.#removingCount = 1;
    }
    if (number !== null) this.#messages.unrefer(number);
  }

  appendReleased(session: JournalSession, sequence: number, number: number): void {
    const writer = this.#begin();
    writer.varint(session.id);
    writer.varint(sequence);
    this.#log.end(RELEASED);
    this.#messages.unrefer(number);
  }

  appendReceived(session: JournalSession, packetIdentifier: number, added: boolean): void {
    if (added && this.#isOpen()) {
      this.#writer.varint(TAG_RECEIVED);
      this.#writer.varint(session.id);
      this.#writer.varint(packetIdentifier);
      return;
    }
    const writer = this.#begin();
    writer.varint(session.id);
    writer.varint(packetIdentifier);
    this.#log.end(added ? RECEIVED : RECEIVED_DELETED);
  }

  appendNoted(session: JournalSession, lane: Lane, count: number, position: number): void {
    const isOpen = this.#isOpen();
    const writer = this.#beginWith(TAG_NOTED, position);
    if (writer === null) return;
    writer.varint(session.id);
    writer.varint(lane);
    writer.varint(count);
    if (!isOpen) this.#log.end(NOTED);
  }

  appendSeen(session: JournalSession, sequence: number, position: number): void {
    const isOpen = this.#isOpen();
    const writer = this.#beginWith(TAG_SEEN, position);
    if (writer === null) return;
    writer.varint(session.id);
    writer.varint(sequence);
    if (!isOpen) this.#log.end(SEEN);
  }

  appendAttribute(session: JournalSession, name: string, value: Buffer | null, withMessage: boolean): void {
    if (withMessage && this.#isOpen()) {
      // With what is written of the message: a record of its own would end the message's.
      const writer = this.#writer;
      writer.varint(TAG_ATTRIBUTE);
      writer.varint(session.id);
      writeText(writer, name);
      writer.varint(value === null ? 0 : value.length + 1);
      if (value !== null) writer.bytes(value);
      return;
    }
    const writer = this.#begin();
    writer.varint(session.id);
    writeText(writer, name);
    writer.u8(value === null ? 0 : 1);
    if (value !== null) writer.bytes(value);
    this.#log.end(ATTRIBUTE);
  }

  appendDropped(session: JournalSession): void {
    const writer = this.#begin();
    writer.varint(session.id);
    this.#log.end(SESSION_DROPPED);
    this.#options.onDropped(session);
    session.ring.eachRef((number) => this.#messages.unrefer(number));
  }

  /** A stored message; null when it was lost with a damaged record, which the log says once. */
  read(number: number): Message | null {
    if (number < 0) return this.#unwritten.messageOf(number);
    const cached = this.#messages.cached(number);
    if (cached !== undefined) return cached;
    const found = this.#messages.placeOf(number);
    if (found === null || found.segment.file === null) return null;
    const record = this.#records.at(found.segment, found.place);
    if (typeof record === 'string') {
      this.#options.logger.error('a stored message is damaged and lost', { file: found.segment.name, place: found.place, reason: record });
      this.#messages.lose(number);
      return null;
    }
    this.#reader.open(record, RECORD_HEADER_BYTES, record.length);
    this.#reader.varint();
    const message = readMessage(this.#reader, this.#options.propertiesForm);
    message.storedAs = number;
    return message;
  }

  /** Writes a message that lives in an old file anew, so that the file can go. */
  move(number: number): void {
    const message = this.read(number);
    if (message === null) return; // `read` has said so, and the file is not kept for it
    const writer = this.#begin();
    const { segment } = this.#log;
    writer.varint(number);
    writeMessage(writer, message, this.#options.propertiesForm, true);
    this.#messages.move(number, segment, this.#log.end(MOVED));
  }

  /**
   * Appends what has been kept back.
   * @param staysOpen whether more may still be done for the newest of it, in the same record
   */
  writeUnwritten(staysOpen = false): void {
    const unwritten = this.#unwritten;
    const { count } = unwritten;
    if (count === 0) return;
    for (let i = 0; i < count; i++) {
      const message = unwritten.messageAt(i);
      if (message === null) continue;
      this.#endRecord();
      this.#log.rollIfFull();
      this.#writer = this.#log.begin();
      this.#beginMessage(message, false);
      unwritten.eachDelivery(i, (session, sequence) => {
        const { ring } = session;
        writeDelivery(this.#writer, session.id, sequence, message.size, ring.deliveryAt(sequence));
        ring.setRef(sequence, this.#openNumber);
        this.#messages.refer(this.#openNumber);
      });
      this.#options.usage.release(message);
    }
    unwritten.clear();
    if (!staysOpen) this.#endRecord();
  }

  /** Messages may leave memory when they are on disk. */
  makeRoom(): void {
    this.#messages.trimCache(this.#durableMessages);
    if (this.#makingRoom) return;
    this.#makingRoom = true;
    const upTo = this.#appendedUpTo;
    this.#log.whenDurable(this.#log.mark, {
      onDurable: () => {
        this.#makingRoom = false;
        this.#durableMessages = upTo;
        this.#messages.trimCache(upTo);
        if (this.#messages.isCacheFull && upTo < this.#appendedUpTo) this.makeRoom();
      },
    });
  }

  /** Goes on with the message's record that is open, or begins one of its own; null where nothing was appended since `position`. */
  #beginWith(tag: number, position: number): ByteWriter | null {
    if (!this.#isOpen()) return this.end() === position ? null : this.#begin();
    this.#writer.varint(tag);
    return this.#writer;
  }

  /** Ends what is open and begins another record. */
  #begin(): ByteWriter {
    this.writeUnwritten();
    this.#endOpen();
    this.#log.rollIfFull();
    return this.#log.begin();
  }

  /** Opens the record that says who gets `message`, unless it is open; stores the message itself where it is not stored yet. */
  #openRecordOf(message: Message, withPublisher: boolean): number {
    if (this.#unwritten.isLast(message)) this.writeUnwritten(true);
    if (this.#open === message) return this.#openNumber;
    this.writeUnwritten();
    const known = message.storedAs;
    const isStored = known !== 0 && this.#messages.referencesTo(known) > 0;
    this.#writer = this.#begin();
    if (!isStored) return this.#beginMessage(message, withPublisher);
    this.#open = message;
    this.#openKind = DELIVERIES;
    this.#openNumber = known;
    this.#writer.varint(known);
    return known;
  }

  #beginMessage(message: Message, withPublisher: boolean): number {
    this.#open = message;
    this.#openKind = MESSAGE;
    this.#openNumber = this.#messages.next++;
    this.#writer.varint(this.#openNumber);
    this.#grow(message.size);
    writeMessage(this.#writer, message, this.#options.propertiesForm, withPublisher || message.retain);
    const { segment } = this.#log;
    this.#messages.add(this.#openNumber, segment, this.#log.recordPlace);
    message.storedAs = this.#openNumber;
    this.#messages.cache(this.#openNumber, message.keep());
    return this.#openNumber;
  }

  /** So many bytes are going to be on disk, most likely: its limit is not to be noticed only when all that gathers has been written. */
  #grow(bytes: number): void {
    this.#uncounted += bytes;
    if (this.#uncounted < UNCOUNTED_BYTES_MAX) return;
    this.#uncounted = 0;
    const { store } = this.#options.usage;
    const expected = this.#options.diskBytes() + this.#unwritten.bytes;
    if (expected > store.bytes) store.set(expected);
  }

  /** Whether the record of the message at hand is open, for what else is to be there with it or not at all. */
  #isOpen(): boolean {
    if (this.#open === null && this.#unwritten.isOpen) this.writeUnwritten(true);
    return this.#open !== null;
  }

  #endOpen(): void {
    this.#unwritten.close();
    this.#endRecord();
  }

  #endRecord(): void {
    if (this.#open !== null) {
      this.#open = null;
      this.#log.end(this.#openKind);
      if (this.#removedMeanwhile.length > 0) this.#appendRemovedMeanwhile();
      if (this.#messages.isCacheFull) this.makeRoom();
    }
    if (this.#removing !== null) {
      const session = this.#removing;
      this.#removing = null;
      this.#log.rollIfFull();
      const writer = this.#log.begin();
      writer.varint(session.id);
      writer.varint(this.#removingFirst);
      writer.varint(this.#removingCount);
      this.#log.end(REMOVED);
    }
  }

  #appendRemovedMeanwhile(): void {
    for (const { session, sequence, number } of this.#removedMeanwhile.splice(0)) this.appendRemoved(session, sequence, number);
  }

  /** The records of messages with numbers below are whole. */
  get #appendedUpTo(): number {
    return this.#open !== null && this.#openKind === MESSAGE ? this.#openNumber : this.#messages.next;
  }
}
