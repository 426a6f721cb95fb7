import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { Limits } from './core/limits.ts';
import { CodedError } from './errors.ts';
import { type AddressPair, createAddressMap, parseAddressPair } from './server/address-map.ts';
import { parseLimit, parseSysInterval, SYS_INTERVAL_SECONDS } from './server/limit-options.ts';
import { programVersion } from './server/program-version.ts';
import type { RunOptions } from './server/run-options.ts';
import type { StoreAction, StoreCommandOptions } from './server/store-command.ts';
import type { LogLevel } from './telemetry/log.ts';

/** A wrong command line, as POSIX shells and commander's own programs say it. */
const EXIT_USAGE = 2;
/** Everything else that went wrong. */
const EXIT_ERROR = 1;

/** Placeholders that stand for folders. */
const FOLDER_PLACEHOLDERS: readonly string[] = ['activemq.data', 'activemq.conf', 'activemq.base', 'activemq.home'];

const LOG_LEVELS: readonly LogLevel[] = ['error', 'warn', 'info', 'debug', 'silent'];

const STORE_ACTIONS: readonly StoreAction[] = ['check', 'dump', 'compact', 'why', 'drop'];

/** Options as commander collects them. */
interface CommandOptions {
  readonly D: ReadonlyMap<string, string>;
  readonly mapAddress: readonly AddressPair[];
  readonly limit: Partial<Limits>;
  readonly sysInterval: number;
  readonly logLevel: LogLevel;
  readonly logJson: boolean;
}

