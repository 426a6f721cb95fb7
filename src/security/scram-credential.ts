import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { saslprep } from './saslprep.ts';

/** Iterations that RFC 7677 section 4 asks for at least, and what everybody uses. */
export const SCRAM_ITERATIONS = 4_096;

/** In bytes. */
export const SCRAM_SALT_BYTES = 16;

/** Bytes of a SHA-256 value. */
export const SHA_256_BYTES = 32;

/** What is kept of a password: enough to check a client's proof and to give our own, not enough to log in with. RFC 5802 section 3. */
export interface ScramCredential {
  readonly salt: Buffer;
  readonly iterations: number;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

const deriveKey = promisify(pbkdf2);

/**
 * Derives from a password what is to be kept of it. Takes some milliseconds of one of the process's worker threads.
 *
 * A password that SASLprep refuses is taken byte by byte as UTF-8, so that it works with clients that do not prepare it either.
 * @param salt a new one unless given
 */
export async function deriveScramCredential(
  password: string,
  iterations: number = SCRAM_ITERATIONS,
  salt: Buffer = randomBytes(SCRAM_SALT_BYTES),
): Promise<ScramCredential> {
  const salted = await deriveKey(saslprep(password) ?? password, salt, iterations, SHA_256_BYTES, 'sha256');
  return { salt, iterations, storedKey: sha256(hmac(salted, 'Client Key')), serverKey: hmac(salted, 'Server Key') };
}

export function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

export function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
