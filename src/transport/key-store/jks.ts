import { createHash, type KeyObject, timingSafeEqual, type X509Certificate } from 'node:crypto';
import { ByteReader } from '../../bytes/byte-reader.ts';
import { TruncatedError } from '../../errors.ts';
import { OCTET_STRING, readDer, SEQUENCE } from './der.ts';
import { KeyStoreFormatError, type Material, readCertificate, readPrivateKey } from './material.ts';

/** First four bytes of Java's own key stores, and of those with its other kind of protection. */
export const JKS_MAGIC = 0xfeedfeed;
export const JCEKS_MAGIC = 0xcececece;

const PRIVATE_KEY_ENTRY = 1;
const TRUSTED_CERTIFICATE_ENTRY = 2;

/** Java's own protection of a key: bytes of SHA-1 digests that follow from the password. */
const KEY_PROTECTOR = '1.3.6.1.4.1.42.2.17.1.1';
/** What Java hashes between the password and the file. */
const WHITENER = 'Mighty Aphrodite';
const DIGEST_SIZE = 20;

/**
 * Reads a key store in Java's own form (JKS): magic, version, number of entries; for each its kind, its alias, the time it was made, a
 * protected key with its chain or a certificate; at the end a digest of the password and all before it.
 *
 * @param keyPassword null: keys are passed over
 * @throws KeyStoreFormatError
 */
export function readJks(file: Buffer, password: string, keyPassword: string | null): Material {
  if (file.length < DIGEST_SIZE) throw new KeyStoreFormatError('it ends too soon');
  const body = file.subarray(0, file.length - DIGEST_SIZE);
  // Java reads certificates without a password, too, and does not check them then.
  if (password !== '') checkDigest(body, file.subarray(body.length), password);
  const reader = new ByteReader();
  reader.open(body, 0, body.length);
  try {
    return readEntries(reader, keyPassword);
  } catch (error) {
    if (!(error instanceof TruncatedError)) throw error;
    throw new KeyStoreFormatError('it ends too soon', error);
  }
}

function readEntries(reader: ByteReader, keyPassword: string | null): Material {
  const keys: KeyObject[] = [];
  const certificates: X509Certificate[] = [];
  reader.u32(); // the magic, which brought us here
  const version = reader.u32();
  if (version !== 1 && version !== 2) throw new KeyStoreFormatError(`it has the version ${version}; 1 and 2 are known`);
  const count = reader.u32();
  for (let i = 0; i < count; i++) {
    const kind = reader.u32();
    reader.skip(reader.u16()); // alias
    reader.skip(8); // date
    switch (kind) {
      case PRIVATE_KEY_ENTRY:
        readKey(reader.view(reader.u32()), keyPassword, keys);
        for (let left = reader.u32(); left > 0; left--) certificates.push(certificateIn(reader, version));
        break;
      case TRUSTED_CERTIFICATE_ENTRY:
        certificates.push(certificateIn(reader, version));
        break;
      default:
        throw new KeyStoreFormatError(`it has an entry of the kind ${kind}, which is not known`);
    }
  }
  return { keys, certificates };
}

function certificateIn(reader: ByteReader, version: number): X509Certificate {
  const type = version === 1 ? 'X.509' : reader.view(reader.u16()).toString('latin1');
  if (type !== 'X.509') throw new KeyStoreFormatError(`it has a certificate of the type "${type}", which is not known`);
  return readCertificate(reader.view(reader.u32()));
}

function readKey(protectedKey: Buffer, password: string | null, keys: KeyObject[]): void {
  if (password !== null) keys.push(readPrivateKey(unprotected(protectedKey, password), ''));
}

function checkDigest(body: Buffer, digest: Buffer, password: string): void {
  const computed = createHash('sha1').update(passwordBytes(password)).update(WHITENER).update(body).digest();
  if (!timingSafeEqual(computed, digest)) throw new KeyStoreFormatError('its password is wrong, or it is damaged');
}

/** A key in PKCS#8, out of a salt, the key under a stream of digests, and a digest of password and key. */
function unprotected(protectedKey: Buffer, password: string): Buffer {
  const element = readDer(protectedKey).expect(SEQUENCE);
  const algorithm = element.child(0, SEQUENCE).child(0).identifier;
  if (algorithm !== KEY_PROTECTOR) throw new KeyStoreFormatError(`its key is protected in a way that is not known (${algorithm})`);
  const bytes = element.child(1, OCTET_STRING).content;
  const size = bytes.length - 2 * DIGEST_SIZE;
  if (size < 0) throw new KeyStoreFormatError('a key in it ends too soon');
  const secret = passwordBytes(password);
  const key = Buffer.from(bytes.subarray(DIGEST_SIZE, DIGEST_SIZE + size));
  let digest = bytes.subarray(0, DIGEST_SIZE);
  for (let at = 0; at < size; at++) {
    if (at % DIGEST_SIZE === 0) digest = createHash('sha1').update(secret).update(digest).digest();
    key[at] = key[at]! ^ digest[at % DIGEST_SIZE]!;
  }
  const check = createHash('sha1').update(secret).update(key).digest();
  if (!timingSafeEqual(check, bytes.subarray(DIGEST_SIZE + size))) throw new KeyStoreFormatError('the password of the key in it is wrong');
  return key;
}

function passwordBytes(password: string): Buffer {
  return Buffer.from(password, 'utf16le').swap16();
}
