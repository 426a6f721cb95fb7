import { CONNECTOR_LIMITS, LIMIT_NAMES, LIMITS, USAGE_LIMITS } from './limits.ts';

const INTRODUCTION = `<!-- Written by scripts/limits-reference.mjs from src/core/limits.ts; do not edit. -->

# Limits

Everything that clients can make a broker hold or do has a bound. Going over one costs whoever does so, and nobody else: with the reason
code of the protocol, a counter (\`$SYS/broker/limits/refused/<name>\` or \`$SYS/broker/publish/messages/dropped/<name>\`), and one line in
the log when it begins, not one each time.

## Limits of a broker

\`--limit name=value\` of \`up\`, \`broker\` and \`check\`, repeatable; in a program \`startBroker({ limits: { name: value } })\`. Bytes take
the units of activemq.xml: \`--limit sessionQueueBytes=64mb\`. Under \`up\` they hold for each of its brokers. An unknown name or a value out
of its range is an error.

A broker's own file says them as properties of a placeholder configurer, which ActiveMQ passes over since no placeholder names them, in the
file itself or in a properties file that it lists among its \`locations\`. \`--limit\`, and \`limits\` of a program, come before them.

\`\`\`xml
<bean class="org.springframework.beans.factory.config.PropertyPlaceholderConfigurer">
  <property name="properties">
    <props>
      <prop key="roundhouse.limit.sessions">100000</prop>
      <prop key="roundhouse.limit.sessionQueueBytes">64mb</prop>
    </props>
  </property>
</bean>
\`\`\`
`;

const CONNECTORS = `## Limits of a connector

Options of its URI in activemq.xml, as ActiveMQ has them.
`;

const USAGE = `## Limits of memory and disk

\`<systemUsage>\` of activemq.xml, in bytes or as a share of what there is, and \`memoryLimit\` of a \`policyEntry\`:
[the guide](../guides/limits.md) says how they are counted, who waits, and what clients see.
`;

/** The text of docs/reference/limits.md. */
export function renderLimitsReference(): string {
  return [
    INTRODUCTION,
    table(
      ['limit', 'default', 'from', 'to', 'unit', 'what it bounds', 'beyond it'],
      LIMIT_NAMES.map((name) => {
        const limit = LIMITS[name];
        const max = limit.max === Number.MAX_SAFE_INTEGER ? '' : String(limit.max);
        return [`\`${name}\``, String(limit.default), String(limit.min), max, limit.unit, limit.bounds, limit.beyond];
      }),
    ),
    CONNECTORS,
    table(
      ['option', 'default', 'unit', 'what it bounds', 'beyond it'],
      Object.values(CONNECTOR_LIMITS).map((limit) => [limit.option, limit.default, limit.unit, limit.bounds, limit.beyond]),
    ),
    USAGE,
    table(
      ['element', 'default', 'what it bounds', 'beyond it'],
      Object.entries(USAGE_LIMITS).map(([name, limit]) => [`\`${name}\``, limit.default, limit.bounds, limit.beyond]),
    ),
  ].join('\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return `${[line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')}\n`;
}
