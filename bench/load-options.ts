import { isIPv4 } from 'node:net';
import type { ParseArgsConfig } from 'node:util';
import type { ProtocolVersion, Qos } from './frames.ts';
import type { LoadMode, LoadOptions } from './load.ts';

/** The generator's command line, for `parseArgs`. */
export const loadArguments = {
  host: { type: 'string', default: '127.0.0.1' },
  port: { type: 'string', default: '1883' },
  'subscriber-port': { type: 'string' },
  mode: { type: 'string', default: 'pair' },
  prefix: { type: 'string', default: 'load' },
  publishers: { type: 'string', default: '1' },
  subscribers: { type: 'string', default: '1' },
  qos: { type: 'string', default: '0' },
  payload: { type: 'string', default: '64' },
  window: { type: 'string', default: '100' },
  protocol: { type: 'string', default: '4' },
  'user-properties': { type: 'string', default: '0' },
  topics: { type: 'string', default: '1' },
  persistent: { type: 'boolean', default: false },
  rate: { type: 'string', default: '0' },
  warmup: { type: 'string', default: '1' },
  seconds: { type: 'string', default: '3' },
  'broker-pid': { type: 'string', default: '0' },
} satisfies ParseArgsConfig['options'];

interface Values {
  readonly [name: string]: string | boolean | undefined;
  readonly host?: string;
  readonly persistent?: boolean;
}

/** Largest payload, in bytes, which with its topic fits into one packet. MQTT 5.0 section 1.5.5. */
const PAYLOAD_MAX = 268_000_000;

/** Largest process id of Linux: PID_MAX_LIMIT. */
export const PID_MAX = 4_194_304;

/** @throws Error that names the argument, what was expected and what came */
export function parseLoadOptions(values: Values): LoadOptions {
  const port = wholeNumber(values, 'port', 1, 65_535);
  return {
    host: addressOf(values),
    port,
    subscriberPort: values['subscriber-port'] === undefined ? port : wholeNumber(values, 'subscriber-port', 1, 65_535),
    mode: oneOf<LoadMode>(values, 'mode', ['pair', 'fanout', 'fanin', 'fleet']),
    prefix: levelName(values, 'prefix'),
    publishers: wholeNumber(values, 'publishers', 1, 100_000),
    subscribers: wholeNumber(values, 'subscribers', 1, 100_000),
    qos: Number(oneOf(values, 'qos', ['0', '1', '2'])) as Qos,
    payloadBytes: wholeNumber(values, 'payload', 0, PAYLOAD_MAX),
    window: wholeNumber(values, 'window', 1, 1_000_000),
    version: Number(oneOf(values, 'protocol', ['4', '5'])) as ProtocolVersion,
    userProperties: wholeNumber(values, 'user-properties', 0, 1_000),
    topics: wholeNumber(values, 'topics', 1, 1_000_000),
    persistent: values.persistent === true,
    rate: positiveNumber(values, 'rate'),
    warmupSeconds: positiveNumber(values, 'warmup'),
    seconds: positiveNumber(values, 'seconds'),
    brokerPid: wholeNumber(values, 'broker-pid', 0, PID_MAX),
  };
}

/** The command line that {@link parseLoadOptions} reads as these options. */
export function formatLoadOptions(options: LoadOptions): string[] {
  return [
    `--host=${options.host}`,
    `--port=${options.port}`,
    `--subscriber-port=${options.subscriberPort}`,
    `--mode=${options.mode}`,
    `--prefix=${options.prefix}`,
    `--publishers=${options.publishers}`,
    `--subscribers=${options.subscribers}`,
    `--qos=${options.qos}`,
    `--payload=${options.payloadBytes}`,
    `--window=${options.window}`,
    `--protocol=${options.version}`,
    `--user-properties=${options.userProperties}`,
    `--topics=${options.topics}`,
    ...(options.persistent ? ['--persistent'] : []),
    `--rate=${options.rate}`,
    `--warmup=${options.warmupSeconds}`,
    `--seconds=${options.seconds}`,
    `--broker-pid=${options.brokerPid}`,
  ];
}

/** @throws Error that names the argument, what was expected and what came */
export function wholeNumber(values: Values, name: string, min: number, max: number): number {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new Error(`--${name}: expected a whole number from ${min} to ${max}, got "${values[name]}"`);
}

function positiveNumber(values: Values, name: string): number {
  const value = Number(values[name]);
  if (Number.isFinite(value) && value >= 0) return value;
  throw new Error(`--${name}: expected a number, 0 or more, got "${values[name]}"`);
}

/** @throws Error that says what was expected and what came */
export function addressOf({ host }: Values): string {
  if (host !== undefined && isIPv4(host)) return host;
  throw new Error(`--host: expected an address of IPv4, got "${host}"`);
}

function levelName(values: Values, name: string): string {
  const value = String(values[name]);
  if (/^[^/+#$]+$/.test(value)) return value;
  throw new Error(`--${name}: expected a topic level without wildcards, got "${value}"`);
}

function oneOf<T extends string>(values: Values, name: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === values[name]);
  if (found !== undefined) return found;
  throw new Error(`--${name}: expected ${choices.join(', ')}, got "${values[name]}"`);
}
