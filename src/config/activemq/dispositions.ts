/**
 * What happens to a word of ActiveMQ's vocabulary here.
 *
 * - `honoured` it does what it does in ActiveMQ.
 * - `inert`    it has no effect, and a warning says so.
 * - `refused`  the file cannot be used with it: what it asks for is not there, and going on without would leave the
 *              broker more open, or messages less kept, than the file says.
 */
export interface Disposition {
  readonly kind: 'honoured' | 'inert' | 'refused';
  /** What it does in ActiveMQ: a verb phrase without its subject. */
  readonly does: string;
  /** Why it is inert or refused; empty for what is honoured. */
  readonly here: string;
}

export type Rules = Readonly<Record<string, Disposition>>;

export function honoured(does: string): Disposition {
  return { kind: 'honoured', does, here: '' };
}

export function inert(does: string, because: string): Disposition {
  return { kind: 'inert', does, here: because };
}

export function refused(does: string, because: string): Disposition {
  return { kind: 'refused', does, here: because };
}

/** The same rule for several properties, whose names are given with spaces between. */
export function each(names: string, disposition: Disposition): Rules {
  return Object.fromEntries(names.split(' ').map((name) => [name, disposition]));
}

/** The sentence for a diagnostic about something that is not honoured. */
export function describe(subject: string, { kind, does, here }: Disposition): string {
  if (kind === 'refused') return `${subject} ${does}: ${here}`;
  return `${subject}: in ActiveMQ it ${does}; ${here}, so it has no effect`;
}

/** Why words are inert or refused. Each continues "..., so it has no effect", or follows a colon. */
export const BECAUSE = {
  wiring: 'ActiveMQ sets it up itself and no file needs to',
  threads: 'there are no Java threads here',
  jmx: 'there is no JMX here',
  java: 'there is no Java here',
  jms: 'it concerns JMS clients, and MQTT clients are the only ones yet',
  queues: 'MQTT clients use topics, and nothing else consumes from queues yet',
  advisories: 'advisories tell what <policyEntry> asks for; of clients the log and $SYS topics tell',
  noTopicObjects: 'a topic is nothing that exists by itself: subscriptions and retained messages have limits of their own',
  recovery: 'MQTT has retained messages instead, which are always there',
  cursors: 'waiting messages are held in memory, and on disk from 70 % of memoryUsage on, wherever they wait',
  spill: 'they go to the folder tmp_storage in that of the store',
  oneLimit: 'producers and consumers share one limit',
  limitPolling: 'usage is counted as it changes',
  kahaIndex: 'the store has no KahaDB index',
  kahaFiles: "the store has files of its own and does not write KahaDB's",
  linkAcks: 'links between brokers acknowledge and retry in their own way',
  linkStarts: 'links always start in the background and retry at once',
  linkLogin: 'one connection carries both ways, and who dials logs in once: userName and password',
  socketTuning: 'sockets are set up for low latency by the program',
  negotiated: 'the two ends of a link agree on it, and ours makes its own offer',
  logs: 'the log has its own levels',
  notOpen: 'this is not supported yet, and a broker must not start more open than its file says',
  notLost: 'this is not supported yet, and a broker must not drop what its file promises to deliver',
  notKept: 'this store is not supported; use <kahaDB>, or <memoryPersistenceAdapter> to keep nothing',
} as const;
