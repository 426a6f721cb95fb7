import type { SupervisedProcess } from './supervised-process.ts';

/**
 * Several supervised processes as one: all up or none, and one stop for all.
 *
 * Brokers start first and stop first. So a balancer has brokers from its first client on, and at the end brokers can still tell their
 * clients through it that they go.
 */
export class Supervisor {
  readonly #brokers: readonly SupervisedProcess[];
  readonly #balancers: readonly SupervisedProcess[];
  #stopping = false;

  constructor(processes: readonly SupervisedProcess[]) {
    this.#brokers = processes.filter(({ job }) => job.kind === 'broker');
    this.#balancers = processes.filter(({ job }) => job.kind === 'balancer');
  }

  /** @throws what the first process that cannot start could not have; all others have stopped then */
  async start(): Promise<void> {
    for (const group of [this.#brokers, this.#balancers]) {
      if (this.#stopping) return;
      const results = await Promise.allSettled(group.map((process) => process.start()));
      const failed = results.find((result) => result.status === 'rejected');
      if (failed === undefined) continue;
      await this.stop();
      throw failed.reason;
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    for (const group of [this.#brokers, this.#balancers]) await Promise.all(group.map((process) => process.stop()));
  }

  renewCertificates(): void {
    for (const process of this.#brokers) process.renewCertificates();
  }

  /** Ends all at once and for good. */
  kill(): void {
    this.#stopping = true;
    for (const process of [...this.#brokers, ...this.#balancers]) process.kill();
  }
}
