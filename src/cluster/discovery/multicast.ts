import { createSocket, type Socket } from 'node:dgram';
import type { Log } from '../../telemetry/log.ts';
import { type Clock, systemClock } from '../../timing/clock.ts';
import { dialledAddress, formatAnnouncement, parseAnnouncement } from './announcement.ts';
import type { Discovery, PeerWatcher } from './discovery.ts';
import { ServiceRoster } from './service-roster.ts';

/** Longest datagram looked at, in bytes: the buffer that ActiveMQ receives into. */
const DATAGRAM_BYTES_MAX = 4_096;

/** Announcements that are of no use and were said so; bounded because anybody can send them. */
const UNDIALLED_NOTES_MAX = 100;

export interface MulticastOptions {
  /** Group address, e.g. `239.255.2.3`. */
  readonly address: string;
  readonly port: number;
  /** Brokers of other groups on the same address do not see each other. */
  readonly group: string;
  readonly timeToLive: number;
  readonly keepAliveIntervalMs: number;
  /** Address of the one interface to send and listen on; null leaves the choice to the system. */
  readonly interfaceAddress: string | null;
  readonly log: Log;
  readonly clock?: Clock;
}

/**
 * `multicast://default`: brokers that announce themselves, and hear each other (OpenWire specification section 16.2).
 * One agent serves all connectors of a broker that use the same group.
 */
export class MulticastDiscovery implements Discovery {
  readonly #options: MulticastOptions;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #roster: ServiceRoster;
  readonly #own = new Set<string>();
  readonly #watchers: PeerWatcher[] = [];
  /** Services with a URI that we cannot dial: said once each. */
  readonly #undialled = new Set<string>();
  #socket: Socket | null = null;
  #timer: NodeJS.Timeout | null = null;
  #sendFailed = false;
  #full = false;

  constructor(options: MulticastOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#clock = options.clock ?? systemClock;
    this.#roster = new ServiceRoster(options.keepAliveIntervalMs);
  }

  /** Joins the group. Trouble with it is logged and leaves the broker running alone: it may have other ways to find its peers. */
  async start(): Promise<void> {
    const { address, port, timeToLive, interfaceAddress, keepAliveIntervalMs } = this.#options;
    const socket = createSocket({ type: 'udp4', reuseAddr: true });
    try {
      await bind(socket, port);
      if (interfaceAddress !== null) socket.setMulticastInterface(interfaceAddress);
      socket.addMembership(address, interfaceAddress ?? undefined);
      socket.setMulticastTTL(timeToLive);
      socket.setMulticastLoopback(true); // other brokers of this machine
    } catch (error) {
      socket.close();
      this.#log.error('cannot join the multicast group: brokers are not found this way; name them with static:(...) instead', {
        address: `${address}:${port}`,
        interface: interfaceAddress,
        reason: (error as Error).message,
      });
      return;
    }
    socket.on('error', (error) => this.#log.warn('multicast socket failed', { reason: error.message }));
    socket.on('message', (datagram, sender) => this.#heard(datagram, sender.address));
    this.#socket = socket;
    this.#announceAll();
    this.#timer = setInterval(() => this.#tick(), keepAliveIntervalMs);
    this.#timer.unref();
  }

  /** Tells the group of a service of this broker, now and from now on. */
  announce(service: string): void {
    this.#own.add(service);
    this.#send(service, true);
  }

  async watch(watcher: PeerWatcher): Promise<void> {
    this.#watchers.push(watcher);
  }

  /** Says goodbye and leaves the group. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    const socket = this.#socket;
    if (socket === null) return;
    this.#socket = null;
    const { address, port, group } = this.#options;
    const goodbyes = [...this.#own].map(
      (service) =>
        new Promise<void>((resolve) => {
          socket.send(formatAnnouncement(group, { alive: false, service }), port, address, () => resolve());
        }),
    );
    await Promise.all(goodbyes);
    await new Promise<void>((resolve) => socket.close(resolve));
  }

  #tick(): void {
    this.#announceAll();
    for (const service of this.#roster.expire(this.#clock.monotonicMs())) this.#gone(service);
  }

  #announceAll(): void {
    for (const service of this.#own) this.#send(service, true);
  }

  #send(service: string, alive: boolean): void {
    const { address, port, group } = this.#options;
    this.#socket?.send(formatAnnouncement(group, { alive, service }), port, address, (error) => {
      if (error !== null && !this.#sendFailed)
        this.#log.warn('cannot announce this broker to the multicast group', { address: `${address}:${port}`, reason: error.message });
      this.#sendFailed = error !== null;
    });
  }

  #heard(datagram: Buffer, sender: string): void {
    if (datagram.length > DATAGRAM_BYTES_MAX) return;
    // A group joined on one interface also hears what arrives on others where some program joined it there.
    if (isLoopback(this.#options.interfaceAddress) && !isLoopback(sender)) return;
    const announcement = parseAnnouncement(this.#options.group, datagram.toString('utf8'));
    if (announcement === null) return;
    const { alive, service } = announcement;
    if (this.#own.has(service)) return;
    if (!alive) {
      if (this.#roster.dead(service)) this.#gone(service);
      return;
    }
    const peer = dialledAddress(service);
    if (peer === null) {
      this.#sayUndialled(service);
      return;
    }
    const news = this.#roster.alive(service, this.#clock.monotonicMs());
    if (news === 'refused') {
      if (!this.#full) this.#log.warn('too many services announced on the multicast group: new ones are ignored', { service });
      this.#full = true;
      return;
    }
    if (news === 'new') this.#announceAll(); // so that it need not wait for our next interval
    for (const watcher of this.#watchers) watcher.found(peer);
  }

  #gone(service: string): void {
    const peer = dialledAddress(service);
    if (peer === null) return;
    for (const watcher of this.#watchers) watcher.gone(peer);
  }

  #sayUndialled(service: string): void {
    if (this.#undialled.size >= UNDIALLED_NOTES_MAX || this.#undialled.has(service)) return;
    this.#undialled.add(service);
    this.#log.warn('a broker announces an address that cannot be dialled: expected tcp://host:port', { service });
  }
}

function isLoopback(address: string | null): boolean {
  return address?.startsWith('127.') === true;
}

function bind(socket: Socket, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, '0.0.0.0', () => {
      socket.off('error', reject);
      resolve();
    });
  });
}
