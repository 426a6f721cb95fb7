import type { Limits } from '../core/limits.ts';
import type { LogLevel } from '../telemetry/log.ts';
import type { AddressPair } from './address-map.ts';

/** How files are read. */
export interface ReadOptions {
  /** `-D name=value`: placeholders of activemq.xml. */
  readonly definitions: ReadonlyMap<string, string>;
  /** `--map-address A=B`. */
  readonly addressPairs: readonly AddressPair[];
  /** `--limit name=value`, for every broker. */
  readonly limits: Partial<Limits>;
}

/** What a command line says besides its files. */
export interface RunOptions extends ReadOptions {
  /** `--sys-interval seconds`. */
  readonly sysIntervalSeconds: number;
  readonly logLevel: LogLevel;
  readonly logJson: boolean;
}
