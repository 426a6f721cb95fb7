import type { KeyObject, X509Certificate } from 'node:crypto';
import { KeyStoreFormatError, type Material, readCertificate, readPrivateKey } from './material.ts';

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[^-]*(?:-[^-]+)*-----END \1-----/g;

/** Whether a file is PEM: text with blocks between dashed lines. */
export function isPem(file: Buffer): boolean {
  return file.includes('-----BEGIN ');
}

/**
 * Reads keys and certificates of a PEM file. Blocks of other kinds, such as parameters, and text between blocks are passed over.
 * @param keyPassword null: keys are passed over
 * @throws KeyStoreFormatError
 */
export function readPem(file: Buffer, keyPassword: string | null): Material {
  const keys: KeyObject[] = [];
  const certificates: X509Certificate[] = [];
  for (const [block, kind] of file.toString('latin1').matchAll(BLOCK)) {
    if (kind!.endsWith('PRIVATE KEY')) {
      if (keyPassword !== null) keys.push(readPrivateKey(block, keyPassword));
    } else if (kind === 'CERTIFICATE' || kind === 'X509 CERTIFICATE' || kind === 'TRUSTED CERTIFICATE') {
      certificates.push(readCertificate(block));
    }
  }
  if (keys.length === 0 && certificates.length === 0)
    throw new KeyStoreFormatError('it has no key and no certificate between dashed lines');
  return { keys, certificates };
}
