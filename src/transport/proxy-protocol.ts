import { isIPv4, isIPv6 } from 'node:net';
import { crc32c } from '../bytes/crc32c.ts';
import { decodeUtf8 } from '../bytes/utf8.ts';
import { CodedError } from '../errors.ts';
import { canonicalIPv6, type Endpoint } from './endpoint.ts';

/*
 * The PROXY protocol, versions 1 and 2: what a proxy says of its client in front of the client's bytes. Sections are those of
 * HAProxy's proxy-protocol.txt.
 */

/** First bytes of a version 1 header. Section 2.1. */
export const SIGNATURE_V1 = Buffer.from('PROXY ', 'latin1');
/** First bytes of a version 2 header. Section 2.2. */
export const SIGNATURE_V2 = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]);

/** Longest version 1 header in bytes, its CR LF counted. Section 2.1. */
export const HEADER_V1_SIZE_MAX = 107;
/** Bytes in front of the addresses of a version 2 header. Section 2.2. */
export const HEADER_V2_FIXED_SIZE = 16;
/**
 * Longest version 2 header accepted, in bytes. The format allows 65,551; HAProxy builds headers in a buffer of 16 KB, and a certificate
 * in them is a few.
 */
export const HEADER_V2_SIZE_MAX = 16_384;

/** Commands. Section 2.2. */
export const LOCAL = 0,
  PROXY = 1;
/** Address families. Section 2.2. */
export const UNSPEC = 0,
  INET = 1,
  INET6 = 2,
  UNIX = 3;
/** Transport protocols; 0 is unspecified here too. Section 2.2. */
export const STREAM = 1,
  DGRAM = 2;
/** Bytes of both addresses and, where there are any, both ports, by family. Section 2.2. */
const ADDRESS_BLOCK_SIZES = [0, 12, 36, 216] as const;
/** Bytes of one path in an address block of the unix family. Section 2.2. */
export const UNIX_PATH_SIZE = 108;

/** Types of the values behind the addresses. Section 2.2. */
export const PP2_TYPE_AUTHORITY = 0x02,
  PP2_TYPE_CRC32C = 0x03,
  PP2_TYPE_UNIQUE_ID = 0x05,
  PP2_TYPE_SSL = 0x20,
  PP2_SUBTYPE_SSL_VERSION = 0x21,
  PP2_SUBTYPE_SSL_CN = 0x22;
/** Flags of PP2_TYPE_SSL's `client`. Section 2.2.6. */
export const PP2_CLIENT_SSL = 0x01,
  PP2_CLIENT_CERT_CONN = 0x02,
  PP2_CLIENT_CERT_SESS = 0x04;

/** What a PROXY header says. */
export interface ProxyHeader {
  readonly version: 1 | 2;
  /** Bytes of the whole header: the client's own begin behind them. */
  readonly size: number;
  /** The client of the proxy. null when the header names none (LOCAL, UNKNOWN, UNSPEC): the connection's own addresses hold. */
  readonly source: Endpoint | null;
  /** Where the client connected to; null exactly when `source` is. */
  readonly destination: Endpoint | null;
  /** The host name that the client asked for, mostly TLS's server name; null: not said. */
  readonly authority: string | null;
  /** What the proxy says of TLS between the client and itself; null: nothing. */
  readonly tls: ProxyTls | null;
}

export interface ProxyTls {
  /** Whether the client came over TLS. */
  readonly used: boolean;
  /** `TLSv1.3`; null: not said. */
  readonly version: string | null;
  /** Whether the client has shown a certificate, now or earlier in the same TLS session, and the proxy found it to be in order. */
  readonly verified: boolean;
  /** The Common Name of the client's certificate, verified or not; null: not said. */
  readonly commonName: string | null;
}

/** A PROXY header that is not as the specification wants it. The connection must be closed: who its client is cannot be known. */
export class ProxyHeaderError extends CodedError {
  constructor(message: string) {
    super('PROXY_HEADER_MALFORMED', `PROXY header: ${message}`, 'peer');
  }
}

