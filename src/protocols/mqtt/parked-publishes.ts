import { Fifo } from '../../core/fifo.ts';
import { type Gauge, MESSAGE_BYTES, type WaitingPublisher } from '../../core/usage.ts';
import type { Facts } from '../../telemetry/log.ts';
import { TimerEntry } from '../../timing/timer-wheel.ts';
import type { Publishing, PublishingLink } from './publishing.ts';
import { NO_ROOM } from './reading.ts';
import type { MqttSession } from './session.ts';
import { MQTT_5 } from './wire/control-packet.ts';

/** One PUBLISH packet, whole. */
interface ParkedPacket {
  readonly bytes: Buffer;
  /** Where its Remaining Length ends. */
  readonly start: number;
}

/**
 * PUBLISH packets of one client that there is no room for, in order: neither published nor acknowledged. What else the client sends is
 * heeded, since its acknowledgements of what it was sent may be what makes room; its PINGREQ is answered. From `parkedBytes` on nothing is
 * read from it.
 *
 *     PUBLISH ──► no room ──► parked ──► room ──► published, acknowledged
 *                               └──────► too long ──► refused, or its connection is ended
 */
export class ParkedPublishes implements WaitingPublisher {
  static readonly #isOver = (parked: ParkedPublishes): void => parked.#link.guard(() => parked.#giveUp());
  readonly #link: PublishingLink;
  readonly #publishing: Publishing;
  readonly #session: MqttSession;
  readonly #packets = new Fifo<ParkedPacket>();
  readonly #timer = new TimerEntry<ParkedPublishes>(this, ParkedPublishes.#isOver);
  #gauge: Gauge;
  #bytes = 0;

  /** @param gauge the limit that is reached for the first packet, which is added next */
  constructor(link: PublishingLink, publishing: Publishing, session: MqttSession, gauge: Gauge) {
    this.#link = link;
    this.#publishing = publishing;
    this.#session = session;
    this.#gauge = gauge;
    gauge.wait(this);
    this.#startTimer();
  }

  facts(): Facts {
    return { ...this.#link.facts(), topic: this.#publishing.topic };
  }

  /** @param start where the packet's Remaining Length ends */
  add(buffer: Buffer, packetStart: number, start: number, end: number): void {
    const bytes = Buffer.allocUnsafeSlow(end - packetStart);
    buffer.copy(bytes, 0, packetStart, end);
    this.#packets.push({ bytes, start: start - packetStart });
    const { limits, usage } = this.#link.broker;
    usage.park(bytes.length + MESSAGE_BYTES);
    this.#bytes += bytes.length + MESSAGE_BYTES;
    // A subscriber is read on: what it acknowledges, now or later, makes room.
    const acknowledges = this.#session.inflight > 0 || this.#session.subscriptions.size > 0;
    if (this.#bytes > limits.parkedBytes || (usage.isParkFull && !acknowledges)) this.#link.reading.pause(NO_ROOM);
  }

  goOn(): void {
    this.#link.guard(() => this.#publish());
  }

  retry(): void {
    this.goOn();
  }

  /** The connection has gone: what is left is as if it had never come. */
  drop(): void {
    this.#gauge.leave(this);
    this.#link.protocol.timers.cancel(this.#timer);
    for (let packet = this.#packets.shift(); packet !== undefined; packet = this.#packets.shift())
      if ((packet.bytes[0]! & 6) === 0) this.#link.broker.counters.drop('noSpace');
    this.#unpark(this.#bytes);
  }

  #publish(): void {
    const before = this.#packets.length;
    for (let packet = this.#packets.peek(); packet !== undefined; packet = this.#packets.peek()) {
      const lacking = this.#publishing.publishParked(this.#session, packet.bytes, packet.start);
      if (this.#link.closed) return;
      if (lacking !== null) {
        this.#waitOn(lacking, this.#packets.length < before);
        return;
      }
      this.#shift();
    }
    this.#end();
  }

  /** It has waited for too long. Who can be told is refused what it has published, if the file says so; others are let go. */
  #giveUp(): void {
    const { broker, level } = this.#link;
    if (level !== MQTT_5 || broker.refusesAfterMs(this.#publishing.topic) === 0) {
      broker.refused('publisherWaitMs', { ...this.facts(), reached: this.#gauge.name, percent: this.#gauge.percent });
      this.#publishing.letGo();
      return;
    }
    for (let packet = this.#packets.peek(); packet !== undefined; packet = this.#packets.peek()) {
      this.#publishing.refuseParked(this.#session, packet.bytes, packet.start);
      if (this.#link.closed) return;
      this.#shift();
    }
    this.#end();
  }

  #startTimer(): void {
    const { broker, protocol } = this.#link;
    const waitMs = broker.refusesAfterMs(this.#publishing.topic) || broker.limits.publisherWaitMs;
    if (waitMs > 0) protocol.timers.schedule(this.#timer, waitMs);
  }

  #shift(): void {
    this.#unpark(this.#packets.shift()!.bytes.length + MESSAGE_BYTES);
  }

  #unpark(bytes: number): void {
    this.#bytes -= bytes;
    this.#link.broker.usage.unpark(bytes);
  }

  /** @param wentOn whether something was published meanwhile */
  #waitOn(lacking: Gauge, wentOn: boolean): void {
    if (wentOn) this.#startTimer(); // slow, but it goes on
    if (wentOn || lacking !== this.#gauge) this.#gauge.leave(this);
    this.#gauge = lacking;
    lacking.waitOn(this);
  }

  #end(): void {
    this.#gauge.leave(this);
    this.#link.protocol.timers.cancel(this.#timer);
    this.#publishing.nothingParked();
  }
}
