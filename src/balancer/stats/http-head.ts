/**
 * The head of an HTTP/1 request: as much of RFC 9112 as the statistics page needs, and strict, since anybody may knock at its door.
 */

/** HAProxy's `tune.bufsize`: a head that does not fit is a bad request. In bytes. */
export const HEAD_MAX_BYTES = 16_384;

export interface RequestHead {
  readonly method: string;
  readonly target: string;
  /** `HTTP/1.0` or `HTTP/1.1`. */
  readonly version: string;
  /** Names in lower case; of a repeated field the values are joined by commas. */
  readonly headers: ReadonlyMap<string, string>;
  /** Bytes of the head, with the empty line. */
  readonly length: number;
}

/** @returns `'more'` when the head is not whole yet, `'bad'` when it can never be one */
export function parseHead(bytes: Buffer): RequestHead | 'more' | 'bad' {
  const start = skipEmptyLines(bytes);
  const end = findEnd(bytes, start);
  if (end === null) return bytes.length > HEAD_MAX_BYTES || isHopeless(bytes, start) ? 'bad' : 'more';
  if (end > HEAD_MAX_BYTES) return 'bad';
  const lines = bytes.toString('latin1', start, end).trimEnd().split(/\r?\n/);
  const request = REQUEST_LINE.exec(lines[0] ?? '');
  if (request === null) return 'bad';
  const headers = new Map<string, string>();
  for (const line of lines.slice(1)) {
    const field = FIELD_LINE.exec(line);
    if (field === null) return 'bad';
    const name = field[1]!.toLowerCase();
    const value = field[2]!.trim();
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return { method: request[1]!, target: request[2]!, version: request[3]!, headers, length: end };
}

const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e]+) (HTTP\/1\.[01])$/;
const FIELD_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t\x20-\x7e\x80-\xff]*)$/;

/** RFC 9112 section 2.2: a server ignores at least one empty line before the request line. */
function skipEmptyLines(bytes: Buffer): number {
  let at = 0;
  while (bytes[at] === 0x0d || bytes[at] === 0x0a) at++;
  return at;
}

/** Where the empty line ends; a lone LF ends a line too. */
function findEnd(bytes: Buffer, start: number): number | null {
  let at = start;
  for (;;) {
    const lineFeed = bytes.indexOf(0x0a, at);
    if (lineFeed < 0) return null;
    if (bytes[lineFeed + 1] === 0x0a) return lineFeed + 2;
    if (bytes[lineFeed + 1] === 0x0d && bytes[lineFeed + 2] === 0x0a) return lineFeed + 3;
    at = lineFeed + 1;
  }
}

/** True for what no rest can make a request: TLS or MQTT at the wrong port need not wait for a time-out. */
function isHopeless(bytes: Buffer, start: number): boolean {
  const first = bytes[start];
  return first !== undefined && (first < 0x21 || first > 0x7e);
}
