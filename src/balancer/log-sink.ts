import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns';
import { write } from 'node:fs';
import { isIP, isIPv6 } from 'node:net';
import type { Writable } from 'node:stream';
import type { Log } from '../telemetry/log.ts';

/** Takes whole lines. It never throws and never waits: what cannot be written is dropped and counted. */
export interface LogSink {
  readonly dropped: number;
  send(line: Buffer): void;
  /** Resolves when what was taken is written or lost. */
  close(): Promise<void>;
}

/** Lines that wait for a slow reader of a descriptor, in bytes: some seconds of a busy proxy, a bound for one whose reader hangs. */
const BACKLOG_MAX_BYTES = 1_048_576;
/** Datagrams handed to the system and not yet reported sent. Loopback takes them at once; more means that the network is stuck. */
const DATAGRAMS_IN_FLIGHT_MAX = 1_000;
/** How often at most the relay for a unix socket is started, in milliseconds. */
const RELAY_RESTART_MS = 5_000;

/** Says once what is wrong with a place that takes no lines; a broken log must not fill another one. */
class Complaint {
  readonly #log: Log;
  #made = false;

  constructor(log: Log) {
    this.#log = log;
  }

  make(place: string, reason: string): void {
    if (this.#made) return;
    this.#made = true;
    this.#log.warn('log lines are lost', { place, reason });
  }
}

/** `log stdout`, `log stderr`, `log fd@N`. Lines of one turn leave in one write; one write is under way at a time. */
export class DescriptorSink implements LogSink {
  dropped = 0;
  readonly #descriptor: number;
  readonly #complaint: Complaint;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #writing = false;
  #idle: (() => void)[] = [];

  constructor(descriptor: number, log: Log) {
    this.#descriptor = descriptor;
    this.#complaint = new Complaint(log);
  }

  send(line: Buffer): void {
    if (this.#waitingBytes + line.length > BACKLOG_MAX_BYTES) {
      this.dropped++;
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
    if (this.#writing) return;
    this.#writing = true;
    setImmediate(() => this.#flush());
  }

  close(): Promise<void> {
    if (!this.#writing) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #flush(): void {
    if (this.#waiting.length === 0) {
      this.#writing = false;
      for (const resolve of this.#idle.splice(0)) resolve();
      return;
    }
    const lines = this.#waiting.length;
    const bytes = this.#waiting.length === 1 ? this.#waiting[0]! : Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#write(bytes, lines);
  }

  #write(bytes: Buffer, lines: number): void {
    write(this.#descriptor, bytes, 0, bytes.length, null, (error, written) => {
      if (error !== null) {
        // EAGAIN: a pipe whose reader is behind. HAProxy drops the line as well.
        this.dropped += lines;
        this.#complaint.make(`file descriptor ${this.#descriptor}`, error.message);
        this.#flush();
      } else if (written < bytes.length) {
        this.#write(bytes.subarray(written), lines);
      } else {
        this.#flush();
      }
    });
  }
}

/** `log 127.0.0.1[:514]`. Nobody need listen there: a datagram to a closed port is lost without a word. */
export class UdpSink implements LogSink {
  dropped = 0;
  readonly #port: number;
  readonly #complaint: Complaint;
  readonly #place: string;
  #socket: Socket | null = null;
  #address = '';
  #early: Buffer[] = [];
  #inFlight = 0;
  #closed = false;
  #idle: (() => void) | null = null;

  constructor(host: string, port: number, log: Log) {
    this.#port = port;
    this.#complaint = new Complaint(log);
    this.#place = `udp ${host}:${port}`;
    if (isIP(host) !== 0) {
      this.#open(host);
      return;
    }
    lookup(host, (error, address) => {
      if (this.#closed) return;
      if (error === null) {
        this.#open(address);
      } else {
        this.dropped += this.#early.length;
        this.#complaint.make(this.#place, error.message);
      }
    });
  }

  send(line: Buffer): void {
    if (this.#inFlight + this.#early.length >= DATAGRAMS_IN_FLIGHT_MAX) {
      this.dropped++;
    } else if (this.#socket === null) {
      this.#early.push(line);
    } else {
      this.#inFlight++;
      this.#socket.send(line, this.#port, this.#address, (error) => {
        this.#inFlight--;
        if (error !== null) {
          this.dropped++;
          this.#complaint.make(this.#place, error.message);
        }
        if (this.#inFlight === 0) this.#idle?.();
      });
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#inFlight > 0) {
      this.#socket?.ref();
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    this.#socket?.close();
    this.#socket = null;
  }

  #open(address: string): void {
    this.#address = address;
    this.#socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    this.#socket.on('error', (error) => this.#complaint.make(this.#place, error.message));
    this.#socket.unref();
    for (const line of this.#early.splice(0)) this.send(line);
  }
}

/**
 * `log /dev/log`. Node has no unix datagram sockets, so a small relay sends each line it reads as one datagram, unchanged. Perl's core
 * has such sockets and is part of every Debian; where it is missing the lines are lost, and that is said once.
 */
export class UnixDatagramSink implements LogSink {
  dropped = 0;
  readonly #path: string;
  readonly #complaint: Complaint;
  #relay: ChildProcessByStdio<Writable, null, null> | null = null;
  #startedAtMs = Number.NEGATIVE_INFINITY;

  constructor(path: string, log: Log) {
    this.#path = path;
    this.#complaint = new Complaint(log);
  }

  send(line: Buffer): void {
    const relay = this.#relay ?? this.#start();
    if (relay === null || relay.stdin.writableLength > BACKLOG_MAX_BYTES) {
      this.dropped++;
      return;
    }
    relay.stdin.write(line);
  }

  close(): Promise<void> {
    const relay = this.#relay;
    if (relay === null) return Promise.resolve();
    this.#relay = null;
    relay.ref();
    return new Promise((resolve) => {
      relay.once('close', () => resolve());
      relay.stdin.end();
    });
  }

  #start(): ChildProcessByStdio<Writable, null, null> | null {
    const nowMs = performance.now();
    if (nowMs - this.#startedAtMs < RELAY_RESTART_MS) return null;
    this.#startedAtMs = nowMs;
    const relay = spawn('perl', ['-MSocket', '-e', RELAY, this.#path], { stdio: ['pipe', 'ignore', 'ignore'] });
    relay.unref();
    relay.on('error', (error) => this.#complaint.make(`unix socket ${this.#path}`, error.message));
    relay.on('close', () => {
      if (this.#relay === relay) this.#relay = null;
    });
    relay.stdin.on('error', () => {
      this.dropped++;
    });
    this.#relay = relay;
    return relay;
  }
}

/** Signals to the process group (Ctrl-C) are not for the relay: it ends when its input does, after the last line. */
const RELAY = `
  $SIG{INT} = $SIG{TERM} = $SIG{HUP} = "IGNORE";
  socket(S, AF_UNIX, SOCK_DGRAM, 0) or exit 1;
  my $to = pack_sockaddr_un($ARGV[0]);
  while (my $line = <STDIN>) { send(S, $line, 0, $to); }
`;
