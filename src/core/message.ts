import type { ByteWriter } from '../bytes/byte-writer.ts';
import { copyBytes, viewOf } from '../bytes/copy-bytes.ts';
import type { Stamp } from './hybrid-clock.ts';
import type { Publisher } from './subscription.ts';
import type { Spilled } from './usage.ts';

export type QoS = 0 | 1 | 2;

/** What MQTT 5 lets an application attach to a message (section 3.3.2.3). Other protocols map theirs onto it. */
export interface MessageProperties {
  /** 1: the payload is UTF-8 text; 0: it need not be, which null, nothing said, means as well. */
  readonly payloadFormatIndicator: 0 | 1 | null;
  readonly contentType: string | null;
  readonly responseTopic: string | null;
  readonly correlationData: Buffer | null;
  /** In the order they came. */
  readonly userProperties: readonly (readonly [name: string, value: string])[];
}

/** Where a message that came over a link has been. */
export interface Transit {
  /** Unique over the network: the publishing broker's id and a sequence. */
  readonly messageId: string;
  /** Ids of the brokers that passed it on, the first one first. */
  readonly brokerPath: readonly string[];
  /** Whether a broker before us has dealt it to the shared subscriptions, ours among them: they get nothing of it here. */
  readonly groupsServed: boolean;
}

/** One encoded form of a message: `buffer[start, end)`. */
export interface Frame {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  /** Where the Packet Identifier stands, from `start`; 0 when the form has none. */
  readonly packetIdentifierAt: number;
}

/** A frame to be read at once: the publish path has one and points it at each message's, so that a delivery allocates none. */
export class FrameCursor implements Frame {
  buffer: Buffer = NOTHING;
  start = 0;
  end = 0;
  packetIdentifierAt = 0;

  set(buffer: Buffer, start: number, end: number, packetIdentifierAt: number): void {
    this.buffer = buffer;
    this.start = start;
    this.end = end;
    this.packetIdentifierAt = packetIdentifierAt;
  }
}

/** A way to write a message for the wire, e.g. "MQTT 3.1.1 PUBLISH, QoS 0". `slot` is its place in `Message.frames`. */
export interface WireForm {
  readonly slot: number;
  encode(message: Message): Frame;
}

/** A way to write properties. A message keeps them as they came, and they are read only when somebody asks. */
export interface PropertiesForm {
  /** Reads `buffer[start, end)`, which are valid properties in this form. */
  decode(buffer: Buffer, start: number, end: number): MessageProperties | null;
}

const NOTHING = Buffer.alloc(0);

/** Bytes of small messages that are kept stand in slabs of this size, one behind the other: none has a Buffer of its own to be collected. */
const SLAB_BYTES = 8_192;
const SMALL_BYTES_MAX = 1_024;
let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
let slabView = viewOf(slab);
let slabUsed = 0;

/**
 * One published application message, shared by all its receivers.
 *
 *     source   | ... | frame head | properties | payload | ...
 *                    frameStart   bodyStart    payloadStart  end
 *
 * A message just parsed *borrows* its bytes from the read buffer they arrived in, which is valid for this call only:
 * whoever keeps the message longer (a queue, the retained store, a large write) calls `keep()` first, which copies once for all.
 * The packet that it arrived in, if it is one of the forms that messages leave in, serves as that form: nothing is encoded again.
 */
export class Message {
  /** MQTT's spelling: levels separated by `/`. */
  readonly topic: string;
  readonly qos: QoS;
  readonly retain: boolean;
  /** Wall clock in milliseconds; 0: never. */
  readonly expiresAtMs: number;
  /** Who published it here: for No Local, and so that a peer does not get back what it sent. */
  readonly publisher: Publisher | null;
  /** null for a message published at this broker. */
  readonly transit: Transit | null;
  /** When and where it was written to the retained messages; null: it was not. */
  retainedAt: Stamp | null = null;
  /** What the store knows it by, as long as the store has it; 0: it is not stored. Another one, below 0, until it is written. */
  storedAs = 0;
  /** How many keep it in memory: `Usage.hold` counts them. */
  holders = 0;
  /** Of them those for whom it waits, where its topic has a limit: `TopicMemory` counts them. */
  waiters = 0;
  /** Where it is on disk, as long as somebody needs it there; null: it is not paged. `Spill` knows. */
  spilled: Spilled | null = null;
  /** How often it was sent, counted by senders that share large payloads from the second time on. */
  sends = 0;
  #source: Buffer;
  /** Where the frame that it arrived in begins; its form is `#frameSlot`, -1 when it is none that messages leave in. */
  #frameStart: number;
  #frameSlot = -1;
  #packetIdentifierAt = 0;
  /** Where the encoded properties begin; the payload when there are none. */
  #bodyStart: number;
  #payloadStart: number;
  #end: number;
  #borrowed: boolean;
  /** null once they are decoded, or when there are none in encoded form. */
  #propertiesForm: PropertiesForm | null = null;
  #properties: MessageProperties | null;
  #frames: (Frame | undefined)[] | null = null;

  constructor(
    topic: string,
    qos: QoS,
    retain: boolean,
    source: Buffer,
    start: number,
    end: number,
    borrowed: boolean,
    properties: MessageProperties | null,
    expiresAtMs: number,
    publisher: Publisher | null,
    transit: Transit | null,
  ) {
    this.topic = topic;
    this.qos = qos;
    this.retain = retain;
    this.expiresAtMs = expiresAtMs;
    this.publisher = publisher;
    this.transit = transit;
    this.#source = source;
    this.#frameStart = start;
    this.#bodyStart = start;
    this.#payloadStart = start;
    this.#end = end;
    this.#borrowed = borrowed;
    this.#properties = properties;
  }

