import { getCiphers } from 'node:tls';

/** How a client and the broker agree on a key: what OpenSSL writes before the cipher. */
const KEY_EXCHANGES: Readonly<Record<string, string>> = {
  RSA: '',
  DHE_RSA: 'DHE-RSA-',
  ECDHE_RSA: 'ECDHE-RSA-',
  ECDHE_ECDSA: 'ECDHE-ECDSA-',
};

/** The cipher and what protects it from changes. */
const CIPHERS: Readonly<Record<string, string>> = {
  AES_128_GCM_SHA256: 'AES128-GCM-SHA256',
  AES_256_GCM_SHA384: 'AES256-GCM-SHA384',
  CHACHA20_POLY1305_SHA256: 'CHACHA20-POLY1305',
  AES_128_CBC_SHA: 'AES128-SHA',
  AES_256_CBC_SHA: 'AES256-SHA',
  AES_128_CBC_SHA256: 'AES128-SHA256',
  AES_256_CBC_SHA256: 'AES256-SHA256',
  AES_256_CBC_SHA384: 'AES256-SHA384',
};

/** Suites without a certificate of the server (PSK) or with a password for one (SRP), which the broker does not speak. */
const UNUSABLE = /PSK|SRP/;

const available = new Set(
  getCiphers()
    .map((name) => name.toUpperCase())
    .filter((name) => !UNUSABLE.test(name)),
);

/**
 * OpenSSL's name of a cipher suite that this Node has: of `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`, as IANA and Java write it (Java also
 * `SSL_...`), or of `ECDHE-RSA-AES128-GCM-SHA256`, its own spelling. Suites of TLS 1.3 have one name. null: there is no such suite.
 */
export function openSslName(name: string): string | null {
  const matched = /^(?:TLS|SSL)_([A-Z_]+?)_WITH_([A-Z0-9_]+)$/.exec(name);
  const keyExchange = matched === null ? undefined : ownValue(KEY_EXCHANGES, matched[1]!);
  const cipher = matched === null ? undefined : ownValue(CIPHERS, matched[2]!);
  const own = keyExchange === undefined || cipher === undefined ? name : `${keyExchange}${cipher}`;
  return available.has(own) ? own : null;
}

function ownValue(table: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