/**
 * Reads a header from the first bytes of a connection, `buffer[start, end)`. Call it with all of them again when more have come.
 *
 * @returns the header; `incomplete` when these bytes may become one; `absent` when they cannot
 * @throws ProxyHeaderError when they begin one and it is malformed; more bytes would not mend it
 */
export function readProxyHeader(buffer: Buffer, start: number, end: number): ProxyHeader | 'incomplete' | 'absent' {
  if (beginsWith(buffer, start, end, SIGNATURE_V2)) {
    return end - start < SIGNATURE_V2.length ? 'incomplete' : readVersion2(buffer, start, end);
  }
  if (beginsWith(buffer, start, end, SIGNATURE_V1)) {
    return end - start < SIGNATURE_V1.length ? 'incomplete' : readVersion1(buffer, start, end);
  }
  return 'absent';
}

/** Whether bytes of which there is at least one begin a header, well-formed or not; `maybe`: more of them will show. */
export function beginsProxyHeader(buffer: Buffer, start: number, end: number): 'yes' | 'no' | 'maybe' {
  for (const signature of [SIGNATURE_V2, SIGNATURE_V1]) {
    if (beginsWith(buffer, start, end, signature)) return end - start < signature.length ? 'maybe' : 'yes';
  }
  return 'no';
}

/** Whether the bytes are the signature, begin with it or are its beginning. */
function beginsWith(buffer: Buffer, start: number, end: number, signature: Buffer): boolean {
  const length = Math.min(end - start, signature.length);
  return buffer.compare(signature, 0, length, start, start + length) === 0;
}

// ── version 1: one line of text ──────────────────────────────────────────────────────────────────────────────────────────────────

function readVersion1(buffer: Buffer, start: number, end: number): ProxyHeader | 'incomplete' {
  const limit = Math.min(end, start + HEADER_V1_SIZE_MAX);
  const lineFeed = buffer.subarray(start, limit).indexOf(0x0a);
  if (lineFeed < 0) {
    if (limit - start === HEADER_V1_SIZE_MAX) throw new ProxyHeaderError(`no CR LF in the first ${HEADER_V1_SIZE_MAX} bytes`);
    return 'incomplete';
  }
  if (buffer[start + lineFeed - 1] !== 0x0d) throw new ProxyHeaderError('the line ends with LF alone: CR LF was expected');
  const line = buffer.toString('latin1', start, start + lineFeed - 1);
  const [, protocol, sourceAddress = '', destinationAddress = '', sourcePort = '', destinationPort = '', ...rest] = line.split(' ');
  const header = { version: 1, size: lineFeed + 1, authority: null, tls: null } as const;
  if (protocol === 'UNKNOWN') return { ...header, source: null, destination: null };
  if (protocol !== 'TCP4' && protocol !== 'TCP6') {
    throw new ProxyHeaderError(`protocol ${JSON.stringify(protocol)}: TCP4, TCP6 or UNKNOWN was expected`);
  }
  if (rest.length > 0) throw new ProxyHeaderError(`${JSON.stringify(rest.join(' '))} stands behind the last port`);
  const address = protocol === 'TCP4' ? ipv4Of : ipv6Of;
  const [from, to] = [address(sourceAddress, 'source'), address(destinationAddress, 'destination')];
  return {
    ...header,
    source: { address: from, port: portOf(sourcePort, 'source') },
    destination: { address: to, port: portOf(destinationPort, 'destination') },
  };
}

function ipv4Of(text: string, what: string): string {
  if (!isIPv4(text)) throw new ProxyHeaderError(`${what} address ${JSON.stringify(text)}: an IPv4 address was expected`);
  return text;
}

function ipv6Of(text: string, what: string): string {
  if (!isIPv6(text) || text.includes('%')) {
    throw new ProxyHeaderError(`${what} address ${JSON.stringify(text)}: an IPv6 address was expected`);
  }
  return canonicalIPv6(text);
}

function portOf(text: string, what: string): number {
  const port = /^(?:0|[1-9][0-9]{0,4})$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) throw new ProxyHeaderError(`${what} port ${JSON.stringify(text)}: 0 to 65535 was expected`);
  return port;
}

