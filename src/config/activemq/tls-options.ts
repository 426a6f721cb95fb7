import { openSslName } from './cipher-suites.ts';
import { each, honoured, type Rules } from './dispositions.ts';
import type { TlsModel, TlsVersion } from './model.ts';
import { flag, type OptionTable, type OptionValues, type ValueReader } from './option-values.ts';
import type { Reading } from './reading.ts';
import type { LocatedText } from './source-text.ts';
import { didYouMean, listed } from './suggestion.ts';

/** From the oldest. */
const VERSIONS: readonly TlsVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];
/** Java's name for a first message that SSL 2 would understand; it is no version, and nobody sends it any more. */
const SSL_2_HELLO = 'SSLv2Hello';

/** Each name with and without the prefix that ActiveMQ puts before options of a connection. */
const both = (...names: readonly string[]): string[] => names.flatMap((name) => [`transport.${name}`, name]);

const NEED = both('needClientAuth');
const WANT = both('wantClientAuth');
const PROTOCOLS = both('enabledProtocols');
const SUITES = [...both('enabledCipherSuites'), 'transport.enabledSuites'];
const HOST_NAME = both('verifyHostName');

/** Names of all options that ask for TLS. */
export const TLS_OPTION_NAMES = [...NEED, ...WANT, ...PROTOCOLS, ...SUITES, ...HOST_NAME].join(' ');

const RULES: Rules = {
  ...each(NEED.join(' '), honoured('lets in only clients that show a certificate which the trust store vouches for')),
  ...each(WANT.join(' '), honoured('asks clients for a certificate; one that is shown must be good')),
  ...each(PROTOCOLS.join(' '), honoured('lists versions, such as TLSv1.2,TLSv1.3, which are those spoken unless given')),
  ...each(SUITES.join(' '), honoured("lists cipher suites, in Java's names or OpenSSL's")),
  ...each(HOST_NAME.join(' '), honoured("asks that a client's certificate names the address it connects from")),
};

/** Versions in order, with spaces between. */
const versions: ValueReader = (text) => {
  const names = namesIn(text).filter((name) => name !== SSL_2_HELLO);
  const unknown = names.find((name) => !VERSIONS.includes(name as TlsVersion));
  if (unknown !== undefined) return { problem: `expected ${listed(VERSIONS, 'and')} with commas between, found "${unknown}"` };
  const places = [...new Set(names)].map((name) => VERSIONS.indexOf(name as TlsVersion)).sort();
  const [first, last] = [places[0], places.at(-1)];
  if (first === undefined || last === undefined) return { problem: `expected ${listed(VERSIONS, 'and')} with commas between, found none` };
  if (last - first >= places.length) return { problem: `there is no leaving out a version between others, found "${text.trim()}"` };
  return { value: `${VERSIONS[first]} ${VERSIONS[last]}` };
};

const suites: ValueReader = (text) => {
  const names = namesIn(text);
  if (names.length === 0) return { problem: 'expected cipher suites with commas between, found none' };
  const found: string[] = [];
  for (const name of names) {
    const known = openSslName(name);
    if (known === null) {
      const examples = ['TLS_AES_256_GCM_SHA384', 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'];
      return { problem: `there is no cipher suite ${name} here; names are such as ${listed(examples, 'or')}${didYouMean(name, examples)}` };
    }
    found.push(known);
  }
  return { value: found.join(':') };
};

/** What connectors with TLS may have beside the options of the same connector without. */
export const TLS_OPTIONS: OptionTable = {
  rules: RULES,
  values: Object.fromEntries([
    ...[...NEED, ...WANT, ...HOST_NAME].map((name) => [name, flag]),
    ...PROTOCOLS.map((name) => [name, versions]),
    ...SUITES.map((name) => [name, suites]),
  ]),
};

export function readTlsOptions(options: OptionValues, uri: LocatedText, reading: Reading): TlsModel {
  const [minVersion, maxVersion] = options.text('TLSv1.2 TLSv1.3', ...PROTOCOLS).split(' ') as [TlsVersion, TlsVersion];
  if (minVersion < 'TLSv1.2') reading.warn(uri.at(0), 'enabledProtocols', `${minVersion} is not secure any more: let clients have TLSv1.2`);
  const model: TlsModel = {
    clientAuth: options.flag(false, ...NEED) ? 'need' : options.flag(false, ...WANT) ? 'want' : 'none',
    verifyHostName: options.flag(false, ...HOST_NAME),
    minVersion,
    maxVersion,
    cipherSuites: options.text(null, ...SUITES),
  };
  if (model.verifyHostName && model.clientAuth === 'none')
    reading.warn(
      uri.at(0),
      'verifyHostName',
      'verifyHostName is about the certificates of clients, and needClientAuth or wantClientAuth asks for none',
    );
  return model;
}

function namesIn(text: string): string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
