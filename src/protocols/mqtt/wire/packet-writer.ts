import { variableByteLength, writeVariableByte } from './control-packet.ts';

/** Puts a packet together: body first, then the header in front of it. For all packets but PUBLISH and plain acknowledgements. */
export class PacketWriter {
  #buffer = Buffer.allocUnsafe(256);
  #length = 0;

  reset(): this {
    this.#length = 0;
    return this;
  }

  get length(): number {
    return this.#length;
  }

  byte(value: number): this {
    this.#room(1);
    this.#buffer[this.#length++] = value;
    return this;
  }

  two(value: number): this {
    this.#room(2);
    this.#length = this.#buffer.writeUInt16BE(value, this.#length);
    return this;
  }

  four(value: number): this {
    this.#room(4);
    this.#length = this.#buffer.writeUInt32BE(value, this.#length);
    return this;
  }

  variableByte(value: number): this {
    this.#room(4);
    this.#length = writeVariableByte(this.#buffer, this.#length, value);
    return this;
  }

  string(value: string): this {
    const size = Buffer.byteLength(value);
    this.#room(2 + size);
    this.#buffer.writeUInt16BE(size, this.#length);
    this.#buffer.write(value, this.#length + 2, 'utf8');
    this.#length += 2 + size;
    return this;
  }

  binary(value: Buffer): this {
    return this.two(value.length).bytes(value);
  }

  bytes(value: Buffer): this {
    this.#room(value.length);
    value.copy(this.#buffer, this.#length);
    this.#length += value.length;
    return this;
  }

  /** Adds another writer's bytes, with their length in front as properties have it. */
  properties(other: PacketWriter): this {
    this.variableByte(other.length);
    this.#room(other.length);
    other.#buffer.copy(this.#buffer, this.#length, 0, other.#length);
    this.#length += other.#length;
    return this;
  }

  /** A copy of what was written, without a header. */
  content(): Buffer {
    return Buffer.from(this.#buffer.subarray(0, this.#length));
  }

  /** The whole packet, in a buffer of its own. `header` is its first byte: type and flags. */
  packet(header: number): Buffer {
    const packet = Buffer.allocUnsafe(1 + variableByteLength(this.#length) + this.#length);
    packet[0] = header;
    this.#buffer.copy(packet, writeVariableByte(packet, 1, this.#length), 0, this.#length);
    return packet;
  }

  #room(size: number): void {
    if (this.#length + size <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#length + size, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}
