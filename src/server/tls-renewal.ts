import { readdirSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { SslContextModel } from '../config/activemq/model.ts';
import { CodedError, ConfigError } from '../errors.ts';
import type { Log } from '../telemetry/log.ts';
import { lifeFaults, readCredentials, type TlsCredentials, type TlsFiles } from '../transport/tls-credentials.ts';
import { TlsStage, type TlsStageOptions } from '../transport/tls-stage.ts';

/** How often it is looked whether a file has changed, in milliseconds: seldom enough to cost nothing, soon enough for whoever waits. */
const LOOK_MS = 5_000;

/**
 * The keys and certificates of one broker, and the connectors that use them.
 *
 * Files that change are read again: handshakes from then on have the new certificate, connections go on as they are. Files that cannot be
 * used leave the old certificate in place, with a warning. A file is read when it was the same for one look: one that is being written is
 * left alone.
 */
export class TlsRenewal {
  readonly #files: TlsFiles;
  readonly #log: Log;
  readonly #stages: TlsStage[] = [];
  readonly #timer: NodeJS.Timeout;
  #credentials: TlsCredentials;
  /** What the files were like when they were last read, and at the last look. */
  #readStamp: string;
  #seenStamp: string;

  /** @throws ConfigError KEY_STORE */
  constructor(files: TlsFiles, log: Log, lookMs = LOOK_MS) {
    this.#files = files;
    this.#log = log;
    this.#readStamp = this.#seenStamp = stampOf(files);
    this.#credentials = readCredentials(files);
    this.#warnOfLife();
    this.#timer = setInterval(() => this.#look(), lookMs).unref();
  }

  /** @throws ConfigError KEY_STORE when OpenSSL does not take the key with these options */
  createStage(options: TlsStageOptions): TlsStage {
    const stage = new TlsStage(options, this.#credentials);
    this.#stages.push(stage);
    return stage;
  }

  /** Reads the files now, changed or not. */
  renew(): void {
    this.#readStamp = this.#seenStamp = stampOf(this.#files);
    try {
      const credentials = readCredentials(this.#files);
      for (const stage of this.#stages) stage.use(credentials);
      this.#credentials = credentials;
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      this.#log.warn('the new certificate cannot be used, the old one stays', { reason: error.message });
      return;
    }
    const [first] = this.#credentials.identities;
    const { subject, validTo } = first!.chain[0]!;
    this.#log.info('certificates were read again', { subject, validTo, certificates: this.#credentials.identities.length });
    this.#warnOfLife();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const stamp = stampOf(this.#files);
    const isSettled = stamp === this.#seenStamp;
    this.#seenStamp = stamp;
    if (isSettled && stamp !== this.#readStamp) this.renew();
  }

  #warnOfLife(): void {
    for (const fault of lifeFaults(this.#credentials, Date.now())) this.#log.warn('a certificate is not valid now', { reason: fault });
  }
}

/** @throws ConfigError KEY_STORE with the place in the file */
export function openTlsRenewal(model: SslContextModel, log: Log): TlsRenewal {
  try {
    return new TlsRenewal(tlsFilesOf(model)!, log);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    throw new ConfigError(error.code, `${model.place.file}:${model.place.line}: ${error.message}`, error);
  }
}

/** null: there is no key store, which is an error only where a connector has TLS. */
export function tlsFilesOf({ keyStore, trustStore, crlPath }: SslContextModel): TlsFiles | null {
  return keyStore === null ? null : { keyStore, trustStore, crlPath };
}

/** Changes when any of the files does, or one comes or goes. */
function stampOf({ keyStore, trustStore, crlPath }: TlsFiles): string {
  const named = [...keyStore.paths, ...(trustStore?.paths ?? []), ...(crlPath === null ? [] : [crlPath])];
  // A PEM file may have its key in one beside it.
  const beside = named.map((path) => `${path.slice(0, path.length - extname(path).length)}.key`);
  return [...named, ...beside].flatMap(stampsOf).join('\n');
}

function stampsOf(path: string): string[] {
  try {
    const state = statSync(path);
    if (!state.isDirectory()) return [`${path} ${state.mtimeMs} ${state.size} ${state.ino}`];
    return readdirSync(path)
      .sort()
      .flatMap((name) => stampsOf(join(path, name)));
  } catch {
    return [`${path} is not there`];
  }
}
