import { isIPv4, isIPv6 } from 'node:net';

/**
 * Addresses as HAProxy reads them (configuration manual section 11): an optional prefix for family and socket type, a host, a port.
 *
 * ```
 * 127.0.0.1:1883   *:1883   :1883   [::1]:1883   :::1883   localhost:1883
 * ipv4@10.0.0.1:1883   unix@/run/x.sock   /run/x.sock   abns@x   fd@3
 * ```
 */

export type AddressFamily = 'ip' | 'quic' | 'unix' | 'abstract' | 'fd' | 'socketpair';

export interface Address {
  readonly family: AddressFamily;
  readonly transport: 'stream' | 'datagram';
  /** Host as written, brackets removed; the path of a unix socket; the number of a descriptor. Empty: every address. */
  readonly host: string;
  /** `every`: any address of a version; `literal`: an IP address; `name`: needs resolving. */
  readonly hostKind: 'every' | 'literal' | 'name';
  /** Version that the address is bound to; null for a name without a prefix. */
  readonly ipVersion: 4 | 6 | null;
  /** 0 when left out. */
  readonly port: number;
  /** Last port of a range; equals `port` otherwise. */
  readonly lastPort: number;
  /** `+N` or `-N`: relative to the client's destination port; null when the port is absolute or left out. */
  readonly portOffset: number | null;
  /** Variables in the address that are not set: HAProxy puts nothing in their place. */
  readonly unsetVariables: readonly string[];
}

export type AddressResult = Address | { readonly error: string };

export interface AddressRules {
  /** Default: 'allowed'. */
  readonly port?: 'needed' | 'allowed' | 'forbidden';
  readonly range?: boolean;
  readonly offset?: boolean;
  /** Which transports are accepted; the first is the default. */
  readonly transports: readonly ('stream' | 'datagram')[];
  readonly descriptors?: boolean;
  /** Names are accepted; the caller resolves them. */
  readonly names?: boolean;
}

/** Longest path of a unix socket in bytes: sun_path, less the suffix that HAProxy adds while it switches sockets. */
const UNIX_PATH_MAX = 97;

/** Characters of the shortest address in brackets: `[::]`. */
const BRACKETED_MIN = 4;

const PREFIXES: readonly { prefix: string; family: AddressFamily; version?: 4 | 6; transport?: 'stream' | 'datagram' }[] = [
  { prefix: 'unix@', family: 'unix' },
  { prefix: 'uxdg@', family: 'unix', transport: 'datagram' },
  { prefix: 'uxst@', family: 'unix', transport: 'stream' },
  { prefix: 'abns@', family: 'abstract' },
  { prefix: 'ip@', family: 'ip' },
  { prefix: 'ipv4@', family: 'ip', version: 4 },
  { prefix: 'ipv6@', family: 'ip', version: 6 },
  { prefix: 'tcp4@', family: 'ip', version: 4, transport: 'stream' },
  { prefix: 'udp4@', family: 'ip', version: 4, transport: 'datagram' },
  { prefix: 'tcp6@', family: 'ip', version: 6, transport: 'stream' },
  { prefix: 'udp6@', family: 'ip', version: 6, transport: 'datagram' },
  { prefix: 'tcp@', family: 'ip', transport: 'stream' },
  { prefix: 'udp@', family: 'ip', transport: 'datagram' },
  { prefix: 'quic4@', family: 'quic', version: 4 },
  { prefix: 'quic6@', family: 'quic', version: 6 },
  { prefix: 'fd@', family: 'fd' },
  { prefix: 'sockpair@', family: 'socketpair' },
];

/** Reads one address. The error is HAProxy's sentence, without the place. */
export function parseAddress(text: string, rules: AddressRules, variable: (name: string) => string | undefined): AddressResult {
  const unset: string[] = [];
  let rest = expandVariables(text, variable, unset);
  // The empty line that follows this and two other sentences is HAProxy's.
  if (rest === '') return { error: `'${text}' resolves to an empty address (environment variable missing?)\n` };

  let transport = rules.transports[0]!;
  for (const [prefix, kind] of [
    ['stream+', 'stream'],
    ['dgram+', 'datagram'],
  ] as const) {
    if (!rest.startsWith(prefix)) continue;
    rest = rest.slice(prefix.length);
    transport = kind;
    break;
  }
  const known = PREFIXES.find((candidate) => rest.startsWith(candidate.prefix));
  const family = known?.family ?? (rest.startsWith('/') ? 'unix' : 'ip');
  if (known) rest = rest.slice(known.prefix.length);
  transport = known?.transport ?? transport;

  const wrongTransport = (): { error: string } | null =>
    rules.transports.includes(transport)
      ? null
      : { error: `${transport === 'stream' ? 'stream' : 'dgram'}-type address not acceptable in '${text}'\n` };

  if (family === 'fd' || family === 'socketpair') {
    if (!/^[ \t]*\+?[0-9]+$/.test(rest)) return { error: `file descriptor '${rest}' is not a valid integer in '${text}'\n` };
    if (!rules.descriptors) return { error: `a file descriptor is not acceptable here in '${text}'\n` };
    return wrongTransport() ?? plainAddress(family, transport, rest, unset);
  }
  if (family === 'unix' || family === 'abstract') {
    if (Buffer.byteLength(rest) > UNIX_PATH_MAX) return { error: `socket path '${rest}' too long (max ${UNIX_PATH_MAX})\n` };
    return wrongTransport() ?? plainAddress(family, transport, rest, unset);
  }

  const separator = portSeparator(rest);
  const host = separator < 0 ? rest : rest.slice(0, separator);
  const portText = separator < 0 ? '' : rest.slice(separator + 1);
  if (separator >= 0 && rules.port === 'forbidden') return { error: `port specification not permitted here in '${text}'` };
  if (separator < 0 && rules.port === 'needed') return { error: `missing port specification in '${text}'` };
  const port = parsePort(portText, text, rules);
  if ('error' in port) return port;

  const parsed = parseHost(host, known?.version ?? null);
  if (parsed === null || (parsed.hostKind === 'name' && !rules.names)) {
    return { error: `invalid address: '${host}' in '${text}'\n` };
  }
  if (family === 'quic') {
    // What a HAProxy without QUIC says; 2 and 10 are the numbers of the address families in Linux.
    const number = known?.version === 6 ? 10 : 2;
    const hint = 'QUIC is not compiled in if this is what you were looking for.';
    return { error: `unsupported stream protocol for datagram family ${number} address '${text}'; ${hint}\n` };
  }
  return wrongTransport() ?? { family: 'ip', transport, ...parsed, ...port, unsetVariables: unset };
}

