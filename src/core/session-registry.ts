import { compareStamps, type Stamp } from './hybrid-clock.ts';
import type { Dismissal, Session } from './ports.ts';

/** One session a client id. */
export class SessionRegistry {
  readonly #sessions = new Map<string, Session>();

  get size(): number {
    return this.#sessions.size;
  }

  get(clientId: string): Session | undefined {
    return this.#sessions.get(clientId);
  }

  set(session: Session): void {
    this.#sessions.set(session.clientId, session);
  }

  /** Removes a session, unless another has taken its place. */
  delete(session: Session): void {
    if (this.#sessions.get(session.clientId) === session) this.#sessions.delete(session.clientId);
  }

  values(): IterableIterator<Session> {
    return this.#sessions.values();
  }

  /** Ends a client's connection. @returns whether it has one here */
  dismiss(clientId: string, dismissal: Dismissal): boolean {
    const session = this.#sessions.get(clientId);
    if (!session?.connected) return false;
    session.dismiss(dismissal);
    return true;
  }

  /** The client connected to another broker at `stamp`: if that is newer than its last connection here, that is over. */
  claimedElsewhere(clientId: string, stamp: Stamp): void {
    const session = this.#sessions.get(clientId);
    if (session !== undefined && compareStamps(session.claimedAt, stamp) < 0) session.connectedElsewhere();
  }
}