// ── version 2: binary ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * ```
 *  0            12        13              14      16
 * | signature | 2 | cmd | family | proto | length | source, destination, ports | type, length, value | ... |
 * ```
 */
function readVersion2(buffer: Buffer, start: number, end: number): ProxyHeader | 'incomplete' {
  const command = readCommand(buffer, start, end);
  if (end - start < HEADER_V2_FIXED_SIZE) return 'incomplete';
  const size = HEADER_V2_FIXED_SIZE + buffer.readUInt16BE(start + 14);
  if (size > HEADER_V2_SIZE_MAX) throw new ProxyHeaderError(`${size} bytes were announced: at most ${HEADER_V2_SIZE_MAX} are accepted`);
  const nothing = { version: 2, size, source: null, destination: null, authority: null, tls: null } as const;
  const family = buffer[start + 13]! >> 4;
  const transport = buffer[start + 13]! & 15;
  const addressSize = ADDRESS_BLOCK_SIZES[family];
  if (command === PROXY) {
    if (addressSize === undefined) throw new ProxyHeaderError(`address family ${family}: 0 to 3 was expected`);
    if (transport > DGRAM) throw new ProxyHeaderError(`transport protocol ${transport}: 0 to 2 was expected`);
    if (size < HEADER_V2_FIXED_SIZE + addressSize) {
      throw new ProxyHeaderError(`${size - HEADER_V2_FIXED_SIZE} bytes behind the length: addresses of this family take ${addressSize}`);
    }
  }
  if (end - start < size) return 'incomplete';
  if (command === LOCAL || addressSize === undefined) return nothing; // "discard the protocol block including the family"
  const values = readValues(buffer.subarray(start, start + size), HEADER_V2_FIXED_SIZE + addressSize);
  if (transport === UNSPEC) return { ...nothing, ...values };
  return { ...nothing, ...values, ...readAddresses(buffer, start + HEADER_V2_FIXED_SIZE, family) };
}

function readCommand(buffer: Buffer, start: number, end: number): number {
  if (end - start <= SIGNATURE_V2.length) return LOCAL;
  const byte = buffer[start + SIGNATURE_V2.length]!;
  if (byte >> 4 !== 2) throw new ProxyHeaderError(`version ${byte >> 4} in a header of version 2`);
  const command = byte & 15;
  if (command !== LOCAL && command !== PROXY) throw new ProxyHeaderError(`command ${command}: 0 (LOCAL) or 1 (PROXY) was expected`);
  return command;
}

function readAddresses(buffer: Buffer, at: number, family: number): { source: Endpoint; destination: Endpoint } | null {
  switch (family) {
    case INET:
      return {
        source: { address: buffer.subarray(at, at + 4).join('.'), port: buffer.readUInt16BE(at + 8) },
        destination: { address: buffer.subarray(at + 4, at + 8).join('.'), port: buffer.readUInt16BE(at + 10) },
      };
    case INET6:
      return {
        source: { address: ipv6At(buffer, at), port: buffer.readUInt16BE(at + 32) },
        destination: { address: ipv6At(buffer, at + 16), port: buffer.readUInt16BE(at + 34) },
      };
    case UNIX:
      return {
        source: { address: pathAt(buffer, at), port: null },
        destination: { address: pathAt(buffer, at + UNIX_PATH_SIZE), port: null },
      };
    default:
      return null;
  }
}

function ipv6At(buffer: Buffer, at: number): string {
  const groups = Array.from({ length: 8 }, (_, i) => buffer.readUInt16BE(at + 2 * i).toString(16));
  return canonicalIPv6(groups.join(':'));
}

/** Up to the first zero byte; an abstract name, which begins with one, is written with @ as Linux tools do. Empty for an unnamed socket. */
function pathAt(buffer: Buffer, at: number): string {
  const bytes = buffer.subarray(at, at + UNIX_PATH_SIZE);
  const abstract = bytes[0] === 0 && bytes.some((byte) => byte !== 0);
  const name = abstract ? bytes.subarray(1) : bytes;
  const end = name.indexOf(0);
  return `${abstract ? '@' : ''}${name.toString('utf8', 0, end < 0 ? name.length : end)}`;
}

/** Reads the values behind the addresses, `header[at, end)`; those of types that are not asked for are skipped. */
function readValues(header: Buffer, at: number): Pick<ProxyHeader, 'authority' | 'tls'> {
  let authority: string | null = null;
  let tls: ProxyTls | null = null;
  eachValue(header, at, header.length, (type, start, end) => {
    if (type === PP2_TYPE_AUTHORITY) authority = textOf(header, start, end, 'authority');
    else if (type === PP2_TYPE_SSL) tls = readTls(header, start, end);
    else if (type === PP2_TYPE_CRC32C) checkSum(header, start, end);
  });
  return { authority, tls };
}

/** Section 2.2.6. */
function readTls(header: Buffer, start: number, end: number): ProxyTls {
  if (end - start < 5) throw new ProxyHeaderError(`the value about TLS has ${end - start} bytes: at least 5 were expected`);
  const client = header[start]!;
  const result = header.readUInt32BE(start + 1);
  let version: string | null = null;
  let commonName: string | null = null;
  eachValue(header, start + 5, end, (type, valueStart, valueEnd) => {
    if (type === PP2_SUBTYPE_SSL_VERSION) version = textOf(header, valueStart, valueEnd, 'TLS version');
    else if (type === PP2_SUBTYPE_SSL_CN) commonName = textOf(header, valueStart, valueEnd, 'Common Name');
  });
  const used = (client & PP2_CLIENT_SSL) !== 0;
  const shown = (client & (PP2_CLIENT_CERT_CONN | PP2_CLIENT_CERT_SESS)) !== 0;
  // A client without a certificate has a result of 0 too: nothing was wrong with what was not there.
  return { used, version, verified: used && shown && result === 0, commonName };
}

/** Section 2.2.3. */
function checkSum(header: Buffer, start: number, end: number): void {
  if (end - start !== 4) throw new ProxyHeaderError(`the checksum has ${end - start} bytes: 4 were expected`);
  const announced = header.readUInt32BE(start);
  const zeroed = Buffer.from(header);
  zeroed.fill(0, start, end);
  const computed = crc32c(zeroed);
  if (computed !== announced) {
    throw new ProxyHeaderError(`the checksum is ${announced.toString(16)}, and ${computed.toString(16)} was expected`);
  }
}

/** Calls `visit` for each value. Two answers to one question are not taken: which of them would be believed elsewhere cannot be known. */
function eachValue(header: Buffer, from: number, to: number, visit: (type: number, start: number, end: number) => void): void {
  const seen = new Set<number>();
  for (let at = from; at < to; ) {
    if (to - at < 3) throw new ProxyHeaderError(`${to - at} bytes at byte ${at}: a type and a length were expected`);
    const type = header[at]!;
    const start = at + 3;
    const end = start + header.readUInt16BE(at + 1);
    if (end > to) throw new ProxyHeaderError(`the value of type ${hex(type)} has ${end - start} bytes, ${to - start} are left`);
    if (seen.has(type) && UNIQUE.has(type)) throw new ProxyHeaderError(`the value of type ${hex(type)} is given twice`);
    seen.add(type);
    visit(type, start, end);
    at = end;
  }
}

const UNIQUE: ReadonlySet<number> = new Set([
  PP2_TYPE_AUTHORITY,
  PP2_TYPE_CRC32C,
  PP2_TYPE_SSL,
  PP2_SUBTYPE_SSL_VERSION,
  PP2_SUBTYPE_SSL_CN,
]);

/** null when it is empty. */
function textOf(header: Buffer, start: number, end: number, what: string): string | null {
  if (start === end) return null;
  const text = decodeUtf8(header, start, end);
  if (text === null) throw new ProxyHeaderError(`the ${what} is not UTF-8, or has U+0000 in it`);
  return text;
}

function hex(type: number): string {
  return `0x${type.toString(16).padStart(2, '0')}`;
}
