import type { Stamp } from './hybrid-clock.ts';
import type { Subscriber } from './subscription.ts';

export type QoS = 0 | 1 | 2;

/** What MQTT 5 lets an application attach to a message (section 3.3.2.3). Other protocols map theirs onto it. */
export interface MessageProperties {
  /** 1: the payload is UTF-8 text. */
  readonly payloadFormatIndicator: 0 | 1;
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
}

/** One encoded form of a message: `buffer[start, end)`. */
export interface Frame {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  /** Where the Packet Identifier stands, from `start`; 0 when the form has none. */
  readonly packetIdentifierAt: number;
}

/** A way to write a message for the wire, e.g. "MQTT 3.1.1 PUBLISH, QoS 0". `slot` is its place in `Message.frames`. */
export interface WireForm {
  readonly slot: number;
  encode(message: Message): Frame;
}

/**
 * One published application message, shared by all its receivers.
 *
 * A message just parsed *borrows* its bytes from the read buffer they arrived in, which is valid for this call only:
 * whoever keeps the message longer (a queue, the retained store, a large write) calls `keep()` first, which copies once for all.
 */
export class Message {
  /** MQTT's spelling: levels separated by `/`. */
  readonly topic: string;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties: MessageProperties | null;
  /** Wall clock in milliseconds; 0: never. */
  readonly expiresAtMs: number;
  /** Who published it here: for No Local, and so that a peer does not get back what it sent. */
  readonly publisher: Subscriber | null;
  /** null for a message published at this broker. */
  readonly transit: Transit | null;
  /** When and where it was retained; null until then. */
  retainedAt: Stamp | null = null;
  #source: Buffer;
  #start: number;
  #end: number;
  #borrowed: boolean;
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
    publisher: Subscriber | null,
    transit: Transit | null,
  ) {
    this.topic = topic;
    this.qos = qos;
    this.retain = retain;
    this.properties = properties;
    this.expiresAtMs = expiresAtMs;
    this.publisher = publisher;
    this.transit = transit;
    this.#source = source;
    this.#start = start;
    this.#end = end;
    this.#borrowed = borrowed;
  }

  /** A message that owns its payload. */
  static of(topic: string, payload: Buffer, qos: QoS = 0, retain = false, properties: MessageProperties | null = null): Message {
    return new Message(topic, qos, retain, payload, 0, payload.length, false, properties, 0, null, null);
  }

  get payloadLength(): number {
    return this.#end - this.#start;
  }

  /** About how many bytes of memory the message takes while it is kept: payload, topic and properties. For limits. */
  get size(): number {
    return this.payloadLength + this.topic.length + (this.properties === null ? 0 : propertiesSize(this.properties));
  }

  /** A view, valid as long as the message is: call `keep()` first to hold on to it. */
  get payload(): Buffer {
    return this.#source.subarray(this.#start, this.#end);
  }

  /** True while the bytes belong to a read buffer. */
  get borrowed(): boolean {
    return this.#borrowed;
  }

  copyPayload(target: Buffer, at: number): void {
    this.#source.copy(target, at, this.#start, this.#end);
  }

  /** Makes the message outlive the call it arrived in. Copies the payload the first time, does nothing after that. */
  keep(): this {
    if (this.#borrowed) {
      const size = this.#end - this.#start;
      // A small payload shares a pool's slab; a large one gets memory that it does not share and so does not pin.
      const own = size <= 1_024 ? Buffer.allocUnsafe(size) : Buffer.allocUnsafeSlow(size);
      this.#source.copy(own, 0, this.#start, this.#end);
      const frames = this.#frames;
      if (frames !== null) for (let i = 0; i < frames.length; i++) if (frames[i]?.buffer === this.#source) frames[i] = undefined;
      this.#source = own;
      this.#end -= this.#start;
      this.#start = 0;
      this.#borrowed = false;
    }
    return this;
  }

  /** The encoded form, encoded at the first request. */
  frame(form: WireForm): Frame {
    const frames = (this.#frames ??= []);
    return (frames[form.slot] ??= form.encode(this));
  }

  /** Gives the frame that the message arrived in as the encoded form `form`: then nothing is ever encoded for it. */
  setFrame(form: WireForm, frame: Frame): void {
    const frames = (this.#frames ??= []);
    frames[form.slot] = frame;
  }

  /** Forgets the encoded forms: a queued message need not hold both its payload and its frames. */
  dropFrames(): void {
    this.#frames = null;
  }
}

function propertiesSize(p: MessageProperties): number {
  let size = (p.contentType?.length ?? 0) + (p.responseTopic?.length ?? 0) + (p.correlationData?.length ?? 0);
  for (const [name, value] of p.userProperties) size += name.length + value.length;
  return size;
}
