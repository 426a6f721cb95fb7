import type { Socket } from 'node:net';
import {
  checkServerIdentity,
  createSecureContext,
  createServer,
  DEFAULT_CIPHERS,
  type SecureContext,
  type SecureContextOptions,
  type SecureVersion,
  type Server,
  type TLSSocket,
} from 'node:tls';
import { ConfigError } from '../errors.ts';
import type { Identity } from './key-store/key-store.ts';
import type { Arrival, PeerCertificate, Stage, StageOutcome } from './stage.ts';
import { identityFor, type TlsCredentials } from './tls-credentials.ts';

/** Longest time that Node's timers take, in milliseconds: who bounds a handshake is the caller. */
const NO_TIMEOUT_MS = 2_147_483_647;

export interface TlsStageOptions {
  /** Whether a client must show a certificate, may, or is not asked. One that is shown must be good. */
  readonly clientAuth: 'need' | 'want' | 'none';
  /** A client's certificate must name the address that the client connects from. */
  readonly verifyHostName: boolean;
  readonly minVersion: SecureVersion;
  readonly maxVersion: SecureVersion;
  /** OpenSSL's names with `:` between; null: Node's choice. */
  readonly cipherSuites: string | null;
}

interface Arriving {
  readonly arrival: Arrival;
  readonly outcome: StageOutcome;
}

/** The handshake of TLS. What follows is the same as without it. */
export class TlsStage implements Stage {
  readonly name = 'TLS';
  readonly #options: TlsStageOptions;
  /** It listens nowhere: it shakes hands on sockets that it is given. */
  readonly #server: Server;
  #credentials: TlsCredentials;
  #contexts: Map<Identity, SecureContext>;
  /** By `keyOf` of the socket below. */
  readonly #arriving = new Map<string, Arriving>();
  readonly #bySocket = new WeakMap<object, Arriving>();

  /** @throws ConfigError KEY_STORE when OpenSSL does not take the credentials */
  constructor(options: TlsStageOptions, credentials: TlsCredentials) {
    this.#options = options;
    this.#credentials = credentials;
    this.#contexts = this.#contextsOf(credentials);
    this.#server = createServer({
      ...contextOptions(credentials.identities[0]!, credentials, options),
      requestCert: options.clientAuth !== 'none',
      // A client is told in its own protocol what is wrong with its certificate: TLS 1.3 has no word for it that would still arrive.
      rejectUnauthorized: false,
      handshakeTimeout: NO_TIMEOUT_MS,
      noDelay: true,
      SNICallback: (serverName, done) => this.#choose(serverName, done),
    });
    this.#server.on('secureConnection', (socket) => this.#onSecure(socket));
    this.#server.on('tlsClientError', (error, socket) => this.#onFailed(socket, reasonOf(error)));
  }

  begin(arrival: Arrival, outcome: StageOutcome): void {
    const { socket, head } = arrival;
    const key = keyOf(socket);
    const arriving = { arrival, outcome };
    this.#arriving.set(key, arriving);
    this.#bySocket.set(socket, arriving);
    socket.once('close', () => this.#arriving.delete(key));
    if (head.length > 0) socket.unshift(head);
    this.#server.emit('connection', socket); // it reads the socket from now on, whether that is paused or not
  }

  /**
   * Handshakes from now on are made with these; connections go on with what they have.
   * @throws ConfigError KEY_STORE when OpenSSL does not take them; those before stay in use
   */
  use(credentials: TlsCredentials): void {
    const contexts = this.#contextsOf(credentials);
    this.#server.setSecureContext(contextOptions(credentials.identities[0]!, credentials, this.#options));
    this.#credentials = credentials;
    this.#contexts = contexts;
  }

  #contextsOf(credentials: TlsCredentials): Map<Identity, SecureContext> {
    return new Map(
      credentials.identities.map((identity) => [identity, createContext(identity, contextOptions(identity, credentials, this.#options))]),
    );
  }

  #choose(serverName: string, done: (error: Error | null, context?: SecureContext) => void): void {
    done(null, this.#contexts.get(identityFor(serverName, this.#credentials)));
  }

  #onSecure(socket: TLSSocket): void {
    const arriving = this.#arriving.get(keyOf(socket));
    if (arriving === undefined) {
      socket.destroy(); // it was closed meanwhile
      return;
    }
    const { arrival, outcome } = arriving;
    socket.pause();
    const peerCertificate = peerCertificateOf(socket);
    const refusal = arrival.refusal ?? this.#faultOf(socket, arrival.remoteAddress, peerCertificate);
    outcome.done({
      ...arrival,
      socket,
      head: arrival.head.subarray(arrival.head.length),
      peerCertificate: refusal === null ? (peerCertificate ?? arrival.peerCertificate) : null,
      serverName: typeof socket.servername === 'string' ? socket.servername : arrival.serverName,
      refusal,
    });
  }

  #onFailed(socket: TLSSocket, reason: string): void {
    // A socket that was reset has no address any more. Node keeps the socket below in a field of its own: with it the log has the reason.
    const below = '_parent' in socket && typeof socket._parent === 'object' ? socket._parent : null;
    const arriving = this.#arriving.get(keyOf(socket)) ?? (below === null ? undefined : this.#bySocket.get(below));
    arriving?.outcome.failed(reason);
  }

  /** What is wrong with the certificate of a client, or with its having none; null: nothing. */
  #faultOf(socket: TLSSocket, remoteAddress: string, certificate: PeerCertificate | null): string | null {
    const { clientAuth, verifyHostName } = this.#options;
    if (clientAuth === 'none') return null;
    if (certificate === null) return clientAuth === 'need' ? 'a client certificate is needed' : null;
    if (!socket.authorized) return `the client certificate is not good: ${socket.authorizationError}`;
    if (!verifyHostName) return null;
    const host = remoteAddress.slice(0, remoteAddress.lastIndexOf(':')).replace(/^::ffff:/, '');
    const mismatch = checkServerIdentity(host, socket.getPeerCertificate());
    return mismatch === undefined ? null : `the client certificate does not name ${host}, where the client is`;
  }
}

