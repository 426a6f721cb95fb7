/**
 * The lines that HAProxy logs, character for character. Manual, section 8.2: "Log formats".
 */

/** Why a session ended, first letter. `-` is an orderly end. Manual, section 8.5: "Session state at disconnection". */
export type EndCause = '-' | 'C' | 'S' | 'P' | 'R' | 'I' | 'D' | 'K' | 'L' | 'c' | 's';
/** What the session was doing, second letter: waiting for the request, in the queue, connecting, moving data, sending the last of it. */
export type EndState = '-' | 'R' | 'Q' | 'C' | 'H' | 'D' | 'L';

export interface SessionRecord {
  /** `127.0.0.1:36026`, or `unix:1`. */
  readonly client: string;
  readonly acceptedAtMs: number;
  readonly frontend: string;
  readonly backend: string;
  /** null when no server was reached or chosen. */
  readonly server: string | null;
  /** Milliseconds in the queue; -1 when it was never left or entered. */
  readonly queueMs: number;
  /** Milliseconds to connect; -1 when no server answered. */
  readonly connectMs: number;
  readonly totalMs: number;
  /** Bytes from the server to the client. */
  readonly bytes: number;
  readonly cause: EndCause;
  readonly state: EndState;
  /** Connections when the line is written: process, frontend, backend, server. */
  readonly processConnections: number;
  readonly frontendConnections: number;
  readonly backendConnections: number;
  readonly serverConnections: number;
  readonly retries: number;
  /** The session went on to another server than the one first tried. */
  readonly redispatched: boolean;
  /** Sessions that left the server's and the backend's queue before this one. */
  readonly serverQueue: number;
  readonly backendQueue: number;
  /** Written when the session began (`option logasap`): total time and bytes are so far. */
  readonly early: boolean;
}

/** `%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq` */
export function formatTcpLog(r: SessionRecord): string {
  const soFar = r.early ? '+' : '';
  return (
    `${r.client} [${formatDate(r.acceptedAtMs)}] ${r.frontend} ${r.backend}/${r.server ?? '<NOSRV>'} ` +
    `${r.queueMs}/${r.connectMs}/${soFar}${r.totalMs} ${soFar}${r.bytes} ${r.cause}${r.state} ${formatLoad(r)}`
  );
}

/** A request that the statistics page answered, or nobody could: there is no server whose times and cookies could be told. */
export interface RequestRecord extends SessionRecord {
  /** 0 when there was no request. */
  readonly status: number;
  /** `GET /haproxy HTTP/1.1`; null when it was none. */
  readonly requestLine: string | null;
}

/** `%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %{+Q}r` */
export function formatHttpLog(r: RequestRecord): string {
  const requestMs = r.requestLine === null ? -1 : 0;
  const responseMs = r.server === null ? -1 : 0;
  const line = r.requestLine === null ? '<BADREQ>' : escapeText(r.requestLine);
  return (
    `${r.client} [${formatDate(r.acceptedAtMs)}] ${r.frontend} ${r.backend}/${r.server ?? '<NOSRV>'} ` +
    `${requestMs}/${r.queueMs}/${r.connectMs}/${responseMs}/${r.totalMs} ${r.status} ${r.bytes} - - ${r.cause}${r.state}-- ` +
    `${formatLoad(r)} "${line}"`
  );
}

function formatLoad(r: SessionRecord): string {
  return (
    `${r.processConnections}/${r.frontendConnections}/${r.backendConnections}/${r.serverConnections}/` +
    `${r.redispatched ? '+' : ''}${r.retries} ${r.serverQueue}/${r.backendQueue}`
  );
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** `22/Nov/2026:18:47:17.652`, local time. */
export function formatDate(wallMs: number): string {
  const d = new Date(wallMs);
  const date = `${two(d.getDate())}/${MONTHS[d.getMonth()]}/${d.getFullYear()}`;
  return `${date}:${formatTime(d)}.${String(d.getMilliseconds()).padStart(3, '0')}`;
}

/** `Nov  2 18:47:17`, local time: RFC 3164 pads the day with a space. */
export function formatSyslogDate(wallMs: number): string {
  const d = new Date(wallMs);
  return `${MONTHS[d.getMonth()]} ${String(d.getDate()).padStart(2, ' ')} ${formatTime(d)}`;
}

/** `2026-11-22T18:47:17.759172+01:00`. The clock has milliseconds; RFC 5424 wants up to six digits, as HAProxy writes. */
export function formatIsoDate(wallMs: number): string {
  const d = new Date(wallMs);
  const offset = -d.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  const micros = String(Math.floor((wallMs % 1_000) * 1_000)).padStart(6, '0');
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}T${formatTime(d)}.${micros}${zone}`;
}

function formatTime(d: Date): string {
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

function two(n: number): string {
  return String(n).padStart(2, '0');
}

/** What a client sent must not forge a line or end the quotes: such characters are written `#XX`. */
function escapeText(text: string): string {
  let escaped = '';
  for (const byte of Buffer.from(text, 'latin1')) {
    const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x23;
    escaped += plain ? String.fromCharCode(byte) : `#${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return escaped;
}
