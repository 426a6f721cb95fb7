/**
 * Those who wait for a server with room, first come, first served.
 *
 * HAProxy logs how many left the queue before one did (`%bq`), itself included, so every ticket remembers what had left when it came.
 */
export class WaitingRoom<Guest> implements Iterable<Ticket<Guest>> {
  /** The most that have waited at a time. */
  lengthMax = 0;
  readonly #ring: Ticket<Guest>;
  #length = 0;
  #called = 0;

  constructor() {
    this.#ring = new Ticket<Guest>(null as Guest, 0);
    this.#ring.next = this.#ring;
    this.#ring.previous = this.#ring;
  }

  get length(): number {
    return this.#length;
  }

  /** Lines up at the end. */
  enter(guest: Guest): Ticket<Guest> {
    return this.#insert(new Ticket(guest, this.#called), this.#ring.previous!);
  }

  /** Lines up at the front: for one that was called and could not be served. */
  enterFirst(guest: Guest): Ticket<Guest> {
    return this.#insert(new Ticket(guest, this.#called), this.#ring);
  }

  /** Takes out one whose turn has come. @returns its place in the order of those who were called since it came, from 1 */
  call(ticket: Ticket<Guest>): number {
    const place = this.leave(ticket);
    this.#called++;
    return place;
  }

  /** Takes out one that gives up. @returns the place that `call` would have told */
  leave(ticket: Ticket<Guest>): number {
    ticket.previous!.next = ticket.next;
    ticket.next!.previous = ticket.previous;
    ticket.next = null;
    ticket.previous = null;
    this.#length--;
    return this.#called - ticket.calledBefore + 1;
  }

  /** From the front. The ticket at hand may leave meanwhile. */
  *[Symbol.iterator](): Iterator<Ticket<Guest>> {
    let ticket = this.#ring.next!;
    while (ticket !== this.#ring) {
      const following = ticket.next!;
      yield ticket;
      ticket = following;
    }
  }

  #insert(ticket: Ticket<Guest>, after: Ticket<Guest>): Ticket<Guest> {
    ticket.previous = after;
    ticket.next = after.next;
    after.next!.previous = ticket;
    after.next = ticket;
    this.#length++;
    if (this.#length > this.lengthMax) this.lengthMax = this.#length;
    return ticket;
  }
}

/** A place in the room. Its links are the room's business. */
export class Ticket<Guest> {
  readonly guest: Guest;
  readonly calledBefore: number;
  next: Ticket<Guest> | null = null;
  previous: Ticket<Guest> | null = null;

  constructor(guest: Guest, calledBefore: number) {
    this.guest = guest;
    this.calledBefore = calledBefore;
  }
}
