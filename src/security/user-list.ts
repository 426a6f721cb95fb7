import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Authenticator, Credentials, Principal, Verdict } from '../core/ports.ts';
import type { Log } from '../telemetry/log.ts';
import { saslprep } from './saslprep.ts';
import { deriveScramCredential, SHA_256_BYTES } from './scram-credential.ts';
import { ScramSha256, type ScramUser } from './scram-sha-256.ts';

/** The users that a configuration names (`simpleAuthenticationPlugin`). */
export interface UserListSettings {
  readonly users: readonly ListedUser[];
  /** Whoever connects without user name and password is this user; null: nobody may. */
  readonly anonymous: Principal | null;
}

export interface ListedUser extends Principal {
  readonly password: string;
}

interface KnownUser {
  readonly principal: Principal;
  readonly digest: Buffer;
}

/**
 * Lets in the users of a list: by password, by certificate, or by SCRAM. Keeps no password, only what is needed to check one.
 */
export class UserList implements Authenticator {
  readonly scram: ScramSha256;
  readonly #users = new Map<string, KnownUser>();
  readonly #anonymous: Principal | null;
  /** Digests of this start are compared with digests of this start alone, so they need not be slow ones. */
  readonly #key = randomBytes(SHA_256_BYTES);
  /** What is compared with where a name is nobody's: the same work, so that time tells nothing. */
  readonly #nobody = randomBytes(SHA_256_BYTES);
  readonly #scramUsers: Promise<ReadonlyMap<string, ScramUser>>;

  constructor({ users, anonymous }: UserListSettings, log: Log) {
    this.#anonymous = anonymous;
    for (const { userName, groups, password } of users)
      this.#users.set(userName, { principal: { userName, groups }, digest: this.#digest(Buffer.from(password)) });
    this.#scramUsers = deriveAll(users, log);
    this.scram = new ScramSha256({ find: async (userName) => (await this.#scramUsers).get(userName) ?? null });
  }

  /** Resolves when all is ready for SCRAM: a few milliseconds a user. Until then its clients wait. */
  async ready(): Promise<void> {
    await this.#scramUsers;
  }

  authenticate({ userName, password, certificateName }: Credentials): Verdict {
    if (certificateName !== null) {
      const known = this.#users.get(certificateName);
      if (known !== undefined) return { kind: 'admitted', principal: known.principal };
      return { kind: 'refused', reason: 'notAuthorized', text: 'the certificate is of nobody who may connect' };
    }
    if (userName === null && password === null) {
      if (this.#anonymous !== null) return { kind: 'admitted', principal: this.#anonymous };
      return { kind: 'refused', reason: 'notAuthorized', text: 'a user name and a password are needed' };
    }
    const known = userName === null ? undefined : this.#users.get(userName);
    const isRight = timingSafeEqual(this.#digest(password ?? Buffer.alloc(0)), known?.digest ?? this.#nobody);
    if (known !== undefined && password !== null && isRight) return { kind: 'admitted', principal: known.principal };
    return { kind: 'refused', reason: 'badUserNameOrPassword', text: 'the user name or the password is wrong' };
  }

  #digest(password: Buffer): Buffer {
    return createHmac('sha256', this.#key).update(password).digest();
  }
}

async function deriveAll(users: readonly ListedUser[], log: Log): Promise<Map<string, ScramUser>> {
  const derived = new Map<string, ScramUser>();
  for (const { userName, groups, password } of users) {
    const prepared = saslprep(userName);
    if (prepared === null) log.warn('a user name has characters that SASLprep prohibits: no SCRAM client can send it', { userName });
    else derived.set(prepared, { credential: await deriveScramCredential(password), principal: { userName, groups } });
  }
  return derived;
}
