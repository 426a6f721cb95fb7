import { ProtocolError } from '../../errors.ts';
import { PACKET_SIZE_MAX } from './wire/control-packet.ts';
import { FrameSplitter, type PacketSink } from './wire/frame-splitter.ts';
import { QUOTA_EXCEEDED } from './wire/reason-code.ts';

/**
 * Bytes held of one client. Its socket is not read meanwhile, so that it is what one read has brought; whoever brings more is not let fill
 * the memory before it is known who it is.
 */
export const HELD_BYTES_MAX = 1024 * 1024;

/** Bytes of the first allocation. */
const HELD_BYTES_FIRST = 1_024;

/** Whole packets that came before their time, one behind the other. */
export class HeldPackets {
  #bytes: Buffer | null = null;
  #length = 0;

  /** @throws ProtocolError MQTT_QUOTA_EXCEEDED */
  add(buffer: Buffer, start: number, end: number): void {
    const length = this.#length + end - start;
    if (length > HELD_BYTES_MAX)
      throw new ProtocolError('MQTT_QUOTA_EXCEEDED', `more than ${HELD_BYTES_MAX} bytes before CONNACK`, QUOTA_EXCEEDED);
    if (this.#bytes === null || length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(length, HELD_BYTES_FIRST, Math.min(2 * this.#length, HELD_BYTES_MAX)));
      this.#bytes?.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    buffer.copy(this.#bytes, this.#length, start, end);
    this.#length = length;
  }

  /** Hands all of them on. @throws ProtocolError as the sink does */
  replay(sink: PacketSink): void {
    if (this.#bytes !== null) new FrameSplitter(PACKET_SIZE_MAX).push(this.#bytes, 0, this.#length, sink);
  }
}
