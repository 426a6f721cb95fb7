import type { Limits } from '../../core/limits.ts';
import { ProtocolError } from '../../errors.ts';
import { LimitError } from './limit-error.ts';
import { protocolError, QUOTA_EXCEEDED, TOPIC_ALIAS_INVALID } from './wire/reason-code.ts';

/** What a client's topic aliases stand for, on one connection. MQTT 5.0 section 3.3.2.3.4. */
export class InboundAliases {
  readonly #topics = new Map<number, string>();
  /** Of the topics, in characters. */
  #bytes = 0;

  /**
   * The topic that a PUBLISH with an alias means.
   *
   * @param topic empty: what the alias was last set to
   * @throws LimitError MQTT_TOPIC_ALIAS_INVALID or MQTT_QUOTA_EXCEEDED; ProtocolError [MQTT-3.3.2-12]
   */
  resolve(topic: string, alias: number, { topicAliasMaximum, topicAliasBytes }: Limits): string {
    if (alias === 0) throw new ProtocolError('MQTT_TOPIC_ALIAS_INVALID', 'a Topic Alias of 0 [MQTT-3.3.2-8]', TOPIC_ALIAS_INVALID);
    if (alias > topicAliasMaximum)
      throw new LimitError(
        'MQTT_TOPIC_ALIAS_INVALID',
        `Topic Alias ${alias}: 1 to ${topicAliasMaximum} are accepted [MQTT-3.3.2-9]`, // [MQTT-3.2.2-17] [MQTT-3.2.2-18]
        TOPIC_ALIAS_INVALID,
        'topicAliasMaximum',
      );
    const known = this.#topics.get(alias);
    if (topic === '') {
      if (known === undefined) throw protocolError(`Topic Alias ${alias} was not set on this connection`);
      return known;
    }
    this.#bytes += topic.length - (known?.length ?? 0);
    if (this.#bytes > topicAliasBytes)
      throw new LimitError(
        'MQTT_QUOTA_EXCEEDED',
        `the topics of all Topic Aliases may have ${topicAliasBytes} bytes in all`,
        QUOTA_EXCEEDED,
        'topicAliasBytes',
      );
    this.#topics.set(alias, topic);
    return topic;
  }
}
