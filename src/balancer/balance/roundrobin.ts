/**
 * `balance roundrobin`, in HAProxy's exact order.
 *
 * Each server is used in turn, in proportion to its weight, and spread over the turn as evenly as weights allow. HAProxy does it with a
 * position on a line: a round is W positions long (W = the sum of the weights) and starts at W. A server that was just used moves on by
 * W / its weight, keeping the remainder of that division for its next move, and the server at the earliest position is next.
 *
 * ```
 * weights 5:3:1, sixteenths shown as whole weights, so W = 9
 *
 *   init     servers not used in this round, heaviest first       1 2 3 │ 2 3 │ 3   │
 *   current  servers used, by position                                  │ 1   │ 1 2 │ ...
 *   next     servers whose next position lies in the round after        │     │     │
 *
 *   order    1 1 2 1 3 2 1 1 2 │ 1 1 2 1 3 2 1 1 2 │ ...
 * ```
 * It differs from nginx's smooth weighted order (1 2 1 3 1 2 1 2 1).
 */

/** HAProxy counts weights in sixteenths, so that slow start can use fractions. */
const WEIGHT_SCALE = 16;
/** Largest user weight; keys are positions times this, so that weight decides among equal positions. */
const WEIGHT_MAX = 256;
const EFFECTIVE_WEIGHT_MAX = WEIGHT_MAX * WEIGHT_SCALE;

export interface Weighted {
  /** 0 to 256; 0 is never chosen. */
  readonly weight: number;
}

interface Seat<Server> {
  readonly server: Server;
  readonly weight: number;
  position: number;
  remainder: number;
  /** What its queue is sorted by. */
  key: number;
}

export class RoundRobin<Server extends Weighted> {
  /** Not used yet in this round. */
  #init: Seat<Server>[] = [];
  #current: Seat<Server>[] = [];
  /** Used up their share of this round. */
  #next: Seat<Server>[] = [];
  readonly #round: number;
  #position: number;

  constructor(servers: readonly Server[]) {
    for (const server of servers) {
      if (server.weight <= 0) continue;
      enqueueByWeight(this.#init, { server, weight: server.weight * WEIGHT_SCALE, position: 0, remainder: 0, key: 0 });
    }
    this.#round = this.#init.reduce((sum, seat) => sum + seat.weight, 0);
    this.#position = this.#round;
  }

  /**
   * The next server for which `usable` holds, or null when it holds for none. A server that is passed over (full, already tried) counts
   * as used: it keeps its turn, as in HAProxy.
   */
  next(usable: (server: Server) => boolean): Server | null {
    let chosen: Server | null = null;
    let roundEnded = false;
    const passedOver: Seat<Server>[] = [];
    for (;;) {
      const seat = this.#takeFirst();
      if (seat === undefined) {
        if (roundEnded) break;
        roundEnded = true;
        [this.#init, this.#next] = [this.#next, this.#init];
        this.#position = this.#round;
        continue;
      }
      this.#moveOn(seat);
      this.#position++;
      if (usable(seat.server)) {
        chosen = seat.server;
        this.#enqueue(seat);
        break;
      }
      passedOver.push(seat);
    }
    // Last one first: where positions are equal this decides their order, and HAProxy does it so. After the end of a round the places
    // are lost and only weights matter.
    for (const seat of passedOver.reverse()) {
      if (roundEnded) enqueueByWeight(this.#init, seat);
      else this.#enqueue(seat);
    }
    return chosen;
  }

  #takeFirst(): Seat<Server> | undefined {
    const first = this.#current[0];
    if (first !== undefined && first.position <= this.#position) return this.#current.shift();
    const fresh = this.#init.shift();
    if (fresh === undefined) return this.#current.shift();
    fresh.position = this.#position;
    fresh.remainder = 0;
    return fresh;
  }

  #moveOn(seat: Seat<Server>): void {
    seat.position += Math.floor(this.#round / seat.weight);
    seat.remainder += this.#round % seat.weight;
    if (seat.remainder >= seat.weight) {
      seat.remainder -= seat.weight;
      seat.position++;
    }
  }

  #enqueue(seat: Seat<Server>): void {
    if (seat.position >= 2 * this.#round) {
      seat.position -= this.#round;
      enqueueByWeight(this.#next, seat);
      return;
    }
    const lightness = Math.floor((EFFECTIVE_WEIGHT_MAX + seat.remainder - seat.weight) / WEIGHT_SCALE);
    enqueue(this.#current, seat, WEIGHT_MAX * seat.position + lightness);
  }
}

/** Heaviest first. */
function enqueueByWeight<Server>(queue: Seat<Server>[], seat: Seat<Server>): void {
  enqueue(queue, seat, EFFECTIVE_WEIGHT_MAX - seat.weight);
}

/** Lowest key first; first come, first served among equals. */
function enqueue<Server>(queue: Seat<Server>[], seat: Seat<Server>, key: number): void {
  seat.key = key;
  let index = queue.length;
  while (index > 0 && queue[index - 1]!.key > key) index--;
  queue.splice(index, 0, seat);
}
