import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { CodedError } from '../../errors.ts';

/** A file is no key store, or not one that can be read. The message continues a sentence that begins with the file's name. */
export class KeyStoreFormatError extends CodedError {
  constructor(message: string, cause?: unknown) {
    super('KEY_STORE_FORMAT', message, 'config', false, cause);
  }
}

/** What key stores hold, in whatever form and order. */
export interface Material {
  readonly keys: readonly KeyObject[];
  readonly certificates: readonly X509Certificate[];
}

/** @throws KeyStoreFormatError */
export function readCertificate(der: Buffer | string): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch (error) {
    throw new KeyStoreFormatError(`a certificate in it cannot be read: ${reasonOf(error)}`, error);
  }
}

/**
 * Reads a private key in PKCS#8, which may be encrypted.
 * @throws KeyStoreFormatError
 */
export function readPrivateKey(key: Buffer | string, password: string): KeyObject {
  try {
    return createPrivateKey(
      typeof key === 'string' ? { key, passphrase: password } : { key, format: 'der', type: 'pkcs8', passphrase: password },
    );
  } catch (error) {
    const reason = reasonOf(error);
    if (/bad decrypt|pkcs12 cipherfinal error|interrupted or cancelled|wrong tag|not enough data|maybe wrong password/i.test(reason))
      throw new KeyStoreFormatError(
        password === '' ? 'the key in it is encrypted, and no password is given' : 'the password of the key in it is wrong',
        error,
      );
    throw new KeyStoreFormatError(`the key in it cannot be read: ${reason}`, error);
  }
}

/** OpenSSL's errors without the numbers and file names that no one can use. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const [, reason] = /^error:[0-9A-F]+:[^:]*:[^:]*:(.*)$/.exec(text) ?? [];
  return reason === undefined || reason === '' ? text : reason;
}
