import { execFileSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { delimiter, join } from 'node:path';

/** Brokers run on one core and the load generator on another, so that neither takes the other's time. */
export type Role = 'broker' | 'generator';

/** Where Debian puts servers; not on every user's PATH. */
const SERVER_FOLDERS = ['/usr/sbin', '/usr/local/sbin'];

/** The command, kept to its role's core where we may use two and there is taskset. */
export function onOwnCore(role: Role, command: readonly string[]): string[] {
  const [brokerCore, generatorCore] = parseCoreList(readAllowedCores());
  const taskset = findProgram('taskset');
  if (taskset === null || brokerCore === undefined || generatorCore === undefined) return [...command];
  return [taskset, '-c', String(role === 'broker' ? brokerCore : generatorCore), ...command];
}

/** The command, so that it waits for others on its core rather than they for it, where there is nice. */
export function atLowPriority(command: readonly string[]): string[] {
  const nice = findProgram('nice');
  return nice === null ? [...command] : [nice, '-n', '10', ...command];
}

/** The cores of a list like `0-2,5`. */
export function parseCoreList(list: string): number[] {
  return list.split(',').flatMap((part) => {
    const [first = Number.NaN, last = first] = part.split('-').map(Number);
    return Number.isNaN(first) || part === '' ? [] : Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** The cores that this process may use, which in a container need not begin at 0; empty where the system does not say. */
function readAllowedCores(): string {
  try {
    return /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '';
  } catch {
    return '';
  }
}

/** Where a program is; null where it is not installed. */
export function findProgram(name: string): string | null {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...SERVER_FOLDERS];
  return folders.map((folder) => join(folder, name)).find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** What figures of this machine mean something beside. */
export interface Machine {
  readonly date: string;
  readonly processor: string;
  readonly cores: number;
  readonly kernel: string;
  readonly node: string;
  readonly mosquitto: string;
  /** Programs that wanted a core in the last minute. Above 0.2 or so before a run, others use the machine too. */
  readonly loadAverage: number;
}

export function describeMachine(): Machine {
  return {
    date: new Date().toISOString(),
    loadAverage: loadavg()[0]!,
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    kernel: release(),
    node: process.versions.node,
    mosquitto: mosquittoVersion(),
  };
}

function mosquittoVersion(): string {
  const program = findProgram('mosquitto');
  if (program === null) return 'none';
  try {
    return execFileSync(program, ['-h'], { encoding: 'utf8' }).split('\n')[0] ?? 'unknown';
  } catch (error) {
    // It prints its help and ends with 3.
    return String((error as { stdout?: string }).stdout ?? 'unknown').split('\n')[0]!;
  }
}
