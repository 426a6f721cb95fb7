import { AUTO_OPTIONS } from './auto-options.ts';
import type { Disposition, Rules } from './dispositions.ts';
import { elementDisposition, elementsInOrder, propertyDisposition } from './elements.ts';
import type { ElementSchema, PropertySchema } from './schema.ts';
import { DISCOVERY_SCHEMES, SCHEMES } from './schemes.ts';
import { TLS_OPTIONS } from './tls-options.ts';
import {
  MQTT_OPTIONS,
  MULTICAST_OPTIONS,
  NEIGHBOUR_OPTIONS,
  OPENWIRE_OPTIONS,
  SOCKET_FILE_OPTIONS,
  STATIC_OPTIONS,
} from './uri-options.ts';

const INTRODUCTION = `<!-- Written by scripts/activemq-reference.mjs from the tables the reader uses; do not edit. -->

# activemq.xml

Every element and attribute of ActiveMQ 5.17.2 is known. Each has one of three fates:

- **honoured**: it does what it does in ActiveMQ.
- **inert**: it has no effect, and a warning says why.
- **refused**: the file cannot be used with it. Going on without it would leave the broker more open, or messages less
  kept, than the file says.

An unknown element, attribute or URI option is an error with its file, line and column, what was expected there, and
what was likely meant. \`roundhouse check FILE\` says all of that without starting anything.
`;

const FORMS = `## How the file is read

- **XML.** UTF-8, or what the byte order mark or the XML declaration says. Namespaces count: ActiveMQ's elements are in
  \`http://activemq.apache.org/schema/core\`, with or without a prefix (\`<amq:broker>\`). A document type (DTD) and
  entities of one's own are refused. \`&\` is written \`&amp;\`, also in URIs. A file has at most 4 MiB.
- **Elements.** A property is an attribute, or a child element that holds other elements:
  \`<systemUsage><systemUsage>...</systemUsage></systemUsage>\` is the property and the element in it. Where only one
  element can stand in a property, it may be left out: \`<memoryUsage limit="64mb"/>\`. Spring's \`<bean class="...">\` of
  a class that has an element here is the same as the element; \`#id\` and \`<ref bean="id"/>\` name a bean beside the broker.
  A property that is given twice: the last one counts, with a warning, as in ActiveMQ.
- **Beans beside the broker** are Java code and inert, each with a warning that names its class; so is \`<import>\`. In
  \`<plugins>\` and \`<persistenceAdapter>\` a class that is not known is refused.
- **Placeholders** \`\${name}\` and \`\${name:default}\` are looked for in \`-D name=value\`, then in \`activemq.conf\` (the
  file's folder), \`activemq.data\` (\`./data/<file's base name>\`), \`activemq.base\` and \`activemq.home\` (the folder above
  a folder called \`conf\`, otherwise the file's), \`activemq.hostname\`, then in the environment, then in the properties
  files that a placeholder configurer lists. \`file:\` URLs are relative to the working directory, \`classpath:\` and bare
  names to the file's folder. A properties file that is missing is a warning; a placeholder that nobody defines is an
  error. Encrypted values, \`ENC(...)\`, are refused. Properties \`roundhouse.limit.<name>\` are for no placeholder: they set
  [limits](limits.md).
- **Sizes** (type *size*) are digits and a unit: b, k, kb, m, mb, g or gb in either case, powers of 1024, spaces around
  either: \`100 gb\`. One that is too large for its property is an error; ActiveMQ reads \`4gb\` as 0 there.
- **Booleans** are \`true\` and \`false\`; where ActiveMQ takes them, also on, yes, 1, off, no and 0.
- **Destinations** have \`.\` between levels; \`*\` is one level, a closing \`>\` all below. Commas make several of one. The
  prefixes \`queue://\`, \`topic://\`, \`temp-queue://\` and \`temp-topic://\` are taken.
- **Paths** that are relative are relative to the working directory. Without \`dataDirectory\` it is \`activemq-data\`,
  without \`<persistenceAdapter>\` the store is in \`<dataDirectory>/<brokerName>/KahaDB\`.
- **systemUsage.** Without it the limits are 1 GB of memory, 100 GB of store and 50 GB of temporary files; with it, a
  limit it does not give is no limit, with a warning.
`;

