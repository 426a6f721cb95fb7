import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { AuthenticationExchange, AuthenticationMechanism, AuthenticationStep, Principal, Refusal } from '../core/ports.ts';
import { saslprep } from './saslprep.ts';
import { hmac, SCRAM_ITERATIONS, SCRAM_SALT_BYTES, type ScramCredential, SHA_256_BYTES, sha256 } from './scram-credential.ts';
import { type ClientFirst, formatServerFinal, formatServerFirst, parseClientFinal, parseClientFirst } from './scram-message.ts';

/** A user whom SCRAM can let in. */
export interface ScramUser {
  readonly credential: ScramCredential;
  readonly principal: Principal;
}

export interface ScramOptions {
  /** Finds a user by the name that SASLprep made of what the client sent; null: there is none. */
  readonly find: (userName: string) => ScramUser | null | Promise<ScramUser | null>;
  /** Iterations that users have: those of names that nobody has must not look different. */
  readonly iterations?: number;
  /** The server's part of a nonce: printable ASCII without a comma, never the same twice; for tests. */
  readonly createNonce?: () => string;
}

/** Bytes of chance in the server's part of a nonce. */
const NONCE_BYTES = 18;

/**
 * SCRAM-SHA-256 (RFC 5802, RFC 7677): the password never crosses, whoever listens cannot use what it hears, and the server proves that
 * it knows the user too.
 *
 *     client                        server
 *     n,,n=user,r=C          ──►
 *                            ◄──    r=CS,s=salt,i=4096
 *     c=biws,r=CS,p=proof    ──►
 *                            ◄──    v=signature
 *
 * A name that nobody has gets the salt that it would have, the same at each attempt, and fails where a wrong password does.
 */
export class ScramSha256 implements AuthenticationMechanism {
  readonly name = 'SCRAM-SHA-256';
  readonly #options: ScramOptions;
  /** Made at each start: salts of names that nobody has cannot be foretold. */
  readonly #secret = randomBytes(SHA_256_BYTES);

  constructor(options: ScramOptions) {
    this.#options = options;
  }

  start(): AuthenticationExchange {
    return new ScramExchange(
      (userName) => this.#find(userName),
      this.#options.createNonce ?? (() => randomBytes(NONCE_BYTES).toString('base64')),
    );
  }

  async #find(userName: string): Promise<Found> {
    const user = await this.#options.find(userName);
    return { user, credential: user?.credential ?? this.#pretend(userName) };
  }

  #pretend(userName: string): ScramCredential {
    const made = (what: string) => createHmac('sha256', this.#secret).update(`${what} ${userName}`).digest();
    const salt = made('salt').subarray(0, SCRAM_SALT_BYTES);
    return { salt, iterations: this.#options.iterations ?? SCRAM_ITERATIONS, storedKey: made('stored key'), serverKey: made('server key') };
  }
}

/** What is known of a name: with no user, a credential that no password fits. */
interface Found {
  readonly user: ScramUser | null;
  readonly credential: ScramCredential;
}

class ScramExchange implements AuthenticationExchange {
  readonly #find: (userName: string) => Promise<Found>;
  readonly #createNonce: () => string;
  #challenge: { readonly first: ClientFirst; readonly found: Found; readonly nonce: string; readonly said: string } | null = null;

  constructor(find: (userName: string) => Promise<Found>, createNonce: () => string) {
    this.#find = find;
    this.#createNonce = createNonce;
  }

  step(data: Buffer | null): AuthenticationStep | Promise<AuthenticationStep> {
    if (this.#challenge !== null) return this.#finish(data);
    // A client may wait to be asked before it begins (RFC 4422 section 3.3).
    return data === null || data.length === 0 ? { kind: 'continue', data: null } : this.#begin(data);
  }

  #begin(data: Buffer): AuthenticationStep | Promise<AuthenticationStep> {
    const first = parseClientFirst(data);
    if (first === null) return refused('the client’s first message is not one');
    if (first.channelBinding === 'p') return refused('channel binding is not supported');
    const userName = saslprep(first.userName);
    if (userName === null || userName === '') return refused('the user name has characters that SASLprep prohibits');
    if (first.authorizationName !== '' && first.authorizationName !== first.userName)
      return refused('acting as another user is not supported');
    return this.#find(userName).then((found) => {
      const nonce = first.nonce + this.#createNonce();
      const said = formatServerFirst(nonce, found.credential.salt, found.credential.iterations);
      this.#challenge = { first, found, nonce, said };
      return { kind: 'continue', data: Buffer.from(said) };
    });
  }

  /** RFC 5802 section 3. */
  #finish(data: Buffer | null): AuthenticationStep {
    const { first, found, nonce, said } = this.#challenge!;
    const final = data === null ? null : parseClientFinal(data);
    if (final === null) return refused('the client’s final message is not one');
    if (!final.channelBinding.equals(Buffer.from(first.gs2Header))) return refused('the final message is not for the first one’s header');
    if (final.nonce !== nonce) return refused('the final message is not for this exchange’s nonce');
    if (final.proof.length !== SHA_256_BYTES) return refused('the proof is not of the right size');
    const { storedKey, serverKey } = found.credential;
    const authMessage = `${first.bare},${said},${final.withoutProof}`;
    const signature = hmac(storedKey, authMessage);
    const clientKey = Buffer.from(final.proof.map((byte, i) => byte ^ signature[i]!));
    const isRight = timingSafeEqual(sha256(clientKey), storedKey);
    if (!isRight || found.user === null)
      return { kind: 'refused', reason: 'badUserNameOrPassword', text: 'SCRAM-SHA-256: the user name or the password is wrong' };
    return { kind: 'admitted', principal: found.user.principal, data: Buffer.from(formatServerFinal(hmac(serverKey, authMessage))) };
  }
}

function refused(what: string): Refusal {
  return { kind: 'refused', reason: 'notAuthorized', text: `SCRAM-SHA-256: ${what}` };
}
