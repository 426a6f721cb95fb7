import type { Connection } from '../../transport/connection.ts';

/** Its CONNECT is not answered: what it sends behind it has to wait. */
export const ADMISSION = 1;
/** It does not read our answers. */
export const ANSWERS_UNREAD = 2;
/** It has published faster than it may. */
export const PUBLISH_RATE = 4;
/** The store is behind with very much that the client is promised. */
export const STORE_BEHIND = 8;
/** There is no room for what it publishes, and very much of that waits. */
export const NO_ROOM = 16;
export type PauseReason = typeof ADMISSION | typeof ANSWERS_UNREAD | typeof PUBLISH_RATE | typeof STORE_BEHIND | typeof NO_ROOM;

/** While it is one of these that the client is not listened to for, its silence is not its own. */
const OURS = PUBLISH_RATE | STORE_BEHIND | NO_ROOM;

/** Why a client is not read from at present, if it is not: its socket is read while there is no reason not to. */
export class Reading {
  readonly #connection: Connection;
  /** Bits, one a reason. */
  #reasons = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** @returns false when it was paused for this reason already */
  pause(reason: PauseReason): boolean {
    if ((this.#reasons & reason) !== 0) return false;
    if (this.#reasons === 0) this.#connection.pause();
    this.#reasons |= reason;
    return true;
  }

  /** @returns false when it was not paused for this reason */
  resume(reason: PauseReason): boolean {
    if ((this.#reasons & reason) === 0) return false;
    this.#reasons &= ~reason;
    if (this.#reasons === 0) this.#connection.resume();
    return true;
  }

  /** Whether it is this broker that keeps the client from being heard. */
  get isHeldBack(): boolean {
    return (this.#reasons & OURS) !== 0;
  }
}
