import type { BrokerModel, UsageModel } from '../config/activemq/model.ts';
import type { UsageName } from '../core/limits.ts';
import type { Usage, UsageLimits } from '../core/usage.ts';
import { type Log, silentLog } from '../telemetry/log.ts';
import { diskSpace, usableMemoryBytes } from './machine.ts';
import { storedBytes } from './open-store.ts';

/** The share of the usable memory that a limit larger than all of it is lowered to, in percent: ActiveMQ's. */
const MEMORY_PERCENT = 70;

/** Between two looks at whether a disk that was too small for a limit has more space now, in milliseconds. */
const LOOK_MS = 5_000;

/** A limit is raised when this share of it is new: what comes and goes on any disk changes nothing. */
const RAISE_SHARE_MIN = 1 / 10;

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

/**
 * Fits the limits of `<systemUsage>` to the machine as the broker starts. Those that the disk was too small or too full for rise again when
 * it has space: what is refused for want of it must not be refused until the next start.
 */
export class FittedLimits {
  readonly #model: BrokerModel;
  readonly #usage: Usage;
  readonly #log: Log;
  #timer: NodeJS.Timeout | null = null;
  #isLooking = false;

  constructor(model: BrokerModel, usage: Usage, log: Log) {
    this.#model = model;
    this.#usage = usage;
    this.#log = log;
  }

  /** @param path the store's folder; null: there is none. @throws Node's errors */
  async start(path: string | null): Promise<void> {
    const space = await spaceFor(path);
    const limits = usageLimitsOf(this.#model, space, this.#log);
    this.#usage.limits = limits;
    if (path === null || space.disk === null) return;
    const boundless = { ...space, disk: { ...space.disk, freeBytes: Number.POSITIVE_INFINITY } };
    const asked = usageLimitsOf(this.#model, boundless, silentLog);
    if (limits.storeBytes === asked.storeBytes && limits.tempBytes === asked.tempBytes) return;
    this.#timer = setInterval(() => void this.#look(path), LOOK_MS).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  async #look(path: string): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const { storeBytes, tempBytes } = usageLimitsOf(this.#model, await spaceFor(path), silentLog);
      if (this.#timer !== null) this.#raise(storeBytes, tempBytes);
    } catch (error) {
      this.#log.debug('it is not known what space the disk has', { path, reason: (error as Error).message });
    }
    this.#isLooking = false;
  }

  #raise(storeBytes: number, tempBytes: number): void {
    const { limits } = this.#usage;
    const raised = { ...limits, storeBytes: higher(limits.storeBytes, storeBytes), tempBytes: higher(limits.tempBytes, tempBytes) };
    if (raised.storeBytes === limits.storeBytes && raised.tempBytes === limits.tempBytes) return;
    this.#usage.limits = raised;
    this.#log.info('limits of systemUsage that were lowered rise: the disk has more space', {
      file: this.#model.file,
      storeUsage: raised.storeBytes,
      tempUsage: raised.tempBytes,
    });
  }
}

async function spaceFor(path: string | null): Promise<MachineSpace> {
  return {
    memoryBytes: usableMemoryBytes(),
    disk: path === null ? null : await diskSpace(path),
    storeBytes: path === null ? 0 : storedBytes(path),
  };
}

function higher(limit: number, possible: number): number {
  return possible > limit * (1 + RAISE_SHARE_MIN) ? possible : limit;
}
