import { type AddressInfo, createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { getSystemErrorName } from 'node:util';
import { ConfigError } from '../errors.ts';
import { FaultLog } from '../telemetry/fault-log.ts';
import type { Log } from '../telemetry/log.ts';
import { Arrivals } from './arrivals.ts';
import type { Connection, ConnectionHandler } from './connection.ts';
import { listeningHandleOf, takeHandle } from './handle-bindings.ts';
import { type PlaceCounters, Places } from './places.ts';
import { bindings, RawSocket, type SocketOptions } from './raw-socket.ts';
import { openSocketFile, type SocketFile } from './socket-file.ts';
import type { Arrival, Stage } from './stage.ts';
import { StreamWire } from './stream-wire.ts';
import { addressOf, type ConnectionKeeper, TcpConnection } from './tcp-connection.ts';
import type { Turn } from './turn.ts';
import type { Wire } from './wire.ts';
import { WriteWatch } from './write-watch.ts';

/** Connections that wait in the kernel for `accept`; ActiveMQ's default for a connector, enough for a fleet that reconnects at once. */
const BACKLOG = 5_000;

export interface TcpListenerOptions {
  readonly name: string;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Where it listens in place of a port. */
  readonly socketFile?: SocketFile | null;
  /** Connections that may be admitted by their protocol at once. */
  readonly maximumConnections: number;
  readonly backlog?: number;
  readonly socket?: SocketOptions;
  /** Milliseconds after which a peer that takes nothing of what it is sent is closed; 0: never. */
  readonly writeTimeoutMs?: number;
  /** What an accepted socket goes through before its protocol, in order; none for plain TCP. */
  readonly stages?: readonly Stage[];
  /** Time for all stages together, in milliseconds; 0: no bound. */
  readonly stagesTimeoutMs?: number;
  readonly turn: Turn;
  readonly log: Log;
  /**
   * Makes the protocol's handler for an accepted connection.
   * @param protocol what a stage has found the client to speak; null: there was no such stage
   */
  onConnection(connection: Connection, protocol: string | null): ConnectionHandler;
  /** A connection said nothing and went, as health checks do, before it had a handler. */
  onProbe?(): void;
}

/** One transportConnector's listening socket. */
export class TcpListener implements ConnectionKeeper {
  readonly connections = new Set<TcpConnection>();
  readonly #options: TcpListenerOptions;
  readonly #server: Server;
  readonly #places: Places;
  /** null: there are no stages. */
  readonly #arrivals: Arrivals | null;
  #writeWatch: WriteWatch<TcpConnection> | null = null;

  constructor(options: TcpListenerOptions) {
    this.#options = options;
    const { stages = [], stagesTimeoutMs = 0, log } = options;
    this.#places = new Places({ connector: options.name, maximumConnections: options.maximumConnections, log });
    const faults = new FaultLog(log, () => performance.now(), 'more clients did not get as far as their protocol');
    this.#arrivals =
      stages.length === 0
        ? null
        : new Arrivals({
            stages,
            timeoutMs: stagesTimeoutMs,
            places: this.#places,
            onArrived: (arrival, accepted) => this.#onArrived(arrival, accepted),
            onFailed: ({ remoteAddress }, stage, reason) =>
              faults.say('a client did not get as far as its protocol', { connector: options.name, remoteAddress, stage, reason }),
            onProbe: () => {
              this.countProbe();
              options.onProbe?.();
            },
          });
    this.#server = createServer({ noDelay: options.socket?.noDelay ?? true, keepAlive: options.socket?.keepAlive ?? false }, (socket) => {
      const remoteAddress = options.socketFile == null ? addressOf(socket) : `unix:${options.socketFile.path}`;
      if (this.#arrivals !== null) this.#arrivals.admit(socket, remoteAddress);
      else this.#connect(new StreamWire(socket), remoteAddress, null);
    });
  }

  /** What became of accepted connections. */
  get counters(): Readonly<PlaceCounters> {
    return this.#places.counters;
  }

  /** The port that is listened on. */
  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? this.#options.port;
  }

  /** @throws ConfigError PORT_TAKEN, ADDRESS_UNAVAILABLE or LISTEN_FAILED */
  async listen(): Promise<void> {
    const { name, host, port, socketFile = null, backlog = BACKLOG, log } = this.#options;
    if (socketFile === null) await this.#bind({ host, port, backlog }, `${host}:${port}`);
    else await openSocketFile(socketFile, `connector "${name}"`, (path) => this.#bind({ path, backlog }, path));
    this.#server.on('error', (error) => log.error('accepting connections failed', { connector: name, reason: error.message }));
    if (this.#arrivals === null && socketFile === null) this.#acceptRaw();
    this.#watchWrites();
  }

  #bind(where: ListenOptions, shown: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const onError = (error: NodeJS.ErrnoException): void => reject(listenError(error, this.#options.name, shown));
      this.#server.once('error', onError);
      this.#server.listen(where, () => {
        this.#server.off('error', onError);
        resolve();
      });
    });
  }

  /** Stops accepting. Connections go on until they are closed. */
  close(): void {
    if (this.#server.listening) this.#server.close();
    this.#writeWatch?.stop();
    this.#arrivals?.close();
  }

  admit(connection: TcpConnection, from: Connection | null): boolean {
    return this.#places.admit(connection, from);
  }

  countProbe(): void {
    this.#places.counters.probes++;
  }

  closed(connection: TcpConnection): void {
    this.connections.delete(connection);
    this.#places.leave(connection);
  }

  /** Without stages nobody needs Node's streams: connections are taken as handles, where this Node gives them. */
  #acceptRaw(): void {
    const listening = bindings === null ? null : listeningHandleOf(this.#server);
    if (listening === null) return;
    listening.onconnection = (status, handle) => {
      if (status !== 0 || handle === undefined) {
        this.#server.emit('error', new Error(`accept ${getSystemErrorName(status)}`));
        return;
      }
      const socket = new RawSocket(handle, this.#options.turn, this.#options.socket);
      this.#connect(socket, socket.remoteAddress, null);
    };
  }

  #watchWrites(): void {
    const { name: connector, writeTimeoutMs = 0, log } = this.#options;
    if (writeTimeoutMs === 0) return;
    this.#writeWatch = new WriteWatch({
      timeoutMs: writeTimeoutMs,
      connections: () => this.connections,
      onStalled: ({ remoteAddress }) => log.debug('a peer takes nothing of what it is sent', { connector, remoteAddress, writeTimeoutMs }),
    });
  }

  /** A plain socket is taken as its handle again, as one without stages is. */
  #onArrived(arrival: Arrival, accepted: Socket): void {
    const { socket, remoteAddress } = arrival;
    const handle = bindings === null || arrival.wire !== null || socket !== accepted ? null : takeHandle(accepted);
    const wire =
      arrival.wire ?? (handle === null ? new StreamWire(socket) : new RawSocket(handle, this.#options.turn, this.#options.socket));
    this.#connect(wire, remoteAddress, { accepted, arrival });
  }

  /** @param staged what came of the stages; null: there are none */
  #connect(wire: Wire, remoteAddress: string, staged: Staged | null): void {
    const { name: connector, turn } = this.#options;
    const { peerCertificate = null, serverName = null, protocol = null, head = null, refusal = null } = staged?.arrival ?? {};
    const connection = new TcpConnection({ wire, connector, turn, remoteAddress, peerCertificate, serverName, refusal, keeper: this });
    this.connections.add(connection);
    if (staged === null) this.#places.arrive(connection);
    else this.#places.become(staged.accepted, connection);
    connection.start(this.#options.onConnection(connection, protocol), head);
  }
}

/** What came through the stages, and the socket that it began as. */
interface Staged {
  readonly accepted: Socket;
  readonly arrival: Arrival;
}

/** @param where `127.0.0.1:1883`, or the path of a socket file */
function listenError(error: NodeJS.ErrnoException, name: string, where: string): ConfigError {
  const what = `connector "${name}" cannot listen on ${where}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return new ConfigError('PORT_TAKEN', `${what}: the port is taken by another program`, error);
    case 'EADDRNOTAVAIL':
      return new ConfigError('ADDRESS_UNAVAILABLE', `${what}: this machine has no such address`, error);
    case 'EACCES':
      return new ConfigError('LISTEN_FAILED', `${what}: not permitted (ports below 1024 need root)`, error);
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new ConfigError('ADDRESS_UNAVAILABLE', `${what}: the host name does not resolve`, error);
    default:
      return new ConfigError('LISTEN_FAILED', `${what}: ${error.message}`, error);
  }
}
