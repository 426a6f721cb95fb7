import type { DeliveryWindow } from './delivery-window.ts';
import { PUBACK, PUBCOMP, PUBREC, PUBREL_BYTE } from './frames.ts';
import { LoadConnection, type LoadConnectionOwner, type Target } from './load-connection.ts';
import type { LoadRun } from './load-run.ts';
import type { PublishRing } from './publish-ring.ts';

/** Unsent bytes beyond which a publisher waits: more would measure our own queue. */
const UNSENT_BYTES_MAX = 262_144;

/** Unacknowledged messages beyond which a publisher waits, so that no packet identifier is used twice at a time. */
const UNACKNOWLEDGED_MAX = 60_000;

/** Publishes as fast as its window, its rate and the broker's Receive Maximum allow. */
export class Publisher implements LoadConnectionOwner {
  readonly window: DeliveryWindow;
  readonly #run: LoadRun;
  readonly #ring: PublishRing;
  readonly #isAcknowledged: boolean;
  readonly #intervalMs: number;
  #connection!: LoadConnection;
  #unacknowledgedMax = UNACKNOWLEDGED_MAX;
  #acknowledged = 0;
  #nextDueMs = 0;
  /** Whether it may have published anything. */
  isOpen = false;

  /**
   * @param isAcknowledged whether the broker answers each message (QoS 1 and 2)
   * @param intervalMs     milliseconds between two messages; 0: as fast as the window allows
   */
  constructor(run: LoadRun, window: DeliveryWindow, ring: PublishRing, isAcknowledged: boolean, intervalMs: number) {
    this.#run = run;
    this.window = window;
    this.#ring = ring;
    this.#isAcknowledged = isAcknowledged;
    this.#intervalMs = intervalMs;
  }

  async open(target: Target, clientId: string): Promise<void> {
    this.#connection = await LoadConnection.open(target, { clientId, clean: true, keepAliveS: 0 }, this);
    this.#unacknowledgedMax = Math.min(UNACKNOWLEDGED_MAX, this.#connection.receiveMaximum);
    this.isOpen = true;
  }

  /** @param firstDueMs when the first message of a paced publisher is due */
  start(firstDueMs: number): void {
    this.#nextDueMs = firstDueMs;
    this.touch();
  }

  /** There may be room to publish. */
  touch(): void {
    this.#connection.touch();
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  onRead(): void {
    this.#run.tick();
  }

  onFrame(first: number, bytes: Uint8Array, start: number): void {
    switch (first >> 4) {
      case PUBREC:
        this.#connection.acknowledge(PUBREL_BYTE, bytes[start]!, bytes[start + 1]!);
        return;
      case PUBACK:
      case PUBCOMP:
        this.#acknowledged++;
        if (this.window.published - this.#acknowledged === this.#unacknowledgedMax - 1) this.touch();
    }
  }

  onTurnEnd(): void {
    const connection = this.#connection;
    // Without acknowledgements there is one write, which needs no gathering.
    if (this.#isAcknowledged) connection.cork();
    connection.writeAcks();
    let allowed = this.#run.isPublishing ? this.#allowed() : 0;
    while (allowed > 0 && connection.unsentBytes < UNSENT_BYTES_MAX) {
      const bytes = this.#ring.take(allowed);
      const count = bytes.length / this.#ring.frameBytes;
      this.window.publish(count, this.#run.nowMs);
      this.#run.onPublish(count);
      connection.write(bytes);
      allowed -= count;
    }
    if (this.#isAcknowledged) connection.uncork();
  }

  onClose(reason: number | null): void {
    this.#run.onClose(reason);
  }

  #allowed(): number {
    let allowed = this.window.room;
    if (this.#isAcknowledged) allowed = Math.min(allowed, this.#unacknowledgedMax - (this.window.published - this.#acknowledged));
    if (this.#intervalMs === 0 || allowed <= 0) return allowed;
    const due = Math.min(allowed, 1 + Math.floor((this.#run.nowMs - this.#nextDueMs) / this.#intervalMs));
    if (due > 0) this.#nextDueMs += due * this.#intervalMs;
    return due;
  }
}
