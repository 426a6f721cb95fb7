/** Frames of a WebSocket client, byte by byte. */

export interface FrameFields {
  readonly opcode: number;
  readonly payload?: Buffer | string;
  readonly fin?: boolean;
  /** The three reserved bits, 0 to 7. */
  readonly reserved?: number;
  /** null: not masked. */
  readonly mask?: Buffer | null;
  /** How the length is written; the shortest way unless given. */
  readonly lengthBits?: 7 | 16 | 64;
  /** What the length says, where it is not the payload's. */
  readonly announced?: bigint;
}

const MASK = Buffer.from('37fa213d', 'hex');

export function clientFrame(fields: FrameFields): Buffer {
  const { opcode, fin = true, reserved = 0, mask = MASK } = fields;
  const payload = Buffer.from(fields.payload ?? '');
  const size = fields.announced ?? BigInt(payload.length);
  const bits = fields.lengthBits ?? (size < 126n ? 7 : size < 65_536n ? 16 : 64);
  const length = Buffer.alloc(1 + (bits === 7 ? 0 : bits / 8));
  length[0] = (mask === null ? 0 : 0x80) | (bits === 7 ? Number(size) : bits === 16 ? 126 : 127);
  if (bits === 16) length.writeUInt16BE(Number(size), 1);
  if (bits === 64) length.writeBigUInt64BE(size, 1);
  const first = Buffer.from([(fin ? 0x80 : 0) | (reserved << 4) | opcode]);
  const body = mask === null ? payload : payload.map((byte, i) => byte ^ mask[i % 4]!);
  return Buffer.concat([first, length, mask ?? Buffer.alloc(0), body]);
}

/** A Close frame of a client. */
export function clientClose(code: number, reason = ''): Buffer {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
  payload.writeUInt16BE(code, 0);
  payload.write(reason, 2);
  return clientFrame({ opcode: 8, payload });
}

/** The bytes that ask for a WebSocket; `fields` replace those of the request, null removes one. */
export function upgradeRequest(fields: Readonly<Record<string, string | null>> = {}, requestLine = 'GET /mqtt HTTP/1.1'): Buffer {
  const all: Record<string, string | null> = {
    Host: '127.0.0.1',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Protocol': 'mqtt',
    ...fields,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}`]));
  return Buffer.from(`${[requestLine, ...lines].join('\r\n')}\r\n\r\n`);
}

/** The answer to `upgradeRequest()`; the key and what comes of it are RFC 6455's own example. */
export const UPGRADE_ANSWER =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n';
