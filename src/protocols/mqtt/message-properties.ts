import type { MessageProperties } from '../../core/message.ts';
import { topicNameFault } from '../../core/topic-filter.ts';
import type { Properties } from './wire/property.ts';
import { protocolError } from './wire/reason-code.ts';

/**
 * The application's properties of a PUBLISH or a will; null when there are only ones for the server.
 * @throws ProtocolError MQTT_PROTOCOL_ERROR
 */
export function messageProperties(p: Properties, topicLevelsMax: number): MessageProperties | null {
  if (
    p.userProperties === null &&
    p.payloadFormatIndicator === null &&
    p.contentType === null &&
    p.responseTopic === null &&
    p.correlationData === null
  )
    return null;
  if (p.responseTopic !== null) {
    const fault = topicNameFault(p.responseTopic, topicLevelsMax); // [MQTT-3.3.2-14]
    if (fault !== null) throw protocolError(`Response Topic: ${fault}`);
  }
  return {
    payloadFormatIndicator: p.payloadFormatIndicator === 1 ? 1 : 0,
    contentType: p.contentType,
    responseTopic: p.responseTopic,
    correlationData: p.correlationData,
    userProperties: p.userProperties ?? [],
  };
}

/** Whether a topic belongs to the server: what it says of itself, and the place of shared subscriptions. */
export function isReserved(topic: string): boolean {
  return topic.startsWith('$SYS/') || topic.startsWith('$share/');
}
