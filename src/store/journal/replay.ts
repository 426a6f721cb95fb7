import type { ByteReader } from '../../bytes/byte-reader.ts';
import { FIRST_SESSION_ID, type RetainedEntry, readDelivery, readStamp, TAG_RECEIVED } from './entries.ts';
import { readText, skipMessage } from './message-codec.ts';
import type { Messages } from './messages.ts';
import {
  ATTRIBUTE,
  DELIVERIES,
  MESSAGE,
  MOVED,
  RECEIVED,
  RECEIVED_DELETED,
  RELEASED,
  REMOVED,
  RETAINED,
  SESSION,
  SESSION_DROPPED,
} from './record.ts';
import type { Segment } from './segment.ts';
import { SessionContent } from './session.ts';

/** Does again what the journal's records say was done. What a damaged record has taken with it is passed over. */
export class Replay {
  readonly #messages: Messages;
  readonly #sessions: Map<number, SessionContent>;
  readonly #retained: Map<string, RetainedEntry>;
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
        this.#moved(reader.varint(), segment, place);
        break;
      case REMOVED:
        this.#removed(reader);
        break;
      case RELEASED: {
        const number = this.#sessions.get(reader.varint())?.ring.release(reader.varint()) ?? null;
        if (number !== null) this.#messages.unrefer(number);
        break;
      }
      case RECEIVED:
        this.#sessions.get(reader.varint())?.received.add(reader.varint());
        break;
      case RECEIVED_DELETED:
        this.#sessions.get(reader.varint())?.received.delete(reader.varint());
        break;
      case SESSION: {
        const id = reader.varint();
        this.#sessions.set(id, new SessionContent(readText(reader)));
        this.nextSessionId = Math.max(this.nextSessionId, id + 1);
        break;
      }
      case SESSION_DROPPED:
        this.#dropped(reader.varint());
        break;
      case ATTRIBUTE: {
        const attributes = this.#sessions.get(reader.varint())?.attributes;
        const name = readText(reader);
        if (reader.u8() === 0) attributes?.delete(name);
        else attributes?.set(name, reader.copy(reader.remaining));
        break;
      }
      case RETAINED:
        this.#retain(readText(reader), { number: 0, stamp: readStamp(reader) });
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
      } else if (tag < FIRST_SESSION_ID) {
        const of = topic ?? readText(reader);
        const stamp = readStamp(reader);
        this.#messages.refer(number);
        this.#retain(of, { number, stamp });
      } else {
        const { sequence, size, delivery } = readDelivery(reader);
        const ring = this.#sessions.get(tag)?.ring;
        if (ring === undefined || sequence < ring.next) continue;
        ring.skipTo(sequence);
        ring.push(number, size, delivery);
        this.#messages.refer(number);
      }
    }
  }

  #retain(topic: string, entry: RetainedEntry): void {
    const before = this.#retained.get(topic);
    this.#retained.set(topic, entry);
    if (before !== undefined && before.number !== 0) this.#messages.unrefer(before.number);
  }

  #moved(number: number, segment: Segment, place: number): void {
    if (this.#messages.referencesTo(number) > 0) this.#messages.move(number, segment, place);
  }

  #removed(reader: ByteReader): void {
    const ring = this.#sessions.get(reader.varint())?.ring;
    const first = reader.varint();
    const end = first + reader.varint();
    for (let sequence = first; sequence < end; sequence++) {
      const number = ring?.remove(sequence) ?? null;
      if (number !== null) this.#messages.unrefer(number);
    }
  }

  #dropped(id: number): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#sessions.delete(id);
    for (const { ref } of session.ring.entries()) if (ref !== null) this.#messages.unrefer(ref);
  }
}
