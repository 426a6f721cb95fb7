import { addressText, type Discovery, type PeerAddress, type PeerWatcher } from '../discovery/discovery.ts';
import type { LinkSettings } from './link-settings.ts';
import { type DialHost, PeerDialler } from './peer-dialler.ts';

/** One `<networkConnector>`: a link with every broker that its discovery finds. */
export class NetworkConnector implements PeerWatcher {
  readonly settings: LinkSettings;
  readonly #discovery: Discovery;
  readonly #host: DialHost;
  readonly #diallers = new Map<string, PeerDialler>();
  #stopped = false;

  constructor(settings: LinkSettings, discovery: Discovery, host: DialHost) {
    this.settings = settings;
    this.#discovery = discovery;
    this.#host = host;
  }

  get diallers(): Iterable<PeerDialler> {
    return this.#diallers.values();
  }

  start(): Promise<void> {
    return this.#discovery.watch(this);
  }

  stop(): void {
    this.#stopped = true;
    for (const dialler of this.#diallers.values()) dialler.stop();
  }

  found(peer: PeerAddress): void {
    if (this.#stopped) return;
    const key = addressText({ host: this.#host.mapAddress(peer.host), port: peer.port });
    let dialler = this.#diallers.get(key);
    if (dialler === undefined) {
      for (const [address, idle] of this.#diallers) if (idle.idle) this.#diallers.delete(address); // peers that left since
      dialler = new PeerDialler(peer, this.settings, this.#host);
      this.#diallers.set(key, dialler);
    }
    dialler.dialNow();
  }

  gone(peer: PeerAddress): void {
    this.#diallers.get(addressText({ host: this.#host.mapAddress(peer.host), port: peer.port }))?.rest();
  }
}
