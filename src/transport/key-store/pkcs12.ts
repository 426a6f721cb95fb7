import { createDecipheriv, createHash, createHmac, type KeyObject, pbkdf2Sync, timingSafeEqual, type X509Certificate } from 'node:crypto';
import { CONTEXT_0, type DerElement, INTEGER, OCTET_STRING, readDer, SEQUENCE } from './der.ts';
import { KeyStoreFormatError, type Material, readCertificate, readPrivateKey } from './material.ts';

/** Rounds of a password's derivation beyond which a file is no key store but a way to keep the processor busy; programs write 2,048 to 600,000. */
const ROUNDS_MAX = 2_000_000;

/** Object identifiers. RFC 7292 appendix D, RFC 8018 appendix C. */
const DATA = '1.2.840.113549.1.7.1';
const ENCRYPTED_DATA = '1.2.840.113549.1.7.6';
const KEY_BAG = '1.2.840.113549.1.12.10.1.1';
const SHROUDED_KEY_BAG = '1.2.840.113549.1.12.10.1.2';
const CERT_BAG = '1.2.840.113549.1.12.10.1.3';
const SAFE_CONTENTS_BAG = '1.2.840.113549.1.12.10.1.6';
const X509_CERTIFICATE = '1.2.840.113549.1.9.22.1';
const PBE_SHA1_3DES = '1.2.840.113549.1.12.1.3';
const PBE_SHA1_RC2_128 = '1.2.840.113549.1.12.1.5';
const PBE_SHA1_RC2_40 = '1.2.840.113549.1.12.1.6';
const PBES2 = '1.2.840.113549.1.5.13';
const PBKDF2 = '1.2.840.113549.1.5.12';

/** Digests of a MAC and of the derivation of its key, and bytes of a block of theirs. */
const DIGESTS: Readonly<Record<string, { readonly name: string; readonly blockSize: number }>> = {
  '1.3.14.3.2.26': { name: 'sha1', blockSize: 64 },
  '2.16.840.1.101.3.4.2.4': { name: 'sha224', blockSize: 64 },
  '2.16.840.1.101.3.4.2.1': { name: 'sha256', blockSize: 64 },
  '2.16.840.1.101.3.4.2.2': { name: 'sha384', blockSize: 128 },
  '2.16.840.1.101.3.4.2.3': { name: 'sha512', blockSize: 128 },
};

/** Pseudo-random functions of PBKDF2, by the HMAC they are; that with SHA-1 unless a file says. */
const HMACS: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.8': 'sha224',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
};

const CIPHERS: Readonly<Record<string, { readonly name: string; readonly keySize: number }>> = {
  '2.16.840.1.101.3.4.1.2': { name: 'aes-128-cbc', keySize: 16 },
  '2.16.840.1.101.3.4.1.22': { name: 'aes-192-cbc', keySize: 24 },
  '2.16.840.1.101.3.4.1.42': { name: 'aes-256-cbc', keySize: 32 },
  '1.2.840.113549.3.7': { name: 'des-ede3-cbc', keySize: 24 },
};

/**
 * Reads a PKCS#12 file (RFC 7292): all keys and certificates in it, be it a key store or a trust store, which has no key.
 *
 *     PFX ─► authenticated safe ─► safes, some encrypted ─► bags: keys, certificates
 *
 * OpenSSL reads one key and its certificate of such a file and no trust store at all, which is why it is done here.
 *
 * @param keyPassword null: keys are passed over
 * @throws KeyStoreFormatError
 */
