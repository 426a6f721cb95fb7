import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Arrival, Stage, StageOutcome } from './stage.ts';
import { StreamWire } from './stream-wire.ts';
import { WebSocketWire } from './websocket-wire.ts';

const NO_BYTES = Buffer.alloc(0);

/** Bytes of a request's headers that are read at most: browsers send some cookies along, nobody sends more than this. */
const HEADERS_SIZE_MAX = 16_384;

/** What a key is joined with before it is hashed. RFC 6455 section 1.3. */
const ACCEPT_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** What we read in the order of preference; a client that names none is taken for one of MQTT. */
const SUB_PROTOCOLS = ['mqtt', 'mqttv3.1'];

/** Frames of this many bytes are always taken, whatever the largest packet is: several small packets may come in one. */
const FRAME_SIZE_ALWAYS = 65_536;

/** Why a request is refused: an HTTP status, a sentence for people, and header fields that say what would do. */
interface Refusal {
  readonly status: string;
  readonly reason: string;
  readonly fields: readonly string[];
}

/** The opening handshake of WebSocket (RFC 6455 section 4.2), on any path. What follows are its frames. */
export class WebSocketStage implements Stage {
  readonly name = 'WebSocket';
  readonly #server: Server;
  readonly #frameSizeMax: number;
  readonly #arriving = new WeakMap<Duplex, { readonly arrival: Arrival; readonly outcome: StageOutcome }>();

  /** @param packetSizeMax largest packet that the protocol takes, in bytes */
  constructor(packetSizeMax: number) {
    this.#frameSizeMax = Math.max(packetSizeMax, FRAME_SIZE_ALWAYS);
    // It listens nowhere: it reads requests on sockets that it is given.
    this.#server = createServer({ maxHeaderSize: HEADERS_SIZE_MAX });
    this.#server.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket, head));
    this.#server.on('request', ({ socket }: IncomingMessage) => this.#refuse(socket, NO_UPGRADE));
    this.#server.on('clientError', (error: Error, socket: Duplex) => this.#refuse(socket, notHttp(error)));
  }

  begin(arrival: Arrival, outcome: StageOutcome): void {
    const { socket, head } = arrival;
    this.#arriving.set(socket, { arrival, outcome });
    if (head.length > 0) socket.unshift(head);
    this.#server.emit('connection', socket);
    socket.resume();
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const refusal = faultOf(request);
    if (refusal !== null) {
      this.#refuse(socket, refusal);
      return;
    }
    const { arrival, outcome } = this.#arriving.get(socket)!;
    socket.pause();
    if (head.length > 0) socket.unshift(head); // they are frames, which the wire reads
    const wire = new StreamWire(socket);
    wire.send(Buffer.from(acceptance(request)));
    outcome.done({ ...arrival, wire: new WebSocketWire(wire, this.#frameSizeMax), head: NO_BYTES });
  }

  #refuse(socket: Duplex, { status, reason, fields }: Refusal): void {
    const body = `${reason}\n`;
    const lines = [
      `HTTP/1.1 ${status}`,
      ...fields,
      'Connection: close',
      'Content-Type: text/plain; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    if (socket.writable) socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
    this.#arriving.get(socket)?.outcome.failed(reason);
  }
}

const NO_UPGRADE: Refusal = {
  status: '426 Upgrade Required',
  reason: 'MQTT over WebSocket is spoken here, and this is no request for a WebSocket.',
  fields: ['Upgrade: websocket'],
};

function notHttp(error: Error): Refusal {
  const code = 'code' in error ? error.code : '';
  if (code === 'HPE_HEADER_OVERFLOW')
    return {
      status: '431 Request Header Fields Too Large',
      reason: `The header fields have more than ${HEADERS_SIZE_MAX} bytes.`,
      fields: [],
    };
  return { status: '400 Bad Request', reason: `This is no HTTP request: ${error.message}`, fields: [] };
}

/** What keeps a request for an upgrade from being one for a WebSocket with MQTT in it; null: nothing. */
function faultOf({ method, httpVersion, headers }: IncomingMessage): Refusal | null {
  const bad = (reason: string): Refusal => ({ status: '400 Bad Request', reason, fields: [] });
  if (headers.upgrade?.toLowerCase() !== 'websocket') return NO_UPGRADE;
  if (method !== 'GET' || httpVersion !== '1.1')
    return bad(`A WebSocket is asked for by GET and HTTP/1.1, not ${method} and ${httpVersion}.`);
  if (headers['sec-websocket-version'] !== '13')
    return {
      status: '426 Upgrade Required',
      reason: `Sec-WebSocket-Version must be 13, and is ${headers['sec-websocket-version'] ?? 'missing'}.`,
      fields: ['Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
    };
  const key = headers['sec-websocket-key'];
  if (key === undefined || !/^[A-Za-z0-9+/]{22}==$/.test(key)) return bad('Sec-WebSocket-Key must be 16 bytes in base64.');
  // [MQTT-6.0.0-3] ![MQTT-6.0.0-3]: a client that offers no sub-protocol at all is taken, since nothing but MQTT is spoken here.
  const offered = subProtocols(headers['sec-websocket-protocol']);
  if (offered.length > 0 && chosenOf(offered) === undefined)
    return bad(`The sub-protocol must be ${SUB_PROTOCOLS.join(' or ')}, and ${offered.join(', ')} is offered.`);
  return null;
}

function acceptance({ headers }: IncomingMessage): string {
  const accept = createHash('sha1').update(`${headers['sec-websocket-key']}${ACCEPT_GUID}`).digest('base64');
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`];
  // [MQTT-6.0.0-4] ![MQTT-6.0.0-4]: who offers `mqttv3.1` alone, the name from before the standard, is answered with it.
  const subProtocol = chosenOf(subProtocols(headers['sec-websocket-protocol']));
  if (subProtocol !== undefined) lines.push(`Sec-WebSocket-Protocol: ${subProtocol}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function subProtocols(field = ''): string[] {
  return field
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

function chosenOf(offered: readonly string[]): string | undefined {
  return SUB_PROTOCOLS.find((name) => offered.includes(name));
}
