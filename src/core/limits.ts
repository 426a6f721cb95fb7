/**
 * Every bound of the broker in one place: unit, default and reason.
 * A bound that the configuration can set names the word that sets it.
 */
export interface Limits {
  /** Topics whose routes are remembered. Beyond it the cache starts anew: a bound on memory, not on topics in use. */
  readonly routeCacheTopics: number;
  /** QoS 1 and 2 messages that wait for one session, in messages. The newest is refused beyond it. */
  readonly sessionQueueMessages: number;
  /** The same in bytes of payload, topic and properties, so that large messages cannot fill the memory first. */
  readonly sessionQueueBytes: number;
  /** Bytes queued on one connection beyond which QoS 0 messages for it are dropped: what a slow reader may cost. */
  readonly connectionQueueBytes: number;
  /** QoS 1 and 2 messages sent and not acknowledged, per client that names no Receive Maximum of its own. */
  readonly inflightMessages: number;
  /**
   * Packet Identifiers in use towards one client, messages released and not completed included. Fewer than the 65,535 there are, so that
   * there is always a free one; many more than a window, so that only a client which never completes QoS 2 reaches it.
   */
  readonly packetIdentifiers: number;
  /**
   * QoS 2 messages received and not released, per client: our Receive Maximum (MQTT 5.0 section 3.2.2.3.3). The largest there is: an
   * identifier costs a few bytes, and there are clients (MQTT.js) that send a burst without looking at a smaller one.
   */
  readonly receiveMaximum: number;
  /** Topic aliases a client may use with us (MQTT 5.0 section 3.2.2.3.8). */
  readonly topicAliasMaximum: number;
  /** Retained messages, in messages. */
  readonly retainedMessages: number;
  /** The same in bytes of payload, topic and properties. */
  readonly retainedBytes: number;
  /** Removed retained messages remembered, so that a late older copy from a linked broker does not bring them back. */
  readonly retainedTombstones: number;
  /** How long a removed retained message is remembered, in milliseconds. */
  readonly retainedTombstoneMs: number;
  /** Levels of a topic name or filter: a deeper one costs matching time that no real fleet needs. */
  readonly topicLevels: number;
}

export const DEFAULT_LIMITS: Limits = {
  routeCacheTopics: 65_536,
  sessionQueueMessages: 100_000,
  sessionQueueBytes: 256 * 1024 * 1024,
  connectionQueueBytes: 64 * 1024 * 1024,
  inflightMessages: 1_024,
  packetIdentifiers: 32_768,
  receiveMaximum: 65_535,
  topicAliasMaximum: 256,
  retainedMessages: 1_000_000,
  retainedBytes: 1024 * 1024 * 1024,
  retainedTombstones: 100_000,
  retainedTombstoneMs: 3_600_000,
  topicLevels: 128,
};