export function readPkcs12(file: Buffer, password: string, keyPassword: string | null): Material {
  const pfx = readDer(file).expect(SEQUENCE);
  const safes = dataIn(pfx.child(1, SEQUENCE));
  const mac = pfx.children[2];
  if (mac !== undefined) checkMac(mac, safes, password);
  const keys: KeyObject[] = [];
  const certificates: X509Certificate[] = [];
  const readBags = (contents: DerElement, depth: number): void => {
    for (const bag of contents.expect(SEQUENCE).children) {
      const value = bag.child(1, CONTEXT_0).child(0);
      switch (bag.child(0).identifier) {
        case KEY_BAG:
          if (keyPassword !== null) keys.push(readPrivateKey(value.bytes, ''));
          break;
        case SHROUDED_KEY_BAG:
          if (keyPassword !== null) keys.push(readPrivateKey(value.bytes, keyPassword));
          break;
        case CERT_BAG:
          if (value.child(0).identifier === X509_CERTIFICATE) certificates.push(readCertificate(value.child(1, CONTEXT_0).child(0).octets));
          break;
        case SAFE_CONTENTS_BAG:
          if (depth === 0) throw new KeyStoreFormatError('it has bags within bags within bags');
          readBags(value, depth - 1);
          break;
        default: // revocation lists and secrets, which are for others
      }
    }
  };
  for (const safe of readDer(safes).expect(SEQUENCE).children) readBags(readDer(contentsOf(safe, password)), 4);
  return { keys, certificates };
}

/** What a ContentInfo holds in the clear. */
function dataIn(contentInfo: DerElement): Buffer {
  const kind = contentInfo.child(0).identifier;
  if (kind !== DATA) throw new KeyStoreFormatError(`it is signed with a public key (${kind}), which is not read here`);
  return contentInfo.child(1, CONTEXT_0).child(0).octets;
}

function contentsOf(safe: DerElement, password: string): Buffer {
  if (safe.child(0).identifier !== ENCRYPTED_DATA) return dataIn(safe);
  const encrypted = safe.child(1, CONTEXT_0).child(0, SEQUENCE).child(1, SEQUENCE);
  if (password === '') throw new KeyStoreFormatError('it is encrypted, and no password is given');
  return decrypt(encrypted.child(1, SEQUENCE), encrypted.child(2).octets, password);
}

/** Tells a wrong password from a right one, and a file that was changed. RFC 7292 section 5.1. */
function checkMac(mac: DerElement, content: Buffer, password: string): void {
  const digestInfo = mac.child(0, SEQUENCE);
  const digest = ownValue(DIGESTS, digestInfo.child(0, SEQUENCE).child(0).identifier);
  if (digest === undefined) return; // a kind of MAC that is newer than this: what is encrypted still needs the right password
  const salt = mac.child(1, OCTET_STRING).content;
  const rounds = mac.children.length > 2 ? roundsOf(mac.child(2, INTEGER)) : 1;
  const stated = digestInfo.child(1, OCTET_STRING).content;
  const size = createHash(digest.name).digest().length;
  const key = derive(digest, MAC_KEY, password, salt, rounds, size);
  const computed = createHmac(digest.name, key).update(content).digest();
  if (computed.length === stated.length && timingSafeEqual(computed, stated)) return;
  throw new KeyStoreFormatError(password === '' ? 'it has a password, and none is given' : 'its password is wrong, or it is damaged');
}

function decrypt(algorithm: DerElement, encrypted: Buffer, password: string): Buffer {
  const { cipher, key, iv } = keyFor(algorithm, password);
  try {
    const decipher = createDecipheriv(cipher, key, iv);
    return Buffer.concat([decipher.update(encrypted), decipher.final()]);
  } catch (error) {
    throw new KeyStoreFormatError('its password is wrong, or it is damaged', error);
  }
}

function keyFor(algorithm: DerElement, password: string): { cipher: string; key: Buffer; iv: Buffer } {
  const identifier = algorithm.child(0).identifier;
  const parameters = algorithm.child(1, SEQUENCE);
  if (identifier === PBES2) return pbes2Key(parameters, password);
  if (identifier === PBE_SHA1_3DES) {
    const salt = parameters.child(0, OCTET_STRING).content;
    const rounds = roundsOf(parameters.child(1));
    const sha1 = { name: 'sha1', blockSize: 64 };
    return {
      cipher: 'des-ede3-cbc',
      key: derive(sha1, CIPHER_KEY, password, salt, rounds, 24),
      iv: derive(sha1, IV, password, salt, rounds, 8),
    };
  }
  if (identifier === PBE_SHA1_RC2_40 || identifier === PBE_SHA1_RC2_128)
    throw new KeyStoreFormatError('it is encrypted with RC2, as old programs do, which today’s OpenSSL does not read');
  throw new KeyStoreFormatError(`it is encrypted in a way that is not known (${identifier})`);
}

