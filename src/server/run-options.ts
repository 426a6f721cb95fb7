import type { LogLevel } from '../telemetry/log.ts';
import type { AddressPair } from './address-map.ts';

/** What a command line says besides its files. */
export interface RunOptions {
  /** `-D name=value`: placeholders of activemq.xml. */
  readonly definitions: ReadonlyMap<string, string>;
  /** `--map-address A=B`. */
  readonly addressPairs: readonly AddressPair[];
  readonly logLevel: LogLevel;
  readonly logJson: boolean;
}
