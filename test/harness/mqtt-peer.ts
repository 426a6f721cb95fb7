import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import {
  bytes,
  type ConnectFields,
  connackV3,
  type Level,
  Packets,
  type Part,
  PINGREQ,
  PINGRESP,
  type PublishFields,
} from './mqtt-bytes.ts';

/** Bound for every wait, in milliseconds: an answer takes a few; only a broken broker takes this long. */
export const PEER_WAIT_MS = 20_000;

export interface PeerOptions {
  /** Default: 4, MQTT 3.1.1. */
  readonly level?: Level;
  /** Reads nothing from the socket until `readOn`. */
  readonly stalled?: boolean;
  /** An address of this machine that the connection comes from: any of 127.0.0.0/8. */
  readonly from?: string;
}

/** A DISCONNECT, CONNACK and so on as read: its first byte and its body. */
export interface RawPacket {
  readonly header: number;
  readonly body: Buffer;
  readonly whole: Buffer;
}

/** A raw socket that says exact bytes and expects exact bytes. Every packet it builds is of its level. */
export class MqttPeer {
  readonly level: Level;
  readonly packets: Packets;
  /** When the connection is closed and whether that was orderly. */
  closed = false;
  #received: Buffer[] = [];
  #receivedBytes = 0;
  #wake: (() => void) | null = null;
  #nextId = 0;
  readonly #socket: Socket;

