import { LOAD_PERIODS } from './load-average.ts';
import { SYS_LOADS, SYS_VALUES } from './sys-values.ts';

const INTRODUCTION = `<!-- Written by scripts/sys-topics-reference.mjs from src/core/sys-values.ts; do not edit. -->

# \`$SYS/broker/...\`

What a broker says of itself, under mosquitto's names, so that tools made for mosquitto read it. \`--sys-interval SECONDS\` says how often
(10 unless given; 0: never), in a program the option \`sysIntervalSeconds\`. Values are text, QoS 0 and retained; all are published at the
start, then those that have changed.

They are this broker's own: links do not carry them, \`#\` and \`+/...\` do not match them, and clients cannot publish there. In a network
ask each broker at a connector of its own.
`;

const BY_NAME = `Counts by name appear when there is something to count:

| topic | |
| --- | --- |
| \`publish/messages/dropped/<reason>\` | Copies dropped because of a [limit](limits.md), of the client's Maximum Packet Size (\`maximumPacketSize\`), or for a linked broker (\`linkedBroker\`), or by activemq.xml's \`pendingMessageLimitStrategy\` (\`pendingMessageLimit\`). |
| \`limits/refused/<limit>\` | How often somebody was refused something because of this [limit](limits.md). |

## Not there

| mosquitto | |
| --- | --- |
| \`connection/#\` | State of bridges. Links between brokers are no bridges; the log says when they come and go. |
`;

/** The text of docs/reference/sys-topics.md. */
export function renderSysReference(): string {
  return [
    INTRODUCTION,
    '## Values\n',
    table(
      ['topic below `$SYS/broker/`', ''],
      SYS_VALUES.map(({ topic, meaning }) => [`\`${topic}\``, meaning]),
    ),
    '## Averages\n',
    `How many in a minute, averaged over ${LOAD_PERIODS.map(({ minutes }) => minutes).join(', ')} minutes (the last level: ${LOAD_PERIODS.map(({ name }) => `\`${name}\``).join(', ')}), with two decimals.\n`,
    table(
      ['topic below `$SYS/broker/`', ''],
      SYS_LOADS.map(({ topic, meaning }) => [`\`load/${topic}/...\``, meaning]),
    ),
    BY_NAME,
  ].join('\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return `${[line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')}\n`;
}
