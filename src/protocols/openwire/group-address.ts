/** For whom a message between brokers is that is for one shared subscription alone. */
export class GroupAddress {
  /** The shared subscription: `$share/{name}/{filter}`. */
  readonly name: string;
  readonly filter: string;
  /** The broker whose members are to get it. */
  readonly brokerId: string;
  /** Brokers that had it before the last one that chose, if a broker that was chosen for it had to choose another one. */
  readonly visited: readonly string[];
  /** Encoded properties of messages that have none of their own: QoS 0, 1 and 2 without RETAIN, then with it. Filled by their writer. */
  readonly plain: (Buffer | null)[] = [null, null, null, null, null, null];

  constructor(name: string, filter: string, brokerId: string, visited: readonly string[]) {
    this.name = name;
    this.filter = filter;
    this.brokerId = brokerId;
    this.visited = visited;
  }
}
