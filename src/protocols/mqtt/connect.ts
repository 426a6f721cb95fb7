import { randomBytes } from 'node:crypto';
import type { Principal, Refusal, Verdict } from '../../core/ports.ts';
import { ProtocolError, unreachable } from '../../errors.ts';
import type { ConnectorOptions } from '../protocol.ts';
import { AwaitedStore } from './awaited-store.ts';
import type { MqttConnection } from './connection.ts';
import { RedirectionError } from './dismissal.ts';
import { storeUnavailable } from './fault-report.ts';
import { LimitError } from './limit-error.ts';
import { responseInformation } from './response-information.ts';
import { MqttSession, NEVER_EXPIRES } from './session.ts';
import { OutboundAliases } from './topic-alias.ts';
import { readWill, type Will } from './will.ts';
import { type ConnackProperties, type ConnectPacket, UnsupportedVersionError, writeConnackV3, writeConnackV5 } from './wire/connect.ts';
import { MQTT_3_1, MQTT_5, PACKET_SIZE_MAX, REMAINING_LENGTH_MAX } from './wire/control-packet.ts';
import {
  BAD_USER_NAME_OR_PASSWORD,
  CLIENT_IDENTIFIER_NOT_VALID,
  IMPLEMENTATION_SPECIFIC_ERROR,
  NOT_AUTHORIZED,
  QUOTA_EXCEEDED,
  SERVER_UNAVAILABLE,
  SUCCESS,
  V3_RETURN_CODES,
  V3_UNACCEPTABLE_PROTOCOL_VERSION,
} from './wire/reason-code.ts';

/** What a CONNECT asks for, checked as far as it can be before it is known who asks. */
export interface ConnectRequest {
  readonly packet: ConnectPacket;
  readonly clientId: string;
  readonly will: Will | null;
}

/** @throws ProtocolError when it cannot be admitted, whoever asks; `refuse` then says so to the client */
export function readRequest(connection: MqttConnection, packet: ConnectPacket): ConnectRequest {
  const { protocol } = connection;
  const nowMs = protocol.clock.monotonicMs();
  const p = packet.properties;
  connection.level = packet.level;
  connection.wantsReasons = p.requestProblemInformation !== 0;
  connection.maximumPacketSize = p.maximumPacketSize ?? PACKET_SIZE_MAX;
  const redirection = protocol.redirectionOf(connection.options);
  if (redirection !== null) throw new RedirectionError(redirection);
  protocol.connectRates.countConnect(connection.options.name, connection.connection.remoteAddress, nowMs);
  const clientId = identify(packet);
  if (packet.clientId !== '') protocol.connectRates.countClient(clientId, nowMs);
  const { publishDollarTopics } = connection.options;
  const will = packet.will === null ? null : readWill(packet.will, connection.broker.limits, publishDollarTopics);
  return { packet, clientId, will };
}

/** Lets the client in or not, as the authenticator says. @throws ProtocolError as `enter` */
export function settle(connection: MqttConnection, request: ConnectRequest, verdict: Verdict): void {
  if (verdict.kind === 'refused') connection.refuseClient(verdict, request);
  else enter(connection, request, verdict.principal, null);
}

/**
 * Lets a client in: its session taken over, resumed or begun, CONNACK, then what waited for it.
 *
 * @param principal null where nobody asks who connects
 * @param authenticationData the last word of an enhanced authentication
 * @throws ProtocolError when CONNACK does not fit into what the client accepts
 */
