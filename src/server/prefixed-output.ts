import { createLogRenderer } from '../telemetry/log.ts';
import { PROCESS_FACT } from './child-messages.ts';
import { type Colour, paint } from './terminal-colours.ts';

/** Colours of the names, in turn. */
const COLOURS: readonly Colour[] = ['cyan', 'yellow', 'green', 'magenta', 'blue'];

export interface PrefixedOutputOptions {
  readonly names: readonly string[];
  /** Log lines stay the JSON that they are, which names its process itself. */
  readonly json: boolean;
  readonly colours: boolean;
  write(stream: 'stdout' | 'stderr', text: string): void;
}

/**
 * Puts the lines of several processes on one screen, each behind the name of its process:
 *
 *     activemq-1 | [18:40:00.000] INFO: connector listens {"connector":"mqtt","address":"127.0.0.1:1883"}
 *     haproxy    | ...
 */
export class PrefixedOutput {
  readonly #options: PrefixedOutputOptions;
  readonly #prefixes = new Map<string, string>();
  readonly #render: (jsonLine: string) => string;

  constructor(options: PrefixedOutputOptions) {
    this.#options = options;
    const width = Math.max(0, ...options.names.map((name) => name.length));
    for (const [i, name] of options.names.entries()) {
      const prefix = `${name.padEnd(width)} |`;
      this.#prefixes.set(name, options.colours ? paint(COLOURS[i % COLOURS.length]!, prefix) : prefix);
    }
    this.#render = options.json ? (line) => line : createLogRenderer({ colorize: options.colours, leaveOut: PROCESS_FACT });
  }

  /** One line of one process. What is not a log line (a stack trace, HAProxy's own lines) is passed on as it is. */
  line(name: string, stream: 'stdout' | 'stderr', line: string): void {
    const text = stream === 'stderr' && line.startsWith('{') ? this.#render(line) : line;
    this.#options.write(stream, this.#options.json ? `${text}\n` : `${this.#prefixes.get(name)} ${text}\n`);
  }
}