// Each command's code is loaded when it runs: `check` needs no broker, and nobody but `haproxy` needs HAProxy's command line.
async function run(args: readonly string[]): Promise<number> {
  // Its arguments are HAProxy's, all of them: commander must not even look.
  if (args[0] === 'haproxy') {
    const [{ runHAProxyCommand }, { startBalancerServer }] = await Promise.all([
      import('./server/haproxy-command.ts'),
      import('./server/balancer-server.ts'),
    ]);
    return runHAProxyCommand(args.slice(1), { startBalancer: startBalancerServer });
  }
  let exitCode = 0;
  const program = new Command('roundhouse')
    .description('MQTT brokers that read activemq.xml, and a load balancer that reads haproxy.cfg')
    .version(programVersion(), '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(`roundhouse: ${oneLine(text)}\n`) });
  const add = (name: string, summary: string, action: (files: string[], options: RunOptions) => Promise<number>) => {
    const command = program.command(name).summary(summary).description(summary);
    command.action(async (...parameters: unknown[]) => {
      const files = [parameters[0]].flat() as string[];
      exitCode = await action(files, runOptions(command.opts<CommandOptions>()));
    });
    addOptions(command);
    return command;
  };
  add('up', 'run brokers (.xml) and balancers (.cfg), each in its own process, supervised', async (files, options) => {
    const { up } = await import('./server/up-command.ts');
    return up(files, options);
  }).argument('<file...>', 'activemq.xml and haproxy.cfg files');
  add('broker', 'run one broker in the foreground', async ([file], options) => {
    const { runInForeground } = await import('./server/foreground-command.ts');
    return runInForeground('broker', file!, options);
  }).argument('<file>', 'its activemq.xml');
  add('balancer', 'run one balancer in the foreground', async ([file], options) => {
    const { runInForeground } = await import('./server/foreground-command.ts');
    return runInForeground('balancer', file!, options);
  }).argument('<file>', 'its haproxy.cfg');
  add('check', 'read files and report what is wrong, inert or worth knowing; start nothing', async (files, options) => {
    const { check } = await import('./server/check-command.ts');
    return check(files, options);
  }).argument('<file...>', 'activemq.xml and haproxy.cfg files');
  program
    .command('store')
    .summary('the store of a stopped broker: check, dump, compact, why, drop')
    .description("the store of a stopped broker, or a copy: the folder that activemq.xml's persistenceAdapter names")
    .addArgument(
      new Argument('<action>', 'verify checksums | list records | free space | name what keeps each file | end a session').choices(
        STORE_ACTIONS,
      ),
    )
    .argument('<folder>', 'the folder with journal-*.log')
    .option('--session <client id>', 'drop: whose session ends, with all that it is owed')
    .option('--linked-broker <name>', 'drop: of which linked broker, by name or id, what is kept for it goes')
    .option('--yes', 'drop: do it; without this it is only said what would go')
    .helpOption('-h, --help', 'print this help')
    .action(async (action: StoreAction, folder: string, options: StoreCommandOptions, command: Command) => {
      const named = [options.session, options.linkedBroker].filter((name) => name !== undefined).length;
      if (action === 'drop' && named !== 1) command.error('error: drop needs --session or --linked-broker, and one of them');
      if (action !== 'drop' && (named > 0 || options.yes === true))
        command.error(`error: --session, --linked-broker and --yes are for drop, not for ${action}`);
      const { runStoreCommand } = await import('./server/store-command.ts');
      exitCode = await runStoreCommand(action, folder, options);
    });
  program
    .command('haproxy')
    .summary("HAProxy's own command line: -c -f FILE, -db, -D, -V, -p FILE...")
    .description("HAProxy's own command line and exit codes; `roundhouse haproxy -h` prints its usage")
    .argument('[args...]', "HAProxy's arguments");
  await program.parseAsync(args, { from: 'user' });
  return exitCode;
}

function addOptions(command: Command): void {
  command
    .addOption(
      new Option('-D <name=value>', 'set a placeholder of activemq.xml, e.g. activemq.data (repeatable)')
        .argParser(collectDefinition)
        .default(new Map(), 'activemq.conf: the file’s folder, activemq.data: ./data/<file>'),
    )
    .addOption(
      new Option('--map-address <A=B>', 'use address or host B wherever a file says A; 0.0.0.0 also covers * and :port (repeatable)')
        .argParser(collectAddressPair)
        .default([], 'none'),
    )
    .addOption(
      new Option('--limit <name=value>', 'set a limit of every broker, e.g. sessionQueueBytes=64mb; docs/reference/limits.md (repeatable)')
        .argParser(collectLimit)
        .default({}, 'those of that page'),
    )
    .addOption(
      new Option('--sys-interval <seconds>', 'how often brokers update $SYS/broker/...; 0: never')
        .argParser((text: string) => valid(() => parseSysInterval(text)))
        .default(SYS_INTERVAL_SECONDS),
    )
    .addOption(new Option('--log-level <level>', 'least severe log lines written').choices(LOG_LEVELS).default('info'))
    .addOption(new Option('--log-json', 'write log lines as JSON').default(false))
    .helpOption('-h, --help', 'print this help');
}

function collectDefinition(text: string, earlier: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const at = text.indexOf('=');
  const name = text.slice(0, at);
  if (at < 1 || /[\s${}]/.test(name)) throw new InvalidArgumentError('Expected name=value.');
  // Mostly an unset variable of a shell script; without it the store would be made in the root folder.
  if (at + 1 === text.length && FOLDER_PLACEHOLDERS.includes(name)) throw new InvalidArgumentError(`Expected a folder after ${name}=.`);
  return new Map(earlier).set(name, text.slice(at + 1));
}

function collectAddressPair(text: string, earlier: readonly AddressPair[]): readonly AddressPair[] {
  return valid(() => {
    const pairs = [...earlier, parseAddressPair(text)];
    createAddressMap(pairs);
    return pairs;
  });
}

function collectLimit(text: string, earlier: Partial<Limits>): Partial<Limits> {
  return valid(() => parseLimit(text, earlier));
}

/** What a value of ours is not good for is said as commander says it. */
function valid<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof CodedError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}

function runOptions(options: CommandOptions): RunOptions {
  return {
    definitions: options.D,
    addressPairs: options.mapAddress,
    limits: options.limit,
    sysIntervalSeconds: options.sysInterval,
    logLevel: options.logLevel,
    logJson: options.logJson,
  };
}

function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, ' ');
}

/** What stands on the screen when it went wrong: one line for a mistake of the user's, everything there is for one of ours. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE; // it has said why
  if (error instanceof CodedError && error.code !== 'INVARIANT') {
    process.stderr.write(`roundhouse: ${error.message.replaceAll('\n', '\nroundhouse: ')}\n`);
    return error.code === 'USAGE' ? EXIT_USAGE : EXIT_ERROR;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`roundhouse: this is a mistake in Roundhouse itself, please report it:\n${stack}\n`);
  return EXIT_ERROR;
}

/** Whoever reads our output may stop reading (`| head`): that ends no broker. */
function surviveClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}

surviveClosedPipes();
const exitCode = await run(process.argv.slice(2)).catch(report);
// A pipe that is read slowly has not everything yet.
process.stdout.write('', () => process.exit(exitCode));
