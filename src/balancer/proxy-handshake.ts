import type { Socket } from 'node:net';
import type { Clock } from '../timing/clock.ts';
import { TimerEntry, type TimerWheel } from '../timing/timer-wheel.ts';
import { type ProxyHeader, ProxyHeaderError, readProxyHeader } from '../transport/proxy-protocol.ts';
import type { Session } from './frontend.ts';
import { formatDate } from './log-format.ts';

/** Why a client with `accept-proxy` did not get a session, in HAProxy's words. */
const EMPTY = 'Connection closed while waiting for PROXY protocol header';
const TIMEOUT = 'Timeout while waiting for PROXY protocol header';
const TRUNCATED = 'Truncated PROXY protocol header received';
const NO_HEADER = 'Received something which does not look like a PROXY protocol header';
const INVALID = 'Received an invalid PROXY protocol header';

export interface ProxyHandshakeOptions {
  readonly client: Socket;
  /** As the log names it and where it came in: `127.0.0.1:48654`, `frontend/1`. */
  readonly clientName: string;
  readonly entrance: string;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  /** `timeout client`; null: for ever. */
  readonly timeoutMs: number | null;
  /** The socket is paused; `rest` has come behind the header. */
  readonly onHeader: (header: ProxyHeader, rest: Buffer) => void;
  /** The client is closed. @param silent it had said nothing */
  readonly onFailed: (line: string, silent: boolean) => void;
}

/** A client of a `bind` with `accept-proxy`, until its PROXY header is there. */
export class ProxyHandshake implements Session {
  readonly #options: ProxyHandshakeOptions;
  readonly #acceptedWallMs: number;
  readonly #timer = new TimerEntry<ProxyHandshake>(this, (handshake) =>
    handshake.#fail(handshake.#received.length === 0 ? TIMEOUT : TRUNCATED),
  );
  #received: Buffer = Buffer.alloc(0);
  #over = false;

  constructor(options: ProxyHandshakeOptions) {
    this.#options = options;
    this.#acceptedWallMs = options.clock.wallMs();
  }

  start(): void {
    const { client, wheel, timeoutMs } = this.#options;
    client.on('data', this.#onData);
    client.on('end', this.#onGone);
    client.on('close', this.#onGone);
    client.on('error', this.#onGone);
    if (timeoutMs !== null) wheel.schedule(this.#timer, timeoutMs);
    client.resume();
  }

  abort(): void {
    if (this.#leave()) this.#options.onFailed('', true);
    this.#options.client.destroy();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#received = Buffer.concat([this.#received, chunk]);
    let header: ReturnType<typeof readProxyHeader>;
    try {
      header = readProxyHeader(this.#received, 0, this.#received.length);
    } catch (error) {
      if (!(error instanceof ProxyHeaderError)) throw error;
      this.#fail(INVALID);
      return;
    }
    if (header === 'incomplete') return;
    if (header === 'absent') {
      this.#fail(NO_HEADER);
      return;
    }
    this.#options.client.pause();
    if (this.#leave()) this.#options.onHeader(header, this.#received.subarray(header.size));
  };

  readonly #onGone = (): void => this.#fail(this.#received.length === 0 ? EMPTY : TRUNCATED);

  #fail(reason: string): void {
    if (!this.#leave()) return;
    const { client, clientName, entrance, onFailed } = this.#options;
    client.on('error', () => {}); // nobody else hears of it any more
    client.destroy();
    onFailed(`${clientName} [${formatDate(this.#acceptedWallMs)}] ${entrance}: ${reason}`, this.#received.length === 0);
  }

  /** @returns false when it was over already */
  #leave(): boolean {
    if (this.#over) return false;
    this.#over = true;
    const { client, wheel } = this.#options;
    wheel.cancel(this.#timer);
    client.off('data', this.#onData);
    client.off('end', this.#onGone);
    client.off('close', this.#onGone);
    client.off('error', this.#onGone);
    return true;
  }
}
