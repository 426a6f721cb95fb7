import { readdirSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { adviseHAProxy } from '../config/haproxy/advice.ts';
import { evaluateCondition } from '../config/haproxy/conditions.ts';
import { type HostLookup, loadHAProxy } from '../config/haproxy/load.ts';
import type { ProxyModel } from '../config/haproxy/model.ts';
import { type ConfigFile, HAPROXY_FEATURES, HAPROXY_VERSION, type ReadResult } from '../config/haproxy/read.ts';
import { formatHAProxyLine, type HAProxyDiagnostic, type HAProxyLevel, renderHAProxyReport } from '../config/haproxy/report.ts';
import { ConfigError } from '../errors.ts';
import { createLog, type Log, silentLog } from '../telemetry/log.ts';
import { type DaemonReport, isDaemon, reportToStarter, startDaemon } from './daemon.ts';
import { formatUsage, type HAProxyArguments, parseHAProxyArguments } from './haproxy-arguments.ts';
import { listenToHAProxySignals, type SignalSource } from './haproxy-signals.ts';
import { openFileLimit } from './machine.ts';
import { dropPrivileges } from './privileges.ts';
import { programVersion } from './program-version.ts';

const EXIT_OK = 0;
const EXIT_ERROR = 1;
/** `-cc` with a condition that cannot be read. */
const EXIT_BAD_CONDITION = 2;

/** A balancer that runs. */
export interface RunningBalancer {
  readonly balancer: {
    /** Resolves once nothing is open any more. `hard`: sessions end at once. */
    stop(options?: { readonly hard?: boolean }): Promise<void>;
  };
}

/**
 * Starts a balancer and resolves once all its addresses are bound.
 *
 * @throws ConfigError whose message has a line for each address that cannot be had, in HAProxy's words; nothing stays open then
 */
export type StartBalancer = (model: ProxyModel, options: { readonly log: Log }) => Promise<RunningBalancer>;

/** What the command needs from the world. All but the first have the process's own for default. */
export interface HAProxyEnvironment {
  readonly startBalancer: StartBalancer;
  readonly stdout?: (text: string) => void;
  readonly stderr?: (text: string) => void;
  readonly lookup?: HostLookup;
  /** Open files that the process may have; null: not known. */
  readonly openFilesLimit?: number | null;
  /** Where signals come from. */
  readonly signals?: SignalSource;
  /** Ends this process by the signal, as if it had never been caught. */
  readonly dieOf?: (signal: NodeJS.Signals) => void;
  /** Sends a signal to another process. */
  readonly kill?: (pid: number, signal: NodeJS.Signals) => void;
}

/**
 * `roundhouse haproxy ARGS...`: HAProxy's own command line, messages and exit codes.
 *
 * 0: valid, or it ran and was stopped softly. 1: fatal errors, a wrong command line, an address that cannot be had.
 * 2: the configuration is good and nothing in it listens.
 */
export async function runHAProxyCommand(args: readonly string[], environment: HAProxyEnvironment): Promise<number> {
  return new HAProxyCommand(args, environment).run();
}

/** What `-v` prints, and what the two lines before messages call the version. */
function haproxyVersion(): string {
  return `${HAPROXY_VERSION}-roundhouse${programVersion()}`;
}

/** Attempts to bind addresses that an old process is about to let go of, and the wait between them in ms: 5 s in all. */
const TAKEOVER_ATTEMPTS = 100;
const TAKEOVER_WAIT_MS = 50;

class HAProxyCommand {
  readonly #args: readonly string[];
  readonly #environment: HAProxyEnvironment;
  readonly #stdout: (text: string) => void;
  readonly #stderr: (text: string) => void;
  readonly #name = 'haproxy';
  readonly #executable = process.argv[1] ?? process.execPath;
  /** Whether the two lines that come before the first message were printed. */
  #prologuePrinted = false;

  constructor(args: readonly string[], environment: HAProxyEnvironment) {
    this.#args = args;
    this.#environment = environment;
    this.#stdout = environment.stdout ?? ((text) => process.stdout.write(text));
    this.#stderr = environment.stderr ?? ((text) => process.stderr.write(text));
  }

  async run(): Promise<number> {
    const parsed = parseHAProxyArguments(this.#args);
    switch (parsed.kind) {
      case 'version':
        this.#printVersion(parsed.details);
        return EXIT_OK;
      case 'usage':
        if (parsed.alert !== null) this.#say('ALERT', parsed.alert.trimEnd());
        this.#printVersion(false);
        this.#stderr(formatUsage(this.#name));
        return EXIT_ERROR;
      case 'alert':
        this.#say('ALERT', parsed.alert);
        return EXIT_ERROR;
      case 'run':
        return this.#runArguments(parsed.arguments);
    }
  }

  async #runArguments(args: HAProxyArguments): Promise<number> {
    if (args.directory !== null) {
      try {
        process.chdir(args.directory);
      } catch (error) {
        this.#say('ALERT', `Could not change to directory ${args.directory} : ${systemMessage(error)}`);
        return EXIT_ERROR;
      }
    }
    if (args.condition !== null) return this.#evaluate(args.condition);

    const files = await this.#readFiles(args.paths);
    if (files === null) return EXIT_ERROR;
    const { lookup } = this.#environment;
    const result = await loadHAProxy(files, {
      toleratesUnresolved: args.toleratesUnresolved,
      ...(lookup === undefined ? {} : { lookup }),
    });
    const model = result.model === null ? null : withArguments(result.model, args);

    // The process in the background has its messages printed by the one that started it: nobody reads its own.
    const exitCode = isDaemon() ? (model === null || !result.hasListener ? EXIT_ERROR : EXIT_OK) : await this.#report(result, model, args);
    if (exitCode !== EXIT_OK || model === null || args.check) return this.#finish(exitCode);

    const goesToBackground = (args.daemon || model.global.daemon) && !args.foreground;
    if (goesToBackground && !isDaemon()) return this.#startInBackground();
    return this.#serve(model, args, goesToBackground);
  }

  /** Prints what was found in the files, and what `-c` says on standard output. */
  async #report(result: ReadResult, model: ProxyModel | null, args: HAProxyArguments): Promise<number> {
    const limit = this.#environment.openFilesLimit;
    const facts = { openFilesLimit: limit === undefined ? await openFileLimit() : limit };
    const advice = model === null ? [] : adviseHAProxy(model, facts).filter(({ severity }) => severity === 'warning');
    const own = args.masterSocket && !args.masterWorker ? [masterSocketWarning()] : [];
    const rendered = renderHAProxyReport([...result.diagnostics, ...own, ...advice], {
      pid: process.pid,
      version: haproxyVersion(),
      executable: this.#executable,
      zeroWarning: args.zeroWarning || result.zeroWarning,
      diagnosticMode: args.diagnosticMode,
      hasListener: result.hasListener,
      quiet: args.quiet && !args.verbose,
      verbose: args.verbose,
      check: args.check,
    });
    if (/ : haproxy version is /.test(rendered.stderr)) this.#prologuePrinted = true;
    this.#stderr(rendered.stderr);
    this.#stdout(rendered.stdout);
    if (!args.check && rendered.exitCode === 2 && !args.quiet) {
      this.#say('ALERT', "[haproxy.main()] No enabled listener found (check for 'bind' directives) ! Exiting.");
      return EXIT_ERROR;
    }
    return rendered.exitCode;
  }

  #evaluate(condition: string): number {
    const result = evaluateCondition(condition, {
      variable: (name) => process.env[name],
      version: HAPROXY_VERSION,
      features: HAPROXY_FEATURES,
    });
    if ('value' in result) return result.value ? EXIT_OK : EXIT_ERROR;
    this.#say('ALERT', `config : Failed to evaluate condition: ${result.error}`);
    return EXIT_BAD_CONDITION;
  }

  /** The files that the arguments name; a folder stands for its `.cfg` files by name. Null after a complaint. */
  async #readFiles(paths: readonly string[]): Promise<ConfigFile[] | null> {
    const names: string[] = [];
    for (const path of paths) {
      try {
        if (!statSync(path).isDirectory()) names.push(path);
        else {
          const inside = readdirSync(path).filter((name) => name.endsWith('.cfg') && !name.startsWith('.'));
          names.push(...inside.sort().map((name) => join(path, name)));
        }
      } catch (error) {
        this.#say('ALERT', `config : Cannot open configuration file/directory ${path} : ${systemMessage(error)}`);
        return null;
      }
    }
    const files: ConfigFile[] = [];
    for (const name of names) {
      try {
        files.push({ file: name, text: await readFile(name) });
      } catch (error) {
        this.#say('ALERT', `config : Could not open configuration file ${name} : ${systemMessage(error)}`);
        return null;
      }
    }
    return files;
  }

  async #startInBackground(): Promise<number> {
    const report = await startDaemon(['haproxy', ...this.#args]);
    if (report.type === 'ready') return EXIT_OK;
    for (const line of report.text.split('\n')) this.#say('ALERT', line);
    return report.exitCode;
  }

  /** Runs the balancer until a signal ends it. */
  async #serve(model: ProxyModel, args: HAProxyArguments, inBackground: boolean): Promise<number> {
    const log = args.quiet && !args.verbose ? silentLog : createLog({ level: args.debug ? 'debug' : args.verbose ? 'info' : 'warn' });
    const reload = (): void => this.#say('WARNING', 'SIGUSR2: reloading is not supported yet; start anew with -sf and the pid.');
    const asked = listenToHAProxySignals(this.#environment.signals ?? process, reload);
    let running: RunningBalancer;
    try {
      running = await this.#start(model, args, log);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      asked.ignore();
      return this.#fail([...error.message.split('\n'), '[haproxy.main()] Some protocols failed to start their listeners! Exiting.']);
    }
    const problem = (inBackground ? writePidfile(args.pidfile ?? model.global.pidfile) : null) ?? dropPrivileges(model.global);
    if (problem !== null) {
      asked.ignore();
      await running.balancer.stop({ hard: true });
      return this.#fail([problem]);
    }
    this.#tellOldProcesses(args);
    if (isDaemon()) await reportToStarter({ type: 'ready' });

    const signal = await asked.first;
    if (signal === 'SIGUSR1') {
      // A second wish, to end at once, may come while sessions are being waited for.
      const stopped = running.balancer.stop().then(() => null);
      const impatient = await Promise.race([stopped, asked.hard]);
      if (impatient === null) return EXIT_OK;
      await running.balancer.stop({ hard: true });
      return this.#die(impatient);
    }
    await running.balancer.stop({ hard: true });
    return this.#die(signal);
  }

  /**
   * Binds all addresses. Where an old process still holds one, it is told to let go first: unlike HAProxy, Node cannot listen on a port
   * together with another program.
   */
  async #start(model: ProxyModel, args: HAProxyArguments, log: Log): Promise<RunningBalancer> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#environment.startBalancer(model, { log });
      } catch (error) {
        const isTaken = error instanceof ConfigError && error.code === 'PORT_TAKEN';
        if (!isTaken || args.oldProcesses.pids.length === 0 || attempt >= TAKEOVER_ATTEMPTS) throw error;
        if (attempt === 1) this.#tellOldProcesses(args);
        await new Promise((resolve) => setTimeout(resolve, TAKEOVER_WAIT_MS));
      }
    }
  }

  #tellOldProcesses({ oldProcesses }: HAProxyArguments): void {
    const kill = this.#environment.kill ?? ((pid, signal) => process.kill(pid, signal));
    for (const pid of oldProcesses.pids) {
      try {
        kill(pid, oldProcesses.wish === 'finish' ? 'SIGUSR1' : 'SIGTERM');
      } catch {
        // It is gone already, which is what was wanted; HAProxy says nothing either.
      }
    }
  }

  /** HAProxy lets the signal that ended it show, so that its starter can tell. */
  #die(signal: NodeJS.Signals): number {
    const die =
      this.#environment.dieOf ??
      ((name) => {
        process.removeAllListeners(name);
        process.kill(process.pid, name);
      });
    die(signal);
    return 128 + (signal === 'SIGINT' ? 2 : 15);
  }

  async #fail(lines: readonly string[]): Promise<number> {
    if (isDaemon()) {
      await reportToStarter({ type: 'failed', text: lines.join('\n'), exitCode: EXIT_ERROR });
    } else {
      for (const line of lines) this.#say('ALERT', line);
    }
    return EXIT_ERROR;
  }

  async #finish(exitCode: number): Promise<number> {
    if (!isDaemon()) return exitCode;
    // Its starter has read the same files and found them good: they changed in between.
    const report: DaemonReport = { type: 'failed', text: 'the configuration changed while it was being started.', exitCode: EXIT_ERROR };
    await reportToStarter(report);
    return exitCode;
  }

  #say(level: HAProxyLevel, text: string): void {
    if (!this.#prologuePrinted) {
      this.#prologuePrinted = true;
      this.#say('NOTICE', `haproxy version is ${haproxyVersion()}`);
      this.#say('NOTICE', `path to executable is ${this.#executable}`);
    }
    this.#stderr(formatHAProxyLine(level, process.pid, text));
  }

  #printVersion(details: boolean): void {
    this.#stdout(
      `HAProxy version ${haproxyVersion()} - Roundhouse ${programVersion()}, reading HAProxy ${HAPROXY_VERSION} configurations\n`,
    );
    this.#stdout('Status: see docs/reference/haproxy-cfg.md for what is supported.\n');
    this.#stdout(`Running on: ${process.platform} ${process.arch}, Node.js ${process.version}\n`);
    if (!details) return;
    this.#stdout(`\nFeature list : ${[...HAPROXY_FEATURES].map((name) => `+${name}`).join(' ')}\n`);
    this.#stdout(
      '\nAvailable multiplexer protocols :\n  <default> : mode=HTTP  side=FE     (statistics)\n  <default> : mode=TCP   side=FE|BE\n',
    );
    this.#stdout(`\nCommand name : ${basename(this.#executable)} ${this.#name}\n`);
  }
}

