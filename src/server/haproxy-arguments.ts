/** HAProxy's command line (management manual section 3), as 2.6 takes it apart. */

export interface HAProxyArguments {
  /** Files and folders in order; those after `--` too. */
  readonly paths: readonly string[];
  /** `-c` */
  readonly check: boolean;
  /** `-cc CONDITION`; null when it is not there. */
  readonly condition: string | null;
  /** `-C DIR`: where to go before anything is read. */
  readonly directory: string | null;
  /** `-D` */
  readonly daemon: boolean;
  /** `-db` or `-d`: stay in the foreground whatever else is said. */
  readonly foreground: boolean;
  /** `-d` */
  readonly debug: boolean;
  /** `-q` */
  readonly quiet: boolean;
  /** `-V` */
  readonly verbose: boolean;
  /** `-dW` */
  readonly zeroWarning: boolean;
  /** `-dD` */
  readonly diagnosticMode: boolean;
  /** `-dr`: servers whose names cannot be resolved are disabled, not fatal. */
  readonly toleratesUnresolved: boolean;
  /** `-W` or `-Ws` */
  readonly masterWorker: boolean;
  /** `-p FILE` */
  readonly pidfile: string | null;
  /** `-n N`: connections of the process; null when it is not there. */
  readonly maxconn: number | null;
  /** `-N N`: connections of each frontend that does not say; null when it is not there. */
  readonly proxyMaxconn: number | null;
  /** `-S`, the master's socket, was asked for. */
  readonly masterSocket: boolean;
  /** Processes that this one replaces, and how they are told: `finish` with `-sf`, `terminate` with `-st`. */
  readonly oldProcesses: { readonly pids: readonly number[]; readonly wish: 'finish' | 'terminate' };
}

export type ParsedArguments =
  | { readonly kind: 'run'; readonly arguments: HAProxyArguments }
  /** `-v` or `-vv`. */
  | { readonly kind: 'version'; readonly details: boolean }
  /** A wrong command line: what is wrong where HAProxy says so, then its usage. */
  | { readonly kind: 'usage'; readonly alert: string | null }
  /** What HAProxy says instead of its usage. */
  | { readonly kind: 'alert'; readonly alert: string };

/** Flags of one letter that are followed by a value. */
const VALUED = new Set(['C', 'n', 'm', 'N', 'L', 'f', 'p', 'S']);

export function parseHAProxyArguments(args: readonly string[]): ParsedArguments {
  const found = {
    paths: [] as string[],
    check: false,
    condition: null as string | null,
    directory: null as string | null,
    daemon: false,
    foreground: false,
    debug: false,
    quiet: false,
    verbose: false,
    zeroWarning: false,
    diagnosticMode: false,
    toleratesUnresolved: false,
    masterWorker: false,
    pidfile: null as string | null,
    maxconn: null as number | null,
    proxyMaxconn: null as number | null,
    masterSocket: false,
    oldProcesses: { pids: [] as number[], wish: 'finish' as 'finish' | 'terminate' },
  };
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!;
    if (!arg.startsWith('-') || arg === '-') return { kind: 'usage', alert: null };
    const flag = arg.slice(1);
    const value = args[at + 1];
    if (flag.startsWith('v')) return { kind: 'version', details: flag[1] === 'v' };
    if (flag === '-') {
      found.paths.push(...args.slice(at + 1));
      break;
    }
    if (flag.startsWith('d')) {
      setDebugFlag(found, flag);
    } else if (flag === 'cc') {
      if (value === undefined) return { kind: 'usage', alert: null };
      found.condition = value;
      at++;
    } else if (flag.startsWith('c')) {
      found.check = true;
    } else if (flag.startsWith('V')) {
      found.verbose = true;
    } else if (flag.startsWith('D')) {
      found.daemon = true;
    } else if (flag.startsWith('W')) {
      found.masterWorker = true;
    } else if (flag.startsWith('q')) {
      found.quiet = true;
    } else if (flag === 'sf' || flag === 'st') {
      found.oldProcesses.wish = flag === 'sf' ? 'finish' : 'terminate';
      while (args[at + 1] !== undefined && !args[at + 1]!.startsWith('-')) {
        const list = args[++at]!;
        const [, pids = '', rest = ''] = /^((?:\s*[0-9]+)*\s*)(.*)$/s.exec(list) ?? [];
        if (rest !== '') return { kind: 'alert', alert: `-${flag} option: some bytes unconsumed in PID list {${rest}}` };
        found.oldProcesses.pids.push(...(pids.match(/[0-9]+/g) ?? []).map(Number));
      }
    } else if (flag === 'x') {
      if (value === undefined || value.startsWith('-')) return { kind: 'usage', alert: 'Unix socket path expected with the -x flag\n' };
      at++;
    } else if (VALUED.has(flag)) {
      if (value === undefined) return { kind: 'alert', alert: 'failed to copy argv.' };
      setValue(found, flag, value);
      at++;
    } else {
      return { kind: 'usage', alert: null };
    }
  }
  if (found.paths.length === 0 && found.condition === null) return { kind: 'usage', alert: null };
  return { kind: 'run', arguments: found };
}

