import { performance } from 'node:perf_hooks';
import { cpuSecondsOf } from './process-usage.ts';

/** How long something took that the generator did. */
export interface Step {
  /** Of what was done: connects, subscriptions, messages. */
  readonly count: number;
  readonly seconds: number;
  /** Share of one core that the generator itself used. */
  readonly generatorCpu: number;
  /** Processor seconds that the broker used; null where it could not be measured. */
  readonly brokerCpuSeconds: number | null;
}

/** Does something `count` times over, and tells what it took. */
export async function takeStep(count: number, brokerPid: number, action: () => Promise<void>): Promise<Step> {
  const brokerBefore = cpuSecondsOf(brokerPid);
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  await action();
  const seconds = (performance.now() - startMs) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  const brokerAfter = cpuSecondsOf(brokerPid);
  return {
    count,
    seconds,
    generatorCpu: (cpu.user + cpu.system) / 1e6 / seconds,
    brokerCpuSeconds: brokerBefore === null || brokerAfter === null ? null : brokerAfter - brokerBefore,
  };
}
