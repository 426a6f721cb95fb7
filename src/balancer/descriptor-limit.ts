import { readFileSync } from 'node:fs';

/** Listening sockets, log sockets, and what Node itself holds open. */
const RESERVED_DESCRIPTORS = 64;
/** A session is two sockets: client and server. */
const DESCRIPTORS_PER_SESSION = 2;
/** Accepted connections that wait for a free place, as they would in the kernel's backlog: Linux's default `tcp_max_syn_backlog`. */
const WAITING_MAX = 1_024;
/** Of a small limit at most this part goes to connections that wait. */
const WAITING_SHARE = 1 / 8;
/** "Unlimited" ends at Linux's `fs.nr_open`. */
const DESCRIPTORS_UNLIMITED = 1_048_576;
/** What HAProxy takes when neither `maxconn` nor a limit is set, and what we do where limits cannot be read. */
const DESCRIPTORS_UNKNOWN = 20_000;

export interface Capacity {
  /** Sessions at a time, for the whole process. */
  readonly maxconn: number;
  /** Accepted connections that may wait for one of them to end. */
  readonly waiting: number;
  readonly descriptors: number;
  /** Descriptors that the configured `maxconn` would take; more than there are when `maxconn` was lowered. */
  readonly needed: number;
}

/**
 * How many connections the process can hold with the descriptors it has. A configured limit beyond that is lowered rather than refused:
 * ten thousand promised and nine thousand served beats nothing at all.
 *
 * @param maxconn    `global maxconn`; null for as many as there are descriptors for
 * @param descriptors the process's limit
 */
export function capacity(maxconn: number | null, descriptors: number): Capacity {
  const waiting = Math.max(1, Math.min(WAITING_MAX, Math.floor(descriptors * WAITING_SHARE)));
  const possible = Math.max(1, Math.floor((descriptors - RESERVED_DESCRIPTORS - waiting) / DESCRIPTORS_PER_SESSION));
  const wanted = maxconn === null || maxconn === 0 ? possible : maxconn;
  const needed = wanted * DESCRIPTORS_PER_SESSION + RESERVED_DESCRIPTORS + waiting;
  return { maxconn: Math.min(wanted, possible), waiting, descriptors, needed };
}

/** The process's own limit on open files. Node raises the soft limit to the hard one when it starts, so the soft one counts. */
export function descriptorLimit(readLimits: () => string = () => readFileSync('/proc/self/limits', 'utf8')): number {
  let text: string;
  try {
    text = readLimits();
  } catch {
    return DESCRIPTORS_UNKNOWN;
  }
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(text)?.[1];
  if (soft === undefined) return DESCRIPTORS_UNKNOWN;
  return soft === 'unlimited' ? DESCRIPTORS_UNLIMITED : Number(soft);
}
