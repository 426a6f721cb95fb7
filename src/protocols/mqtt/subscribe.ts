import type { Message } from '../../core/message.ts';
import type { Subscription } from '../../core/subscription.ts';
import { parseShared, topicFilterFault } from '../../core/topic-filter.ts';
import { ProtocolError } from '../../errors.ts';
import type { MqttConnection } from './connection.ts';
import type { MqttSession } from './session.ts';
import { MQTT_5 } from './wire/control-packet.ts';
import { NO_SUBSCRIPTION_EXISTED, protocolError, SUCCESS, TOPIC_FILTER_INVALID } from './wire/reason-code.ts';
import { readSubscribe, readUnsubscribe, type SubscribeRequest, writeSuback, writeUnsuback } from './wire/subscribe.ts';

/**
 * SUBSCRIBE: takes effect here at once; SUBACK leaves when linked brokers know of it too, so that whoever publishes anywhere after the
 * SUBACK reaches this client. Retained messages follow the SUBACK.
 * @throws ProtocolError
 */
export function subscribe(
  connection: MqttConnection,
  session: MqttSession,
  buffer: Buffer,
  header: number,
  start: number,
  end: number,
): void {
  const packet = readSubscribe(buffer, header, start, end, connection.level);
  const { broker } = connection;
  const codes: number[] = [];
  const replays: SubscribeRequest[] = [];
  for (const request of packet.requests) {
    const shared = parseShared(request.filter);
    const fault = shared.fault ?? topicFilterFault(shared.filter, broker.limits.topicLevels);
    if (fault !== null) {
      // MQTT 5 refuses the one filter; earlier versions have no way to name a malformed filter, so the connection ends.
      if (connection.level !== MQTT_5) throw protocolError(`SUBSCRIBE: ${fault}`);
      codes.push(TOPIC_FILTER_INVALID);
      continue;
    }
    if (shared.group !== null && request.noLocal) throw protocolError('No Local on a shared subscription [MQTT-3.8.3-4]');
    const isNew = session.subscribe(request.filter, request.qos, request.noLocal, request.retainAsPublished, packet.subscriptionIdentifier);
    codes.push(request.qos);
    if (shared.group === null && (request.retainHandling === 0 || (request.retainHandling === 1 && isNew))) replays.push(request); // [MQTT-3.3.1-9] [MQTT-3.3.1-10]
  }
  const finish = (): void => {
    if (connection.closed) return;
    connection.connection.write(writeSuback(packet.packetIdentifier, codes, connection.level));
    for (const { filter } of replays) {
      const subscription = session.subscriptions.get(filter);
      if (subscription !== undefined) session.replay(retainedFor(connection, session, subscription), subscription);
    }
  };
  const known = broker.cluster?.demandKnown() ?? null;
  if (known === null) finish();
  else void known.then(finish);
}

function retainedFor(connection: MqttConnection, session: MqttSession, subscription: Subscription): Message[] {
  const messages = connection.broker.retained.match(subscription.filter);
  return subscription.noLocal ? messages.filter((message) => message.publisher !== session) : messages;
}

/** @throws ProtocolError */
export function unsubscribe(
  connection: MqttConnection,
  session: MqttSession,
  buffer: Buffer,
  header: number,
  start: number,
  end: number,
): void {
  const packet = readUnsubscribe(buffer, header, start, end, connection.level);
  const codes = packet.filters.map((filter) => {
    const fault = parseShared(filter).fault ?? topicFilterFault(parseShared(filter).filter, connection.broker.limits.topicLevels);
    if (fault !== null) {
      if (connection.level !== MQTT_5) throw new ProtocolError('MQTT_PROTOCOL_ERROR', `UNSUBSCRIBE: ${fault}`, TOPIC_FILTER_INVALID);
      return TOPIC_FILTER_INVALID;
    }
    return session.unsubscribe(filter) ? SUCCESS : NO_SUBSCRIPTION_EXISTED; // [MQTT-3.10.4-1]
  });
  connection.connection.write(writeUnsuback(packet.packetIdentifier, codes, connection.level));
}
