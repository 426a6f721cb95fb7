import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Authenticator, Credentials, Principal, Verdict } from '../core/ports.ts';
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

  /** Takes a few milliseconds a user, for SCRAM. */
  static async create(settings: UserListSettings): Promise<UserList> {
    const scramUsers = new Map<string, ScramUser>();
    for (const { userName, groups, password } of settings.users) {
      const prepared = saslprep(userName);
      if (prepared === null) continue; // no SCRAM client can send such a name
      scramUsers.set(prepared, { credential: await deriveScramCredential(password), principal: { userName, groups } });
    }
    return new UserList(settings, new ScramSha256({ find: (userName) => scramUsers.get(userName) ?? null }));
  }

  private constructor({ users, anonymous }: UserListSettings, scram: ScramSha256) {
    this.scram = scram;
    this.#anonymous = anonymous;
    for (const { userName, groups, password } of users)
      this.#users.set(userName, { principal: { userName, groups }, digest: this.#digest(Buffer.from(password)) });
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
