import type { Log } from '../../telemetry/log.ts';
import { FORGET_PEER_MS } from './link-limits.ts';
import type { PeerSubscriber } from './peer-subscriber.ts';

interface KnownPeer {
  readonly subscriber: PeerSubscriber;
  /** Where it can be dialled; empty where it does not say. */
  readonly url: string;
  /** Runs while there is no link with it. */
  forgetTimer: NodeJS.Timeout | null;
}

export interface KnownPeersOptions {
  readonly log: Log;
  create(id: string, name: string): PeerSubscriber;
  isLinked(id: string): boolean;
}

/**
 * The brokers we have been linked with lately, as our router's subscribers. One without a link is kept for a while, with what it wants and
 * what waits for it: links break and come back.
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

  /** The peer that a link begins with: the one known from an earlier link, or a new one. */
  linked(id: string, name: string, url: string): PeerSubscriber {
    let peer = this.#peers.get(id);
    if (peer === undefined) {
      this.#forgetFormerSelf(name, url);
      peer = { subscriber: this.#options.create(id, name), url, forgetTimer: null };
      this.#peers.set(id, peer);
    }
    if (peer.forgetTimer !== null) clearTimeout(peer.forgetTimer);
    peer.forgetTimer = null;
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
    if (forGood || this.#stopped) {
      this.#forget(id, peer, forGood);
      return;
    }
    if (peer.forgetTimer !== null) clearTimeout(peer.forgetTimer); // two connections of one peer may go one after the other
    peer.forgetTimer = setTimeout(() => {
      if (!this.#options.isLinked(id)) this.#forget(id, peer, false);
    }, FORGET_PEER_MS);
    peer.forgetTimer.unref();
  }

  stop(): void {
    this.#stopped = true;
    for (const { forgetTimer } of this.#peers.values()) if (forgetTimer !== null) clearTimeout(forgetTimer);
  }

  /** A broker that was restarted has a new id: what the old one wanted goes away as soon as the new one is there. */
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
    if (!this.#stopped) subscriber.abandon(saidGoodbye);
    if (subscriber.outbox.size > 0 && !this.#stopped) {
      this.#options.log.warn('messages for a broker that did not come back are dropped', {
        peer: id,
        peerName: subscriber.name,
        messages: subscriber.outbox.size,
      });
    }
    subscriber.outbox.clear();
  }
}
