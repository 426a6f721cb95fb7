import { connect, type Socket } from 'node:net';
import { encodeCommand } from '../../src/cluster/network/cluster-command.ts';
import { LINK_VERSION } from '../../src/protocols/openwire/channel.ts';
import { createBrokerId, createBrokerInfo, type DataStructure } from '../../src/protocols/openwire/wire/commands.ts';
import { FrameSplitter } from '../../src/protocols/openwire/wire/frame-splitter.ts';
import { intValue } from '../../src/protocols/openwire/wire/primitive-map.ts';
import { BEFORE_NEGOTIATION, WireFormat } from '../../src/protocols/openwire/wire/wire-format.ts';
import { DEFAULT_OFFER, wireFormatInfoOf } from '../../src/protocols/openwire/wire/wire-format-info.ts';
import { until } from './linked-broker.ts';

const LOOSE = { ...BEFORE_NEGOTIATION, maxFrameSizeBytes: 100_000_000 };

/** What a broker of ours says first on the connection that is the link. `count` names its count of what it sends. */
export function begin(count = 'x'): Buffer {
  return encodeCommand({
    kind: 'begin',
    counts: { count, received: 0, receivedCount: '' },
    storedCounts: null,
    incarnation: 'ID:p',
    keepsId: false,
    connector: null,
  });
}

/** A bare socket that speaks just as much OpenWire as a test makes it speak. */
export class OpenWirePeer {
  readonly socket: Socket;
  /** What came, decoded; the first is the WireFormatInfo. */
  readonly commands: DataStructure[] = [];
  /** The same as bytes, size fields included. */
  readonly frames: Buffer[] = [];
  closed = false;
  readonly #format = new WireFormat(LOOSE);

  private constructor(socket: Socket) {
    this.socket = socket;
    const splitter = new FrameSplitter(LOOSE.maxFrameSizeBytes, (buffer, start, end) => {
      this.frames.push(Buffer.from(buffer.subarray(start - 4, end)));
      const command = this.#format.decode(buffer, start, end);
      if (command !== null) this.commands.push(command);
    });
    socket.on('data', (chunk) => splitter.push(chunk, 0, chunk.length));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
    });
  }

  static async dial(port: number): Promise<OpenWirePeer> {
    const socket = connect(port, '127.0.0.1');
    await new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new OpenWirePeer(socket);
  }

  static over(socket: Socket): OpenWirePeer {
    return new OpenWirePeer(socket);
  }

  write(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  send(command: DataStructure): void {
    this.write(this.#format.encode(command));
  }

  /** Our side of the negotiation, as a broker of ours or as somebody else. */
  offer(options: { roundhouse: boolean; linkVersion?: number }): void {
    const offer = { ...DEFAULT_OFFER, tightEncodingEnabled: false, cacheEnabled: false };
    if (options.roundhouse)
      this.send(wireFormatInfoOf(offer, new Map([['RoundhouseLink', intValue(options.linkVersion ?? LINK_VERSION)]])));
    else this.send(wireFormatInfoOf({ ...offer, providerName: 'ActiveMQ', providerVersion: '5.17.2' }));
  }

  /** Introduces this peer as a broker. */
  introduce(id: string, options: { network: boolean; duplex?: boolean; properties?: string } = { network: true }): void {
    this.send(
      createBrokerInfo({
        brokerId: createBrokerId({ value: id }),
        brokerName: 'raw',
        brokerUrl: 'tcp://127.0.0.1:1',
        networkConnection: options.network,
        duplexConnection: options.duplex ?? false,
        networkProperties: options.properties ?? (options.network ? 'name=NC\n' : null),
      }),
    );
  }

  /** The first command that came of this kind. */
  async command<C extends DataStructure>(kind: C['kind'], which: (command: C) => boolean = () => true): Promise<C> {
    const find = (): C | undefined => this.commands.find((command): command is C => command.kind === kind && which(command as C));
    await until(() => find() !== undefined, `a command of type ${kind}`);
    return find()!;
  }

  async end(): Promise<void> {
    await until(() => this.closed, 'the connection is closed');
  }

  destroy(): void {
    this.socket.destroy();
  }
}
