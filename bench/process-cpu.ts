import { readFileSync } from 'node:fs';

/** Clock ticks a second in /proc: USER_HZ, 100 wherever Node runs on Linux. */
const TICKS_PER_SECOND = 100;

/** Places of utime and stime behind the command's name in /proc/PID/stat. proc(5). */
const UTIME_FIELD = 11;
const STIME_FIELD = 12;

/**
 * Processor time that a process and its living descendants have used so far, in seconds, in steps of 10 ms.
 *
 * @param pid 0: none
 * @returns null where there is no such process or no /proc
 */
export function cpuSecondsOf(pid: number): number | null {
  if (pid === 0) return null;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name stands in parentheses and may itself contain spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const own = (Number(fields[UTIME_FIELD]) + Number(fields[STIME_FIELD])) / TICKS_PER_SECOND;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
    return children === '' ? own : own + children.split(' ').reduce((sum, child) => sum + (cpuSecondsOf(Number(child)) ?? 0), 0);
  } catch {
    return null;
  }
}
