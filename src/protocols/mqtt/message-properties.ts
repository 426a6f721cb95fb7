import type { Message, MessageProperties, PropertiesForm } from '../../core/message.ts';
import { ANY_TOPIC, isBrokerTopic, topicNameFault } from '../../core/topic-filter.ts';
import { PUBLISH } from './wire/control-packet.ts';
import { type Properties, readProperties } from './wire/property.ts';
import { writePublishProperties } from './wire/publish.ts';
import { protocolError } from './wire/reason-code.ts';

/**
 * The application's properties of a PUBLISH or a will; null when there are only ones for the server.
 * @throws ProtocolError MQTT_PROTOCOL_ERROR
 */
export function messageProperties(p: Properties): MessageProperties | null {
  if (
    p.userProperties === null &&
    p.payloadFormatIndicator === null &&
    p.contentType === null &&
    p.responseTopic === null &&
    p.correlationData === null
  )
    return null;
  if (p.responseTopic !== null) {
    const fault = topicNameFault(p.responseTopic, ANY_TOPIC); // [MQTT-3.3.2-14]; its bounds are those of the broker where it is used
    if (fault !== null) throw protocolError(`Response Topic: ${fault.text}`);
  }
  return {
    payloadFormatIndicator: p.payloadFormatIndicator as 0 | 1 | null,
    contentType: p.contentType,
    responseTopic: p.responseTopic,
    correlationData: p.correlationData,
    userProperties: p.userProperties ?? [],
  };
}

/** Properties as MQTT 5 writes them in a PUBLISH, with their length in front. They were found valid when they came. */
export const MQTT_5_PROPERTIES: PropertiesForm = {
  decode: (buffer, start, end) => messageProperties(readProperties(buffer, start, end, PUBLISH)),
};

/** The same for a store, which writes properties that came another way, too. */
export const MQTT_5_STORED_PROPERTIES = {
  ...MQTT_5_PROPERTIES,
  encode: ({ properties }: Message): Buffer => writePublishProperties(properties, null, []),
};

/**
 * Whether a topic is not for clients to publish to: what the server says of itself, and the place of shared subscriptions; unless the
 * connector lets them, all that begin with `$` (section 4.7.2).
 */
export function isReserved(topic: string, publishDollarTopics: boolean): boolean {
  return topic.startsWith('$') && (!publishDollarTopics || isBrokerTopic(topic));
}
