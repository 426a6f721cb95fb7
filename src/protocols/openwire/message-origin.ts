import { ByteWriter } from '../../bytes/byte-writer.ts';
import type { Transit } from '../../core/message.ts';
import { modifiedUtf8Length, writeModifiedUtf8 } from './wire/modified-utf8.ts';
import { BROKER_ID, PRODUCER_ID } from './wire/structures.ts';

/** A producer as message ids name it, together with its bytes on the wire, so that a message passed on needs no new encoding of them. */
export interface Origin {
  /** `connectionId:sessionId:value` (OpenWire specification section 7.1). */
  readonly text: string;
  /** A present, nested ProducerId in loose form. */
  readonly bytes: Buffer;
}

/** The brokers a message came through, together with their bytes. */
export interface BrokerPathBytes {
  readonly ids: readonly string[];
  /** The array's elements in loose form, without its count. */
  readonly bytes: Buffer;
}

export const EMPTY_PATH: BrokerPathBytes = { ids: [], bytes: Buffer.alloc(0) };

/** Where a message that came over an OpenWire link has been. Its id is put into words only when somebody asks. */
export class LinkTransit implements Transit {
  readonly origin: Origin;
  readonly sequence: number;
  readonly path: BrokerPathBytes;
  readonly groupsServed: boolean;

  constructor(origin: Origin, sequence: number, path: BrokerPathBytes, groupsServed: boolean) {
    this.origin = origin;
    this.sequence = sequence;
    this.path = path;
    this.groupsServed = groupsServed;
  }

  get messageId(): string {
    return `${this.origin.text}:${this.sequence}`;
  }

  get brokerPath(): readonly string[] {
    return this.path.ids;
  }
}

export function createOrigin(connectionId: string, sessionId: number, value: number): Origin {
  const out = new ByteWriter(128);
  out.u8(1);
  out.u8(PRODUCER_ID);
  writeString(out, connectionId);
  out.i64(value); // the wire has value before sessionId
  out.i64(sessionId);
  return { text: `${connectionId}:${sessionId}:${value}`, bytes: out.copy() };
}

/** The origin with this text; null when it is none. */
export function originOf(text: string): Origin | null {
  const parts = /^(.*):(-?\d+):(-?\d+)$/s.exec(text);
  return parts === null ? null : createOrigin(parts[1]!, Number(parts[2]), Number(parts[3]));
}

export function createBrokerPath(ids: readonly string[]): BrokerPathBytes {
  const out = new ByteWriter(128);
  for (const id of ids) {
    out.u8(1);
    out.u8(BROKER_ID);
    writeString(out, id);
  }
  return { ids, bytes: out.copy() };
}

function writeString(out: ByteWriter, text: string): void {
  const length = modifiedUtf8Length(text);
  out.u8(1);
  out.u16(length);
  writeModifiedUtf8(out, text, length);
}