export function enter(
  connection: MqttConnection,
  { packet, clientId, will }: ConnectRequest,
  principal: Principal | null,
  authenticationData: Buffer | null,
): void {
  const { broker, protocol } = connection;
  const { limits } = broker;
  const p = packet.properties;
  if (p.maximumPacketSize !== null && accept(connection, packet, clientId, false, authenticationData).length > p.maximumPacketSize)
    throw new ProtocolError(
      'MQTT_IMPLEMENTATION_SPECIFIC_ERROR', // [MQTT-3.1.4-2]
      `a Maximum Packet Size of ${p.maximumPacketSize} has no room for CONNACK [MQTT-3.1.2-24]`,
      IMPLEMENTATION_SPECIFIC_ERROR,
    );

  const earlier = broker.sessions.get(clientId); // [MQTT-3.1.3-2]
  const expiryInterval = Math.min(requestedExpiry(packet), limits.sessionExpiryInterval);
  const { store } = broker;
  if (store.failure !== null && (expiryInterval > 0 || will !== null || (earlier instanceof MqttSession && earlier.isDurable)))
    throw storeUnavailable();
  if (earlier === undefined && broker.sessions.size >= limits.sessions)
    throw new LimitError('MQTT_QUOTA_EXCEEDED', `there are ${limits.sessions} sessions`, QUOTA_EXCEEDED, 'sessions');
  if (!connection.connection.admit(earlier instanceof MqttSession ? earlier.connection : null))
    throw new LimitError(
      'MQTT_QUOTA_EXCEEDED',
      'the connector has all the connections that it may have',
      QUOTA_EXCEEDED,
      'maximumConnections',
    );

  const claimedAt = broker.clock.next();
  earlier?.takeOver(); // [MQTT-3.1.4-3]: a session that ends with its connection is gone after this
  const before = store.position;
  let session = broker.sessions.get(clientId);
  if (session !== undefined && (packet.cleanStart || !(session instanceof MqttSession))) {
    session.discard(); // [MQTT-3.1.2-4] [MQTT-3.1.4-4]
    session = undefined;
  }
  const sessionPresent = session !== undefined; // [MQTT-3.2.2-2] [MQTT-3.2.2-3]
  // [MQTT-3.1.2-5] [MQTT-3.1.2-6]
  const mine =
    session instanceof MqttSession
      ? session
      : new MqttSession(clientId, broker, protocol.timers, claimedAt, expiryInterval === 0 ? null : store.createSession(clientId));
  if (!sessionPresent) broker.sessions.set(mine);
  mine.expiryInterval = expiryInterval;
  mine.storeConnection(will);
  const complete = (): void => {
    connection.entered(mine, principal);
    connection.resumed = sessionPresent;
    const aliasMaximum = Math.min(p.topicAliasMaximum ?? 0, limits.topicAliasMaximum);
    connection.outboundAliases = aliasMaximum === 0 ? null : new OutboundAliases(aliasMaximum);
    connection.will = will; // [MQTT-3.1.2-7]
    const { subscriptionPrefetch } = connection.options;
    connection.inflightMax = Math.min(
      p.receiveMaximum ?? 65_535,
      subscriptionPrefetch > 0 ? subscriptionPrefetch : limits.inflightMessages,
    );
    mine.attach(connection, claimedAt);

    // [MQTT-3.1.4-5] [MQTT-3.2.0-1] [MQTT-3.2.0-2] [MQTT-3.2.2-22]
    connection.answer(accept(connection, packet, clientId, sessionPresent, authenticationData));
    connection.watchKeepAlive(packet.keepAlive === 0 ? connection.options.defaultKeepAliveMs : packet.keepAlive * 1000);
    const { serverName } = connection.connection;
    broker.log.debug('client connected', {
      ...connection.facts(),
      ...(serverName === null ? {} : { serverName }),
      protocolLevel: packet.level,
      cleanStart: packet.cleanStart,
      sessionPresent,
    });
    broker.cluster?.clientClaimed(clientId, claimedAt);
    mine.resume();
  };
  const position = store.position;
  if (position === before) complete();
  else connection.pending = new AwaitedStore(connection, mine, claimedAt, position, complete);
}

/** How long the client wants its session to be kept without a connection, in seconds. */
function requestedExpiry({ level, cleanStart, properties }: ConnectPacket): number {
  if (level === MQTT_5) return properties.sessionExpiryInterval ?? 0;
  return cleanStart ? 0 : NEVER_EXPIRES;
}

/** The CONNACK that says yes. */
function accept(
  connection: MqttConnection,
  packet: ConnectPacket,
  clientId: string,
  sessionPresent: boolean,
  authenticationData: Buffer | null,
): Buffer {
  if (packet.level !== MQTT_5) return writeConnackV3(sessionPresent && packet.level !== MQTT_3_1, 0); // MQTT 3.1 has no such flag yet
  const { broker, options } = connection;
  const { sessionExpiryInterval } = broker.limits;
  const properties: ConnackProperties = {
    sessionExpiryInterval: requestedExpiry(packet) > sessionExpiryInterval ? sessionExpiryInterval : null, // section 3.2.2.3.2
    receiveMaximum: broker.limits.receiveMaximum,
    // There are clients (paho) that take a number above the largest Remaining Length for a fault.
    maximumPacketSize: options.maxFrameSize < PACKET_SIZE_MAX ? Math.min(options.maxFrameSize, REMAINING_LENGTH_MAX) : null,
    assignedClientIdentifier: packet.clientId === '' ? clientId : null, // [MQTT-3.1.3-7] [MQTT-3.2.2-16]
    topicAliasMaximum: broker.limits.topicAliasMaximum,
    serverKeepAlive: serverKeepAliveOf(packet, options),
    authenticationMethod: packet.properties.authenticationMethod, // [MQTT-4.12.0-5] [MQTT-4.12.0-6]
    authenticationData,
  };
  const information = packet.properties.requestResponseInformation === 1 ? responseInformation(clientId) : null; // [MQTT-3.1.2-28]
  if (information !== null) {
    const connack = writeConnackV5(sessionPresent, SUCCESS, { ...properties, responseInformation: information });
    if (connack.length <= connection.maximumPacketSize) return connack;
  }
  return writeConnackV5(sessionPresent, SUCCESS, properties);
}

