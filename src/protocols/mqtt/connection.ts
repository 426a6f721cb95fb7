import type { Broker, Redirection } from '../../core/broker.ts';
import type { ClientOrigin, Dismissal, Principal, Refusal } from '../../core/ports.ts';
import type { DurabilityListener } from '../../core/store.ts';
import { ProtocolError } from '../../errors.ts';
import { TimerEntry } from '../../timing/timer-wheel.ts';
import { type Connection, type ConnectionHandler, DRAIN_BYTES_MIN } from '../../transport/connection.ts';
import type { ConnectorOptions } from '../protocol.ts';
import { admit } from './admission.ts';
import { type ConnectRequest, refusalError, refuse } from './connect.ts';
import { DISMISSAL_CODES, RedirectionError } from './dismissal.ts';
import type { EnhancedAuthentication } from './enhanced-authentication.ts';
import { reportFault } from './fault-report.ts';
import type { HeldPackets } from './held-packets.ts';
import { KeepAlive, type KeptAlive } from './keep-alive.ts';
import type { PendingConnect } from './pending-connect.ts';
import { Promises } from './promises.ts';
import type { MqttProtocol } from './protocol.ts';
import { PublishRate } from './publish-rate.ts';
import { Publishing, type PublishingLink } from './publishing.ts';
import { ADMISSION, ANSWERS_UNREAD, type PauseReason, PUBLISH_RATE, Reading, STORE_BEHIND } from './reading.ts';
import type { MqttSession } from './session.ts';
import { SEND_AHEAD_BYTES, type SessionLink, writeAcknowledgement } from './session-link.ts';
import { subscribe, unsubscribe } from './subscribe.ts';
import type { OutboundAliases } from './topic-alias.ts';
import type { Will } from './will.ts';
import { AcknowledgementView, readDisconnect, writeDisconnect } from './wire/acknowledgement.ts';
import { connectLevel, readConnect } from './wire/connect.ts';
import {
  AUTH,
  CONNECT,
  DISCONNECT,
  MQTT_3_1_1,
  MQTT_5,
  PACKET_NAMES,
  PACKET_SIZE_MAX,
  PINGREQ,
  type ProtocolLevel,
  PUBACK,
  PUBCOMP,
  PUBLISH,
  PUBREC,
  PUBREL,
  SUBSCRIBE,
  UNSUBSCRIBE,
} from './wire/control-packet.ts';
import { FrameSplitter, type PacketSink } from './wire/frame-splitter.ts';
import {
  KEEP_ALIVE_TIMEOUT,
  MESSAGE_RATE_TOO_HIGH,
  malformed,
  NOT_AUTHORIZED,
  PACKET_TOO_LARGE,
  protocolError,
  SERVER_BUSY,
  SERVER_SHUTTING_DOWN,
  SESSION_TAKEN_OVER,
  SUCCESS,
  USE_ANOTHER_SERVER,
} from './wire/reason-code.ts';

const PINGRESP = Buffer.from([0xd0, 0]);

/**
 * Deliveries stop at `connectionQueueBytes`; only answers (PUBACK, PINGRESP and so on) can take a connection beyond. At this many times
 * the limit the client is not listened to until it has read them: its requests must not become our memory.
 */
const UNREAD_FACTOR = 2;

/**
 * Promises that may wait for the store, per client, before the client has to wait: while a disk is slow or full, what clients publish must
 * not become our memory.
 */
const PROMISES_MAX = 10_000;

/** Acknowledgement fields, read and used at once: all connections share one. */
const acknowledgement = new AcknowledgementView();

/**
 * One MQTT connection, from its first byte to its last.
 *
 *     waiting for CONNECT ──► connected ──► closed
 */
