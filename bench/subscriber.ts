import {
  DUP_FLAG,
  type ProtocolVersion,
  PUBACK_BYTE,
  PUBCOMP_BYTE,
  PUBLISH,
  PUBLISHER_INDEX_BYTES,
  PUBREC_BYTE,
  PUBREL,
  type Qos,
  SUBACK,
  skipProperties,
  subscribeFrame,
  worstReasonOf,
} from './frames.ts';
import { answer, LoadConnection, type LoadConnectionOwner, type Target } from './load-connection.ts';
import type { LoadRun } from './load-run.ts';
import type { Publisher } from './publisher.ts';

/** Receives, acknowledges, and gives each message back to its publisher's window. */
export class Subscriber implements LoadConnectionOwner {
  readonly #run: LoadRun;
  readonly #publishers: readonly Publisher[];
  /** The index of the first of `#publishers`. */
  readonly #firstIndex: number;
  /** Messages received so far, by publisher: the ordinal of the next one. */
  readonly #received: Float64Array;
  readonly #version: ProtocolVersion;
  #connection!: LoadConnection;
  #onSuback: (reason: number) => void = () => {};

  /**
   * @param publishers whose messages come here, in the order of their indexes
   * @param firstIndex the index of the first of them
   */
  constructor(run: LoadRun, publishers: readonly Publisher[], firstIndex: number, version: ProtocolVersion) {
    this.#run = run;
    this.#publishers = publishers;
    this.#firstIndex = firstIndex;
    this.#received = new Float64Array(publishers.length);
    this.#version = version;
  }

  /** Connects and subscribes; resolves when both are acknowledged. */
  async open(target: Target, clientId: string, clean: boolean, topicFilters: readonly string[], qos: Qos): Promise<void> {
    this.#connection = await LoadConnection.open(target, { clientId, clean, keepAliveS: 0 }, this);
    await answer<void>(`SUBACK for ${clientId}`, (resolve, reject) => {
      this.#onSuback = (reason) =>
        reason < 0x80
          ? resolve()
          : reject(new Error(`the broker refused a subscription to ${topicFilters.join(', ')}: SUBACK 0x${reason.toString(16)}`));
      this.#connection.write(subscribeFrame(topicFilters, target.version, qos));
    });
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  onRead(): void {
    this.#run.tick();
  }

  onFrame(first: number, bytes: Uint8Array, start: number, end: number): void {
    switch (first >> 4) {
      case PUBLISH:
        this.#onPublish(first, bytes, start, end);
        return;
      case PUBREL:
        this.#connection.acknowledge(PUBCOMP_BYTE, bytes[start]!, bytes[start + 1]!);
        return;
      case SUBACK:
        this.#onSuback(worstReasonOf(bytes, start, end, this.#version));
    }
  }

  onTurnEnd(): void {
    this.#connection.writeAcks();
  }

  onClose(reason: number | null): void {
    this.#run.onClose(reason);
  }

  #onPublish(first: number, bytes: Uint8Array, start: number, end: number): void {
    const qos = (first >> 1) & 3;
    let at = start + 2 + ((bytes[start]! << 8) | bytes[start + 1]!);
    if (qos > 0) {
      this.#connection.acknowledge(qos === 1 ? PUBACK_BYTE : PUBREC_BYTE, bytes[at]!, bytes[at + 1]!);
      at += 2;
    }
    if (this.#version === 5) at = skipProperties(bytes, at);
    const slot = at + PUBLISHER_INDEX_BYTES <= end ? this.#slotOf(bytes, at) : -1;
    const publisher = this.#publishers[slot];
    // A message may also be another run's.
    if (publisher === undefined || !publisher.isOpen) this.#run.onStray();
    // A repeated message is acknowledged like any other, and makes no room in the window.
    else if (first & DUP_FLAG) this.#run.onDuplicate();
    else this.#onDelivery(publisher, slot);
  }

  #onDelivery(publisher: Publisher, slot: number): void {
    const { window } = publisher;
    this.#run.onDelivery(window.sentAtMs(this.#received[slot]!++));
    window.deliver();
    publisher.touch();
  }

  #slotOf(bytes: Uint8Array, at: number): number {
    const index = ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
    return index - this.#firstIndex;
  }
}
