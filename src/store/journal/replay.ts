import type { ByteReader } from '../../bytes/byte-reader.ts';
import {
  DeliveryReading,
  FIRST_SESSION_ID,
  type RetainedEntry,
  readStamp,
  TAG_ATTRIBUTE,
  TAG_NOTED,
  TAG_RECEIVED,
  TAG_SEEN,
} from './entries.ts';
import { readText, skipMessage } from './message-codec.ts';
import type { Messages } from './messages.ts';
import {
  ATTRIBUTE,
  DELIVERIES,
  MESSAGE,
  MOVED,
  NOTED,
  RECEIVED,
  RECEIVED_DELETED,
  RELEASED,
  REMOVED,
  RETAINED,
  SEEN,
  SESSION,
  SESSION_DROPPED,
} from './record.ts';
import type { Segment } from './segment.ts';
import { notedIn, SessionContent, windowIn } from './session.ts';

/**
 * Does again what the journal's records say was done, also what a checkpoint knows already: it was written while records went on to be
 * appended. What a damaged record has taken with it is passed over. Who needs which message is counted after it (`countReferences`).
 */
export class Replay {
  readonly #messages: Messages;
  readonly #sessions: Map<number, SessionContent>;
  readonly #retained: Map<string, RetainedEntry>;
  readonly #delivery = new DeliveryReading();
  nextSessionId: number;

  constructor(messages: Messages, sessions: Map<number, SessionContent>, retained: Map<string, RetainedEntry>, nextSessionId: number) {
    this.#messages = messages;
    this.#sessions = sessions;
    this.#retained = retained;
    this.nextSessionId = nextSessionId;
  }

  /** @param reader at the record's body */
  apply(kind: number, reader: ByteReader, segment: Segment, place: number): void {
    switch (kind) {
      case MESSAGE:
        this.#message(reader, segment, place);
        break;
      case DELIVERIES:
        this.#entries(reader, reader.varint(), null);
        break;
      case MOVED:
        this.#messages.move(reader.varint(), segment, place);
        break;
      case REMOVED:
        this.#removed(reader);
        break;
      case RELEASED:
        this.#sessions.get(reader.varint())?.ring.release(reader.varint());
        break;
      case RECEIVED:
        this.#sessions.get(reader.varint())?.received.add(reader.varint());
        break;
      case RECEIVED_DELETED:
        this.#sessions.get(reader.varint())?.received.delete(reader.varint());
        break;
      case SESSION: {
        const id = reader.varint();
        if (!this.#sessions.has(id)) this.#sessions.set(id, new SessionContent(readText(reader)));
        this.nextSessionId = Math.max(this.nextSessionId, id + 1);
        break;
      }
      case SESSION_DROPPED:
        this.#sessions.delete(reader.varint());
        break;
      case ATTRIBUTE: {
        const attributes = this.#sessions.get(reader.varint())?.attributes;
        const name = readText(reader);
        if (reader.u8() === 0) attributes?.delete(name);
        else attributes?.set(name, reader.copy(reader.remaining));
        break;
      }
      case NOTED:
        this.#noted(reader);
        break;
      case SEEN:
        this.#seen(reader);
        break;
      case RETAINED:
        this.#retained.set(readText(reader), { number: 0, stamp: readStamp(reader) });
        break;
    }
  }

  #message(reader: ByteReader, segment: Segment, place: number): void {
    const number = reader.varint();
    const topic = skipMessage(reader);
    this.#messages.add(number, segment, place);
    this.#messages.next = Math.max(this.#messages.next, number + 1);
    this.#entries(reader, number, topic);
  }

  /** @param topic of the message; null where the record does not have it */
  #entries(reader: ByteReader, number: number, topic: string | null): void {
    while (reader.remaining > 0) {
      const tag = reader.varint();
      if (tag === TAG_RECEIVED) {
        this.#sessions.get(reader.varint())?.received.add(reader.varint());
      } else if (tag === TAG_NOTED) {
        this.#noted(reader);
      } else if (tag === TAG_SEEN) {
        this.#seen(reader);
      } else if (tag === TAG_ATTRIBUTE) {
        const attributes = this.#sessions.get(reader.varint())?.attributes;
        const name = readText(reader);
        const length = reader.varint();
        if (length === 0) attributes?.delete(name);
        else attributes?.set(name, reader.copy(length - 1));
      } else if (tag < FIRST_SESSION_ID) {
        const of = topic ?? readText(reader);
        this.#retained.set(of, { number, stamp: readStamp(reader) });
      } else {
        const delivery = this.#delivery;
        delivery.read(reader);
        const ring = this.#sessions.get(tag)?.ring;
        if (ring === undefined || delivery.sequence < ring.next) continue;
        ring.skipTo(delivery.sequence);
        ring.push(number, delivery.size, delivery);
      }
    }
  }

  #seen(reader: ByteReader): void {
    const attributes = this.#sessions.get(reader.varint())?.attributes;
    const sequence = reader.varint();
    if (attributes !== undefined) windowIn(attributes).note(sequence);
  }

  #noted(reader: ByteReader): void {
    const attributes = this.#sessions.get(reader.varint())?.attributes;
    const lane = reader.varint();
    const count = reader.varint();
    if (attributes !== undefined) notedIn(attributes, lane).writeDoubleBE(count);
  }

  #removed(reader: ByteReader): void {
    const ring = this.#sessions.get(reader.varint())?.ring;
    const first = reader.varint();
    const end = first + reader.varint();
    for (let sequence = first; sequence < end; sequence++) ring?.remove(sequence);
  }
}