export class MqttConnection implements ConnectionHandler, PacketSink, SessionLink, PublishingLink, KeptAlive, DurabilityListener {
  static readonly #connectIsOverdue = (connection: MqttConnection): void => connection.#giveUp();
  static readonly #hasPaused = (connection: MqttConnection): void => connection.resumeReading(PUBLISH_RATE);
  readonly connection: Connection;
  readonly broker: Broker;
  readonly options: ConnectorOptions;
  readonly protocol: MqttProtocol;
  level: ProtocolLevel = MQTT_3_1_1;
  maximumPacketSize = PACKET_SIZE_MAX;
  outboundAliases: OutboundAliases | null = null;
  inflightMax: number;
  aheadBytes = SEND_AHEAD_BYTES;
  will: Will | null = null;
  /** Whether the client wants reason strings (MQTT 5 Request Problem Information). */
  wantsReasons = true;
  session: MqttSession | null = null;
  /** A CONNECT that waits for its answer; null before it and after. */
  pending: PendingConnect | null = null;
  /** Who the client has proved to be; null where nobody asks. */
  principal: Principal | null = null;
  /** Of a client whose CONNECT has an Authentication Method. */
  authentication: EnhancedAuthentication | null = null;
  resumed = false;
  #closed = false;
  readonly #splitter: FrameSplitter;
  readonly reading: Reading;
  readonly #publishing: Publishing;
  #publishRate: PublishRate | null = null;
  /** The end of a pause for the sake of the rate. */
  #pause: TimerEntry<MqttConnection> | null = null;
  /** What the client is promised and is not durable; null as long as nothing had to wait. */
  #promises: Promises | null = null;
  /** Of a client that is let in and has a keep alive. */
  #keepAlive: KeepAlive | null = null;
  /** When CONNECT and all that belongs to it have to be there; null once they are. */
  #connectTimer: TimerEntry<MqttConnection> | null = null;

