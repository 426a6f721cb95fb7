import type { Refusal, Verdict } from '../../core/ports.ts';
import { type ConnectRequest, settle } from './connect.ts';
import type { MqttConnection } from './connection.ts';
import { HeldPackets } from './held-packets.ts';
import { ADMISSION } from './reading.ts';

/** A CONNECT that is not answered yet. */
export interface PendingConnect {
  /** What the client sends meanwhile. @throws ProtocolError when it may not */
  onPacket(buffer: Buffer, packetStart: number, start: number, end: number): void;
  /** It takes too long: the client is refused. */
  giveUp(): void;
}

/**
 * A CONNECT whose authenticator takes its time. A client need not wait for CONNACK before it goes on (section 3.1.4): what it has sent is
 * held, and its socket is not read until there is a verdict.
 */
export class AwaitedVerdict implements PendingConnect {
  readonly #connection: MqttConnection;
  readonly #request: ConnectRequest;
  readonly #held = new HeldPackets();

  constructor(connection: MqttConnection, request: ConnectRequest, verdict: Promise<Verdict>) {
    this.#connection = connection;
    this.#request = request;
    connection.reading.pause(ADMISSION);
    verdict.then(
      (found) => connection.guard(() => this.#settle(found)),
      (error: unknown) => connection.guard(() => this.#settle(unavailable(connection, error))),
    );
  }

  onPacket(buffer: Buffer, packetStart: number, _start: number, end: number): void {
    this.#held.add(buffer, packetStart, end);
  }

  giveUp(): void {
    const refusal: Refusal = { kind: 'refused', reason: 'unavailable', text: 'the authenticator has not answered in time' };
    this.#connection.refuseClient(refusal, this.#request);
  }

  #settle(verdict: Verdict): void {
    const connection = this.#connection;
    if (connection.closed) return;
    settle(connection, this.#request, verdict);
    if (!connection.closed) connection.readOn(this.#held); // [MQTT-3.1.4-6]: where it is refused, nothing of it is looked at
  }
}

/** An authenticator or mechanism has failed, which is no fault of the client's. */
export function unavailable(connection: MqttConnection, error: unknown): Refusal {
  connection.broker.log.warn('an authenticator failed: its client is not let in', {
    ...connection.facts(),
    reason: error instanceof Error ? error.message : String(error),
  });
  return { kind: 'refused', reason: 'unavailable', text: 'the server cannot tell at present who may connect' };
}
