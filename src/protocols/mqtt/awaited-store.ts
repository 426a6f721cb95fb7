import type { Stamp } from '../../core/hybrid-clock.ts';
import type { DurabilityListener } from '../../core/store.ts';
import type { MqttConnection } from './connection.ts';
import { storeUnavailable } from './fault-report.ts';
import { HeldPackets } from './held-packets.ts';
import type { PendingConnect } from './pending-connect.ts';
import { ADMISSION } from './reading.ts';
import type { MqttSession } from './session.ts';

/**
 * A CONNECT whose session or will is on its way to the disk: CONNACK promises both. What the client sends meanwhile is held, and its socket
 * is not read.
 */
export class AwaitedStore implements PendingConnect, DurabilityListener {
  readonly #connection: MqttConnection;
  readonly #session: MqttSession;
  readonly #claimedAt: Stamp;
  readonly #complete: () => void;
  readonly #held = new HeldPackets();

  constructor(connection: MqttConnection, session: MqttSession, claimedAt: Stamp, position: number, complete: () => void) {
    this.#connection = connection;
    this.#session = session;
    this.#claimedAt = claimedAt;
    this.#complete = complete;
    connection.reading.pause(ADMISSION);
    connection.broker.store.whenDurable(position, this);
  }

  onPacket(buffer: Buffer, packetStart: number, _start: number, end: number): void {
    this.#held.add(buffer, packetStart, end);
  }

  giveUp(): void {
    this.#connection.broker.log.warn('a client is let go: its session could not be stored in time', this.#connection.facts());
    this.#connection.refuseConnect(storeUnavailable());
  }

  onDurable(): void {
    const { broker } = this.#connection;
    const isCurrent = broker.sessions.get(this.#session.clientId) === this.#session;
    if (this.#connection.closed) {
      // It went before it had its answer: its session is one whose client is away.
      if (!isCurrent || this.#session.connected) return;
      this.#session.attach(this.#connection, this.#claimedAt);
      this.#session.detach(this.#connection, null);
      return;
    }
    this.#connection.guard(() => {
      this.#session.takeOver(); // another connection of this client was quicker
      if (broker.sessions.get(this.#session.clientId) !== this.#session) {
        this.#connection.close();
        return;
      }
      this.#complete();
      if (!this.#connection.closed) this.#connection.readOn(this.#held);
    });
  }
}