  static dial(port: number, options: PeerOptions = {}): Promise<MqttPeer> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, ...(options.from === undefined ? {} : { localAddress: options.from }) });
      socket.setNoDelay(true);
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new MqttPeer(socket, options));
      });
    });
  }

  constructor(socket: Socket, options: PeerOptions) {
    this.level = options.level ?? 4;
    this.packets = new Packets(this.level);
    this.#socket = socket;
    const close = (): void => {
      this.closed = true;
      this.#wake?.();
    };
    socket.on('error', close); // a reset is a close like any other to a test
    socket.on('close', close);
    socket.on('end', close);
    if (options.stalled === true) socket.pause();
    socket.on('data', (chunk: Buffer) => {
      this.#received.push(chunk);
      this.#receivedBytes += chunk.length;
      this.#wake?.();
    });
    if (options.stalled === true) socket.pause();
  }

  /** Begins to read again. */
  readOn(): void {
    this.#socket.resume();
  }

  /** Stops reading. */
  stall(): void {
    this.#socket.pause();
  }

  /** Bytes that came and were not expected yet. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Sends all parts in one write. */
  send(...parts: readonly Part[]): void {
    this.#socket.write(bytes(...parts));
  }

  /** Sends all parts and waits until the kernel has them. */
  sent(...parts: readonly Part[]): Promise<void> {
    return new Promise((resolve) => this.#socket.write(bytes(...parts), () => resolve()));
  }

  /** The next bytes must be exactly these. */
  async expect(...parts: readonly Part[]): Promise<void> {
    const expected = bytes(...parts);
    const actual = await this.take(expected.length);
    if (!actual.equals(expected)) assert.equal(show(actual), show(expected));
  }

  /** The next whole packets, in whatever order, must be exactly these. */
  async expectInAnyOrder(...packets: readonly Part[]): Promise<void> {
    const expected = packets.map((part) => bytes(part).toString('hex')).sort();
    const actual: string[] = [];
    for (let i = 0; i < packets.length; i++) actual.push((await this.packet()).whole.toString('hex'));
    assert.deepEqual(actual.sort(), expected);
  }

  /** Exactly this many bytes. */
  async take(size: number): Promise<Buffer> {
    const deadline = Date.now() + PEER_WAIT_MS;
    while (this.#receivedBytes < size) {
      if (this.closed) assert.fail(`the connection was closed; ${size} bytes were expected, these came: ${show(this.#all())}`);
      if (Date.now() > deadline)
        assert.fail(`no answer within ${PEER_WAIT_MS} ms; ${size} bytes were expected, these came: ${show(this.#all())}`);
      await this.#something(deadline);
    }
    const all = this.#all();
    this.#received = size < all.length ? [all.subarray(size)] : [];
    this.#receivedBytes = all.length - size;
    return all.subarray(0, size);
  }

  /** The next packet, whatever it is. */
  async packet(): Promise<RawPacket> {
    const header = await this.take(1);
    let length = 0;
    let factor = 1;
    const head = [header];
    for (;;) {
      const byte = await this.take(1);
      head.push(byte);
      length += (byte[0]! & 127) * factor;
      factor *= 128;
      if (byte[0]! < 128) break;
    }
    const body = await this.take(length);
    return { header: header[0]!, body, whole: Buffer.concat([...head, body]) };
  }

  /** The broker must close the connection without a further byte. */
  async expectClose(): Promise<void> {
    const deadline = Date.now() + PEER_WAIT_MS;
    while (!this.closed) {
      if (Date.now() > deadline) assert.fail(`not closed within ${PEER_WAIT_MS} ms; these bytes came: ${show(this.#all())}`);
      await this.#something(deadline);
    }
    assert.equal(show(this.#all()), '', 'nothing was expected before the close');
    this.#socket.destroy();
  }

  /** DISCONNECT of MQTT 5 with this reason, then a close. Returns the properties' bytes, their length in front. */
  async expectDisconnect(reason: number): Promise<Buffer> {
    const { header, body, whole } = await this.packet();
    assert.equal(header, 0xe0, `DISCONNECT was expected: ${show(whole)}`);
    assert.equal(body[0]!.toString(16), reason.toString(16), `reason code of DISCONNECT: ${show(whole)}`);
    await this.expectClose();
    return body.subarray(1);
  }

  /** The broker refuses: MQTT 5 clients are told `reason` by DISCONNECT, earlier ones just find the connection closed. */
  async expectEnd(reason: number): Promise<void> {
    if (this.level === 5) await this.expectDisconnect(reason);
    else await this.expectClose();
  }

  /** CONNACK of MQTT 5 with this reason and no session. Returns the properties' bytes, their length in front. */
  async expectConnack(reason: number, sessionPresent = false): Promise<Buffer> {
    const { header, body, whole } = await this.packet();
    assert.equal(header, 0x20, `CONNACK was expected: ${show(whole)}`);
    assert.deepEqual([body[0], body[1]], [sessionPresent ? 1 : 0, reason], `session present and reason code of CONNACK: ${show(whole)}`);
    return body.subarray(2);
  }

  /**
   * Whatever the broker had to say to this client by now has been received, and it was nothing.
   * A broker answers in the order of what it reads, so the answer to a ping comes after everything else.
   */
  async expectNothing(): Promise<void> {
    this.send(PINGREQ);
    await this.expect(PINGRESP);
  }

  /** CONNECT and CONNACK. */
  async connect(fields: ConnectFields = {}, sessionPresent = false): Promise<this> {
    this.send(this.packets.connect(fields));
    if (this.level === 5) await this.expectConnack(0, sessionPresent);
    else await this.expect(connackV3(sessionPresent && this.level !== 3)); // MQTT 3.1 has no such flag
    return this;
  }

  /** SUBSCRIBE and SUBACK, which must grant what was asked for. */
  async subscribe(filters: Readonly<Record<string, number>>, content?: Part): Promise<void> {
    const id = ++this.#nextId;
    this.send(this.packets.subscribe(id, filters, content));
    await this.expect(this.packets.suback(id, ...Object.values(filters).map((options) => options & 3)));
  }

  /** PUBLISH, and the handshake of its QoS. When this resolves the broker has handed the message on. */
  async publish(fields: PublishFields): Promise<void> {
    const id = fields.id ?? 1;
    this.send(this.packets.publish({ ...fields, id }));
    switch (fields.qos ?? 0) {
      case 0:
        await this.expectNothing();
        break;
      case 1:
        await this.expectAcknowledgement(0x40, id);
        break;
      case 2:
        await this.expectAcknowledgement(0x50, id);
        this.send(this.packets.pubrel(id));
        await this.expect(this.packets.pubcomp(id));
        break;
    }
  }

  /** An acknowledgement that is no refusal: MQTT 5 may say that nobody subscribes. */
  async expectAcknowledgement(header: number, id: number): Promise<void> {
    const { header: actual, body, whole } = await this.packet();
    assert.equal(actual, header, show(whole));
    assert.equal(body.readUInt16BE(0), id, show(whole));
    assert.ok(body.length === 2 || body[2]! < 0x80, show(whole));
  }

  /** The orderly goodbye; resolves when the broker has closed. */
  async disconnect(reason?: number, content?: Part): Promise<void> {
    this.send(this.packets.disconnect(reason, content));
    await this.expectClose();
  }

  /** Half a close: nothing more is sent. */
  end(): void {
    this.#socket.end();
  }

  /** The connection is gone with a reset. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** The connection is gone without a word. Resolves when the socket is closed here. */
  destroy(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.closed) return resolve();
      this.#socket.once('close', () => resolve());
      this.#socket.destroy();
    });
  }

  #all(): Buffer {
    if (this.#received.length !== 1) this.#received = [Buffer.concat(this.#received)];
    return this.#received[0]!;
  }

  #something(deadline: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, Math.max(1, deadline - Date.now()));
      const self = this;
      function done(): void {
        clearTimeout(timer);
        self.#wake = null;
        resolve();
      }
      this.#wake = done;
    });
  }
}

/** Long bytes are cut: a test's message should be readable. */
function show(buffer: Buffer): string {
  const hex = buffer.subarray(0, 200).toString('hex').replace(/../g, '$& ').trim();
  return buffer.length > 200 ? `${hex} ... (${buffer.length} bytes)` : hex;
}
