import type { X509Certificate } from 'node:crypto';
import { type Identity, type KeyStoreFiles, readIdentities, readRevocationList, readTrusted } from './key-store/key-store.ts';

/** Where what TLS needs is kept. */
export interface TlsFiles {
  readonly keyStore: KeyStoreFiles;
  /** null: no certificate of a client is trusted. */
  readonly trustStore: KeyStoreFiles | null;
  readonly crlPath: string | null;
}

/** What TLS needs, read. */
export interface TlsCredentials {
  /** The first one is for clients that name no server, or one that none of these is for. */
  readonly identities: readonly Identity[];
  readonly trusted: readonly X509Certificate[];
  /** Revoked certificates, PEM; null: none are known. */
  readonly revoked: string | null;
}

/** @throws ConfigError KEY_STORE */
export function readCredentials({ keyStore, trustStore, crlPath }: TlsFiles): TlsCredentials {
  return {
    identities: readIdentities(keyStore),
    trusted: trustStore === null ? [] : readTrusted(trustStore),
    revoked: crlPath === null ? null : readRevocationList(crlPath),
  };
}

/** The identity for a server name that a client asks for (RFC 6066 section 3). */
export function identityFor(serverName: string, { identities }: TlsCredentials): Identity {
  return identities.find(({ chain }) => chain[0]!.checkHost(serverName) !== undefined) ?? identities[0]!;
}

/** What is wrong with the life of certificates at a moment, a sentence for each. */
export function lifeFaults({ identities, trusted }: TlsCredentials, nowMs: number): string[] {
  const own = identities.map(({ chain, path }) => ({ certificate: chain[0]!, path }));
  const others = trusted.map((certificate) => ({ certificate, path: 'trustStore' }));
  return [...own, ...others].flatMap(({ certificate, path }) => {
    const { subject, validFrom, validTo } = certificate;
    const name = `${path}: the certificate of ${subject.replaceAll('\n', ', ') || 'nobody'}`;
    if (Date.parse(validTo) < nowMs) return [`${name} has expired, on ${validTo}`];
    if (Date.parse(validFrom) > nowMs) return [`${name} is not valid before ${validFrom}`];
    return [];
  });
}
