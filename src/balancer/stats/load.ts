import { performance } from 'node:perf_hooks';
import type { Balancer } from '../balancer.ts';
import type { PageOptions } from './page.ts';

/** Two looks within this time, in milliseconds, see the same figures: over less they mean nothing. */
const INTERVAL_MIN_MS = 500;

/** Counting bits and idle time costs the data path nothing: each look compares with the one before. */
export function loadSinceLastLook(balancer: Balancer): PageOptions['load'] {
  let lookedAtMs = balancer.clock.monotonicMs();
  let bytes = 0;
  let utilization = performance.eventLoopUtilization();
  let seen = { bitsPerSecond: 0, idlePercent: 100 };
  return () => {
    const nowMs = balancer.clock.monotonicMs();
    const elapsedMs = nowMs - lookedAtMs;
    if (elapsedMs < INTERVAL_MIN_MS) return seen;
    const bytesNow = balancer.frontends.reduce((sum, { tally }) => sum + tally.bytesOut, 0);
    const utilizationNow = performance.eventLoopUtilization();
    const { idle, active } = performance.eventLoopUtilization(utilizationNow, utilization);
    seen = {
      bitsPerSecond: ((bytesNow - bytes) * 8 * 1_000) / elapsedMs,
      idlePercent: idle + active === 0 ? 100 : (idle / (idle + active)) * 100,
    };
    lookedAtMs = nowMs;
    bytes = bytesNow;
    utilization = utilizationNow;
    return seen;
  };
}