/** In seconds, for a client that asks for no keep alive; null: it gets none. Before MQTT 5 the connector's default just applies. */
function serverKeepAliveOf({ keepAlive }: ConnectPacket, { defaultKeepAliveMs, useInactivityMonitor }: ConnectorOptions): number | null {
  return keepAlive === 0 && defaultKeepAliveMs > 0 && useInactivityMonitor ? defaultKeepAliveMs / 1000 : null;
}

/**
 * Says no with CONNACK, in the words of the client's version: no session is present [MQTT-3.2.2-6], and all that CONNECT is refused for
 * has a reason that CONNACK may have [MQTT-3.2.2-8]. A CONNECT of MQTT 3.1.1 that is malformed, or that no return code fits, gets no answer
 * [MQTT3-3.1.4-1] [MQTT3-3.2.2-6]; neither do bytes that are no CONNECT at all.
 */
export function refuse(connection: MqttConnection, error: ProtocolError): void {
  if (error instanceof UnsupportedVersionError) {
    connection.answer(
      error.level >= 5 && error.level < 0x80
        ? writeConnackV5(false, error.reasonCode, {})
        : writeConnackV3(false, V3_UNACCEPTABLE_PROTOCOL_VERSION), // [MQTT-3.1.2-2]
    );
  } else if (connection.level !== MQTT_5) {
    const returnCode = V3_RETURN_CODES.get(error.reasonCode);
    if (returnCode !== undefined) connection.answer(writeConnackV3(false, returnCode)); // [MQTT3-3.1.3-8] [MQTT3-3.1.3-9]
  } else {
    const serverReference = error instanceof RedirectionError ? error.serverReference : null;
    const fullest = { serverReference, reasonString: connection.wantsReasons ? error.message : null };
    // [MQTT-3.2.2-19]: words are the first to go, then the way.
    for (const properties of [fullest, { serverReference }, {}]) {
      const connack = writeConnackV5(false, error.reasonCode, properties);
      if (connack.length > connection.maximumPacketSize) continue;
      connection.answer(connack);
      break;
    }
  }
}

/** A refusal in MQTT's words. */
export function refusalError({ reason, text }: Refusal): ProtocolError {
  switch (reason) {
    case 'badUserNameOrPassword':
      return new ProtocolError('MQTT_BAD_USER_NAME_OR_PASSWORD', text, BAD_USER_NAME_OR_PASSWORD);
    case 'notAuthorized':
      return new ProtocolError('MQTT_NOT_AUTHORIZED', text, NOT_AUTHORIZED);
    case 'unavailable':
      return new ProtocolError('MQTT_SERVER_UNAVAILABLE', text, SERVER_UNAVAILABLE);
    default:
      return unreachable(reason);
  }
}

/** The client identifier: any is taken as it is [MQTT-3.1.3-5] [MQTT-3.1.3-8], an empty one where the version lets it be replaced. */
function identify(packet: ConnectPacket): string {
  if (packet.clientId !== '') return packet.clientId;
  if (packet.level === MQTT_3_1 || (packet.level !== MQTT_5 && !packet.cleanStart))
    throw new ProtocolError(
      'MQTT_CLIENT_IDENTIFIER_NOT_VALID',
      packet.level === MQTT_3_1 ? 'MQTT 3.1 needs a client identifier' : 'an empty client identifier needs Clean Session [MQTT3-3.1.3-7]',
      CLIENT_IDENTIFIER_NOT_VALID,
    );
  return `auto-${randomBytes(12).toString('hex')}`; // [MQTT-3.1.3-6]
}
