import type { Discovery, PeerAddress, PeerWatcher } from './discovery.ts';

/** `static:(tcp://a:61616,tcp://b:61616)`: the peers are those the file names (OpenWire specification section 16.1). */
export class StaticDiscovery implements Discovery {
  readonly #peers: readonly PeerAddress[];

  constructor(peers: readonly PeerAddress[]) {
    this.#peers = peers;
  }

  async watch(watcher: PeerWatcher): Promise<void> {
    for (const peer of this.#peers) watcher.found(peer);
  }

  async stop(): Promise<void> {}
}
