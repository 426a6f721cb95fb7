import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of its own for one test file's configurations and data. */
export class DeploymentFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<DeploymentFolder> {
    return new DeploymentFolder(await mkdtemp(join(tmpdir(), 'roundhouse-test-')));
  }

  /** @returns the file's path */
  async write(name: string, text: string | Buffer): Promise<string> {
    const path = join(this.path, name);
    await writeFile(path, text);
    return path;
  }

  remove(): Promise<void> {
    return rm(this.path, { recursive: true, force: true });
  }
}

export interface BrokerFile {
  readonly mqttPort: number;
  /** Links come in here. */
  readonly openwirePort?: number;
  /** Ports of the brokers to link with. */
  readonly linkTo?: number | readonly number[];
  readonly brokerName?: string;
  /** Absolute; `${activemq.data}/kahadb` unless given. */
  readonly storeFolder?: string;
  /** More attributes of the connector for MQTT. */
  readonly mqttAttributes?: string;
  /** URIs of more connectors. */
  readonly connectors?: readonly string[];
  /** Paths, as `<sslContext>` takes them. */
  readonly sslContext?: { readonly keyStore: string; readonly trustStore: string };
}

/** A small activemq.xml; everything on 127.0.0.1. */
export function brokerXml(options: BrokerFile): string {
  const { mqttPort, openwirePort, linkTo, brokerName = 'test', storeFolder = `\${activemq.data}/kahadb` } = options;
  const { connectors = [], sslContext, mqttAttributes = '' } = options;
  const openwire = openwirePort === undefined ? '' : `<transportConnector name="openwire" uri="tcp://127.0.0.1:${openwirePort}"/>`;
  const peers = [linkTo ?? []].flat().map((port) => `tcp://127.0.0.1:${port}`);
  const network = peers.length === 0 ? '' : `<networkConnectors><networkConnector uri="static:(${peers.join(',')})"/></networkConnectors>`;
  const tls =
    sslContext === undefined
      ? ''
      : `<sslContext><sslContext keyStore="${sslContext.keyStore}" trustStore="${sslContext.trustStore}"/></sslContext>`;
  const more = connectors.map((uri) => `<transportConnector name="${uri.split('?')[0]}" uri="${uri.replaceAll('&', '&amp;')}"/>`);
  return `<beans xmlns="http://www.springframework.org/schema/beans">
  <broker xmlns="http://activemq.apache.org/schema/core" brokerName="${brokerName}" dataDirectory="\${activemq.data}">
    <persistenceAdapter><kahaDB directory="${storeFolder}"/></persistenceAdapter>
    ${network}
    ${tls}
    <transportConnectors>
      <transportConnector name="mqtt" uri="mqtt://127.0.0.1:${mqttPort}" ${mqttAttributes}/>
      ${openwire}
      ${more.join('\n      ')}
    </transportConnectors>
  </broker>
</beans>
`;
}

/** A small haproxy.cfg that balances MQTT over `serverPorts`; everything on 127.0.0.1. */
export function balancerCfg(options: { port: number; statsPort: number; serverPorts: readonly number[] }): string {
  return `global
    maxconn 100
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    option redispatch 1
listen stats
    bind 127.0.0.1:${options.statsPort}
    mode http
    stats enable
    stats uri /haproxy
    stats auth admin:admin
frontend mqtt_proxy
    bind 127.0.0.1:${options.port}
    default_backend mqtt_agent
backend mqtt_agent
    balance roundrobin
${options.serverPorts.map((port, i) => `    server s${i + 1} 127.0.0.1:${port}`).join('\n')}
`;
}
