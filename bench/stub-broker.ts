/**
 * The least that can be called a broker: QoS 0, exact topics and `prefix/+`, bytes passed on as they came. It tells what
 * the load generator can do when nothing else is the bottleneck; it is not a broker to compare with.
 *
 *     node dist/bench/stub-broker.js PORT
 */
import { createServer, type Socket } from 'node:net';
import { FrameSplitter } from './frame-splitter.ts';
import { DISCONNECT, PUBLISH } from './frames.ts';

const CONNECT = 1;
const SUBSCRIBE = 8;

/** The protocol level's place in CONNECT's variable header, behind the name "MQTT". MQTT 5.0 section 3.1.2.2. */
const PROTOCOL_LEVEL_OFFSET = 6;

class StubClient {
  readonly #socket: Socket;
  #pending: Uint8Array[] = [];
  version = 4;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  send(bytes: Uint8Array): void {
    if (this.#pending.length === 0) dirty.push(this);
    if (dirty.length === 1 && this.#pending.length === 0) setImmediate(flush);
    this.#pending.push(bytes);
  }

  flush(): void {
    this.#socket.write(this.#pending.length === 1 ? this.#pending[0]! : Buffer.concat(this.#pending));
    this.#pending = [];
  }

  end(): void {
    this.#socket.end();
  }
}

const filters = new Map<string, Set<StubClient>>();
let routes = new Map<string, readonly StubClient[]>();
let dirty: StubClient[] = [];

function flush(): void {
  const flushing = dirty;
  dirty = [];
  for (const client of flushing) client.flush();
}

function receiversOf(topic: string): readonly StubClient[] {
  let receivers = routes.get(topic);
  if (receivers === undefined) {
    const wildcard = topic.replace(/[^/]*$/, '+');
    receivers = [...(filters.get(topic) ?? []), ...(filters.get(wildcard) ?? [])];
    routes.set(topic, receivers);
  }
  return receivers;
}

/** Passes on the PUBLISH packets of one connection: neighbours with the same topic leave as one piece. */
class Forwarder {
  #bytes: Uint8Array = new Uint8Array(0);
  #start = 0;
  #end = 0;
  #topic = '';
  #receivers: readonly StubClient[] = [];

  forward(topic: string, bytes: Uint8Array, start: number, end: number): void {
    if (bytes !== this.#bytes || start !== this.#end || topic !== this.#topic) {
      this.finish();
      this.#bytes = bytes;
      this.#start = start;
      this.#topic = topic;
      this.#receivers = receiversOf(topic);
    }
    this.#end = end;
  }

  /** Hands over what is left; the bytes may change afterwards. */
  finish(): void {
    if (this.#end > this.#start) {
      const run = this.#bytes.slice(this.#start, this.#end);
      for (const receiver of this.#receivers) receiver.send(run);
    }
    this.#start = this.#end = 0;
    this.#bytes = new Uint8Array(0);
  }
}

function serve(socket: Socket): void {
  socket.setNoDelay(true);
  const client = new StubClient(socket);
  const forwarder = new Forwarder();
  let current: Uint8Array = new Uint8Array(0);
  const splitter = new FrameSplitter((first, bytes, start, end) => {
    switch (first >> 4) {
      case PUBLISH:
        forwarder.forward(textAt(bytes, start), bytes, start - headerBytes(end - start), end);
        // A packet that spanned two chunks stands in the splitter's own buffer, which is used again.
        if (bytes !== current) forwarder.finish();
        return;
      case CONNECT:
        client.version = bytes[start + PROTOCOL_LEVEL_OFFSET]!;
        client.send(Buffer.from(client.version === 5 ? [0x20, 3, 0, 0, 0] : [0x20, 2, 0, 0]));
        return;
      case SUBSCRIBE: {
        const filter = textAt(bytes, start + 2 + (client.version === 5 ? 1 : 0));
        filters.set(filter, (filters.get(filter) ?? new Set()).add(client));
        routes = new Map();
        const identifier = [bytes[start]!, bytes[start + 1]!];
        client.send(Buffer.from(client.version === 5 ? [0x90, 4, ...identifier, 0, 0] : [0x90, 3, ...identifier, 0]));
        return;
      }
      case DISCONNECT:
        client.end();
    }
  });
  socket.on('data', (chunk) => {
    current = chunk;
    splitter.push(chunk, chunk.length);
    forwarder.finish();
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    for (const clients of filters.values()) clients.delete(client);
    routes = new Map();
  });
}

function textAt(bytes: Uint8Array, at: number): string {
  const length = (bytes[at]! << 8) | bytes[at + 1]!;
  let text = '';
  for (let i = at + 2; i < at + 2 + length; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}

/** Bytes of the fixed header in front of a body of this length. */
function headerBytes(bodyLength: number): number {
  if (bodyLength < 128) return 2;
  if (bodyLength < 16_384) return 3;
  return bodyLength < 2_097_152 ? 4 : 5;
}

createServer(serve).listen(Number(process.argv[2]), '127.0.0.1');
