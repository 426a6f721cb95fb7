import type { StoredSession } from '../../core/store.ts';
import type { Log } from '../../telemetry/log.ts';
import { FORGET_PEER_MS, KEPT_PEERS_MAX } from './link-limits.ts';
import { type PeerSubscriber, storedName } from './peer-subscriber.ts';

interface KnownPeer {
  readonly subscriber: PeerSubscriber;
  /** Where it can be dialled; empty where it does not say. */
  url: string;
  /** Runs while there is no link with it. */
  forgetTimer: NodeJS.Timeout | null;
}

export interface KnownPeersOptions {
  readonly log: Log;
  /** @param stored what the store has of it; null: nothing yet */
  create(id: string, name: string, stored: StoredSession | null): PeerSubscriber;
  isLinked(id: string): boolean;
}

/**
 * The brokers we have been linked with lately, as our router's subscribers. One without a link is kept for a while, with what it wants and
 * what waits for it: links break and come back. One that has the same id after a restart is kept for good, with what its persistent
 * subscribers want and what waits for them, also over our own restarts.
 */
export class KnownPeers {
  readonly #options: KnownPeersOptions;
  readonly #peers = new Map<string, KnownPeer>();
  #stopped = false;

  constructor(options: KnownPeersOptions) {
    this.#options = options;
  }

  /** Whether this broker, linked or away for a moment, deals messages to the shared subscriptions of all brokers. */
  knowsGroups(id: string): boolean {
    return this.#peers.get(id)?.subscriber.knowsGroups === true;
  }

  /** Takes up what the store has from before. */
  restore(peers: Iterable<StoredSession>): void {
    for (const stored of [...peers]) {
      const { clientId: id } = stored;
      const subscriber = this.#options.create(id, storedName(stored), stored);
      this.#peers.set(id, { subscriber, url: subscriber.url, forgetTimer: null });
      const { messages, bytes } = subscriber.waiting;
      if (messages > 0)
        this.#options.log.info('messages wait for a linked broker', { peer: id, peerName: subscriber.name, messages, bytes });
      this.away(id, false);
    }
  }

  /** The peer that a link begins with: the one known from an earlier link, or a new one. */
  linked(id: string, name: string, url: string): PeerSubscriber {
    let peer = this.#peers.get(id);
    if (peer === undefined) {
      this.#forgetFormerSelf(name, url);
      this.#makeRoom();
      peer = { subscriber: this.#options.create(id, name, null), url, forgetTimer: null };
      this.#peers.set(id, peer);
    }
    if (peer.forgetTimer !== null) clearTimeout(peer.forgetTimer);
    peer.forgetTimer = null;
    peer.url = url;
    return peer.subscriber;
  }

  /** There is another connection for it now. */
  detach(id: string): void {
    this.#peers.get(id)?.subscriber.detach();
  }

  /** The link is gone; `forGood` when the peer said that it stops. */
  away(id: string, forGood: boolean): void {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    peer.subscriber.detach();
    if (this.#stopped) return;
    if (forGood) {
      this.#giveUp(id, peer, true);
      return;
    }
    if (peer.forgetTimer !== null) clearTimeout(peer.forgetTimer); // two connections of one peer may go one after the other
    peer.forgetTimer = setTimeout(() => {
      if (!this.#options.isLinked(id)) this.#giveUp(id, peer, false);
    }, FORGET_PEER_MS);
    peer.forgetTimer.unref();
  }

  stop(): void {
    this.#stopped = true;
    for (const { forgetTimer } of this.#peers.values()) if (forgetTimer !== null) clearTimeout(forgetTimer);
  }

  /** Its time is over. */
  #giveUp(id: string, peer: KnownPeer, saidGoodbye: boolean): void {
    if (peer.subscriber.keepsId) this.#sayLost(id, peer, peer.subscriber.forgetVolatile(saidGoodbye));
    else this.#forget(id, peer, saidGoodbye);
  }

  #makeRoom(): void {
    if (this.#peers.size < KEPT_PEERS_MAX) return;
    for (const [id, peer] of this.#peers) {
      if (this.#options.isLinked(id)) continue;
      this.#options.log.warn('a linked broker is forgotten: there are too many that are away', {
        peer: id,
        peerName: peer.subscriber.name,
      });
      this.#forget(id, peer, false);
      return;
    }
  }

  /** A broker without a store has a new id at each start: what the old one wanted goes away as soon as the new one is there. */
  #forgetFormerSelf(name: string, url: string): void {
    if (url === '') return;
    for (const [id, peer] of this.#peers) {
      if (peer.url === url && peer.subscriber.name === name && !this.#options.isLinked(id)) this.#forget(id, peer, false);
    }
  }

  #forget(id: string, peer: KnownPeer, saidGoodbye: boolean): void {
    if (peer.forgetTimer !== null) clearTimeout(peer.forgetTimer);
    this.#peers.delete(id);
    const { subscriber } = peer;
    subscriber.demand.clear();
    const stored = subscriber.waiting.messages - subscriber.outbox.size;
    this.#sayLost(id, peer, subscriber.forgetVolatile(saidGoodbye) + stored);
    subscriber.forgetStored();
  }

  #sayLost(id: string, { subscriber }: KnownPeer, messages: number): void {
    if (messages === 0) return;
    this.#options.log.warn('messages for a broker that did not come back are dropped', { peer: id, peerName: subscriber.name, messages });
  }
}
