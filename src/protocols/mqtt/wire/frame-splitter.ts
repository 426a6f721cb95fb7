import { SlabPool } from '../../../bytes/slab-pool.ts';
import { ProtocolError } from '../../../errors.ts';
import { PACKET_NAMES } from './control-packet.ts';
import { malformed, PACKET_TOO_LARGE } from './reason-code.ts';

/** Takes whole packets. `buffer[start, end)` is the packet's body, `packetStart` the place of its first byte; valid during the call. */
export interface PacketSink {
  /** @returns false to stop: what follows is not looked at */
  onPacket(buffer: Buffer, packetStart: number, start: number, end: number): boolean;
}

/**
 * A packet that arrives in pieces gets room for this many times what has come of it: memory follows what is there, not what was announced,
 * and few pieces are copied twice.
 */
const PARTIAL_GROWTH = 4;

/** Room for pieces, from one packet to the next: a large packet in two reads is the rule at full speed. */
const pool = new SlabPool();

/**
 * Cuts a byte stream into MQTT packets. ![MQTT-1.5.5-1]: a Remaining Length with more bytes than it needs is read all the same, since
 * MQTT 3.1.1 does not forbid it and simple devices write one of fixed size. A packet that lies whole in the chunk is handed on in place; only one that straddles two chunks
 * is copied together.
 */
export class FrameSplitter {
  /** In bytes, the whole packet counted. It may change at any time, also while a packet is handed on. */
  packetSizeMax: number;
  #partial: Buffer | null = null;
  #have = 0;
  /** Size of the partial packet; 0 while its header is incomplete. */
  #need = 0;
  /** Where the partial packet's body starts. */
  #bodyAt = 0;

  constructor(packetSizeMax: number) {
    this.packetSizeMax = packetSizeMax;
  }

  /** Whether part of a packet has arrived. */
  get partial(): boolean {
    return this.#have > 0;
  }

  /**
   * Hands on every packet completed by `chunk[start, end)`.
   * @throws ProtocolError MQTT_MALFORMED_PACKET, MQTT_PACKET_TOO_LARGE, or what the sink throws
   */
  push(chunk: Buffer, start: number, end: number, sink: PacketSink): void {
    let at = start;
    if (this.#have > 0) {
      at = this.#complete(chunk, at, end, sink);
      if (at < 0) return;
    }
    while (at < end) {
      let length = 0;
      let shift = 0;
      let i = at + 1;
      let byte = 128;
      while (i < end && byte >= 128) {
        if (shift === 28) throw tooLong();
        byte = chunk[i++]!;
        length |= (byte & 127) << shift;
        shift += 7;
      }
      if (byte >= 128) {
        if (shift === 28) throw tooLong(); // [MQTT-1.5.5-1] a fifth byte would follow
        break;
      }
      const packetEnd = i + length;
      if (packetEnd - at > this.packetSizeMax) throw this.#tooLarge(chunk[at]!, packetEnd - at);
      if (packetEnd > end) break;
      if (!sink.onPacket(chunk, at, i, packetEnd)) return;
      at = packetEnd;
    }
    if (at < end) this.#begin(chunk, at, end);
  }

  #begin(chunk: Buffer, start: number, end: number): void {
    this.#have = 0;
    this.#need = 0;
    this.#append(chunk, start, end);
    this.#readHeader();
  }

  /** Feeds the partial packet; returns where the next one starts in `chunk`, or -1 when the chunk is used up or the sink stopped. */
  #complete(chunk: Buffer, start: number, end: number, sink: PacketSink): number {
    let at = start;
    while (this.#need === 0 && at < end) {
      this.#append(chunk, at, at + 1);
      at++;
      this.#readHeader();
    }
    if (this.#need === 0) return -1;
    const take = Math.min(this.#need - this.#have, end - at);
    this.#append(chunk, at, at + take);
    if (this.#have < this.#need) return -1;
    const packet = this.#partial!;
    const need = this.#need;
    this.#partial = null;
    this.#have = 0;
    this.#need = 0;
    const goesOn = sink.onPacket(packet, 0, this.#bodyAt, need);
    pool.give(packet);
    return goesOn ? at + take : -1;
  }

  #append(chunk: Buffer, start: number, end: number): void {
    const size = this.#have + end - start;
    let partial = this.#partial;
    if (partial === null || size > partial.length) {
      const wanted = size * PARTIAL_GROWTH;
      partial = pool.take(this.#need === 0 ? wanted : Math.max(size, Math.min(this.#need, wanted)));
      if (this.#partial !== null) {
        this.#partial.copy(partial, 0, 0, this.#have);
        pool.give(this.#partial);
      }
      this.#partial = partial;
    }
    chunk.copy(partial, this.#have, start, end);
    this.#have = size;
  }

  #readHeader(): void {
    let length = 0;
    let shift = 0;
    for (let i = 1; i < this.#have; i++) {
      const byte = this.#partial![i]!;
      if (shift === 28) throw tooLong();
      length |= (byte & 127) << shift;
      shift += 7;
      if (byte < 128) {
        this.#bodyAt = i + 1;
        this.#need = i + 1 + length;
        if (this.#need > this.packetSizeMax) throw this.#tooLarge(this.#partial![0]!, this.#need);
        return;
      }
    }
    if (shift === 28) throw tooLong();
  }

  #tooLarge(header: number, size: number): ProtocolError {
    return new ProtocolError(
      'MQTT_PACKET_TOO_LARGE',
      `${PACKET_NAMES[header >> 4]} of ${size} bytes: at most ${this.packetSizeMax} are accepted`, // [MQTT-3.2.2-15]
      PACKET_TOO_LARGE,
    );
  }
}

function tooLong(): ProtocolError {
  return malformed('Remaining Length has more than four bytes [MQTT-1.5.5-1]');
}
