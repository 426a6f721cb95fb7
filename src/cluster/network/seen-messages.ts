import type { Store, StoredOrigin } from '../../core/store.ts';

/** Publishing brokers whose messages are remembered; the one not heard of for longest goes first. */
const ORIGINS_MAX = 256;

/**
 * Which messages were here before, by who published them and their number there. In a ring or a mesh with a TTL above 1 the same message
 * comes by several ways; the first one counts, also when we are started anew between two of them.
 */
export class SeenMessages {
  readonly #store: Pick<Store, 'origins' | 'createOrigin'>;
  readonly #origins = new Map<string, StoredOrigin>();
  #lastName = '';
  #last: StoredOrigin | null = null;
  #lastSequence = -1;

  constructor(store: Pick<Store, 'origins' | 'createOrigin'>) {
    this.#store = store;
    for (const origin of store.origins()) this.#origins.set(origin.name, origin);
  }

  /** @returns `new` the first time, `seen` after that, `old` when it is too old to tell */
  note(origin: string, sequence: number): 'new' | 'seen' | 'old' {
    if (this.#last === null || origin !== this.#lastName) this.#select(origin);
    const news = this.#last!.window.note(sequence);
    this.#lastSequence = news === 'new' ? sequence : -1;
    return news;
  }

  /** The message noted last has been published; `position`: where the store was before. */
  published(position: number): void {
    if (this.#lastSequence >= 0) this.#last!.store(this.#lastSequence, position);
  }

  #select(name: string): void {
    const origin = this.#origins.get(name) ?? this.#store.createOrigin(name);
    this.#origins.delete(name);
    this.#origins.set(name, origin); // a Map keeps the order of insertion: the oldest is first
    if (this.#origins.size > ORIGINS_MAX) {
      const [oldest, forgotten] = this.#origins.entries().next().value!;
      this.#origins.delete(oldest);
      forgotten.drop();
    }
    this.#lastName = name;
    this.#last = origin;
  }
}
