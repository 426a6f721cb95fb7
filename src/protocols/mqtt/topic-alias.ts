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

/** Topics that are not worth an alias, in characters: the property takes three bytes, the topic's length stays. */
const ALIASED_TOPIC_LENGTH_MIN = 4;

/**
 * The aliases that one connection's client knows topics by: the first topics sent to it get one each, as many as it accepts
 * [MQTT-3.1.2-26] [MQTT-3.3.2-11]. One that accepts none has no such table [MQTT-3.1.2-27].
 */
export class OutboundAliases {
  readonly #aliases = new Map<string, number>();
  readonly #maximum: number;

  /** @param maximum the client's Topic Alias Maximum, at least 1 */
  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /** The alias that the client knows the topic by; 0: none. */
  known(topic: string): number {
    return this.#aliases.get(topic) ?? 0;
  }

  /** The alias that the topic can be given; 0: there is none left, or it is not worth one. Call `set` when it was sent. */
  next(topic: string): number {
    return this.#aliases.size < this.#maximum && topic.length >= ALIASED_TOPIC_LENGTH_MIN ? this.#aliases.size + 1 : 0;
  }

  set(topic: string): void {
    this.#aliases.set(topic, this.#aliases.size + 1);
  }
}
