/** Largest TCP and UDP port. */
export const PORT_MAX = 65_535;

/** One `name=value` behind the `?` of a URI, percent-decoded. The indexes point into the URI's text. */
export interface UriOption {
  readonly name: string;
  readonly value: string;
  readonly nameIndex: number;
  readonly valueIndex: number;
}

/** `mqtt+nio://0.0.0.0:1883?maximumConnections=1000` */
export interface ConnectorUri {
  readonly kind: 'plain';
  readonly scheme: string;
  /** Without the brackets of an IPv6 address; empty when the URI names none. */
  readonly host: string;
  readonly hostIndex: number;
  /** null when the URI names none. */
  readonly port: number | null;
  /** With its leading `/`; empty for none. */
  readonly path: string;
  readonly options: readonly UriOption[];
}

/** `static:(tcp://a:61616,tcp://b:61616)?options`, also with `//` before the parenthesis, and `static://tcp://a:61616`. */
export interface CompositeUri {
  readonly kind: 'composite';
  readonly scheme: string;
  /** With the white space around them, which lists may have. */
  readonly components: readonly { readonly text: string; readonly index: number }[];
  readonly options: readonly UriOption[];
}

export interface UriProblem {
  readonly kind: 'problem';
  /** Index in the URI's text where it goes wrong. */
  readonly index: number;
  readonly message: string;
}

/** Reads a connector's URI in ActiveMQ's forms. Schemes and options are not judged here. */
export function parseConnectorUri(text: string): ConnectorUri | CompositeUri | UriProblem {
  if (text === '') return { kind: 'problem', index: 0, message: 'the URI is empty' };
  const illegal = /[<>"{}|\\^`]/.exec(text);
  if (illegal !== null) return { kind: 'problem', index: illegal.index, message: `"${illegal[0]}" is not allowed in a URI` };
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1];
  if (scheme === undefined) return { kind: 'problem', index: 0, message: 'a URI begins with a scheme, such as tcp://' };
  const afterScheme = scheme.length + 1;
  const body = text.startsWith('//', afterScheme) ? afterScheme + 2 : afterScheme;
  if (text[body] === '(') return parseComposite(text, scheme, body);
  if (/^[A-Za-z][A-Za-z0-9+.-]*:(?:\/\/|\()/.test(text.slice(body))) {
    return { kind: 'composite', scheme, components: splitComponents(text, body, text.length), options: [] };
  }
  return parsePlain(text, scheme, body);
}

function parsePlain(text: string, scheme: string, start: number): ConnectorUri | UriProblem {
  const space = text.search(/\s/);
  if (space >= 0) return whiteSpaceAt(space);
  const end = text.slice(start).search(/[?#]/);
  const hierarchyEnd = end < 0 ? text.length : start + end;
  const slash = text.indexOf('/', start);
  const authorityEnd = slash >= 0 && slash < hierarchyEnd ? slash : hierarchyEnd;
  const authority = text.slice(start, authorityEnd);
  const hostStart = start + authority.lastIndexOf('@') + 1;
  const matched = /^(?:\[([0-9A-Fa-f:.%]+)\]|([^:[\]]*))(?::(\d*))?$/.exec(text.slice(hostStart, authorityEnd));
  if (matched === null) {
    return { kind: 'problem', index: hostStart, message: `"${text.slice(hostStart, authorityEnd)}" is not host:port` };
  }
  const port = matched[3] === undefined || matched[3] === '' ? null : Number(matched[3]);
  if (port !== null && port > PORT_MAX) {
    return { kind: 'problem', index: authorityEnd - matched[3]!.length, message: `port ${matched[3]} is above ${PORT_MAX}` };
  }
  const options = parseOptions(text, hierarchyEnd);
  if (!Array.isArray(options)) return options;
  return {
    kind: 'plain',
    scheme,
    host: matched[1] ?? matched[2] ?? '',
    hostIndex: hostStart,
    port,
    path: text.slice(authorityEnd, hierarchyEnd),
    options,
  };
}

function parseComposite(text: string, scheme: string, open: number): CompositeUri | UriProblem {
  const close = closingParenthesis(text, open);
  if (close < 0) return { kind: 'problem', index: open, message: 'this "(" has no closing ")"' };
  const rest = text.slice(close + 1);
  if (/\s/.test(rest)) return whiteSpaceAt(close + 1 + rest.search(/\s/));
  if (rest !== '' && !rest.startsWith('?') && !rest.startsWith('#')) {
    return { kind: 'problem', index: close + 1, message: `expected "?" and options behind ")", found "${rest}"` };
  }
  const options = parseOptions(text, close + 1);
  if (!Array.isArray(options)) return options;
  return { kind: 'composite', scheme, components: splitComponents(text, open + 1, close), options };
}

function whiteSpaceAt(index: number): UriProblem {
  return { kind: 'problem', index, message: 'white space is not allowed in a URI' };
}

function closingParenthesis(text: string, open: number): number {
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (text[i] === '(') depth++;
    else if (text[i] === ')' && --depth === 0) return i;
  }
  return -1;
}

/** The parts between commas that stand in no inner parenthesis; empty ones left out. */
function splitComponents(text: string, start: number, end: number): { text: string; index: number }[] {
  const components: { text: string; index: number }[] = [];
  let depth = 0;
  let from = start;
  for (let i = start; i <= end; i++) {
    const c = i === end ? ',' : text[i];
    if (c === '(') depth++;
    else if (c === ')') depth--;
    else if (c === ',' && (depth <= 0 || i === end)) {
      if (text.slice(from, i).trim() !== '') components.push({ text: text.slice(from, i), index: from });
      from = i + 1;
    }
  }
  return components;
}

/** @param from index of the `?`, of a fragment's `#`, or of the end */
function parseOptions(text: string, from: number): UriOption[] | UriProblem {
  const options: UriOption[] = [];
  if (text[from] !== '?') return options;
  const fragment = text.indexOf('#', from);
  const end = fragment < 0 ? text.length : fragment;
  for (let start = from + 1; start < end; ) {
    const ampersand = text.indexOf('&', start);
    const optionEnd = ampersand < 0 || ampersand > end ? end : ampersand;
    const equals = text.indexOf('=', start);
    if (optionEnd > start && (equals < 0 || equals >= optionEnd)) {
      return { kind: 'problem', index: start, message: `option ${text.slice(start, optionEnd)} has no value: write name=value` };
    }
    if (optionEnd > start) {
      const name = percentDecoded(text.slice(start, equals));
      const value = percentDecoded(text.slice(equals + 1, optionEnd));
      if (name === null || value === null) {
        return { kind: 'problem', index: start, message: '"%" must be followed by two hexadecimal digits' };
      }
      options.push({ name, value, nameIndex: start, valueIndex: equals + 1 });
    }
    start = optionEnd + 1;
  }
  return options;
}

/** `%XX` and `+` as in a form; null when they cannot be decoded. */
function percentDecoded(text: string): string | null {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}
