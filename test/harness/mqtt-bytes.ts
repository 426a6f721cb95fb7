/**
 * MQTT packets put together by hand for tests: nothing of the code under test is used, and nothing is checked, so that wrong packets are
 * as easy to make as right ones.
 */

/** Parts of a packet: bytes, or a text as `bytes` reads it. */
export type Part = string | Buffer;

/**
 * Bytes as a specification prints them: hexadecimal digits with spaces at will, text in single quotes.
 *
 *     bytes("10 0c 0004 'MQTT' 04 02 003c 0000")
 */
export function bytes(...parts: readonly Part[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? parse(part) : part)));
}

function parse(text: string): Buffer {
  const found: Buffer[] = [];
  let hex = '';
  const flush = (): void => {
    if (hex.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(hex)) throw new Error(`not hexadecimal bytes: "${hex}" in "${text}"`);
    found.push(Buffer.from(hex, 'hex'));
    hex = '';
  };
  for (const [i, piece] of text.split("'").entries()) {
    if (i % 2 === 0) {
      hex += piece.replace(/\s+/g, '');
    } else {
      flush();
      found.push(Buffer.from(piece));
    }
  }
  flush();
  return Buffer.concat(found);
}

export function two(value: number): Buffer {
  return Buffer.from([value >> 8, value & 255]);
}

export function four(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}

/** A Variable Byte Integer. */
export function variable(value: number): Buffer {
  const found: number[] = [];
  let rest = value;
  do {
    found.push((rest & 127) | (rest >= 128 ? 128 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.from(found);
}

/** A UTF-8 string, or binary data, with its length in front. */
export function text(value: string | Buffer): Buffer {
  const content = Buffer.from(value);
  return Buffer.concat([two(content.length), content]);
}

/** Anything with its length in front as a Variable Byte Integer: properties. */
export function properties(...parts: readonly Part[]): Buffer {
  const content = bytes(...parts);
  return Buffer.concat([variable(content.length), content]);
}

/** One User Property, identifier included. */
export function userProperty(name: string, value: string): Buffer {
  return bytes('26', text(name), text(value));
}

/** A packet: its first byte, then the length of the parts, then the parts. */
export function packet(header: number, ...parts: readonly Part[]): Buffer {
  return Buffer.concat([Buffer.from([header]), properties(...parts)]);
}

export type Level = 3 | 4 | 5;

export interface WillFields {
  readonly topic: string;
  readonly payload?: string | Buffer;
  readonly qos?: number;
  readonly retain?: boolean;
  /** MQTT 5: content of the Will Properties. */
  readonly properties?: Part;
}

export interface ConnectFields {
  readonly clientId?: string;
  /** Default: true. */
  readonly clean?: boolean;
  /** Seconds; default 0. */
  readonly keepAlive?: number;
  readonly will?: WillFields;
  readonly userName?: string;
  readonly password?: string | Buffer;
  /** MQTT 5: content of the properties. */
  readonly properties?: Part;
}

export interface PublishFields {
  readonly topic: string;
  readonly payload?: string | Buffer;
  readonly qos?: number;
  readonly id?: number;
  readonly retain?: boolean;
  readonly dup?: boolean;
  /** MQTT 5: content of the properties. */
  readonly properties?: Part;
}

/** The packets of one protocol level. */
export class Packets {
  readonly level: Level;

  constructor(level: Level) {
    this.level = level;
  }

  connect(fields: ConnectFields = {}): Buffer {
    const { will } = fields;
    const flags =
      (fields.clean === false ? 0 : 2) |
      (will === undefined ? 0 : 4 | ((will.qos ?? 0) << 3) | (will.retain === true ? 0x20 : 0)) |
      (fields.password === undefined ? 0 : 0x40) |
      (fields.userName === undefined ? 0 : 0x80);
    const parts: Part[] = [text(this.level === 3 ? 'MQIsdp' : 'MQTT'), Buffer.from([this.level, flags]), two(fields.keepAlive ?? 0)];
    parts.push(this.#properties(fields.properties), text(fields.clientId ?? ''));
    if (will !== undefined) parts.push(this.#properties(will.properties), text(will.topic), text(will.payload ?? ''));
    if (fields.userName !== undefined) parts.push(text(fields.userName));
    if (fields.password !== undefined) parts.push(text(fields.password));
    return packet(0x10, ...parts);
  }

  publish(fields: PublishFields): Buffer {
    const qos = fields.qos ?? 0;
    return packet(
      0x30 | (fields.dup === true ? 8 : 0) | (qos << 1) | (fields.retain === true ? 1 : 0),
      text(fields.topic),
      qos === 0 ? '' : two(fields.id ?? 1),
      this.#properties(fields.properties),
      Buffer.from(fields.payload ?? ''),
    );
  }

  /** @param filters each with its options byte: the QoS before MQTT 5 */
  subscribe(id: number, filters: Readonly<Record<string, number>>, content?: Part): Buffer {
    const parts = Object.entries(filters).flatMap(([filter, options]) => [text(filter), Buffer.from([options])]);
    return packet(0x82, two(id), this.#properties(content), ...parts);
  }

  suback(id: number, ...codes: readonly number[]): Buffer {
    return packet(0x90, two(id), this.#properties(), Buffer.from(codes));
  }

  unsubscribe(id: number, ...filters: readonly string[]): Buffer {
    return packet(0xa2, two(id), this.#properties(), ...filters.map(text));
  }

  /** Codes are left out before MQTT 5. */
  unsuback(id: number, ...codes: readonly number[]): Buffer {
    return packet(0xb0, two(id), this.#properties(), this.level === 5 ? Buffer.from(codes) : '');
  }

  puback(id: number, reason?: number): Buffer {
    return acknowledgement(0x40, id, reason);
  }

  pubrec(id: number, reason?: number): Buffer {
    return acknowledgement(0x50, id, reason);
  }

  pubrel(id: number, reason?: number): Buffer {
    return acknowledgement(0x62, id, reason);
  }

  pubcomp(id: number, reason?: number): Buffer {
    return acknowledgement(0x70, id, reason);
  }

  disconnect(reason?: number, content?: Part): Buffer {
    return packet(0xe0, reason === undefined ? '' : Buffer.from([reason]), content === undefined ? '' : properties(content));
  }

  #properties(content: Part = ''): Buffer {
    return this.level === 5 ? properties(content) : Buffer.alloc(0);
  }
}

function acknowledgement(header: number, id: number, reason?: number): Buffer {
  return packet(header, two(id), reason === undefined ? '' : Buffer.from([reason]));
}

export const PINGREQ = Buffer.from('c000', 'hex');
export const PINGRESP = Buffer.from('d000', 'hex');

/** CONNACK of MQTT 3.1 and 3.1.1. */
export function connackV3(sessionPresent: boolean, code = 0): Buffer {
  return Buffer.from([0x20, 2, sessionPresent ? 1 : 0, code]);
}
