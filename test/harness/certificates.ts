import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Why certificates cannot be made here; null: they can. */
export const NO_OPENSSL: string | null =
  spawnSync('openssl', ['version']).error === undefined ? null : 'the openssl program, which makes certificates, is not installed';

export interface Issued {
  /** The paths of a certificate and its key, both PEM. */
  readonly certificate: string;
  readonly key: string;
}

export interface SubjectFields {
  /** `/O=Example/CN=device-7` */
  readonly subject: string;
  /** `DNS:localhost,IP:127.0.0.1` */
  readonly names?: string;
  /** Its life is over. */
  readonly expired?: boolean;
  readonly password?: string;
}

/** A certificate authority for tests in a folder of its own: real certificates, made by openssl. */
export class Authority {
  readonly folder: string;
  /** Its own certificate, PEM. */
  readonly certificate: string;
  readonly #configuration: string;
  readonly #key: string;

  constructor(name: string) {
    this.folder = mkdtempSync(join(tmpdir(), 'roundhouse-ca-'));
    this.#configuration = this.path('openssl.cnf');
    this.certificate = this.path('ca.crt');
    this.#key = this.path('ca.key');
    writeFileSync(this.#configuration, configurationOf(this.folder));
    writeFileSync(this.path('index.txt'), '');
    this.#openssl(
      'req',
      '-x509',
      ...NEW_KEY,
      '-nodes',
      '-keyout',
      this.#key,
      '-out',
      this.certificate,
      '-subj',
      `/CN=${name}`,
      '-days',
      '30',
    );
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Makes `<name>.crt` and `<name>.key`. */
  issue(name: string, { subject, names, expired = false, password }: SubjectFields): Issued {
    const issued = { certificate: this.path(`${name}.crt`), key: this.path(`${name}.key`) };
    const request = this.path(`${name}.csr`);
    const protection = password === undefined ? ['-nodes'] : ['-passout', `pass:${password}`];
    this.#openssl('req', '-new', ...NEW_KEY, ...protection, '-keyout', issued.key, '-out', request, '-subj', subject);
    const extensions = this.path(`${name}.ext`);
    writeFileSync(extensions, names === undefined ? 'basicConstraints=CA:FALSE\n' : `subjectAltName=${names}\n`);
    const life = expired ? ['-startdate', '20200101000000Z', '-enddate', '20200201000000Z'] : ['-days', '20'];
    this.#ca('-in', request, '-out', issued.certificate, '-extfile', extensions, '-notext', ...life);
    return issued;
  }

  /** Revokes a certificate, and writes the list of all that are revoked. Returns its path. */
  revoke(issued: Issued | null): string {
    if (issued !== null) this.#ca('-revoke', issued.certificate);
    const list = this.path('crl.pem');
    this.#ca('-gencrl', '-crldays', '20', '-out', list);
    return list;
  }

  /** Writes a PKCS#12 file with a key, its certificate and ours. `options` are more of openssl's. */
  pkcs12(name: string, issued: Issued, password: string, ...options: readonly string[]): string {
    const path = this.path(name);
    const what = ['-inkey', issued.key, '-in', issued.certificate, '-certfile', this.certificate];
    this.#openssl('pkcs12', '-export', ...what, '-passout', `pass:${password}`, '-out', path, ...options);
    return path;
  }

  /** Writes several PEM files into one. */
  bundle(name: string, ...parts: readonly string[]): string {
    const path = this.path(name);
    writeFileSync(path, parts.map((part) => readFileSync(part, 'utf8')).join('\n'));
    return path;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #ca(...args: readonly string[]): void {
    this.#openssl('ca', '-batch', '-config', this.#configuration, '-keyfile', this.#key, '-cert', this.certificate, ...args);
  }

  #openssl(...args: readonly string[]): void {
    execFileSync('openssl', args, { stdio: 'pipe' });
  }
}

/** Elliptic keys are made in no time. */
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];

function configurationOf(folder: string): string {
  return `
[ca]
default_ca = authority
[authority]
database = ${folder}/index.txt
new_certs_dir = ${folder}
serial = ${folder}/serial
rand_serial = yes
default_md = sha256
default_days = 20
policy = anything
unique_subject = no
copy_extensions = none
[anything]
countryName = optional
organizationName = optional
organizationalUnitName = optional
commonName = optional
`;
}
