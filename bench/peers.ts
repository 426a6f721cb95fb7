import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY_ROOT } from '../test/harness/repository-root.ts';
import { type BrokerProcess, freePort, runningBroker, startBroker } from './broker-process.ts';
import { findProgram, onOwnCore } from './machine.ts';
import { ACTIVEMQ } from './scenarios.ts';

/**
 * Where a broker keeps sessions and their messages: in memory, on disk as it does without being told how, or on disk with each message
 * written, also one that its receivers have acknowledged by then.
 */
export type Storage = 'memory' | 'disk' | 'disk-each';

/** A broker to measure. */
export interface Peer {
  readonly name: string;
  /** @param folder for its files; removed after the run */
  start(folder: string, storage: Storage): Promise<BrokerProcess>;
}

/** The baseline. */
export function mosquittoPeer(): Peer {
  return {
    name: 'mosquitto',
    async start(folder, storage) {
      const program = findProgram('mosquitto');
      if (program === null) throw new Error('mosquitto is not installed; on Debian: apt-get install mosquitto');
      const port = await freePort();
      const file = join(folder, 'mosquitto.conf');
      // Nothing that a broker in memory would not do: no limits to enforce by dropping, no log. On disk it saves all it has now and then.
      const lines = [`listener ${port} 127.0.0.1`, 'allow_anonymous true', 'max_queued_messages 0', 'max_inflight_messages 0'];
      const persistence = storage !== 'memory' ? ['persistence true', `persistence_location ${folder}/`] : ['persistence false'];
      // Started as root it becomes a user of its own, who must be able to write there.
      writeFileSync(file, `${[...lines, ...persistence, 'log_type none', 'user root'].join('\n')}\n`);
      return startBroker('mosquitto', onOwnCore('broker', [program, '-c', file]), port);
    },
  };
}

/**
 * @param command how to start it: words, with `{config}` for the activemq.xml and `{data}` for the data folder
 */
export function roundhousePeer(command: string | undefined): Peer {
  const usual = [join(REPOSITORY_ROOT, 'bin', 'roundhouse'), 'broker', '{config}', '-D', 'activemq.data={data}'];
  return {
    name: 'roundhouse',
    async start(folder, storage) {
      const port = await freePort();
      const file = join(folder, 'activemq.xml');
      const data = join(folder, 'data');
      writeFileSync(file, brokerXml(port, storage, data));
      const words = command?.split(' ') ?? usual;
      const filled = words.map((word) => word.replace('{config}', file).replace('{data}', data));
      return startBroker('roundhouse', onOwnCore('broker', filled), port, { heapFile: join(folder, 'heap.json') });
    },
  };
}

/** Where Debian's package puts ActiveMQ, and what it needs beside for MQTT. */
const ACTIVEMQ_HOME = '/usr/share/activemq';
const ACTIVEMQ_JARS = [
  '/usr/share/activemq/bin/activemq.jar',
  ...['mqtt-client', 'hawtdispatch', 'hawtdispatch-transport', 'hawtbuf'].map((name) => `/usr/share/java/${name}.jar`),
];

/** Why ActiveMQ cannot be measured here; null when it can. */
export function activemqFault(): string | null {
  const missing = ACTIVEMQ_JARS.filter((jar) => !existsSync(jar));
  if (missing.length === 0 && findProgram('java') !== null) return null;
  return `ActiveMQ is not installed (on Debian: apt-get install activemq libmqtt-client-java libhawtdispatch-java): no ${missing[0] ?? 'java'}`;
}

/** ActiveMQ with its own defaults; its KahaDB syncs each message. */
export function activemqPeer(): Peer {
  return {
    name: ACTIVEMQ,
    async start(folder, storage) {
      const port = await freePort();
      const file = join(folder, 'activemq.xml');
      const data = join(folder, 'data');
      writeFileSync(file, brokerXml(port, storage, data));
      writeFileSync(join(folder, 'log4j.properties'), ACTIVEMQ_LOGGING);
      const settings = { home: ACTIVEMQ_HOME, base: folder, conf: folder, data };
      const command = [
        'java',
        ...ACTIVEMQ_HEAP,
        `-Djava.io.tmpdir=${folder}`,
        ...Object.entries(settings).map(([name, value]) => `-Dactivemq.${name}=${value}`),
        `-Dlog4j.configuration=file:${folder}/log4j.properties`,
        '-cp',
        ACTIVEMQ_JARS.join(':'),
        'org.apache.activemq.console.Main',
        'start',
        `xbean:file:${file}`,
      ];
      return startBroker(ACTIVEMQ, onOwnCore('broker', command), port);
    },
  };
}

/** As its start script has it. */
const ACTIVEMQ_HEAP = ['-Xms64M', '-Xmx1G'];

const ACTIVEMQ_LOGGING = `log4j.rootLogger=WARN, console
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=%5p %c{1} | %m%n
`;

/**
 * The same file for ActiveMQ and Roundhouse.
 * @param data the data folder, and no placeholder: those ActiveMQ knows only where there is a bean for them
 */
function brokerXml(port: number, storage: Storage, data: string): string {
  const persistence = `
    <persistenceAdapter>
      <kahaDB directory="${data}/kahadb"${storage === 'disk-each' ? ' concurrentStoreAndDispatchTopics="false"' : ''}/>
    </persistenceAdapter>`;
  return `<beans xmlns="http://www.springframework.org/schema/beans"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:schemaLocation="http://www.springframework.org/schema/beans http://www.springframework.org/schema/beans/spring-beans.xsd
  http://activemq.apache.org/schema/core http://activemq.apache.org/schema/core/activemq-core.xsd">
  <broker xmlns="http://activemq.apache.org/schema/core" brokerName="bench" persistent="${storage !== 'memory'}" useJmx="false"
    dataDirectory="${data}">${storage === 'memory' ? '' : persistence}
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
