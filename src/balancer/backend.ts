import type { Proxy as ProxySection } from '../config/haproxy/model.ts';
import type { Log } from '../telemetry/log.ts';
import type { Clock } from '../timing/clock.ts';
import type { TimerWheel } from '../timing/timer-wheel.ts';
import { RoundRobin } from './balance/roundrobin.ts';
import { Tally } from './counters.ts';
import type { Evidence, Failure } from './health/passive.ts';
import { Server } from './server.ts';
import { type Ticket, WaitingRoom } from './waiting-room.ts';

/** One client that needs a server. */
export interface Applicant {
  /** Servers that it could not connect to in this round. */
  readonly unreachable: ReadonlySet<Server>;
  /** Servers that hung up on it before their first byte. */
  readonly declinedBy: ReadonlySet<Server>;
  /** Its turn in the waiting room: `server` has a place for it. `place` is what the log tells of the queue. */
  serve(server: Server, place: number): void;
  /** A server of this backend came back: no need to wait any longer. */
  tryAgain(): void;
}

/** Servers of equal rank: backups are used when no active one is any good. */
interface Rank {
  readonly servers: readonly Server[];
  readonly balance: RoundRobin<Server>;
}

/**
 * The servers of one `backend` or `listen`, and who waits for them.
 *
 * A client walks along an order of candidates, not to a verdict: it asks `choose` again with the server that failed it marked, until one
 * serves it or none is left.
 */
export class Backend {
  readonly model: ProxySection;
  readonly servers: readonly Server[];
  readonly tally: Tally;
  readonly queue = new WaitingRoom<Applicant>();
  /** `fullconn`, or a tenth of what its frontends may bring. */
  readonly fullconn: number;
  readonly #ranks: readonly Rank[];
  readonly #pausing = new Set<Applicant>();

  constructor(model: ProxySection, options: { clock: Clock; wheel: TimerWheel; log: Log; fullconn: number }) {
    this.model = model;
    this.tally = new Tally(options.clock);
    this.fullconn = model.fullconn ?? options.fullconn;
    this.servers = model.servers.map(
      (server) =>
        new Server(server, {
          backend: model.name,
          clock: options.clock,
          wheel: options.wheel,
          log: options.log,
          onHealthChange: () => this.callNext(),
        }),
    );
    const active = this.servers.filter((s) => s.balanced && !s.model.backup);
    const backups = this.servers.filter((s) => s.balanced && s.model.backup);
    // Without `option allbackups` one backup stands in at a time, the first that works.
    const backupRanks = model.allbackups ? [backups] : backups.map((server) => [server]);
    this.#ranks = [active, ...backupRanks]
      .filter((servers) => servers.length > 0)
      .map((servers) => ({ servers, balance: new RoundRobin(servers) }));
  }

  get name(): string {
    return this.model.name;
  }

  /** False when balancing can choose none, ever: all are disabled or of weight 0. */
  get hasServers(): boolean {
    return this.#ranks.length > 0;
  }

  /**
   * The next server to try.
   *
   * @returns `'wait'` when a server that could serve it is full, `'none'` when it has tried them all
   */
  choose(applicant: Applicant): Server | 'wait' | 'none' {
    const left = (server: Server): boolean => !applicant.unreachable.has(server) && !applicant.declinedBy.has(server);
    return (
      this.#chooseAmong((server) => server.health.trusted && left(server)) ??
      this.#chooseAmong((server) => !server.health.costly && left(server)) ??
      this.#chooseAmong(left) ??
      'none'
    );
  }

  /** Lines up for a place at a full server. `first`: it was called before and could not be served. */
  wait(applicant: Applicant, first: boolean): Ticket<Applicant> {
    const ticket = first ? this.queue.enterFirst(applicant) : this.queue.enter(applicant);
    this.callNext();
    return ticket;
  }

  /** Takes a place at `server` for a session that is about to connect. */
  occupy(server: Server): void {
    server.tally.sessions.rise();
    server.tally.balanced++;
    this.tally.balanced++;
    server.health.attempt();
  }

  /** Gives the place back; `callNext` lets somebody else have it. */
  vacate(server: Server): void {
    server.tally.sessions.fall();
  }

  blame(server: Server, failure: Failure): void {
    server.health.blame(failure);
  }

  /** `server` did something right. Whoever pauses because no server worked goes on at once. */
  commend(server: Server, evidence: Evidence): void {
    const wasDown = server.health.failure !== null;
    server.health.commend(evidence);
    if (!wasDown || server.health.failure !== null) return;
    for (const applicant of [...this.#pausing]) applicant.tryAgain();
  }

  /** Between two rounds an applicant is told when a server comes back. */
  pause(applicant: Applicant): void {
    this.#pausing.add(applicant);
  }

  endPause(applicant: Applicant): void {
    this.#pausing.delete(applicant);
  }

  #chooseAmong(eligible: (server: Server) => boolean): Server | 'wait' | null {
    for (const rank of this.#ranks) {
      if (!rank.servers.some(eligible)) continue;
      return rank.balance.next((server) => eligible(server) && this.#hasRoom(server)) ?? 'wait';
    }
    return null;
  }

  /** Calls those who wait, from the front, as long as there is a place for one. */
  callNext(): void {
    for (const ticket of this.queue) {
      if (!this.servers.some((server) => server.balanced && this.#hasRoom(server))) return;
      const applicant = ticket.guest;
      const server = this.#placeFor(applicant);
      if (server !== null) applicant.serve(server, this.queue.call(ticket));
      // What nobody could give to one that has tried nothing yet, nobody could give to the next such one either.
      else if (applicant.unreachable.size === 0 && applicant.declinedBy.size === 0) return;
    }
  }

  #placeFor(applicant: Applicant): Server | null {
    const open = (server: Server): boolean => !applicant.declinedBy.has(server) && this.#hasRoom(server);
    for (const { servers } of this.#ranks) {
      const trusted = servers.filter((server) => server.health.trusted && !applicant.declinedBy.has(server));
      if (trusted.length > 0) return trusted.find(open) ?? null;
    }
    for (const { servers } of this.#ranks) {
      const found = servers.find((server) => open(server) && !applicant.unreachable.has(server));
      if (found !== undefined) return found;
    }
    return null;
  }

  #hasRoom(server: Server): boolean {
    return server.hasRoom(this.tally.sessions.value, this.fullconn);
  }
}