/** What the command line sets stands above what the file says. */
function withArguments(model: ProxyModel, args: HAProxyArguments): ProxyModel {
  const { maxconn, proxyMaxconn } = args;
  if (maxconn === null && proxyMaxconn === null) return model;
  return {
    global: maxconn === null ? model.global : { ...model.global, maxconn },
    proxies: proxyMaxconn === null ? model.proxies : model.proxies.map((proxy) => ({ ...proxy, maxconn: proxy.maxconn ?? proxyMaxconn })),
  };
}

function masterSocketWarning(): HAProxyDiagnostic {
  const message = 'a master CLI socket was defined, but master-worker mode (-W) is not enabled.';
  return {
    severity: 'warning',
    file: '',
    line: 0,
    column: 0,
    keyword: '-S',
    message,
    level: 'WARNING',
    text: `config : ${message}`,
    origin: 'haproxy',
    unit: -1,
    abort: false,
    muted: false,
  };
}

/** Puts this process's id into a file. Returns what went wrong, in HAProxy's words; null when nothing did. */
function writePidfile(path: string | null): string | null {
  if (path === null) return null;
  try {
    unlinkSync(path);
  } catch {
    // There was none, or it cannot be replaced: writing says which.
  }
  try {
    writeFileSync(path, `${process.pid}\n`, { mode: 0o644 });
    return null;
  } catch {
    return `[haproxy.main()] Cannot create pidfile ${path}`;
  }
}

/** What the C library calls an error: `No such file or directory`. */
function systemMessage(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return SYSTEM_MESSAGES[code ?? ''] ?? message;
}

const SYSTEM_MESSAGES: Readonly<Record<string, string>> = {
  ENOENT: 'No such file or directory',
  ENOTDIR: 'Not a directory',
  EACCES: 'Permission denied',
  EPERM: 'Operation not permitted',
  EISDIR: 'Is a directory',
  ELOOP: 'Too many levels of symbolic links',
};
