import type { LogTarget } from '../config/haproxy/model.ts';
import type { Log } from '../telemetry/log.ts';
import type { Clock } from '../timing/clock.ts';
import { formatIsoDate, formatSyslogDate } from './log-format.ts';
import { DescriptorSink, type LogSink, UdpSink, UnixDatagramSink } from './log-sink.ts';

/** Severities, RFC 5424 table 2. */
export const ALERT = 1;
export const WARNING = 4;
export const NOTICE = 5;
export const INFO = 6;

/** The program's name in a line unless `log-tag` says otherwise: syslog rules written for HAProxy go on matching. */
const DEFAULT_TAG = 'haproxy';

/** Where the lines of one proxy go. */
export interface ProxyLog {
  /** False when nobody would see a line: then none need be made. */
  readonly enabled: boolean;
  /** Sends `text` to each target whose `max` level lets it pass. */
  send(level: number, text: string): void;
}

/**
 * All places that log lines go to. Proxies that name the same place share one socket.
 * A place that is absent or slow loses lines, never holds up a connection.
 */
export class Syslog {
  readonly #clock: Clock;
  readonly #tag: string;
  readonly #log: Log;
  readonly #sinks = new Map<string, LogSink>();

  constructor(options: { clock: Clock; tag: string | null; log: Log }) {
    this.#clock = options.clock;
    this.#tag = options.tag ?? DEFAULT_TAG;
    this.#log = options.log;
  }

  /** @param mapAddress lets one machine stand in for another */
  open(targets: readonly LogTarget[], mapAddress: (host: string) => string): ProxyLog {
    const outlets = targets.map((target) => ({ target, sink: this.#sink(target, mapAddress) }));
    return {
      enabled: outlets.length > 0,
      send: (level, text) => {
        for (const { target, sink } of outlets) {
          if (level > target.maxLevel) continue;
          sink.send(frame(target, Math.max(level, target.minLevel), text, this.#clock.wallMs(), this.#tag));
        }
      },
    };
  }

  /** Resolves when what was sent so far is written or lost. */
  async close(): Promise<void> {
    const sinks = [...this.#sinks.values()];
    this.#sinks.clear();
    await Promise.all(sinks.map((sink) => sink.close()));
  }

  #sink(target: LogTarget, mapAddress: (host: string) => string): LogSink {
    const key = `${target.kind} ${target.address} ${target.port}`;
    const known = this.#sinks.get(key);
    if (known !== undefined) return known;
    const sink = openSink(target, mapAddress, this.#log);
    this.#sinks.set(key, sink);
    return sink;
  }
}

function openSink(target: LogTarget, mapAddress: (host: string) => string, log: Log): LogSink {
  switch (target.kind) {
    case 'udp':
      return new UdpSink(mapAddress(target.address), target.port, log);
    case 'unix':
      return new UnixDatagramSink(target.address, log);
    case 'stdout':
      return new DescriptorSink(1, log);
    case 'stderr':
      return new DescriptorSink(2, log);
    case 'fd':
      return new DescriptorSink(Number(target.address), log);
  }
}

/**
 * One line in the target's format, with its line feed, as HAProxy frames it. Manual, section 3.1, `log`: "format".
 * Longer ones are cut to the target's `len`.
 */
export function frame(target: LogTarget, level: number, text: string, wallMs: number, tag: string): Buffer {
  const line = Buffer.from(`${header(target, level, wallMs, tag)}${text}`, 'utf8');
  // On a descriptor the line feed counts, in a datagram it does not.
  const lengthMax = target.kind === 'udp' || target.kind === 'unix' ? target.lengthMax : target.lengthMax - 1;
  return Buffer.concat([line.length > lengthMax ? line.subarray(0, lengthMax) : line, LINE_FEED]);
}

const LINE_FEED = Buffer.from('\n');

function header(target: LogTarget, level: number, wallMs: number, tag: string): string {
  const priority = target.facility * 8 + level;
  switch (target.format) {
    case 'raw':
      return '';
    case 'short':
      return `<${level}>`;
    case 'priority':
      return `<${priority}>`;
    case 'timed':
      return `<${level}>${formatIsoDate(wallMs)} `;
    case 'iso':
      return `${formatIsoDate(wallMs)} `;
    case 'local':
      return `<${priority}>${formatSyslogDate(wallMs)} ${tag}[${process.pid}]: `;
    case 'rfc3164':
      return `<${priority}>${formatSyslogDate(wallMs)} localhost ${tag}[${process.pid}]: `;
    case 'rfc5424':
      return `<${priority}>1 ${formatIsoDate(wallMs)} - ${tag} ${process.pid} - - `;
  }
}
