import type { BrokerModel } from '../config/activemq/model.ts';
import type { ProxyModel } from '../config/haproxy/model.ts';
import type { Limits } from '../core/limits.ts';
import type { LogLevel } from '../telemetry/log.ts';
import type { AddressPair } from './address-map.ts';

/** The fact that names the process in each of a child's log lines. */
export const PROCESS_FACT = 'process';
/** How long a child may take to stop cleanly, in milliseconds; it is killed then. */
export const STOP_WAIT_MS = 10_000;

/**
 * What `roundhouse up` and its children say to each other over the IPC channel. The parent has read the files, so that a child restarts
 * without them: a file that is being edited cannot keep a crashed broker down.
 */
export type ToChild = { readonly type: 'run'; readonly job: Job } | { readonly type: 'stop' } | { readonly type: 'renewCertificates' };

export type FromChild =
  | { readonly type: 'started' }
  /** It could not start, with the code and message of a CodedError; the child ends by itself. */
  | { readonly type: 'failed'; readonly code: string; readonly message: string };

export type Job = BrokerJob | BalancerJob;

interface JobBase {
  /** Unique among the children: prefix of their log lines, name of a data sub-folder. */
  readonly name: string;
  readonly addressPairs: readonly AddressPair[];
  readonly logLevel: LogLevel;
}

export interface BrokerJob extends JobBase {
  readonly kind: 'broker';
  readonly model: BrokerModel;
  readonly limits: Partial<Limits>;
  readonly sysIntervalSeconds: number;
}

export interface BalancerJob extends JobBase {
  readonly kind: 'balancer';
  readonly model: ProxyModel;
}
