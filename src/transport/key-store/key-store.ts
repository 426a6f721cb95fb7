import type { KeyObject, X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { ConfigError } from '../../errors.ts';
import { JCEKS_MAGIC, JKS_MAGIC, readJks } from './jks.ts';
import { KeyStoreFormatError, type Material } from './material.ts';
import { isPem, readPem } from './pem.ts';
import { readPkcs12 } from './pkcs12.ts';

/** Files of a folder that are looked at: each of the first kind is a store. */
const STORE_ENDINGS = ['.pem', '.crt', '.cer', '.p12', '.pfx', '.jks', '.ks'];
/** Where the key of a PEM file is that has none: beside it, under its name. */
const KEY_ENDING = '.key';
/** Bytes of the largest file that is read: a bundle of all certificates in the world has a few hundred thousand. */
const FILE_SIZE_MAX = 16 * 1024 * 1024;

/** Where keys and certificates are. */
export interface KeyStoreFiles {
  /** One file or folder, or PEM files that belong together. */
  readonly paths: readonly string[];
  readonly password: string;
  readonly keyPassword: string;
}

/** A key and the certificates that say whose it is, the leaf first. */
export interface Identity {
  readonly key: KeyObject;
  readonly chain: readonly X509Certificate[];
  /** The file, for messages. */
  readonly path: string;
}

/**
 * Reads the broker's identities: of one store each of its keys, in its order; of a folder those of every store in it, by name. The first
 * one is for clients that name no server, or an unknown one.
 *
 * @throws ConfigError KEY_STORE, with the file and what to do about it
 */
export function readIdentities(files: KeyStoreFiles): Identity[] {
  const stores = storesOf(files.paths);
  const identities = stores.flatMap((store) => identitiesIn(store, files));
  if (identities.length === 0)
    throw fault(files.paths[0]!, `the folder has no key store: expected files that end in ${STORE_ENDINGS.join(', ')}`);
  return identities;
}

/**
 * Reads certificates that are trusted; keys beside them are passed over.
 * @throws ConfigError KEY_STORE
 */
export function readTrusted(files: KeyStoreFiles): X509Certificate[] {
  const certificates = storesOf(files.paths).flatMap((paths) =>
    paths.flatMap((path) => [...materialOf(path, files.password, null).certificates]),
  );
  if (certificates.length === 0) throw fault(files.paths[0]!, 'there is no certificate in it');
  return certificates;
}

/**
 * Reads a list of revoked certificates, in PEM or DER, as PEM.
 * @throws ConfigError KEY_STORE
 */
export function readRevocationList(path: string): string {
  const file = bytesOf(path);
  const text = isPem(file) ? file.toString('latin1') : pemOf('X509 CRL', file);
  if (!text.includes('-----BEGIN X509 CRL-----')) throw fault(path, 'there is no list of revoked certificates in it');
  return text;
}

/** Groups of files, each of which is one store. */
function storesOf(paths: readonly string[]): (readonly string[])[] {
  if (paths.length > 1) return [paths];
  const [path] = paths as [string];
  if (!statOf(path).isDirectory()) return [paths];
  return readdirSync(path)
    .filter((name) => STORE_ENDINGS.includes(extname(name).toLowerCase()))
    .sort()
    .map((name) => [join(path, name)]);
}

function identitiesIn(paths: readonly string[], { password, keyPassword }: KeyStoreFiles): Identity[] {
  const path = paths[0]!;
  const materials = paths.map((part) => materialOf(part, password, keyPassword));
  const certificates = materials.flatMap((material) => [...material.certificates]);
  let keys: readonly KeyObject[] = materials.flatMap((material) => [...material.keys]);
  if (keys.length === 0 && paths.length === 1) keys = keysBeside(path, keyPassword);
  if (keys.length === 0) throw fault(path, 'there is no private key in it');
  return keys.map((key) => {
    const leaf = certificates.find((certificate) => certificate.checkPrivateKey(key));
    if (leaf === undefined) throw fault(path, 'no certificate in it is of its private key');
    return { key, chain: chainOf(leaf, certificates), path };
  });
}

/** A PEM file with certificates alone has its key in another of the same name. */
function keysBeside(path: string, keyPassword: string): readonly KeyObject[] {
  const beside = `${path.slice(0, path.length - extname(path).length)}${KEY_ENDING}`;
  try {
    statSync(beside);
  } catch {
    throw fault(
      path,
      `there is no private key in it, and no file ${beside} beside it; PEM files that belong together are listed with commas`,
    );
  }
  return materialOf(beside, '', keyPassword).keys;
}

/** A certificate and those that lead from it to its root, as far as they are there. */
function chainOf(leaf: X509Certificate, certificates: readonly X509Certificate[]): X509Certificate[] {
  const chain = [leaf];
  for (;;) {
    const last = chain.at(-1)!;
    const issuer = certificates.find((candidate) => !chain.includes(candidate) && last.checkIssued(candidate));
    if (issuer === undefined) return chain;
    chain.push(issuer);
  }
}

/** What a file holds, whatever it is called: its first bytes tell its form. */
function materialOf(path: string, password: string, keyPassword: string | null): Material {
  const file = bytesOf(path);
  const magic = file.length >= 4 ? file.readUInt32BE(0) : 0;
  try {
    if (isPem(file)) return readPem(file, keyPassword);
    if (magic === JKS_MAGIC) return readJks(file, password, keyPassword);
    if (magic === JCEKS_MAGIC) throw new KeyStoreFormatError('it is a JCEKS key store, which Java alone reads');
    if (file[0] === 0x30) return readPkcs12(file, password, keyPassword);
    throw new KeyStoreFormatError('it is neither PEM nor PKCS#12 nor JKS');
  } catch (error) {
    if (!(error instanceof KeyStoreFormatError)) throw error;
    throw fault(path, `${error.message}${conversion(path, magic, error.message)}`, error);
  }
}

/** The command that makes another form of a file which cannot be read. */
function conversion(path: string, magic: number, problem: string): string {
  const pem = `${path.slice(0, path.length - extname(path).length)}.pem`;
  if (magic === JCEKS_MAGIC)
    return `: convert it with: keytool -importkeystore -srckeystore ${path} -srcstoretype JCEKS -destkeystore ${path}.p12 -deststoretype PKCS12`;
  if (/RC2/.test(problem)) return `: convert it with: openssl pkcs12 -legacy -in ${path} -nodes -out ${pem}`;
  if (/not known|newer|ASN\.1/.test(problem))
    return `: if openssl reads it, convert it with: openssl pkcs12 -in ${path} -nodes -out ${pem}`;
  return '';
}

function bytesOf(path: string): Buffer {
  const { size } = statOf(path);
  if (size > FILE_SIZE_MAX) throw fault(path, `it has ${size} bytes: ${FILE_SIZE_MAX} are the most that are read`);
  try {
    return readFileSync(path);
  } catch (error) {
    throw fault(path, systemReason(error), error);
  }
}

function statOf(path: string): ReturnType<typeof statSync> & { isDirectory(): boolean; size: number } {
  try {
    return statSync(path) as ReturnType<typeof statOf>;
  } catch (error) {
    throw fault(path, systemReason(error), error);
  }
}

function systemReason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'this process may not read it';
  return message;
}

function pemOf(label: string, der: Buffer): string {
  return `-----BEGIN ${label}-----\n${der.toString('base64').replace(/(.{64})/g, '$1\n')}\n-----END ${label}-----\n`;
}

function fault(path: string, reason: string, cause?: unknown): ConfigError {
  return new ConfigError('KEY_STORE', `${path}: ${reason}`, cause);
}
