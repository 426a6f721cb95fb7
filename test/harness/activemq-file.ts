import { type ReadOptions, type ReadResult, readActiveMQ } from '../../src/config/activemq/read.ts';
import { formatDiagnostic } from '../../src/config/diagnostic.ts';

/** Reads a text with the name `broker.xml` in `/etc/fleet`, on a machine without files of its own. */
export function readText(text: string | Uint8Array, options: Partial<ReadOptions> = {}): ReadResult {
  return readActiveMQ(text, 'broker.xml', {
    defines: new Map(),
    env: {},
    readFile: () => null,
    dataDirectoryDefault: '/var/fleet/broker',
    workingDirectory: '/etc/fleet',
    hostname: 'station',
    ...options,
  });
}

/** `broker.xml` with this inside its broker, which begins in line 2, and an MQTT connector of its own unless told otherwise. */
export function brokerFile(inside: string, attributes = '', connectors = MQTT_CONNECTOR): string {
  return `<beans xmlns="http://www.springframework.org/schema/beans"><broker xmlns="http://activemq.apache.org/schema/core"${attributes}>
${inside}
${connectors}</broker></beans>
`;
}

const MQTT_CONNECTOR = '<transportConnectors><transportConnector name="mqtt" uri="mqtt://127.0.0.1:1883"/></transportConnectors>';

/** What is said of a file with this inside its broker, as the user sees it. */
export function saidOfBroker(inside: string, attributes = '', options: Partial<ReadOptions> = {}): string[] {
  return said(brokerFile(inside, attributes), options);
}

export function said(text: string | Uint8Array, options: Partial<ReadOptions> = {}): string[] {
  return readText(text, options).diagnostics.map(formatDiagnostic);
}