/** A socket and the TLS socket on top of it have the same other end, which nobody else has at the time. */
function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function contextOptions(identity: Identity, credentials: TlsCredentials, options: TlsStageOptions): SecureContextOptions {
  const { clientAuth, minVersion, maxVersion, cipherSuites } = options;
  const { trusted, revoked } = credentials;
  // OpenSSL takes versions before 1.2 only at its lowest level, which also has what those need.
  const level = minVersion < 'TLSv1.2' ? ':@SECLEVEL=0' : '';
  return {
    key: identity.key.export({ type: 'pkcs8', format: 'pem' }),
    cert: identity.chain.map(String).join(''),
    minVersion,
    maxVersion,
    ...(cipherSuites === null && level === '' ? {} : { ciphers: `${cipherSuites ?? DEFAULT_CIPHERS}${level}` }),
    ...(cipherSuites?.includes('DHE-') ? { dhparam: 'auto' } : {}),
    ...(clientAuth === 'none' ? {} : { ca: trusted.map(String), ...(revoked === null ? {} : { crl: revoked }) }),
  };
}

function createContext({ path }: Identity, options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(options);
  } catch (error) {
    throw new ConfigError('KEY_STORE', `${path}: OpenSSL does not take it: ${reasonOf(error)}`, error);
  }
}

function peerCertificateOf(socket: TLSSocket): PeerCertificate | null {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return null;
  const commonName: string | string[] | undefined = socket.getPeerCertificate().subject.CN;
  // Node writes one attribute a line, the first in the certificate first; RFC 2253 wants the last one first.
  const subject = certificate.subject.split('\n').reverse().join(',').replaceAll(' + ', '+');
  return { commonName: (Array.isArray(commonName) ? commonName[0] : commonName) ?? '', subject };
}

/** OpenSSL's errors without numbers and file names, and what the usual ones mean. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  return REASONS[code] ?? /^[0-9A-F]+:error:[0-9A-F]+:[^:]*:[^:]*:([^:]*):/.exec(error.message)?.[1] ?? error.message;
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNRESET: 'the other side closed the connection in its handshake',
  ERR_SSL_WRONG_VERSION_NUMBER: 'what came is no TLS',
  ERR_SSL_HTTP_REQUEST: 'what came is HTTP without TLS',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'the client does not trust the certificate of the broker (unknown CA)',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'the client does not like the certificate of the broker (bad certificate)',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: 'the client says that the certificate of the broker has expired',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: 'the client does not take the certificate of the broker (certificate unknown)',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'the client speaks only versions of TLS that are not enabled',
  ERR_SSL_NO_SHARED_CIPHER: 'the client and the broker have no cipher suite in common',
};
