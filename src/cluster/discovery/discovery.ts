/** Where another broker listens, as it was announced or configured: nothing is known about it yet, not even that it is there. */
export interface PeerAddress {
  readonly host: string;
  readonly port: number;
}

/** Is told which brokers there are to be linked with. Calls must not throw. */
export interface PeerWatcher {
  /** The peer is known from now on; called again at every later sign of life, which is a good moment to dial. */
  found(peer: PeerAddress): void;
  /** The peer said goodbye or was not heard of for too long. A link that works goes on. */
  gone(peer: PeerAddress): void;
}

/** A way to find other brokers. */
export interface Discovery {
  watch(watcher: PeerWatcher): Promise<void>;
  stop(): Promise<void>;
}

/** One spelling for one address, for maps and for log lines. */
export function addressText(peer: PeerAddress): string {
  return `${peer.host.includes(':') ? `[${peer.host}]` : peer.host.toLowerCase()}:${peer.port}`;
}