/** `-d...`: switches for debugging. Those about the inside of HAProxy mean nothing here, and are let pass. */
function setDebugFlag(
  found: { debug: boolean; foreground: boolean; zeroWarning: boolean; diagnosticMode: boolean; toleratesUnresolved: boolean },
  flag: string,
): void {
  switch (flag[1]) {
    case undefined:
      found.debug = true;
      found.foreground = true;
      break;
    case 'b':
      found.foreground = true;
      break;
    case 'W':
      found.zeroWarning = true;
      break;
    case 'D':
      found.diagnosticMode = true;
      break;
    case 'r':
      found.toleratesUnresolved = true;
      break;
  }
}

function setValue(
  found: {
    paths: string[];
    directory: string | null;
    pidfile: string | null;
    maxconn: number | null;
    proxyMaxconn: number | null;
    masterSocket: boolean;
  },
  flag: string,
  value: string,
): void {
  // Like C's atol(), HAProxy takes what is no number for 0, which means "not set".
  const number = Number(/^\s*[-+]?[0-9]+/.exec(value)?.[0] ?? 0);
  switch (flag) {
    case 'C':
      found.directory = value;
      break;
    case 'f':
      found.paths.push(value);
      break;
    case 'p':
      found.pidfile = value;
      break;
    case 'n':
      found.maxconn = number > 0 ? number : null;
      break;
    case 'N':
      found.proxyMaxconn = number > 0 ? number : null;
      break;
    case 'S':
      found.masterSocket = true;
      break;
  }
}

/** Printed to standard error after a wrong command line. */
export function formatUsage(name: string): string {
  return `Usage : ${name} [-f <cfgfile|cfgdir>]* [ -vdVD ] [ -n <maxconn> ] [ -N <maxpconn> ]
        [ -p <pidfile> ] [ -m <max megs> ] [ -C <dir> ] [-- <cfgfile>*]
        -v displays version ; -vv shows what is read and supported.
        -d enters debug mode ; -db only disables background mode.
        -V enters verbose mode (disables quiet mode)
        -D goes daemon ; -C changes to <dir> before loading files.
        -W, -Ws are accepted: there is one process, without a master.
        -q quiet mode : don't display messages
        -c check mode : only check config files and exit
        -cc check condition : evaluate a condition and exit
        -n sets the maximum total # of connections
        -N sets the default, per-proxy maximum # of connections (0)
        -p writes the pid to this file when in the background
        -dr ignores server address resolution failures
        -dW fails if any warning is emitted
        -dD diagnostic mode : warn about suspicious configuration statements
        -sf/-st [pid ]* finishes/terminates old pids.
        -m, -L, -x, -S and other -d flags are accepted and without effect.

`;
}
