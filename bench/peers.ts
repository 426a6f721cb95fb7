import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY_ROOT } from '../test/harness/repository-root.ts';
import { type BrokerProcess, freePort, runningBroker, startBroker } from './broker-process.ts';
import { findProgram, onOwnCore } from './machine.ts';

/** A broker to measure. */
export interface Peer {
  readonly name: string;
  /** @param folder for its files; removed after the run */
  start(folder: string): Promise<BrokerProcess>;
}

/** The baseline. */
export function mosquittoPeer(): Peer {
  return {
    name: 'mosquitto',
    async start(folder) {
      const program = findProgram('mosquitto');
      if (program === null) throw new Error('mosquitto is not installed; on Debian: apt-get install mosquitto');
      const port = await freePort();
      const file = join(folder, 'mosquitto.conf');
      // Nothing that a broker in memory would not do: no limits to enforce by dropping, no disk, no log.
      const lines = [`listener ${port} 127.0.0.1`, 'allow_anonymous true', 'max_queued_messages 0', 'max_inflight_messages 0'];
      writeFileSync(file, `${[...lines, 'persistence false', 'log_type none'].join('\n')}\n`);
      return startBroker('mosquitto', onOwnCore('broker', [program, '-c', file]), port);
    },
  };
}

/**
 * @param command how to start it: words, with `{config}` for the activemq.xml and `{data}` for the data folder
 */
export function roundhousePeer(command: string | undefined): Peer {
  const words = command?.split(' ') ?? [join(REPOSITORY_ROOT, 'bin', 'roundhouse'), 'broker', '{config}', '-D', 'activemq.data={data}'];
  return {
    name: 'roundhouse',
    async start(folder) {
      const port = await freePort();
      const file = join(folder, 'activemq.xml');
      writeFileSync(file, brokerXml(port));
      const filled = words.map((word) => word.replace('{config}', file).replace('{data}', join(folder, 'data')));
      return startBroker('roundhouse', onOwnCore('broker', filled), port, { heapFile: join(folder, 'heap.json') });
    },
  };
}

function brokerXml(port: number): string {
  return `<beans xmlns="http://www.springframework.org/schema/beans">
  <broker xmlns="http://activemq.apache.org/schema/core" brokerName="bench" persistent="false" dataDirectory="\${activemq.data}">
    <transportConnectors>
      <transportConnector name="mqtt" uri="mqtt+nio://127.0.0.1:${port}"/>
    </transportConnectors>
  </broker>
</beans>
`;
}

/** @param text NAME=PORT of a broker that runs already */
export function targetPeer(text: string): Peer {
  const [name, port] = text.split('=');
  if (!name || !Number.isInteger(Number(port)) || Number(port) < 1) throw new Error(`--target: expected NAME=PORT, got "${text}"`);
  return { name, start: () => Promise.resolve(runningBroker(Number(port))) };
}
