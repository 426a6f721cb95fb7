import { textOf } from './bean-values.ts';
import type { Bean } from './bind.ts';
import { locatedPath } from './file-location.ts';
import type { KeyStoreModel, SslContextModel, TransportConnectorModel } from './model.ts';
import type { Reading } from './reading.ts';
import { type LocatedText, split } from './source-text.ts';
import { listed } from './suggestion.ts';

/** Java's names of the forms that are read here, and ours. */
const STORE_TYPES = ['jks', 'pkcs12', 'pem'];

/** `<sslContext>`. The files themselves are read when they are needed, and again when they change. */
export function readSslContext(bean: Bean, reading: Reading): SslContextModel {
  return {
    place: bean.place,
    keyStore: readStore(bean, 'keyStore', textOf(bean, 'keyStoreKeyPassword', textOf(bean, 'keyStorePassword', '')), reading),
    trustStore: readStore(bean, 'trustStore', '', reading),
    crlPath: pathsOf(bean, 'crlPath', reading)[0] ?? null,
  };
}

/** Says which connectors cannot do TLS with what the file has. */
export function checkTlsConnectors(
  connectors: readonly TransportConnectorModel[],
  sslContext: SslContextModel | null,
  reading: Reading,
): void {
  for (const { place, name, tls } of connectors) {
    if (tls === null) continue;
    if (sslContext?.keyStore == null) {
      const where =
        sslContext === null ? '<sslContext><sslContext keyStore="..." keyStorePassword="..."/></sslContext>' : 'a keyStore in <sslContext>';
      reading.error(place, 'sslContext', `connector ${name} needs a key and a certificate for TLS: write ${where}`);
    } else if (tls.clientAuth !== 'none' && sslContext.trustStore === null) {
      const message = `connector ${name} asks clients for certificates, and no trustStore in <sslContext> says who vouches for them`;
      reading.error(place, 'trustStore', message);
    }
  }
}

function readStore(bean: Bean, property: 'keyStore' | 'trustStore', keyPassword: string, reading: Reading): KeyStoreModel | null {
  const type = bean.values.get(`${property}Type`);
  const word = type?.text.text.trim().toLowerCase();
  if (type !== undefined && !STORE_TYPES.includes(word!))
    reading.error(type.text.at(0), type.name, `${type.name}: expected ${listed(STORE_TYPES, 'or')}, found "${type.text.text.trim()}"`);
  const paths = pathsOf(bean, property, reading);
  if (paths.length === 0) return null;
  const place = bean.values.get(property)!.place;
  return { place, paths, password: textOf(bean, `${property}Password`, ''), keyPassword };
}

function pathsOf(bean: Bean, property: string, reading: Reading): string[] {
  const value = bean.values.get(property);
  if (value === undefined) return [];
  const locations: LocatedText[] = split(value.text, ',').filter(({ text }) => text !== '');
  if (locations.length === 0) reading.error(value.place, property, `${property} names no file`);
  return locations.flatMap((location) => {
    const path = locatedPath(location.text, reading);
    if (path !== null) return [path];
    reading.error(location.at(0), property, `${property}: expected a path or a file: URL, found "${location.text}"`);
    return [];
  });
}
