/**
 * Topic names and topic filters (MQTT 5.0 section 4.7).
 *
 *     filter      matches                          does not match
 *     a/+/c       a/b/c  a//c                      a/c  a/b/d
 *     a/#         a  a/b  a/b/c                    ab
 *     +/+         /a  a/                           a
 *     #           everything but $...              $SYS/x     [MQTT-4.7.2-1]
 *     $SYS/#      $SYS  $SYS/x
 */

/** Largest topic name or filter, in UTF-8 bytes: its length field has 16 bits [MQTT-4.7.3-3]. */
export const TOPIC_BYTES_MAX = 65_535;

/** How large a topic name or filter may be: `Limits` has both. */
export interface TopicBounds {
  readonly topicLevels: number;
  /** In UTF-8. */
  readonly topicBytes: number;
}

/** What any MQTT broker could take. */
export const ANY_TOPIC: TopicBounds = { topicLevels: TOPIC_BYTES_MAX + 1, topicBytes: TOPIC_BYTES_MAX };

/** Why a topic name or filter is not taken. */
export interface TopicFault {
  readonly text: string;
  /** The bound that it is beyond; null where no broker could take it. */
  readonly limit: keyof TopicBounds | null;
}

/** Whether a topic belongs to the broker: what it says of itself, and the place of shared subscriptions. */
export function isBrokerTopic(topic: string): boolean {
  return topic.charCodeAt(0) === 0x24 && (topic.startsWith('$SYS/') || topic.startsWith('$share/'));
}

/** Says why `topic` cannot be published to, or null when it can. */
export function topicNameFault(topic: string, bounds: TopicBounds): TopicFault | null {
  if (topic.length === 0) return invalid('a topic name must be at least one character long [MQTT-4.7.3-1]');
  let levels = 1;
  for (let i = 0; i < topic.length; i++) {
    const c = topic.charCodeAt(i);
    if (c === 0x2f) levels++;
    else if (c === 0x2b || c === 0x23)
      return invalid(`a topic name must not contain '${topic[i]}' [MQTT-3.3.2-2]`); // [MQTT-4.7.0-1]
    else if (c === 0) return invalid('a topic name must not contain U+0000 [MQTT-4.7.3-2]');
  }
  return sizeFault('a topic name', topic, levels, bounds);
}

/** Says why `filter` cannot be subscribed to, or null when it can. A `$share/` prefix is not looked at. */
export function topicFilterFault(filter: string, bounds: TopicBounds): TopicFault | null {
  if (filter.length === 0) return invalid('a topic filter must be at least one character long [MQTT-4.7.3-1]');
  let levels = 1;
  for (let i = 0; i < filter.length; i++) {
    const c = filter.charCodeAt(i);
    if (c === 0x2f) {
      levels++;
    } else if (c === 0x2b) {
      if ((i > 0 && filter.charCodeAt(i - 1) !== 0x2f) || (i + 1 < filter.length && filter.charCodeAt(i + 1) !== 0x2f))
        return invalid("'+' must stand alone in its level [MQTT-4.7.1-2]");
    } else if (c === 0x23) {
      if ((i > 0 && filter.charCodeAt(i - 1) !== 0x2f) || i + 1 !== filter.length)
        return invalid("'#' must be the last level, alone [MQTT-4.7.1-1]");
    } else if (c === 0) {
      return invalid('a topic filter must not contain U+0000 [MQTT-4.7.3-2]');
    }
  }
  return sizeFault('a topic filter', filter, levels, bounds);
}

function invalid(text: string): TopicFault {
  return { text, limit: null };
}

function sizeFault(what: string, topic: string, levels: number, { topicLevels, topicBytes }: TopicBounds): TopicFault | null {
  if (levels > topicLevels) return { text: `${what} may have ${topicLevels} levels, this one has ${levels}`, limit: 'topicLevels' };
  // A character takes three bytes at most: the usual topic need not be measured.
  const bytes = topic.length * 3 <= topicBytes ? 0 : Buffer.byteLength(topic);
  if (bytes > TOPIC_BYTES_MAX) return invalid(`${what} has at most ${TOPIC_BYTES_MAX} bytes, this one has ${bytes} [MQTT-4.7.3-3]`);
  return bytes > topicBytes ? { text: `${what} may have ${topicBytes} bytes, this one has ${bytes}`, limit: 'topicBytes' } : null;
}

export function hasWildcard(filter: string): boolean {
  return filter.includes('+') || filter.endsWith('#');
}

/** Whether a valid filter matches a valid topic name. */
export function topicMatches(filter: string, topic: string): boolean {
  if (topic.charCodeAt(0) === 0x24 && (filter.charCodeAt(0) === 0x2b || filter.charCodeAt(0) === 0x23)) return false; // [MQTT-4.7.2-1]
  let f = 0;
  let t = 0;
  for (;;) {
    const c = filter.charCodeAt(f);
    if (c === 0x23) return true;
    if (c === 0x2b) {
      f++;
      while (t < topic.length && topic.charCodeAt(t) !== 0x2f) t++;
    } else {
      while (f < filter.length && filter.charCodeAt(f) !== 0x2f) {
        if (filter.charCodeAt(f) !== topic.charCodeAt(t)) return false;
        f++;
        t++;
      }
    }
    const filterEnds = f === filter.length;
    const topicEnds = t === topic.length;
    if (filterEnds) return topicEnds;
    if (topicEnds) return filter.length === f + 2 && filter.charCodeAt(f + 1) === 0x23; // `a/#` also matches `a`
    if (topic.charCodeAt(t) !== 0x2f) return false;
    f++;
    t++;
  }
}

/** Splits `$share/{group}/{filter}`; `group` is null for an ordinary filter, and the fault is said when it is malformed. */
export function parseShared(filter: string): { group: string | null; filter: string; fault: string | null } {
  if (!filter.startsWith('$share/')) return { group: null, filter, fault: null };
  const end = filter.indexOf('/', 7);
  const group = end < 0 ? filter.slice(7) : filter.slice(7, end);
  if (group.length === 0 || end < 0 || end + 1 === filter.length)
    return { group: null, filter, fault: "a shared subscription is '$share/{ShareName}/{filter}' [MQTT-4.8.2-1]" };
  if (group.includes('+') || group.includes('#'))
    return { group: null, filter, fault: "a ShareName must not contain '+' or '#' [MQTT-4.8.2-2]" };
  return { group, filter: filter.slice(end + 1), fault: null };
}
