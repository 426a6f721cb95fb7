import type { AuthenticationExchange, AuthenticationMechanism, AuthenticationStep, ClientOrigin, Refusal } from '../../core/ports.ts';
import { ProtocolError } from '../../errors.ts';
import { TimerEntry } from '../../timing/timer-wheel.ts';
import { type ConnectRequest, enter } from './connect.ts';
import type { MqttConnection } from './connection.ts';
import { type PendingConnect, unavailable } from './pending-connect.ts';
import { readDisconnect } from './wire/acknowledgement.ts';
import { readAuth, writeAuth } from './wire/auth.ts';
import { AUTH, DISCONNECT, PACKET_NAMES } from './wire/control-packet.ts';
import { CONTINUE_AUTHENTICATION, PACKET_TOO_LARGE, protocolError, SUCCESS } from './wire/reason-code.ts';

/**
 * The enhanced authentication of one connection, MQTT 5.0 section 4.12.
 *
 *     CONNECT ──► exchange ──► admitted ──► AUTH 0x19 ──► exchange ──► AUTH 0x00, and so on
 *
 * Each step of an exchange is an answer of the mechanism to Authentication Data of the client. While a client authenticates anew, all other
 * packets go on as before.
 */
export class EnhancedAuthentication implements PendingConnect {
  static readonly #fire = (authentication: EnhancedAuthentication): void => authentication.giveUp();
  readonly method: string;
  readonly #connection: MqttConnection;
  readonly #mechanism: AuthenticationMechanism;
  readonly #origin: ClientOrigin;
  /** What the client asked for; null once it is admitted. */
  #request: ConnectRequest | null;
  /** null between exchanges. */
  #exchange: AuthenticationExchange | null = null;
  /** The mechanism has been given data and has not answered. */
  #stepping = false;
  /** Bounds an exchange on a live connection; CONNECT has the connection's own bound. */
  readonly #timer = new TimerEntry<EnhancedAuthentication>(this, EnhancedAuthentication.#fire);

  constructor(connection: MqttConnection, mechanism: AuthenticationMechanism, request: ConnectRequest) {
    this.#connection = connection;
    this.#mechanism = mechanism;
    this.method = mechanism.name;
    this.#request = request;
    this.#origin = connection.origin(request.clientId);
  }

  /** Begins with what CONNECT brought. */
  begin(data: Buffer | null): void {
    this.#startExchange(data);
  }

  /** Before CONNACK. */
  onPacket(buffer: Buffer, packetStart: number, start: number, end: number): void {
    const header = buffer[packetStart]!;
    const type = header >> 4;
    const connection = this.#connection;
    if (type === AUTH) {
      this.onAuth(buffer, header, start, end);
    } else if (type === DISCONNECT) {
      readDisconnect(buffer, header, start, end, connection.level);
      connection.broker.log.debug('client left before it was admitted', connection.facts());
      connection.close();
    } else {
      throw protocolError(`${PACKET_NAMES[type]} before CONNACK, where CONNECT has an Authentication Method [MQTT-3.1.2-30]`);
    }
  }

  /**
   * @throws ProtocolError MQTT_MALFORMED_PACKET or MQTT_PROTOCOL_ERROR
   */
  onAuth(buffer: Buffer, header: number, start: number, end: number): void {
    const packet = readAuth(buffer, header, start, end, this.#connection.level);
    if (packet.authenticationMethod !== this.method)
      throw protocolError('AUTH with another Authentication Method than CONNECT [MQTT-4.12.0-5] [MQTT-4.12.1-1]');
    if (this.#stepping) throw protocolError('AUTH before the last one was answered');
    if (packet.reasonCode === CONTINUE_AUTHENTICATION) {
      if (this.#exchange === null) throw protocolError('AUTH that continues nothing');
      this.#step(this.#exchange, packet.authenticationData);
      return;
    }
    if (this.#exchange !== null) throw protocolError('AUTH with Reason Code 0x19 in an exchange, which goes on with 0x18 [MQTT-4.12.0-3]');
    const { connectAttemptTimeoutMs } = this.#connection.options;
    if (connectAttemptTimeoutMs > 0) this.#connection.protocol.timers.schedule(this.#timer, connectAttemptTimeoutMs);
    this.#startExchange(packet.authenticationData);
  }

  giveUp(): void {
    this.#refuse({ kind: 'refused', reason: 'notAuthorized', text: 'the authentication was not finished in time' });
  }

  /** The connection is over. */
  stop(): void {
    this.#connection.protocol.timers.cancel(this.#timer);
  }

  #startExchange(data: Buffer | null): void {
    let exchange: AuthenticationExchange;
    try {
      exchange = this.#mechanism.start(this.#origin);
    } catch (error) {
      this.#refuse(unavailable(this.#connection, error));
      return;
    }
    this.#exchange = exchange;
    this.#step(exchange, data);
  }

  #step(exchange: AuthenticationExchange, data: Buffer | null): void {
    const connection = this.#connection;
    let step: AuthenticationStep | Promise<AuthenticationStep>;
    try {
      step = exchange.step(data);
    } catch (error) {
      this.#refuse(unavailable(connection, error));
      return;
    }
    if (!('then' in step)) {
      this.#answer(step);
      return;
    }
    this.#stepping = true;
    step.then(
      (found) => connection.guard(() => this.#answerLate(found)),
      (error: unknown) => connection.guard(() => this.#answerLate(unavailable(connection, error))),
    );
  }

  #answerLate(step: AuthenticationStep): void {
    this.#stepping = false;
    if (!this.#connection.closed) this.#answer(step);
  }

  #answer(step: AuthenticationStep): void {
    switch (step.kind) {
      case 'continue':
        this.#say(CONTINUE_AUTHENTICATION, step.data); // [MQTT-4.12.0-2]
        return;
      case 'admitted':
        this.#admit(step);
        return;
      case 'refused':
        this.#refuse(step);
    }
  }

  #admit({ principal, data }: AuthenticationStep & { kind: 'admitted' }): void {
    const connection = this.#connection;
    const request = this.#request;
    this.#exchange = null;
    if (request !== null) {
      this.#request = null;
      enter(connection, request, principal, data);
      return;
    }
    this.stop();
    if (principal.userName !== connection.principal?.userName) {
      this.#refuse({ kind: 'refused', reason: 'notAuthorized', text: 'a client cannot become another user' });
      return;
    }
    connection.principal = principal;
    this.#say(SUCCESS, data);
  }

  #refuse(refusal: Refusal): void {
    if (this.#request === null) this.#connection.refuseAgain(refusal);
    else this.#connection.refuseClient(refusal, this.#request); // [MQTT-4.12.0-4]
  }

  #say(reasonCode: number, data: Buffer | null): void {
    const connection = this.#connection;
    const packet = writeAuth(reasonCode, this.method, data);
    if (packet.length > connection.maximumPacketSize)
      throw new ProtocolError('MQTT_PACKET_TOO_LARGE', 'AUTH is larger than the Maximum Packet Size [MQTT-3.1.2-24]', PACKET_TOO_LARGE);
    connection.answer(packet);
  }
}
