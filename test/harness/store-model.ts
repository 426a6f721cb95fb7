import { STORED, type Store, type StoredSession, VOLATILE } from '../../src/core/store.ts';

/**
 * All that a store is to give back, as text: what two stores, or one before and after a restart, are compared by.
 * @param withNext whether sequences of messages that were never written are to be known
 */
export function contentOf(store: Store, withNext = true): string {
  const byName = (sessions: Iterable<StoredSession>) =>
    [...sessions]
      .map(sessionContent)
      .map((content) => (withNext ? content : { ...content, next: null }))
      .sort((a, b) => (a.clientId < b.clientId ? -1 : 1));
  const sessions = byName(store.sessions());
  const peers = byName(store.peers());
  const origins = [...store.origins()].map(({ name, window }) => [name, window.bytes.toString('base64')]).sort();
  const retained = [...store.retained()]
    .map(({ topic, message, stamp }) => ({ topic, payload: message === null ? null : message.payload.toString('latin1'), stamp }))
    .sort((a, b) => (a.topic < b.topic ? -1 : 1));
  return JSON.stringify({ sessions, peers, origins, retained });
}

function sessionContent(session: StoredSession): { clientId: string } & Record<string, unknown> {
  const waiting: unknown[] = [];
  for (let sequence = session.first; sequence < session.next; sequence++) {
    const entry = session.get(sequence);
    if (entry === null) continue;
    const { message, qos, retain, identifiers } = entry;
    waiting.push([sequence, message.topic, message.payload.toString('latin1'), message.qos, qos, retain, identifiers]);
  }
  return {
    clientId: session.clientId,
    next: session.next,
    size: session.size,
    bytes: session.bytes,
    waiting,
    released: session.released(),
    received: [...session.received].sort((a, b) => a - b),
    noted: [session.noted(VOLATILE), session.noted(STORED)],
    attributes: [...session.attributes].map(([name, value]) => [name, value.toString('latin1')]).sort(),
  };
}