  constructor(connection: Connection, options: ConnectorOptions, protocol: MqttProtocol) {
    this.connection = connection;
    this.options = options;
    this.protocol = protocol;
    this.broker = protocol.broker;
    this.inflightMax = this.broker.limits.inflightMessages;
    this.#splitter = new FrameSplitter(Math.min(options.maxFrameSize, this.broker.limits.connectPacketBytes));
    this.reading = new Reading(connection);
    this.#publishing = new Publishing(this);
    if (options.connectAttemptTimeoutMs > 0) {
      this.#connectTimer = new TimerEntry<MqttConnection>(this, MqttConnection.#connectIsOverdue);
      protocol.timers.schedule(this.#connectTimer, options.connectAttemptTimeoutMs);
    }
  }

  onData(chunk: Buffer, start: number, end: number): void {
    if (this.#closed) return;
    this.#keepAlive?.heard();
    const rate = this.#publishRate;
    rate?.begin();
    try {
      // What is no MQTT at all (HTTP, TLS, a scanner) is found out at its first byte, not when a packet of its seeming length is complete.
      if (this.session === null && this.pending === null && !this.#splitter.partial) expectConnect(chunk[start]! >> 4);
      this.#splitter.push(chunk, start, end, this);
    } catch (error) {
      this.#failWith(error);
      return;
    }
    if (this.#closed) return;
    if (this.connection.queuedBytes > Math.max(this.broker.limits.connectionQueueBytes * UNREAD_FACTOR, DRAIN_BYTES_MIN))
      this.#waitForReader();
    if (rate !== null) this.#pace(rate);
    if (this.broker.store.isBehind || (this.#promises !== null && this.#promises.size > PROMISES_MAX)) this.#waitForStore();
  }

  onDrain(): void {
    this.reading.resume(ANSWERS_UNREAD);
    this.session?.onDrain();
  }

  onClose(error: Error | null): void {
    if (!this.#closed) {
      if (this.session === null && !this.#splitter.partial) this.#countProbe();
      else this.broker.log.debug('client connection lost', { ...this.facts(), reason: error?.message ?? 'closed without DISCONNECT' });
      this.#leave(true);
    }
    this.protocol.connections.delete(this);
  }

  /** Does for the client what happens outside `onData`: whatever goes wrong with it ends this connection and no other. */
  guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#failWith(error);
    }
  }

  #failWith(error: unknown): void {
    if (error instanceof ProtocolError) {
      this.fail(error);
      return;
    }
    // A mistake of ours that this client's bytes have found: it costs this client its connection, not the others theirs [MQTT3-4.8.0-2].
    this.broker.log.error('a connection is closed because of a mistake in Roundhouse, please report it', {
      ...this.facts(),
      stack: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    this.#leave(true);
    this.connection.destroy();
  }

  onPacket(buffer: Buffer, packetStart: number, start: number, end: number): boolean {
    const header = buffer[packetStart]!;
    const type = header >> 4;
    this.broker.counters.packetsReceived++;
    if (type === PUBLISH && this.session !== null) {
      this.#publishing.onPublish(this.session, buffer, packetStart, start, end);
      return !this.#closed;
    }
    if (this.session === null) {
      if (this.pending !== null) {
        this.pending.onPacket(buffer, packetStart, start, end);
      } else {
        expectConnect(type);
        this.#onConnect(buffer, header, start, end);
      }
      return !this.#closed;
    }
    switch (type) {
      case PUBACK:
        acknowledgement.read(buffer, header, start, end, this.level);
        this.session.acknowledged(acknowledgement.packetIdentifier);
        break;
      case PUBREC:
        acknowledgement.read(buffer, header, start, end, this.level);
        this.session.receivedByClient(acknowledgement.packetIdentifier, acknowledgement.reasonCode);
        break;
      case PUBREL:
        acknowledgement.read(buffer, header, start, end, this.level);
        this.#publishing.onPubrel(this.session, acknowledgement.packetIdentifier);
        break;
      case PUBCOMP:
        acknowledgement.read(buffer, header, start, end, this.level);
        this.session.completed(acknowledgement.packetIdentifier);
        break;
      case SUBSCRIBE:
        subscribe(this, this.session, buffer, header, start, end);
        break;
      case UNSUBSCRIBE:
        unsubscribe(this, this.session, buffer, header, start, end);
        break;
      case PINGREQ:
        if (header !== 0xc0 || end !== start) throw malformed('PINGREQ has no flags and no body [MQTT-3.12.4-1]');
        this.answer(PINGRESP);
        break;
      case DISCONNECT:
        this.#onDisconnect(this.session, buffer, header, start, end);
        break;
      case CONNECT:
        throw protocolError('a second CONNECT [MQTT-3.1.0-2]');
      case AUTH:
        if (this.authentication === null) throw protocolError('AUTH without an Authentication Method in CONNECT [MQTT-4.12.0-7]');
        this.authentication.onAuth(buffer, header, start, end);
        break;
      default:
        throw protocolError(`${PACKET_NAMES[type]} is not for a client to send`);
    }
    return !this.#closed;
  }

  takenOver(): void {
    this.broker.log.info('session taken over', this.facts());
    this.disconnect(SESSION_TAKEN_OVER, 'the client id connected elsewhere'); // [MQTT-3.1.4-3]
  }

  dismiss({ reason, text, serverReference }: Dismissal): void {
    if (this.#closed) return;
    this.broker.log.info('client disconnected by the server', { ...this.facts(), reason, text, serverReference });
    this.disconnect(DISMISSAL_CODES[reason], text, serverReference);
  }

  /** The server goes. Where it knows of another one, who is about to connect is still answered with that. */
  shutDown(redirection: Redirection): void {
    const { serverReference } = redirection;
    if (serverReference === null) this.disconnect(SERVER_SHUTTING_DOWN, null);
    else if (this.session !== null) this.disconnect(USE_ANOTHER_SERVER, null, serverReference);
    else if (this.pending !== null) this.refuseConnect(new RedirectionError(redirection));
  }

  /**
   * Ends the connection from our side: MQTT 5 clients are told why, if they have had their CONNACK [MQTT-3.14.0-1], with nothing behind it
   * [MQTT-3.14.4-1] [MQTT-3.14.4-2]. The will is sent.
   */
  disconnect(reasonCode: number, reasonString: string | null, serverReference: string | null = null): void {
    if (this.#closed) return;
    if (this.level === MQTT_5 && this.session !== null) this.#writeDisconnect(reasonCode, reasonString, serverReference);
    this.#leave(true);
    this.connection.end();
  }

  /** Ends the connection of a client that broke the protocol [MQTT-4.13.1-1] [MQTT-4.13.2-1]. The others are not concerned. */
  fail(error: ProtocolError): void {
    if (this.#closed) return;
    reportFault(this, error, 'client broke the protocol');
    if (this.session !== null) {
      this.disconnect(error.reasonCode, error.message);
      return;
    }
    this.refuseConnect(error);
  }

  /** Whoever connects is not let in. The log has who it says it is. */
  refuseClient(refusal: Refusal, { clientId, packet: { userName } }: ConnectRequest): void {
    if (this.#closed) return;
    const error = refusalError(refusal);
    this.protocol.sayFault('client refused', { ...this.facts(), clientId, userName, code: error.code, reason: error.message });
    this.broker.counters.authenticationFailures++;
    this.refuseConnect(error);
  }

  /** A client that authenticates anew is no longer let in [MQTT-4.12.1-2]. */
  refuseAgain(refusal: Refusal): void {
    if (this.#closed) return;
    this.protocol.sayFault('client refused when it authenticated anew', { ...this.facts(), reason: refusal.text });
    this.broker.counters.authenticationFailures++;
    this.disconnect(refusal.reason === 'unavailable' ? SERVER_BUSY : NOT_AUTHORIZED, refusal.text);
  }

  /** Answers a CONNECT that cannot be admitted, and closes [MQTT-3.2.2-7] [MQTT-4.13.2-1]: nothing more is looked at [MQTT-3.1.4-6]. */
  refuseConnect(error: ProtocolError): void {
    refuse(this, error);
    this.close();
  }

  /** Closes without a word, and without a will. */
  close(): void {
    this.#leave(false);
    this.connection.end();
  }

  /** The client is let in. */
  entered(session: MqttSession, principal: Principal | null): void {
    this.session = session;
    this.principal = principal;
    this.pending = null;
    this.#stopConnectTimer();
    this.liftPacketSize();
    this.#publishRate = PublishRate.create(this.broker.limits, this.broker.counters, this.protocol.clock.monotonicMs());
  }

  /** Packets may now be as large as the connector lets them. */
  liftPacketSize(): void {
    this.#splitter.packetSizeMax = Math.min(this.options.maxFrameSize, PACKET_SIZE_MAX);
  }

  /** Size of the largest packet that is taken at present, in bytes. */
  get packetSizeMax(): number {
    return this.#splitter.packetSizeMax;
  }

  /** Takes what was held while CONNECT waited, and reads on unless it waits for something else now. */
  readOn(held: HeldPackets): void {
    held.replay(this);
    if (!this.#closed && this.pending === null) this.reading.resume(ADMISSION);
  }

  /**
   * A packet of MQTT 5 with words where the client wants them (Request Problem Information) and has room for them, else without.
   * @param reason null: there are none
   */
  withReason(reason: string | null, write: (reasonString: string | null) => Buffer): Buffer {
    if (reason === null || !this.wantsReasons) return write(null); // [MQTT-3.1.2-29]
    const packet = write(reason);
    return packet.length <= this.maximumPacketSize ? packet : write(null);
  }

  /**
   * Writes a packet whose size depends on what the client asked for. One larger than the client accepts must not be sent [MQTT-3.1.2-24];
   * since the client waits for it, the connection ends.
   */
  reply(packet: Buffer): void {
    if (packet.length <= this.maximumPacketSize) this.answer(packet);
    else this.disconnect(PACKET_TOO_LARGE, 'the answer is larger than the Maximum Packet Size');
  }

  promise(before: number, header: number, packetIdentifier: number, reasonCode: number): void {
    const position = this.broker.store.position;
    if (position === before && (this.#promises === null || this.#promises.size === 0)) {
      writeAcknowledgement(this, header, packetIdentifier, reasonCode);
      return;
    }
    this.#promises ??= new Promises(this, this.broker.store);
    this.#promises.addAcknowledgement(position === before ? 0 : position, header, packetIdentifier, reasonCode);
  }

  /**
   * As `reply`, when what the packet promises is durable.
   * @param before `Store.position` when nothing of that had been appended yet
   */
  replyDurable(before: number, packet: Buffer): void {
    const position = this.broker.store.position;
    if (packet.length > this.maximumPacketSize || (position === before && (this.#promises === null || this.#promises.size === 0))) {
      this.reply(packet);
      return;
    }
    this.#promises ??= new Promises(this, this.broker.store);
    this.#promises.addPacket(position === before ? 0 : position, packet);
  }

  /** Writes a packet other than PUBLISH. Its bytes must not change any more. */
  answer(packet: Buffer): void {
    this.broker.counters.answersSent++;
    this.connection.write(packet);
  }

  /**
   * Starts to watch the keep alive; 0: the client has none. Not where the connector's `transport.useInactivityMonitor` is off, which asks for
   * just that.
   */
  watchKeepAlive(keepAliveMs: number): void {
    if (this.#closed || keepAliveMs === 0 || !this.options.useInactivityMonitor) return;
    this.#keepAlive = new KeepAlive(this, this.protocol.clock, this.protocol.timers, keepAliveMs * 1.5);
  }

  get isHeldBack(): boolean {
    return this.reading.isHeldBack;
  }

  keepAliveExceeded(silentMs: number): void {
    this.broker.log.debug('keep alive exceeded', { ...this.facts(), silentMs: Math.round(silentMs) });
    this.disconnect(KEEP_ALIVE_TIMEOUT, 'no packet within 1.5 times the keep alive');
  }

  /** What the log says of this connection. */
  facts(): { connector: string; remoteAddress: string; clientId?: string; userName?: string } {
    const place = { connector: this.options.name, remoteAddress: this.connection.remoteAddress };
    if (this.session === null) return place;
    const client = { ...place, clientId: this.session.clientId };
    return this.principal === null ? client : { ...client, userName: this.principal.userName };
  }

  origin(clientId: string): ClientOrigin {
    return { clientId, connector: this.options.name, remoteAddress: this.connection.remoteAddress };
  }

  /** The name that the client has proved to have; null: none, or the connector does not ask for it. */
  get certificateName(): string | null {
    return this.options.certificateUserName ? this.connection.peerCertificate?.commonName || null : null;
  }

  get closed(): boolean {
    return this.#closed;
  }

  #onConnect(buffer: Buffer, header: number, start: number, end: number): void {
    this.broker.counters.connects++;
    try {
      admit(this, readConnect(buffer, header, start, end)); // [MQTT-3.1.4-1]
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      // A client is answered in the words of its own version, as far as it can be told from a CONNECT that is not valid.
      this.level = connectLevel(buffer, start, end);
      reportFault(this, error, 'client refused');
      this.refuseConnect(error);
    }
  }

  #onDisconnect(session: MqttSession, buffer: Buffer, header: number, start: number, end: number): void {
    const packet = readDisconnect(buffer, header, start, end, this.level);
    if (packet.sessionExpiryInterval !== null) {
      if (session.expiryInterval === 0 && packet.sessionExpiryInterval !== 0)
        throw protocolError('DISCONNECT with a Session Expiry Interval although CONNECT had 0'); // section 3.14.2.2.2
      session.changeExpiry(packet.sessionExpiryInterval);
    }
    this.#leave(packet.reasonCode !== SUCCESS); // [MQTT-3.14.4-3]: only a normal goodbye discards the will
    this.connection.end();
  }

  /** The connection is over for the session; bytes may still leave. */
  #leave(withWill: boolean): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopConnectTimer();
    this.#keepAlive?.stop();
    if (this.#pause !== null) this.protocol.timers.cancel(this.#pause);
    this.#publishing.stop();
    this.authentication?.stop();
    const will = withWill ? this.will : null;
    this.will = null;
    this.session?.detach(this, will);
  }

  /** It said nothing and went: a health check, and no client. */
  #countProbe(): void {
    this.broker.counters.probes++;
    this.connection.countProbe();
  }

  #writeDisconnect(reasonCode: number, reasonString: string | null, serverReference: string | null): void {
    let packet = this.withReason(reasonString, (text) => writeDisconnect(reasonCode, text, serverReference)); // [MQTT-3.14.2-3]
    if (packet.length > this.maximumPacketSize) packet = writeDisconnect(reasonCode, null, null);
    if (packet.length <= this.maximumPacketSize) this.answer(packet);
  }

  #waitForReader(): void {
    if (this.reading.pause(ANSWERS_UNREAD))
      this.broker.log.debug('client does not read its answers: nothing is read from it', this.facts());
  }

  /** Nothing is read from a client that has published faster than it may until it is within its rate again. */
  #pace(rate: PublishRate): void {
    const nowMs = this.protocol.clock.monotonicMs();
    const beyond = rate.end(nowMs);
    if (beyond === null) return;
    this.broker.refused(beyond.limit, this.facts());
    if (this.broker.limits.publishRateDisconnect === 1) {
      this.disconnect(MESSAGE_RATE_TOO_HIGH, 'more is published than this broker takes');
      return;
    }
    this.#pause ??= new TimerEntry<MqttConnection>(this, MqttConnection.#hasPaused);
    this.reading.pause(PUBLISH_RATE);
    this.protocol.timers.schedule(this.#pause, beyond.pauseMs);
  }

  #waitForStore(): void {
    const { store } = this.broker;
    if (this.reading.pause(STORE_BEHIND)) store.whenDurable(store.position, this);
  }

  /** The store has caught up. */
  onDurable(): void {
    if (!this.#closed) this.resumeReading(STORE_BEHIND);
  }

  /** What this broker held the client back for is over. Its silence was not its own. */
  resumeReading(reason: PauseReason): void {
    if (this.reading.resume(reason)) this.#keepAlive?.heard();
  }

  #stopConnectTimer(): void {
    if (this.#connectTimer === null) return;
    this.protocol.timers.cancel(this.#connectTimer);
    this.#connectTimer = null;
  }

  /** No CONNECT, or no answer to it, in time. */
  #giveUp(): void {
    if (this.pending !== null) {
      this.pending.giveUp();
      return;
    }
    this.broker.log.debug('no CONNECT in time', { ...this.facts(), connectAttemptTimeoutMs: this.options.connectAttemptTimeoutMs });
    this.#leave(false);
    this.connection.destroy();
  }
}

/** @throws ProtocolError MQTT_PROTOCOL_ERROR */
function expectConnect(type: number): void {
  if (type !== CONNECT) throw protocolError(`the first packet must be CONNECT, this one is ${PACKET_NAMES[type]} [MQTT-3.1.0-1]`);
}