/** RFC 8018 section 6.2. */
function pbes2Key(parameters: DerElement, password: string): { cipher: string; key: Buffer; iv: Buffer } {
  const derivation = parameters.child(0, SEQUENCE);
  const encryption = parameters.child(1, SEQUENCE);
  if (derivation.child(0).identifier !== PBKDF2) throw new KeyStoreFormatError('its key comes of something else than PBKDF2');
  const cipher = ownValue(CIPHERS, encryption.child(0).identifier);
  if (cipher === undefined)
    throw new KeyStoreFormatError(`it is encrypted with a cipher that is not known (${encryption.child(0).identifier})`);
  const [salt, rounds, ...rest] = derivation.child(1, SEQUENCE).children;
  if (salt === undefined || rounds === undefined) throw new KeyStoreFormatError('its ASN.1 is malformed: PBKDF2 has no salt or no rounds');
  const prf = rest.find(({ tag }) => tag === SEQUENCE);
  const digest = prf === undefined ? 'sha1' : ownValue(HMACS, prf.child(0).identifier);
  if (digest === undefined) throw new KeyStoreFormatError('its key comes of a function that is not known');
  const iv = encryption.child(1, OCTET_STRING).content;
  return {
    cipher: cipher.name,
    key: pbkdf2Sync(password, salt.expect(OCTET_STRING).content, roundsOf(rounds), cipher.keySize, digest),
    iv,
  };
}

/** What a derived key is for. RFC 7292 appendix B.3. */
const CIPHER_KEY = 1;
const IV = 2;
const MAC_KEY = 3;

/** PKCS#12's own derivation of a key from a password. RFC 7292 appendix B.2; the letters are its own. */
function derive(
  { name, blockSize: v }: { readonly name: string; readonly blockSize: number },
  purpose: number,
  password: string,
  salt: Buffer,
  rounds: number,
  size: number,
): Buffer {
  const filled = (bytes: Buffer) => Buffer.alloc(Math.ceil(bytes.length / v) * v, bytes.length === 0 ? 0 : bytes);
  const text = Buffer.from(`${password}\0`, 'utf16le').swap16();
  const D = Buffer.alloc(v, purpose);
  const I = Buffer.concat([filled(salt), filled(text)]);
  const parts: Buffer[] = [];
  for (let length = 0; length < size; ) {
    let A = createHash(name).update(D).update(I).digest();
    for (let i = 1; i < rounds; i++) A = createHash(name).update(A).digest();
    parts.push(A);
    length += A.length;
    const B = filledTo(A, v);
    for (let block = 0; block < I.length; block += v) addOne(I, block, B);
  }
  return Buffer.concat(parts).subarray(0, size);
}

function filledTo(bytes: Buffer, size: number): Buffer {
  return Buffer.alloc(size, bytes);
}

/** Adds `B` and 1 to the block of `I` at `start`, as numbers. */
function addOne(I: Buffer, start: number, B: Buffer): void {
  let carry = 1;
  for (let i = B.length - 1; i >= 0; i--) {
    carry += I[start + i]! + B[i]!;
    I[start + i] = carry & 0xff;
    carry >>= 8;
  }
}

function roundsOf(element: DerElement): number {
  const rounds = element.integer;
  if (rounds < 1 || rounds > ROUNDS_MAX)
    throw new KeyStoreFormatError(`it asks for ${rounds} rounds to derive its key; ${ROUNDS_MAX} are the most`);
  return rounds;
}

function ownValue<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
