import type { BrokerModel, UsageModel } from '../config/activemq/model.ts';
import type { UsageName } from '../core/limits.ts';
import type { UsageLimits } from '../core/usage.ts';
import type { Log } from '../telemetry/log.ts';

/** The share of the usable memory that a limit larger than all of it is lowered to, in percent: ActiveMQ's. */
const MEMORY_PERCENT = 70;

/** What the machine has for a broker, in bytes. */
export interface MachineSpace {
  /** Of memory, for this process. */
  readonly memoryBytes: number;
  /** Of the disk that the broker's files are on; null: the system does not say, or there are no files. */
  readonly disk: { readonly totalBytes: number; readonly freeBytes: number } | null;
  /** Bytes that the store has on that disk already. */
  readonly storeBytes: number;
}

/**
 * The limits of `<systemUsage>` in bytes, lowered to what there is, which the log says.
 *
 * `percentOfJvmHeap` is a share of the memory that this process may use, the machine's or its container's: most of a message's bytes are not in
 * the heap of Node's V8, whose limit therefore says nothing about them.
 */
export function usageLimitsOf(
  { systemUsage, file }: Pick<BrokerModel, 'systemUsage' | 'file'>,
  space: MachineSpace,
  log: Log,
): UsageLimits {
  const { memoryUsage, storeUsage, tempUsage, sendFailIfNoSpace, sendFailIfNoSpaceAfterTimeoutMs } = systemUsage;
  const lowered = (name: UsageName, asked: number, there: number, to: number): number => {
    if (asked <= there || asked === Number.POSITIVE_INFINITY) return asked;
    log.warn('a limit of systemUsage is larger than what there is, and is lowered', { file, limit: name, asked, there, limitBytes: to });
    return to;
  };
  const memoryThere = space.memoryBytes;
  const diskBytes = (usage: UsageModel, name: UsageName, own: number): number => {
    const asked = bytesOf(usage, usage.percentLimit, space.disk?.totalBytes ?? Number.POSITIVE_INFINITY);
    if (space.disk === null) return asked;
    const there = space.disk.freeBytes + own;
    return lowered(name, asked, there, there);
  };
  return {
    memoryBytes: lowered(
      'memoryUsage',
      bytesOf(memoryUsage, memoryUsage.percentOfJvmHeap, memoryThere),
      memoryThere,
      Math.floor((memoryThere * MEMORY_PERCENT) / 100),
    ),
    storeBytes: diskBytes(storeUsage, 'storeUsage', space.storeBytes),
    tempBytes: diskBytes(tempUsage, 'tempUsage', 0),
    sendFailIfNoSpace,
    sendFailIfNoSpaceAfterTimeoutMs,
  };
}

/** Infinity: no limit. */
function bytesOf({ limitBytes }: UsageModel, percent: number | null, whole: number): number {
  if (percent !== null) return Math.floor((whole * percent) / 100);
  return limitBytes ?? Number.POSITIVE_INFINITY;
}
