import { setTimeout as sleep } from 'node:timers/promises';
import { crowdFilters } from './fleet.ts';
import { SUBACK, subscribeFrame, worstReasonOf } from './frames.ts';
import { forEachConcurrently } from './load.ts';
import { answer, LoadConnection, type LoadConnectionOwner, type Target } from './load-connection.ts';
import { type Step, takeStep } from './step.ts';

export interface CrowdOptions {
  readonly host: string;
  readonly port: number;
  readonly clients: number;
  /** Seconds. */
  readonly keepAliveS: number;
  /** The broker's process, to measure what it uses meanwhile; 0: none. */
  readonly brokerPid: number;
}

/** Filters of one SUBSCRIBE. */
const FILTERS_PER_PACKET = 50;

/** Many clients that connect, may subscribe, and then are just there. */
export class Crowd {
  readonly #options: CrowdOptions;
  readonly #members: readonly Member[];
  #pings: NodeJS.Timeout | null = null;
  #pinged = 0;

  constructor(options: CrowdOptions) {
    this.#options = options;
    this.#members = Array.from({ length: options.clients }, () => new Member());
  }

  /** Connections that the broker closed. */
  get closed(): number {
    return this.#members.filter((member) => member.isCut).length;
  }

  /** Connects everybody; all stay connected until {@link leave}. */
  connect(): Promise<Step> {
    const { host, port, clients, keepAliveS } = this.#options;
    const target: Target = { host, port, version: 4 };
    return this.#step(clients, async () => {
      await forEachConcurrently(this.#members, (member, index) => member.open(target, `crowd-${process.pid}-${index}`, keepAliveS));
      this.#startPings();
    });
  }

  /** Everybody subscribes to so many filters of the fleet, several in a SUBSCRIBE. */
  subscribe(perClient: number): Promise<Step> {
    return this.#step(perClient * this.#options.clients, () =>
      forEachConcurrently(this.#members, async (member, index) => {
        const filters = crowdFilters(index, perClient);
        for (let at = 0; at < filters.length; at += FILTERS_PER_PACKET) await member.subscribe(filters.slice(at, at + FILTERS_PER_PACKET));
      }),
    );
  }

  async leave(): Promise<void> {
    if (this.#pings !== null) clearInterval(this.#pings);
    await forEachConcurrently(this.#members, (member) => member.close());
  }

  async #step(count: number, action: () => Promise<void>): Promise<Step> {
    // What the broker still does about an earlier step is not this one's.
    await sleep(PAUSE_MS);
    return takeStep(count, this.#options.brokerPid, action);
  }

  /** A PINGREQ from everybody in each half of the keep alive time, spread over it. */
  #startPings(): void {
    if (this.#options.keepAliveS === 0) return;
    const ticks = (this.#options.keepAliveS * 1000) / 2 / PING_TICK_MS;
    const perTick = Math.ceil(this.#members.length / ticks);
    this.#pings = setInterval(() => {
      for (let i = 0; i < perTick; i++) this.#members[this.#pinged++ % this.#members.length]!.ping();
    }, PING_TICK_MS);
  }
}

/** Milliseconds of quiet before a step that is measured. */
const PAUSE_MS = 200;

/** Milliseconds between the crowd's pings, each of which a few members send. */
const PING_TICK_MS = 100;

class Member implements LoadConnectionOwner {
  isCut = false;
  #connection: LoadConnection | null = null;
  #onSuback: (reason: number) => void = () => {};

  async open(target: Target, clientId: string, keepAliveS: number): Promise<void> {
    this.#connection = await LoadConnection.open(target, { clientId, clean: true, keepAliveS }, this);
  }

  subscribe(filters: readonly string[]): Promise<void> {
    return answer<void>('SUBACK', (resolve, reject) => {
      this.#onSuback = (reason) => {
        if (reason < 0x80) resolve();
        else
          reject(
            new Error(`the broker refused one of ${filters.length} subscriptions from ${filters[0]} on: SUBACK 0x${reason.toString(16)}`),
          );
      };
      this.#connection!.write(subscribeFrame(filters, 4, 0));
    });
  }

  ping(): void {
    if (!this.isCut) this.#connection!.ping();
  }

  async close(): Promise<void> {
    await this.#connection?.close();
  }

  onRead(): void {}

  onFrame(first: number, bytes: Uint8Array, start: number, end: number): void {
    if (first >> 4 === SUBACK) this.#onSuback(worstReasonOf(bytes, start, end, 4));
  }

  onTurnEnd(): void {}

  onClose(): void {
    this.isCut = true;
  }
}
