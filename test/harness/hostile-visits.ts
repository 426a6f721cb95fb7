import type { TestBroker } from './mqtt-broker.ts';
import type { Canary } from './mqtt-canary.ts';
import { MqttPeer } from './mqtt-peer.ts';

/** Connections that are open at the same time. */
const OPEN_AT_ONCE = 12;

/** Cuts what one connection sends into pieces. @param cuts any numbers: places, modulo the length */
export function inPieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
  return places.slice(1).map((end, i) => bytes.subarray(places[i], end));
}

/**
 * Connections to `port` that say `visits`, each piece by piece, and close their side, while a canary goes on with its round trip after each
 * round of pieces. Resolves when the broker has closed all of them; sessions that they leave are discarded.
 */
export async function receiveVisits(broker: TestBroker, port: number, canary: Canary, visits: Iterable<readonly Buffer[]>): Promise<void> {
  let atOnce: (readonly Buffer[])[] = [];
  for (const pieces of visits) {
    if (atOnce.push(pieces) < OPEN_AT_ONCE) continue;
    const peers = await Promise.all(atOnce.map(() => MqttPeer.dial(port)));
    for (let round = 0; atOnce.some(({ length }) => length > round); round++) {
      for (const [i, peer] of peers.entries()) {
        const piece = atOnce[i]![round];
        if (piece !== undefined) peer.send(piece);
      }
      await canary.sing();
    }
    for (const peer of peers) peer.end();
    await Promise.all(peers.map((peer) => broker.until(() => peer.closed, 'the connection to be closed')));
    await Promise.all(peers.map((peer) => peer.destroy()));
    discardSessions(broker);
    atOnce = [];
  }
  await canary.sing();
  discardSessions(broker);
}

/** Ends what clients left behind on purpose: sessions that outlive their connections. */
export function discardSessions({ broker }: TestBroker): void {
  for (const session of [...broker.sessions.values()]) if (!session.connected) session.discard();
}
