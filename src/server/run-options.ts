import type { LogLevel } from '../telemetry/log.ts';
import type { AddressPair } from './address-map.ts';

/** How files are read. */
export interface ReadOptions {
  /** `-D name=value`: placeholders of activemq.xml. */
  readonly definitions: ReadonlyMap<string, string>;
  /** `--map-address A=B`. */
  readonly addressPairs: readonly AddressPair[];
}

/** What a command line says besides its files. */
export interface RunOptions extends ReadOptions {
  readonly logLevel: LogLevel;
  readonly logJson: boolean;
}
