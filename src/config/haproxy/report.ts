import type { Diagnostic } from '../diagnostic.ts';
import type { Place } from './model.ts';

/** The words HAProxy puts in front of a message. `DIAG` is shown only with `-dD`. */
export type HAProxyLevel = 'ALERT' | 'WARNING' | 'NOTICE' | 'DIAG';

/**
 * One message of the haproxy.cfg reader, with all that is needed to print it as HAProxy does.
 *
 * `severity` is what it means: `error` keeps the file from being used. `level` is what HAProxy prints: some ALERTs are not fatal.
 */
export interface HAProxyDiagnostic extends Diagnostic {
  readonly level: HAProxyLevel;
  /** What HAProxy prints after `(PID) : `; may hold line feeds (a source line, a caret, `   | ` lines). */
  readonly text: string;
  /** `roundhouse`: HAProxy says nothing here. Such a warning changes neither the exit code nor the lines on standard output. */
  readonly origin: 'haproxy' | 'roundhouse';
  /** Index of the file that was being read; -1 once all files were read and the whole was checked. */
  readonly unit: number;
  /** HAProxy stops at once: nothing after this message was looked at. */
  readonly abort: boolean;
  /** Said after `quiet` in the global section: HAProxy prints it only with `-V`. */
  readonly muted: boolean;
}

/** How HAProxy names the place in a message; its own sources differ from one to the next. */
export type PlaceForm = 'parsing [] : ' | 'parsing []: ' | 'Parsing []: ' | '[] : ' | '';

export interface ReportOptions {
  /** Default: `parsing [file:line] : `. */
  readonly form?: PlaceForm;
  readonly keyword?: string;
  /** ALERT without consequence, when false. Default for ALERT: true. */
  readonly fatal?: boolean;
  readonly abort?: boolean;
  readonly column?: number;
}

/**
 * Gathers the messages of one reading, in HAProxy's order.
 *
 * Its methods return `undefined` rather than nothing, so that a reader of a line can end with `return report.alert(...)`.
 */
export class Report {
  readonly #diagnostics: HAProxyDiagnostic[] = [];
  #fatal = 0;
  #refusals = 0;
  #unit = -1;
  #aborted = false;
  #muted = false;

  get diagnostics(): readonly HAProxyDiagnostic[] {
    return this.#diagnostics;
  }

  /** How many fatal messages of HAProxy's own there were so far. */
  get fatalCount(): number {
    return this.#fatal;
  }

  /** How many refusals of ours there were so far. */
  get refusalCount(): number {
    return this.#refusals;
  }

  get aborted(): boolean {
    return this.#aborted;
  }

  /** Messages from here on belong to this file; -1: to the configuration as a whole. */
  enterUnit(unit: number): undefined {
    this.#unit = unit;
  }

  /** Messages from here on are not printed. */
  mute(): undefined {
    this.#muted = true;
  }

  alert(place: Place, message: string, options: ReportOptions = {}): undefined {
    this.#add('ALERT', 'haproxy', place, message, options);
  }

  warn(place: Place, message: string, options: ReportOptions = {}): undefined {
    this.#add('WARNING', 'haproxy', place, message, options);
  }

  notice(place: Place, message: string, options: ReportOptions = {}): undefined {
    this.#add('NOTICE', 'haproxy', place, message, options);
  }

  diag(place: Place, message: string, options: ReportOptions = {}): undefined {
    this.#add('DIAG', 'haproxy', place, message, options);
  }

  /** Something HAProxy does and we do not, and ignoring it would change what the file means: the file is refused. */
  refuse(place: Place, message: string, options: ReportOptions = {}): undefined {
    this.#add('ALERT', 'roundhouse', place, message, options);
  }

  /** Something HAProxy accepts in silence that has no effect here, or likely not the intended one. */
  caution(place: Place, message: string, options: ReportOptions = {}): undefined {
    this.#add('WARNING', 'roundhouse', place, message, options);
  }

  /** Worth knowing; nothing to do. */
  remark(place: Place, message: string, options: ReportOptions = {}): undefined {
    this.#add('NOTICE', 'roundhouse', place, message, options);
  }

  #add(level: HAProxyLevel, origin: 'haproxy' | 'roundhouse', place: Place, message: string, options: ReportOptions): undefined {
    const fatal = level === 'ALERT' && (options.fatal ?? true);
    if (fatal && origin === 'haproxy') this.#fatal++;
    if (fatal && origin === 'roundhouse') this.#refusals++;
    if (options.abort) this.#aborted = true;
    this.#diagnostics.push({
      severity: fatal ? 'error' : level === 'NOTICE' || level === 'DIAG' ? 'note' : 'warning',
      file: place.file,
      line: place.line,
      column: options.column ?? 0,
      keyword: options.keyword ?? '',
      message: firstSentence(message),
      level,
      text: `config : ${placePrefix(place, options.form ?? 'parsing [] : ')}${message}`,
      origin,
      unit: this.#unit,
      abort: options.abort ?? false,
      muted: this.#muted,
    });
  }
}