function plainAddress(family: AddressFamily, transport: 'stream' | 'datagram', host: string, unset: readonly string[]): Address {
  return {
    family,
    transport,
    host,
    hostKind: 'literal',
    ipVersion: null,
    port: 0,
    lastPort: 0,
    portOffset: null,
    unsetVariables: unset,
  };
}

/** Offset of the colon before the port: the last one, unless a closing bracket comes after it. The first character never is one... */
function portSeparator(text: string): number {
  for (let i = text.length - 1; i > 0; i--) {
    if (text[i] === ']') return -1;
    if (text[i] === ':') return i;
  }
  // ...unless it is all there is before the port, as in `:1883`.
  return text[0] === ':' ? 0 : -1;
}

interface Port {
  readonly port: number;
  readonly lastPort: number;
  readonly portOffset: number | null;
}

function parsePort(portText: string, text: string, rules: AddressRules): Port | { error: string } {
  if (/^[0-9]/.test(portText)) {
    const dash = portText.indexOf('-');
    if (dash >= 0 && !rules.range) return { error: `port range not permitted here in '${text}'` };
    const first = dash < 0 ? portText : portText.slice(0, dash);
    const last = dash < 0 ? first : portText.slice(dash + 1);
    const lowest = rules.port === 'needed' ? 1 : 0;
    const port = leadingInteger(first);
    const lastPort = leadingInteger(last);
    if (port < lowest || port > 65535) return { error: `invalid port '${first}'` };
    if (lastPort < lowest || lastPort > 65535) return { error: `invalid port '${last}'` };
    if (port > lastPort) return { error: `invalid port range '${port}-${lastPort}'` };
    return { port, lastPort, portOffset: null };
  }
  if (portText.startsWith('-') || portText.startsWith('+')) {
    if (!rules.offset) return { error: `port offset not permitted here in '${text}'` };
    const offset = leadingInteger(portText.slice(1));
    return { port: 0, lastPort: 0, portOffset: portText.startsWith('-') ? -offset : offset };
  }
  if (portText !== '') return { error: `invalid character '${portText[0]}' in port number '${portText}' in '${text}'\n` };
  if (rules.port === 'needed') return { error: `missing port specification in '${text}'\n` };
  return { port: 0, lastPort: 0, portOffset: null };
}

/** C's atoi() for digits: what follows them is ignored. */
function leadingInteger(text: string): number {
  return Number(/^[0-9]*/.exec(text)![0] || '0');
}

function parseHost(host: string, version: 4 | 6 | null): Pick<Address, 'host' | 'hostKind' | 'ipVersion'> | null {
  if (host.startsWith('[')) {
    const inner = parseHost(host.slice(1, -1), version);
    return host.endsWith(']') && host.length >= BRACKETED_MIN && inner !== null && inner.hostKind !== 'name' ? inner : null;
  }
  if (host === '::') return { host: '', hostKind: 'every', ipVersion: 6 };
  if (host === '' || host === '*') return { host: '', hostKind: 'every', ipVersion: version ?? 4 };
  if (version !== 4 && isIPv6(host) && !host.includes('%')) return { host, hostKind: 'literal', ipVersion: 6 };
  if (version !== 6 && isIPv4(host)) {
    return host === '0.0.0.0' ? { host: '', hostKind: 'every', ipVersion: 4 } : { host, hostKind: 'literal', ipVersion: 4 };
  }
  return { host, hostKind: 'name', ipVersion: version };
}

/** `$NAME` and `${NAME}`, also outside quotes: addresses are the one place where HAProxy does that. There are no defaults here. */
function expandVariables(text: string, variable: (name: string) => string | undefined, unset: string[]): string {
  return text.replace(/\$(?:\{([A-Za-z0-9_]*)\}?|([A-Za-z0-9_]*))/g, (_, braced?: string, bare?: string) => {
    const name = braced ?? bare ?? '';
    const value = variable(name);
    if (value === undefined) unset.push(name);
    return value ?? '';
  });
}
