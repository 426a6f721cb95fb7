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
  return sumOverFamily(pid, (member) => {
    const stat = readFileSync(`/proc/${member}/stat`, 'latin1');
    // The name stands in parentheses and may itself contain spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[UTIME_FIELD]) + Number(fields[STIME_FIELD])) / TICKS_PER_SECOND;
  });
}

/**
 * Memory of a process and its living descendants that is resident now, in bytes.
 *
 * @param pid 0: none
 * @returns null where there is no such process or no /proc
 */
export function residentBytesOf(pid: number): number | null {
  return sumOverFamily(pid, (member) => {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${member}/status`, 'latin1'))?.[1];
    if (kilobytes === undefined) throw new Error(`/proc/${member}/status has no VmRSS`);
    return Number(kilobytes) * 1024;
  });
}

/**
 * Bytes that a process and its living descendants have given to write() and its kin so far: to files, sockets and whatever else.
 *
 * @param pid 0: none
 * @returns null where there is no such process or no /proc
 */
export function writtenBytesOf(pid: number): number | null {
  return sumOverFamily(pid, (member) => {
    const bytes = /^wchar: (\d+)$/m.exec(readFileSync(`/proc/${member}/io`, 'latin1'))?.[1];
    if (bytes === undefined) throw new Error(`/proc/${member}/io has no wchar`);
    return Number(bytes);
  });
}

function sumOverFamily(pid: number, read: (member: number) => number): number | null {
  if (pid === 0) return null;
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
    const descendants = children === '' ? [] : children.split(' ').map((child) => sumOverFamily(Number(child), read) ?? 0);
    return descendants.reduce((sum, value) => sum + value, read(pid));
  } catch {
    return null;
  }
}