  /** The same message as if it had come another way, or been published here. Keeps this one, whose bytes it shares. */
  by(transit: Transit | null): Message {
    const { topic, qos, retain, properties, expiresAtMs, publisher, payload } = this.keep();
    return new Message(topic, qos, retain, payload, 0, payload.length, false, properties, expiresAtMs, publisher, transit);
  }

  /** A message that owns its payload. */
  static of(topic: string, payload: Buffer, qos: QoS = 0, retain = false, properties: MessageProperties | null = null): Message {
    return new Message(topic, qos, retain, payload, 0, payload.length, false, properties, 0, null, null);
  }

  /** Gives the properties in encoded form: they stand in the source from `start` to the payload. Called before the message is used. */
  setEncodedProperties(form: PropertiesForm, start: number): void {
    this.#propertiesForm = form;
    this.#bodyStart = start;
    this.#frameStart = start;
  }

  /**
   * Gives the frame that the message arrived in, which ends where its payload does, as its encoded form `form`. Called before the message
   * is used.
   * @param packetIdentifierAt from `start`; 0: none
   */
  setFrame(form: WireForm, start: number, packetIdentifierAt: number): void {
    this.#frameSlot = form.slot;
    this.#frameStart = start;
    this.#packetIdentifierAt = packetIdentifierAt;
  }

  get properties(): MessageProperties | null {
    if (this.#propertiesForm !== null && this.#properties === null)
      this.#properties = this.#propertiesForm.decode(this.#source, this.#bodyStart, this.#payloadStart);
    return this.#properties;
  }

  get payloadLength(): number {
    return this.#end - this.#payloadStart;
  }

  /** About how many bytes of memory the message takes while it is kept: payload, topic and properties. For limits. */
  get size(): number {
    const properties = this.#propertiesForm === null && this.#properties !== null ? propertiesSize(this.#properties) : 0;
    return this.#end - this.#bodyStart + this.topic.length + properties;
  }

  /** A view, valid as long as the message is: call `keep()` first to hold on to it. */
  get payload(): Buffer {
    return this.#source.subarray(this.#payloadStart, this.#end);
  }

  /** True while the bytes belong to a read buffer. */
  get borrowed(): boolean {
    return this.#borrowed;
  }

  copyPayload(target: Buffer, at: number): void {
    this.#source.copy(target, at, this.#payloadStart, this.#end);
  }

  writePayload(writer: ByteWriter): void {
    writer.slice(this.#source, this.#payloadStart, this.#end);
  }

  /** Bytes of properties and payload together where the properties are there in this form; else -1. */
  bodyLength(form: PropertiesForm): number {
    return this.#propertiesForm === form ? this.#end - this.#bodyStart : -1;
  }

  /** Copies the encoded properties and the payload. */
  copyBody(target: Buffer, at: number): void {
    this.#source.copy(target, at, this.#bodyStart, this.#end);
  }

  /** Writes the encoded properties and the payload. */
  writeBody(writer: ByteWriter): void {
    writer.slice(this.#source, this.#bodyStart, this.#end);
  }

  /** Makes the message outlive the call it arrived in. Copies its bytes the first time, does nothing after that. */
  keep(): this {
    if (this.#borrowed) {
      const start = this.#frameStart;
      const size = this.#end - start;
      // Few bytes share a slab; many get memory that they do not share and so do not pin.
      const isSmall = size <= SMALL_BYTES_MAX;
      if (isSmall && slabUsed + size > SLAB_BYTES) {
        slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
        slabView = viewOf(slab);
        slabUsed = 0;
      }
      const own = isSmall ? slab : Buffer.allocUnsafeSlow(size);
      const at = isSmall ? slabUsed : 0;
      if (isSmall) slabUsed += size;
      if (isSmall) copyBytes(this.#source, start, this.#end, slab, slabView, at);
      else this.#source.copy(own, at, start, this.#end);
      this.#source = own;
      this.#frameStart = at;
      this.#bodyStart += at - start;
      this.#payloadStart += at - start;
      this.#end = at + size;
      this.#borrowed = false;
    }
    return this;
  }

  /** Points `cursor` at the encoded form, which is encoded at the first request unless the message arrived in it. */
  locate(form: WireForm, cursor: FrameCursor): void {
    if (form.slot === this.#frameSlot) {
      cursor.set(this.#source, this.#frameStart, this.#end, this.#packetIdentifierAt);
      return;
    }
    const { buffer, start, end, packetIdentifierAt } = this.frame(form);
    cursor.set(buffer, start, end, packetIdentifierAt);
  }

  /** The encoded form, encoded at the first request unless the message arrived in it. */
  frame(form: WireForm): Frame {
    if (form.slot === this.#frameSlot)
      return { buffer: this.#source, start: this.#frameStart, end: this.#end, packetIdentifierAt: this.#packetIdentifierAt };
    const frames = (this.#frames ??= []);
    return (frames[form.slot] ??= form.encode(this));
  }

  /** Forgets the forms that were encoded for receivers: whoever keeps the message for long need not hold them all. */
  dropFrames(): void {
    this.#frames = null;
  }
}

function propertiesSize(p: MessageProperties): number {
  let size = (p.contentType?.length ?? 0) + (p.responseTopic?.length ?? 0) + (p.correlationData?.length ?? 0);
  for (const [name, value] of p.userProperties) size += name.length + value.length;
  return size;
}
