import { BECAUSE, type Disposition, honoured, inert, type Rules } from './dispositions.ts';
import type { DetectionModel } from './model.ts';
import { integer, type OptionTable, type OptionValues, type ValueReader } from './option-values.ts';
import type { WireProtocol } from './schemes.ts';
import { INT_MAX } from './sizes.ts';
import { listed } from './suggestion.ts';

/** What options and `auto.protocols` call each protocol. ActiveMQ's `default` is OpenWire. */
const NAMES: Readonly<Record<WireProtocol, string>> = { mqtt: 'mqtt', openwire: 'default' };
const ALL: readonly WireProtocol[] = ['mqtt', 'openwire'];
/** Those that ActiveMQ finds out too. */
const NOT_SPOKEN = ['stomp', 'amqp'];

const protocols: ValueReader = (text) => {
  const names = text.split(',').map((name) => name.trim());
  for (const name of names) {
    if (NOT_SPOKEN.includes(name)) return { problem: `${name} is not supported yet: expected ${listed(Object.values(NAMES), 'and')}` };
    if (!Object.values(NAMES).includes(name)) {
      return { problem: `expected ${listed(Object.values(NAMES), 'and')} (which is OpenWire) with commas between, found "${name}"` };
    }
  }
  return { value: names.join(' ') };
};

const UNSPOKEN_FORMAT = inert('is for a protocol', 'that one is not supported yet, and its clients are closed');

/** What connectors that find out what their clients speak may have beside the options of each protocol. */
export const AUTO_OPTIONS: OptionTable = {
  rules: {
    'auto.protocols': honoured('lists what may be spoken: mqtt and default, which is OpenWire; both unless given'),
    protocolDetectionTimeOut: honoured(
      'is the time in ms in which a client must have said enough to find out what it speaks; 0 or less: for ever; as connectAttemptTimeout unless given',
    ),
    maxConnectionThreadPoolSize: inert('bounds the threads that find out', BECAUSE.threads),
  },
  values: {
    'auto.protocols': protocols,
    protocolDetectionTimeOut: integer(-INT_MAX, INT_MAX),
  },
  families: Object.fromEntries(NOT_SPOKEN.map((name) => [`wireFormat.${name}.`, UNSPOKEN_FORMAT])),
};

/** The options `wireFormat.X` of a protocol, as `wireFormat.NAME.X`: for that protocol alone. */
export function formatOptionsOf(protocol: WireProtocol, { rules, values }: OptionTable): OptionTable {
  const own = (name: string): string | null =>
    name.startsWith('wireFormat.') ? name.replace('wireFormat.', formatPrefix(protocol)) : null;
  const renamed = <T>(entries: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(entries).flatMap(([name, entry]) => (own(name) === null ? [] : [[own(name)!, entry]])));
  return { rules: renamed<Disposition>(rules) satisfies Rules, values: renamed(values) };
}

function formatPrefix(protocol: WireProtocol): string {
  return `wireFormat.${NAMES[protocol]}.`;
}

/** @param frameSizeMax the largest frame that each protocol has, in bytes */
export function readDetection(
  options: OptionValues,
  connectAttemptTimeoutMs: number,
  frameSizeMax: Readonly<Record<WireProtocol, number>>,
): DetectionModel {
  const given = options.text(null, 'auto.protocols')?.split(' ');
  const spoken = given === undefined ? ALL : ALL.filter((protocol) => given.includes(NAMES[protocol]));
  return {
    timeoutMs: Math.max(0, options.number(connectAttemptTimeoutMs, 'protocolDetectionTimeOut')),
    protocols: spoken.map((name) => {
      const sizes = [
        `${formatPrefix(name)}maxFrameSize`,
        'wireFormat.maxFrameSize',
        ...(name === 'mqtt' ? ['transport.maxFrameSize'] : []),
      ];
      return { name, maxFrameSize: Math.min(frameSizeMax[name], options.number(frameSizeMax[name], ...sizes)) };
    }),
  };
}
