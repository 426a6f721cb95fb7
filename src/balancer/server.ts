import type { Server as ServerModel } from '../config/haproxy/model.ts';
import type { Log } from '../telemetry/log.ts';
import type { Clock } from '../timing/clock.ts';
import type { TimerWheel } from '../timing/timer-wheel.ts';
import { Tally } from './counters.ts';
import { PassiveHealth } from './health/passive.ts';

/** One `server` line, alive: where it is, how it does, what it has served. */
export class Server {
  readonly model: ServerModel;
  readonly backend: string;
  readonly tally: Tally;
  readonly health: PassiveHealth;
  /** The address that connections go to; known once the balancer has started. */
  address: string;

  constructor(model: ServerModel, options: { backend: string; clock: Clock; wheel: TimerWheel; log: Log; onHealthChange: () => void }) {
    this.model = model;
    this.backend = options.backend;
    this.address = model.host;
    this.tally = new Tally(options.clock);
    const names = { backend: options.backend, server: model.name };
    this.health = new PassiveHealth({
      clock: options.clock,
      wheel: options.wheel,
      onChange: options.onHealthChange,
      onFailing: (failure) => options.log.warn('server fails: it is tried last until it works again', { ...names, failure }),
      onWorking: () => options.log.info('server works again', names),
    });
  }

  get name(): string {
    return this.model.name;
  }

  get weight(): number {
    return this.model.weight;
  }

  /** The most sessions at a time; 0: no limit. */
  get maxconn(): number {
    return this.model.maxconn === 0 ? this.model.minconn : this.model.maxconn;
  }

  /** False for one that gets no new session by balancing: `disabled`, or weight 0. */
  get balanced(): boolean {
    return !this.model.disabled && this.model.weight > 0;
  }

  /**
   * Whether one more session may go there. With `minconn` the limit grows with the backend's load, from `minconn` when it is idle to
   * `maxconn` at `fullconn` sessions.
   */
  hasRoom(backendSessions: number, fullconn: number): boolean {
    const { maxconn } = this;
    if (maxconn === 0) return true;
    const { minconn } = this.model;
    const limit =
      minconn === 0 || minconn >= maxconn || backendSessions >= fullconn
        ? maxconn
        : Math.max(minconn, Math.floor((backendSessions * maxconn) / fullconn));
    return this.tally.sessions.value < limit;
  }
}
