import type { RefusingLimit } from '../../core/limits.ts';
import type { TopicFault } from '../../core/topic-filter.ts';
import { ProtocolError } from '../../errors.ts';
import { TOPIC_NAME_INVALID } from './wire/reason-code.ts';

/** A client asks for more than it can have. It is counted by its limit, and is no mistake of the client's as far as the log goes. */
export class LimitError extends ProtocolError {
  readonly limit: RefusingLimit;

  constructor(code: string, message: string, reasonCode: number, limit: RefusingLimit) {
    super(code, message, reasonCode);
    this.limit = limit;
  }
}

/** A topic name that is not taken, by anybody or by this broker's bounds. `where`: in which packet or field. */
export function topicNameError(where: string, { text, limit }: TopicFault): ProtocolError {
  const message = `${where}: ${text}`;
  return limit === null
    ? new ProtocolError('MQTT_TOPIC_NAME_INVALID', message, TOPIC_NAME_INVALID)
    : new LimitError('MQTT_TOPIC_NAME_INVALID', message, TOPIC_NAME_INVALID, limit);
}
