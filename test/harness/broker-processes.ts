/** Linked brokers, each a process of its own, over wires that a test can cut. */

import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { brokerXml, DeploymentFolder } from './deployment-files.ts';
import { freePorts, Program } from './program.ts';

/** Bound for every wait, in milliseconds: far more than a sound run takes on a busy machine. */
const WAIT_MS = 60_000;

/** A TCP relay in front of one port: the wire of a link. */
export class Wire {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async to(target: number): Promise<Wire> {
    const server = createServer();
    const wire = new Wire(server);
    server.on('connection', (near) => {
      const far = connect(target, '127.0.0.1');
      for (const [from, onto] of [
        [near, far],
        [far, near],
      ] as const) {
        wire.#sockets.add(from);
        from.setNoDelay(true);
        from.on('error', () => {}); // a cut is no fault of the test
        from.on('close', () => {
          wire.#sockets.delete(from);
          onto.destroy();
        });
        from.pipe(onto);
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return wire;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Breaks what is connected; who dials again gets through. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.#server.close();
    this.cut();
  }
}

/** `roundhouse broker FILE`. */
export class BrokerProcess {
  readonly name: string;
  readonly mqttPort: number;
  readonly openwirePort: number;
  program: Program;
  readonly #file: string;
  readonly #cwd: string;

  private constructor(name: string, ports: readonly [number, number], file: string, cwd: string) {
    this.name = name;
    [this.mqttPort, this.openwirePort] = ports;
    this.#file = file;
    this.#cwd = cwd;
    this.program = this.#run();
  }

  static async start(folder: DeploymentFolder, name: string, linkTo: readonly number[]): Promise<BrokerProcess> {
    const [mqttPort, openwirePort] = (await freePorts(2)) as [number, number];
    const file = await folder.write(`${name}.xml`, brokerXml({ brokerName: name, mqttPort, openwirePort, linkTo }));
    const broker = new BrokerProcess(name, [mqttPort, openwirePort], file, folder.path);
    await broker.program.saying(/broker is up/);
    return broker;
  }

  /** With the broker's store in it. */
  get dataFolder(): string {
    return join(this.#cwd, 'data', this.name);
  }

  /** Waits until so many links have come up since the process began. */
  async linked(times: number): Promise<void> {
    const look = (): true | null => ((this.program.stderr.match(/link up/g)?.length ?? 0) >= times ? true : null);
    await this.program.until(look, `${this.name} was not linked ${times} times`);
  }

  /** Begins again after it has ended. */
  async restart(): Promise<void> {
    await this.program.ended;
    this.program = this.#run();
    await this.program.saying(/broker is up/);
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    this.program.kill(signal);
    await this.program.ended;
  }

  #run(): Program {
    return new Program(['broker', this.#file], { cwd: this.#cwd });
  }
}

/** Brokers of which each dials those before it, over wires; ended with `close`, however the test ends. */
export class BrokerProcesses {
  readonly brokers: BrokerProcess[] = [];
  readonly wires: Wire[] = [];
  readonly #folder: DeploymentFolder;
  readonly #clients: MqttClient[] = [];

  private constructor(folder: DeploymentFolder) {
    this.#folder = folder;
  }

  /** A mesh: each is linked with each. */
  static async start(count: number): Promise<BrokerProcesses> {
    const all = new BrokerProcesses(await DeploymentFolder.make());
    for (let i = 0; i < count; i++) {
      const wires = await Promise.all(all.brokers.map(({ openwirePort }) => Wire.to(openwirePort)));
      all.wires.push(...wires);
      all.brokers.push(
        await BrokerProcess.start(
          all.#folder,
          `broker${i + 1}`,
          wires.map(({ port }) => port),
        ),
      );
    }
    for (const broker of all.brokers) await broker.linked(count - 1);
    return all;
  }

  /**
   * A client that connects once, by MQTT 5 unless the options say otherwise.
   * @param begin what is to be done with it before it connects
   */
  client(broker: BrokerProcess, options: IClientOptions = {}, begin: (client: MqttClient) => void = () => {}): Promise<MqttClient> {
    return new Promise((resolve, reject) => {
      const client = mqtt.connect({ host: '127.0.0.1', port: broker.mqttPort, protocolVersion: 5, reconnectPeriod: 0, ...options });
      this.#clients.push(client);
      begin(client);
      client.on('error', reject);
      client.once('connect', () => resolve(client));
      client.once('close', () => reject(new Error(`the connection with ${broker.name} was closed`)));
    });
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.end(true);
    for (const wire of this.wires) wire.close();
    for (const { program } of this.brokers) program.kill('SIGKILL');
    for (const { program } of this.brokers) await program.ended;
    await this.#folder.remove();
  }
}

/** A member of a shared subscription, and what it has got. */
export class Member {
  readonly payloads: string[] = [];

  static async join(client: MqttClient, filter: string, qos: 0 | 1 | 2): Promise<Member> {
    const member = new Member();
    client.on('message', (_topic, payload) => member.payloads.push(payload.toString()));
    await client.subscribeAsync(filter, { qos });
    return member;
  }
}

/** Waits until `condition` holds. */
export async function eventually(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not within ${WAIT_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
