/**
 * Every bound of the links between brokers in one place: unit, value and reason.
 */

/** Between two heartbeats on a link to a broker of ours, in milliseconds. */
export const HEARTBEAT_MS = 200;

/** Heartbeats without a byte from the peer after which a link is suspect: nothing waits for it any more. One second. */
export const SUSPECT_HEARTBEATS = 5;

/** Heartbeats without a byte after which a link is closed and dialled anew: a peer that comes back then synchronises. Ten seconds. */
export const DEAD_HEARTBEATS = 50;

/** First wait after a link broke or could not be made, in milliseconds. Doubles up to the maximum. */
export const RETRY_FIRST_MS = 50;

/** Longest wait between two attempts, in milliseconds: what a peer's absence may cost after it is back. */
export const RETRY_MAX_MS = 500;

/** Failed attempts, about two seconds of them, after which the log says so: brokers that start together need a moment to find each other. */
export const SAID_AFTER_FAILURES = 8;

/** For a TCP connection to a peer, in milliseconds. */
export const CONNECT_TIMEOUT_MS = 3_000;

/** From the TCP connection to the decision that it is a link, in milliseconds. */
export const HANDSHAKE_MAX_MS = 5_000;

/** How long a SUBACK waits for linked brokers to know the subscription, in milliseconds. */
export const DEMAND_WAIT_MAX_MS = 1_000;

/** Between two tellings of how many members a shared subscription has here and how well they are prepared, in milliseconds. */
export const GROUP_NEWS_MS = 50;

/**
 * Brokers that a message for a shared subscription may have come through without finding a member. Each time the one chosen for it has nobody
 * for it any more, news is under way that makes the next choice a better one: so many is no chance but a loop.
 */
export const GROUP_VISITED_MAX = 32;

/** Bytes queued on a link beyond which members at the peer count as behind, in bytes: one broker's share must not wait for its link. */
export const LINK_QUEUE_BEHIND_BYTES = 1024 * 1024;

/** How long the demand of a broker that went away is kept, and messages for it with it, in milliseconds. */
export const FORGET_PEER_MS = 60_000;

/** QoS 1 and 2 messages on their way to one peer and not acknowledged yet, in messages. The newest are refused beyond it. */
export const OUTBOX_MESSAGES_MAX = 100_000;

/** The same in bytes of frames, so that large messages cannot fill the memory first. */
export const OUTBOX_BYTES_MAX = 256 * 1024 * 1024;

/**
 * QoS 1 and 2 messages that wait in the store for persistent subscribers at one peer, in messages: some three hours of a hundred a
 * second, at some 150 bytes of memory each. The newest are refused beyond it.
 */
export const STORED_OUTBOX_MESSAGES_MAX = 1_000_000;

/** The same in bytes of payload, topic and properties: a disk is not to be filled for a broker that may never come back. */
export const STORED_OUTBOX_BYTES_MAX = 2 * 1024 * 1024 * 1024;

/**
 * Different ways that such messages came by, groups that they are for, and starts of brokers that published them, for one peer. The newest
 * messages are refused beyond it.
 */
export const PROVENANCES_MAX = 65_536;

/** Brokers that keep their id of which something is kept while they are away. The one that is away longest is forgotten beyond it. */
export const KEPT_PEERS_MAX = 256;

/** How long a broker that stops waits for linked ones to have what it has for them, in milliseconds. */
export const FAREWELL_MAX_MS = 1_000;

/** Bytes queued on a link beyond which QoS 1 and 2 messages stay in the outbox until it has drained, in bytes. */
export const LINK_QUEUE_BYTES = 8 * 1024 * 1024;

/** Bytes queued on a link beyond which QoS 0 messages for it are dropped: what a slow peer may cost, in bytes. */
export const LINK_QUEUE_QOS0_BYTES = 64 * 1024 * 1024;

/** Bytes queued on a link beyond which retained messages are not told one by one but all anew once it has drained, in bytes. */
export const LINK_QUEUE_RETAINED_BYTES = 64 * 1024 * 1024;

/**
 * Bytes queued on a link, besides a frame of the largest size, beyond which it is ended when a claim or a wish is to be told, in bytes. Twice
 * what messages may fill: only claims and wishes, which cannot be left out, get a queue there, of a peer that takes nothing.
 */
export const LINK_QUEUE_MAX_BYTES = 128 * 1024 * 1024;

/** Entries (demand, claims, retained messages) that synchronisation sends before it lets others have their turn. */
export const SYNC_CHUNK_ENTRIES = 256;

/** Bytes queued on a link beyond which synchronisation waits, in bytes: its bound on memory, and on the delay of live messages. */
export const SYNC_QUEUE_BYTES = 512 * 1024;

/** Filters one peer may ask for: a peer gone wrong must not fill our memory. */
export const PEER_DEMAND_MAX = 1_000_000;

/** Brokers a message or an advertised filter may have come through: a longer path is no network but a loop, or an attack. */
export const BROKER_PATH_MAX = 64;

/** Addresses for clients that one broker tells its neighbours, and that are taken of one: each is a connector. */
export const CLIENT_ADDRESSES_MAX = 64;

/** Claims remembered so that each is passed on once. */
export const SEEN_CLAIMS_MAX = 10_000;

/** Forwards to a real ActiveMQ that may wait for their answers where the file names no `prefetchSize`. */
export const PREFETCH_SIZE = 1_000;

/** How long a real ActiveMQ has to tell all its consumers after a link came up, in milliseconds: it never says that it is done. */
export const BRIDGE_SETTLE_MS = 5_000;

/**
 * Messages of QoS 1 and 2 from memory, and as many from the store, that may wait for the answers of a broker of ours: it withholds them
 * while it has no room. Many more than are on their way while it has, also where each waits for its disk.
 */
export const LINK_IN_FLIGHT_MAX = 32_768;