/** The text of docs/reference/activemq-xml.md: all that the reader's tables say. */
export function renderActiveMQReference(): string {
  const elements = elementsInOrder();
  const ofKind = (kind: Disposition['kind']) => elements.filter(({ name }) => elementDisposition(name).kind === kind);
  const honoured = ofKind('honoured').filter(({ name }) => name !== 'brokerService');
  return [
    INTRODUCTION,
    FORMS,
    '## Honoured elements\n',
    '`<brokerService>` is another name of `<broker>`. `id` may stand on every element.\n',
    ...honoured.map(renderElement),
    '## Inert elements\n',
    renderOthers(ofKind('inert')),
    '## Refused elements\n',
    renderOthers(ofKind('refused')),
    '## URIs\n',
    '### Schemes of a `<transportConnector>`\n',
    renderRules('Scheme', Object.fromEntries(Object.entries(SCHEMES).map(([name, { disposition }]) => [name, disposition]))),
    '### Schemes of a `<networkConnector>` and of `discoveryUri`\n',
    renderRules('Scheme', DISCOVERY_SCHEMES),
    '### Options of `mqtt` and its kin, `ws` and `wss`\n',
    renderRules('Option', MQTT_OPTIONS.rules),
    '### Options of `tcp`, `nio`, `openwire`, `ssl` and `nio+ssl`\n',
    renderRules('Option', OPENWIRE_OPTIONS.rules),
    '### Options of `auto` and its kin\n',
    'Those of `mqtt` and of `tcp`, and these. An option `wireFormat.X` is for both protocols, `wireFormat.mqtt.X` for MQTT and\n' +
      '`wireFormat.default.X` for OpenWire alone.\n',
    renderRules('Option', AUTO_OPTIONS.rules),
    '### Further options of schemes with TLS: `mqtt+ssl`, `mqtt+nio+ssl`, `wss`, `ssl`, `nio+ssl`, `auto+ssl`, `auto+nio+ssl`\n',
    renderRules('Option', TLS_OPTIONS.rules),
    '### Further options of `mqtt+unix`\n',
    renderRules('Option', SOCKET_FILE_OPTIONS.rules),
    '### Further options of `ws` and `wss`\n',
    'Options that begin with `http.` or `websocket.` tune Jetty in ActiveMQ and are inert.\n',
    '### Options of `static:(...)`\n',
    'Options `discovered.X` and `nested.X` are options `X` of each URI in the list.\n',
    renderRules('Option', STATIC_OPTIONS.rules),
    '### Options of the URIs in `static:(...)`\n',
    renderRules('Option', NEIGHBOUR_OPTIONS.rules),
    '### Options of `multicast://...`\n',
    '`multicast://default` is 239.255.2.3, port 6155; `multicast://address:port` sets them.\n',
    renderRules('Option', MULTICAST_OPTIONS.rules),
  ]
    .join('\n')
    .trimEnd()
    .concat('\n');
}

function renderElement({ name, properties }: ElementSchema): string {
  const disposition = elementDisposition(name);
  const head = `### \`<${name}>\`\n\n${sentence(disposition)}\n`;
  if (properties.size === 0) return head;
  const rows = [...properties.values()].map((property) => {
    const own = propertyDisposition(name, property.name);
    return [
      `\`${property.name}\``,
      typeName(property),
      property.default === '' ? '' : `\`${property.default}\``,
      own.kind,
      own.does,
      own.here,
    ];
  });
  return `${head}\n${table(['Property', 'Type', 'Default', 'Here', 'What it does in ActiveMQ', ''], rows)}`;
}

function renderOthers(elements: readonly ElementSchema[]): string {
  const rows = elements.map(({ name, properties }) => {
    const { does, here } = elementDisposition(name);
    return [`\`<${name}>\``, does, here, [...properties.keys()].map((property) => `\`${property}\``).join(' ')];
  });
  return table(['Element', 'What it does in ActiveMQ', 'Why', 'Its properties, with the same fate'], rows);
}

function renderRules(title: string, rules: Rules): string {
  return table(
    [title, 'Here', 'What it does in ActiveMQ', ''],
    Object.entries(rules).map(([name, { kind, does, here }]) => [`\`${name}\``, kind, does, here]),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cellText).join(' | ')} |`;
  return `${[line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')}\n`;
}

/** Text that Markdown shows as it is: code stays code, and other `<` are no HTML. */
function cellText(text: string): string {
  return text.replaceAll('|', '\\|').replace(/`[^`]*`|</g, (match) => (match === '<' ? '&lt;' : match));
}

function sentence({ does, here }: Disposition): string {
  const text = `${does[0]!.toUpperCase()}${does.slice(1)}`;
  return cellText(here === '' ? `${text}.` : `${text} (${here}).`);
}

function typeName({ kind, type }: PropertySchema): string {
  switch (kind.kind) {
    case 'integer':
      return type;
    case 'decimal':
      return 'number';
    case 'element':
    case 'elements':
      return kind.accepts.map((name) => `\`<${name}>\``).join(' ');
    default:
      return kind.kind;
  }
}
