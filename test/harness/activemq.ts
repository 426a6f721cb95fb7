import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './linked-broker.ts';

/** Where Debian's package puts the program. */
const HOME = '/usr/share/activemq';

/** Why a real ActiveMQ cannot be started here; null when it can. */
export function activemqFault(): string | null {
  return existsSync(join(HOME, 'bin/activemq.jar')) ? null : 'ActiveMQ is not installed (Debian package activemq)';
}

/** A real ActiveMQ without a store, with an OpenWire and a STOMP connector. */
export class ActiveMQ {
  readonly #process: ChildProcess;
  readonly #folder: string;
  output = '';

  private constructor(process: ChildProcess, folder: string) {
    this.#process = process;
    this.#folder = folder;
    const take = (chunk: Buffer): void => {
      this.output += chunk.toString();
    };
    process.stdout!.on('data', take);
    process.stderr!.on('data', take);
  }

  /** `extra`: elements of `<broker>`, e.g. networkConnectors. */
  static async start(options: { openwirePort: number; stompPort: number; extra?: string }): Promise<ActiveMQ> {
    const folder = await mkdtemp(join(tmpdir(), 'roundhouse-activemq-'));
    const file = join(folder, 'activemq.xml');
    await writeFile(file, configuration(options));
    await writeFile(join(folder, 'log4j.properties'), LOGGING);
    const child = spawn(
      'java',
      [
        '-Xmx192m',
        '-XX:TieredStopAtLevel=1',
        `-Djava.io.tmpdir=${folder}`,
        `-Dactivemq.home=${HOME}`,
        `-Dactivemq.base=${folder}`,
        `-Dactivemq.conf=${folder}`,
        `-Dactivemq.data=${folder}`,
        `-Dlog4j.configuration=file:${folder}/log4j.properties`,
        '-cp',
        join(HOME, 'bin/activemq.jar'),
        'org.apache.activemq.console.Main',
        'start',
        `xbean:file:${file}`,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const broker = new ActiveMQ(child, folder);
    try {
      for (const port of [options.openwirePort, options.stompPort]) await broker.#listens(port);
    } catch (error) {
      await broker.stop();
      throw new Error(`ActiveMQ did not start: ${(error as Error).message}\n${broker.output}`);
    }
    return broker;
  }

  async stop(): Promise<void> {
    const ended = this.#process.exitCode === null ? new Promise((resolve) => this.#process.once('exit', resolve)) : null;
    this.#process.kill('SIGKILL');
    await ended;
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #listens(port: number): Promise<void> {
    let open = false;
    let waiting = false;
    await until(
      () => {
        if (this.#process.exitCode !== null) throw new Error(`it ended with ${this.#process.exitCode}`);
        if (waiting || open) return open;
        waiting = true;
        const socket = connect(port, '127.0.0.1');
        socket.once('connect', () => {
          open = true;
          socket.destroy();
        });
        socket.once('error', () => {});
        socket.once('close', () => {
          waiting = false;
        });
        return false;
      },
      `port ${port} listens`,
      60_000,
    );
  }
}

/** A STOMP client, just enough to be an application at the other end. */
export class StompClient {
  readonly messages: { readonly destination: string; readonly body: string }[] = [];
  readonly #socket: Socket;
  #text = '';
  #receipts = 0;
  #lastReceipt = '';

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      this.#text += chunk.toString('utf8');
      for (let end = this.#text.indexOf('\0'); end >= 0; end = this.#text.indexOf('\0')) {
        this.#onFrame(this.#text.slice(0, end).replace(/^\n+/, ''));
        this.#text = this.#text.slice(end + 1);
      }
    });
  }

  static async connect(port: number): Promise<StompClient> {
    const socket = connect(port, '127.0.0.1');
    const client = new StompClient(socket);
    socket.write('CONNECT\naccept-version:1.1\nhost:x\n\n\0');
    await until(() => client.#lastReceipt === 'connected', 'CONNECTED');
    return client;
  }

  async subscribe(destination: string): Promise<void> {
    await this.#request(`SUBSCRIBE\nid:${destination}\ndestination:${destination}\n`, '');
  }

  async unsubscribe(destination: string): Promise<void> {
    await this.#request(`UNSUBSCRIBE\nid:${destination}\n`, '');
  }

  async send(destination: string, body: string, persistent = false): Promise<void> {
    await this.#request(`SEND\ndestination:${destination}\npersistent:${persistent}\n`, body);
  }

  close(): void {
    this.#socket.destroy();
  }

  async #request(head: string, body: string): Promise<void> {
    const receipt = `r${++this.#receipts}`;
    this.#socket.write(`${head}receipt:${receipt}\n\n${body}\0`);
    await until(() => this.#lastReceipt === receipt, `the receipt of ${head.split('\n')[0]}`);
  }

  #onFrame(frame: string): void {
    const end = frame.indexOf('\n\n');
    const [command, ...lines] = frame.slice(0, end).split('\n');
    const headers = new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
    if (command === 'MESSAGE') this.messages.push({ destination: headers.get('destination')!, body: frame.slice(end + 2) });
    if (command === 'CONNECTED') this.#lastReceipt = 'connected';
    if (command === 'RECEIPT') this.#lastReceipt = headers.get('receipt-id')!;
  }
}

const LOGGING = `log4j.rootLogger=INFO, console
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=%5p %c{1} | %m%n
`;

function configuration({ openwirePort, stompPort, extra = '' }: { openwirePort: number; stompPort: number; extra?: string }): string {
  return `<beans xmlns="http://www.springframework.org/schema/beans"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:schemaLocation="http://www.springframework.org/schema/beans http://www.springframework.org/schema/beans/spring-beans.xsd
  http://activemq.apache.org/schema/core http://activemq.apache.org/schema/core/activemq-core.xsd">
  <broker xmlns="http://activemq.apache.org/schema/core" brokerName="real" persistent="false" useJmx="false" useShutdownHook="false">
    ${extra}
    <transportConnectors>
      <transportConnector name="openwire" uri="tcp://127.0.0.1:${openwirePort}"/>
      <transportConnector name="stomp" uri="stomp://127.0.0.1:${stompPort}"/>
    </transportConnectors>
  </broker>
</beans>
`;
}
