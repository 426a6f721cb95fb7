import type { Message } from '../../core/message.ts';
import type { Subscription } from '../../core/subscription.ts';
import { parseShared, type TopicFault, topicFilterFault } from '../../core/topic-filter.ts';
import type { MqttConnection } from './connection.ts';
import type { MqttSession } from './session.ts';
import { MQTT_5 } from './wire/control-packet.ts';
import {
  NO_SUBSCRIPTION_EXISTED,
  protocolError,
  QUOTA_EXCEEDED,
  SUCCESS,
  TOPIC_FILTER_INVALID,
  V3_SUBSCRIPTION_FAILURE,
} from './wire/reason-code.ts';
import { readSubscribe, readUnsubscribe, type SubscribeRequest, writeSuback, writeUnsuback } from './wire/subscribe.ts';

/**
 * SUBSCRIBE: takes effect here at once; SUBACK leaves when linked brokers know of it too, so that whoever publishes anywhere after the
 * SUBACK reaches this client. Retained messages follow the SUBACK.
 * @throws ProtocolError, and then nothing of the packet has taken effect
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
  const faults = packet.requests.map((request) => findFault(connection, request));
  const before = broker.store.position;
  const replays: SubscribeRequest[] = [];
  let reason: string | null = null;
  const codes = packet.requests.map((request, i) => {
    const fault = faults[i]!;
    if (fault !== null) {
      reason ??= fault.text;
      return fault.reasonCode;
    }
    if (!session.subscriptions.has(request.filter) && session.subscriptions.size >= broker.limits.sessionSubscriptions) {
      broker.refused('sessionSubscriptions', { ...connection.facts(), filter: request.filter });
      reason ??= `a session has at most ${broker.limits.sessionSubscriptions} subscriptions`;
      return connection.level === MQTT_5 ? QUOTA_EXCEEDED : V3_SUBSCRIPTION_FAILURE;
    }
    // [MQTT-3.8.4-3] [MQTT-3.8.4-5]
    const isNew = session.subscribe(request.filter, request.qos, request.noLocal, request.retainAsPublished, packet.subscriptionIdentifier);
    // [MQTT-3.8.4-4] [MQTT-3.3.1-9] [MQTT-3.3.1-10] [MQTT-3.3.1-11]; a shared subscription gets none (section 4.8.2)
    if (!isShared(request.filter) && (request.retainHandling === 0 || (request.retainHandling === 1 && isNew))) replays.push(request);
    return request.qos;
  });
  const finish = (): void => {
    if (connection.closed) return;
    const { packetIdentifier } = packet;
    // [MQTT-3.8.4-1] [MQTT-3.8.4-2]; its words are left out where there is no room for them [MQTT-3.9.2-1]
    connection.replyDurable(
      before,
      connection.withReason(reason, (text) => writeSuback(packetIdentifier, codes, connection.level, text)),
    );
    for (const { filter } of replays) {
      const subscription = session.subscriptions.get(filter);
      if (subscription !== undefined) session.replay(subscription, (wanted) => retainedFor(connection, session, wanted));
    }
  };
  const known = broker.cluster?.demandKnown() ?? null;
  if (known === null) finish();
  else void known.then(() => connection.guard(finish));
}

/**
 * Why this one filter is refused, and with which Reason Code [MQTT-3.8.4-7] [MQTT-3.9.3-2]; null: it is not.
 * @throws ProtocolError when the whole packet is wrong
 */
function findFault(connection: MqttConnection, request: SubscribeRequest): { reasonCode: number; text: string } | null {
  const fault = filterFault(connection, request.filter);
  if (fault !== null) {
    if (fault.limit !== null) connection.broker.refused(fault.limit, { ...connection.facts(), reason: fault.text });
    const { text } = fault;
    if (connection.level === MQTT_5) return { reasonCode: TOPIC_FILTER_INVALID, text };
    // Earlier versions have no code for a filter that is none: the connection ends. A valid one beyond a bound of ours is refused.
    if (fault.limit === null) throw protocolError(`SUBSCRIBE: ${text}`);
    return { reasonCode: V3_SUBSCRIPTION_FAILURE, text }; // [MQTT3-3.9.3-2]
  }
  if (request.noLocal && isShared(request.filter)) throw protocolError('No Local on a shared subscription [MQTT-3.8.3-4]');
  return null;
}

function filterFault(connection: MqttConnection, filter: string): TopicFault | null {
  const shared = parseShared(filter);
  return shared.fault === null ? topicFilterFault(shared.filter, connection.broker.limits) : { text: shared.fault, limit: null };
}

function isShared(filter: string): boolean {
  return parseShared(filter).group !== null;
}

/** No Local looks at client ids: a client is the same one over its reconnects [MQTT-3.8.3-3]. */
function retainedFor(connection: MqttConnection, session: MqttSession, subscription: Subscription): Message[] {
  const messages = connection.broker.retained.match(subscription.filter);
  if (!subscription.noLocal) return messages;
  return messages.filter(({ publisher }) => publisher?.kind !== 'client' || publisher.id !== session.clientId);
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
  const before = connection.broker.store.position;
  const faults = packet.filters.map((filter) => filterFault(connection, filter));
  const wrong = faults.find((fault) => fault?.limit === null);
  if (wrong != null && connection.level !== MQTT_5) throw protocolError(`UNSUBSCRIBE: ${wrong.text}`);
  // [MQTT-3.10.4-6] [MQTT-3.11.3-2]
  const codes = packet.filters.map((filter, i) => {
    if (faults[i] !== null) return TOPIC_FILTER_INVALID;
    return session.unsubscribe(filter) ? SUCCESS : NO_SUBSCRIPTION_EXISTED; // [MQTT-3.10.4-1]
  });
  const { packetIdentifier } = packet;
  const reason = faults.find((fault) => fault !== null)?.text ?? null;
  // [MQTT-3.10.4-4] [MQTT-3.10.4-5] [MQTT-3.11.2-1]
  connection.replyDurable(
    before,
    connection.withReason(reason, (text) => writeUnsuback(packetIdentifier, codes, connection.level, text)),
  );
}
