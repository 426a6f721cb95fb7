import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { readActiveMQ } from '../../src/config/activemq/read.ts';
import { formatDiagnostic } from '../../src/config/diagnostic.ts';
import { BrokerServer } from '../../src/server/broker-server.ts';
import type { Facts, Log } from '../../src/telemetry/log.ts';

/** Bound for every wait, in milliseconds. */
const WAIT_MS = 20_000;

/** A broker that runs in this process as an activemq.xml says, with what it logged. */
export class FileBroker {
  readonly server: BrokerServer;
  readonly lines: { readonly level: string; readonly message: string; readonly facts: Facts }[] = [];

  /**
   * @param inside of `<broker>`: its connectors, on port 0, and whatever they need
   * @param brokerName `localhost` unless given
   * @param folder of the store; left out: all is in memory
   */
  static async start(t: Pick<TestContext, 'after'>, inside: string, brokerName = 'localhost', folder?: string): Promise<FileBroker> {
    const broker = new FileBroker(inside, brokerName, folder);
    await broker.server.start();
    t.after(() => broker.server.stop());
    return broker;
  }

  private constructor(inside: string, brokerName: string, folder: string | undefined) {
    const store = folder === undefined ? 'persistent="false"' : `dataDirectory="${folder}"`;
    const text = `<broker xmlns="http://activemq.apache.org/schema/core" brokerName="${brokerName}" ${store}>\n${inside}\n</broker>`;
    const { model, diagnostics } = readActiveMQ(text, 'broker.xml', {
      defines: new Map(),
      env: {},
      readFile: () => null,
      dataDirectoryDefault: '/nonexistent',
    });
    if (model === null) throw new Error(diagnostics.map(formatDiagnostic).join('\n'));
    const write =
      (level: string) =>
      (message: string, facts: Facts = {}): void => {
        this.lines.push({ level, message, facts });
      };
    const log: Log = { error: write('error'), warn: write('warn'), info: write('info'), debug: write('debug'), child: () => log };
    this.server = new BrokerServer(model, { log, limits: {}, sysIntervalSeconds: 0 });
  }

  /** The port of a connector. */
  port(name: string): number {
    return this.server.connectors.find((connector) => connector.name === name)!.port;
  }

  /** Waits until the log has a reason like this. */
  async logged(reason: RegExp): Promise<void> {
    await this.until(() => this.lines.some(({ facts }) => reason.test(String(facts.reason))), `${reason} in the log`);
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + WAIT_MS;
    while (!condition()) {
      if (Date.now() > deadline) throw new Error(`waited ${WAIT_MS} ms for ${what}`);
      await delay(2);
    }
  }
}