function placePrefix(place: Place, form: PlaceForm): string {
  return form === '' ? '' : form.replace('[]', `[${place.file}:${place.line}]`);
}

/** Editors want one line: the `   | ` lines are joined to it, a quoted source line and its caret are left out. */
function firstSentence(message: string): string {
  const [first = '', ...rest] = message.trimEnd().split('\n');
  const explanation = rest.filter((line) => line.startsWith('   | ')).map((line) => line.slice(5));
  return [first, ...explanation].join(' ');
}

/** What the renderer must know about the program that speaks. */
export interface RenderOptions {
  readonly pid: number;
  /** As in `haproxy version is ...`. */
  readonly version: string;
  /** As in `path to executable is ...`. */
  readonly executable: string;
  /** `-dW` or `zero-warning`: any warning of HAProxy's own is fatal. */
  readonly zeroWarning?: boolean;
  /** `-dD`: show DIAG messages. */
  readonly diagnosticMode?: boolean;
  /** Whether any proxy would listen. */
  readonly hasListener: boolean;
  /** `-q` and not `-V`, or `quiet` in the file: print nothing. */
  readonly quiet?: boolean;
  /** `-V`: print also what `quiet` in the file mutes. */
  readonly verbose?: boolean;
  /** `-c`: say on standard output whether the file is valid. */
  readonly check?: boolean;
}

export interface Rendered {
  readonly stdout: string;
  readonly stderr: string;
  /** 0: valid; 1: fatal errors, or a warning under `zeroWarning`; 2: valid, but nothing would listen. */
  readonly exitCode: 0 | 1 | 2;
}

/** Writes `[ALERT]    (PID) : text`, HAProxy's form of one message. */
export function formatHAProxyLine(level: HAProxyLevel, pid: number, text: string): string {
  return `${`[${level}]`.padEnd(10)} (${pid}) : ${text}\n`;
}

/**
 * Prints a reading exactly as `haproxy -c` does: the two lines of prologue only before the first warning or alert,
 * a closing line for each file with errors, and the verdict on standard output.
 */
export function renderHAProxyReport(diagnostics: readonly HAProxyDiagnostic[], options: RenderOptions): Rendered {
  const lines: string[] = [];
  let muted = options.quiet === true;
  let hasPrologue = false;
  const say = (level: HAProxyLevel, text: string): undefined => {
    if (muted) return;
    if (!hasPrologue && (level === 'ALERT' || level === 'WARNING')) {
      hasPrologue = true;
      lines.push(formatHAProxyLine('NOTICE', options.pid, `haproxy version is ${options.version}`));
      lines.push(formatHAProxyLine('NOTICE', options.pid, `path to executable is ${options.executable}`));
    }
    lines.push(formatHAProxyLine(level, options.pid, text));
  };

  let warnings = 0;
  let fatal = false;
  let aborted = false;
  diagnostics.forEach((diagnostic, index) => {
    if (diagnostic.muted && !options.verbose) muted = true;
    if (diagnostic.level !== 'DIAG' || options.diagnosticMode) say(diagnostic.level, diagnostic.text);
    if (diagnostic.level === 'WARNING' && diagnostic.origin === 'haproxy') warnings++;
    if (diagnostic.severity === 'error') fatal = true;
    if (diagnostic.abort) aborted = true;

    const lastOfFile = diagnostic.unit >= 0 && diagnostics[index + 1]?.unit !== diagnostic.unit;
    if (lastOfFile && diagnostics.some((other) => other.unit === diagnostic.unit && other.severity === 'error')) {
      say('ALERT', `config : Error(s) found in configuration file : ${diagnostic.file}`);
    }
  });

  const stderr = (): string => lines.join('');
  if (fatal) {
    if (!aborted) say('ALERT', 'config : Fatal errors found in configuration.');
    return { stdout: '', stderr: stderr(), exitCode: 1 };
  }
  if (warnings > 0 && options.zeroWarning) {
    say('ALERT', "config : Some warnings were found and 'zero-warning' is set. Aborting.");
    return { stdout: '', stderr: stderr(), exitCode: 1 };
  }
  let stdout = '';
  if (options.check && !muted) {
    if (warnings > 0) stdout += 'Warnings were found.\n';
    stdout += options.hasListener
      ? 'Configuration file is valid\n'
      : 'Configuration file has no error but will not start (no listener) => exit(2).\n';
  }
  return { stdout, stderr: stderr(), exitCode: options.hasListener ? 0 : 2 };
}
