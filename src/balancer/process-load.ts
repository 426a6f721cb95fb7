import type { Clock } from '../timing/clock.ts';
import { Gauge, Rate } from './counters.ts';

/**
 * Connections to the statistics beyond `global maxconn`. A proxy that is full is when an operator wants to look; HAProxy keeps him waiting
 * with everybody else.
 */
const STATISTICS_EXTRA = 16;

/** What all frontends share: the limit of the process, and the counts at the top of the statistics page. */
export class ProcessLoad {
  readonly connections = new Gauge();
  readonly connectionRate: Rate;
  connectionsTotal = 0;
  readonly maxconn: number;
  /** Accepted connections that may wait for room, and how many do. */
  readonly waitingMax: number;
  waiting = 0;

  constructor(options: { clock: Clock; maxconn: number; waitingMax: number }) {
    this.connectionRate = new Rate(options.clock);
    this.maxconn = options.maxconn;
    this.waitingMax = options.waitingMax;
  }

  hasRoom(forStatistics: boolean): boolean {
    return this.connections.value < this.maxconn + (forStatistics ? STATISTICS_EXTRA : 0);
  }

  enter(): void {
    this.connections.rise();
    this.connectionsTotal++;
    this.connectionRate.count();
  }

  leave(): void {
    this.connections.fall();
  }
}
